"""
A million feeds on 200,000 hosts in one store on PostgreSQL: polls a second, and how the tables grow meanwhile.

    python -m bench.frontier --feeds 1000000 --hosts 200000 --workers 2 --minutes 30

Workers are processes with the real queue, the real visits and the real store; only the client is made up, and says of
each feed at once that nothing is new. The server writes to its disk as any other. Feeds have been read before, and are
due evenly, as those are that have long been polled every --every seconds, each time later by up to a tenth. For a third
of the time, from the first third on, a transaction is held open, which keeps the server from cleaning up. A line a
minute: polls a second, and of each table its megabytes + those of its indexes (thousands of dead rows). At the end, how
much each grew in the rest of the first third after a warm-up, in the second, while the transaction was held, and in the
last, a minute. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import pairwise
from multiprocessing.sharedctypes import Synchronized

from sqlalchemy import Engine, create_engine, make_url, text

from tests.postgres import programs, start
from watcher.feeds.schedule import POLL_JITTER
from watcher.model import NotModified
from watcher.settings.models import FetchSettings, PollSettings
from watcher.store.engine import open_store, with_driver
from watcher.store.outages import urls_to_probe
from watcher.store.writer import Writer
from watcher.worker.connectivity import ConnectivityMonitor
from watcher.worker.context import Event, FeedPolled, WorkerContext, system_clock
from watcher.worker.pg_queue import PgScheduler
from watcher.worker.process_pool import Pool

TABLES = ("feeds", "hosts", "polls", "pgqueuer", "pgqueuer_log", "pgqueuer_statistics")
SERVER = {  # as one that keeps things; the rest is PostgreSQL's own
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on",
    "shared_buffers": "1GB", "max_wal_size": "4GB",
}  # fmt: skip
FILL = """
    INSERT INTO feeds (source_url, url, host, enabled, name, tags, full_text, next_poll_at, failures, faults,
                       moved_seen, gone, has_no_dates, skip_hours, skip_days, etag, last_polled_at, last_read_at)
    SELECT 'https://h' || n % :hosts || '.example/' || n, 'https://h' || n % :hosts || '.example/' || n,
           'h' || n % :hosts || '.example', true, 'Outlet ' || n % :hosts, '[]', true,
           now() + random() * (1 + random() * :later) * :every * interval '1 second', 0, '[]', 0, false, false, '[]',
           '[]', '"1"', now(), now()
    FROM generate_series(1, :feeds) AS n
"""
FILL_POLLS = (
    "INSERT INTO polls (feed_id, at, status, new, changed, held_back, took_s) SELECT id, now(), 'ok', 0, 0, 0, 1"
)
FILL_HOSTS = "INSERT INTO hosts (host) SELECT DISTINCT host FROM feeds"
SIZES = """
    SELECT relname, pg_table_size(relid), pg_indexes_size(relid), n_dead_tup FROM pg_stat_user_tables
"""
Sizes = dict[str, tuple[float, float, int]]  # of each table: MB, of its indexes, dead rows
WARM = 0.5  # of the first third: until then tables find their size


class Nobody:
    """Says of each feed that nothing is new, at once."""

    async def get(self, url: str, **_: object) -> NotModified:
        return NotModified(url=url, moved_to=None, headers=(), took_s=0.01)


def work(url: str, number: int, every_s: float, seconds: float, polled: Synchronized[int]) -> None:
    """Poll what comes for so many seconds."""
    asyncio.run(poll(url, number, every_s, seconds, polled))


async def poll(url: str, number: int, every_s: float, seconds: float, polled: Synchronized[int]) -> None:
    """Run a queue for so many seconds."""

    def tell(event: Event) -> None:
        if isinstance(event, FeedPolled):
            with polled.get_lock():
                polled.value += 1

    engine, pool = open_store(url), Pool(1)
    writer, every = Writer(engine), timedelta(seconds=every_s)
    tools = WorkerContext(
        writer=writer,
        client=Nobody(),  # type: ignore[arg-type]
        connectivity=ConnectivityMonitor(Reached(), partial(writer.read, urls_to_probe), now=system_clock),
        pool=pool,
        feed_pool=pool,
        vector_pool=pool,
        edition_pool=pool,
        poll=PollSettings(every=every, min_every=every, concurrency=400),
        fetch=FetchSettings(host_delay=timedelta(0)),
        embedder=None,
        worker=f"worker:{number}",
        on_event=tell,
    )
    queue, until = PgScheduler(tools, url), time.monotonic() + seconds
    while time.monotonic() < until:
        await queue.claim_and_start()
        await asyncio.sleep(0.2)
    await queue.stop()
    writer.close()
    pool.close()
    engine.dispose()


class Reached:
    """A network in which every host can be reached."""

    async def can_connect(self, url: str) -> bool:
        return True

    async def addresses(self, url: str) -> frozenset[str]:
        return frozenset((url,))


def look(engine: Engine) -> Sizes:
    """Return of each table its MB, those of its indexes, and its dead rows."""
    with engine.connect() as connection:
        found = {row[0]: row[1:] for row in connection.execute(text(SIZES))}
    sizes = ((name, found.get(name, (0, 0, 0))) for name in TABLES)  # those of pgqueuer are made by the first worker
    return {name: (mb / 2**20, of_indexes / 2**20, dead) for name, (mb, of_indexes, dead) in sizes}


def words(sizes: Sizes) -> str:
    """Return sizes for a line."""
    return ", ".join(f"{name} {mb:.1f}+{its:.1f} ({dead / 1000:.0f}k)" for name, (mb, its, dead) in sizes.items())


def growth(seen: list[tuple[float, Sizes]], seconds: float) -> Iterator[str]:
    """Yield how much each table and its indexes grew a minute, in each part of the run."""
    ends = [min(seen, key=lambda each: abs(each[0] - seconds * at)) for at in (WARM / 3, 1 / 3, 2 / 3, 1)]
    yield "MB a minute, table and indexes: before a transaction is held, while it is, after it"
    for name in TABLES:
        told = []
        for (began, before), (ended, after) in pairwise(ends):
            minutes = max(ended - began, 1.0) / 60
            grown = (f"{(after[name][part] - before[name][part]) / minutes:+.2f}" for part in (0, 1))
            told.append(" ".join(grown))
        yield f"{name:20} " + " | ".join(f"{each:>14}" for each in told)


def main() -> None:
    """Fill the store, start the workers, and print a line a minute."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=900.0, help="seconds between two polls of a feed")
    given = parser.parse_args()
    found = programs()
    assert found is not None, "PostgreSQL 15 or later is needed"
    server = start(found, **SERVER)
    url = server.fresh()
    engine = create_engine(with_driver(make_url(url)))
    with engine.begin() as connection:
        due = {"every": given.every, "later": POLL_JITTER}
        connection.execute(text(FILL), {"feeds": given.feeds, "hosts": given.hosts} | due)
        connection.execute(text(f"{FILL_POLLS} FROM feeds"))
        connection.execute(text(FILL_HOSTS))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    seen = [(0.0, look(engine))]
    print(f"{given.feeds} feeds on {given.hosts} hosts; MB: {words(seen[0][1])}", flush=True)
    context = multiprocessing.get_context("spawn")
    polled, seconds = context.Value("q", 0), given.minutes * 60
    workers = [context.Process(target=work, args=(url, n, given.every, seconds, polled)) for n in range(given.workers)]
    for worker in workers:
        worker.start()
    began, before, held = time.monotonic(), 0, None
    while (gone := time.monotonic() - began) < seconds:
        time.sleep(60 - gone % 60)
        gone, now = time.monotonic() - began, polled.value
        if held is None and seconds / 3 <= gone < seconds * 2 / 3:
            held = engine.connect()
            held.execute(text("SELECT txid_current()"))
        if held is not None and gone >= seconds * 2 / 3:
            held.close()
        is_held = " (a transaction is held open)" if held is not None and not held.closed else ""
        seen.append((gone, look(engine)))
        print(f"{gone / 60:5.1f}: {(now - before) / 60:.0f} polls/s; MB: {words(seen[-1][1])}{is_held}", flush=True)
        before = now
    for worker in workers:
        worker.join(60)
    print(f"{polled.value / seconds:.0f} polls/s over all", *growth(seen, seconds), sep="\n")
    engine.dispose()
    server.end()


if __name__ == "__main__":
    main()
