"""Worker processes: what hangs or dies is named, what raises comes back, and none outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from watcher.errors import BadStatus, FeedError
from watcher.work.pool import Pool, WorkerFailed

pytestmark = pytest.mark.slow  # each starts processes


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


def refuse() -> None:
    raise FeedError("https://news.example/feed", "no feed")


def refuse_politely() -> None:
    raise BadStatus("https://news.example/feed", 503, "HTTP 503", retry_after_s=60.0)


async def test_a_task_that_hangs_is_stopped_and_the_next_one_runs(pool):
    with pytest.raises(WorkerFailed, match=r"more than 0\.5 s"):
        await pool.run(spin, limit_s=0.5)

    assert await pool.run(abs, -3, limit_s=5) == 3


async def test_a_task_that_kills_its_process_is_named_and_the_next_one_runs(pool):
    with pytest.raises(WorkerFailed, match="took its process down"):
        await pool.run(die, limit_s=5)

    assert await pool.run(abs, -3, limit_s=5) == 3


async def test_our_errors_come_back_whole(pool):
    with pytest.raises(FeedError) as caught:
        await pool.run(refuse, limit_s=5)
    assert (caught.value.url, caught.value.reason) == ("https://news.example/feed", "no feed")

    with pytest.raises(BadStatus) as polite:
        await pool.run(refuse_politely, limit_s=5)
    assert (polite.value.status, polite.value.retry_after_s) == (503, 60.0)


OWNER = """
import asyncio, os, time
from watcher.work.pool import Pool

async def main():
    pool = Pool(workers=2)
    print(await pool.run(os.getpid, limit_s=5), flush=True)
    await pool.run(time.sleep, 60, limit_s=90)

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

    until = time.monotonic() + 10
    while running(worker) and time.monotonic() < until:
        time.sleep(0.2)
    assert not running(worker)


def running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
