"""The settings file under a running daemon: what has changed is read, once, and not before it is at rest."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from tests.patience import PATIENCE_S
from watcher.daemon.run import _watch_settings
from watcher.settings.load import file_state, load_settings_file

LOOK_S = 0.01


@pytest.fixture
async def watched(tmp_path):
    """A settings file, what the daemon knows of it, and the states of the file in which it was loaded again."""
    path = tmp_path / "settings.toml"
    path.write_text("")
    settings = load_settings_file(path)
    services = SimpleNamespace(settings=settings, settings_state=settings.file_hash)
    loads: list[str] = []

    def load() -> None:
        services.settings_state = file_state(path)
        loads.append(services.settings_state)

    task = asyncio.create_task(_watch_settings(services, on_change=load, every_s=LOOK_S))
    yield path, loads
    task.cancel()


async def look(loads: list[str], count: int) -> None:
    """Wait until the file was loaded so many times, and for some more looks."""
    async with asyncio.timeout(PATIENCE_S):
        while len(loads) < count:
            await asyncio.sleep(LOOK_S)
    await asyncio.sleep(5 * LOOK_S)


async def test_each_text_of_the_file_is_loaded_once_also_a_faulty_one(watched):
    path, loads = watched
    await look(loads, 0)
    assert loads == []

    path.write_text("evry = 1")
    await look(loads, 1)
    path.write_text("")
    await look(loads, 2)

    assert len(loads) == 2


async def test_a_file_that_is_written_again_with_the_same_text_is_not_loaded(watched):
    path, loads = watched

    path.write_text("")
    await look(loads, 0)

    assert loads == []


async def test_a_file_that_is_gone_is_told_once_and_loaded_when_it_is_back(watched):
    path, loads = watched

    path.unlink()
    await look(loads, 1)
    path.write_text("")
    await look(loads, 2)

    assert loads[0].endswith("cannot be read: No such file or directory") and len(loads) == 2


async def test_a_file_that_is_being_written_is_left_until_it_stays_the_same(watched):
    path, loads = watched
    states = []

    for size in range(20):
        path.write_text("#" * size)
        states.append(file_state(path))
        await asyncio.sleep(LOOK_S / 2)
    await look(loads, 1)

    assert loads[-1] == states[-1] and len(loads) < len(states) / 2
