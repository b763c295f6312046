"""What the work tells as it goes: for logs, the progress bar and the counts at the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watcher.failure_reasons import Reason
from watcher.model import Feed, PollResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPolled:
    """A feed was polled, and named so many `pages` to fetch."""

    feed: Feed
    result: PollResult
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvent:
    url: str
    outlet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStored(PageEvent):
    """An article was stored, from its page or from the feed's own text."""

    from_feed: bool
    took_s: float


class DuplicatePage(PageEvent):
    """A page turned out to be an article that is stored already under another address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFailed(PageEvent):
    """A page brought no article. `final`: it will not be tried again."""

    reason: Reason
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRechecked(PageEvent):
    """The page of a cited article was looked at again. `outcome`: same, changed, gone."""

    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChanged:
    """No host that answered lately could be reached from `since` on: polling waits while the network `is_down`."""

    is_down: bool
    since: datetime


Event = FeedPolled | PageStored | DuplicatePage | PageFailed | PageRechecked | NetworkChanged
