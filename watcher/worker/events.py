"""What the work tells as it goes: for logs, the progress bar and the counts at the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watcher.failure_reasons import Reason
from watcher.model import Feed, PollResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPolled:
    """A feed was polled; `noted` pages are to be got."""

    feed: Feed
    result: PollResult
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStored:
    """An article was stored, from its page or from the feed's own text."""

    url: str
    outlet: str
    from_feed: bool
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePage:
    """A page turned out to be an article that is stored already under another address."""

    url: str
    outlet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFailed:
    """A page brought no article. `final`: it will not be tried again."""

    url: str
    outlet: str
    reason: Reason
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRechecked:
    """The page of a cited article was looked at again. `outcome`: same, changed, gone."""

    url: str
    outlet: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkWentDown:
    """No host that answered lately can be reached: there is no internet connection, and polling waits for it."""

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCameBack:
    """The internet connection is back; it was missing from `since` on."""

    since: datetime


Event = FeedPolled | PageStored | DuplicatePage | PageFailed | PageRechecked | NetworkWentDown | NetworkCameBack
