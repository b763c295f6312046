"""The sources that show whether our own network is down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from watcher.model import Source
from watcher.store.feeds import sync_sources
from watcher.store.outages import MAX_WITNESSES, urls_to_probe
from watcher.store.schema import feeds
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def test_witnesses_are_one_source_of_each_domain_the_latest_read_first(engine):
    read_at = {0: NOW, 1: NOW + timedelta(minutes=1)}
    many = [Source(url=f"https://{n}.big.example/feed", name=f"Section {n}") for n in range(MAX_WITNESSES)]
    write(
        engine, sync_sources, [Source(url=f"https://h{n}.example/feed", name=f"H{n}") for n in range(3)] + many, now=NOW
    )
    for number, at in read_at.items():
        query = update(feeds).where(feeds.c.url == f"https://h{number}.example/feed").values(last_read_at=at)
        write(engine, lambda c, query=query: c.execute(query))
    newest = update(feeds).where(feeds.c.host.endswith(".big.example")).values(last_read_at=NOW + timedelta(hours=1))
    write(engine, lambda c: c.execute(newest))

    big, *others = read(engine, urls_to_probe)

    assert big.endswith(".big.example/feed")
    assert others == [f"https://h{n}.example/feed" for n in (1, 0, 2)]


def test_there_are_no_more_witnesses_than_can_be_asked(engine):
    sources = [Source(url=f"https://h{n}.example/feed", name=f"H{n}") for n in range(MAX_WITNESSES + 1)]
    write(engine, sync_sources, sources, now=NOW)

    assert len(set(read(engine, urls_to_probe))) == MAX_WITNESSES
