"""The conditions that an alert is sent for: polls, editions or deliveries that have failed for a while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from digests.edition.schedule import digest_statuses
from digests.store.outbox import FAILED, RETRY_FOR, list_undelivered
from watcher.settings.models import Settings
from watcher.store.feeds import count_poll_results
from watcher.store.hosts import network_down_since

DELIVERIES_BACK = timedelta(days=2)
MAX_FAILING_SHARE = 0.5  # of the sources; if more fail, they are not to blame


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCondition:
    """A lasting failure: a name that does not change while it lasts, since when, and a sentence."""

    name: str
    since: datetime
    words: str


def active_conditions(
    connection: Connection, settings: Settings, *, now: datetime, after: timedelta, polling_since: datetime
) -> tuple[AlertCondition, ...]:
    """Return what has failed for `after` or longer; polls count from `polling_since`, when the daemon started."""
    return (
        *poll_failures(connection, now=now, after=after, polling_since=polling_since),
        *edition_failures(connection, settings, now=now, after=after),
        *delivery_failures(connection, now=now, after=after),
    )


def poll_failures(
    connection: Connection, *, now: datetime, after: timedelta, polling_since: datetime
) -> Iterator[AlertCondition]:
    reads = count_poll_results(connection, failing_before=now - after)
    if not reads.feeds or now - polling_since < after:
        return
    down = network_down_since(connection)
    last = max(reads.last_read_at or polling_since, polling_since)
    if now - last >= after:
        why = "the network of this machine is down" if down else f"{reads.failing} of {reads.feeds} fail at the time"
        yield AlertCondition(name="polling", since=last, words=f"no source has answered; {why}")
    elif reads.failing_long > MAX_FAILING_SHARE * reads.feeds:
        words = f"{reads.failing_long} of {reads.feeds} sources have not answered for that long"
        yield AlertCondition(name="polling", since=now - after, words=words)


def edition_failures(
    connection: Connection, settings: Settings, *, now: datetime, after: timedelta
) -> Iterator[AlertCondition]:
    for each in digest_statuses(connection, settings, now=now):
        if each.missing_since is not None and now - each.missing_since >= after:
            words = f'"{each.title}" has no edition yet that was due then'
            yield AlertCondition(name=f"edition {each.digest}", since=each.missing_since, words=words)


def delivery_failures(connection: Connection, *, now: datetime, after: timedelta) -> Iterator[AlertCondition]:
    told: dict[str, AlertCondition] = {}
    for each in list_undelivered(connection, since=(now - DELIVERIES_BACK).date()):
        since = each.give_up_at - RETRY_FOR
        if each.state != FAILED and now - since < after:
            continue
        name = f"delivery {each.digest}"
        state = "was given up" if each.state == FAILED else "waits"
        words = f"the edition of {each.local_date} to {each.recipient} by {each.channel} {state}: {each.response}"
        told.setdefault(name, AlertCondition(name=name, since=since, words=words))
    yield from told.values()
