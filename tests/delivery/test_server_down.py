"""A mail server that is down for a day: nothing is lost or comes twice, it is named, and nobody has to do a thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from digests.jobs import jobs
from digests.store.editions import open_digests
from digests.store.keys import DAILY, EditionKey
from digests.store.outbox import SENT, deliveries_of
from tests.delivery.mail_server import MailServer
from tests.digests.test_time_machine import InProcess
from tests.kinds import on
from tests.tools import tools_of
from watcher.cli.main import run_command_line
from watcher.net.client import Client
from watcher.settings.load import load_settings_file
from watcher.store.writer import Writer, read

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
ON_SERVER = pytest.param("postgresql", "MAIL", marks=pytest.mark.postgresql)
READERS = ("ann@example.net", "bob@example.net")
SETTINGS = """[store]
url = "sqlite:///w.db"
[smtp]
host = "127.0.0.1"
port = {port}
security = "plain"
timeout = "1s"
[alerts]
after = "2h"
deliver = [{{ channel = "file", directory = "alerts" }}]
[[digests]]
name = "world"
at = "06:30"
formats = ["text"]
mail = {{ from = "w@example.org", to = ["ann@example.net", "bob@example.net"] }}
deliver = [{{ channel = "smtp" }}]
"""


@pytest.fixture
async def daemon(tmp_path, store_url):
    """The digests' jobs on a store, a mail server that can be down, and a clock."""
    with MailServer() as server:
        path = tmp_path / "settings.toml"
        path.write_text(on(store_url, SETTINGS.format(port=server.port)))
        settings = load_settings_file(path)
        clock, pool = [START], InProcess()
        writer = Writer(open_digests(settings.store.url))
        async with Client(user_agent="Watcher/0") as client:
            tools = tools_of(
                writer,
                client,
                pool,
                now=lambda: clock[0],
                jitter=lambda: 0.5,
                started_at=START,
            )
            yield server, jobs(settings, tools), clock, tools, path
        writer.close()
        writer.engine.dispose()


# To the store it is one failure, wherever it happens.
@pytest.mark.parametrize(
    ("database", "at"), [("sqlite", "connect"), ("sqlite", "MAIL"), ON_SERVER], indirect=["database"]
)
async def test_a_mail_server_that_is_down_for_a_day(daemon, at, tmp_path, capsys):
    server, all_jobs, clock, tools, path = daemon
    server.at = {at: "421 4.3.2 down for a day" if at == "connect" else "451 4.3.0 later"}

    async def live(until: datetime) -> None:
        while clock[0] < until:
            for job in all_jobs:
                await job.run()
            clock[0] += timedelta(minutes=5)

    await live(START + timedelta(hours=12))
    capsys.readouterr()
    assert run_command_line(["status", "--config", str(path)]) == 0
    named = capsys.readouterr().out
    await live(START + timedelta(hours=24, minutes=30))
    assert server.taken == []
    server.at = {}
    await live(START + timedelta(hours=27))

    first, second = (
        EditionKey(digest="world", local_date=START.date() + timedelta(days=n), slot=DAILY) for n in (0, 1)
    )
    rows = [*read(tools.writer.engine, deliveries_of, first)]
    rows += read(tools.writer.engine, deliveries_of, second)
    assert [(row.recipient, row.state) for row in rows] == [(reader, SENT) for reader in READERS] * 2
    assert sorted(mail.recipient for mail in server.taken) == sorted(READERS * 2)
    assert "ann@example.net" in named or "smtp" in named
    told = sorted(file.read_text() for file in (tmp_path / "alerts").iterdir())
    assert len(told) == 2 and any("works again" in text for text in told), json.dumps(told)
