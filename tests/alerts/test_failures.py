"""Alerts: somebody is told once when polls, editions or deliveries fail for a while, and when they work again."""

from __future__ import annotations

import email
import json
from datetime import UTC, date, datetime, timedelta
from email import policy

import pytest

from digests.alerts.failures import ALERT_RETRY_AFTER, AlertJob, FailureAlert
from digests.alerts.messages import _render_mail, _render_webhook
from digests.delivery.outbox import OutboxWorker
from digests.model.delivery import OutboundMessage, Rendered
from digests.store.editions import claim, first_seen, open_digests
from digests.store.keys import DAILY, EditionKey
from digests.store.outbox import enqueue, load_open_alerts
from digests.store.schema import editions
from tests.delivery.mail_server import MailServer
from tests.kinds import on, refuse_writes
from tests.tools import tools_of
from watcher.errors import SettingsError, status_reason
from watcher.failure_messages import Reason, TaskKind
from watcher.model import PollFailed, PollUnchanged, Source, Validators
from watcher.net.client import Client
from watcher.settings.load import parse_settings
from watcher.store.feeds import feed_state, sync_sources
from watcher.store.outages import record_network_down, record_polling_stop
from watcher.store.polls import record_polls
from watcher.store.writer import Writer, read, write

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

START = datetime(2026, 6, 10, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
URLS = [f"https://{name}.example/feed" for name in "abcd"]
SETTINGS = """
[store]
url = "sqlite:///w.db"
[smtp]
host = "127.0.0.1"
port = {port}
security = "plain"
timeout = "1s"
[alerts]
after = "2h"
from = "Watcher <w@example.org>"
deliver = [{{ channel = "smtp", to = ["ann@example.net"] }}, {{ channel = "file", directory = "alerts" }}]
[[digests]]
name = "world"
title = "World Digest"
at = "06:30"
"""


class Desk:
    """A store that a daemon polls into, with the time in our hands."""

    def __init__(self, folder, server: MailServer, store_url: str) -> None:
        self.folder, self.server, self.now = folder, server, START
        self.settings = parse_settings(on(store_url, SETTINGS.format(port=server.port)), folder / "settings.toml")
        self.engine = open_digests(self.settings.store.url)
        self.writer = Writer(self.engine, patience_s=0.0)
        sources = [Source(url=url, name=url[8]) for url in URLS]
        write(self.engine, sync_sources, sources, now=START)
        write(self.engine, first_seen, "world", now=START)
        self.alerts = self.start()

    def start(self) -> AlertJob:
        tools = tools_of(self.writer, Client(user_agent="Watcher/0"), None, now=lambda: self.now, started_at=self.now)
        return AlertJob(self.settings, tools)

    def poll(self, *, good: int) -> None:
        """Poll all four, the first `good` of which answer."""
        feeds = read(self.engine, lambda c: [feed_state(c, url).feed for url in URLS])
        same = {"at": self.now, "next_poll_at": self.now + HOUR}
        success = PollUnchanged(**same, validators=Validators(), took_s=0.1, moved_to=None)
        failure = PollFailed(**same, reason=status_reason(503))
        polls = [(feed, success if n < good else failure) for n, feed in enumerate(feeds)]
        write(self.engine, record_polls, polls)

    def edition(self, day: date) -> None:
        window = (self.now - 24 * HOUR, self.now)
        key = EditionKey(digest="world", local_date=day)
        write(self.engine, claim, key, window=window, now=self.now)
        write(self.engine, lambda c: c.execute(editions.update().values(made_at=self.now)))

    async def pass_time(self, hours: float, *, good: int) -> None:
        until = self.now + hours * HOUR
        while self.now < until:
            self.now += HOUR / 4
            self.poll(good=good)
            await self.alerts.run()
            self.send()

    def send(self) -> None:
        """Send what is in the outbox and due."""
        list(OutboxWorker(self.engine, self.settings, now=lambda: self.now).send_due())

    def subjects(self) -> list[str]:
        return [email.message_from_bytes(m.body, policy=policy.default)["Subject"] for m in self.server.taken]

    def text(self) -> str:
        """The first mail's."""
        return email.message_from_bytes(self.server.taken[0].body, policy=policy.default).get_content()


@pytest.fixture
def desk(tmp_path, store_url):
    with MailServer() as server:
        desk = Desk(tmp_path, server, store_url)
        yield desk
        desk.writer.close()
        desk.engine.dispose()


async def test_nobody_is_told_while_all_is_well(desk):
    await desk.pass_time(6, good=4)

    assert desk.server.taken == []


async def test_polls_that_fail_for_long_are_told_once_and_their_recovery_too(desk):
    await desk.pass_time(2, good=4)
    await desk.pass_time(2, good=0)
    assert desk.subjects() == ["Watcher: polling is failing"]
    await desk.pass_time(1, good=0)
    await desk.pass_time(0.5, good=4)

    assert desk.subjects() == ["Watcher: polling is failing", "Watcher: polling works again"]
    told = desk.text()
    assert "no source has answered; 4 of 4 are failing now" in told
    files = sorted((desk.folder / "alerts").iterdir())
    assert len(files) == 2 and "polling has been failing since 2026-06-10 02:00 UTC" in files[0].read_text()


async def test_an_alert_names_what_the_machine_lacks(desk):
    await desk.pass_time(1, good=4)
    write(desk.engine, record_polling_stop, Reason(TaskKind.NO_DESCRIPTORS), now=desk.now)
    write(desk.engine, record_network_down, down_since=desk.now)
    desk.now += 3 * HOUR
    await desk.alerts.run()
    desk.send()

    assert "no source has answered; no file descriptors are left, so" in desk.text()
    assert "internet" not in desk.text()


async def test_most_sources_failing_for_long_are_told_though_some_answer(desk):
    await desk.pass_time(1, good=4)
    await desk.pass_time(4, good=1)

    assert desk.subjects() == ["Watcher: polling is failing"]
    assert "3 of 4 sources have not answered" in desk.text()


async def test_a_short_outage_is_told_to_nobody(desk):
    await desk.pass_time(2, good=4)
    await desk.pass_time(1.5, good=0)
    await desk.pass_time(2, good=4)

    assert desk.server.taken == []


async def test_an_edition_that_is_not_made_is_told_until_one_is(desk):
    await desk.pass_time(8.75, good=4)  # it was due at 06:30

    assert desk.subjects() == ["Watcher: edition world is failing"]
    assert 'the edition of "World Digest" that was due then is not made yet' in desk.text()
    await desk.pass_time(14, good=4)  # far beyond the time in which it may be caught up
    assert len(desk.server.taken) == 1
    desk.edition(date(2026, 6, 10))
    await desk.pass_time(0.5, good=4)
    assert desk.subjects()[1:] == ["Watcher: edition world works again"]


async def test_a_delivery_that_was_given_up_is_told(desk):
    place = EditionKey(digest="world", local_date=START.date(), slot=DAILY)
    parcel = OutboundMessage(
        channel="smtp", recipient="bob@example.net", forms=(Rendered(format="eml", name="x", body=b"x"),)
    )
    write(desk.engine, enqueue, place, [parcel], now=desk.now)

    await desk.pass_time(2.25, good=4)

    assert desk.subjects() == ["Watcher: delivery world is failing"]
    assert "bob@example.net" in desk.text()


async def test_a_restart_tells_nothing_twice_and_does_not_forget_the_end(desk):
    await desk.pass_time(2, good=4)
    await desk.pass_time(2.25, good=0)
    desk.alerts = desk.start()
    await desk.pass_time(1, good=0)
    assert desk.subjects() == ["Watcher: polling is failing"]
    desk.alerts = desk.start()

    await desk.pass_time(2.5, good=4)

    assert desk.subjects() == ["Watcher: polling is failing", "Watcher: polling works again"]
    assert read(desk.engine, load_open_alerts) == {}


async def test_an_alert_that_reaches_nobody_is_tried_again(desk):
    desk.server.at = {"MAIL": "451 4.3.0 later"}
    await desk.pass_time(2, good=4)
    await desk.pass_time(3, good=0)
    assert desk.server.taken == []

    desk.server.at = {}
    await desk.pass_time(1.25, good=0)

    assert desk.subjects() == ["Watcher: polling is failing"]


async def test_those_who_did_not_get_an_alert_in_time_are_not_told_that_it_is_over(desk):
    desk.server.at = {"MAIL": "451 4.3.0 later"}
    await desk.pass_time(2, good=4)
    await desk.pass_time(3, good=0)

    desk.server.at = {}
    desk.poll(good=4)
    await desk.alerts.run()
    await desk.pass_time(3, good=4)

    assert desk.server.taken == []
    files = sorted((desk.folder / "alerts").iterdir())
    assert ["is failing" in file.read_text() for file in files] == [True, False]
    assert "polling works again" in files[1].read_text()
    assert read(desk.engine, load_open_alerts) == {}


async def test_while_the_store_cannot_be_written_an_alert_is_sent_without_it_and_stored_later(desk):
    (desk.folder / "alerts").write_text("no folder")
    is_full = False
    refuse_writes(desk.engine, lambda: is_full)
    await desk.pass_time(2, good=4)
    desk.now += 3 * HOUR
    desk.poll(good=0)
    is_full = True
    desk.server.at = {"MAIL": "451 4.3.0 later"}
    await desk.alerts.run()
    assert desk.server.taken == []

    desk.server.at = {}
    for wait in (ALERT_RETRY_AFTER / 2, ALERT_RETRY_AFTER / 2, ALERT_RETRY_AFTER, ALERT_RETRY_AFTER):
        desk.now += wait
        await desk.alerts.run()
    assert desk.subjects() == ["Watcher: polling is failing"]
    assert read(desk.engine, load_open_alerts) == {}

    is_full = False
    await desk.alerts.run()
    assert read(desk.engine, load_open_alerts).keys() == {"polling"}
    await desk.pass_time(1, good=4)
    assert desk.subjects() == ["Watcher: polling is failing", "Watcher: polling works again"]


async def test_an_alert_that_cannot_be_delivered_is_no_reason_for_another(desk):
    desk.server.at = {"RCPT": "550 5.1.1 no such mailbox"}
    await desk.pass_time(2, good=4)

    await desk.pass_time(40, good=0)

    assert read(desk.engine, load_open_alerts).keys() == {"polling", "edition world"}


async def test_a_machine_that_was_off_is_no_fault(desk):
    await desk.pass_time(2, good=4)
    desk.now += 48 * HOUR
    desk.edition(desk.now.date())
    desk.alerts = desk.start()
    await desk.alerts.run()
    await desk.pass_time(1, good=4)

    assert [subject for subject in desk.subjects() if "polling" in subject] == []


@pytest.mark.parametrize("shape", ["json", "ntfy", "slack", "discord", "apprise"])
async def test_a_web_address_gets_its_shape(shape, tmp_path):
    alert = FailureAlert(name="polling", words='no source\r\nanswers "&<"', machine="m", since=START, at=START + HOUR)
    told = json.loads(_render_webhook(alert.message, shape=shape))

    assert {"json": "text", "ntfy": "message", "slack": "text", "discord": "content", "apprise": "text"}[shape] in told
    assert "polling has been failing since 2026-06-10 00:00 UTC" in json.dumps(told)


async def test_hostile_words_stay_in_the_body_and_on_their_line():
    words = "x\r\nBcc: evil@example.org\r\n\r\n=?utf-8?q?evil?=\u202e"
    alert = FailureAlert(name="edition a\r\nBcc: e@e", words=words, machine="m", since=START, at=START)

    found = email.message_from_bytes(
        _render_mail(alert.message, sender="w@example.org", recipient="a@example.net"), policy=policy.SMTP
    )

    assert found.keys().count("Bcc") == 0
    assert found["Subject"].startswith("Watcher: edition a Bcc: e@e is failing")


def test_wrong_ways_are_named_with_their_place(tmp_path):
    with pytest.raises(SettingsError) as caught:
        parse_settings('[alerts]\nafter = "1m"\ndeliver = [{ channel = "smtp" }]\n', tmp_path / "settings.toml")

    keys = {problem.key for problem in caught.value.problems}
    assert {"alerts.after", "alerts.deliver[1].channel"} <= keys
