"""Reports on the quality of a feed: its format and language, and counts of entries with missing or bad fields."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from watcher.errors import FeedError
from watcher.failure_messages import Reason
from watcher.feeds.discover import FoundFeed, find_feed_links
from watcher.feeds.mail import read_mails
from watcher.feeds.normalize import RawFeed
from watcher.feeds.parse import Parts, add_parts, normalize_feed, parse_raw_feed
from watcher.feeds.xml_feed import ITEM_START
from watcher.model import FolderMails, PageSelectors, ParsedFeed
from watcher.text.encoding import decode_feed
from watcher.text.language import UNKNOWN_LANGUAGE, detect_language
from watcher.text.urls import normalize_url

WHOLE_CHARS = 1_200  # minimal characters of a whole article in an entry: far longer than a teaser
LANGUAGE_ENTRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """A feed with its format, language and quality. All counts are numbers of entries."""

    feed: ParsedFeed
    format: str  # "RSS 2.0", "Atom 1.0", "JSON Feed 1.1"
    language: str  # detected from the entries, "und" if unknown
    sent: int  # all entries, including repeated ones
    without_guid: int
    repeated_guids: int
    without_link: int
    repeated_links: int
    undated: int  # without a date
    unreadable: int  # with a date that cannot be parsed, or is before 1990
    ahead: int  # with a date more than a day in the future
    oldest: datetime | None
    newest: datetime | None
    whole: int  # with at least `WHOLE_CHARS` of text
    usual_chars: int  # median length of text or summary in characters


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAFeed:
    """A body that is not a feed: the reason says what it is, `links` are the feeds that it links."""

    reason: Reason
    links: tuple[FoundFeed, ...] = ()


def inspect_body(
    body: bytes, url: str, content_type: str | None, now: datetime, page: PageSelectors | None = None, parts: Parts = ()
) -> FeedReport | NotAFeed:
    """Return a report on the feed in `body`, or the page with the selectors `page`; what `body` is if it is neither."""
    text = decode_feed(body, content_type)
    try:
        raw = add_parts(parse_raw_feed(body, page, url=url, content_type=content_type), url, parts)
    except FeedError as error:
        return NotAFeed(reason=error.reason, links=find_feed_links(text, url))
    return _make_report(raw, url, now, sent=len(ITEM_START.findall(text)))


def inspect_mails(folder: FolderMails, now: datetime) -> FeedReport:
    """Return a report on the mails of a folder."""
    return _make_report(read_mails(folder), folder.url, now)


def _make_report(raw: RawFeed, url: str, now: datetime, *, sent: int = 0) -> FeedReport:
    """Return a report on a feed that was parsed; `sent` is the number of its items if some may have been left out."""
    feed = normalize_feed(raw, url=url, now=now)
    dates = [entry.published_at for entry in feed.entries if entry.published_at]
    # Without `now`, future dates are accepted, so that only missing and unreadable dates count here.
    dateless = sum(entry.published_at is None for entry in normalize_feed(raw, url=url).entries)
    undated = min(sum(not (row.published or row.updated) for row in raw.entries), dateless)
    guids = [guid for row in raw.entries if (guid := row.guid.strip())]
    links = [normalize_url(entry.url) for entry in feed.entries if entry.url]
    lengths = [len(entry.text) for entry in feed.entries]
    shown = [max(length, len(entry.summary)) for length, entry in zip(lengths, feed.entries, strict=True)]
    some = feed.entries[:LANGUAGE_ENTRIES]
    sample = "\n".join((*(entry.title for entry in some), *(entry.summary[:200] for entry in some)))
    return FeedReport(
        feed=feed,
        format=raw.format,
        # The feed's own tag counts if its entries are short.
        language=detect_language(sample, claims=(feed.language,)) if feed.entries else UNKNOWN_LANGUAGE,
        sent=max(len(raw.entries), sent),
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
