"""`watcher poll`: polls all due feeds once, fetches, cleans and stores new articles, and prints a summary."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from sqlalchemy import Engine
from typer import Option

from watcher.cli.commands import DONE, FAILED, PARTLY, SESSION
from watcher.cli.embed import embed_recent
from watcher.cli.options import Config, Json, Yes, closing_store, load_settings
from watcher.cli.output import Advance, format_minute, print_err, print_result, progress_bars
from watcher.failure_messages import FetchKind
from watcher.feeds.health import HINTS, has_private_address
from watcher.model import NetworkDown, PollFailed, count_new_entries
from watcher.net.address_guard import describe_refused_places
from watcher.settings.models import Settings
from watcher.store.engine import open_store
from watcher.store.errors import check_writable
from watcher.store.features import count_features, embedder_name, has_backlog, lacks_vector
from watcher.store.feeds import claim_store, make_all_due
from watcher.store.hosts import VisitedSource, blocked_sources, visited_sources
from watcher.store.stats import count_open_work
from watcher.text.format import format_count
from watcher.worker import scheduler
from watcher.worker.backfill import rebuild_features
from watcher.worker.context import Event, FeedPolled, NetworkChanged, PageDone, WorkerContext, open_context
from watcher.worker.scheduler import Scheduler

MAX_FAILURES_SHOWN = 20  # on the terminal
EMBED_BACK = timedelta(days=7)  # newer articles are embedded, as editions need them; the daemon embeds the older ones


def poll(
    everything: Annotated[bool, Option("--all", help="Poll every feed, due or not.")] = False,
    pages: Annotated[bool, Option(help="Fetch the new articles too; --no-pages leaves them for later.")] = True,
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Poll all feeds that are due, once, and fetch their new articles.

    You can use it while the daemon runs: the two never contact the same host at the same time.
    """
    settings = load_settings(config)
    with closing_store(open_store(settings.store.url)) as engine:
        claim_store(engine, settings, take_over=yes)
        summary = scheduler.run(run_poll(settings, engine, everything=everything, quiet=json, pages=pages))
    lines = format_summary(summary, is_empty=not settings.sources, everything=everything)
    print_result(summary.to_json(), lines, json=json)
    urls = [source.url for source in settings.active_sources()]
    if summary.network_down_since and (refused := describe_refused_places(urls, settings.fetch.allow_private)):
        print_err(refused)
    SESSION.exit_immediately = True
    return exit_code(summary)


def exit_code(summary: PollSummary) -> int:
    """Return 1 if no feed could be read, 3 if some could not, or if no page was an article, else 0."""
    if (summary.feeds or summary.network_down_since) and summary.failed == summary.feeds:
        return FAILED
    # A page without an article is usual: a video, a page behind a wall. That all are without one is not.
    no_page_read = summary.pages_lost and not (summary.stored or summary.known or summary.rechecked)
    return PARTLY if summary.failures or no_page_read or summary.network_down_since else DONE


async def run_poll(
    settings: Settings, engine: Engine, *, everything: bool, quiet: bool, pages: bool = True
) -> PollSummary:
    """Poll the due feeds (or `everything`) and fetch their new articles; return the counts. Errors: StoreError."""
    summary = PollSummary()
    polled: set[str] = set()  # URLs of sources
    with progress_bars({name: name for name in ("feeds", "pages", "vectors")}, quiet=quiet) as advance:
        feeds_due = pages_due = 0

        def on_event(event: Event) -> None:
            """Count an event, and move the progress bars."""
            nonlocal pages_due
            summary.add(event)
            if isinstance(event, FeedPolled):
                polled.add(event.feed.source.url)
                advance("feeds", 1, feeds_due)
                pages_due += event.pages if pages else 0
            advance("pages", int(isinstance(event, PageDone)), pages_due)

        async with open_context(settings, engine, on_event=on_event, pages=pages) as context:
            writer = context.writer
            if everything:
                await writer.do(make_all_due, now=context.now())
            now = context.now()
            feeds_due, pages_due = await writer.read(count_open_work, now=now)
            pages_due = pages_due if pages else 0
            advance("feeds", 0, feeds_due)
            advance("pages", 0, pages_due)
            visited = await writer.read(
                visited_sources, but=context.worker, due_at=None if everything else now, now=now
            )
            if visited:  # another process may hold the hosts because it cannot write
                await asyncio.to_thread(check_writable, engine)
            started = time.monotonic()
            queue = Scheduler(context)
            try:
                await queue.drain()
            finally:
                await queue.stop()
            summary.fetching_s = time.monotonic() - started
            for bar in ("feeds", "pages"):  # the rest has to wait: its host has asked for it, or cannot be reached
                advance(bar, 0, 0)
            summary.waiting = await writer.read(blocked_sources, now=context.now())
            summary.visited = tuple(visit for visit in visited if visit.url not in polled)
            mark = context.embedder.store_key if context.embedder else None
            if await writer.read(has_backlog, setting=mark):
                await backfill(context, summary, advance)
    return summary


async def backfill(context: WorkerContext, summary: PollSummary, advance: Advance) -> None:
    """Compute features and vectors that recent articles do not have yet; `advance` moves the progress bar."""
    since, writer, choice, missing = context.now() - EMBED_BACK, context.writer, context.embedder, 0
    await rebuild_features(writer, context.pool, since=since)
    started = time.monotonic()
    if choice is not None:
        lacks = lacks_vector(await writer.read(embedder_name, choice.store_key))
        missing = await writer.read(count_features, lacks, since=since)
    advance("vectors", 0, missing)

    def on_embedded(number: int) -> None:
        summary.vectors += number
        advance("vectors", number, missing)

    await embed_recent(writer, context.vector_pool, choice, since, on_embedded)
    advance("vectors", 0, 0)
    summary.vectors_s = time.monotonic() - started


@dataclass(slots=True, kw_only=True)
class PollSummary:
    """The counts of one poll; durations are in seconds."""

    # The last poll of each feed, by its source's URL. They are not in the repr, which asyncio's runner makes twice:
    # when it restores the signal handler, `signal.signal` looks for the handler in an enum, whose error has its repr.
    results: dict[str, FeedPolled] = field(default_factory=dict, repr=False)
    offline: int = 0  # polls while our own network was down; they are not among `results`
    entries_new: int = 0
    pages_noted: int = 0
    stored: int = 0
    from_feed: int = 0
    headlines: int = 0  # articles of which only the headline is known
    known: int = 0
    pages_lost: int = 0
    pages_later: int = 0
    rechecked: int = 0
    changed: int = 0
    vectors: int = 0
    fetching_s: float = 0.0
    vectors_s: float = 0.0
    lost: Counter[str] = field(default_factory=Counter)  # reason
    waiting: tuple[tuple[str, datetime], ...] = ()  # due outlets whose host is not visited until the time
    network_down_since: datetime | None = None  # at the end
    visited: tuple[VisitedSource, ...] = ()  # sources not polled, as another process visits their host
    is_private: bool = False  # whether a source has a private address

    @property
    def feeds(self) -> int:
        return len(self.results)

    @property
    def unchanged(self) -> int:
        return sum(outcome.result.status == "unchanged" for outcome in self.results.values())

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Name and reason of each source whose last poll failed, by name."""
        last = ((outcome.feed.source.name, outcome.result) for outcome in self.results.values())
        return sorted((name, str(result.reason)) for name, result in last if isinstance(result, PollFailed))

    @property
    def failed(self) -> int:
        return len(self.failures)

    def add(self, event: Event) -> None:
        """Count an event of the poll."""
        match event:
            case FeedPolled(result=NetworkDown()):
                self.offline += 1
            case FeedPolled(feed=feed, result=result):
                self.results[feed.source.url] = event
                self.pages_noted += event.pages
                self.entries_new += count_new_entries(result)
                if isinstance(result, PollFailed):
                    self.is_private |= has_private_address(feed, result.reason)
            case PageDone(outcome="stored" | "stored_from_feed" | "stored_headline" as outcome):
                self.stored += 1
                self.from_feed += outcome == "stored_from_feed"
                self.headlines += outcome == "stored_headline"
            case PageDone(outcome="known"):
                self.known += 1
            case PageDone(outcome="lost", reason=reason):
                self.pages_lost += 1
                self.lost[str(reason)] += 1
            case PageDone(outcome="put_off"):
                self.pages_later += 1
            case PageDone(outcome=outcome):
                self.rechecked += 1
                self.changed += outcome != "same"
            case NetworkChanged(is_down=is_down, since=since):
                self.network_down_since = since if is_down else None

    def to_json(self) -> dict[str, object]:
        """Return the numbers and failures for JSON."""
        values = {name: getattr(self, name) for name in self.__slots__ if name not in ("results", "is_private")}
        return (
            {name: getattr(self, name) for name in ("feeds", "unchanged", "failed")}
            | values
            | {
                "failures": [{"source": outlet, "reason": reason} for outlet, reason in self.failures],
                "waiting": [{"source": outlet, "until": until} for outlet, until in self.waiting],
                "visited": [{"source": visit.name, "by": visit.worker} for visit in self.visited],
            }
        )


def format_summary(summary: PollSummary, *, is_empty: bool = False, everything: bool = False) -> Iterator[str]:
    """Yield the lines at the end of a poll; `everything`: all feeds were to be polled, due or not."""
    if since := summary.network_down_since:
        down = f"your internet connection seems to be down since {format_minute(since)}"
        yield f"{down}: feeds that are still due were not polled; run watcher poll again later"
    if summary.feeds or summary.stored or summary.pages_lost or summary.pages_later or summary.rechecked:
        yield from format_counts(summary)
    elif not (since or summary.waiting or summary.visited):
        if is_empty:
            yield "there are no sources: watcher sources add URL"
        elif everything:
            yield "no feed was polled here: all are paused, or the running daemon has polled them (watcher status)"
        else:
            yield "nothing is due yet: watcher poll --all"
    why = "its host asked for a pause, or cannot be reached"
    waiting = [f"  waits until {format_minute(until)}: {outlet}: {why}" for outlet, until in summary.waiting]
    yield from _at_most(waiting, "more wait")
    elsewhere = "left to another process, which is visiting the host"
    yield from _at_most([f"  {elsewhere} ({visit.worker}): {visit.name}" for visit in summary.visited], "more")


def format_counts(summary: PollSummary) -> Iterator[str]:
    """Yield the lines with the numbers of feeds, articles and pages, and the failures."""
    outcome = f"{summary.feeds - summary.unchanged - summary.failed} read, {summary.unchanged} not modified"
    yield f"{format_count(summary.feeds, 'feed')} polled: {outcome}, {summary.failed} failed"
    counts = (
        (summary.from_feed, "of them with the text from the feed, not from the page"),
        (summary.headlines, "of them by their headline alone"),
        (summary.known, "already stored under another address"),
        (summary.pages_later, f"{'page' if summary.pages_later == 1 else 'pages'} to try again later"),
        (summary.pages_lost, f"{'page' if summary.pages_lost == 1 else 'pages'} without an article"),
        (summary.rechecked, f"cited {'page' if summary.rechecked == 1 else 'pages'} checked again"),
        (summary.changed, "of them changed or gone"),
    )
    more = [f"{count} {words}" for count, words in counts if count]
    yield ", ".join([f"{format_count(summary.stored, 'article')} stored", *more])
    vectors = (
        f"; embedding {format_count(summary.vectors, 'article')} took {summary.vectors_s:.1f} s"
        if summary.vectors
        else ""
    )
    yield f"polling the feeds and fetching the articles took {summary.fetching_s:.1f} s{vectors}"
    failures = [f"  failed: {outlet}: {reason}" for outlet, reason in summary.failures]
    yield from _at_most(failures, "more: see watcher status")
    if summary.is_private:
        yield f"  try: {HINTS[FetchKind.PRIVATE_ADDRESS]}"
    for reason, count in summary.lost.most_common(MAX_FAILURES_SHOWN):
        yield f"  no article in {format_count(count, 'page')}: {reason}"


def _at_most(lines: list[str], more: str) -> Iterator[str]:
    yield from lines[:MAX_FAILURES_SHOWN]
    if len(lines) > MAX_FAILURES_SHOWN:
        yield f"  and {len(lines) - MAX_FAILURES_SHOWN} {more}"
