"""The alert job: sends one message when something has failed for a while, and one when it works again."""

import asyncio
import logging
from contextlib import closing
from datetime import datetime, timedelta

from digests.alerts.conditions import Alert, active_conditions
from digests.alerts.render import render_message
from digests.delivery.channels import open_channel
from digests.settings.alerts import alerts_of
from digests.settings.delivery import DeliverSettings, parse_mailbox
from digests.settings.digests import smtp_of
from digests.store.outbox import load_open_alerts, save_open_alerts
from watcher.errors import StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.text.format import fields
from watcher.worker.context import WorkerContext

log = logging.getLogger("digests")
EVERY_S = 60.0
RETRY_AFTER = timedelta(minutes=10)  # after an alert that no recipient got


class AlertJob:
    """Sends alerts, and remembers the open ones. They are kept in memory too, because the store itself may fail."""

    def __init__(self, settings: Settings, tools: WorkerContext) -> None:
        self._settings = settings
        self._alerts = alerts_of(settings)
        self._tools = tools
        self._polling_since = tools.started_at or tools.now()
        self._out: dict[str, datetime] | None = None
        self._retry_at: dict[str, datetime] = {}

    async def run(self) -> None:
        """Send an alert for each new condition, and for each that has ended. Errors: StoreError."""
        now, reader = self._tools.now(), self._tools.writer
        self._polling_since = min(self._polling_since, now)  # the clock may have been set back
        if not self._alerts.deliver:
            return
        after, since = self._alerts.after, self._polling_since
        active = await reader.read(active_conditions, self._settings, now=now, after=after, polling_since=since)
        if self._out is None:
            self._out = await reader.read(load_open_alerts)
        wanted = [each for each in active if each.name not in self._out]
        for name, since in self._out.items():
            # Right after the start it is unknown whether polls succeed.
            is_known = name != "polling" or now - self._polling_since >= self._alerts.after
            if is_known and name not in {each.name for each in active}:
                wanted.append(Alert(name=name, since=since, at=now, is_over=True))
        for alert in wanted:
            wait = self._retry_at.get(alert.name, now) - now
            if not timedelta() < wait <= RETRY_AFTER:
                await self._alert(alert)

    async def _alert(self, alert: Alert) -> None:
        taken = sum([await asyncio.to_thread(self._send, way, alert) for way in self._alerts.deliver])
        if not taken:
            self._retry_at[alert.name] = self._tools.now() + RETRY_AFTER
            return
        self._retry_at.pop(alert.name, None)
        assert self._out is not None
        about = fields(name=alert.name, since=alert.since, reason=alert.words or None, told=taken)
        if alert.is_over:
            self._out.pop(alert.name, None)
            log.info("alert_over %s", about)
        else:
            self._out[alert.name] = alert.since
            log.warning("alert %s", about)
        try:
            await self._tools.writer.do(save_open_alerts, dict(self._out))
        except StoreError as error:  # it stays in memory, so that this process does not send it twice
            log.warning("alert_not_kept %s", fields(name=alert.name, reason=error))

    def _send(self, delivery: DeliverSettings, alert: Alert) -> int:
        """Send an alert by one channel; return the number of recipients that got it."""
        sender = self._alerts.sender or "watcher@localhost"
        taken = 0
        try:
            channel = open_channel(delivery, smtp_of(self._settings), sender=parse_mailbox(sender)[1])
        except WatcherError as error:
            log.warning("alert_failed %s", fields(name=alert.name, channel=delivery.channel, reason=error))
            return 0
        with closing(channel):
            for recipient in delivery.recipients(()):
                try:
                    channel.send(render_message(alert, delivery, sender, recipient), before_commit=lambda: None)
                    taken += 1
                except WatcherError as error:
                    about = fields(name=alert.name, channel=delivery.channel, recipient=recipient, reason=error)
                    log.warning("alert_failed %s", about)
        return taken
