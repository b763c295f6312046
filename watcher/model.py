"""The data classes that watcher's packages share: frozen, keyword-only, with tuples and aware UTC datetimes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from watcher.failure_messages import Reason
from watcher.text.urls import is_mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """The validators of a response, sent back unchanged with the next request (RFC 9110 §13)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One `[[sources]]` row of the settings: a feed and its outlet. `every_s` None means the interval of `[poll]`."""

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

    @property
    def has_pages(self) -> bool:
        """Whether its entries may be fetched from their links; never those of mails, as anybody can send one."""
        return not is_mail(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSelectors:
    """The CSS selectors of a page that is a source: of its items; of link, title and date in an item, "" if default."""

    items: str
    link: str = ""
    title: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as it is stored: its source, and the state that must survive a restart."""

    id: int
    source: Source
    url: str  # the URL that is requested now: the source's, or the one it has moved to permanently
    host: str
    validators: Validators = Validators()
    next_poll_at: datetime | None = None
    last_polled_at: datetime | None = None
    last_read_at: datetime | None = None  # the last poll whose response was a feed or a 304
    last_new_at: datetime | None = None  # of the last new entry; after the first poll, when the newest was published
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    moved_to: str | None = None  # the target of a permanent redirect that is not trusted yet
    redirect_seen_count: int = 0
    gone: bool = False  # 410: not polled again
    interval_s: float | None = None  # the adaptive interval last computed
    max_age_s: float | None = None  # of the last response that was read; a 304 without Cache-Control keeps it
    skip_hours: tuple[int, ...] = ()  # as stated by the feed when it was last read
    skip_days: tuple[str, ...] = ()
    body_hash: str | None = None  # of the body last read
    took_s: float | None = None  # how long a response takes, smoothed
    avg_gap_s: float | None = None  # the time between two polls that find something new, smoothed
    has_no_dates: bool = False  # its new entries have no dates
    health: str | None = None  # the state after its last poll
    health_at: datetime | None = None  # when `health` last changed
    unchanged_polls: int = 0  # polls that brought nothing new, since the last one that its history has a line for
    site: str | None = None  # that the feed names as its own (`text.urls.site_of`), when it was last parsed
    is_cut: bool = False  # its end was missing when it was last parsed: only a part of it was read


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """A server's response. `url` is the final URL; `moved_to` is the URL after the leading permanent redirects."""

    url: str
    moved_to: str | None
    headers: tuple[tuple[str, str], ...]  # names in lower case
    took_s: float

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def validators(self) -> Validators:
        """The validators that the response states; those of a 304 renew them."""
        return Validators(etag=self.header("etag") or None, last_modified=self.header("last-modified") or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(HttpAnswer):
    """A response with a body."""

    status: int
    body: bytes  # decoded from its content coding, within the cap


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified(HttpAnswer):
    """A 304 response: not modified."""


MAX_MAIL_BYTES = 512 * 1024  # read of one mail: the text comes before the attachments


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderMails:
    """
    The mails of the folder `url` that are new since an earlier look at it, each of at most `MAX_MAIL_BYTES`.

    `state` is where the next look begins. `faults` describes the mails that the server or the disk did not give.
    """

    url: str
    mails: tuple[bytes, ...] = ()
    faults: tuple[str, ...] = ()
    state: str = ""
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossHostRedirect:
    """A redirect to another host. It is not followed: that host has its own rate limit and robots.txt."""

    url: str


MIN_FEED_TEXT_CHARS = 80  # a shorter text in the feed is no article's: without its page, an entry is a headline alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed. `guid` is its identity inside the feed, `url` an absolute http(s) link or None."""

    guid: str
    url: str | None
    title: str  # plain text
    summary: str = ""  # plain text
    text: str = ""  # the whole text, plain, a line for each paragraph; empty if the feed carries none
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None  # None if missing or absurd
    updated_at: datetime | None = None
    image: str | None = None
    language: str | None = None  # as the feed states it
    content_hash: str = ""  # of title, summary and text: changes when one of them changes

    @property
    def has_enough_text(self) -> bool:
        """Whether its text in the feed can be an article's."""
        return len(self.text or self.summary) >= MIN_FEED_TEXT_CHARS


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapPart:
    """A sitemap that a sitemap index names; `changed_at` is its `lastmod`."""

    url: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A parsed feed. `faults` describes the entries and fields that could not be used."""

    title: str
    link: str | None
    language: str | None
    entries: tuple[Entry, ...]
    ttl_s: float | None = None
    skip_hours: tuple[int, ...] = ()  # UTC hours, 0 to 23
    skip_days: tuple[str, ...] = ()
    hub: str | None = None
    faults: tuple[str, ...] = ()
    parts: tuple[SitemapPart, ...] = ()  # of a sitemap index: those with the entries of the last days
    is_cut: bool = False  # its end is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChanges:
    """The entries of one poll, compared with those already stored."""

    new: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    unchanged: int
    suppressed: int = 0  # new to us, but left out: the first poll's older entries, or a flood of GUIDs over known links


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSucceeded:
    """A poll that read the feed."""

    status: ClassVar[str] = "ok"  # in the history, the log and the metrics
    at: datetime
    next_poll_at: datetime
    interval_s: float
    validators: Validators
    changes: EntryChanges
    moved_to: str | None
    took_s: float
    seen_only: tuple[Entry, ...] = ()  # entries to store as known without fetching their pages
    faults: tuple[str, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    body_hash: str | None = None
    max_age_s: float | None = None
    site: str | None = None  # as `Feed` has it
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PollUnchanged:
    """A poll whose response was a 304, or had the same bytes as the last one."""

    status: ClassVar[str] = "unchanged"
    at: datetime
    next_poll_at: datetime
    validators: Validators
    moved_to: str | None
    took_s: float
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFailed:
    """A poll that failed. `permanent`: the feed is not polled again."""

    status: ClassVar[str] = "failed"
    at: datetime
    next_poll_at: datetime
    reason: Reason
    permanent: bool = False
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDown:
    """A poll made while we had no internet connection; it does not count as a failure of the feed."""

    status: ClassVar[str] = "offline"
    at: datetime
    next_poll_at: datetime
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollingStop:
    """Since when nothing can be polled because of a lack of this machine, and which: file descriptors or processes."""

    since: datetime
    reason: Reason


PollResult = PollSucceeded | PollUnchanged | PollFailed | NetworkDown


def count_new_entries(result: PollResult) -> int:
    return len(result.changes.new) if isinstance(result, PollSucceeded) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One paragraph, heading, list item or quotation of an article's text."""

    text: str
    kind: str = "p"  # p, h, li, quote


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedBlock:
    """A text that cleaning removed, and the name of the rule that removed it."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedArticle:
    """The article that `clean.article` extracts from one page, before it is combined with feed and store."""

    url: str  # canonical
    title: str
    blocks: tuple[Block, ...]
    language: str | None = None
    authors: tuple[str, ...] = ()
    agency: str | None = None  # the agency's usual short name: "AFP", "Reuters", "dpa"
    dateline: str | None = None  # "BEIJING"
    image: str | None = None
    published_at: datetime | None = None  # as the page says
    modified_at: datetime | None = None
    section: str | None = None
    kind: str = "article"  # article (news), analysis, opinion, service, live, roundup, gallery, video, doubtful
    is_truncated: bool = False  # only the beginning: the rest is missing or behind a paywall
    removed: tuple[RemovedBlock, ...] = ()
    block_hashes: tuple[int, ...] = ()  # of all blocks of the page, also the removed ones: the input of site memory

    @property
    def text(self) -> str:
        """The blocks as plain text, one paragraph a line, no blank lines."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleHeader:
    """The fields of an article that grouping reads besides the features."""

    id: str  # 16 hex digits made from its identity (`text.urls.article_id`)
    url: str
    outlet: str  # the name of its source, or the site of an outlet that is no source (`feeds.ownership`)
    title: str
    language: str  # BCP 47 primary tag, "und" if unknown
    country: str | None  # of the outlet, ISO 3166-1 alpha-2
    published_at: datetime
    agency: str | None = None
    kind: str = "article"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(ArticleHeader):
    """A stored article."""

    host: str
    text: str  # cleaned, one paragraph a line; empty if only the headline is known
    fetched_at: datetime
    section: str | None = None
    owner: str | None = None
    via: str | None = None  # the source whose feed has the link, if it is another outlet's and that one's feed has not
    authors: tuple[str, ...] = ()
    dateline: str | None = None
    image: str | None = None
    from_feed: bool = False  # the text is the feed's
    feed_reason: Reason | None = None  # why the page was not used; None if it was not requested
    is_truncated: bool = False  # only the beginning: the rest is missing or behind a paywall
    removed: tuple[RemovedBlock, ...] = ()

    @property
    def is_headline_only(self) -> bool:
        """Whether only its headline is known: it is counted apart, and never quoted."""
        return not self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A later version of a stored article. `kind` is "changed" or "gone"; if gone, `title` and `text` are empty."""

    article_id: str
    at: datetime  # when it was noticed
    kind: str
    title: str = ""
    text: str = ""


FEATURES_VERSION = "4"  # of the result of `features.extract`; if it changes, all features are computed again


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """
    The data of one article that grouping needs, computed once when the article is stored (`features.extract`).

    `version` is that of the extractor. `vector` is little-endian float16 of unit length, `vector_model` the
    "name/version" of its embedder; both are None without an embedder. `shingles` is little-endian uint32, ascending.
    Terms are stored packed because they take the most space: `stems` joined by line breaks, heaviest first, and
    `weights` with the weight of each stem within the article, in thousandths, little-endian uint16.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFeatures:
    """An article's features as bytes (`features.extract`), with the embedder's vector if there is one."""

    version: str
    payload: bytes
    vector: bytes | None = None
    vector_model: str | None = None
