"""Hosts in the store: leases, so that one worker visits a host; what holds a host; its robots.txt."""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, false, or_, select, update

from watcher.store.schema import feeds, hosts, pages
from watcher.store.sql import insert

AT_ONCE = 500  # hosts of one statement
LEASE = timedelta(minutes=3)  # a visit renews it; a dead worker's host is free after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is kept of a host between visits."""

    host: str
    blocked_until: datetime | None = None
    last_request_at: datetime | None = None
    robots_at: datetime | None = None
    robots_status: int | None = None  # of HTTP, or as `net.robots` has it
    robots_rules: str = ""  # of our group


def worker_name() -> str:
    """Return the name under which this process holds leases."""
    return f"{socket.gethostname()}:{os.getpid()}"


def claim_hosts(
    connection: Connection,
    *,
    worker: str,
    now: datetime,
    most: int,
    busy: Collection[str] = (),
    pages_too: bool = True,
) -> tuple[str, ...]:
    """
    Lease up to `most` hosts that have something due, longest due first, to `worker`; return their names.

    Args:
        busy: Hosts to leave out: `worker` is at them, whatever has become of their leases meanwhile.
        pages_too: Hosts that have only pages due count as well.
    """
    names = due_hosts(connection, now=now, most=most, busy=busy, pages_too=pages_too).names
    if connection.dialect.name == "sqlite":  # who writes is alone: they are as free as when they were asked for
        lease_all(connection, names, worker=worker, now=now)
        return names
    taken = take(connection, names, worker=worker, now=now)
    return tuple(name for name in names if name in taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """
    Hosts that have something due and are free, longest due first.

    `seen_to`: what is due until then has been seen; what is not among `names` was held, or is in work already.
    """

    names: tuple[str, ...]
    seen_to: datetime


def due_hosts(
    connection: Connection,
    *,
    now: datetime,
    most: int,
    since: datetime | None = None,
    busy: Collection[str] = (),
    pages_too: bool = True,
    unless: Callable[[ColumnElement[str]], ColumnElement[bool]] = lambda _: false(),
) -> Due:
    """
    Return up to `most` hosts that have something due and are free; as `claim_hosts`.

    Args:
        since: Look only at what has become due from then on. The server steps over each row that was due before and
            cannot be cleaned up yet, a thousand in a millisecond.
        unless: Given the column of a host's name, the condition that it is left out.
    """
    at_hosts = [or_(hosts.c.host.is_(None), is_free(now))]
    feed_is_due, page_is_due = feeds.c.next_poll_at <= now, pages.c.next_try_at <= now
    if since is not None:
        feed_is_due &= feeds.c.next_poll_at >= since
        page_is_due &= pages.c.next_try_at >= since
    due_feeds = (
        select(feeds.c.host, feeds.c.next_poll_at.label("at"))
        .outerjoin(hosts, hosts.c.host == feeds.c.host)
        .where(feeds.c.enabled, ~feeds.c.gone, feed_is_due, *at_hosts, ~unless(feeds.c.host))
    )
    due_pages = (
        select(pages.c.host, pages.c.next_try_at.label("at"))
        .join(feeds, feeds.c.id == pages.c.feed_id)
        .outerjoin(hosts, hosts.c.host == pages.c.host)
        .where(feeds.c.enabled, page_is_due, *at_hosts, ~unless(pages.c.host))
    )
    longest: dict[str, datetime] = {}
    seen_to = now
    for query in (due_feeds, due_pages) if pages_too else (due_feeds,):
        found = tuple(first_hosts(connection, query, most=most, busy=busy))
        for host, at in found:
            longest[host] = min(at, longest.get(host, at))
        if len(found) >= most:  # there may be more
            seen_to = min(seen_to, max((at for _, at in found), default=now))
    names = sorted(longest, key=lambda host: (longest[host], host))
    if len(names) > most:
        seen_to = min(seen_to, longest[names[most]])
    return Due(names=tuple(names[:most]), seen_to=seen_to)


def is_free(now: datetime) -> ColumnElement[bool]:
    """Return the condition that nobody holds a host, nor its Retry-After."""
    return and_(
        or_(hosts.c.lease_until.is_(None), hosts.c.lease_until <= now),
        or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until <= now),
    )


def lease_all(connection: Connection, names: Collection[str], *, worker: str, now: datetime) -> None:
    """Lease hosts that are known to be free: a fraction of the time that `take` needs."""
    mine = {"lease_by": worker, "lease_until": now + LEASE}
    for start in range(0, len(names), AT_ONCE):
        part = sorted(names)[start : start + AT_ONCE]
        if connection.execute(update(hosts).where(hosts.c.host.in_(part)).values(mine)).rowcount < len(part):
            new = insert(connection, hosts).values(mine).on_conflict_do_update(index_elements=["host"], set_=mine)
            connection.execute(new, [{"host": name} for name in part])


def take(
    connection: Connection, names: Collection[str], *, worker: str, now: datetime, lease: timedelta = LEASE
) -> set[str]:
    """
    Lease those of `names` that are still free, and return them.

    On PostgreSQL others may be at the same rows: what they hold is passed over, not waited for.
    """
    mine = {"lease_by": worker, "lease_until": now + lease}
    taken: set[str] = set()
    for start in range(0, len(names), AT_ONCE):
        part = sorted(names)[start : start + AT_ONCE]
        known = set(connection.scalars(select(hosts.c.host).where(hosts.c.host.in_(part))))
        ours = select(hosts.c.host).where(hosts.c.host.in_(part), is_free(now))
        ours = ours.order_by(hosts.c.host).with_for_update(skip_locked=True)
        query = update(hosts).where(hosts.c.host.in_(ours)).values(mine).returning(hosts.c.host)
        taken.update(connection.scalars(query))
        if new := [{"host": name} | mine for name in part if name not in known]:
            first = insert(connection, hosts).values(new).on_conflict_do_nothing(index_elements=["host"])
            taken.update(connection.scalars(first.returning(hosts.c.host)))
    return taken


def first_hosts(
    connection: Connection, query: Select[str, datetime], *, most: int, busy: Collection[str]
) -> Iterator[tuple[str, datetime]]:
    """
    Yield up to `most` different hosts of a query's rows, longest due first.

    Read row by row in the order of an index, so that a few hosts cost the same however many are due.
    """
    seen = set(busy)
    rows = connection.execute(query.order_by("at").execution_options(yield_per=max(most, 1)))
    for host, at in rows:
        if len(seen) - len(busy) >= most:
            break
        if host not in seen:
            seen.add(host)
            yield host, at
    rows.close()


def renew(connection: Connection, host: str, *, worker: str, now: datetime, lease: timedelta = LEASE) -> bool:
    """Hold `host` for another while; False if somebody else has it by now."""
    query = update(hosts).where(hosts.c.host == host, hosts.c.lease_by == worker).values(lease_until=now + lease)
    return connection.execute(query).rowcount == 1


def renew_all(
    connection: Connection, names: Collection[str], *, worker: str, now: datetime, lease: timedelta = LEASE
) -> None:
    """Hold for another while what `worker` still has of the hosts `names`, where half of the lease is over."""
    query = update(hosts).where(
        hosts.c.host.in_(names), hosts.c.lease_by == worker, hosts.c.lease_until < now + lease / 2
    )
    connection.execute(query.values(lease_until=now + lease))


def release(connection: Connection, host: str, *, worker: str, last_request_at: datetime | None = None) -> None:
    """Give `host` back."""
    values: dict[str, object] = {"lease_by": None, "lease_until": None}
    if last_request_at is not None:
        values["last_request_at"] = last_request_at
    connection.execute(update(hosts).where(hosts.c.host == host, hosts.c.lease_by == worker).values(values))


def drop_dead_leases(connection: Connection, *, worker: str) -> None:
    """Free the hosts held by processes of this machine that are no more: a crash must not cost a lease's time."""
    machine = worker.rsplit(":", 1)[0]
    held: Sequence[str] = connection.scalars(
        select(hosts.c.lease_by).where(hosts.c.lease_by.is_not(None)).distinct()
    ).all()
    dead = [name for name in held if name.rsplit(":", 1)[0] == machine and not is_alive(int(name.rsplit(":", 1)[1]))]
    if dead:
        connection.execute(update(hosts).where(hosts.c.lease_by.in_(dead)).values(lease_by=None, lease_until=None))


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs under `pid`; one's own pid, fresh after a restart, is nobody else's."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_leased(connection: Connection, host: str, *, now: datetime) -> bool:
    """Whether somebody holds `host`."""
    return bool(connection.scalar(select(hosts.c.lease_until > now).where(hosts.c.host == host)))


def block(connection: Connection, host: str, *, until: datetime) -> None:
    """Hold every feed and page of `host` until a time, its Retry-After; a hold that lasts longer stays."""
    query = insert(connection, hosts).values(host=host, blocked_until=until)
    earlier = or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until < until)
    connection.execute(
        query.on_conflict_do_update(index_elements=["host"], set_={"blocked_until": until}, where=earlier)
    )


def held_feeds(connection: Connection, *, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """Return the names of sources that are due but whose host is held, and until when, by name."""
    query = (
        select(feeds.c.name, hosts.c.blocked_until)
        .join(hosts, hosts.c.host == feeds.c.host)
        .where(feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at <= now, hosts.c.blocked_until > now)
        .order_by(feeds.c.name)
    )
    return tuple((name, until) for name, until in connection.execute(query))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """A source whose host is held by a worker."""

    name: str
    url: str
    worker: str


def visited_feeds(connection: Connection, *, but: str, due_at: datetime | None, now: datetime) -> tuple[Visited, ...]:
    """
    Return the sources whose host another worker than `but` holds, by name.

    Args:
        due_at: Only those that are due then.
    """
    query = (
        select(feeds.c.name, feeds.c.source_url, hosts.c.lease_by)
        .join(hosts, hosts.c.host == feeds.c.host)
        .where(feeds.c.enabled, ~feeds.c.gone, hosts.c.lease_until > now, hosts.c.lease_by != but)
        .order_by(feeds.c.name)
    )
    if due_at is not None:
        query = query.where(feeds.c.next_poll_at <= due_at)
    return tuple(Visited(name=name, url=url, worker=worker) for name, url, worker in connection.execute(query))


def get_host(connection: Connection, host: str) -> Host:
    """Return what is kept of `host`; an empty one if it is new."""
    columns = [hosts.c[name] for name in Host.__slots__]
    row = connection.execute(select(*columns).where(hosts.c.host == host)).one_or_none()
    if row is None:
        return Host(host=host)
    rules = "" if row.robots_rules is None else zlib.decompress(row.robots_rules).decode()
    return Host(**dict(row._mapping) | {"robots_rules": rules})


def known_hosts(connection: Connection, names: Collection[str]) -> set[str]:
    """Return those of `names` that are known: something was asked of them, the last time a day ago at most."""
    known: set[str] = set()
    for start in range(0, len(names), AT_ONCE):
        part = sorted(names)[start : start + AT_ONCE]
        known.update(connection.scalars(select(hosts.c.host).where(hosts.c.host.in_(part))))
    return known


def set_robots(connection: Connection, host: str, *, at: datetime, status: int, rules: str) -> None:
    """Keep what a host's robots.txt says to us, or what came in its place."""
    packed = zlib.compress(rules.encode()) if rules else None
    row = {"robots_at": at, "robots_status": status, "robots_rules": packed}
    connection.execute(
        insert(connection, hosts).values(host=host, **row).on_conflict_do_update(index_elements=["host"], set_=row)
    )
