"""One pass of the main job for a command: poll, fetch, clean, embed; with a progress bar on a terminal."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from watcher.cli.output import say
from watcher.cli.tally import Tally
from watcher.errors import StoreError, WatcherError
from watcher.features.embed import Choice
from watcher.features.extract import FEATURES_VERSION
from watcher.settings.model import Settings
from watcher.store.embedders import has_unmade
from watcher.store.faults import check_writable
from watcher.store.feeds import make_all_due
from watcher.store.hosts import held_feeds, visited_feeds
from watcher.store.writer import Writer
from watcher.work.events import Event, FeedPolled, LineDown, LineUp
from watcher.work.pool import Pool
from watcher.work.queue import LocalQueue
from watcher.work.tools import Tools, open_tools

EMBED_BACK = timedelta(days=7)  # how far back a poll embeds: what an edition may look at; the daemon does the rest


async def one_pass(settings: Settings, engine: Engine, *, everything: bool, quiet: bool, pages: bool = True) -> Tally:
    """
    Poll what is due (or `everything`) and get all that it names; return what was done.

    Errors: StoreError, PluginError.
    """
    tally = Tally()
    polled: set[str] = set()  # addresses of sources
    with bar(quiet=quiet) as advance:

        def hear(event: Event) -> None:
            tally.hear(event)
            if isinstance(event, FeedPolled):
                polled.add(event.feed.source.url)
                advance("feeds", 1, 0)
                advance("pages", 0, event.noted)
            elif not isinstance(event, LineDown | LineUp):
                advance("pages", 1, 0)

        async with open_tools(settings, engine, tell=hear, pages=pages) as tools:
            if everything:
                due = await tools.writer.do(lambda c: make_all_due(c, now=tools.now()))
                advance("feeds", 0, due)
            now = tools.now()
            visited = await tools.writer.read(
                lambda c: visited_feeds(c, but=tools.worker, due_at=None if everything else now, now=now)
            )
            if visited:  # by a process that waits until it can write, maybe
                await asyncio.to_thread(check_writable, engine)
            started = time.monotonic()
            queue = LocalQueue(tools)
            try:
                await queue.drain()
            finally:
                await queue.stop()
            tally.fetching_s = time.monotonic() - started
            mark = tools.embedder.mark if tools.embedder else None

            def look(connection: Connection) -> tuple[tuple[tuple[str, datetime], ...], bool]:
                waiting = held_feeds(connection, now=tools.now())
                return waiting, has_unmade(connection, version=FEATURES_VERSION, mark=mark)

            tally.waiting, is_wanted = await tools.writer.read(look)
            tally.visited = tuple(each for each in visited if each.url not in polled)
            if is_wanted:
                await make_up(tools, tally, advance)
    return tally


async def make_up(tools: Tools, tally: Tally, advance: Callable[[str, int, int], None]) -> None:
    """Make the features and vectors that articles of late lack."""
    from watcher.work.remake import remake_features  # late: 10 ms, which a poll that finds nothing new need not pay

    since = tools.now() - EMBED_BACK
    await remake_features(tools.writer, tools.pool, since=since)
    started = time.monotonic()
    advance("vectors", 0, tally.stored if tools.embedder else 0)
    tally.vectors = await embed(
        tools.writer, tools.vector_pool, tools.embedder, since=since, done=lambda n: advance("vectors", n, 0)
    )
    tally.vectors_s = time.monotonic() - started


async def embed(
    writer: Writer,
    pool: Pool,
    choice: Choice | None,
    *,
    since: datetime,
    done: Callable[[int], None] = lambda n: None,
) -> int:
    """Embed what was published since a time; return how many were. What fails is told, and the command goes on."""
    from watcher.work.vectors import make_vectors

    made = 0

    def count(n: int) -> None:
        nonlocal made
        made += n
        done(n)

    try:
        await make_vectors(writer, pool, choice, since=since, done=count)
    except StoreError:
        raise
    except WatcherError as error:
        say(f"not every article has a vector, so stories may hold within languages only: {error}", label="warning")
        if error.mend:
            say(error.mend, label="try")
    return made


@contextmanager
def bar(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
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
