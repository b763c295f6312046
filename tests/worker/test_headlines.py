"""Entries whose page cannot be had and whose feed has too little text: their headlines are stored, and texts later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.tools import articles_between
from tests.worker.fakes import LONG_SUMMARY, START, feed_xml, page_html
from watcher.model import Article, PackedFeatures
from watcher.settings.models import FetchSettings
from watcher.store.articles import packed_features
from watcher.store.pages import due_pages, schedule_rechecks
from watcher.store.schema import entries, pages, revisions
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # starts a worker process

FEED, PAGE = "https://a.example/feed", "https://a.example/0"
TITLE = "Ferry between the two towns sinks"
SOUP = "Boil seven onions with salt for an hour, then add cream, pepper, parsley, and a little lemon peel. "
OTHER_SUBJECT = f"<html lang=en><body><article><h1>Soup</h1><p>{SOUP}</p><p>{SOUP[::-1]}</p></article></body></html>"


@pytest.fixture
async def bare(world):
    """The id of an article of which only the headline is known: its site answers 403 to all who ask for a page."""
    serve(world, "Read more.")
    world.net.serve(PAGE, status=403)
    world.source("a.example")
    await pass_by(world, 6)
    return article(world).id


def serve(world, summary: str, host: str = "a.example", *, link: str = "") -> None:
    feed = feed_xml(host, [TITLE], summary)
    world.net.serve(f"https://{host}/feed", feed.replace(f"https://{host}/0", link) if link else feed)


async def pass_by(world, times):
    for _ in range(times):
        await world.drain()
        world.clock[0] += timedelta(hours=3)


def articles_of(world) -> list[Article]:
    start, end = START - timedelta(days=9), START + timedelta(days=99)
    return list(read(world.tools.writer.engine, articles_between, start=start, end=end))


def article(world) -> Article:
    (found,) = articles_of(world)
    return found


def features_of(world, key: str) -> PackedFeatures:
    return read(world.tools.writer.engine, packed_features, [key])[key]


def count(world, table) -> int:
    return len(read(world.tools.writer.engine, lambda c: c.execute(select(table)).all()))


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (403, "", "403 Forbidden"),
        (404, "", "404 Not Found"),
        (410, "", "410 Gone"),
        (451, "", "451 Unavailable For Legal Reasons"),
        (503, "", "503 Service Unavailable"),
        (200, "", "the page has almost no text"),
        (200, OTHER_SUBJECT, "the page is about another subject than the feed's entry"),
    ],
)
async def test_an_entry_whose_page_cannot_be_had_is_kept_as_a_headline(world, status, text, reason):
    serve(world, "Read more.")
    world.net.serve(PAGE, text, status=status)
    world.source("a.example")

    await pass_by(world, 6)

    found = article(world)
    assert (found.title, found.text, str(found.feed_reason)) == (TITLE, "", reason)
    assert (found.url, found.outlet, found.from_feed) == (PAGE, "a.example", True)
    assert found.published_at == START - timedelta(hours=1)
    assert world.reasons() == []


async def test_an_entry_whose_page_robots_txt_forbids_is_a_headline_at_once(world):
    world.net.serve("https://a.example/robots.txt", "User-agent: *\nDisallow: /0")
    serve(world, "Read more.")
    world.source("a.example")

    await world.drain()

    assert list(world.headlines()) == [TITLE]
    assert world.net.urls().count(PAGE) == 0


async def test_a_page_that_fails_for_a_time_is_tried_again_before_its_headline_is_all(world):
    serve(world, "Read more.")
    world.net.serve(PAGE, status=503)
    world.source("a.example")
    await world.drain()

    assert world.stored() == {}
    world.net.serve(PAGE, page_html(TITLE))
    await pass_by(world, 2)

    assert article(world).text


async def test_with_pages_switched_off_an_entry_is_a_headline_at_once_and_asks_nobody(world):
    world.tools = replace(world.tools, fetch=FetchSettings(articles=False))
    serve(world, "Read more.")
    world.source("a.example")

    await world.drain()

    assert world.headlines() == {TITLE: "the feed has too little text, and pages are not fetched"}
    assert world.net.urls().count(PAGE) == 0


async def test_a_text_that_the_feed_has_later_replaces_the_headline(world, bare):
    before, features = article(world), features_of(world, bare)
    serve(world, LONG_SUMMARY)

    await pass_by(world, 3)

    found = article(world)
    assert (found.id, found.text) == (bare, LONG_SUMMARY)
    assert (found.published_at, found.fetched_at) == (before.published_at, before.fetched_at)
    assert features_of(world, bare).payload != features.payload
    assert world.reasons() == []


async def test_a_text_that_another_feed_of_the_outlet_has_for_the_same_link_replaces_the_headline(world, bare):
    serve(world, LONG_SUMMARY, "news.a.example", link=PAGE)
    world.source("a.example", "news.a.example")

    await pass_by(world, 3)

    assert (article(world).id, article(world).text) == (bare, LONG_SUMMARY)


async def test_a_text_that_the_feed_of_another_outlet_has_for_the_same_link_is_an_article_apart(world, bare):
    serve(world, LONG_SUMMARY, "b.example", link=PAGE)
    world.source("a.example", "b.example")

    await pass_by(world, 3)

    assert [(each.outlet, each.text) for each in sorted(articles_of(world), key=lambda each: each.outlet)] == [
        ("a.example", ""),
        ("b.example", LONG_SUMMARY),
    ]
    query = select(entries.c.redirected_article_id).where(entries.c.article_id == bare).order_by(entries.c.feed_id)
    first, second = read(world.tools.writer.engine, lambda c: c.scalars(query).all())
    assert first is None, "the outlet's own entry is that of its headline"
    assert second is not None


async def test_a_changed_entry_with_too_little_text_has_its_page_asked_for_no_more(world, bare):
    asked = world.net.urls().count(PAGE)
    serve(world, "Read more of it.")

    await pass_by(world, 3)

    assert world.net.urls().count(PAGE) == asked


async def test_a_page_that_works_at_a_recheck_replaces_the_headline(world, bare):
    engine = world.tools.writer.engine
    write(engine, schedule_rechecks, {bare: 1}, now=world.clock[0])
    world.net.serve(PAGE, page_html(TITLE))

    await pass_by(world, 9)

    found = article(world)
    assert found.id == bare
    assert "two of its four pistons" in found.text
    assert not found.from_feed
    assert (count(world, pages), count(world, revisions)) == (0, 0)


@pytest.mark.parametrize("status", [403, 404])
async def test_a_page_that_still_cannot_be_had_at_a_recheck_says_nothing_of_the_headline(world, bare, status):
    engine = world.tools.writer.engine
    write(engine, schedule_rechecks, {bare: 3}, now=world.clock[0])
    world.net.serve(PAGE, status=status)

    await pass_by(world, 16)

    assert article(world).title == TITLE
    assert (count(world, pages), count(world, revisions)) == (0, 0)


async def test_a_text_of_the_feed_is_not_lost_to_a_recheck_that_waits(world, bare):
    engine = world.tools.writer.engine
    write(engine, schedule_rechecks, {bare: 1}, now=world.clock[0])
    serve(world, LONG_SUMMARY)

    await pass_by(world, 2)

    assert article(world).text == LONG_SUMMARY
    assert read(engine, due_pages, "a.example", now=world.clock[0] + timedelta(days=9), limit=9) == ()
