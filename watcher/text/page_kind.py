"""What a title or an address says of the kind of a page: live blog, round-up, gallery or video; see page_kind.toml."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

_PATTERNS: dict[str, list[str]] = tomllib.loads((files("watcher.text") / "page_kind.toml").read_text("utf-8"))


def _any_of(name: str) -> re.Pattern[str]:
    return re.compile("|".join(_PATTERNS[name]), re.IGNORECASE)


SAYS_LIVE, LIVE_ADDRESS = _any_of("says_live"), _any_of("live_address")
SAYS_ROUNDUP, ROUNDUP_ADDRESS = _any_of("says_roundup"), _any_of("roundup_address")
SAYS_GALLERY, SAYS_VIDEO = _any_of("says_gallery"), _any_of("says_video")


def is_live_blog_title(title: str) -> bool:
    """Whether a title calls its page a live blog."""
    return SAYS_LIVE.search(title.strip()) is not None


def is_live_address(url: str) -> bool:
    """Whether an address is that of a live blog; a word for the eye, not a proof: some sites keep all pages there."""
    return LIVE_ADDRESS.search(url.lower()) is not None


def is_roundup_title(title: str) -> bool:
    """Whether a title calls its page a round-up of many things."""
    return SAYS_ROUNDUP.search(title.strip()) is not None


def is_roundup_address(url: str) -> bool:
    """Whether an address is one of round-ups; a word for the eye, as that of live blogs."""
    return ROUNDUP_ADDRESS.search(url.lower()) is not None


def is_gallery_title(title: str) -> bool:
    """Whether a title calls its page a gallery."""
    return SAYS_GALLERY.search(title.strip()) is not None


def says_video(title: str) -> bool:
    """Whether a title says that its page is about a video; the text may still be an article."""
    return SAYS_VIDEO.search(title.strip()) is not None


def kind_by_title(title: str) -> str:
    """Return "live", "roundup", "gallery" or "article", as far as the title says."""
    for says, kind in ((is_live_blog_title, "live"), (is_roundup_title, "roundup"), (is_gallery_title, "gallery")):
        if says(title):
            return kind
    return "article"
