"""Alerts on failures: a message when polls, editions or deliveries fail for a while, and one when they work again."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from digests.alerts.messages import SUBJECT_CHARS, WORDS_CHARS, AlertMessage, render_message
from digests.edition.schedule import digest_statuses
from digests.settings.alerts import AlertsSettings
from digests.settings.channel import DeliverSettings
from digests.settings.mail import parse_mailbox
from digests.store.keys import EditionKey, FailureAlertKey, SentItemKey, StoryAlertKey
from digests.store.outbox import (
    FAILED,
    RETRY_FOR,
    list_undelivered,
    load_open_alerts,
    save_failure_alert,
    save_open_alerts,
)
from watcher.errors import StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.store.feeds import count_poll_results
from watcher.store.outages import load_polling_stop, network_down_since
from watcher.text.format import fields
from watcher.text.plain_text import to_one_line
from watcher.worker.context import WorkerContext

log = logging.getLogger("digests")
ALERTS_EVERY_S = 60.0
SENDER = "watcher@localhost"  # if the settings name none
ALERT_RETRY_AFTER = timedelta(minutes=10)  # after an alert that could be neither stored nor sent
DELIVERIES_BACK = timedelta(days=2)
MAX_FAILING_SHARE = 0.5  # of the sources; if more fail, they are not to blame


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureAlert:
    """The alert, made at `at`, that a failure lasts since `since`, or with `is_over`, that it has ended."""

    name: str  # does not change while the failure lasts
    since: datetime
    at: datetime
    words: str = ""
    is_over: bool = False
    machine: str = field(default_factory=socket.gethostname)

    @property
    def key(self) -> FailureAlertKey:
        return _failure_key(self.name, self.at if self.is_over else self.since, is_over=self.is_over)

    @property
    def message(self) -> AlertMessage:
        """Return what the channels send: that the failure has begun or, if it is over, that it has ended."""
        what = to_one_line(self.name, SUBJECT_CHARS)
        return AlertMessage(
            kind="over" if self.is_over else "alert",
            name=self.name,
            machine=self.machine,
            since=self.since,
            at=self.at,
            subject=f"Watcher: {what} {'works again' if self.is_over else 'is failing'}",
            text=self._describe(),
        )

    def _describe(self) -> str:
        """Return the text of the message, one or two sentences for a person, with the times in UTC."""
        since = f"{self.since:%Y-%m-%d %H:%M} UTC"
        if self.is_over:
            until = f"{self.at:%Y-%m-%d %H:%M} UTC"
            return f"On {self.machine}, {self.name} works again since {until}. It had been failing since {since}.\n"
        words = to_one_line(self.words, WORDS_CHARS)
        return f"On {self.machine}, {self.name} has been failing since {since}: {words}.\n\nDetails: watcher status\n"


class AlertJob:
    """
    Puts alerts into the outbox, and remembers the open ones: those whose failure lasts.

    If the store cannot be written, the job sends the messages itself.
    """

    def __init__(self, settings: Settings, tools: WorkerContext) -> None:
        """Start without knowledge of alerts: the first run loads those that are out from the store."""
        self._settings = settings
        self._alerts = settings.section(AlertsSettings)
        self._tools = tools
        self._polling_since = tools.started_at or tools.now()
        self._open: dict[str, datetime] | None = None  # alerts that are out, by name, with the start of the failure
        self._is_stored = True  # whether the store has `_open`
        self._retry_at: dict[str, datetime] = {}

    async def run(self) -> None:
        """Send an alert for each new failure, and one for each that has ended. Errors: StoreError."""
        now, reader = self._tools.now(), self._tools.writer
        self._polling_since = min(self._polling_since, now)  # the clock may have been set back
        if not self._alerts.deliver:
            return
        after, since = self._alerts.after, self._polling_since
        active = await reader.read(_active_conditions, self._settings, now=now, after=after, polling_since=since)
        if self._open is None:
            self._open = await reader.read(load_open_alerts)
        wanted = [alert for alert in active if alert.name not in self._open]
        for name, since in self._open.items():
            # Right after the start it is unknown whether polls succeed.
            is_known = name != "polling" or now - self._polling_since >= self._alerts.after
            if is_known and name not in {alert.name for alert in active}:
                wanted.append(FailureAlert(name=name, since=since, at=now, is_over=True))
        for alert in wanted:
            # A wait longer than that of a retry comes from a clock that was ahead and has been set back.
            wait = self._retry_at.get(alert.name, now) - now
            if not timedelta() < wait <= ALERT_RETRY_AFTER:
                await self._alert(alert, self._open)
        if not self._is_stored:
            with suppress(StoreError):
                await self._tools.writer.do(save_open_alerts, dict(self._open))
                self._is_stored = True

    async def _alert(self, alert: FailureAlert, open_alerts: dict[str, datetime]) -> None:
        """Store the messages of an alert for delivery, or send them if the store cannot be written."""
        first_alert = _failure_key(alert.name, alert.since) if alert.is_over else None
        now_open = {name: since for name, since in open_alerts.items() if name != alert.name}
        now_open |= {} if alert.is_over else {alert.name: alert.since}
        sender = self._alerts.sender or SENDER
        messages = [
            render_message(alert.message, delivery, sender, recipient)
            for delivery in self._alerts.deliver
            for recipient in delivery.recipients(())
        ]
        try:
            sent_count = await self._tools.writer.do(
                save_failure_alert, alert.key, messages, now_open, ends=first_alert, now=self._tools.now()
            )
            self._is_stored = True
        except StoreError as error:
            # A store that cannot be written may be the failure that the alert is about, so the alert must not need the
            # store. The open alerts stay in memory, so that this process sends none of them twice.
            log.warning("alert_not_kept %s", fields(name=alert.name, reason=error))
            sent_count = sum(
                [await asyncio.to_thread(self._send, delivery, alert) for delivery in self._alerts.deliver]
            )
            if not sent_count:
                self._retry_at[alert.name] = self._tools.now() + ALERT_RETRY_AFTER
                return
            self._is_stored = False
        self._retry_at.pop(alert.name, None)
        self._open = now_open
        about = fields(name=alert.name, since=alert.since, reason=alert.words or None, told=sent_count)
        if alert.is_over:
            log.info("alert_over %s", about)
        else:
            log.warning("alert %s", about)

    def _send(self, delivery: DeliverSettings, alert: FailureAlert) -> int:
        """Send an alert by one channel; return the number of recipients that got it."""
        sender, sent_count = self._alerts.sender or SENDER, 0
        try:
            channel = delivery.open(self._settings, sender=parse_mailbox(sender)[1])
        except WatcherError as error:
            log.warning("alert_failed %s", fields(name=alert.name, channel=delivery.channel, reason=error))
            return 0
        with closing(channel):
            for recipient in delivery.recipients(()):
                try:
                    channel.send(render_message(alert.message, delivery, sender, recipient), before_commit=lambda: None)
                    sent_count += 1
                except WatcherError as error:
                    about = fields(name=alert.name, channel=delivery.channel, recipient=recipient, reason=error)
                    log.warning("alert_failed %s", about)
        return sent_count


def _failure_key(name: str, at: datetime, *, is_over: bool = False) -> FailureAlertKey:
    """Return the key in the outbox of an alert on a failure since `at`, or on its end at `at`."""
    return FailureAlertKey(failure=name, failure_at=at.replace(microsecond=0), is_over=is_over)


def _active_conditions(
    connection: Connection, settings: Settings, *, now: datetime, after: timedelta, polling_since: datetime
) -> tuple[FailureAlert, ...]:
    """Return what has failed for `after` or longer; polls count from `polling_since`, when the daemon started."""
    return (
        *_poll_failures(connection, now, after, polling_since),
        *_edition_failures(connection, settings, now=now, after=after),
        *_delivery_failures(connection, now=now, after=after),
    )


def _poll_failures(
    connection: Connection, now: datetime, after: timedelta, polling_since: datetime
) -> Iterator[FailureAlert]:
    """Yield an alert if no source has answered for `after`, or most sources have not."""
    results = count_poll_results(connection, failing_before=now - after)
    if not results.feeds or now - polling_since < after:
        return
    last_read_at = max(results.last_read_at or polling_since, polling_since)
    if now - last_read_at >= after:
        why = f"{results.failing} of {results.feeds} are failing now"
        if stop := load_polling_stop(connection):
            why = str(stop.reason)
        elif network_down_since(connection):
            why = "this machine has no internet connection"
        yield FailureAlert(name="polling", since=last_read_at, at=now, words=f"no source has answered; {why}")
    elif results.failing_long > MAX_FAILING_SHARE * results.feeds:
        words = f"{results.failing_long} of {results.feeds} sources have not answered since then"
        yield FailureAlert(name="polling", since=now - after, at=now, words=words)


def _edition_failures(
    connection: Connection, settings: Settings, *, now: datetime, after: timedelta
) -> Iterator[FailureAlert]:
    """Yield an alert for each digest whose edition has been due for `after` and is not built."""
    for status in digest_statuses(connection, settings, now=now):
        if status.missing_since is not None and now - status.missing_since >= after:
            words = f'the edition of "{status.title}" that was due then is not made yet'
            yield FailureAlert(name=f"edition {status.digest}", since=status.missing_since, at=now, words=words)


def _delivery_failures(connection: Connection, *, now: datetime, after: timedelta) -> Iterator[FailureAlert]:
    """Yield one alert for each digest with a delivery that was given up, or has waited for `after`."""
    alerts: dict[str, FailureAlert] = {}
    for delivery in list_undelivered(connection, since=(now - DELIVERIES_BACK).date()):
        match delivery.key:
            case EditionKey():
                what = f"the edition of {delivery.key.label}"
            case SentItemKey():
                what = f"the {delivery.key.item}"
            case StoryAlertKey():
                what = f"the alert of {delivery.key.local_date}"
            case FailureAlertKey():  # an alert on an alert would itself keep what it is about alive
                continue
        since = delivery.give_up_at - RETRY_FOR
        if delivery.state != FAILED and now - since < after:
            continue
        name = f"delivery {delivery.key.digest}"
        state = "could not be delivered" if delivery.state == FAILED else "is still waiting"
        words = f"{what} to {delivery.recipient} by {delivery.channel} {state}: {delivery.response}"
        alerts.setdefault(name, FailureAlert(name=name, since=since, at=now, words=words))
    yield from alerts.values()
