"""The daemon's alerts: tells somebody when something has failed for a while, once, and when it has ended."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from digests.alerts.conditions import active_conditions
from digests.alerts.render import Alert, render_mail, render_webhook
from digests.delivery.channels import open_channel
from digests.model import OutboundMessage, Rendered
from digests.settings.alerts import alerts_of
from digests.settings.delivery import DeliverSettings, parse_mailbox
from digests.settings.digests import smtp_of
from digests.store.outbox import load_open_alerts, save_open_alerts
from watcher.errors import StoreError, WatcherError
from watcher.settings.models import Settings
from watcher.text.format import fields
from watcher.worker.context import WorkerContext

log = logging.getLogger("digests")
RETRY_AFTER = timedelta(minutes=10)  # after an alert that reached nobody
EVERY_S = 60.0


class AlertJob:
    """The job. What was told is kept in the store, and in memory as well: a store may be what fails."""

    def __init__(self, settings: Settings, tools: WorkerContext) -> None:
        self._settings = settings
        self._tools = tools
        self._looking_since = tools.started_at or tools.now()
        self._out: dict[str, datetime] | None = None
        self._again_at: dict[str, datetime] = {}

    async def run(self) -> None:
        """Tell what is new, and what is over. Errors: StoreError."""
        wanted, now = alerts_of(self._settings), self._tools.now()
        self._looking_since = min(self._looking_since, now)  # the clock may have been set back
        if not wanted.deliver:
            return
        look = partial(
            active_conditions, settings=self._settings, now=now, after=wanted.after, looking_since=self._looking_since
        )
        found = {trouble.name: trouble for trouble in await self._tools.writer.read(look)}
        if self._out is None:
            self._out = await self._tools.writer.read(load_open_alerts)
        for name, trouble in found.items():
            if name not in self._out and not self._rests(name, now):
                await self._tell(self._alert(name, trouble.words, trouble.since, now), keep=True)
        for name, since in list(self._out.items()):
            if name not in found and not self._rests(name, now) and self._is_known(name, now):
                await self._tell(self._alert(name, "", since, now, is_over=True), keep=False)

    def _rests(self, name: str, now: datetime) -> bool:
        """Whether an alert that reached nobody waits for its next try."""
        return timedelta() < self._again_at.get(name, now) - now <= RETRY_AFTER

    def _is_known(self, name: str, now: datetime) -> bool:
        """Whether an end can be told: right after a start nobody knows yet how polls fare."""
        return name != "polling" or now - self._looking_since >= alerts_of(self._settings).after

    def _alert(self, name: str, words: str, since: datetime, now: datetime, *, is_over: bool = False) -> Alert:
        return Alert(name=name, words=words, machine=socket.gethostname(), since=since, at=now, is_over=is_over)

    async def _tell(self, alert: Alert, *, keep: bool) -> None:
        """Send an alert by each way, and note it if one took it."""
        taken = 0
        for way in alerts_of(self._settings).deliver:
            taken += await asyncio.to_thread(self._send, way, alert)
        if not taken:
            self._again_at[alert.name] = self._tools.now() + RETRY_AFTER
            return
        self._again_at.pop(alert.name, None)
        assert self._out is not None
        if keep:
            self._out[alert.name] = alert.since
        else:
            self._out.pop(alert.name, None)
        level, event = (logging.INFO, "alert_over") if alert.is_over else (logging.WARNING, "alert")
        log.log(
            level, f"{event} %s", fields(name=alert.name, since=alert.since, reason=alert.words or None, told=taken)
        )
        out = dict(self._out)
        try:
            await self._tools.writer.do(save_open_alerts, out)
        except StoreError as error:  # it stays in memory: nobody is told twice while we live
            log.warning("alert_not_kept %s", fields(name=alert.name, reason=error))

    def _send(self, way: DeliverSettings, alert: Alert) -> int:
        """Return how many recipients of a way have taken an alert."""
        sender = alerts_of(self._settings).sender
        taken = 0
        try:
            channel = open_channel(way, smtp_of(self._settings), sender=address_of(sender))
        except WatcherError as error:
            log.warning("alert_failed %s", fields(name=alert.name, channel=way.channel, reason=error))
            return 0
        try:
            for parcel in build_alert_messages(way, alert, sender=sender or "watcher@localhost"):
                try:
                    channel.send(parcel, before_commit=lambda: None)
                    taken += 1
                except WatcherError as error:
                    told = fields(name=alert.name, channel=way.channel, recipient=parcel.recipient, reason=error)
                    log.warning("alert_failed %s", told)
        finally:
            channel.close()
        return taken


def build_alert_messages(way: DeliverSettings, alert: Alert, *, sender: str) -> Iterator[OutboundMessage]:
    """Yield what each recipient of a way gets."""
    stamp = f"{alert.at:%Y-%m-%d-%H%M%S}-alert"
    for recipient in way.recipients(()):
        match way.channel:
            case "smtp" | "sendmail":
                form = Rendered(
                    format="eml", name=f"{stamp}.eml", body=render_mail(alert, sender=sender, recipient=recipient)
                )
            case "webhook":
                form = Rendered(format=way.shape, name=f"{stamp}.json", body=render_webhook(alert, shape=way.shape))
            case _:
                form = Rendered(format="text", name=f"{stamp}.txt", body=f"{alert.subject}\n\n{alert.text}".encode())
        yield OutboundMessage(channel=way.channel, recipient=recipient, forms=(form,))


def address_of(sender: str | None) -> str:
    """Return the address of a sender, "" if there is none."""
    return parse_mailbox(sender)[1] if sender else ""
