"""A limit of time on what a task awaits: what it ends, and what it leaves alone."""

import asyncio

import pytest

from watcher.net.within import Within


async def test_what_takes_too_long_is_ended():
    with pytest.raises(TimeoutError), Within(0.01):
        await asyncio.sleep(5)

    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("limit_s", [5.0, None])
async def test_what_ends_in_time_is_left_alone(limit_s):
    with Within(limit_s):
        found = await asyncio.sleep(0.01, "made")

    await asyncio.sleep(0.01)
    assert found == "made"


async def test_an_error_of_what_is_limited_comes_out_as_it_is():
    with pytest.raises(ValueError, match="mine"), Within(5.0):
        raise ValueError("mine")


async def test_the_nearer_of_two_limits_ends_what_is_in_both():
    with Within(5.0):
        with pytest.raises(TimeoutError), Within(0.01):
            await asyncio.sleep(5)
        await asyncio.sleep(0.01)

    with pytest.raises(TimeoutError), Within(0.01), Within(5.0):
        await asyncio.sleep(5)


async def test_who_is_cancelled_from_outside_is_cancelled_and_not_late():
    async def work() -> None:
        with Within(0.05):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_as_the_time_runs_out_is_cancelled():
    async def work() -> None:
        limit = Within(60.0)
        with limit:
            task.cancel()
            limit._end()
            await asyncio.sleep(5)

    task = asyncio.create_task(work())

    with pytest.raises(asyncio.CancelledError):
        await task
