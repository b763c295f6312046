"""What kind of page an article is: a live blog, a gallery, a video, a round-up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from watcher.clean.metadata import Metadata
from watcher.model import Block
from watcher.text.kinds import (
    is_live_address,
    is_roundup_address,
    says_gallery,
    says_live,
    says_roundup,
    says_video,
)

STAMPED = re.compile(r"^(?:\d{1,2}[:.h]\d{2}|\d{1,2}\s?(?:am|pm|Uhr))\b.{0,80}$", re.IGNORECASE)
CLOCK = re.compile(r"^\W{0,3}([01]?\d|2[0-3])\s?[:.h]\s?([0-5]\d)(?!\d|[.:/]\d)")
GALLERY_URL = re.compile(
    r"/(?:gallery|galleries|photos|bildergalerien?|fotostrecken?|diaporama|galeria|galerie|fotogallery|fotogalerias?"
    r"|pictures|photo-?gallery|photo-?essay|in-pictures)(?:[/_.-]|$)"
)
VIDEO_URL = re.compile(r"/(?:videos?|watch)(?:[/_.-]|$)")
WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
DENSE = 3  # letters that a character of these scripts stands for
STAMPS = 4  # blocks that begin with a time of day
RUN = 6  # times of day, one after another, that make a live blog by themselves
ORDERED = 0.8  # of the steps from one to the next, those that go one way: a list of concerts has them at random
SHORT = 600  # characters: a page with less beside pictures or a film is about these
ITEMS = 3  # headings that make what lies at an address of round-ups one


def kind_of(said: Metadata, blocks: Sequence[Block], *, url: str) -> str:
    """Return "article", "live", "gallery", "video" or "roundup"."""
    path = urlsplit(url).path.lower()
    length = sum(len(block.text) + (DENSE - 1) * len(WIDE.findall(block.text)) for block in blocks)
    stamps = sum(1 for block in blocks if STAMPED.match(block.text))
    is_long = stamps >= STAMPS or length > 8 * SHORT
    if "liveblogposting" in said.kinds or says_live(said.title) or (is_live_address(path) and is_long):
        return "live"
    if said.kinds & {"imagegallery", "mediagallery"} or (
        (GALLERY_URL.search(path) or says_gallery(said.title)) and length < 2 * SHORT
    ):
        return "gallery"
    is_film = said.kinds & {"videoobject", "video", "video.other", "video.episode"} or VIDEO_URL.search(path)
    if (is_film or says_video(said.title)) and length < SHORT:
        return "video"
    headings = sum(1 for block in blocks if block.kind == "h")
    if says_roundup(said.title) or (is_roundup_address(path) and headings >= ITEMS):
        return "roundup"
    return "live" if _is_run(blocks) else "article"


def _is_run(blocks: Sequence[Block]) -> bool:
    """Whether blocks begin with times of day that go up or down through the text, as the entries of a live blog."""
    found = (CLOCK.match(block.text) for block in blocks)
    times = [int(match[1]) * 60 + int(match[2]) for match in found if match]
    if len(times) < RUN:
        return False
    steps = [after - before for before, after in pairwise(times)]
    return max(sum(step > 0 for step in steps), sum(step < 0 for step in steps)) >= ORDERED * len(steps)
