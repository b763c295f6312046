"""The daemon's manners, judged by a publisher's server from the requests alone, over a restart."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from contextlib import suppress

import httpx
import pytest

from tests.manners.case import TooLittle
from tests.manners.reader import Reader
from tests.manners.stage import CASES, open_stage, until

pytestmark = [
    pytest.mark.slow,  # runs the daemon for twenty seconds
    pytest.mark.skipif(sys.platform == "darwin", reason="needs all of 127.0.0.0/8"),
]

BEFORE_RESTART_S = 6.0
AFTER_RESTART_S = 8.0
CARELESS_S = 8.0
MORE_LOOKS = 60
# Faults that are known: each goes as it is mended.
OPEN: dict[str, str] = {}
HARMLESS = {  # what a careless reader does right
    "echo of nothing",
    "moved for now by 302",
    "moved for now by 307",
    "moved for good to a page",
    "credentials",
}


@pytest.fixture
def stage():
    with open_stage() as stage:
        yield stage


def test_no_publisher_has_a_complaint_about_the_daemon(stage, tmp_path):
    reader = Reader(tmp_path, [url for case in CASES for url in stage.urls(case)])

    try:
        reader.start()
        stage.wait(BEFORE_RESTART_S)
        until(reader.has_read_everything)  # on a busy machine, a stop may cut off what was fetched
        reader.stop()
        reader.make_due([url for case in CASES if case.due_at_restart for url in stage.urls(case)])
        restarted_at = time.monotonic()
        reader.start()
        stage.wait(AFTER_RESTART_S)
        complaints = stage.settled(restarted_at)
    finally:
        reader.stop()

    assert complaints.keys() == OPEN.keys(), complaints


async def test_nearly_every_publisher_has_a_complaint_about_a_careless_reader(stage):
    patient: set[str] = set()

    async with httpx.AsyncClient(follow_redirects=True, timeout=60) as client:
        turn = asyncio.Semaphore(8)
        urls = [url for case in CASES for url in stage.urls(case)]
        looking = [asyncio.create_task(look_again_and_again(client, url, turn)) for url in urls]
        await asyncio.sleep(CARELESS_S / 2)
        while len({request.host for request in stage.publisher.requests}) < len(CASES):
            await asyncio.sleep(0.1)
        restarted_at = time.monotonic()
        for seconds in (CARELESS_S / 2, *[2.0] * MORE_LOOKS):  # a busy machine needs longer
            await asyncio.sleep(seconds)
            found = stage.complaints(restarted_at)
            wronged = {name for name, complaint in found.items() if not isinstance(complaint, TooLittle)}
            patient = {case.name for case in CASES} - wronged
            if patient == HARMLESS:
                break
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)

    assert patient == HARMLESS


async def look_again_and_again(client: httpx.AsyncClient, url: str, turn: asyncio.Semaphore) -> None:
    """Read a feed and all its articles, whatever anybody says."""
    while True:
        async with turn:
            for _ in range(2):  # again at once: too soon on a busy machine as well
                with suppress(httpx.HTTPError, httpx.InvalidURL):
                    answer = await client.get(url)
                    for link in re.findall(r"<link>([^<]*/news/[^<]*)</link>", answer.text):
                        await client.get(link.replace("&amp;", "&"))
        await asyncio.sleep(0.4)
