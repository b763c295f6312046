"""The daemon looks who holds a transaction open, where its store is on a server; its numbers say for how long."""

from __future__ import annotations

from digests.store.editions import open_digests
from watcher.daemon.jobs import own_jobs
from watcher.daemon.metrics import read_store_metrics
from watcher.settings.model import Settings
from watcher.work.queue import LocalQueue

GAUGE = "watcher_transaction_held_open_seconds"


async def test_a_daemon_looks_on_a_server_alone(world, database):
    jobs = {job.name: job for job in own_jobs(LocalQueue(world.tools))}

    assert ("server" in jobs) is (database == "postgresql")
    if "server" in jobs:
        await jobs["server"].run()


async def test_the_number_is_there_on_a_server_alone_and_0_while_nobody_does(world, database, store_url):
    open_digests(store_url).dispose()  # they add numbers of their own

    metrics = read_store_metrics(world.tools.writer.engine, Settings())
    found = [(s.labels, s.value) for metric in metrics if metric.name == GAUGE for s in metric.samples]

    assert found == ([({}, 0.0)] if database == "postgresql" else [])
