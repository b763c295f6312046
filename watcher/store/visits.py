"""Host visits in the store: claimed whole, kept up from step to step, given back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select, update

from watcher.model import Feed, PollResult
from watcher.store.feeds import OF_A_FEED, feed_of
from watcher.store.hosts import LEASE, claim_hosts, renew, take
from watcher.store.polls import record_polls
from watcher.store.schema import feeds, hosts, pages
from watcher.store.sql import chunked

OF_A_LEASE = (hosts.c.host, hosts.c.lease_by, hosts.c.lease_until, hosts.c.blocked_until)
FRESH = 5 / 6  # of a lease: where more of it is left, a step does not write the host's row once more


def has_come(column: ColumnElement[datetime], now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """
    Return the condition that a time has come, for rows of hosts that are named.

    Rows are found by their hosts, not by the index of times, which the server takes for the shorter way: at its
    beginning lie all that was due before and cannot be cleaned up yet.
    """
    return func.coalesce(column, now) <= now


# Built once: what is asked for hundreds of times a minute costs as much to put together as to run.
DUE_THERE = (
    select(*OF_A_FEED, hosts.c.last_request_at)
    .outerjoin(hosts, hosts.c.host == feeds.c.host)
    .where(feeds.c.host.in_(bindparam("names", expanding=True)), feeds.c.enabled, ~feeds.c.gone)
    .where(has_come(feeds.c.next_poll_at, bindparam("now", type_=feeds.c.next_poll_at.type)))
)
NEXT_POLL = update(feeds).where(feeds.c.id.in_(bindparam("ids", expanding=True))).values(next_poll_at=bindparam("at"))
LEAVE = (
    update(hosts)
    .where(hosts.c.host.in_(bindparam("names", expanding=True)), hosts.c.lease_by == bindparam("worker"))
    .values(lease_by=None, lease_until=None)
)
LEAVE_ASKED = LEAVE.values(last_request_at=bindparam("at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What there is to do at a host: its feeds that are due, longest due first, and whether pages are."""

    host: str
    feeds: tuple[Feed, ...]
    has_pages: bool
    last_request_at: datetime | None


class Step(Enum):
    """What a visit does next."""

    GO = auto()
    SKIP = auto()  # this feed: somebody else has asked it meanwhile, or the settings have changed
    STOP = auto()  # the lease is lost, or the host has asked us to wait


def claim_visits(
    connection: Connection,
    *,
    worker: str,
    now: datetime,
    most: int,
    floor: timedelta,
    busy: Collection[str] = (),
    pages_too: bool = True,
) -> tuple[Visit, ...]:
    """
    Lease up to `most` hosts that have something due to `worker`, and return what is to be done there.

    The first feed of each counts as asked from here on: it is due again after `floor`, whatever becomes of us.

    Args:
        busy: Hosts to leave out: `worker` is at them.
        pages_too: Visit hosts for their pages as well.
    """
    names = claim_hosts(connection, worker=worker, now=now, most=most, busy=busy, pages_too=pages_too)
    return visits_at(connection, names, now=now, floor=floor, pages_too=pages_too)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One host that is asked for by name, and how it is claimed."""

    host: str
    worker: str
    now: datetime
    floor: timedelta
    lease: timedelta
    pages_too: bool


def claim_asked(connection: Connection, given: Sequence[Asked]) -> list[Visit | None]:
    """
    Lease each of the hosts asked for, all for one worker, and return what is to be done there; as `claim_visits`.

    None stands for a host that somebody else is at, or that is to be left in peace.
    """
    if not given:
        return []
    first, now = given[0], max(each.now for each in given)
    names = {each.host for each in given}
    taken = take(connection, names, worker=first.worker, now=now, lease=first.lease)
    made = visits_at(connection, sorted(taken), now=now, floor=first.floor, pages_too=first.pages_too)
    found = {visit.host: visit for visit in made}
    return [found.pop(each.host, None) for each in given]


def visits_at(
    connection: Connection, names: Sequence[str], *, now: datetime, floor: timedelta, pages_too: bool
) -> tuple[Visit, ...]:
    """Return what is due at hosts that have been leased; the first feed of each counts as asked from here on."""
    if not names:
        return ()
    found: dict[str, list[Feed]] = {name: [] for name in names}
    have_pages: set[str] = set()
    asked: dict[str, datetime | None] = {}
    for part in chunked(list(names)):
        for row in connection.execute(DUE_THERE, {"names": part, "now": now}):
            feed = feed_of(row)
            found[feed.host].append(feed)
            asked[feed.host] = row[-1]
        if pages_too:
            have_pages.update(
                connection.scalars(
                    select(pages.c.host)
                    .join(feeds, feeds.c.id == pages.c.feed_id)
                    .where(pages.c.host.in_(part), pages.c.next_try_at <= now, feeds.c.enabled)
                    .distinct()
                )
            )
        if others := [name for name in part if name not in asked]:
            query = select(hosts.c.host, hosts.c.last_request_at).where(hosts.c.host.in_(others))
            asked.update((name, at) for name, at in connection.execute(query))
    for rows in found.values():
        rows.sort(key=lambda feed: (feed.next_poll_at, feed.id))
    note_polls(connection, [rows[0].id for rows in found.values() if rows], next_poll_at=now + floor)
    return tuple(
        Visit(host=name, feeds=tuple(rows), has_pages=name in have_pages, last_request_at=asked.get(name))
        for name, rows in found.items()
    )


def visited(connection: Connection, *, now: datetime) -> frozenset[str]:
    """Return the hosts that are being visited."""
    return frozenset(connection.scalars(select(hosts.c.host).where(hosts.c.lease_until > now)))


def note_polls(connection: Connection, feed_ids: Iterable[int], *, next_poll_at: datetime) -> None:
    """Write when feeds are due next, before they are fetched: a crash must not make us ask again at once."""
    for part in chunked(list(feed_ids)):
        connection.execute(NEXT_POLL, {"ids": part, "at": next_poll_at})


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The next step of a visit. `feed` is asked next; it is due again after `floor`, whatever becomes of us."""

    host: str
    worker: str
    now: datetime
    floor: timedelta
    lease: timedelta = LEASE
    feed: Feed | None = None


def go_on(connection: Connection, given: Sequence[Next]) -> list[Step]:
    """Return of each visit whether to take its next step; leases are renewed, unless they were just now."""
    stands = {
        row.host: row
        for part in chunked(sorted({each.host for each in given}))
        for row in connection.execute(select(*OF_A_LEASE).where(hosts.c.host.in_(part)))
    }
    steps = [leased_step(connection, each, stands.get(each.host)) for each in given]
    going = [each for each, step in zip(given, steps, strict=True) if step is Step.GO and each.feed is not None]
    asked = ask_feeds(connection, going)
    return [
        Step.SKIP if step is Step.GO and each.feed is not None and each.feed.id not in asked else step
        for each, step in zip(given, steps, strict=True)
    ]


def leased_step(connection: Connection, step: Next, stand: Row[*tuple[Any, ...]] | None) -> Step:
    """Return whether a visit still has its host, and may ask it."""
    if stand is None or stand.lease_by != step.worker or stand.lease_until is None:
        return Step.STOP
    is_old = stand.lease_until < step.now + step.lease * FRESH
    if is_old and not renew(connection, step.host, worker=step.worker, now=step.now, lease=step.lease):
        return Step.STOP
    return Step.STOP if stand.blocked_until is not None and stand.blocked_until > step.now else Step.GO


def ask_feeds(connection: Connection, steps: Sequence[Next]) -> set[int]:
    """Note that feeds are asked now, where they are due still; return which are."""
    asked: set[int] = set()
    alike: dict[timedelta, list[Next]] = {}
    for step in steps:
        alike.setdefault(step.floor, []).append(step)
    for floor, its in alike.items():
        now = max(step.now for step in its)
        for part in chunked([step.feed.id for step in its if step.feed is not None]):
            still = (feeds.c.id.in_(part), feeds.c.enabled, ~feeds.c.gone, has_come(feeds.c.next_poll_at, now))
            note = update(feeds).where(*still).values(next_poll_at=now + floor).returning(feeds.c.id)
            asked.update(connection.scalars(note))
    return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """The end of a visit. `last_request_at` None: nothing was asked."""

    host: str
    worker: str
    last_request_at: datetime | None


def record_and_leave(connection: Connection, given: Sequence[tuple[Feed, PollResult, Leave]]) -> list[int]:
    """Record polls that end a visit, and give back the hosts of those that brought no page; as `record_polls`."""
    noted = record_polls(connection, [(feed, result) for feed, result, _ in given])
    leave_hosts(connection, [leave for (_, _, leave), its in zip(given, noted, strict=True) if not its])
    return noted


def give_back(connection: Connection, visits: Sequence[Visit], *, worker: str) -> None:
    """Give hosts back whose visits were not begun: what was due there is due as before."""
    rows = [{"of": feed.id, "at": feed.next_poll_at} for visit in visits for feed in visit.feeds[:1]]
    if rows:
        before = bindparam("at", type_=feeds.c.next_poll_at.type)
        connection.execute(update(feeds).where(feeds.c.id == bindparam("of")).values(next_poll_at=before), rows)
    leave_hosts(connection, [Leave(host=visit.host, worker=worker, last_request_at=None) for visit in visits])


def leave_hosts(connection: Connection, given: Sequence[Leave]) -> None:
    """
    Give hosts back, unless somebody else has them by now.

    Hosts that were asked within one second share a statement, and the last of their times.
    """
    alike: dict[tuple[str, datetime | None], list[Leave]] = {}
    for leave in given:
        at = leave.last_request_at
        alike.setdefault((leave.worker, None if at is None else at.replace(microsecond=0)), []).append(leave)
    for (worker, at), leaves in alike.items():
        asked = {} if at is None else {"at": max(leave.last_request_at or at for leave in leaves)}
        for part in chunked([leave.host for leave in leaves]):
            connection.execute(LEAVE_ASKED if asked else LEAVE, {"names": part, "worker": worker, **asked})
