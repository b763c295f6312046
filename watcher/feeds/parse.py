"""Parses the bytes of a feed to a ParsedFeed; the error for other bytes says what they are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from watcher.errors import FeedError, FetchError
from watcher.failure_messages import FeedKind, HealthKind, Reason
from watcher.feeds.discover import find_feed_links
from watcher.feeds.html_text import html_to_text
from watcher.feeds.json_feed import parse_json_feed
from watcher.feeds.normalize import (
    RawFeed,
    absolute_url,
    is_oldest_first,
    normalize_entries,
    parse_language_tag,
    title_text,
)
from watcher.feeds.sitemap import SITEMAP_FORMATS, SITEMAPS, choose_parts, parse_sitemap, recent_news, unpack
from watcher.feeds.xml_feed import BROKEN, ITEM_END, ITEM_START, OPENING_TAG, parse_xml
from watcher.model import PageSelectors, ParsedFeed, SitemapPart
from watcher.net.bot_walls import find_bot_wall
from watcher.text.encoding import decode_feed, decode_page
from watcher.text.plain_text import strip_control_chars, to_one_line

CUT_FAULT = "it ends in the middle"  # the fault of a feed without its end
END_CHARS = 4_000  # at the end of a feed, in which its root is closed; some servers append a script or a comment
PROLOG_CHARS = 256 * 1024  # characters that are searched for the root element
PROLOG = re.compile(
    r"^(?:\s++|<\?.{0,4000}?\?>|<!--.{0,100000}?-->|<!DOCTYPE[^<>\[]{0,2000}(?:\[.{0,200000}?\]\s{0,100})?>)*+",
    re.DOTALL | re.IGNORECASE,
)
ROOT = re.compile(r"<([A-Za-z_][\w.-]{0,60}(?::[\w.-]{1,60})?)(?=[\s/>])")
FEED_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]{0,30}:)?(?:rss|feed|rdf)(?=[\s>])", re.IGNORECASE)
BAD_REFERENCE = re.compile(  # to a control character, half of a surrogate pair, or a number beyond Unicode
    r"&#(?:0*(?:[0-8]|1[1-24-9]|2[0-9]|3[01]|[1-9][0-9]{6,})(?![0-9])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]"
    r"|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[efEF]|(?:1[1-9a-fA-F]|[2-9a-fA-F][0-9a-fA-F])[0-9a-fA-F]{4}"
    r"|[1-9a-fA-F][0-9a-fA-F]{6,})(?![0-9a-fA-F]));?"
)
FEED_NAMES = frozenset(("rss", "feed", "rdf", "channel", "entry"))
HTML_NAMES = frozenset(("html", "head", "body", "title", "meta", "link", "script", "style"))
OTHER_XML = {
    "opml": FeedKind.OPML,
    "svg": FeedKind.SVG,
}
FILE_SIGNATURES = (  # first bytes of binary files, and their kinds
    (b"%PDF-", FeedKind.PDF),
    (b"\x89PNG\r\n", FeedKind.PICTURE),
    (b"\xff\xd8\xff", FeedKind.PICTURE),
    (b"GIF8", FeedKind.PICTURE),
    (b"PK\x03\x04", FeedKind.ZIP),
    (b"\x1f\x8b", FeedKind.GZIP),
)
Parts = Sequence[tuple[str, bytes | FetchError]]  # the sitemaps of an index: URL, and its body or why it has none
BINARY_SAMPLE_BYTES = 2_000
CONTROL_CHARACTER = re.compile("[\x00-\x08\x0e-\x1f]")
FEW_CONTROLS = 0.05  # maximal share of control characters in a text; random bytes have 0.1


def parse_feed(
    body: bytes,
    *,
    url: str,
    content_type: str | None = None,
    max_entries: int = 500,
    now: datetime | None = None,
    known: Mapping[str, str] | None = None,
    page: PageSelectors | None = None,
    parts: Parts = (),
) -> ParsedFeed:
    """
    Parse the feed in `body`: RSS 0.9x, 1.0, 2.0, Atom, JSON Feed, a news sitemap or a sitemap index, also as a gzip
    file, whatever its content type.

    Of more than `max_entries` entries, the newest are read. Entity declarations are ignored, never expanded.

    Args:
        url: The URL of the response, after redirects.
        content_type: The header; used only as a hint for the character encoding.
        now: Dates more than a day later are ignored.
        known: GUID → `content_hash`; unchanged entries are returned without summary and text.
        page: The selectors for `body` if it is a page, not a feed.
        parts: The sitemaps of an index, whose entries are read too. The result has those that cannot be read.

    Raises:
        FeedError: `body` is not a feed; `kind` says what it is.
    """
    raw = parse_raw_feed(body, page, url=url, content_type=content_type, max_entries=max_entries)
    return normalize_feed(add_parts(raw, url, parts), url=url, now=now, known=known)


def parse_raw_feed(
    body: bytes, page: PageSelectors | None = None, *, url: str, content_type: str | None = None, max_entries: int = 500
) -> RawFeed:
    """Parse the feed in `body` without normalising it; arguments and errors as `parse_feed`."""
    if page is not None:
        from watcher.feeds.page import parse_page  # late: lxml takes 5 MB, and only pages need it

        try:
            return parse_page(decode_page(body, content_type), url, page)
        except FeedError as error:
            other = _classify_non_feed(body, "", "", url)
            raise error if other.kind is FeedKind.OTHER_TEXT else FeedError(url, other) from None
    body = unpack(body, url)
    text = strip_control_chars(decode_feed(body, content_type)).lstrip(" \t\r\n\ufeff")
    start = text[:1]
    if not start:
        raise FeedError(url, Reason(FeedKind.EMPTY))
    if start in "{[":
        return parse_json_feed(text, url, max_entries)
    return _parse_xml_feed(body, text, url, max_entries)


def add_parts(raw: RawFeed, url: str, parts: Parts) -> RawFeed:
    """
    Return the feed of a sitemap index with the entries of its sitemaps, `parts`.

    The `parts` of the result are the sitemaps that could not be read: the poll is then incomplete. Errors: FeedError
    if none could be read.
    """
    unread = dict[str, Reason]()
    for part_url, body in parts:
        try:
            if isinstance(body, FetchError):
                raise body
            part = parse_raw_feed(body, url=part_url)
        except (FeedError, FetchError) as error:
            unread[part_url] = error.reason
            continue
        raw = replace(raw, is_cut=raw.is_cut or part.is_cut)
        title, entries = raw.title if raw.title.value else part.title, (*raw.entries, *part.entries)
        raw = replace(raw, title=title, language=raw.language or part.language, entries=entries)
    if unread and len(unread) == len(parts):
        raise FeedError(url, Reason(HealthKind.ASKED_AT, why=unread[part_url], site=part_url))
    faults = (*raw.faults, *(f"{part_url}: {reason}" for part_url, reason in unread.items()))
    unread_parts = tuple(SitemapPart(url=part_url) for part_url in unread) if parts else raw.parts
    return replace(raw, parts=unread_parts, faults=faults)


def normalize_feed(
    raw: RawFeed, *, url: str, now: datetime | None = None, known: Mapping[str, str] | None = None
) -> ParsedFeed:
    """Normalise the fields of a parsed feed; arguments as `parse_feed`."""
    entries, faults = normalize_entries(raw, url=url, now=now, known=known)
    parts = choose_parts(raw.parts, url, now)
    if raw.parts and not parts:
        faults += (f"none of the {len(raw.parts)} sitemaps of the index is on its host and changed in the last days",)
    return ParsedFeed(
        title=title_text(raw.title),
        link=absolute_url(url, raw.link),
        language=parse_language_tag(raw.language),
        entries=recent_news(entries, now) if raw.format in SITEMAP_FORMATS else entries,
        parts=parts,
        ttl_s=raw.ttl_s,
        skip_hours=raw.skip_hours,
        skip_days=raw.skip_days,
        hub=absolute_url(url, raw.hub),
        faults=faults,
        is_cut=raw.is_cut,
    )


def _parse_xml_feed(body: bytes, text: str, url: str, max_entries: int) -> RawFeed:
    """Parse a feed in XML. Errors: FeedError."""
    index, root = _find_root(text)
    if root in SITEMAPS:
        return _note_cut(parse_sitemap(text[index:], root, url, max_entries), text[index:])
    if root not in FEED_NAMES:
        later = None if root in HTML_NAMES else FEED_ROOT.search(text, 0, PROLOG_CHARS)
        if later is None:
            raise FeedError(url, _classify_non_feed(body, text, root, url))
        index = later.start()
    faults = ["entity declarations ignored"] if "<!ENTITY" in text[:index] else []
    if root not in FEED_NAMES:
        faults.append("text before the feed")
    raw = _read_bounded(BAD_REFERENCE.sub("", text[index:]), url, max_entries)
    # Other XML than a feed can have a root of this name.
    if not raw.entries and not raw.title.value and not raw.link and root == "entry":
        raise FeedError(url, Reason(FeedKind.XML))
    raw = replace(raw, faults=(*faults, *raw.faults))
    return _note_cut(raw, text[index:]) if BROKEN in raw.faults else raw


def _note_cut(raw: RawFeed, text: str) -> RawFeed:
    """Return a feed with the fault that it is cut, if `text`, which begins with its root element, does not close it."""
    opening = OPENING_TAG.match(text)
    if opening is None or opening[0].endswith("/>") or f"</{opening[1]}" in text[-END_CHARS:]:
        return raw
    return replace(raw, is_cut=True, faults=(*raw.faults, CUT_FAULT))


def _find_root(text: str) -> tuple[int, str]:
    """Return offset and name of the root element, in lower case without prefix; (0, "") if there is none."""
    prolog = PROLOG.match(text)
    index = prolog.end() if prolog else 0
    match = ROOT.match(text, index)
    if match is None:  # other text, or an invalid declaration, before the root
        match = ROOT.search(text, index, PROLOG_CHARS)
    return (match.start(), match.group(1).rpartition(":")[2].lower()) if match else (0, "")


def _read_bounded(text: str, url: str, max_entries: int) -> RawFeed:
    """Parse at most `max_entries` entries of XML, the newest; the others are cut before the slow parser runs."""
    ends = [match.end() for match in ITEM_END.finditer(text)]
    if len(ends) <= max_entries:
        return parse_xml(_limit_unclosed_entries(text, max_entries), url, max_entries)
    fault = f"{len(ends) - max_entries} of {len(ends)} entries left out"
    raw = parse_xml(text[: ends[max_entries - 1]] + text[ends[-1] :], url, max_entries)
    if is_oldest_first(entry.published[0] for entry in raw.entries if entry.published):
        first = ITEM_START.search(text)
        head = text[: first.start()] if first else ""
        raw = parse_xml(head + text[ends[-max_entries - 1] :], url, max_entries)
    return replace(raw, faults=(*raw.faults, fault))


def _limit_unclosed_entries(text: str, max_entries: int) -> str:
    """
    Return `text` cut before entry number 2 * `max_entries` + 1.

    So many entries with so few end tags are unclosed, so they nest: a million of them take the parser 1.5 GB.
    """
    beyond = next(islice(ITEM_START.finditer(text), 2 * max_entries, None), None)
    return text if beyond is None else text[: beyond.start()]


def _classify_non_feed(body: bytes, text: str, root: str, url: str) -> Reason:
    """Return the reason why bytes are not a feed: what they are instead."""
    if wall := find_bot_wall(body):
        return Reason(FeedKind.BOT_WALL, wall=wall)
    if file := _binary_kind(body):
        return Reason(file)
    if root in HTML_NAMES or (root and root not in OTHER_XML and "<body" in text[:PROLOG_CHARS].lower()):
        feed_urls = [feed.url for feed in find_feed_links(text, url) if feed.declared][:3]
        return Reason(FeedKind.HTML_WITH_FEEDS, feeds=", ".join(feed_urls)) if feed_urls else Reason(FeedKind.HTML)
    if root:
        return Reason(OTHER_XML.get(root, FeedKind.XML_ROOT), root=root)
    return Reason(FeedKind.OTHER_TEXT, sample=repr(to_one_line(html_to_text(text[:2000]), 60)))


def _binary_kind(body: bytes) -> FeedKind | None:
    """Return the kind of a binary file, None for text."""
    known = next((kind for start, kind in FILE_SIGNATURES if body.startswith(start)), None)
    sample = decode_feed(body[:BINARY_SAMPLE_BYTES])
    is_binary = len(CONTROL_CHARACTER.findall(sample)) > FEW_CONTROLS * len(sample)
    return known or (FeedKind.BINARY if is_binary else None)
