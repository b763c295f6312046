"""The requests to one host wait for each other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.worker.fakes import START, FakedClient, Net
from tests.worker.test_inspect import Here
from watcher.errors import HttpStatusError
from watcher.worker.host_session import HostSession

FEED, PAGE = "https://a.example/feed", "https://a.example/1"


@pytest.fixture
def clock():
    return [START]


@pytest.fixture
def net(clock):
    net = Net(clock)
    for url in (FEED, PAGE):
        net.serve(url, "text")
    return net


@pytest.fixture
async def session(net, clock):
    async def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    async with FakedClient(net) as client:
        yield HostSession(client=client, pool=Here(), options={}, delay_s=2.0, now=lambda: clock[0], sleep=sleep)


async def test_each_request_waits_from_the_end_of_the_last_one_also_if_that_failed(session, net, clock):
    await session.get(FEED, source=FEED)
    with pytest.raises(HttpStatusError):
        await session.get_robots("https://a.example/robots.txt", source=FEED)
    clock[0] += timedelta(seconds=1.5)
    await session.get_page(PAGE, source=FEED)
    clock[0] += timedelta(seconds=5)
    async with session:
        at = clock[0]

    assert [(when - START).total_seconds() for when, _ in net.asked] == [0, 2, 4]
    assert at == START + timedelta(seconds=9)


async def test_a_clock_that_was_set_back_makes_no_request_wait_longer_than_the_delay(session, net, clock):
    await session.get(FEED, source=FEED)
    clock[0] -= timedelta(hours=1)
    await session.get(FEED, source=FEED)

    assert net.asked[1][0] == START - timedelta(hours=1) + timedelta(seconds=2)
