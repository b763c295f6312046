"""Sends the deliveries of the outbox one by one: claim, mark in flight, send, store the outcome."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, Engine

from digests.delivery.send import open_service
from digests.errors import DeliveryError
from digests.settings.alerts import AlertsSettings
from digests.settings.channel import Channel
from digests.settings.digests import digests_of
from digests.settings.mail import parse_mailbox
from digests.settings.send import SendSection
from digests.store import outbox
from digests.store.keys import ALERTS, SEND, DeliveryKey
from digests.store.outbox import FAILED, FIRST_DELIVERY_RETRY, SENT, UNKNOWN, WAITING, Delivery
from watcher.errors import WatcherError
from watcher.settings.models import Settings
from watcher.store.writer import read, write, write_with_retry

MAX_RETRY = timedelta(hours=1)  # between two attempts; `FIRST_DELIVERY_RETRY` is doubled for each failure in a row
MAX_RETRY_AFTER = timedelta(hours=6)  # longest wait that the other side may request
OUTBOX_SAVE_PATIENCE_S = 240.0  # how long to retry while the store cannot be written; less than a lease of the outbox
RETRY_JITTER = 0.2  # of a wait, added or subtracted: deliveries that failed together are not retried together
Route = tuple[str, str, str]  # digest, channel, recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A table `deliver` of a digest or of the alerts, or a service of `[[send]]`. `key` distinguishes it."""

    key: tuple[str, int]
    open: Callable[[Settings], Channel]
    recipients: tuple[str, ...]


class OutboxWorker:
    """One pass over the outbox. Use it in one thread; `abort` may be called from another."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,  # returns a number from 0 to 1
    ) -> None:
        """Prepare to send; channels are opened when the first message needs them."""
        self._engine = engine
        self._settings = settings
        self._now = now
        self._chance = chance
        self._routes = _delivery_routes(settings)
        self._open: dict[tuple[str, int], Channel] = {}
        self._is_aborted = False

    def send_due(self, key: DeliveryKey | None = None) -> Iterator[Delivery]:
        """
        Send the due deliveries, of one edition or alert if it is given; yield each in its new state.

        Errors: StoreError. A delivery in flight then stays `unknown`, or is due again when its lease ends.
        """
        try:
            while not self._is_aborted:
                found = write(self._engine, outbox.claim_delivery, now=self._now(), key=key)
                if found is None:
                    return
                yield from self._deliver(found)
        finally:
            for channel in self._open.values():
                channel.close()
            self._open.clear()

    def abort(self) -> None:
        """End the pass: a running send is aborted, and its delivery is due again."""
        self._is_aborted = True
        for channel in list(self._open.values()):
            channel.abort()

    def _deliver(self, delivery: Delivery) -> tuple[Delivery, ...]:
        """Send a delivery; return it in its new state, with those that failed for the same reason."""

        def before_commit() -> None:
            if not write(self._engine, outbox.mark_in_flight, delivery):
                raise DeliveryError(delivery.channel, "another process sends it now")

        try:
            channel = self._channel(delivery)
            message = read(self._engine, outbox.message_from_row, delivery)
            response = channel.send(message, before_commit=before_commit)
        except DeliveryError as error:
            return self._record_failure(delivery, error)
        now = self._now()
        sent = replace(delivery, state=SENT, response=response, settled_at=now, hint=None)
        write_with_retry(self._engine, self._patience_s(), outbox.save_outcome, sent, now=now)
        return (sent,)

    def _channel(self, delivery: Delivery) -> Channel:
        """Return the open channel for the recipient of a delivery. Errors: DeliveryError."""
        found = self._routes.get(_route_of(delivery))
        if found is None:
            raise DeliveryError(delivery.channel, f"{delivery.recipient} is no longer in the settings", permanent=True)
        if found.key not in self._open:
            try:
                self._open[found.key] = found.open(self._settings)
            except DeliveryError:
                raise
            except WatcherError as error:
                raise DeliveryError(
                    delivery.channel, str(error), affects_all_recipients=True, hint=error.hint
                ) from error
        return self._open[found.key]

    def _record_failure(self, delivery: Delivery, error: DeliveryError) -> tuple[Delivery, ...]:
        """Store a delivery's failure, and its channel's others if the channel is at fault; return what was changed."""
        now = self._now()
        state, next_try_at = _retry_decision(delivery, error, now=now, chance=self._chance())
        response = error.reason
        if state == FAILED and not error.permanent:
            response = f"stopped after {delivery.attempts} attempts: {response}"
        failed = replace(delivery, state=state, response=response, hint=error.hint, next_try_at=next_try_at or now)
        recipients: tuple[str, ...] = ()
        if error.affects_all_recipients and not self._is_aborted and (found := self._routes.get(_route_of(delivery))):
            recipients = found.recipients

        def save_failure(connection: Connection) -> tuple[Delivery, ...]:
            outbox.save_outcome(connection, failed, now=now)
            return outbox.fail_siblings(connection, failed, recipients=recipients, now=now)

        return failed, *write_with_retry(self._engine, self._patience_s(), save_failure)

    def _patience_s(self) -> float:
        """Return how long to try to store an outcome: without one, a delivery would stay `unknown`."""
        return 0.0 if self._is_aborted else OUTBOX_SAVE_PATIENCE_S


def _delivery_routes(settings: Settings) -> dict[Route, Way]:
    """Return by digest, channel and recipient the first table in `deliver` that fits; `ALERTS` is a digest here."""
    alerts = settings.section(AlertsSettings)
    tables = [(digest.name, digest.mail.sender, digest.mail.to, digest.deliver) for digest in digests_of(settings)]
    tables.append((ALERTS, alerts.sender, (), alerts.deliver))
    found: dict[Route, Way] = {}
    for name, mailbox, mail_to, ways in tables:
        sender = parse_mailbox(mailbox)[1] if mailbox else ""
        for n, way in enumerate(ways):
            recipients = way.recipients(mail_to)
            made = Way(key=(name, n), open=partial(way.open, sender=sender), recipients=recipients)
            for recipient in recipients:
                found.setdefault((name, way.channel, recipient), made)
    for n, service in enumerate(settings.section(SendSection).root):
        made = Way(key=(SEND, n), open=partial(open_service, service), recipients=(service.name,))
        found[SEND, outbox.SEND_CHANNEL, service.name] = made
    return found


def _route_of(delivery: Delivery) -> Route:
    return delivery.key.digest, delivery.channel, delivery.recipient


def _retry_decision(
    delivery: Delivery, error: DeliveryError, *, now: datetime, chance: float
) -> tuple[str, datetime | None]:
    """
    Return the new state of a failed delivery, and when it is tried again; None if it is given up.

    A message that may have arrived is sent again, as the same mail with the same Message-ID: a second copy is better
    than none (docs/guides/delivery.md).
    """
    if error.permanent:
        return FAILED, None
    wait = min(FIRST_DELIVERY_RETRY * 2 ** min(delivery.attempts - 1, 10), MAX_RETRY)
    wait *= 1 + RETRY_JITTER * (2 * chance - 1)
    if error.retry_after_s is not None:
        wait = max(wait, min(timedelta(seconds=error.retry_after_s), MAX_RETRY_AFTER))
    if now + wait > delivery.give_up_at:
        return FAILED, None
    unknown = error.maybe_arrived or delivery.state == UNKNOWN  # an earlier attempt may have arrived
    return UNKNOWN if unknown else WAITING, now + wait
