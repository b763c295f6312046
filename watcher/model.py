"""The values that pass between the rooms of watcher: frozen, keyword-only, aware UTC datetimes, tuples."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from struct import iter_unpack

from watcher.failure_reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server gave to ask again with: opaque, echoed byte for byte (RFC 9110 §13)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One `[[sources]]` row of the settings: a feed and its outlet. `every_s` is seconds, None for the common pace."""

    url: str
    name: str
    language: str | None = None
    country: str | None = None
    section: str | None = None
    owner: str | None = None
    owner_kind: str | None = None  # "public", "state", "private", or the settings' own word
    tags: tuple[str, ...] = ()
    every_s: float | None = None
    full_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as the store knows it: its source and what must outlive a restart."""

    id: int
    source: Source
    url: str  # where it is asked for now: the source's URL, or where it has moved for good
    host: str
    validators: Validators = Validators()
    next_poll_at: datetime | None = None
    last_polled_at: datetime | None = None
    last_read_at: datetime | None = None  # the last poll that was answered with a feed or a 304
    last_new_at: datetime | None = None  # of what the first poll found, when the newest came out
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    moved_to: str | None = None  # a permanent target seen, not yet trusted
    redirect_seen_count: int = 0
    gone: bool = False  # 410: not polled again
    interval_s: float | None = None  # the adaptive interval last computed
    max_age_s: float | None = None  # of the answer last read: a 304 without a Cache-Control renews it
    skip_hours: tuple[int, ...] = ()  # as it said when it was last read
    skip_days: tuple[str, ...] = ()
    body_hash: str | None = None  # of the body last read
    took_s: float | None = None  # how long its answers take, smoothed
    avg_gap_s: float | None = None  # the time between two polls that bring something, smoothed
    has_no_dates: bool = False  # its new entries have no dates
    health: str | None = None  # the word that its last poll left
    health_at: datetime | None = None  # since when
    unchanged_polls: int = 0  # polls that brought nothing new, since the last one that its history has a line for


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What a server answered. `url` is the final URL, `moved_to` the end of the permanent prefix of its redirects."""

    url: str
    moved_to: str | None
    headers: tuple[tuple[str, str], ...]  # names in lower case
    took_s: float

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(HttpAnswer):
    """An answer with a body."""

    status: int
    body: bytes  # decoded from its content coding, within the cap

    @property
    def validators(self) -> Validators:
        return Validators(etag=self.header("etag") or None, last_modified=self.header("last-modified") or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified(HttpAnswer):
    """A 304: nothing new. `validators` holds what it renewed, if anything."""

    validators: Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossHostRedirect:
    """A redirect to another host, which is not followed: that host has a pace and rules of its own."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed. `guid` is its identity inside the feed, `url` an absolute http(s) link or None."""

    guid: str
    url: str | None
    title: str  # plain text
    summary: str = ""  # plain text
    content: str = ""  # sanitised HTML, empty if the feed carries none
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    published_at: datetime | None = None  # None if missing or absurd
    updated_at: datetime | None = None
    image: str | None = None
    content_hash: str = ""  # of title, summary and content: changes when the entry does


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What a feed's bytes said. `faults` are words about entries or fields that could not be used."""

    title: str
    link: str | None
    language: str | None
    entries: tuple[Entry, ...]
    ttl_s: float | None = None
    skip_hours: tuple[int, ...] = ()  # UTC hours, 0 to 23
    skip_days: tuple[str, ...] = ()
    hub: str | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChanges:
    """The entries of one poll against what is known."""

    new: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    unchanged: int
    suppressed: int = 0  # new to us, but left out: the first poll's older entries, or a flood of GUIDs over known links


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSucceeded:
    """A poll that read the feed."""

    at: datetime
    next_poll_at: datetime
    interval_s: float
    validators: Validators
    changes: EntryChanges
    moved_to: str | None
    took_s: float
    seen_only: tuple[Entry, ...] = ()  # entries to remember as known, though no page of them is got
    faults: tuple[str, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    body_hash: str | None = None
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollUnchanged:
    """A poll that was answered 304, or with the very bytes of the last one."""

    at: datetime
    next_poll_at: datetime
    validators: Validators
    moved_to: str | None
    took_s: float
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFailed:
    """A poll that failed. `permanent` stops the polling."""

    at: datetime
    next_poll_at: datetime
    reason: Reason
    permanent: bool = False
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDown:
    """A poll without an internet connection: the feed is not to blame, and no failure is counted."""

    at: datetime
    next_poll_at: datetime
    took_s: float = 0.0


PollResult = PollSucceeded | PollUnchanged | PollFailed | NetworkDown


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One paragraph, heading, list item or quotation of an article's text."""

    text: str
    kind: str = "p"  # p, h, li, quote


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedBlock:
    """What cleaning cut, by the name of its rule."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedArticle:
    """What `clean.article` makes of one page, before anything is known of the feed or the store."""

    url: str  # canonical
    title: str
    blocks: tuple[Block, ...]
    language: str | None = None
    authors: tuple[str, ...] = ()
    agency: str | None = None  # the agency's usual short name: "AFP", "Reuters", "dpa"
    dateline: str | None = None  # "BEIJING"
    image: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    section: str | None = None
    kind: str = "article"  # article, live (a live blog), gallery, video, roundup
    is_truncated: bool = False  # a beginning: the rest is behind a paywall, or cut
    removed: tuple[RemovedBlock, ...] = ()
    block_hashes: tuple[int, ...] = ()  # of the page's blocks before any was removed: what site memory is learnt from

    @property
    def text(self) -> str:
        """The blocks as plain text, one paragraph a line, no blank lines."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A stored article. `id` is 16 hex digits made from its identity (`text.urls.article_id`)."""

    id: str
    url: str
    host: str
    outlet: str  # the source's name
    title: str
    text: str  # cleaned, one paragraph a line
    language: str  # BCP 47 primary tag, "und" if unknown
    country: str | None  # of the outlet, ISO 3166-1 alpha-2
    published_at: datetime
    fetched_at: datetime
    section: str | None = None
    owner: str | None = None
    authors: tuple[str, ...] = ()
    agency: str | None = None
    dateline: str | None = None
    image: str | None = None
    kind: str = "article"
    from_feed: bool = False  # the text is the feed's
    feed_reason: Reason | None = None  # why: what was wrong with the page; None if it was not asked for
    is_truncated: bool = False  # a beginning: the rest is behind a paywall, or cut
    removed: tuple[RemovedBlock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleHeader:
    """What grouping reads of an article beside its features (`Article`)."""

    id: str
    url: str
    outlet: str
    title: str
    language: str
    published_at: datetime
    agency: str | None
    kind: str
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A stored article as its page said it later. `kind`: changed, or gone (then `title` and `text` are empty)."""

    article_id: str
    at: datetime  # when it was noticed
    kind: str
    title: str = ""
    text: str = ""


FEATURES_VERSION = "3"  # of what `features.extract` makes; another version makes all again


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """
    What grouping needs of one article, made once at ingest (`features.extract`).

    `version` names the maker, `vector` is little-endian float16 of unit length, `vector_model` "name/version" of the
    embedder that made it; both None without one. `shingles` is little-endian uint32, ascending.
    The terms stay packed, as they are most of it: `stems` are joined by line breaks, heaviest first, and `weights` are
    theirs within the article, in thousandths, little-endian uint16.
    """

    article_id: str
    version: str
    shingles: bytes = field(default=b"", repr=False)  # of the body's words, sampled: the text as wire copy
    stems: str = ""
    weights: bytes = field(default=b"", repr=False)
    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    vector: bytes | None = field(default=None, repr=False)
    vector_model: str | None = None

    @property
    def terms(self) -> tuple[tuple[str, float], ...]:
        """Each term with its weight within the article, heaviest first."""
        stems = self.stems.split("\n") if self.stems else ()
        return tuple(zip(stems, (n / 1000 for (n,) in iter_unpack("<H", self.weights)), strict=True))
