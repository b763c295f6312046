"""Editions in the store: one a date, kept whole, and made again after a crash."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from digests.cluster.linkage import Edges
from digests.cluster.neighbours import PairScores
from digests.compose.edition import compose_edition
from digests.edition.build import save
from digests.edition.load import load_edition_inputs
from digests.edition.schedule import EditionRequest
from digests.errors import DeliveryError
from digests.settings.digests import DigestSettings
from digests.store.editions import (
    CLAIM_LASTS,
    MAKE_LIMIT_S,
    adjacent_editions,
    claim,
    edition_rows,
    find_row,
    first_seen,
    get_edition,
    is_settled,
    next_number,
    process_id,
    recent_editions,
    release_claim,
)
from digests.store.keys import DAILY, EditionKey, Slot, parse_slot
from digests.store.schema import editions
from digests.stories.window import GroupedStories
from tests.edition.factory import make_edition
from tests.kinds import refuse_writes
from tests.tools import add_article, due_feeds
from watcher.errors import status_reason
from watcher.failure_messages import Reason, TaskKind
from watcher.features.extract import encode, extract_features
from watcher.model import Article, Entry, EntryChanges, PackedFeatures, PollFailed, PollSucceeded, Source, Validators
from watcher.store.feeds import sync_sources
from watcher.store.outages import record_network_down, record_polling_stop
from watcher.store.pages import due_pages, record_failure, remove_page
from watcher.store.polls import record_polls
from watcher.store.writer import read, write
from watcher.text.urls import host_of

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
DAY = date(2026, 11, 24)
WINDOW = (NOW - timedelta(days=1), NOW)
KEY = EditionKey(digest="world", local_date=DAY)
NO_SCORES = PairScores(reports=(), edges=Edges.concat(()))
NOTHING_GROUPED = GroupedStories(stories=(), items={}, parts={}, scores=NO_SCORES)


def digest(name: str = "world") -> DigestSettings:
    return DigestSettings.model_validate({"name": name}, context={})


def order(day: date = DAY, slot: Slot | None = DAILY) -> EditionRequest:
    return EditionRequest(local_date=day, window_start=WINDOW[0], window_end=WINDOW[1], slot=slot, due_at=NOW)


def test_six_makers_at_once_make_one_edition(engine):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(make_edition(engine, digest(), order(), now=NOW))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(edition is not None for edition in made) == 1


def test_an_edition_comes_back_as_it_was_made(engine):
    made = make_edition(engine, digest(), order(), now=NOW)

    assert read(engine, get_edition, "world", local_date=DAY) == made


def test_an_edition_whose_files_cannot_be_written_is_still_owed(engine, tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")

    with pytest.raises(DeliveryError):
        make_edition(engine, digest(), replace(order(), folder=tmp_path / "out"), now=NOW)

    assert not read(engine, is_settled, KEY, now=NOW)
    assert make_edition(engine, digest(), order(), now=NOW) is not None


def test_a_claim_left_by_a_crash_runs_out(engine):
    taken = {"window": WINDOW, "by": "another-machine:1:mark"}

    assert write(engine, claim, KEY, **taken, now=NOW)
    assert not write(engine, claim, KEY, **taken, now=NOW + CLAIM_LASTS / 2)
    assert not read(engine, is_settled, KEY, now=NOW + CLAIM_LASTS * 2)
    assert write(engine, claim, KEY, **taken, now=NOW + CLAIM_LASTS * 2)


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("pid", [dead_process, os.getpid])
def test_a_claim_of_a_killed_process_of_this_machine_is_taken_over_at_once(engine, pid):
    """The process that was killed may have had the number that we have now, in a container for example."""
    machine = process_id().rsplit(":", 2)[0]
    taken = {"window": WINDOW, "now": NOW}
    write(engine, claim, KEY, **taken, by=f"{machine}:{pid()}:mark")

    assert not read(engine, is_settled, KEY, now=NOW)
    assert make_edition(engine, digest(), order(), now=NOW) is not None


def test_a_claim_of_a_clock_that_was_ahead_runs_out(engine):
    given = {"window": WINDOW}
    then = NOW + timedelta(days=365)
    assert write(engine, claim, KEY, now=then, by="another-machine:1:mark", **given)

    assert not read(engine, is_settled, KEY, now=NOW)
    assert write(engine, claim, KEY, now=NOW, **given)


def test_a_claim_of_a_living_process_stands(engine):
    machine = process_id().rsplit(":", 2)[0]
    taken = {"window": WINDOW, "now": NOW}
    write(engine, claim, KEY, **taken, by=f"{machine}:{os.getppid()}:mark")

    assert make_edition(engine, digest(), order(), now=NOW) is None
    assert read(engine, is_settled, KEY, now=NOW)


def test_a_maker_whose_claim_was_taken_over_neither_keeps_its_edition_nor_undoes_the_other(engine):
    taken = {"window": WINDOW}
    later = NOW + CLAIM_LASTS * 2
    assert write(engine, claim, KEY, **taken, now=NOW)
    edition = compose_edition(read(engine, load_edition_inputs, digest(), order(), NOTHING_GROUPED, now=NOW))
    assert write(engine, claim, KEY, **taken, now=later, by="another-machine:1:mark")

    assert not write(engine, save, KEY, edition, (), now=NOW)
    write(engine, release_claim, KEY)
    assert read(engine, is_settled, KEY, now=later)
    assert timedelta(seconds=MAKE_LIMIT_S) < CLAIM_LASTS


def test_the_daily_edition_stands_for_its_date_whatever_else_was_asked_for(engine):
    daily = make_edition(engine, digest(), order(), now=NOW)
    make_edition(engine, digest(), order(slot=parse_slot("15:00")), now=NOW + timedelta(hours=9))

    assert read(engine, get_edition, "world", local_date=DAY) == daily


def test_each_edition_of_a_digest_has_its_own_number_and_predecessors_go_by_dates(engine):
    yesterday = DAY - timedelta(days=1)
    first = make_edition(engine, digest(), order(yesterday), now=NOW - timedelta(days=1))
    make_edition(engine, digest("other"), order(yesterday), now=NOW)
    second = make_edition(engine, digest(), order(), now=NOW)

    assert first is not None and second is not None
    third = make_edition(engine, digest(), order(slot=parse_slot("15:00:00.0")), now=NOW + timedelta(hours=9))
    late = make_edition(
        engine, digest(), order(yesterday, slot=parse_slot("16:00:00.0")), now=NOW + timedelta(hours=10)
    )

    assert third is not None and late is not None
    assert (first.number, second.number, third.number, late.number) == (1, 2, 3, 4)
    assert [row.number for row in read(engine, edition_rows, "world")] == [3, 2, 4, 1]
    assert second.previous == third.previous == yesterday
    assert read(engine, recent_editions, "world", before=DAY, limit=1, delivered=True) == (first,)
    assert read(engine, next_number, "world", now=NOW) == 5


def test_an_edition_that_is_made_meanwhile_has_another_number(engine):
    number = write(engine, claim, KEY, window=WINDOW, now=NOW)
    other = make_edition(engine, digest(), order(slot=parse_slot("15:00:00.0")), now=NOW)

    assert other is not None and other.number == 2
    assert number == 1
    claimed = replace(order(), number=number)
    assert read(engine, load_edition_inputs, digest(), claimed, NOTHING_GROUPED, now=NOW).number == 1


def test_editions_of_one_date_have_their_own_labels_and_stand_between_their_neighbours(engine):
    yesterday = DAY - timedelta(days=1)
    for day, slot in ((yesterday, DAILY), (DAY, parse_slot("15:00:12.5")), (DAY, DAILY)):
        make_edition(engine, digest(), order(day, slot=slot), now=NOW)
    newest, asked, oldest = read(engine, edition_rows, "world")

    assert [row.label for row in (newest, asked, oldest)] == ["2026-11-24", "2026-11-24, 15:00:12", "2026-11-23"]
    assert read(engine, find_row, "world", DAY, suffix="-150012") == asked
    assert read(engine, find_row, "world", DAY) == newest
    with engine.begin() as connection:  # made a minute later
        connection.execute(update(editions).where(editions.c.slot == DAILY).values(made_at=NOW + timedelta(minutes=1)))
    (newest, asked, oldest) = read(engine, edition_rows, "world")
    assert read(engine, adjacent_editions, asked) == (oldest, newest)


def test_an_edition_that_is_only_shown_leaves_no_trace(engine):
    shown = make_edition(engine, digest(), replace(order(), slot=None), now=NOW)

    assert shown is not None
    assert read(engine, get_edition, "world", local_date=DAY) is None


def test_a_digest_is_known_from_the_first_time_it_was_asked_for(engine):
    assert write(engine, first_seen, "world", now=NOW) == NOW
    assert write(engine, first_seen, "world", now=NOW + timedelta(days=3)) == NOW


def test_the_ledger_of_a_digest_with_sources_counts_what_they_brought(engine):
    sources = [Source(url=f"https://{name}.example/feed", name=name, language="en") for name in ("One", "Two")]
    write(engine, sync_sources, sources, now=NOW)
    for n, source in enumerate(sources, 1):
        (feed,) = read(engine, lambda c, source=source: due_feeds(c, host_of(source.url), now=NOW))
        new = tuple(Entry(guid=f"{i}", url=f"{source.url}/{i}", title="T", content_hash="h") for i in range(n))
        changes = EntryChanges(new=new, changed=(), unchanged=0)
        result = PollSucceeded(
            at=NOW - timedelta(hours=1), next_poll_at=NOW, interval_s=3600.0, validators=Validators(),
            changes=changes, moved_to=None, took_s=0.1,
        )  # fmt: skip
        write(engine, lambda c, feed=feed, result=result: record_polls(c, [(feed, result)]))
        for page in read(engine, lambda c, feed=feed: due_pages(c, feed.host, now=NOW, limit=9)):
            write(
                engine, lambda c, p=page: record_failure(c, p.article_id, reason=status_reason(404), next_try_at=None)
            )

    ledgers = {}
    for words in ([], ["One"], ["Two"]):
        settings = DigestSettings.model_validate({"name": "world", "sources": words}, context={})
        ledgers[" ".join(words)] = make_edition(engine, settings, replace(order(), slot=None), now=NOW).ledger

    assert {name: ledger.entries_seen for name, ledger in ledgers.items()} == {"": 3, "One": 1, "Two": 2}
    assert {name: ledger.left_out[0].count for name, ledger in ledgers.items()} == {"": 3, "One": 1, "Two": 2}


def test_of_two_sources_of_one_name_the_one_that_fails_is_told_apart_by_its_host(engine):
    sources = [Source(url=f"https://{host}.example/feed", name="Post", language="en") for host in ("good", "bad")]
    write(engine, sync_sources, sources, now=NOW - timedelta(days=3))
    for source in sources:
        (feed,) = read(engine, due_feeds, host_of(source.url), now=NOW)
        kept = {"at": NOW - timedelta(hours=1), "next_poll_at": NOW, "took_s": 0.1}
        changes = EntryChanges(new=(Entry(guid="1", url=f"{source.url}/1", title="T"),), changed=(), unchanged=0)
        read_well = PollSucceeded(**kept, interval_s=3600.0, validators=Validators(), changes=changes, moved_to=None)
        failed = PollFailed(**kept, reason=status_reason(503))
        write(engine, record_polls, [(feed, failed if "bad" in source.url else read_well)])

    ledger = make_edition(engine, digest(), order(), now=NOW).ledger

    assert [each.name for each in ledger.failing] == ["Post, bad.example"]


def test_of_two_feeds_of_one_name_the_one_that_never_had_an_entry_is_not_missed(engine):
    hosts = {"good": "Post", "empty": "Post", "bare": "Herald"}
    sources = [Source(url=f"https://{host}.example/feed", name=name, language="en") for host, name in hosts.items()]
    write(engine, sync_sources, sources, now=NOW - timedelta(days=3))
    for source in sources:
        (feed,) = read(engine, due_feeds, host_of(source.url), now=NOW)
        new = (Entry(guid="1", url=f"{source.url}/1", title="T"),) if "good" in source.url else ()
        changes = EntryChanges(new=new, changed=(), unchanged=0)
        kept = {"at": NOW - timedelta(hours=1), "next_poll_at": NOW, "took_s": 0.1, "moved_to": None}
        polled = PollSucceeded(**kept, interval_s=3600.0, validators=Validators(), changes=changes)
        write(engine, record_polls, [(feed, polled)])

    ledger = make_edition(engine, digest(), order(), now=NOW).ledger

    assert [each.name for each in ledger.failing] == ["Herald"]
    assert (ledger.sources_total, ledger.sources_ok) == (3, 2)


def test_a_source_that_was_not_read_in_the_window_is_not_called_read(engine):
    ages = {"Fresh": 1, "Old": 30, "Ill": 2, "Never": None}  # hours since the last poll
    sources = [Source(url=f"https://{name.lower()}.example/feed", name=name, language="en") for name in ages]
    write(engine, sync_sources, sources, now=NOW - timedelta(days=3))
    for source, age in zip(sources, ages.values(), strict=True):
        if age is None:
            continue
        (feed,) = read(engine, due_feeds, host_of(source.url), now=NOW)
        kept = {"at": NOW - timedelta(hours=age), "next_poll_at": NOW, "took_s": 0.1}
        changes = EntryChanges(new=(Entry(guid="1", url=f"{source.url}/1", title="T"),), changed=(), unchanged=0)
        read_well = PollSucceeded(**kept, interval_s=3600.0, validators=Validators(), changes=changes, moved_to=None)
        failed = PollFailed(**kept, reason=status_reason(503))
        write(engine, record_polls, [(feed, failed if source.name == "Ill" else read_well)])
    write(engine, record_network_down, down_since=NOW - timedelta(minutes=30))
    no_processes = Reason(TaskKind.NO_PROCESSES, detail="Resource temporarily unavailable")
    write(engine, record_polling_stop, no_processes, now=NOW - timedelta(minutes=20))

    ledger = make_edition(engine, digest(), order(), now=NOW).ledger
    earlier = replace(order(), slot=None, window_end=NOW - timedelta(hours=3))

    assert (ledger.sources_total, ledger.sources_ok, ledger.sources_unread) == (4, 1, 2)
    assert [each.name for each in ledger.failing] == ["Ill"]
    assert ledger.network_down_since == NOW - timedelta(minutes=30)
    assert (ledger.polling_stopped_since, ledger.polling_stop_reason) == (NOW - timedelta(minutes=20), no_processes)
    before = make_edition(engine, digest(), earlier, now=NOW).ledger
    assert (before.network_down_since, before.polling_stopped_since, before.polling_stop_reason) == (None, None, None)


@pytest.mark.slow
def test_the_ledger_says_why_entries_are_not_among_the_articles(engine):
    source = Source(url="https://one.example/feed", name="One", language="en")
    write(engine, sync_sources, [source], now=NOW)
    (feed,) = read(engine, due_feeds, "one.example", now=NOW)
    new = tuple(Entry(guid=f"{i}", url=f"https://one.example/{i}", title="T", content_hash="h") for i in range(4))
    again = Entry(guid="again", url="https://one.example/0?utm_source=feed", title="T", content_hash="h")
    result = PollSucceeded(
        at=NOW - timedelta(hours=1), next_poll_at=NOW, interval_s=3600.0, validators=Validators(),
        changes=EntryChanges(new=(*new, again), changed=(), unchanged=0), moved_to=None, took_s=0.1,
    )  # fmt: skip
    write(engine, record_polls, [(feed, result)])
    pages = read(engine, due_pages, "one.example", now=NOW, limit=9)
    came = NOW - timedelta(minutes=30)
    for page, age in zip(pages, (2, 30, 700), strict=False):  # the fourth is still to be had
        at = NOW - timedelta(hours=age)
        article = Article(
            id=page.article_id, url=page.url, host="one.example", outlet="One", country="GB", language="en",
            title=f"Bridge {age} falls into the Aar", text="It fell at night.", published_at=at, fetched_at=came,
        )  # fmt: skip
        made = extract_features(article.id, title=article.title, text=article.text, language="en")
        packed = PackedFeatures(version=made.version, payload=encode(made))
        write(engine, lambda c, a=article, p=packed: add_article(c, a, feed_id=feed.id, packed=p, block_hashes=()))
        write(engine, lambda c, key=page.article_id: remove_page(c, key))

    ledger = make_edition(engine, digest(), order(), now=NOW).ledger

    assert (ledger.entries_seen, ledger.articles) == (5, 1)
    assert {str(each.kind): each.count for each in ledger.left_out} == {
        "duplicate_entry": 1,
        "out_of_window": 2,
        "page_waiting": 1,
    }


def test_an_edition_that_never_came_to_be_takes_no_number(engine):
    yesterday = EditionKey(digest="world", local_date=DAY - timedelta(days=1))
    write(engine, claim, yesterday, window=WINDOW, now=NOW - CLAIM_LASTS * 2)

    assert make_edition(engine, digest(), order(), now=NOW).number == 1


@pytest.mark.slow  # waits
async def test_an_edition_that_is_made_waits_for_a_store_that_cannot_be_written_just_now(engine, tmp_path):
    folder, refusing = tmp_path / "out", [True]
    refuse_writes(engine, lambda: refusing and folder.exists())

    request = replace(order(), folder=folder)
    made = asyncio.create_task(asyncio.to_thread(make_edition, engine, digest(), request, now=NOW))
    while not folder.exists():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not read(engine, get_edition, "world", local_date=DAY)
    refusing.clear()

    assert await made is not None
    assert read(engine, get_edition, "world", local_date=DAY) == await made
