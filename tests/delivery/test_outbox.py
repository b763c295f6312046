"""A pass over the outbox: what is sent, what comes back and when, and what is nobody's fault."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from digests.delivery.outbox import MAX_RETRY, OutboxWorker
from digests.model.delivery import OutboundMessage, Rendered
from digests.store.keys import DAILY, EditionKey
from digests.store.outbox import FAILED, FIRST_DELIVERY_RETRY, RETRY_FOR, SENT, UNKNOWN, WAITING, deliveries_of, enqueue
from tests.delivery.mail_server import MailServer
from tests.kinds import refuse_writes
from watcher.settings.load import parse_settings
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # makes and sends editions

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
PLACE = EditionKey(digest="world", local_date=date(2026, 11, 24), slot=DAILY)
MAIL = b"From: w@example.org\r\nMessage-ID: <1@example.org>\r\n\r\n" + b"news of the day\r\n" * 2_000
NAMES = ("ann@example.net", "bob@example.net", "cem@example.net")


class Desk:
    """A store with an outbox for three readers, and a clock."""

    def __init__(self, engine, folder, server: MailServer) -> None:
        self.engine, self.folder, self.server, self.now = engine, folder, server, NOW
        self.write_settings(NAMES)
        forms = (Rendered(format="eml", name="x.eml", body=MAIL),)
        parcels = [OutboundMessage(channel="smtp", recipient=name, forms=forms) for name in NAMES]
        write(engine, enqueue, PLACE, parcels, now=NOW)

    def write_settings(self, names: tuple[str, ...], password: str = "") -> None:
        login = f'user = "user"\npassword = "{password}"\n' if password else ""
        self.settings = parse_settings(
            f'[smtp]\nhost = "127.0.0.1"\nport = {self.server.port}\nsecurity = "plain"\ntimeout = "1s"\n{login}'
            f'[[digests]]\nmail = {{ from = "w@example.org" }}\n'
            f'deliver = [{{ channel = "smtp", to = {list(names)} }}]\n'.replace("'", '"'),
            self.folder / "settings.toml",
        )

    def run(self) -> list[tuple[str, str]]:
        """Do a pass; return who was tried, and what came of it."""
        worker = OutboxWorker(self.engine, self.settings, now=lambda: self.now, chance=lambda: 0.5)
        return [(each.recipient, each.state) for each in worker.send_due()]

    def rows(self):
        return read(self.engine, deliveries_of, PLACE)


@pytest.fixture
def desk(engine, tmp_path):
    with MailServer() as server:
        yield Desk(engine, tmp_path, server)


def test_each_reader_gets_a_mail_once(desk):
    assert desk.run() == [(name, SENT) for name in NAMES]
    assert desk.run() == []

    assert [mail.recipient for mail in desk.server.taken] == list(NAMES)
    assert {row.response for row in desk.rows()} == {"250 2.0.0 taken as 1A2B"}


def test_a_reader_whom_the_server_does_not_know_is_given_up_and_the_others_have_their_mail(desk):
    desk.server.refuses = {"bob@example.net": "550 5.1.1 no such user"}

    assert desk.run() == [("ann@example.net", SENT), ("bob@example.net", FAILED), ("cem@example.net", SENT)]
    assert "no such user" in desk.rows()[1].response
    desk.now += RETRY_FOR
    assert desk.run() == []


def test_a_server_that_is_down_is_asked_once_a_pass_and_less_and_less_often(desk):
    desk.server.at = {"connect": "421 closed for the night"}
    asked = []

    while desk.now <= NOW + timedelta(hours=4):
        before = desk.server.connections
        if desk.run():
            asked.append(desk.now - NOW)
        assert desk.server.connections - before <= 1
        desk.now += timedelta(seconds=30)

    minutes = [at / timedelta(minutes=1) for at in asked]
    assert minutes == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert FIRST_DELIVERY_RETRY * 2**6 > MAX_RETRY


def test_a_delivery_is_given_up_after_a_day_and_the_status_says_why(desk):
    desk.server.at = {"EHLO": "450 later"}

    while desk.now <= NOW + timedelta(days=2):
        desk.run()
        desk.now += timedelta(minutes=10)

    assert {row.state for row in desk.rows()} == {FAILED}
    assert "stopped after" in desk.rows()[0].response
    assert desk.rows()[0].settled_at <= NOW + RETRY_FOR


def test_what_may_have_arrived_is_sent_again_as_the_same_mail(desk):
    desk.server.at, desk.server.times = {"dot": "drop"}, 1

    assert desk.run() == [("ann@example.net", UNKNOWN), ("bob@example.net", WAITING), ("cem@example.net", WAITING)]
    desk.now += MAX_RETRY
    assert desk.run() == [(name, SENT) for name in NAMES]

    first, second = desk.server.bodies("ann@example.net")
    assert first == second == MAIL
    assert len(desk.server.bodies("bob@example.net")) == 1


def test_what_may_have_arrived_stays_so_until_it_is_known(desk):
    desk.server.at, desk.server.times = {"dot": "drop"}, 1
    desk.run()
    desk.server.at, desk.server.times = {"connect": "drop"}, None
    desk.now += MAX_RETRY

    desk.run()

    assert [row.state for row in desk.rows()] == [UNKNOWN, WAITING, WAITING]


def test_who_is_no_longer_in_the_settings_gets_nothing_more(desk):
    desk.write_settings(("ann@example.net", "cem@example.net"))

    assert dict(desk.run())["bob@example.net"] == FAILED

    assert desk.server.bodies("bob@example.net") == []
    assert "no longer in the settings" in desk.rows()[1].response


def test_a_secret_that_cannot_be_had_is_waited_for_and_said(desk, monkeypatch):
    monkeypatch.delenv("WATCHER_TEST_PASSWORD", raising=False)
    desk.write_settings(NAMES, password="env:WATCHER_TEST_PASSWORD")

    assert desk.run() == [(name, WAITING) for name in NAMES]
    assert desk.server.connections == 0
    assert desk.rows()[0].hint == "set the variable WATCHER_TEST_PASSWORD"

    monkeypatch.setenv("WATCHER_TEST_PASSWORD", "right")
    desk.server.password = "right"
    desk.now += FIRST_DELIVERY_RETRY
    assert desk.run() == [(name, SENT) for name in NAMES]


def test_a_pass_that_is_broken_off_ends_at_once_and_is_taken_up_later(desk):
    desk.write_settings(NAMES)
    desk.server.at, desk.server.times = {"RCPT": "hang"}, 1
    worker = OutboxWorker(desk.engine, desk.settings, now=lambda: desk.now)
    threading.Timer(0.2, worker.abort).start()

    list(worker.send_due())

    assert [row.state for row in desk.rows()] == [WAITING, WAITING, WAITING]
    desk.now += MAX_RETRY
    desk.run()
    assert sorted(mail.recipient for mail in desk.server.taken) == list(NAMES)


def test_what_was_sent_is_written_down_though_the_store_cannot_be_written_just_then(desk):
    refusing, fired = [], []
    refuse_writes(desk.engine, lambda: refusing)

    def taken() -> bool:
        if not fired:
            fired.append(True)
            refusing.append(True)
            threading.Timer(1.0, refusing.clear).start()
        return False

    desk.server.at = {"dot": taken}

    assert desk.run() == [(name, SENT) for name in NAMES]
    assert fired
    assert [mail.recipient for mail in desk.server.taken] == list(NAMES)
