"""Pages of cited articles looked at again: unchanged, changed, gone, and what says nothing of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.worker.fakes import START, feed_xml, page_html
from watcher.store.pages import RECHECK_AFTER, revisions_between, schedule_rechecks
from watcher.store.schema import articles, pages
from watcher.store.writer import read, write
from watcher.worker.fetch_page import _undo_new_cuts

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


async def test_a_line_that_other_pages_of_the_site_have_by_now_is_no_change(world, cited):
    line = "The ferry was built in 1998, and an accident in its engine room closed the line for a year in 2019."
    page = page_html("Ferry one").replace("</article>", f"<p>{line}</p></article>")
    assert line in page
    world.net.serve(PAGE, page)
    await pass_by(world, 1)
    ((_, text),), _ = found(world)
    assert line in text
    titles = ["Ferry one", "Bridge", "Harbour fees", "A museum"]
    for n, title in enumerate(titles[1:], start=1):
        other = page_html(title).replace("ferry", title.lower()).replace("engine", f"{title} roof")
        world.net.serve(f"https://a.example/{n}", other.replace("</article>", f"<p>{line}</p></article>"))
    world.net.serve("https://a.example/feed", feed_xml("a.example", titles))

    await pass_by(world)

    assert len(world.stored()) == len(titles)
    assert len(found(world)[0]) == 1


@pytest.mark.parametrize(
    ("old", "new", "old_cuts", "new_cuts", "text"),
    [
        ("a\nb\nc", "a\nc", (), ("b",), "a\nb\nc"),  # b is still on the page
        ("a\nb\nc", "a\nc", (), (), "a\nc"),
        ("a\nc", "a\nb\nc", ("b",), (), "a\nc"),  # b was on the page before
        ("a\nc", "a\nb\nc", (), (), "a\nb\nc"),
        ("a\nb\nc", "a\nd", (), ("b",), "a\nb\nd"),
        ("a\nb", "x\ny", (), (), "x\ny"),
    ],
)
def test_only_what_the_outlet_changed_is_a_change(old, new, old_cuts, new_cuts, text):
    assert _undo_new_cuts(old, new, old_cuts, new_cuts) == text


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
