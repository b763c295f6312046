"""Hosts between visits: which are due, leases, blocks (Retry-After), and robots.txt."""

import os
import socket
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, false, or_, select, true, update

from watcher.store.schema import feeds, hosts, pages
from watcher.store.sql import columns_of, in_chunks, insert, load_records, rows_in

HOST_LEASE = timedelta(minutes=3)  # a visit renews it; a dead worker's host is free after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The stored state of a host between visits."""

    host: str
    blocked_until: datetime | None = None
    last_request_at: datetime | None = None
    robots_at: datetime | None = None
    robots_status: int | None = None  # an HTTP status, or a code of `net.robots`
    robots_rules: str = ""  # of the group for our user agent


def worker_name() -> str:
    """Return the name of this process as a holder of leases: "machine:pid"."""
    return f"{socket.gethostname()}:{os.getpid()}"


def due_hosts(
    connection: Connection,
    *,
    now: datetime,
    limit: int,
    since: datetime | None = None,
    busy: Collection[str] = (),
    pages_too: bool = True,
    unless: Callable[[ColumnElement[str]], ColumnElement[bool]] = lambda _: false(),
) -> tuple[tuple[str, ...], datetime]:
    """
    Return up to `limit` hosts without a lease that have feeds or pages due, longest due first, and a time.

    Up to that time the list is complete: it can be `since` in the next call.

    Args:
        busy: Hosts to leave out, as this worker is visiting them, even if their leases have expired.
        pages_too: Include hosts that have only pages due.
        since: Read only rows that became due from then on. Rows that were due before and are not vacuumed yet cost
            the server a millisecond per thousand.
        unless: Takes the column with the host's name; returns the condition for hosts to leave out.
    """
    longest: dict[str, datetime] = {}
    seen_to = now
    for query in select_due(now)[: 2 if pages_too else 1]:
        host_column, at_column = query.selected_columns
        query = query.where(~unless(host_column), true() if since is None else at_column >= since)
        hosts_due = tuple(_first_hosts(connection, query, limit=limit, busy=busy))
        for host, at in hosts_due:
            longest[host] = min(at, longest.get(host, at))
        if len(hosts_due) >= limit:  # there may be more
            seen_to = min(seen_to, max((at for _, at in hosts_due), default=now))
    names = sorted(longest, key=lambda host: (longest[host], host))
    if len(names) > limit:
        seen_to = min(seen_to, longest[names[limit]])
    return tuple(names[:limit]), seen_to


def select_due(now: datetime) -> tuple[Select[str, datetime], Select[str, datetime]]:
    """Return queries for the host and time of each due feed, and of each due page, at hosts that are free."""

    def at_free_host(table: Table, at: ColumnElement[datetime]) -> Select[str, datetime]:
        query = select(table.c.host, at.label("at")).outerjoin_from(table, hosts, hosts.c.host == table.c.host)
        return query.where(at <= now, or_(hosts.c.host.is_(None), _is_free(now)), feeds.c.enabled)

    due_pages = at_free_host(pages, pages.c.next_try_at).join(feeds, feeds.c.id == pages.c.feed_id)
    return at_free_host(feeds, feeds.c.next_poll_at).where(~feeds.c.gone), due_pages


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a host is neither leased nor blocked (Retry-After)."""
    return and_(
        or_(hosts.c.lease_until.is_(None), hosts.c.lease_until <= now),
        or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until <= now),
    )


def lease_free_hosts(
    connection: Connection, names: Collection[str], *, worker: str, now: datetime, lease: timedelta = HOST_LEASE
) -> set[str]:
    """Lease those of `names` that are free, and return them; rows that others have locked are not waited for."""
    mine = {"lease_by": worker, "lease_until": now + lease}
    taken: set[str] = set()
    for part in in_chunks(sorted(names)):
        known = set(connection.scalars(select(hosts.c.host).where(hosts.c.host.in_(part))))
        ours = select(hosts.c.host).where(hosts.c.host.in_(part), _is_free(now))
        ours = ours.order_by(hosts.c.host).with_for_update(skip_locked=True)
        query = update(hosts).where(hosts.c.host.in_(ours)).values(mine).returning(hosts.c.host)
        taken.update(connection.scalars(query))
        if new := [{"host": name} | mine for name in part if name not in known]:
            first = insert(connection, hosts).values(new).on_conflict_do_nothing(index_elements=["host"])
            taken.update(connection.scalars(first.returning(hosts.c.host)))
    return taken


def _first_hosts(
    connection: Connection, query: Select[str, datetime], *, limit: int, busy: Collection[str]
) -> Iterator[tuple[str, datetime]]:
    """Yield up to `limit` hosts of a query, longest due first, row by row: the cost must not grow with what is due."""
    seen = set(busy)
    rows = connection.execute(query.order_by("at").execution_options(yield_per=max(limit, 1)))
    for host, at in rows:
        if len(seen) - len(busy) >= limit:
            break
        if host not in seen:
            seen.add(host)
            yield host, at
    rows.close()


def renew_leases(
    connection: Connection, names: Collection[str], *, worker: str, now: datetime, lease: timedelta = HOST_LEASE
) -> None:
    """Renew the leases that `worker` still has on the hosts `names`, where less than half of the time is left."""
    query = update(hosts).where(
        hosts.c.host.in_(names), hosts.c.lease_by == worker, hosts.c.lease_until < now + lease / 2
    )
    connection.execute(query.values(lease_until=now + lease))


def release_leases(connection: Connection, *, worker: str) -> None:
    """Release all leases of a worker, which has ended its visits."""
    connection.execute(update(hosts).where(hosts.c.lease_by == worker).values(lease_by=None, lease_until=None))


def drop_dead_leases(connection: Connection, *, worker: str) -> None:
    """Release leases of dead processes of this machine, so that after a crash nobody waits until they expire."""
    machine = worker.rpartition(":")[0]
    is_ours = hosts.c.lease_by.startswith(f"{machine}:", autoescape=True)
    lease_holders = connection.scalars(select(hosts.c.lease_by).where(is_ours).distinct()).all()
    dead = [name for name in lease_holders if not is_alive(int(name.rpartition(":")[2]))]
    connection.execute(update(hosts).where(hosts.c.lease_by.in_(dead)).values(lease_by=None, lease_until=None))


def is_alive(pid: int) -> bool:
    """Whether another process of this machine has `pid`. False for our own: its earlier process has died."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs as another user
    return True


def is_leased(connection: Connection, host: str, *, now: datetime) -> bool:
    return bool(connection.scalar(select(hosts.c.lease_until > now).where(hosts.c.host == host)))


def set_blocked_until(connection: Connection, host: str, *, until: datetime) -> None:
    """Block all requests to `host` until a time (Retry-After); a block that lasts longer stays."""
    query = insert(connection, hosts).values(host=host, blocked_until=until)
    earlier = or_(hosts.c.blocked_until.is_(None), hosts.c.blocked_until < until)
    blocked = {"blocked_until": until}
    connection.execute(query.on_conflict_do_update(index_elements=["host"], set_=blocked, where=earlier))


def blocked_until(connection: Connection, host: str, *, now: datetime) -> datetime | None:
    """Return until when requests to `host` are blocked; None if they are not."""
    return connection.scalar(select(hosts.c.blocked_until).where(hosts.c.host == host, hosts.c.blocked_until > now))


def blocked_sources(connection: Connection, *, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """Return (name, end of the block) of each source that is due but whose host is blocked, by name."""
    query = (
        select(feeds.c.name, hosts.c.blocked_until)
        .join(hosts, hosts.c.host == feeds.c.host)
        .where(feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at <= now, hosts.c.blocked_until > now)
        .order_by(feeds.c.name)
    )
    return tuple((name, until) for name, until in connection.execute(query))


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitedSource:
    """A source whose host is leased by a worker."""

    name: str
    url: str
    worker: str


def visited_sources(
    connection: Connection, *, but: str, due_at: datetime | None, now: datetime
) -> tuple[VisitedSource, ...]:
    """Return the sources whose host a worker other than `but` has leased, by name; if `due_at`, only those due then."""
    columns = (feeds.c.name, feeds.c.source_url.label("url"), hosts.c.lease_by.label("worker"))
    query = select(*columns).join(hosts, hosts.c.host == feeds.c.host).order_by(feeds.c.name)
    query = query.where(feeds.c.enabled, ~feeds.c.gone, hosts.c.lease_until > now, hosts.c.lease_by != but)
    if due_at is not None:
        query = query.where(feeds.c.next_poll_at <= due_at)
    return load_records(connection, query, VisitedSource)


def get_host(connection: Connection, host: str) -> Host:
    """Return the stored state of `host`; a Host with default values if it is not stored."""
    row = connection.execute(select(*columns_of(hosts, Host)).where(hosts.c.host == host)).one_or_none()
    if row is None:
        return Host(host=host)
    rules = "" if row.robots_rules is None else zlib.decompress(row.robots_rules).decode()
    return Host(**dict(row._mapping) | {"robots_rules": rules})


def known_hosts(connection: Connection, names: Collection[str]) -> set[str]:
    """Return those of `names` that are stored; unused hosts are deleted a day after the last request."""
    return {row.host for row in rows_in(connection, select(hosts.c.host), hosts.c.host, names)}


def set_robots(connection: Connection, host: str, *, at: datetime, status: int, rules: str) -> None:
    """Store the rules of a host's robots.txt for us, or the status of the failure to fetch it."""
    packed = zlib.compress(rules.encode()) if rules else None
    row = {"robots_at": at, "robots_status": status, "robots_rules": packed}
    query = insert(connection, hosts).values(host=host, **row)
    connection.execute(query.on_conflict_do_update(index_elements=["host"], set_=row))
