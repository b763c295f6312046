"""Deliveries of editions and of alerts to recipients, and the alerts on failures that are open."""

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, func, or_, select, update

from digests.model.delivery import OutboundMessage, Rendered
from digests.model.story import MERGED, SPLIT
from digests.store.editions import is_process_alive, process_id
from digests.store.keys import DeliveryKey, EditionKey, FailureAlertKey, SentItemKey, StoryAlertKey
from digests.store.schema import deliveries, stories, story_changes
from watcher.store.schema import articles, revisions
from watcher.store.sql import columns_of, execute_each, insert, load_meta, load_records, save_meta

WAITING, SENDING, UNKNOWN, SENT, FAILED = "waiting", "sending", "unknown", "sent", "failed"
OPEN_STATES = (WAITING, SENDING, UNKNOWN)
DELIVERY_LEASE = timedelta(minutes=10)  # longer than any channel takes for one message
RETRY_FOR = timedelta(hours=36)  # a mail server may be down for a day; after this time a delivery is given up
# After the first failure, or after a process that died while it was sending.
FIRST_DELIVERY_RETRY = timedelta(minutes=1)
MAX_RETRY_DELAY = timedelta(hours=8)  # to the next try, jitter included; only a wrong clock sets a later one
SEND_CHANNEL = "send"
OPEN_ALERTS, LAST_CHANGE = "alerts_out", "story_alerts_change"  # in `meta`
# An alert on a story with one of these states is not sent: it is no news to the reader, or the limit of the day is
# reached.
KNOWN, OVER_LIMIT = "known", "over limit"
UNSENT = (KNOWN, OVER_LIMIT)
IS_STORY_ALERT = deliveries.c.rule.is_not(None)
MAX_QUIET = timedelta(hours=25)  # as `MAX_RETRY_DELAY`, for an alert that waits for the end of quiet hours
FAILED_SHOWN_FOR = timedelta(days=7)  # in the status and the metrics
ALERTS_KEPT = timedelta(days=60)  # by then, a story is over
CLAIM_CANDIDATES = 50  # due rows tried for one claim: other processes may hold as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery of an edition or an alert, without its message. `lease_by` names the process that is sending it."""

    id: int
    key: DeliveryKey
    channel: str
    recipient: str
    state: str
    attempts: int
    next_try_at: datetime
    give_up_at: datetime
    settled_at: datetime | None
    response: str
    hint: str | None
    lease_by: str | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryAlertRow(StoryAlertKey):
    """A stored alert on a story: whom it was sent to, or in one of the states `UNSENT`, who is not told."""

    channel: str
    recipient: str
    state: str
    next_try_at: datetime
    settled_at: datetime | None
    response: str  # of the server; in one of the states `UNSENT`, why the message is not sent

    @property
    def key(self) -> StoryAlertKey:
        return StoryAlertKey(digest=self.digest, local_date=self.local_date, about=self.about, rule=self.rule)


KEY_NAMES = ("digest", "local_date", "slot", "about", "rule", "item", "failure", "failure_at", "is_over")
KEY_COLUMNS = [deliveries.c[name] for name in KEY_NAMES]
OWN_COLUMNS = [deliveries.c[field.name] for field in fields(Delivery) if field.name != "key"]
DELIVERY_COLUMNS = KEY_COLUMNS + OWN_COLUMNS


def _key_values(key: DeliveryKey) -> dict[str, Any]:
    """Return the values of the columns that a key fills."""
    return {name: getattr(key, name) for name in KEY_NAMES if hasattr(key, name)}


def _delivery_of(row: Row[*tuple[Any, ...]]) -> Delivery:
    """Return the delivery of a row of `DELIVERY_COLUMNS`."""
    key: DeliveryKey
    if row.slot is not None:
        key = EditionKey(digest=row.digest, local_date=row.local_date, slot=row.slot)
    elif row.rule is not None:
        key = StoryAlertKey(digest=row.digest, local_date=row.local_date, about=row.about, rule=row.rule)
    elif row.item is not None:
        key = SentItemKey(local_date=row.local_date, item=row.item)
    else:
        key = FailureAlertKey(failure=row.failure, failure_at=row.failure_at, is_over=row.is_over)
    return Delivery(key=key, **{column.name: row._mapping[column] for column in OWN_COLUMNS})


def _has_key(key: DeliveryKey) -> tuple[ColumnElement[bool], ...]:
    """Return the WHERE conditions for the deliveries of an edition or an alert."""
    return tuple(deliveries.c[name] == value for name, value in _key_values(key).items())


def enqueue(
    connection: Connection,
    key: DeliveryKey,
    parcels: Iterable[OutboundMessage],
    *,
    now: datetime,
    state: str = WAITING,
    response: str = "",
) -> None:
    """Add a delivery for each message; deliveries that the edition or the alert has already stay unchanged."""
    common = _key_values(key) | {"state": state, "attempts": 0, "response": response}
    common |= {"next_try_at": now, "give_up_at": now + RETRY_FOR}
    rows = [
        common | {"channel": parcel.channel, "recipient": parcel.recipient, "payload": _pack_forms(parcel)}
        for parcel in parcels
    ]
    execute_each(connection, insert(connection, deliveries).on_conflict_do_nothing(), rows)


def _pack_forms(parcel: OutboundMessage) -> bytes:
    """Return a message's forms as stored, compressed: a JSON line with formats, names and lengths, then the bytes."""
    head = json.dumps([[form.format, form.name, len(form.body)] for form in parcel.forms]).encode()
    return zlib.compress(b"\n".join((head, b"".join(form.body for form in parcel.forms))), 6)


def _unpack_forms(payload: bytes) -> tuple[Rendered, ...]:
    """
    Return the forms of a message as they were packed for the outbox: a JSON line with their sizes, then their bodies.
    """
    head, _, rest = zlib.decompress(payload).partition(b"\n")
    forms = []
    for format, name, size in json.loads(head):
        forms.append(Rendered(format=format, name=name, body=rest[:size]))
        rest = rest[size:]
    return tuple(forms)


def message_from_row(connection: Connection, delivery: Delivery) -> OutboundMessage:
    payload = connection.execute(select(deliveries.c.payload).where(deliveries.c.id == delivery.id)).scalar_one()
    forms = _unpack_forms(payload) if payload else ()
    return OutboundMessage(channel=delivery.channel, recipient=delivery.recipient, forms=forms)


def claim_delivery(
    connection: Connection, *, now: datetime, key: DeliveryKey | None = None, by: str | None = None
) -> Delivery | None:
    """
    Claim the delivery that has been due longest; None if none is due. Deliveries leased by others are skipped.

    If this process dies before it stores the outcome, the delivery is due again after `FIRST_DELIVERY_RETRY`.
    `by` names the claiming process (None: this one).
    """
    query = select(*DELIVERY_COLUMNS).where(deliveries.c.state.in_(OPEN_STATES), is_due(now))
    if key is not None:
        query = query.where(*_has_key(key))
    query = query.order_by(deliveries.c.next_try_at, deliveries.c.id).limit(CLAIM_CANDIDATES)
    for delivery in map(_delivery_of, connection.execute(query).all()):
        if is_leased(delivery, now=now):
            continue
        has_same_lease = deliveries.c.lease_by.is_not_distinct_from(delivery.lease_by)
        taken = connection.execute(
            update(deliveries)
            .where(deliveries.c.id == delivery.id, deliveries.c.attempts == delivery.attempts, has_same_lease)
            .values(
                state=case((deliveries.c.state == UNKNOWN, UNKNOWN), else_=SENDING),
                attempts=deliveries.c.attempts + 1,
                next_try_at=now + FIRST_DELIVERY_RETRY,
                lease_by=by or process_id(),
                lease_until=now + DELIVERY_LEASE,
            )
            .returning(*DELIVERY_COLUMNS)
        ).one_or_none()
        if taken is not None:
            return _delivery_of(taken)
    return None


def is_due(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that a delivery is due; so is one too far ahead, which a wrong clock has set."""
    next_try_at = deliveries.c.next_try_at
    too_far = case((IS_STORY_ALERT, next_try_at > now + MAX_QUIET), else_=next_try_at > now + MAX_RETRY_DELAY)
    return or_(next_try_at <= now, too_far)


def is_leased(delivery: Delivery, *, now: datetime) -> bool:
    by, until = delivery.lease_by, delivery.lease_until
    return bool(by and until and now < until <= now + DELIVERY_LEASE and is_process_alive(by))


def mark_in_flight(connection: Connection, delivery: Delivery) -> bool:
    """Record that the recipient may have the message from now on; False if another process has the delivery by now."""
    return _update_held(connection, delivery, {"state": UNKNOWN})


def save_outcome(connection: Connection, tried: Delivery, *, now: datetime) -> bool:
    """Record the state of a delivery after an attempt; False if another process holds the delivery by now."""
    return _update_held(connection, tried, _outcome_values(tried, now))


def _update_held(connection: Connection, delivery: Delivery, values: dict[str, Any]) -> bool:
    """Update a delivery that its process still holds; False if another one holds it by now."""
    query = update(deliveries).where(deliveries.c.id == delivery.id, deliveries.c.lease_by == delivery.lease_by)
    return connection.execute(query.values(values)).rowcount == 1


def _outcome_values(tried: Delivery, now: datetime) -> dict[str, Any]:
    """Return the columns that an attempt changes; the text of a message that has arrived is deleted."""
    values = {name: getattr(tried, name) for name in ("state", "response", "hint", "next_try_at")}
    values |= {"settled_at": now if tried.state in (SENT, FAILED) else None, "lease_by": None, "lease_until": None}
    return values | ({"payload": None} if tried.state == SENT else {})


def fail_siblings(
    connection: Connection, failed: Delivery, *, recipients: Collection[str], now: datetime
) -> tuple[Delivery, ...]:
    """Give the failure of `failed`, a fault of its channel, to its edition's other due deliveries to `recipients`."""
    c = deliveries.c
    others = (
        *_has_key(failed.key), c.channel == failed.channel, c.id != failed.id,
        c.recipient.in_(recipients), c.state.in_(OPEN_STATES), c.lease_by.is_(None), is_due(now),
    )  # fmt: skip
    state = FAILED if failed.state == FAILED else case((c.state == UNKNOWN, UNKNOWN), else_=WAITING)
    values = _outcome_values(failed, now) | {"state": state, "attempts": c.attempts + 1}
    rows = connection.execute(update(deliveries).where(*others).values(values).returning(*DELIVERY_COLUMNS))
    return tuple(sorted(map(_delivery_of, rows), key=attrgetter("id")))


def retry_now(connection: Connection, key: DeliveryKey, *, now: datetime) -> None:
    """Make all deliveries of an edition that have not arrived due now, including those that were given up."""
    query = update(deliveries).where(*_has_key(key), deliveries.c.state != SENT)
    state = case((deliveries.c.state == FAILED, WAITING), else_=deliveries.c.state)
    connection.execute(query.values(state=state, settled_at=None, next_try_at=now, give_up_at=now + RETRY_FOR))


def enqueue_item(connection: Connection, item: str, bodies: Mapping[str, bytes], *, now: datetime) -> None:
    """
    Add deliveries of a story or an article that is sent on; those of its own that were given up are due again.

    `bodies` has the JSON for each service by its name.
    """
    forms = {name: Rendered(format="json", name="item.json", body=body) for name, body in bodies.items()}
    parcels = [OutboundMessage(channel=SEND_CHANNEL, recipient=name, forms=(form,)) for name, form in forms.items()]
    enqueue(connection, SentItemKey(local_date=now.date(), item=item), parcels, now=now)
    c = deliveries.c
    failed = update(deliveries).where(c.item == item, c.recipient.in_(bodies), c.state == FAILED)
    again = {"state": WAITING, "attempts": 0, "settled_at": None, "next_try_at": now, "give_up_at": now + RETRY_FOR}
    connection.execute(failed.values(again))


def deliveries_of_item(connection: Connection, item: str) -> tuple[Delivery, ...]:
    """Return the deliveries of a story or an article that is sent on."""
    return _select_deliveries(connection, deliveries.c.item == item)


def count_due(connection: Connection, *, now: datetime) -> int:
    query = select(func.count()).where(deliveries.c.state.in_(OPEN_STATES), is_due(now))
    return connection.scalar(query) or 0


def deliveries_of(connection: Connection, key: DeliveryKey) -> tuple[Delivery, ...]:
    return _select_deliveries(connection, *_has_key(key))


def list_undelivered(connection: Connection, *, since: date) -> tuple[Delivery, ...]:
    """Return the deliveries that have not arrived: the open ones, and the failed ones of editions since `since`."""
    failed = and_(deliveries.c.state == FAILED, deliveries.c.local_date >= since)
    return _select_deliveries(connection, or_(deliveries.c.state.in_(OPEN_STATES), failed))


def _select_deliveries(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Delivery, ...]:
    query = select(*DELIVERY_COLUMNS).where(*conditions).order_by(deliveries.c.id)
    return tuple(map(_delivery_of, connection.execute(query)))


def load_open_alerts(connection: Connection) -> dict[str, datetime]:
    """Return, by name of each alert that was sent and is not over, since when its condition has held."""
    stored = load_meta(connection, OPEN_ALERTS) or {}
    return {name: datetime.fromisoformat(since) for name, since in stored.items()}


def save_open_alerts(connection: Connection, out: dict[str, datetime]) -> None:
    save_meta(connection, OPEN_ALERTS, {name: since.isoformat() for name, since in out.items()})


def save_failure_alert(
    connection: Connection,
    key: FailureAlertKey,
    parcels: Iterable[OutboundMessage],
    open_alerts: dict[str, datetime],
    *,
    ends: FailureAlertKey | None = None,
    now: datetime,
) -> int:
    """
    Add a delivery for each message of an alert on a failure, and store which alerts are open.

    If it says that the failure of the alert `ends` is over, those who do not have that one yet get neither. Returns the
    number of messages.
    """
    is_old = deliveries.c.local_date < (now - ALERTS_KEPT).date()
    connection.execute(delete(deliveries).where(deliveries.c.failure.is_not(None), is_old))
    save_open_alerts(connection, open_alerts)
    unsent: set[tuple[str, str]] = set()
    if ends is not None:
        sent = deliveries_of(connection, ends)
        unsent = {(delivery.channel, delivery.recipient) for delivery in sent if delivery.state not in (UNKNOWN, SENT)}
        connection.execute(delete(deliveries).where(*_has_key(ends)))
    wanted = [parcel for parcel in parcels if (parcel.channel, parcel.recipient) not in unsent]
    enqueue(connection, key, wanted, now=now)
    return len(wanted)


def load_story_alerts(connection: Connection) -> tuple[StoryAlertRow, ...]:
    query = select(*columns_of(deliveries, StoryAlertRow)).where(IS_STORY_ALERT).order_by(deliveries.c.id)
    return load_records(connection, query, StoryAlertRow)


def save_alerts(connection: Connection, adds: Iterable[Callable[[Connection], None]], *, now: datetime) -> None:
    """Call each of `adds`, then carry alerts for the last time over the changes up to now; delete what is too old."""
    for add in adds:
        add(connection)
    save_meta(connection, LAST_CHANGE, carry_alerts(connection, now=now))
    is_old = deliveries.c.local_date < (now - ALERTS_KEPT).date()
    connection.execute(delete(deliveries).where(IS_STORY_ALERT, is_old))


def carry_alerts(connection: Connection, *, now: datetime) -> int:
    """
    Of each new join and split of stories, count both as told if one is; return the number of the last change.

    A split counts if a third of the articles or more left: fewer were never on the event of the alert.
    """
    c, last = story_changes.c, load_meta(connection, LAST_CHANGE) or 0
    sent = {(alert.key, alert.channel, alert.recipient) for alert in load_story_alerts(connection)}
    query = select(c.id, c.kind, c.articles, stories.c.size, c.story_id, c.other_id).where(c.id > last)
    query = query.outerjoin(stories, stories.c.id == c.story_id).where(c.kind.in_((MERGED, SPLIT))).order_by(c.id)
    for number, kind, articles_left, size, *pair in connection.execute(query).all():
        last = number
        for one, other in (pair, pair[::-1]) if kind == MERGED or 2 * len(articles_left) >= (size or 0) else ():
            of_one = ((key, way, to) for key, way, to in sent if key.about == one)
            new = {(replace(key, about=other), way, to) for key, way, to in of_one} - sent
            sent |= new
            for key, way, to in new:
                message = OutboundMessage(channel=way, recipient=to, forms=())
                enqueue(connection, key, [message], now=now, state=KNOWN)
    return last


def latest_news(connection: Connection) -> list[datetime | None]:
    """Return when the last article was fetched, and when the last revision of one was found."""
    return [connection.scalar(select(func.max(column))) for column in (articles.c.fetched_at, revisions.c.at)]
