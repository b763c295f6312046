"""Pages of cited articles looked at again: unchanged, changed, gone, and what says nothing of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.worker.fakes import START, feed_xml, page_html
from watcher.store.pages import RECHECK_AFTER, revisions_between, schedule_rechecks
from watcher.store.schema import articles, pages
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # starts a worker process

PAGE = "https://a.example/0"


@pytest.fixture
async def cited(world):
    """A stored article that an edition has just cited."""
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.net.serve(PAGE, page_html("Ferry one"))
    world.source("a.example")
    await world.drain()
    engine = world.tools.writer.engine
    (key,) = read(engine, lambda c: c.scalars(select(articles.c.id)).all())
    write(engine, schedule_rechecks, {key: 3}, now=world.clock[0])
    return key


def found(world):
    """Return the kinds of revisions, and how many pages wait."""
    engine = world.tools.writer.engine
    rows = read(engine, revisions_between, start=START, end=START + timedelta(days=9))
    waiting = read(engine, lambda c: c.scalars(select(pages.c.article_id)).all())
    return [(r.kind, r.text) for each in rows.values() for r in each], len(waiting)


async def pass_by(world, times=4):
    for _ in range(times):
        world.clock[0] += timedelta(hours=9)
        await world.drain()


async def test_a_page_is_looked_at_three_times_and_then_let_be(world, cited):
    asked = world.net.urls().count(PAGE)

    await pass_by(world, 6)

    assert world.net.urls().count(PAGE) - asked == len(RECHECK_AFTER)
    assert found(world) == ([], 0)


async def test_nothing_is_asked_before_its_time(world, cited):
    asked = len(world.net.asked)
    world.clock[0] += RECHECK_AFTER[0] - timedelta(minutes=1)

    await world.drain()

    assert world.net.urls()[asked:].count(PAGE) == 0


async def test_what_a_page_says_otherwise_is_kept_once_and_the_article_stays(world, cited):
    before = world.stored()
    world.net.serve(PAGE, page_html("Ferry one").replace("two of its four", "three of its four"))

    await pass_by(world)

    ((kind, text),), waiting = found(world)
    assert (kind, waiting) == ("changed", 0)
    assert "three of its four" in text
    assert world.stored() == before


async def test_a_page_that_is_missing_twice_is_gone(world, cited):
    world.net.serve(PAGE, status=404)

    await pass_by(world, 1)
    assert found(world) == ([], 1)
    await pass_by(world, 1)

    assert found(world) == ([("gone", "")], 0)


async def test_a_page_that_leads_to_the_front_page_is_gone(world, cited):
    world.net.serve(PAGE, status=302, Location="https://a.example/")
    world.net.serve("https://a.example/", page_html("The front"))

    await pass_by(world, 2)

    assert found(world) == ([("gone", "")], 0)


async def test_a_fault_of_the_server_and_a_wall_say_nothing_of_the_article(world, cited):
    world.net.serve(PAGE, status=503)
    await pass_by(world, 1)
    world.net.serve(PAGE, "<html><body><h1>Are you a robot?</h1><p>Please enable cookies.</p></body></html>")
    await pass_by(world, 3)

    assert found(world) == ([], 0)


async def test_an_article_of_the_feeds_own_text_is_not_looked_at(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"], "The ferry runs again. " * 9))
    world.source("a.example")
    await world.drain()
    await pass_by(world, 1)
    engine = world.tools.writer.engine
    keys = read(engine, lambda c: c.scalars(select(articles.c.id)).all())

    write(engine, schedule_rechecks, dict.fromkeys(keys, 3), now=world.clock[0])

    assert found(world)[1] == 0


async def test_a_changed_entry_has_its_page_looked_at_soon(world, cited):
    world.net.serve(PAGE, page_html("Ferry one").replace("two of its four", "three of its four"))
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"], "With a new summary."))
    world.clock[0] += timedelta(hours=1)

    await world.drain()
    await world.drain()

    assert [kind for kind, _ in found(world)[0]] == ["changed"]
