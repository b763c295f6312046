"""The faked world of host visits, over a real store and a real worker process."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.patience import PATIENCE_S
from tests.tools import tools_of
from tests.worker.fakes import START, FakedClient, Net, World
from watcher.store.engine import open_store
from watcher.store.writer import Writer
from watcher.worker.process_pool import Pool


class PatientPool(Pool):
    """Worker processes that have long for each task: on a busy machine, cleaning a page takes longer than its limit."""

    async def run(self, function, *args, limit_s):
        return await super().run(function, *args, limit_s=max(limit_s, PATIENCE_S))


@pytest.fixture(scope="session")
def pool():
    """One worker process for all tests: to load what cleans a page takes as long as ten short tests."""
    pool = PatientPool(workers=1)
    yield pool
    pool.close()


@pytest.fixture
async def world(store_url, pool):
    clock = [START]
    net = Net(clock)
    writer = Writer(open_store(store_url))

    async def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async with FakedClient(net) as client:
        tools = tools_of(
            writer,
            client,
            pool,
            now=lambda: clock[0],
            sleep=sleep,
            jitter=lambda: 0.0,
        )
        yield World(net, tools, clock)
    writer.close()
    writer.engine.dispose()
