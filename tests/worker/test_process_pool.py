"""Worker processes: what hangs or dies is named, what raises comes back, and none outlives its owner."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.machine import NoThreads, no_descriptors
from tests.patience import PATIENCE_S
from watcher.errors import FeedError, HttpStatusError, MachineError
from watcher.failure_messages import FeedKind, Reason
from watcher.feeds.parse import parse_feed
from watcher.feeds.xml_feed import load_feedparser
from watcher.worker import tasks
from watcher.worker.process_pool import BrokenPool, Pool, WorkerFailed

pytestmark = pytest.mark.slow  # each starts processes

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


@pytest.fixture
def pool():
    pool = Pool(workers=1)
    yield pool
    pool.close()


def spin() -> None:
    while True:
        pass


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def load_slowly() -> None:
    time.sleep(5.5)


def is_loaded(name: str) -> bool:
    return name in sys.modules


def refuse() -> None:
    raise FeedError("https://news.example/feed", Reason(FeedKind.HTML))


def refuse_politely() -> None:
    raise HttpStatusError("https://news.example/feed", 503, retry_after_s=60.0)


async def test_a_task_that_hangs_is_stopped_and_the_next_one_runs(pool):
    with pytest.raises(WorkerFailed, match=r"more than 0\.5 s"):
        await pool.run(spin, limit_s=0.5)

    assert await pool.run(abs, -3, limit_s=PATIENCE_S) == 3


async def test_what_a_worker_loads_is_not_of_a_tasks_time():
    pool = Pool(workers=1, load=load_slowly)
    try:
        assert await pool.run(abs, -3, limit_s=5.0) == 3
    finally:
        pool.close()


async def test_cleaner_and_parser_are_loaded_before_a_task():
    for load, name in ((tasks.load_cleaner, "watcher.clean.article"), (load_feedparser, "feedparser")):
        pool = Pool(workers=1, load=load)
        try:
            assert await pool.run(is_loaded, name, limit_s=PATIENCE_S)
        finally:
            pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc whether the process is gone")
async def test_a_worker_without_a_task_ends_and_the_next_task_has_a_new_one(caplog):
    pool = Pool(workers=1, idle_s=0.2)
    try:
        first = await pool.run(os.getpid, limit_s=PATIENCE_S)
        while any(child.pid == first for child in multiprocessing.active_children()):
            await asyncio.sleep(0.05)
        second = await pool.run(os.getpid, limit_s=PATIENCE_S)
    finally:
        pool.close()

    assert first != second and caplog.text == ""


def allocate_and_free() -> tuple[int, int]:
    """Free 60 MB below a block that is kept, as a parser does; return the process, and what it took before in bytes."""
    before = resident_bytes(os.getpid())
    blocks = [bytes(60_000) for _ in range(1_000)]
    KEPT.append(bytes(60_000))
    blocks.clear()
    return os.getpid(), before


KEPT: list[bytes] = []


def resident_bytes(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="glibc alone keeps what is free, and gives it back if told"
)
async def test_a_worker_without_a_task_gives_back_what_it_no_longer_uses(pool):
    worker, before = await pool.run(allocate_and_free, limit_s=PATIENCE_S)

    async with asyncio.timeout(PATIENCE_S):
        while resident_bytes(worker) > before + 20e6:
            await asyncio.sleep(0.05)

    assert await pool.run(os.getpid, limit_s=PATIENCE_S) == worker


async def test_a_worker_ends_after_as_many_tasks_as_it_may_do():
    pool = Pool(workers=1, max_tasks=1)
    try:
        first, second = [await pool.run(os.getpid, limit_s=PATIENCE_S) for _ in range(2)]
        async with asyncio.timeout(PATIENCE_S):  # the pool reaps it in its own time
            while Path(f"/proc/{first}").exists():
                await asyncio.sleep(0.05)
    finally:
        pool.close()

    assert first != second


@pytest.mark.parametrize(
    "inside",
    [
        b"<author>" + b"a" * 1_000_000 + b"</author>",
        b"".join(b"<category>%d</category>" % number for number in range(100_000)),
        b"<x xml:base='a/'>" * 100_000,
        b"<b>" * 300_000 + b"</b>" * 300_000,
    ],
    ids=["a long author", "many tags", "nested bases", "deep"],
)
async def test_a_feed_made_to_take_long_is_stopped_and_the_next_one_is_read(inside):
    pool = Pool(workers=1, load=load_feedparser)
    body = b"<rss version='2.0'><channel><title>The Feed</title><item><title>One</title>%s</item></channel></rss>"
    try:
        with pytest.raises(WorkerFailed, match="more than 1 s"):
            await pool.run(partial(parse_feed, body % inside, url="https://a.example/", now=NOW), limit_s=1)
        feed = await pool.run(partial(parse_feed, body % b"", url="https://a.example/", now=NOW), limit_s=PATIENCE_S)
    finally:
        pool.close()

    assert [entry.title for entry in feed.entries] == ["One"]


async def test_a_task_that_kills_its_process_is_named_and_the_next_one_runs(pool):
    with pytest.raises(WorkerFailed, match="crashed its process"):
        await pool.run(die, limit_s=PATIENCE_S)

    assert await pool.run(abs, -3, limit_s=PATIENCE_S) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold a process to its memory")
async def test_a_task_that_takes_too_much_memory_is_stopped_and_the_next_one_runs():
    pool = Pool(workers=1, memory_bytes=200 * 2**20)
    try:
        with pytest.raises(WorkerFailed, match="more than 200 MiB of memory"):
            await pool.run(bytearray, 300 * 2**20, limit_s=PATIENCE_S)

        assert len(await pool.run(bytes, 10 * 2**20, limit_s=PATIENCE_S)) == 10 * 2**20
    finally:
        pool.close()


async def test_our_errors_come_back_whole(pool):
    with pytest.raises(FeedError) as caught:
        await pool.run(refuse, limit_s=PATIENCE_S)
    assert (caught.value.url, caught.value.reason) == ("https://news.example/feed", Reason(FeedKind.HTML))

    with pytest.raises(HttpStatusError) as polite:
        await pool.run(refuse_politely, limit_s=PATIENCE_S)
    assert (polite.value.status, polite.value.retry_after_s) == (503, 60.0)


async def test_an_error_keeps_no_buffer_of_its_task_alive(pool):
    with pytest.raises(FeedError) as caught:
        await pool.run(refuse, limit_s=PATIENCE_S)

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert [name for frame in frames for name, value in frame.f_locals.items() if isinstance(value, memoryview)] == []


OWNER = """
import asyncio, os, time
from watcher.feeds.parse import parse_feed
from watcher.worker import tasks
from watcher.worker.process_pool import Pool

async def main():
    pool = Pool(workers=2)
    print(await pool.run(os.getpid, limit_s=120), flush=True)
    await pool.run(time.sleep, 600, limit_s=900)

asyncio.run(main())
"""


def test_workers_end_when_their_owner_is_killed(tmp_path):
    script = tmp_path / "owner.py"
    script.write_text(f"if __name__ == '__main__':\n{''.join('    ' + line + chr(10) for line in OWNER.splitlines())}")
    owner = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    worker = int(owner.stdout.readline())

    owner.kill()
    owner.wait()
    owner.stdout.close()

    until = time.monotonic() + PATIENCE_S
    while running(worker) and time.monotonic() < until:
        time.sleep(0.2)
    assert not running(worker)


def running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def four():
    pool = Pool(workers=4)
    yield pool
    pool.close()


async def pids(pool) -> set[int]:
    """The pids of its workers: naps, so that each of them takes some."""
    return set(await asyncio.gather(*(pool.run(nap, limit_s=PATIENCE_S) for _ in range(12))))


def nap() -> int:
    time.sleep(0.1)
    return os.getpid()


async def test_idle_workers_that_are_killed_are_replaced(four):
    for _ in range(2):
        for pid in await pids(four):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.5)

        assert await four.run(abs, -3, limit_s=PATIENCE_S) == 3


async def test_tasks_on_their_way_when_the_pool_breaks_all_run(four):
    for pid in await pids(four):
        os.kill(pid, signal.SIGKILL)

    assert await asyncio.gather(*(four.run(abs, -n, limit_s=PATIENCE_S) for n in range(50))) == list(range(50))


async def test_workers_leave_signals_to_their_owner_also_those_that_came_later(pool):
    for _ in range(2):
        blocked = await pool.run(blocked_signals, limit_s=PATIENCE_S)

        assert {signal.SIGINT, signal.SIGTERM} <= blocked
        os.kill(await pool.run(os.getpid, limit_s=PATIENCE_S), signal.SIGKILL)
        await asyncio.sleep(0.5)


def blocked_signals() -> set[int]:
    return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())}


async def test_a_pool_that_cannot_be_had_is_no_fault_of_the_task(pool):
    pool.close()

    with pytest.raises(BrokenPool):
        await pool.run(abs, -3, limit_s=PATIENCE_S)


async def test_a_pool_without_a_thread_or_a_file_descriptor_is_a_fault_of_the_machine():
    pool = Pool(1)
    with no_descriptors(), pytest.raises(MachineError, match="no file descriptors are left"):
        await pool.run(abs, -3, limit_s=5)
    assert await pool.run(abs, -3, limit_s=5) == 3
    pool._threads.shutdown()
    pool._threads = NoThreads()

    with pytest.raises(BrokenPool, match=r"no process can be started \(can't start new thread\)"):
        await pool.run(abs, -3, limit_s=5)
    pool.close()


class Odd(Exception):
    """An error that pickle writes and cannot read."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def raise_odd() -> None:
    raise Odd("this", "that")


async def test_an_error_that_cannot_be_sent_comes_back_in_words(pool):
    with pytest.raises(RuntimeError, match="Odd: this and that"):
        await pool.run(raise_odd, limit_s=PATIENCE_S)

    assert await pool.run(abs, -3, limit_s=PATIENCE_S) == 3


async def test_a_task_whose_caller_gave_up_is_stopped(pool):
    task = asyncio.create_task(pool.run(spin, limit_s=10 * PATIENCE_S))
    await asyncio.sleep(0.5)
    task.cancel()

    assert await asyncio.wait_for(pool.run(abs, -3, limit_s=PATIENCE_S), timeout=PATIENCE_S) == 3


ENDS_AT_ONCE = """
import asyncio
from watcher.feeds.parse import parse_feed
from watcher.worker import tasks
from watcher.worker.process_pool import Pool

async def main():
    for number in range(20):
        pool = Pool(2)
        task = asyncio.create_task(pool.run(abs, -1, limit_s=120))
        await asyncio.sleep(number / 100)
        pool.close()
        task.cancel()

asyncio.run(main())
"""


def test_workers_that_are_starting_when_the_pool_ends_say_nothing():
    ended = subprocess.run([sys.executable, "-c", ENDS_AT_ONCE], capture_output=True, timeout=PATIENCE_S)

    assert ended.returncode == 0
    assert ended.stderr == b""


ENDS_WITHOUT_BEING_TAKEN_DOWN = """
import asyncio, os
from watcher.feeds.parse import parse_feed
from watcher.worker import tasks
from watcher.worker.process_pool import Pool

pool = Pool(2)
asyncio.run(pool.run(abs, -1, limit_s=120))
pool.close()
os._exit(0)
"""


def test_a_pool_that_has_ended_has_given_back_what_its_workers_shared():
    code = [sys.executable, "-c", ENDS_WITHOUT_BEING_TAKEN_DOWN]

    ended = subprocess.run(code, capture_output=True, timeout=PATIENCE_S)

    assert (ended.returncode, ended.stderr) == (0, b"")  # the tracker of resources names what is left
