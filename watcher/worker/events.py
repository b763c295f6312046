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
class PageDone:
    """
    What became of a page; `reason` says why it was put off or lost.

    Outcomes: stored, stored_from_feed; known: under another address; put_off, lost. Of a recheck: same, changed, gone.
    """

    url: str
    outlet: str
    outcome: str
    reason: Reason | None = None
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChanged:
    """No host that answered lately could be reached from `since` on: polling waits while the network `is_down`."""

    is_down: bool
    since: datetime


Event = FeedPolled | PageDone | NetworkChanged
