"""What kind of page an article is: a live blog, a gallery, a video, a round-up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from watcher.clean.metadata import Metadata
from watcher.model import Block
from watcher.text.kinds import is_live_address, says_gallery, says_live, says_roundup

STAMPED = re.compile(r"^(?:\d{1,2}[:.h]\d{2}|\d{1,2}\s?(?:am|pm|Uhr))\b.{0,80}$", re.IGNORECASE)
GALLERY_URL = re.compile(
    r"/(?:gallery|galleries|photos|bildergalerien?|fotostrecken?|diaporama|galeria|galerie|fotogallery"
    r"|pictures|photo-?gallery|photo-?essay)(?:[/_.-]|$)"
)
VIDEO_URL = re.compile(r"/(?:videos?|watch)(?:[/_.-]|$)")
STAMPS = 4  # blocks that begin with a time of day
SHORT = 600  # characters: a page with less beside pictures or a film is about these


def kind_of(said: Metadata, blocks: Sequence[Block], *, url: str) -> str:
    """Return "article", "live", "gallery", "video" or "roundup"."""
    path = urlsplit(url).path.lower()
    length = sum(len(block.text) for block in blocks)
    stamps = sum(1 for block in blocks if STAMPED.match(block.text))
    is_long = stamps >= STAMPS or length > 8 * SHORT
    if "liveblogposting" in said.kinds or says_live(said.title) or (is_live_address(path) and is_long):
        return "live"
    if said.kinds & {"imagegallery", "mediagallery"} or (
        (GALLERY_URL.search(path) or says_gallery(said.title)) and length < 2 * SHORT
    ):
        return "gallery"
    if (
        said.kinds & {"videoobject", "video", "video.other", "video.episode"} or VIDEO_URL.search(path)
    ) and length < SHORT:
        return "video"
    return "roundup" if says_roundup(said.title) else "article"
