"""Classifies a page as live blog, round-up, gallery or video by its title or URL; patterns in page_kind.toml."""

import re

from watcher.text.toml_data import load_toml

_DATA: dict[str, dict[str, list[str]]] = load_toml("watcher.text", "page_kind.toml")
TITLES, ADDRESSES = (
    {kind: re.compile("|".join(patterns), re.IGNORECASE) for kind, patterns in _DATA[name].items()}
    for name in ("titles", "addresses")
)
DOUBTFUL = "doubtful"  # kind of an article whose text is probably not the article's: it is not quoted
COLLECTIONS = frozenset({"live", "roundup"})  # kinds with many events on a page: no report of any one of them


def is_title_of(kind: str, title: str) -> bool:
    """Whether a title names the `kind` ("live", "roundup", "gallery", "video"); a "video" may still have an article."""
    return TITLES[kind].search(title.strip()) is not None


def is_address_of(kind: str, url: str) -> bool:
    """Whether a URL looks like one of a page of this kind; not certain, as some sites use such a URL for all pages."""
    return ADDRESSES[kind].search(url.lower()) is not None


def kind_by_title(title: str) -> str:
    return next((kind for kind in ("live", "roundup", "gallery") if is_title_of(kind, title)), "article")
