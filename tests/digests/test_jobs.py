"""The daemon's job for the digests, with a clock of the test's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digests.jobs import jobs
from digests.store.editions import get_edition
from watcher.net.client import Client
from watcher.settings.load import load
from watcher.store.open import open_store
from watcher.store.writer import Writer, read
from watcher.work.pool import Pool
from watcher.work.tools import Tools

pytestmark = pytest.mark.slow  # starts worker processes

SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[[digests]]
name = "berlin"
at = "06:30"
timezone = "Europe/Berlin"
[[digests]]
name = "lima"
at = "06:30"
timezone = "America/Lima"
"""


@pytest.fixture
async def daemon(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    settings = load(path)
    clock = [datetime(2026, 10, 24, 0, 0, tzinfo=UTC)]
    writer, pool = Writer(open_store(settings.store.url)), Pool(workers=1)
    async with Client(user_agent="Watcher/0") as client:
        tools = Tools(
            writer=writer,
            client=client,
            pool=pool,
            poll=settings.poll,
            fetch=settings.fetch,
            embedder=None,
            now=lambda: clock[0],
        )
        yield settings, tools, clock
    pool.close()
    writer.close()
    writer.engine.dispose()


async def test_each_digest_is_made_once_a_date_at_its_own_local_time(daemon, tmp_path):
    settings, tools, clock = daemon
    (job,) = jobs(settings, tools)
    end = clock[0] + timedelta(days=3)

    while clock[0] < end:  # the night of the 25th has 25 hours in Berlin
        await job.run()
        clock[0] += timedelta(minutes=30)

    made = {
        name: [
            read(tools.writer.engine, lambda c, name=name, day=day: get_edition(c, name, local_date=day))
            for day in (datetime(2026, 10, 24 + n, tzinfo=UTC).date() for n in range(3))
        ]
        for name in ("berlin", "lima")
    }
    utc = {name: [edition.window_end.strftime("%d %H:%M") for edition in editions] for name, editions in made.items()}
    assert utc == {
        "berlin": ["24 04:30", "25 05:30", "26 05:30"],
        "lima": ["24 11:30", "25 11:30", "26 11:30"],
    }
    assert {p.parent.name for p in (tmp_path / "out").rglob("*.md")} == {"berlin", "lima"}
    assert len(list((tmp_path / "out").rglob("*.eml"))) == 6


async def test_an_edition_missed_by_a_sleep_is_made_late_and_says_so(daemon):
    settings, tools, clock = daemon
    (job,) = jobs(settings, tools)
    await job.run()

    clock[0] = datetime(2026, 10, 24, 9, 0, tzinfo=UTC)  # four and a half hours after Berlin's time
    await job.run()

    edition = read(tools.writer.engine, lambda c: get_edition(c, "berlin", local_date=clock[0].date()))
    assert edition is not None
    assert edition.ledger.late_s == pytest.approx(4.5 * 3600)
