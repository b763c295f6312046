"""What kind of page an article is: a live blog, a gallery, a video, a round-up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from watcher.clean.metadata import Metadata
from watcher.model import Block

LIVE_URL = re.compile(
    r"(?:^|[/_-])(?:live-?blog|live-?ticker|liveticker|live-?updates?|live|direct|en-direct|en-vivo|ao-vivo"
    r"|minuto-a-minuto)(?:[/_.-]|$)"
)
LIVE_TITLE = re.compile(
    r"(?:^|\W)(?:live(?:blog|ticker| updates?|:)|liveblog|as it happened|en direct|en vivo|ao vivo"
    r"|minuto a minuto|in diretta|na żywo|онлайн)(?:\W|$)"
    r"|(?-i:^LIVE\b)|速報中|실시간",
    re.IGNORECASE,
)
STAMPED = re.compile(r"^(?:\d{1,2}[:.h]\d{2}|\d{1,2}\s?(?:am|pm|Uhr))\b.{0,80}$", re.IGNORECASE)
GALLERY_URL = re.compile(
    r"/(?:gallery|galleries|photos|bildergalerien?|fotostrecken?|diaporama|galeria|galerie|fotogallery"
    r"|pictures|photo-?gallery|photo-?essay)(?:[/_.-]|$)"
)
GALLERY_TITLE = re.compile(
    r"^(?:in pictures|in photos|photos|gallery|photo gallery|en images|en photos|bilder|bildergalerie|fotos|galería"
    r"|galeria|fotogalerie|fotogallery|фото|фотогалерея|صور)\s*[:|–—]"
    r"|[\[【［(（](?:写真特集|写真|写真集|フォト|组图|組圖|高清组图|포토|화보|gallery|photos)"
    r"[\]】］)）]|[:|–—]\s*in pictures$",
    re.IGNORECASE,
)
VIDEO_URL = re.compile(r"/(?:videos?|watch)(?:[/_.-]|$)")
ROUNDUP_TITLE = re.compile(
    r"(?:morning|evening|daily|weekly) (?:briefing|brief|digest|roundup|round-up)|what we know today|newsletter"
    r"|news (?:in brief|roundup|wrap)"
    r"|today's headlines|\b(?:morgen|abend)-?(?:briefing|update)|der tag im überblick|l'essentiel de l'actu"
    r"|revue de presse|press review|presseschau",
    re.IGNORECASE,
)
STAMPS = 4  # blocks that begin with a time of day
SHORT = 600  # characters: a page with less beside pictures or a film is about these


def kind_of(said: Metadata, blocks: Sequence[Block], *, url: str) -> str:
    """Return "article", "live", "gallery", "video" or "roundup"."""
    path = urlsplit(url).path.lower()
    length = sum(len(block.text) for block in blocks)
    stamps = sum(1 for block in blocks if STAMPED.match(block.text))
    if "liveblogposting" in said.kinds or (
        (LIVE_TITLE.search(said.title) or LIVE_URL.search(path)) and (stamps >= STAMPS or length > 8 * SHORT)
    ):
        return "live"
    if LIVE_TITLE.search(said.title) and LIVE_URL.search(path):
        return "live"
    if said.kinds & {"imagegallery", "mediagallery"} or (
        (GALLERY_URL.search(path) or GALLERY_TITLE.search(said.title)) and length < 2 * SHORT
    ):
        return "gallery"
    if (
        said.kinds & {"videoobject", "video", "video.other", "video.episode"} or VIDEO_URL.search(path)
    ) and length < SHORT:
        return "video"
    return "roundup" if ROUNDUP_TITLE.search(said.title) else "article"
