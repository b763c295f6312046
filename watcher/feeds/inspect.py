"""What a feed's bytes hold, counted for a person who asks how good the feed is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from watcher.errors import FeedError
from watcher.failure_reasons import Reason
from watcher.feeds.discover import FoundFeed, find_feed_links
from watcher.feeds.encoding import decode_feed
from watcher.feeds.html_text import html_to_text
from watcher.feeds.parse import normalize_feed, read_feed
from watcher.feeds.xml_feed import ITEM_START
from watcher.model import ParsedFeed
from watcher.text.language import UNKNOWN, detect_language
from watcher.text.urls import normalize_url

WHOLE_CHARS = 1_200  # of an entry's content: as long as a short report, far longer than a teaser
CONTENT_CHARS = 20_000  # of it that are measured
LANGUAGE_ENTRIES = 20
HEAD_CHARS = 64 * 1024
ROOT = re.compile(r"<(?:[A-Za-z][\w.-]{0,30}:)?(rss|feed|rdf)(?=[\s>])([^<>]{0,4000})>", re.IGNORECASE)
VERSION = re.compile(r"\sversion\s{0,5}=\s{0,5}[\"']([\w.]{1,10})[\"']", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
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
class NotAFeed:
    """Bytes that are no feed: what they are, and the feeds that they link."""

    reason: Reason
    links: tuple[FoundFeed, ...] = ()


def inspect_body(body: bytes, url: str, content_type: str | None, now: datetime) -> FeedReport | NotAFeed:
    """Return what the feed in `body` holds, or what `body` is instead."""
    text = decode_feed(body, content_type)
    try:
        raw = read_feed(body, url=url, content_type=content_type)
    except FeedError as error:
        return NotAFeed(reason=error.reason, links=find_feed_links(text, url))
    feed = normalize_feed(raw, url=url, now=now)
    dates = [entry.published_at for entry in feed.entries if entry.published_at]
    # A date that is ahead is read here, and not believed above.
    dateless = sum(entry.published_at is None for entry in normalize_feed(raw, url=url).entries)
    undated = min(sum(not (row.published or row.updated) for row in raw.entries), dateless)
    guids = [guid for row in raw.entries if (guid := row.guid.strip())]
    links = [normalize_url(entry.url) for entry in feed.entries if entry.url]
    lengths = [len(html_to_text(entry.content, CONTENT_CHARS)) for entry in feed.entries]
    shown = [max(length, len(entry.summary)) for length, entry in zip(lengths, feed.entries, strict=True)]
    return FeedReport(
        feed=feed,
        format=detect_format(text),
        language=detect_feed_language(feed),
        sent=max(len(raw.entries), len(ITEM_START.findall(text))),
        without_guid=len(raw.entries) - len(guids),
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


def detect_format(text: str) -> str:
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


def detect_feed_language(feed: ParsedFeed) -> str:
    """Return the language that a feed's entries read as, whatever it claims where they are long enough to tell."""
    entries = feed.entries[:LANGUAGE_ENTRIES]
    titles = "\n".join(entry.title for entry in entries)
    texts = "\n".join(entry.summary[:200] for entry in entries)
    return detect_language(f"{titles}\n{texts}", claims=(feed.language,)) if entries else UNKNOWN
