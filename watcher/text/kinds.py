"""What a title or an address says of the kind of a page: a live blog, a round-up, a gallery."""

from __future__ import annotations

import re

SAYS_LIVE = re.compile(
    r"(?-i:^LIVE\b)|^live ?[:|–—-]|\blive[ -]?(?:blog|ticker|updates?)\b"
    r"|\b(?:as it happened|minute by minute|minuto a minuto|newsblog|newsticker)\b"
    r"|^(?:en direct|direct|en vivo|directo|ao vivo|in diretta|diretta|na żywo|на живо|canlı|مباشر) ?[:|–—-]"
    r"|[|–—:-] ?(?:live|en direct|en vivo|ao vivo|in diretta)$"
    r"|онлайн-трансляция|текстовая трансляция|لحظة بلحظة|速報中|실시간|實時更新|实时更新",
    re.IGNORECASE,
)
LIVE_ADDRESS = re.compile(
    r"/(?:live|live-?blog|live-?updates?|live-?ticker|ticker|direct|en-direct|en-vivo|ao-vivo|diretta|minuto-a-minuto)"
    r"(?:[/_.-]|$)"
)
SAYS_ROUNDUP = re.compile(
    r"\b(?:morning|evening|daily|weekly) (?:briefing|brief|digest|roundup|round-up)\b|^(?:news in brief|briefs?)\b"
    r"|\b(?:news roundup|today['’]s (?:headlines|papers)|what we know today|top stories|today in history)\b"
    r"|\b(?:morgen|abend)-?(?:briefing|update)\b|\b(?:der tag im überblick|presseschau|kurz notiert|kurzmeldungen)\b"
    r"|\b(?:l['’]essentiel de l['’]actu|revue de presse|press review|resumen de noticias)",
    re.IGNORECASE,
)
SAYS_GALLERY = re.compile(
    r"^(?:in pictures|in photos|photos|gallery|photo gallery|en images|en photos|bilder|bildergalerie|fotos|galería"
    r"|galeria|fotogalerie|fotogallery|фото|фотогалерея|صور) ?[:|–—]"
    r"|[\[【［(（](?:写真特集|写真|写真集|フォト|组图|組圖|高清组图|포토|화보|gallery|photos)[\]】］)）]"
    r"|[:|–—] ?in pictures$",
    re.IGNORECASE,
)


def says_live(title: str) -> bool:
    """Whether a title calls its page a live blog."""
    return SAYS_LIVE.search(title.strip()) is not None


def is_live_address(url: str) -> bool:
    """Whether an address is that of a live blog; a word for the eye, not a proof: some sites keep all pages there."""
    return LIVE_ADDRESS.search(url.lower()) is not None


def says_roundup(title: str) -> bool:
    """Whether a title calls its page a round-up of many things."""
    return SAYS_ROUNDUP.search(title.strip()) is not None


def says_gallery(title: str) -> bool:
    """Whether a title calls its page a gallery."""
    return SAYS_GALLERY.search(title.strip()) is not None


def kind_by_title(title: str) -> str:
    """Return "live", "roundup", "gallery" or "article", as far as the title says."""
    for says, kind in ((says_live, "live"), (says_roundup, "roundup"), (says_gallery, "gallery")):
        if says(title):
            return kind
    return "article"
