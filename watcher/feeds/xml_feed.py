"""
Parses RSS 0.9x, 1.0, 2.0 and Atom to a RawFeed, with feedparser; links and HTML are not changed by it.

feedparser reads XML that is not well-formed, too; items that are not closed are repaired for it.
"""

import io
import re
from types import ModuleType
from typing import Any

from watcher.errors import FeedError
from watcher.failure_messages import FeedKind, Reason
from watcher.feeds.html_text import has_markup
from watcher.feeds.normalize import MAX_AUTHORS, RawEntry, RawFeed, RawText, dicts_only, to_text
from watcher.text.timestamps import WEEKDAYS

BROKEN = "not well-formed XML"  # the fault of a feed that had to be repaired
UTF8_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
CDATA_OR_AMPERSAND = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?!#?[A-Za-z0-9]{1,32};)", re.DOTALL)
OPENING_TAG = re.compile(r"<([A-Za-z_][\w.:-]{0,100})(?:\s[^<>]{0,20000})?>")
ITEM_START = re.compile(r"<(?:[A-Za-z_][\w.-]{0,30}:)?(?:item|entry)(?=[\s>])", re.IGNORECASE)
ITEM_END = re.compile(r"</(?:[A-Za-z_][\w.-]{0,30}:)?(?:item|entry)\s{0,20}>", re.IGNORECASE)

# feedparser resolves links by xml:base or else by the document's URL, and does not say which. With this URL for the
# document, `_undo_base` can restore the links that were resolved by it.
UNKNOWN_BASE = "http://relative.invalid"
DOCUMENT = f"{UNKNOWN_BASE}/here/"

XML_HEADERS = {"content-type": "application/xml; charset=utf-8"}
SKIPPED = re.compile(r"<(?:hour|day)\b[^<>]{0,100}>\s{0,20}([A-Za-z0-9]{1,9})\s{0,20}<", re.IGNORECASE)
PERIODS_S = {"hourly": 3600.0, "daily": 86_400.0, "weekly": 604_800.0, "monthly": 2_592_000.0, "yearly": 31_536_000.0}

# A copy of a FeedParserDict, whose own `get` returns `published` for `updated`, and is ten times as slow.
Row = dict[str, Any]


def parse_xml(text: str, url: str, max_entries: int) -> RawFeed:
    """Parse the feed in `text`, which begins with its root element. Errors: FeedError if feedparser fails."""
    parsed = _run_feedparser(text, url)
    is_broken = bool(parsed.bozo)
    if is_broken and len(parsed.entries) < len(ITEM_START.findall(text)):
        again = _run_feedparser(_repair_unclosed_items(text), url)
        parsed = again if len(again.entries) > len(parsed.entries) else parsed
    feed: Row = dict(parsed.feed)
    is_atom = parsed.format.startswith("Atom")
    link = _undo_base(to_text(feed.get("link")))
    hours, days = _skip_hours_and_days(text)
    return RawFeed(
        format=parsed.format,
        title=text_of(feed, "title", is_atom),
        link=link,
        base="" if is_atom else link,
        language=to_text(feed.get("language")),
        hub=next((to_text(row.get("href")) for row in dicts_only(feed.get("links")) if row.get("rel") == "hub"), ""),
        ttl_s=ttl_s(*(to_text(feed.get(key)) for key in ("ttl", "sy_updateperiod", "sy_updatefrequency"))),
        skip_hours=hours,
        skip_days=days,
        entries=tuple(_raw_entry(dict(row), is_atom) for row in parsed.entries[:max_entries]),
        faults=(BROKEN,) if is_broken else (),
    )


def load_feedparser() -> ModuleType:
    """Return feedparser; a parsing process loads it before its first task, whose time then does not have it."""
    import feedparser  # late: takes 70 ms and 8 MB, and only parsing processes need it

    return feedparser  # type: ignore[no-any-return]


def _run_feedparser(text: str, url: str) -> Any:  # noqa: ANN401 - a FeedParserDict has no types
    """Return the result of feedparser for `text`, with its `format`. Errors: FeedError if feedparser fails."""
    feedparser = load_feedparser()
    try:
        parsed = feedparser.parse(
            io.BytesIO((UTF8_DECLARATION + text).encode("utf-8", "replace")),
            response_headers=XML_HEADERS | ({"content-location": DOCUMENT} if "base=" in text else {}),
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except MemoryError:
        raise
    except Exception as error:
        raise FeedError(url, Reason(FeedKind.BROKEN_XML, detail=f"{type(error).__name__}: {error}")) from error
    name = feedparser.api.SUPPORTED_VERSIONS.get(parsed.get("version") or None, "XML")
    parsed["format"] = name.partition(" (")[0]  # of "RSS (unknown version)"
    return parsed


def _raw_entry(row: Row, is_atom: bool) -> RawEntry:
    """Convert an entry of feedparser."""
    contents = [part for part in dicts_only(row.get("content")) if is_text(part) and to_text(part.get("value")).strip()]
    best = next((part for part in contents if "html" in to_text(part.get("type"))), contents[0] if contents else None)
    return RawEntry(
        guid=_undo_base(to_text(row.get("id"))),
        links=_links_of(row),
        title=text_of(row, "title", is_atom),
        summary=_summary_of(row, contents, is_atom),
        content=_raw_text(best, is_atom) if best is not None else RawText(),
        authors=_authors_of(row),
        published=tuple(filter(None, (_parsed_date(row, "published"), to_text(row.get("published"))))),
        updated=tuple(filter(None, (_parsed_date(row, "updated"), to_text(row.get("updated"))))),
        images=_images_of(row),
    )


def _links_of(row: Row) -> tuple[str, ...]:
    """Return an entry's links without duplicates: the original of a FeedBurner link, `link`, then the alternates."""
    all_links = dicts_only(row.get("links"))
    alternates = [to_text(link.get("href")) for link in all_links if link.get("rel") == "alternate"]
    links = [to_text(row.get("feedburner_origlink")), to_text(row.get("link")), *alternates]
    return tuple(dict.fromkeys(filter(None, map(_undo_base, links))))


def _undo_base(url: str) -> str:
    """Return a link as written in the document if feedparser resolved it by `DOCUMENT`; but "../x" becomes "/x"."""
    return url.strip().removeprefix(DOCUMENT).removeprefix(UNKNOWN_BASE)


def _summary_of(row: Row, contents: list[Row], is_atom: bool) -> RawText:
    """Return an entry's summary; if feedparser copied it from a content, with the type of that content."""
    value = to_text(row.get("summary"))
    if "summary_detail" not in row:
        for part in contents:
            if part.get("value") == value:
                return _raw_text(part, is_atom)
    return text_of(row, "summary", is_atom)


def text_of(row: Row, key: str, is_atom: bool) -> RawText:
    """Return the text of a field, as HTML or plain by its `…_detail`, or by its tags if there is none."""
    for detail in dicts_only([row.get(f"{key}_detail")]):
        if detail.get("value"):
            return _raw_text(detail, is_atom)
    value = to_text(row.get(key))
    return RawText(value=value, is_html=has_markup(value))


def _raw_text(detail: Row, is_atom: bool) -> RawText:
    """Return the text of a `…_detail`. RSS has no types for its texts: those with tags are HTML."""
    value = to_text(detail.get("value"))
    says_plain = to_text(detail.get("type")) in ("text/plain", "")
    return RawText(value=value, is_html=not says_plain or (not is_atom and has_markup(value)))


def _authors_of(row: Row) -> tuple[str, ...]:
    """Return the names of an entry's authors."""
    names = [
        to_text(person.get("name")) or to_text(person.get("email"))
        for person in dicts_only(row.get("authors"))[:MAX_AUTHORS]
    ]
    return tuple(dict.fromkeys(filter(None, names))) or tuple(filter(None, (to_text(row.get("author")),)))


def _images_of(row: Row) -> tuple[str, ...]:
    """Return the URLs of an entry's pictures, at most ten."""
    media = [part for part in dicts_only(row.get("media_content")) if is_image(part)]
    enclosed = [link for link in dicts_only(row.get("links")) if link.get("rel") == "enclosure" and is_image(link)]
    images = [part.get("url") for part in (*media, *dicts_only(row.get("media_thumbnail")))]
    images += [part.get("href") for part in (*enclosed, *dicts_only([row.get("image")]))]
    return tuple(filter(None, (_undo_base(to_text(url)) for url in images[:10])))


def is_text(part: Row) -> bool:
    """Whether an Atom content is text, not an image, audio or video in base64."""
    return not to_text(part.get("type")).startswith(("image/", "audio/", "video/"))


def is_image(part: Row) -> bool:
    """Whether a media element or enclosure is a picture."""
    return part.get("medium") == "image" or to_text(part.get("type")).startswith("image/")


def _parsed_date(row: Row, key: str) -> str:
    """Return a date that feedparser parsed in ISO 8601, "" if it did not; it accepts unusual formats."""
    parts = row.get(f"{key}_parsed")
    if parts is None:
        return ""
    return f"{parts[0]:04d}-{parts[1]:02d}-{parts[2]:02d}T{parts[3]:02d}:{parts[4]:02d}:{parts[5]:02d}Z"


def ttl_s(ttl: str, period: str, frequency: str) -> float | None:
    """Return the longer of ttl (minutes) and sy:updatePeriod in seconds, None if the feed has neither."""
    stated = [float(minutes) * 60 for minutes in [ttl.strip()] if minutes.isdecimal() and len(minutes) < 8]
    period_s = PERIODS_S.get(period.strip().lower())
    if period_s is not None:
        times = frequency.strip()
        stated.append(period_s / (int(times) if times.isdecimal() and int(times[:6]) > 0 else 1))
    return max(stated) if stated and max(stated) > 0 else None


def _skip_hours_and_days(text: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the hours (UTC, 0 to 23) and days (lower case) on which the feed asks not to be polled."""
    hours = {int(hour) % 24 for hour in _skip_values(text, "skipHours") if hour.isdecimal() and int(hour) <= 24}
    days = dict.fromkeys(day.lower() for day in _skip_values(text, "skipDays") if day.lower() in WEEKDAYS)
    return tuple(sorted(hours)), tuple(days)


def _skip_values(text: str, name: str) -> list[str]:
    """Return the values in skipHours or skipDays, unchecked."""
    start = text.find(f"<{name}")
    if start < 0:
        return []
    end = text.find(f"</{name}", start, start + 4000)
    return SKIPPED.findall(text, start, end if end >= 0 else start + 4000)[:31]


def _repair_unclosed_items(text: str) -> str:
    """Return a feed with the open tags of each item closed; unchanged if its root cannot be read or it has no items."""
    text = CDATA_OR_AMPERSAND.sub(lambda match: "&amp;" if match[0] == "&" else match[0], text)
    opening = OPENING_TAG.match(text)
    starts = [match.start() for match in ITEM_START.finditer(text)]
    if opening is None or not starts:
        return text
    root, closing = opening.group(0), f"</{opening.group(1)}>"
    pieces = [_close_open_tags(text[opening.end() : starts[0]], root, closing)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        ends = [match.end() for match in ITEM_END.finditer(text, start, end)]
        pieces.append(_close_open_tags(text[start : ends[-1] if ends else end], root, closing))
    return root + "".join(pieces) + closing


def _close_open_tags(piece: str, root: str, closing: str) -> str:
    """Return a piece of a feed with its open tags closed, "" if it cannot be repaired."""
    from lxml import etree  # late: only broken feeds need it

    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring((root + piece + closing).encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return ""
    return "" if tree is None else "".join(etree.tostring(child, encoding="unicode") for child in tree)
