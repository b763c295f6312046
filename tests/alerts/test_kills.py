"""Kills of a process that sends an alert on a failure: each recipient has it once, or the same mail twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from bench.delivery_drill import PROCESSES, READERS, die_at_event, is_killed, message_id
from digests.alerts.failures import AlertJob
from digests.delivery.outbox import OutboxWorker
from digests.model.delivery import OutboundMessage
from digests.store.editions import open_digests
from digests.store.keys import EditionKey
from digests.store.outbox import FAILED, enqueue, list_undelivered, load_open_alerts
from tests.delivery.mail_server import MailServer
from tests.tools import tools_of
from watcher.settings.load import load_settings_file, parse_settings
from watcher.store.writer import Writer, read, write

pytestmark = pytest.mark.slow  # a process for each kill
PROCESSES.set_forkserver_preload([__name__])

SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[smtp]
host = "127.0.0.1"
port = {port}
security = "plain"
timeout = "30s"
[alerts]
from = "Watcher <w@example.org>"
deliver = [{{ channel = "smtp", to = ["ann@example.net", "bob@example.net"] }}]
"""


def look_and_send(path: Path, now: Callable[[], datetime]) -> None:
    settings = load_settings_file(path)
    engine = open_digests(settings.store.url)
    with closing(Writer(engine)) as writer:
        asyncio.run(AlertJob(settings, tools_of(writer, None, None, now=now)).run())
    list(OutboxWorker(engine, settings, now=now).send_due())
    engine.dispose()


def look_and_send_until(number: int, path: Path) -> None:
    """Look and send, up to an event in the store."""
    die_at_event(number)
    look_and_send(path, lambda: datetime.now(UTC))


@pytest.fixture(scope="module")
def kills(tmp_path_factory, sqlite_template) -> list[tuple[list[int], int, list[str], set[str]]]:
    """Per kill: the copies of each reader, the number of different mails, the open deliveries, the open alerts."""
    found = []
    for number in count(1):
        path = tmp_path_factory.mktemp(f"kill-{number}") / "settings.toml"
        with MailServer() as server:
            path.write_text(SETTINGS.format(port=server.port))
            shutil.copy(sqlite_template, path.with_name("watcher.db"))
            engine = open_digests(parse_settings(path.read_text(), path).store.url)
            yesterday = EditionKey(digest="world", local_date=datetime.now(UTC).date() - timedelta(days=1))
            parcel = OutboundMessage(channel="smtp", recipient="cem@example.net", forms=())
            write(engine, enqueue, yesterday, [parcel], now=datetime.now(UTC), state=FAILED)

            killed = is_killed(look_and_send_until, number, path)
            # By then, what may have been sent is due again.
            look_and_send(path, lambda: datetime.now(UTC) + timedelta(minutes=5))

            bodies = [server.bodies(reader) for reader in READERS[:2]]
            left = read(engine, list_undelivered, since=datetime.now(UTC).date())
            alerts = set(read(engine, load_open_alerts))
            engine.dispose()
        ids = {message_id(body) for each in bodies for body in each}
        found.append(([len(each) for each in bodies], len(ids), [each.state for each in left], alerts))
        if not killed:
            return found
    raise AssertionError


def test_a_kill_loses_no_alert_and_leaves_nothing_open(kills):
    assert all(min(copies) >= 1 and not left for copies, _, left, _ in kills)
    assert all(alerts == {"delivery world"} for *_, alerts in kills)


def test_a_kill_sends_one_recipient_a_second_copy_only_between_the_dot_and_its_record(kills):
    doubled = [copies for copies, *_ in kills if max(copies) > 1]

    # Beginning and commit of "sent", for each of the two.
    assert doubled == [[2, 1]] * 2 + [[1, 2]] * 2
    assert all(mails == 1 for _, mails, *_ in kills)
