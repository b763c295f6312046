"""What one pass did, counted from its events and told in a few lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from watcher.feeds.health import has_private_address
from watcher.model import Failed, Offline, Polled
from watcher.store.hosts import Visited
from watcher.work.events import Event, FeedPolled, PageFailed, PageKnown, PageLookedAt, PageStored

SHOWN = 20  # failures named on the terminal


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one pass; times in seconds."""

    feeds: int = 0
    unchanged: int = 0
    failed: int = 0
    offline: int = 0
    entries_new: int = 0
    pages_noted: int = 0
    stored: int = 0
    from_feed: int = 0
    known: int = 0
    pages_lost: int = 0
    pages_later: int = 0
    looked_at: int = 0
    changed: int = 0
    vectors: int = 0
    fetching_s: float = 0.0
    vectors_s: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)  # outlet, reason
    is_private: bool = False  # the address of a source
    waiting: tuple[tuple[str, datetime], ...] = ()  # outlets that are due, and until when their host is left alone
    visited: tuple[Visited, ...] = ()  # sources that are left to other processes, which hold their hosts
    lost: Counter[str] = field(default_factory=Counter)  # reason

    def hear(self, event: Event) -> None:
        """Count one event."""
        match event:
            case FeedPolled(feed=feed, result=result, noted=noted):
                self.feeds += 1
                self.pages_noted += noted
                if isinstance(result, Failed):
                    self.failed += 1
                    self.failures.append((feed.source.name, result.reason))
                    self.is_private |= has_private_address(feed, result.reason)
                elif isinstance(result, Offline):
                    self.offline += 1
                elif isinstance(result, Polled):
                    self.entries_new += len(result.changes.new)
                else:
                    self.unchanged += 1
            case PageStored(from_feed=from_feed):
                self.stored += 1
                self.from_feed += from_feed
            case PageKnown():
                self.known += 1
            case PageFailed(final=True, reason=reason):
                self.pages_lost += 1
                self.lost[reason] += 1
            case PageFailed():
                self.pages_later += 1
            case PageLookedAt(outcome=outcome):
                self.looked_at += 1
                self.changed += outcome != "same"

    def lines(self) -> list[str]:
        """Return what happened, for a terminal."""
        if not (self.feeds or self.stored or self.pages_lost or self.pages_later or self.looked_at):
            return self.held_lines() or [
                "nothing is due: watcher poll --all polls every feed now, watcher status says how they fare"
            ]
        read = self.feeds - self.unchanged - self.failed - self.offline
        told = [f"{self.feeds} feeds polled: {read} read, {self.unchanged} not modified, {self.failed} failed"]
        if self.offline:
            told.append(
                f"your own line is down: {self.offline} of them are not to blame, and are due again in a minute"
            )
        parts = [f"{self.stored} articles stored"]
        if self.from_feed:
            parts.append(f"{self.from_feed} of them from the feed's own text")
        for count, words in (
            (self.known, "known under another address"),
            (self.pages_later, "pages to be tried again"),
            (self.pages_lost, "pages without an article"),
            (self.looked_at, "cited pages looked at again"),
            (self.changed, "of them changed or gone"),
        ):
            if count:
                parts.append(f"{count} {words}")
        told.append(", ".join(parts))
        took = f"took {self.fetching_s:.1f} s to poll, fetch and clean"
        told.append(f"{took}, {self.vectors_s:.1f} s for {self.vectors} vectors" if self.vectors else took)
        told += [f"  failed: {outlet}: {reason}" for outlet, reason in sorted(self.failures)[:SHOWN]]
        if len(self.failures) > SHOWN:
            told.append(f"  and {len(self.failures) - SHOWN} more: see watcher status")
        if self.is_private:
            told.append("  try: [fetch] allow_private in the settings opens private addresses")
        told += [
            f"  no article in {count} {'page' if count == 1 else 'pages'}: {why}"
            for why, count in self.lost.most_common(SHOWN)
        ]
        return told + self.held_lines()

    def held_lines(self) -> list[str]:
        """Return which outlets wait because their host is left alone."""
        told = [
            f"  waits until {until:%Y-%m-%d %H:%M} UTC: {outlet}: its host asked for it, or cannot be reached"
            for outlet, until in self.waiting[:SHOWN]
        ]
        if len(self.waiting) > SHOWN:
            told.append(f"  and {len(self.waiting) - SHOWN} more wait")
        told += [
            f"  left to another process, which is visiting its host ({each.worker}): {each.name}"
            for each in self.visited[:SHOWN]
        ]
        return told + ([f"  and {len(self.visited) - SHOWN} more"] if len(self.visited) > SHOWN else [])

    def as_json(self) -> dict[str, object]:
        """Return the counts as JSON."""
        apart = ("failures", "lost", "waiting", "visited", "is_private")
        names = [name for name in self.__slots__ if name not in apart]
        return {name: getattr(self, name) for name in names} | {
            "failures": [{"source": outlet, "reason": reason} for outlet, reason in sorted(self.failures)],
            "lost": dict(self.lost),
            "waiting": [{"source": outlet, "until": until.isoformat()} for outlet, until in self.waiting],
            "visited": [{"source": each.name, "by": each.worker} for each in self.visited],
        }
