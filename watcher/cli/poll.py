"""`watcher poll`: one pass over what is due: feeds polled, new articles fetched, cleaned and stored, all counted."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from sqlalchemy import Connection, Engine
from typer import Option

from watcher.cli.commands import DONE, FAILED, PARTLY, current_session
from watcher.cli.options import Config, Json, load_settings, with_examples
from watcher.cli.output import print_json, print_lines, say
from watcher.errors import StoreError, WatcherError
from watcher.features.embedders import EmbedderConfig
from watcher.feeds.health import has_private_address
from watcher.model import FEATURES_VERSION, Failed, Offline, Polled
from watcher.settings.models import Settings
from watcher.store.engine import open_store
from watcher.store.errors import check_writable
from watcher.store.features import has_backlog
from watcher.store.feeds import make_all_due
from watcher.store.hosts import Visited, blocked_sources, visited_feeds
from watcher.store.writer import Writer
from watcher.worker import scheduler
from watcher.worker.context import WorkerContext, open_context
from watcher.worker.events import (
    DuplicatePage,
    Event,
    FeedPolled,
    NetworkCameBack,
    NetworkWentDown,
    PageFailed,
    PageRechecked,
    PageStored,
)
from watcher.worker.process_pool import Pool
from watcher.worker.scheduler import Scheduler

SHOWN = 20  # failures named on the terminal


@with_examples("watcher poll", "watcher poll --all", "watcher poll --all --json", "watcher poll --no-pages")
def poll(
    everything: Annotated[bool, Option("--all", help="Poll every feed, due or not.")] = False,
    pages: Annotated[bool, Option(help="Fetch the new articles too; without, they wait.")] = True,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Poll the feeds that are due once, and fetch their new articles.

    It can run beside the daemon: no host is asked by both at once.
    """
    settings = load_settings(config)
    engine = open_store(settings.store.url)
    tally = scheduler.run(run_poll(settings, engine, everything=everything, quiet=json, pages=pages))
    engine.dispose()
    if json:
        print_json(tally.as_json())
    else:
        print_lines(tally.lines())
    current_session().exit_immediately = True
    return exit_code(tally)


def exit_code(tally: PollSummary) -> int:
    """Return done; partly failed if a feed or a page failed; failed if every feed did."""
    if tally.feeds and tally.failed == tally.feeds:
        return FAILED
    return PARTLY if tally.failures or tally.pages_lost else DONE


EMBED_BACK = timedelta(days=7)  # how far back a poll embeds: what an edition may look at; the daemon does the rest


async def run_poll(
    settings: Settings, engine: Engine, *, everything: bool, quiet: bool, pages: bool = True
) -> PollSummary:
    """
    Poll what is due (or `everything`) and get all that it names; return what was done.

    Errors: StoreError, PluginError.
    """
    tally = PollSummary()
    polled: set[str] = set()  # addresses of sources
    with poll_progress(quiet=quiet) as advance:

        def hear(event: Event) -> None:
            tally.hear(event)
            if isinstance(event, FeedPolled):
                polled.add(event.feed.source.url)
                advance("feeds", 1, 0)
                advance("pages", 0, event.noted)
            elif not isinstance(event, NetworkWentDown | NetworkCameBack):
                advance("pages", 1, 0)

        async with open_context(settings, engine, tell=hear, pages=pages) as tools:
            if everything:
                due = await tools.writer.do(make_all_due, now=tools.now())
                advance("feeds", 0, due)
            now = tools.now()
            visited = await tools.writer.read(
                visited_feeds, but=tools.worker, due_at=None if everything else now, now=now
            )
            if visited:  # by a process that waits until it can write, maybe
                await asyncio.to_thread(check_writable, engine)
            started = time.monotonic()
            queue = Scheduler(tools)
            try:
                await queue.drain()
            finally:
                await queue.stop()
            tally.fetching_s = time.monotonic() - started
            mark = tools.embedder.store_key if tools.embedder else None

            def look(connection: Connection) -> tuple[tuple[tuple[str, datetime], ...], bool]:
                waiting = blocked_sources(connection, now=tools.now())
                return waiting, has_backlog(connection, version=FEATURES_VERSION, mark=mark)

            tally.waiting, is_wanted = await tools.writer.read(look)
            tally.visited = tuple(each for each in visited if each.url not in polled)
            if is_wanted:
                await backfill(tools, tally, advance)
    return tally


async def backfill(tools: WorkerContext, tally: PollSummary, advance: Callable[[str, int, int], None]) -> None:
    """Make the features and vectors that articles of late lack."""
    from watcher.worker.backfill import (
        rebuild_features,  # late: 10 ms, which a poll that finds nothing new need not pay
    )

    since = tools.now() - EMBED_BACK
    await rebuild_features(tools.writer, tools.pool, since=since)
    started = time.monotonic()
    advance("vectors", 0, tally.stored if tools.embedder else 0)
    tally.vectors = await embed_recent(
        tools.writer, tools.vector_pool, tools.embedder, since=since, done=lambda n: advance("vectors", n, 0)
    )
    tally.vectors_s = time.monotonic() - started


async def embed_recent(
    writer: Writer,
    pool: Pool,
    choice: EmbedderConfig | None,
    *,
    since: datetime,
    done: Callable[[int], None] = lambda n: None,
) -> int:
    """Embed what was published since a time; return how many were. What fails is told, and the command goes on."""
    from watcher.worker.backfill import embed_missing

    made = 0

    def count(n: int) -> None:
        nonlocal made
        made += n
        done(n)

    try:
        await embed_missing(writer, pool, choice, since=since, done=count)
    except StoreError:
        raise
    except WatcherError as error:
        say(f"not every article has a vector, so stories may hold within languages only: {error}", label="warning")
        if error.mend:
            say(error.mend, label="try")
    return made


@contextmanager
def poll_progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that moves a named bar on: (name, done, more to do). It shows on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda name, steps, more: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {name: progress.add_task(name, total=0) for name in ("feeds", "pages", "vectors")}
        totals = dict.fromkeys(tasks, 0)
        done = dict.fromkeys(tasks, 0)

        def advance(name: str, steps: int, more: int) -> None:
            done[name] += steps
            totals[name] = max(totals[name] + more, done[name])
            progress.update(tasks[name], completed=done[name], total=totals[name])

        yield advance


@dataclass(slots=True, kw_only=True)
class PollSummary:
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
                    self.failures.append((feed.source.name, str(result.reason)))
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
            case DuplicatePage():
                self.known += 1
            case PageFailed(final=True, reason=reason):
                self.pages_lost += 1
                self.lost[str(reason)] += 1
            case PageFailed():
                self.pages_later += 1
            case PageRechecked(outcome=outcome):
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
