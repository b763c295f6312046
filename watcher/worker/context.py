"""What every step of the worker gets (writer, HTTP client, processes, clock, settings), and its events."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib.metadata import metadata, version
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from watcher.failure_messages import Reason
from watcher.features.embedders import EmbedderConfig, embedder_config
from watcher.feeds.xml_feed import load_feedparser
from watcher.model import Feed, PollResult
from watcher.net.client import Client
from watcher.settings.models import FetchSettings, PollSettings, Settings, StoreSettings
from watcher.settings.request_options import RequestOptions
from watcher.store.check import drop_future_times
from watcher.store.feeds import sync_settings
from watcher.store.hosts import HOST_LEASE, drop_dead_leases, worker_name
from watcher.store.outages import network_down_since, record_polling_stop, urls_to_probe
from watcher.store.writer import Writer
from watcher.worker import tasks
from watcher.worker.connectivity import ConnectivityMonitor
from watcher.worker.process_pool import Pool

if TYPE_CHECKING:
    from watcher.clean.site_rules import SiteRules

PRODUCT_NAME, PACKAGE = "Watcher", "watcher-digests"
EMBEDDER_IDLE_S = 60.0  # then the process with the embedder, the largest of all, ends until there is work again
MAX_PAGE_WORKERS = 4
PARSING_BYTES = 256 * 1024 * 1024  # memory limit of a process that parses feeds or pages,
PARSING_TIMES = 40  # plus so many times the longest body: a normal one takes 25
system_clock = partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """Passed to every step of the work. `on_event` is called for each poll and page; `jitter` returns 0 to 1."""

    writer: Writer
    client: Client
    connectivity: ConnectivityMonitor
    pool: Pool  # for pages
    feed_pool: Pool  # for feeds, which must not wait behind pages
    vector_pool: Pool  # for vectors, so that no page waits for them
    edition_pool: Pool  # for editions; its process ends after each one, which frees its memory
    poll: PollSettings
    fetch: FetchSettings
    embedder: EmbedderConfig | None  # None if none is set or available
    store: StoreSettings = field(default_factory=StoreSettings)  # with the times of retention
    pages: bool = True  # whether to fetch articles' pages too; else they stay due
    site_rules: tuple[SiteRules, ...] = ()  # the user's own rules for sites
    request_options: Mapping[str, RequestOptions] = field(default_factory=dict)  # of sources, by their URL
    worker: str = field(default_factory=worker_name)
    lease: timedelta = HOST_LEASE  # of a host that is visited
    started_at: datetime | None = None  # since when feeds have been polled; None: from now on
    now: Callable[[], datetime] = system_clock
    sleep: Callable[[float], asyncio.Future[None]] = asyncio.sleep  # type: ignore[assignment]
    jitter: Callable[[], float] = random.random
    on_event: Callable[[Event], None]


def user_agent(contact: str) -> str:
    """Return the User-Agent: product, version, and the user's contact or else the home page in the package metadata."""
    urls = dict(url.split(", ", 1) for url in metadata(PACKAGE).get_all("Project-URL") or ())
    about = contact or urls.get("Homepage")
    return f"{PRODUCT_NAME}/{own_version()}" + (f" (+{about})" if about else "")


@cache
def own_version() -> str:
    return version(PACKAGE)


@asynccontextmanager
async def open_context(
    settings: Settings, engine: Engine, *, on_event: Callable[[Event], None], pages: bool = True, spread_s: float = 0.0
) -> AsyncIterator[WorkerContext]:
    """
    Yield a context, after saving the settings' sources to the store. Errors: SettingsError for the user's site rules.

    Args:
        pages: Fetch articles' pages too; else they stay due.
        spread_s: Seconds between the first polls of two new sources.
    """
    fetch, site_rules = settings.fetch, load_site_rules(settings.path)
    client = client_for(fetch, concurrency=settings.poll.concurrency)
    with closing(Writer(engine)) as writer:
        await writer.do(sync_settings, settings, now=system_clock(), spread_s=spread_s)
        await writer.do(drop_future_times, now=system_clock())
        await writer.do(record_polling_stop, None, now=system_clock())  # of an earlier process with other limits
        down_since, load_witnesses = await writer.read(network_down_since), partial(writer.read, urls_to_probe)
        context = WorkerContext(
            writer=writer,
            client=client,
            connectivity=ConnectivityMonitor(client, load_witnesses, now=system_clock, down_since=down_since),
            # Half of the cores: each process takes over 100 MB, and cleans 30 pages a second.
            pool=parsing_pool(
                fetch, tasks.load_cleaner, workers=max(1, min(MAX_PAGE_WORKERS, (os.cpu_count() or 1) // 2))
            ),
            feed_pool=parsing_pool(fetch, load_feedparser, workers=2),
            vector_pool=Pool(workers=1, idle_s=EMBEDDER_IDLE_S),
            edition_pool=Pool(workers=1, max_tasks=1),
            poll=settings.poll,
            store=settings.store,
            fetch=fetch,
            embedder=embedder_config(settings.semantic),
            pages=pages,
            site_rules=site_rules,
            request_options=settings.request_options(),
            started_at=system_clock(),
            on_event=on_event,
        )
        try:
            await writer.do(drop_dead_leases, worker=context.worker)
            async with client:
                yield context
        finally:
            for pool in (context.pool, context.feed_pool, context.vector_pool, context.edition_pool):
                pool.close()


def load_site_rules(settings: Path | None) -> tuple[SiteRules, ...]:
    """Return the user's own site rules; empty if there is no folder `sites`. Errors: SettingsError with all faults."""
    if settings is None or not (settings.parent / "sites").is_dir():
        return ()
    from watcher.clean.site_rules import load_user_rules  # late: lxml, 4 MB, which nothing else in this process needs

    return load_user_rules(settings)


def client_for(fetch: FetchSettings, *, concurrency: int = 1) -> Client:
    """Return a client with the limits of the settings; `concurrency` is the number of requests at a time."""
    return Client(
        user_agent=user_agent(fetch.contact),
        timeout_s=fetch.timeout.total_seconds(),
        deadline_s=fetch.deadline.total_seconds(),
        max_bytes=fetch.max_bytes,
        allow_private=fetch.allow_private,
        concurrency=concurrency,
    )


def parsing_pool(fetch: FetchSettings, load: Callable[[], object], workers: int | None = None) -> Pool:
    """Return a pool for parsing feeds and pages, with a memory limit, since their content is not trusted."""
    return Pool(workers, memory_bytes=PARSING_BYTES + PARSING_TIMES * fetch.max_bytes, load=load)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPolled:
    """A feed was polled; `pages` is the number of new pages to fetch."""

    feed: Feed
    result: PollResult
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDone:
    """
    A page's outcome, in one word.

    It is stored, stored_from_feed, stored_headline, known, put_off or lost; of a recheck, same, changed or gone.
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
