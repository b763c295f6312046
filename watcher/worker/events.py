"""Events of the worker, for logs, the progress bar and the counts at the end."""

from dataclasses import dataclass
from datetime import datetime

from watcher.failure_messages import Reason
from watcher.model import Feed, PollResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPolled:
    """A feed was polled; `pages` is the number of new pages to fetch."""

    feed: Feed
    result: PollResult
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDone:
    """
    A page was fetched or given up; `reason` says why it was put off or lost.

    Outcomes: stored, stored_from_feed, known (stored before), put_off, lost. Of a recheck: same, changed, gone.
    """

    url: str
    outcome: str
    reason: Reason | None = None
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChanged:
    """Our network went down at `since`, or is up again after being down since then; polling waits while it is down."""

    is_down: bool
    since: datetime


Event = FeedPolled | PageDone | NetworkChanged
