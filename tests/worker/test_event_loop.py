"""The event loop that polling runs on."""

import asyncio
import sys

import pytest

from watcher.worker.scheduler import run


async def the_loop() -> str:
    await asyncio.sleep(0)
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop has no Windows")
def test_polling_runs_on_uvloop():
    assert run(the_loop()) == "uvloop"


def test_an_error_comes_out_as_it_is():
    async def fail() -> None:
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        run(fail())
