"""The health of a source in words: what a reader is told of it, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from watcher.model import Feed
from watcher.text.urls import hide_secrets, host_of

WORDS = (  # worst first
    "gone", "not a feed", "bot wall", "failing", "held", "empty", "silent", "slow", "moved", "undated", "new", "ok",
)  # fmt: skip
WELL = frozenset(("slow", "moved", "undated", "new", "ok"))  # its news comes in
UNITS = ((24 * 60, "day"), (60, "hour"), (1, "minute"))
SILENT_AFTER = timedelta(days=7)  # without anything new, a news feed has most likely been left behind
LONGEST_SILENCE = timedelta(days=90)  # that the rhythm of a feed excuses
GAPS_OF_SILENCE = 3  # times its usual gap: a monthly is not silent after a week
SMOOTHED = 0.2  # the share of the newest gap
GAP_ENTRIES = 20  # of the first poll, from which the usual gap is taken
SLOW_S = 10.0  # an answer of the usual feed takes a fraction of a second
SLOW_STILL = 0.8  # of SLOW_S: a feed near the limit does not change its word with every poll
MENDS = (  # of failures: a mark in the reason, and what can be done
    ("private address", "[fetch] allow_private in the settings opens private addresses"),
    ("does not resolve", "is the name spelt right?"),
    ("certificate", "tell the publisher: nothing is read from a site that cannot show who it is"),
    ("401 ", "put user and password into the address: https://user:password@…"),
    ("403 ", "set [fetch] contact, so that the publisher can see who asks and let it pass"),
    ("more than", "[fetch] max_bytes sets how large it may be"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """
    One of `WORDS`; `why` is part of a sentence, empty if all is well; `mend` says what a person can do, if anything.

    `since` is None where it is not known.
    """

    word: str
    why: str = ""
    mend: str = ""
    since: datetime | None = None

    @property
    def is_ok(self) -> bool:
        """Whether its news comes in."""
        return self.word in WELL


def health(
    feed: Feed,
    *,
    reason: str | None = None,
    failure: str | None = None,
    held_until: datetime | None = None,
    now: datetime,
) -> Health:
    """
    Return how a feed fares: the worst that can be said of it.

    Args:
        reason: Of the last failure; None if the last poll was answered well.
        failure: Its word.
        held_until: Until when the feed's host is left alone.
    """
    word = worst(feed, failure=failure, held_until=held_until, now=now)
    if word == "held":
        why = f"its host asked for rest, or cannot be reached: left alone until {held_until:%Y-%m-%d %H:%M} UTC"
        return Health(word=word, why=why)
    if word == "silent" and feed.last_new_at is not None:
        why = f"nothing new for {(now - feed.last_new_at).days} days"
        return Health(word=word, why=why, mend=f"is it still kept? {discover(feed)}", since=feed.last_new_at)
    since = feed.health_at if feed.health == word else None
    if word in WELL or word == "empty":
        return Health(word=word, why=told(feed, word), since=since)
    return failing(feed, word, reason, since=since, now=now)


def worst(feed: Feed, *, failure: str | None, held_until: datetime | None, now: datetime) -> str:
    """Return the worst word for a feed: of what its last poll left, and of what time has made of it."""
    words = [lasting(feed, failure=failure)]
    due = feed.next_poll_at is None or feed.next_poll_at <= now
    if held_until is not None and held_until > now and due:
        words.append("held")
    if feed.last_new_at is not None and now - feed.last_new_at > silence(feed.gap_s):
        words.append("silent")
    return min(words, key=rank)


def lasting(feed: Feed, *, failure: str | None) -> str:
    """Return the health that its last poll left a feed in; what the clock alone changes is not in it."""
    if not feed.gone and not feed.failures and feed.last_polled_at is None:
        return "new"
    return after_poll(
        gone=feed.gone,
        failure=(failure or "failing") if feed.failures else None,
        has_brought=feed.last_new_at is not None,
        has_moved=feed.moved_to is not None or feed.url != feed.source.url,
        dateless=feed.dateless,
        took_s=feed.took_s,
        before=feed.health,
    )


def after_poll(
    *,
    gone: bool,
    failure: str | None,
    has_brought: bool,
    has_moved: bool,
    dateless: bool,
    took_s: float | None,
    before: str | None,
) -> str:
    """
    Return the word that a poll leaves; no clock is in it.

    Args:
        failure: The word of the failure, None if the feed was read.
        has_brought: Whether it has ever had an entry.
        before: The word until then.
    """
    if gone:
        return "gone"
    if failure is not None:
        return failure
    if not has_brought:
        return "empty"
    if took_s is not None and took_s > (SLOW_S * SLOW_STILL if before == "slow" else SLOW_S):
        return "slow"
    if has_moved:
        return "moved"
    return "undated" if dateless else "ok"


def rank(word: str) -> int:
    """Return the place of a word, 0 for the worst; one that we do not know is some way of failing."""
    return WORDS.index(word if word in WORDS else "failing")


def told(feed: Feed, word: str) -> str:
    """Return why a feed that does not fail is what it is; nothing if all is well."""
    match word:
        case "new":
            return "not polled yet"
        case "empty":
            return "it can be read, but has never had an entry"
        case "slow":
            return f"its answers take {feed.took_s or 0:.0f} s"
        case "undated":
            return "its entries have no dates; they are dated by when they were first seen"
        case "moved" if feed.url != feed.source.url:
            return f"moved for good to {hide_secrets(feed.url)}: change it in the settings"
        case "moved":
            there = hide_secrets(feed.moved_to or "")
            return f"says that it has moved for good to {there}, where it is asked after the next good poll"
    return ""


def failing(feed: Feed, word: str, reason: str | None, *, since: datetime | None, now: datetime) -> Health:
    """Return the health of a feed whose polls fail: gone, a bot wall, something else than a feed, no answer."""
    where = f", asked at {site(feed.url)}" if feed.url != feed.source.url else ""
    if word == "gone":
        why = f"gone for good: {reason}{where}" if reason else f"gone for good{where}"
        return Health(word=word, why=why, mend=f"remove it, or {discover(feed)}", since=since or feed.failing_since)
    since = feed.failing_since or since
    why = f"{reason or 'no answer'}{where}"
    span = lasts(since, now) if since is not None else ""
    return Health(word=word, why=f"{span}: {why}" if span else why, mend=mend_of(feed, word, why), since=since)


def mend_of(feed: Feed, word: str, reason: str) -> str:
    """Return what a person can do about a failing feed; nothing where only its publisher can."""
    if word == "bot wall":
        return "ask the publisher to let Watcher pass ([fetch] contact says who asks), or take another feed of it"
    if word == "not a feed" or reason.startswith("404 "):
        return discover(feed)
    if "private address" in reason and not has_private_address(feed, reason):
        return ""
    return next((words for mark, words in MENDS if mark in reason), "")


def has_private_address(feed: Feed, reason: str) -> bool:
    """
    Whether a failure says that a feed's own address is private.

    One that a redirect leads to is none of it: whoever opened that would let a site choose what is asked of us.
    """
    hosts = {urlsplit(url).hostname for url in (feed.url, feed.source.url)}
    return "private address" in reason and reason.partition(" is at ")[0].rpartition(" ")[2] in hosts


def discover(feed: Feed) -> str:
    """Return the advice to look for the feeds that a site has now."""
    return f"watcher sources discover {site(feed.source.url)} finds the feeds of today"


def site(url: str) -> str:
    """Return the front page of a URL's host, without the user and the password in it."""
    return f"{url.partition('://')[0]}://{host_of(url)}/"


def silence(gap_s: float | None) -> timedelta:
    """Return how long a feed may bring nothing before it is called silent, by its usual gap in seconds."""
    if gap_s is None or not gap_s > 0:
        return SILENT_AFTER
    seconds = min(GAPS_OF_SILENCE * gap_s, LONGEST_SILENCE.total_seconds())
    return max(timedelta(seconds=seconds), SILENT_AFTER)


def usual_gap(
    gap_s: float | None, *, last_new_at: datetime | None, at: datetime, dates: Sequence[datetime]
) -> float | None:
    """
    Return the usual time between two polls that bring something, in seconds, after a poll `at` that brought `dates`.

    A first poll gives the mean gap of its newest entries, a later one is smoothed into what was known.
    """
    if last_new_at is None:
        newest = sorted((moment for moment in dates if moment <= at), reverse=True)[:GAP_ENTRIES]
        return (newest[0] - newest[-1]).total_seconds() / (len(newest) - 1) if len(newest) > 1 else None
    found_s = max((at - last_new_at).total_seconds(), 0.0)
    return found_s if gap_s is None else gap_s + SMOOTHED * (found_s - gap_s)


def lasts(start: datetime, now: datetime) -> str:
    """Return "for 2 days", "for 3 hours", "for 12 minutes", or nothing for less than a minute."""
    minutes = int((now - start) / timedelta(minutes=1))
    if minutes < 1:
        return ""
    number, unit = next((minutes // size, word) for size, word in UNITS if minutes >= size * least(word))
    return f"for {number} {unit}{'' if number == 1 else 's'}"


def least(unit: str) -> int:
    """Return from how many on time is told in `unit`: "for 47 hours", then "for 2 days"."""
    return 2 if unit == "day" else 1
