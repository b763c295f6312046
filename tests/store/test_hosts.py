"""Leases on hosts: one worker at a time, freed when it dies."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.tools import claim_hosts, due_feeds
from watcher.model import Feed, Source
from watcher.store.feeds import sync_sources
from watcher.store.hosts import HOST_LEASE, drop_dead_leases, due_hosts, get_host, renew_leases, set_blocked_until
from watcher.store.schema import feeds, hosts, pages
from watcher.store.visits import LeaseRequest, VisitDecision, VisitEnd, release_hosts, renew_or_stop
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
def engine(engine):
    sources = [Source(url=f"https://h{n:03}.example/feed", name=f"Outlet {n}") for n in range(60)]
    write(engine, sync_sources, sources, now=NOW)
    return engine


def test_six_workers_at_once_never_hold_the_same_host(engine):
    held: list[str] = []

    def work(worker: str) -> None:
        while names := write(engine, claim_hosts, worker=worker, now=NOW, limit=4):
            held.extend(names)

    threads = [threading.Thread(target=work, args=(f"machine:{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(held) == 60
    assert len(set(held)) == 60


def test_a_lease_that_ran_out_goes_to_another_worker(engine):
    write(engine, claim_hosts, worker="a:1", now=NOW, limit=100)

    assert write(engine, claim_hosts, worker="b:1", now=NOW + HOST_LEASE / 2, limit=1) == ()
    assert len(write(engine, claim_hosts, worker="b:1", now=NOW + HOST_LEASE, limit=1)) == 1


def test_a_worker_that_lost_its_lease_is_told_so(engine):
    (host,) = write(engine, claim_hosts, worker="a:1", now=NOW, limit=1)
    write(engine, claim_hosts, worker="b:1", now=NOW + HOST_LEASE, limit=100)

    steps = [
        LeaseRequest(host=host, worker=worker, now=NOW + HOST_LEASE, floor=HOST_LEASE) for worker in ("a:1", "b:1")
    ]

    assert write(engine, renew_or_stop, steps) == [VisitDecision.STOP, VisitDecision.GO]


def test_a_step_soon_after_the_last_leaves_the_lease_as_it_is_and_a_later_one_renews_it(engine):
    (host,) = write(engine, claim_hosts, worker="a:1", now=NOW, limit=1)

    def step(after: timedelta, worker: str = "a:1") -> tuple[VisitDecision, timedelta]:
        now = NOW + after
        (done,) = write(engine, renew_or_stop, [LeaseRequest(host=host, worker=worker, now=now, floor=HOST_LEASE)])
        lease = select(hosts.c.lease_until).where(hosts.c.host == host)
        return done, read(engine, lambda c: c.execute(lease).scalar_one()) - NOW

    assert step(HOST_LEASE / 10) == (VisitDecision.GO, HOST_LEASE)
    assert step(HOST_LEASE / 4) == (VisitDecision.GO, HOST_LEASE + HOST_LEASE / 4)
    assert step(HOST_LEASE / 2, "b:1") == (VisitDecision.STOP, HOST_LEASE + HOST_LEASE / 4)
    write(engine, set_blocked_until, host, until=NOW + HOST_LEASE)
    assert step(HOST_LEASE / 2) == (VisitDecision.STOP, HOST_LEASE + HOST_LEASE / 2)


def test_releasing_somebody_elses_lease_changes_nothing(engine):
    (host,) = write(engine, claim_hosts, worker="a:1", now=NOW, limit=1)

    write(engine, release_hosts, [VisitEnd(host=host, worker="b:1", last_request_at=None)])

    assert host not in write(engine, claim_hosts, worker="b:1", now=NOW, limit=100)


def test_leases_of_dead_processes_of_this_machine_are_freed_at_once(engine):
    machine = "here"
    process = os.fork()
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)
    write(engine, claim_hosts, worker=f"{machine}:{process}", now=NOW, limit=10)
    write(engine, claim_hosts, worker=f"{machine}:{os.getppid()}", now=NOW, limit=10)

    write(engine, drop_dead_leases, worker=f"{machine}:{os.getpid()}")

    assert len(write(engine, claim_hosts, worker="x:1", now=NOW, limit=100)) == 50


def test_a_blocked_host_is_not_visited_before_its_time(engine):
    write(engine, set_blocked_until, "h007.example", until=NOW + timedelta(hours=2))

    now = write(engine, claim_hosts, worker="a:1", now=NOW, limit=100)
    later = write(engine, claim_hosts, worker="b:1", now=NOW + timedelta(hours=2), limit=100)

    assert "h007.example" not in now
    assert "h007.example" in later


def test_a_hold_is_never_cut_short(engine):
    for hours in (2, 5, 1):
        write(engine, lambda c, hours=hours: set_blocked_until(c, "h007.example", until=NOW + timedelta(hours=hours)))
    write(engine, claim_hosts, worker="a:1", now=NOW, limit=100)
    write(engine, set_blocked_until, "h008.example", until=NOW + timedelta(hours=1))

    assert read(engine, lambda c: get_host(c, "h007.example").blocked_until) == NOW + timedelta(hours=5)
    assert read(engine, lambda c: get_host(c, "h008.example").blocked_until) == NOW + timedelta(hours=1)
    assert read(engine, lambda c: get_host(c, "h009.example").blocked_until) is None
    assert read(engine, lambda c: get_host(c, "unknown.example").blocked_until) is None


def test_a_host_that_is_being_visited_is_not_claimed_again_though_its_lease_ran_out(engine):
    busy = write(engine, claim_hosts, worker="a:1", now=NOW, limit=20)
    many = {*busy, *(f"other{n}.example" for n in range(40_000))}

    again = write(engine, claim_hosts, worker="a:1", now=NOW + 2 * HOST_LEASE, limit=100, busy=many)

    assert len(again) == 40
    assert not set(again) & set(busy)


def test_a_worker_renews_what_it_visits_and_still_has(engine):
    mine = write(engine, claim_hosts, worker="a:1", now=NOW, limit=20)
    lost = write(engine, claim_hosts, worker="b:1", now=NOW, limit=20)

    write(engine, renew_leases, mine[:10] + lost, worker="a:1", now=NOW + HOST_LEASE)

    free = write(engine, claim_hosts, worker="c:1", now=NOW + HOST_LEASE, limit=100)
    assert len(free) == 50
    assert not set(free) & set(mine[:10])


def test_a_page_of_a_feed_that_was_taken_out_claims_no_host(engine):
    def note(connection):
        feed = connection.scalar(select(feeds.c.id).where(feeds.c.host == "h001.example"))
        row = {"url": "https://pages.example/1", "host": "pages.example", "entry": {}, "added_at": NOW}
        connection.execute(pages.insert().values(article_id="1", feed_id=feed, next_try_at=NOW, **row))

    write(engine, note)
    assert "pages.example" in write(engine, claim_hosts, worker="a:1", now=NOW, limit=100)
    write(engine, release_hosts, [VisitEnd(host="pages.example", worker="a:1", last_request_at=None)])

    write(engine, lambda c: c.execute(update(feeds).where(feeds.c.host == "h001.example").values(enabled=False)))

    assert "pages.example" not in write(engine, claim_hosts, worker="b:1", now=NOW + HOST_LEASE, limit=100)


def test_a_look_that_is_cut_off_goes_on_where_it_ended(engine):
    for n in range(60):
        row = update(feeds).where(feeds.c.host == f"h{n:03}.example")
        write(engine, lambda c, n=n, row=row: c.execute(row.values(next_poll_at=NOW - timedelta(minutes=n))))
    write(engine, set_blocked_until, "h055.example", until=NOW + timedelta(hours=2))

    first, until = read(engine, due_hosts, now=NOW, limit=20)
    second = read(engine, due_hosts, now=NOW, limit=100, since=until)

    assert first == tuple(f"h{n:03}.example" for n in range(59, 38, -1) if n != 55)
    assert until == NOW - timedelta(minutes=39)
    assert second == (tuple(f"h{n:03}.example" for n in range(39, -1, -1)), NOW)


def test_the_next_steps_of_many_visits_are_taken_together(engine):
    write(engine, claim_hosts, worker="a:1", now=NOW, limit=5)
    write(engine, set_blocked_until, "h001.example", until=NOW + HOST_LEASE)
    write(engine, lambda c: c.execute(update(hosts).where(hosts.c.host == "h002.example").values(lease_by="b:1")))
    later = update(feeds).where(feeds.c.host == "h003.example").values(next_poll_at=NOW + HOST_LEASE)
    write(engine, lambda c: c.execute(later))
    found = read(engine, lambda c: [due_feeds(c, f"h{n:03}.example", now=NOW + HOST_LEASE)[0] for n in range(6)])

    def step(feed: Feed) -> LeaseRequest:
        return LeaseRequest(host=feed.host, worker="a:1", now=NOW, floor=HOST_LEASE, feed=feed)

    done = write(engine, renew_or_stop, [step(feed) for feed in found])

    assert done == [
        VisitDecision.GO,
        VisitDecision.STOP,
        VisitDecision.STOP,
        VisitDecision.SKIP,
        VisitDecision.GO,
        VisitDecision.STOP,
    ]
    due = select(feeds.c.host).where(feeds.c.next_poll_at == NOW + HOST_LEASE).order_by(feeds.c.host)
    assert read(engine, lambda c: c.scalars(due).all()) == ["h000.example", "h003.example", "h004.example"]
