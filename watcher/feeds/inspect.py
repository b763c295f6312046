"""What a feed's bytes hold, counted for a person who asks how good the feed is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from watcher.errors import FeedError
from watcher.feeds.discover import FoundFeed, feeds_in
from watcher.feeds.encoding import decode
from watcher.feeds.html_text import plain
from watcher.feeds.json_feed import string
from watcher.feeds.parse import bot_wall, parse_feed
from watcher.model import ParsedFeed
from watcher.text.language import UNKNOWN, detect
from watcher.text.urls import normal

WHOLE_CHARS = 1_200  # of an entry's content: as long as a short report, far longer than a teaser
CONTENT_CHARS = 20_000  # of it that are measured
LANGUAGE_ENTRIES = 20
HEAD_CHARS = 64 * 1024
ROOT = re.compile(r"<(?:[A-Za-z][\w.-]{0,30}:)?(rss|feed|rdf)(?=[\s>])([^<>]{0,4000})>", re.IGNORECASE)
VERSION = re.compile(r"\sversion\s{0,5}=\s{0,5}[\"']([\w.]{1,10})[\"']", re.IGNORECASE)
ITEM = re.compile(r"<(?:(?:atom|rss):)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
GUID = re.compile(
    r"<(?:atom:)?(?:guid|id)(?:\s[^<>]{0,500})?>\s{0,100}(?:<!\[CDATA\[)?([^<]{1,2000})"
    r"|^<[^<>]{0,200}\srdf:about\s{0,5}=\s{0,5}[\"']([^\"'<>]{1,2000})",
    re.IGNORECASE,
)
DATE = re.compile(
    r"<(?:pubDate|dc:date|(?:atom:)?(?:published|updated|issued|modified|created)|dcterms:\w{1,20})(?=[\s>])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A feed and what can be said of its entries. Every count is of entries."""

    feed: ParsedFeed
    format: str  # "RSS 2.0", "Atom 1.0", "JSON Feed 1.1"
    language: str  # that its entries read as, "und" if nothing tells
    sent: int  # as they stood, before repeated ones were dropped
    without_guid: int
    repeated_guids: int
    without_link: int
    repeated_links: int
    undated: int  # that name no date
    unreadable: int  # whose date cannot be read, or lies before the web
    ahead: int  # whose date lies more than a day ahead
    oldest: datetime | None
    newest: datetime | None
    whole: int  # that carry at least `WHOLE_CHARS` of content
    usual_chars: int  # of content or summary: the median


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFeed:
    """Bytes that are no feed: in words what they are, the wall if they are one, the feeds that they link."""

    reason: str
    wall: str | None = None
    links: tuple[FoundFeed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What an entry names, as it stood: its GUID, and whether it has a date."""

    guid: str
    is_dated: bool


def examine(body: bytes, url: str, content_type: str | None, now: datetime) -> Report | NoFeed:
    """Return what the feed in `body` holds, or what `body` is instead."""
    text = decode(body, content_type)
    try:
        feed = parse_feed(body, url=url, content_type=content_type, now=now)
        believing = parse_feed(body, url=url, content_type=content_type)
    except FeedError as error:
        return NoFeed(reason=error.reason, wall=bot_wall(body), links=feeds_in(text, url))
    return report(feed, believing, text)


def report(feed: ParsedFeed, believing: ParsedFeed, text: str) -> Report:
    """Return what `feed`, read from `text`, holds; `believing` is the same with dates ahead of now believed."""
    marks = marks_of(text)
    dates = [entry.published_at for entry in feed.entries if entry.published_at]
    dateless = sum(entry.published_at is None for entry in believing.entries)
    undated = min(sum(not mark.is_dated for mark in marks), dateless)
    guids = [mark.guid for mark in marks if mark.guid]
    links = [normal(entry.url) for entry in feed.entries if entry.url]
    lengths = [len(plain(entry.content, CONTENT_CHARS)) for entry in feed.entries]
    shown = [max(length, len(entry.summary)) for length, entry in zip(lengths, feed.entries, strict=True)]
    return Report(
        feed=feed,
        format=format_of(text),
        language=language_of(feed),
        sent=max(len(marks), len(feed.entries)),
        without_guid=len(marks) - len(guids),
        repeated_guids=len(guids) - len(set(guids)),
        without_link=len(feed.entries) - len(links),
        repeated_links=len(links) - len(set(links)),
        undated=undated,
        unreadable=dateless - undated,
        ahead=max(len(feed.entries) - len(dates) - dateless, 0),
        oldest=min(dates, default=None),
        newest=max(dates, default=None),
        whole=sum(length >= WHOLE_CHARS for length in lengths),
        usual_chars=int(median(shown)) if shown else 0,
    )


def marks_of(text: str) -> tuple[Marks, ...]:
    """Return what each entry in a feed's text names, before anything was judged; nothing where it cannot be told."""
    if text.lstrip()[:1] in ("{", "["):
        return tuple(marks_of_items(text))
    starts = [found.start() for found in ITEM.finditer(text)]
    parts = (text[start:end] for start, end in pairwise([*starts, len(text)]))
    return tuple(Marks(guid=guid_in(part), is_dated=DATE.search(part) is not None) for part in parts)


def marks_of_items(text: str) -> Iterable[Marks]:
    """Yield what each item of a JSON Feed names."""
    try:
        top = json.loads(text)
    except (ValueError, RecursionError):
        return
    for item in top.get("items", ()) if isinstance(top, dict) else ():
        if isinstance(item, dict):
            dated = item.get("date_published") or item.get("date_modified")
            yield Marks(guid=string(item.get("id")), is_dated=bool(dated))


def guid_in(part: str) -> str:
    """Return the GUID that the text of one entry gives, or nothing."""
    found = GUID.search(part)
    return (found.group(1) or found.group(2)).strip().removesuffix("]]>").strip() if found else ""


def format_of(text: str) -> str:
    """Return a feed's format and version, as far as its head tells."""
    head = text.lstrip("\ufeff \t\r\n")[:HEAD_CHARS]
    if head[:1] in ("{", "["):
        version = re.search(r"jsonfeed\.org/version/([\d.]{1,5})", head)
        return f"JSON Feed {version.group(1)}" if version else "JSON Feed"
    found = ROOT.search(head)
    if found is None:
        return "XML"
    name, attributes = found.group(1).lower(), found.group(2)
    if name == "rss":
        version = VERSION.search(attributes)
        return f"RSS {version.group(1)}" if version else "RSS"
    if name == "feed":
        return "Atom 0.3" if "purl.org/atom/ns" in attributes else "Atom 1.0"
    return "RSS 0.90" if "my.netscape.com" in attributes else "RSS 1.0"


def language_of(feed: ParsedFeed) -> str:
    """Return the language that a feed's entries read as, whatever it claims where they are long enough to tell."""
    entries = feed.entries[:LANGUAGE_ENTRIES]
    titles = "\n".join(entry.title for entry in entries)
    texts = "\n".join(entry.summary[:200] for entry in entries)
    return detect(f"{titles}\n{texts}", claims=(feed.language,)) if entries else UNKNOWN
