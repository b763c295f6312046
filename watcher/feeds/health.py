"""The health of a source: its status, the reason, and a hint on what to do about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from shlex import quote
from urllib.parse import urlsplit

from watcher.failure_messages import FeedKind, FetchKind, HealthKind, Reason, ReasonKind
from watcher.model import Feed
from watcher.text.urls import hide_secrets, host_of, is_mail

HEALTH_STATUSES = (  # worst first
    "gone", "not a feed", "bot wall", "failing", "cut", "held", "empty", "silent", "slow", "moved", "undated", "new",
    "ok",
)  # fmt: skip
STATUS_FIELDS = (
    "gone",
    "failures",
    "last_polled_at",
    "last_new_at",
    "took_s",
    "moved_to",
    "url",
    "has_no_dates",
    "is_cut",
)
WELL_STATUSES = frozenset(("slow", "moved", "undated", "new", "ok"))  # the feed delivers its entries
MIN_SILENCE = timedelta(days=7)  # a news feed without new entries for so long is probably abandoned
LONGEST_SILENCE = timedelta(days=90)  # maximum, for feeds with rare entries
GAPS_OF_SILENCE = 3  # times the average gap: a monthly feed is not silent after a week
# Without a new entry, of a feed that usually has one every few minutes: its server may hand out an old copy. Of 472
# feeds of three streams, night and weekend included, one had such a pause; of 136 of a stream that ended in parts, 14.
MIN_PAUSE, GAPS_OF_PAUSE = timedelta(hours=12), 20
GAP_SMOOTHING = 0.2  # weight of the newest gap in the average
GAP_ENTRIES = 20  # entries of the first poll from which the average gap is computed
FRESH_FOR = timedelta(hours=3)  # before a time: a feed last read earlier says too little of what was published up to it
SLOW_S = 10.0  # seconds; the response of most feeds takes a fraction of a second
SLOW_STILL = 0.8  # of SLOW_S: hysteresis, so that a feed near the limit does not change its status with every poll
PLAIN_KINDS = {
    "new": HealthKind.NEVER_POLLED,
    "empty": HealthKind.NEVER_AN_ENTRY,
    "undated": HealthKind.UNDATED,
    "cut": HealthKind.CUT,
}
REDESIGNED = frozenset((FeedKind.NO_ITEMS, FeedKind.NO_LINKS))
BOT_WALL_KINDS = frozenset((FetchKind.STATUS_BOT_WALL, FeedKind.BOT_WALL))
HINTS: dict[ReasonKind, str] = {
    FetchKind.PRIVATE_ADDRESS: "allow private addresses with [fetch] allow_private, then: watcher poll --all",
    FetchKind.UNRESOLVED: "check the spelling of the name, and that this machine is online",
    FetchKind.NAME_LOOKUP_FAILED: "check that this machine is online",
    FetchKind.CERTIFICATE: "tell the publisher: Watcher reads nothing from a site without a valid certificate",
    FetchKind.TOO_LARGE: "raise [fetch] max_bytes: it sets how large a response may be",
    FetchKind.ROBOTS_FORBID: "ask the publisher; with robots = false in [fetch], robots.txt is not read at all",
    FetchKind.PROXY: "check the proxy of this source in the settings",
    FetchKind.MAIL_LOGIN: "check the user in the address, and the password; some providers want an app password",
    FetchKind.NO_MAIL_FOLDER: "check the folder in the address, and that Watcher may read it",
}
STATUS_HINTS: dict[object, str] = {
    401: "put user and password into the address: https://user:password@…",
    403: "a cookie of the source may have expired; without one, set [fetch] contact: the publisher can then allow you",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The health of a feed: its status, with an explanation."""

    status: str  # one of `HEALTH_STATUSES`
    reason: Reason | None = None  # None if there is nothing to explain
    hint: str = ""
    since: datetime | None = None  # None if it is unknown

    @property
    def is_ok(self) -> bool:
        """Whether the feed delivers its entries."""
        return self.status in WELL_STATUSES

    @property
    def why(self) -> str:
        """The reason in English, as part of a sentence; "" if there is none."""
        return str(self.reason) if self.reason else ""


def feed_health(
    feed: Feed, *, reason: Reason | None = None, held_until: datetime | None = None, now: datetime
) -> Health:
    """Return a feed's health, the worst status that applies; `reason`: of its last failure, None without one."""
    statuses = [stored_status(feed, reason=reason)]
    is_due = feed.next_poll_at is None or feed.next_poll_at <= now
    if held_until is not None and held_until > now and is_due:
        statuses.append("held")
    if feed.last_new_at is not None and now - feed.last_new_at > _silence_limit(feed.avg_gap_s):
        statuses.append("silent")
    status = min(statuses, key=severity)
    if status == "held":
        return Health(status=status, reason=Reason(HealthKind.HELD, time=f"{held_until:%Y-%m-%d %H:%M} UTC"))
    if status == "silent" and feed.last_new_at is not None:
        silent = Reason(HealthKind.SILENT, n=(now - feed.last_new_at).days)
        hint = f"check that it is still maintained; {_discover_hint(feed)}"
        return Health(status=status, reason=silent, hint=hint, since=feed.last_new_at)
    since = feed.health_at if feed.health == status else None
    if status in WELL_STATUSES or status in PLAIN_KINDS:
        return Health(status=status, reason=_explain_status(feed, status), since=since)
    return _failure_health(feed, status, reason, since=since, now=now)


def stored_status(feed: Feed, *, reason: Reason | None) -> str:
    """Return the status after the last poll, by the `STATUS_FIELDS` of `feed`, without those that depend on time."""
    if feed.gone:
        return "gone"
    if feed.failures and reason is not None:
        if reason.kind in BOT_WALL_KINDS:
            return "bot wall"
        return "not a feed" if isinstance(reason.kind, FeedKind) and reason.kind not in REDESIGNED else "failing"
    if not feed.failures and feed.last_polled_at is None:
        return "new"
    if feed.is_cut:
        return "cut"
    if feed.last_new_at is None:
        return "empty"
    if feed.took_s is not None and feed.took_s > (SLOW_S * SLOW_STILL if feed.health == "slow" else SLOW_S):
        return "slow"
    if feed.moved_to is not None or feed.url != feed.source.url:
        return "moved"
    return "undated" if feed.has_no_dates else "ok"


def is_read_up_to(feed: Feed, end: datetime) -> bool:
    """Whether a whole feed was read within `FRESH_FOR` before `end`, or later, and did not fail at `end`."""
    fails = feed.is_cut or (feed.failing_since is not None and feed.failing_since <= end)
    return feed.last_read_at is not None and feed.last_read_at >= end - FRESH_FOR and not fails


def find_paused(feeds: Iterable[Feed], end: datetime) -> frozenset[str]:
    """Return the outlets whose feeds were all read up to `end` and had nothing new for unusually long before it."""
    read = [feed for feed in feeds if is_read_up_to(feed, end)]
    current = {feed.source.name for feed in read if not _is_paused(feed, end)}
    return frozenset(feed.source.name for feed in read) - current


def _is_paused(feed: Feed, end: datetime) -> bool:
    if feed.last_new_at is None or feed.avg_gap_s is None:
        return False
    pause = end - feed.last_new_at
    return pause >= MIN_PAUSE and pause.total_seconds() >= GAPS_OF_PAUSE * feed.avg_gap_s


def severity(status: str) -> int:
    """Return the rank of a status, 0 for the worst; an unknown status ranks as "failing"."""
    return HEALTH_STATUSES.index(status if status in HEALTH_STATUSES else "failing")


def _explain_status(feed: Feed, status: str) -> Reason | None:
    """Return the reason for the status of a feed whose polls succeed, None if there is nothing to explain."""
    if status == "slow":
        return Reason(HealthKind.SLOW, time=f"{feed.took_s or 0:.0f}")
    if status == "moved" and feed.url != feed.source.url:
        return Reason(HealthKind.MOVED, url=feed.url)
    if status == "moved":
        return Reason(HealthKind.MOVING, url=feed.moved_to or "")
    return Reason(PLAIN_KINDS[status]) if status in PLAIN_KINDS else None


def _failure_health(feed: Feed, status: str, reason: Reason | None, *, since: datetime | None, now: datetime) -> Health:
    """Return the health of a feed whose polls fail: "gone", "bot wall", "not a feed" or "failing"."""
    if reason is None:
        return Health(status=status, since=feed.failing_since or since)
    is_moved = feed.url != feed.source.url
    why = Reason(HealthKind.ASKED_AT, why=reason, site=_front_page_url(feed.url)) if is_moved else reason
    if status == "gone":
        hint, since = f"remove it, or {_discover_hint(feed)}", since or feed.failing_since
        return Health(status=status, reason=Reason(HealthKind.GONE, why=why), hint=hint, since=since)
    since = feed.failing_since or since
    why = _with_duration(why, now - since) if since else why
    return Health(status=status, reason=why, hint=_hint_for(feed, reason), since=since)


def _hint_for(feed: Feed, reason: Reason) -> str:
    """Return a hint on what a user can do about a failing feed, "" if only the publisher can do something."""
    if reason.kind is HealthKind.ASKED_AT and isinstance(why := reason["why"], Reason):  # of a sitemap in an index
        reason = why
    if reason.kind in BOT_WALL_KINDS:
        return "ask the publisher to allow Watcher ([fetch] contact says who you are), or use another of its feeds"
    if reason.kind in REDESIGNED:
        return f"watcher sources discover {quote(hide_secrets(feed.source.url))}"
    if isinstance(reason.kind, FeedKind) or reason["status"] == 404:
        return _discover_hint(feed)
    if reason.kind is FetchKind.PRIVATE_ADDRESS and not has_private_address(feed, reason):
        return ""
    if reason.kind is FetchKind.STATUS:
        return STATUS_HINTS.get(reason["status"], "")
    return HINTS.get(reason.kind, "")


def has_private_address(feed: Feed, reason: Reason) -> bool:
    """
    Whether a failure says that the feed's own host has a private address.

    False for the target of a redirect: if a user allowed that, a site could choose which private hosts we request.
    """
    hosts = {urlsplit(url).hostname for url in (feed.url, feed.source.url)}
    return reason.kind is FetchKind.PRIVATE_ADDRESS and reason["host"] in hosts


def _discover_hint(feed: Feed) -> str:
    if is_mail(feed.source.url):
        return "check that mails still arrive in this folder"
    return f"watcher sources discover {_front_page_url(feed.source.url)}"


def _front_page_url(url: str) -> str:
    """Return the URL of the front page of a URL's host, without user and password."""
    return f"{url.partition('://')[0]}://{host_of(url)}/"


def _silence_limit(gap_s: float | None) -> timedelta:
    """Return how long a feed may have no new entry before it is "silent"; `gap_s` is its average gap in seconds."""
    if gap_s is None or not gap_s > 0:
        return MIN_SILENCE
    seconds = min(GAPS_OF_SILENCE * gap_s, LONGEST_SILENCE.total_seconds())
    return max(timedelta(seconds=seconds), MIN_SILENCE)


def average_gap(
    gap_s: float | None, *, last_new_at: datetime | None, at: datetime, dates: Sequence[datetime]
) -> float | None:
    """
    Return the new average of the seconds between two polls with new entries. `at` is such a poll, `dates` its entries'
    dates. After the first one it is the mean gap of the newest entries (None for fewer than two), then it is smoothed.
    """
    if last_new_at is None:
        newest = sorted((moment for moment in dates if moment <= at), reverse=True)[:GAP_ENTRIES]
        return (newest[0] - newest[-1]).total_seconds() / (len(newest) - 1) if len(newest) > 1 else None
    latest_s = max((at - last_new_at).total_seconds(), 0.0)
    return latest_s if gap_s is None else gap_s + GAP_SMOOTHING * (latest_s - gap_s)


def _with_duration(reason: Reason, duration: timedelta) -> Reason:
    """Return `reason` with its duration: "for 47 hours: …", "for 2 days: …"; unchanged below a minute."""
    minutes = int(duration / timedelta(minutes=1))
    if minutes >= 2 * 24 * 60:
        return Reason(HealthKind.FOR_DAYS, n=minutes // (24 * 60), why=reason)
    if minutes >= 60:
        return Reason(HealthKind.FOR_HOURS, n=minutes // 60, why=reason)
    return Reason(HealthKind.FOR_MINUTES, n=minutes, why=reason) if minutes >= 1 else reason
