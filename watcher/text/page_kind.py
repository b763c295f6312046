"""What a title or an address says of the kind of a page: live blog, round-up, gallery or video; see page_kind.toml."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

_DATA: dict[str, dict[str, list[str]]] = tomllib.loads((files("watcher.text") / "page_kind.toml").read_text("utf-8"))
TITLES, ADDRESSES = (
    {kind: re.compile("|".join(patterns), re.IGNORECASE) for kind, patterns in _DATA[name].items()}
    for name in ("titles", "addresses")
)


def is_title_of(kind: str, title: str) -> bool:
    """Whether a title calls its page a "live" blog, "roundup", "gallery" or "video"; a "video" may have an article."""
    return TITLES[kind].search(title.strip()) is not None


def is_address_of(kind: str, url: str) -> bool:
    """Whether an address is one of "live" blogs or of a "roundup"; no proof: some sites keep all pages there."""
    return ADDRESSES[kind].search(url.lower()) is not None


def kind_by_title(title: str) -> str:
    """Return "live", "roundup", "gallery" or "article", as far as the title says."""
    return next((kind for kind in ("live", "roundup", "gallery") if is_title_of(kind, title)), "article")
