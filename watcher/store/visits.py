"""Host visits: lease hosts, load their due feeds, renew leases between requests, release hosts at the end."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select, update

from watcher.model import Feed, PollResult
from watcher.store.feeds import FEED_COLUMNS, feed_from_row
from watcher.store.hosts import HOST_LEASE, due_hosts, lease_free_hosts
from watcher.store.polls import record_polls
from watcher.store.schema import feeds, hosts, pages
from watcher.store.sql import execute_each, in_chunks, rows_in

RENEW_BELOW = 5 / 6  # of a lease: it is renewed only when less than this is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The work at a leased host: its due feeds, longest due first, and whether it has due pages."""

    host: str
    feeds: tuple[Feed, ...]
    has_pages: bool
    last_request_at: datetime | None


class VisitDecision(Enum):
    """What a visit does next."""

    GO = auto()
    SKIP = auto()  # this feed: another worker has polled it meanwhile, or the settings have changed
    STOP = auto()  # the lease is lost, or the host has asked us to wait


def claim_visits(
    connection: Connection,
    *,
    worker: str,
    now: datetime,
    limit: int,
    floor: timedelta,
    busy: Collection[str] = (),
    pages_too: bool = True,
) -> tuple[Visit, ...]:
    """
    Lease up to `limit` hosts with due feeds or pages to `worker`, longest due first; return their visits.

    The first feed of each is postponed by `floor` right away, so that it is not polled again at once after a crash.
    """
    names, _ = due_hosts(connection, now=now, limit=limit, busy=busy, pages_too=pages_too)
    taken = lease_free_hosts(connection, names, worker=worker, now=now)
    claimed = [name for name in names if name in taken]
    return _visits_of_hosts(connection, claimed, now=now, floor=floor, pages_too=pages_too)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRequest:
    """A worker's request for a visit to a host, or for the next step of its visit, which polls `feed` if given."""

    host: str
    worker: str
    now: datetime
    floor: timedelta  # after which the next feed is due again if its result is never saved
    lease: timedelta = HOST_LEASE
    feed: Feed | None = None
    pages_too: bool = True  # whether a new visit includes pages


def claim_requested(connection: Connection, requests: Sequence[LeaseRequest]) -> list[Visit | None]:
    """Lease the requested hosts for one worker; return their visits in this order, None for one leased or blocked."""
    first, now = requests[0], max(request.now for request in requests)
    names = {request.host for request in requests}
    taken = lease_free_hosts(connection, names, worker=first.worker, now=now, lease=first.lease)
    visits = _visits_of_hosts(connection, sorted(taken), now=now, floor=first.floor, pages_too=first.pages_too)
    visit_by_host = {visit.host: visit for visit in visits}
    return [visit_by_host.pop(request.host, None) for request in requests]


def _visits_of_hosts(
    connection: Connection, names: Sequence[str], *, now: datetime, floor: timedelta, pages_too: bool
) -> tuple[Visit, ...]:
    """Return the visits of leased hosts; the first due feed of each is postponed by `floor` right away."""
    due: dict[str, list[Feed]] = {name: [] for name in names}
    feeds_due = select(*FEED_COLUMNS).where(feeds.c.enabled, ~feeds.c.gone, is_due(feeds.c.next_poll_at, now))
    feeds_due = feeds_due.order_by(feeds.c.next_poll_at, feeds.c.id)
    for feed in map(feed_from_row, rows_in(connection, feeds_due, feeds.c.host, names)):
        due[feed.host].append(feed)
    pages_due = select(pages.c.host).join(feeds, feeds.c.id == pages.c.feed_id).distinct()
    pages_due = pages_due.where(pages.c.next_try_at <= now, feeds.c.enabled)
    have_pages = {row.host for row in rows_in(connection, pages_due, pages.c.host, names if pages_too else ())}
    requests = select(hosts.c.host, hosts.c.last_request_at)
    asked_at = {row.host: row.last_request_at for row in rows_in(connection, requests, hosts.c.host, names)}
    # Before they are fetched: after a crash, they must not be requested again at once.
    for part in in_chunks([rows[0].id for rows in due.values() if rows]):
        connection.execute(update(feeds).where(feeds.c.id.in_(part)).values(next_poll_at=now + floor))
    return tuple(
        Visit(host=name, feeds=tuple(rows), has_pages=name in have_pages, last_request_at=asked_at.get(name))
        for name, rows in due.items()
    )


def hosts_being_visited(connection: Connection, *, now: datetime) -> frozenset[str]:
    return frozenset(connection.scalars(select(hosts.c.host).where(hosts.c.lease_until > now)))


def is_due(column: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """
    Return the condition that a time has come, for queries that find rows by host or id.

    The expression keeps PostgreSQL from using the index of times, which begins with all rows that were due before and
    that vacuum has not removed yet.
    """
    return func.coalesce(column, now) <= now


def renew_or_stop(connection: Connection, requests: Sequence[LeaseRequest]) -> list[VisitDecision]:
    """Return for each visit whether to take its next step; leases are renewed if less than `RENEW_BELOW` is left."""
    query = select(hosts.c.host, hosts.c.lease_by, hosts.c.lease_until, hosts.c.blocked_until)
    rows = {row.host: row for row in rows_in(connection, query, hosts.c.host, (request.host for request in requests))}
    going = [_is_lease_held(connection, request, rows.get(request.host)) for request in requests]
    polled = _mark_polled(
        connection, [request for request, goes in zip(requests, going, strict=True) if goes and request.feed]
    )

    def decision(request: LeaseRequest, goes: bool) -> VisitDecision:
        if not goes:
            return VisitDecision.STOP
        return VisitDecision.GO if request.feed is None or request.feed.id in polled else VisitDecision.SKIP

    return list(map(decision, requests, going))


def _is_lease_held(connection: Connection, step: LeaseRequest, row: Row[*tuple[Any, ...]] | None) -> bool:
    """Return whether a visit still has its lease and its host is not blocked; the lease is renewed if need be."""
    if row is None or row.lease_by != step.worker or row.lease_until is None:
        return False
    if row.lease_until < step.now + step.lease * RENEW_BELOW:
        ours = (hosts.c.host == step.host, hosts.c.lease_by == step.worker)
        renewed = connection.execute(update(hosts).where(*ours).values(lease_until=step.now + step.lease))
        if renewed.rowcount != 1:  # another worker has it by now
            return False
    return row.blocked_until is None or row.blocked_until <= step.now


def _mark_polled(connection: Connection, steps: Sequence[LeaseRequest]) -> set[int]:
    """Postpone the feeds of `steps` that are still due, and return their ids. All steps have the same `floor`."""
    polled: set[int] = set()
    if steps:
        now = max(step.now for step in steps)
        for part in in_chunks([step.feed.id for step in steps if step.feed is not None]):
            still = (feeds.c.id.in_(part), feeds.c.enabled, ~feeds.c.gone, is_due(feeds.c.next_poll_at, now))
            query = update(feeds).where(*still).values(next_poll_at=now + steps[0].floor).returning(feeds.c.id)
            polled.update(connection.scalars(query))
    return polled


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEnd:
    """The end of a visit. `last_request_at` is None if no request was sent."""

    host: str
    worker: str
    last_request_at: datetime | None


def record_and_release(connection: Connection, visits: Sequence[tuple[Feed, PollResult, VisitEnd]]) -> list[int]:
    """Save the last polls of visits, and release their hosts if there is no page to fetch; return as `record_polls`."""
    noted = record_polls(connection, [(feed, result) for feed, result, _ in visits])
    release_hosts(connection, [leave for (_, _, leave), its in zip(visits, noted, strict=True) if not its])
    return noted


def release_unvisited(connection: Connection, visits: Sequence[Visit], *, worker: str) -> None:
    """Release the hosts of visits that have not begun; their first feeds are due again as before."""
    rows = [{"of": feed.id, "next_poll_at": feed.next_poll_at} for visit in visits for feed in visit.feeds[:1]]
    execute_each(connection, update(feeds).where(feeds.c.id == bindparam("of")), rows)
    release_hosts(connection, [VisitEnd(host=visit.host, worker=worker, last_request_at=None) for visit in visits])


def release_hosts(connection: Connection, visits: Sequence[VisitEnd]) -> None:
    """Release the leases of visits, unless another worker has the host by now."""
    at = func.coalesce(bindparam("at", type_=hosts.c.last_request_at.type), hosts.c.last_request_at)
    query = update(hosts).where(hosts.c.host == bindparam("name"), hosts.c.lease_by == bindparam("worker"))
    # Always in the same order, so that workers do not deadlock.
    ends = sorted(visits, key=attrgetter("host"))
    rows = [{"name": end.host, "worker": end.worker, "at": end.last_request_at} for end in ends]
    execute_each(connection, query.values(lease_by=None, lease_until=None, last_request_at=at), rows)
