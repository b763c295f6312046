"""Whose report an article is: that of the source with the page's site, whichever feed lists its link first."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.tools import articles_between
from tests.worker.fakes import LONG_SUMMARY, START, World, page_html
from watcher.model import Source
from watcher.store.articles import pin
from watcher.store.feeds import make_all_due, sync_sources
from watcher.store.search import Filters, search
from watcher.store.writer import read, write
from watcher.text.search_query import parse_query

pytestmark = pytest.mark.slow  # starts a worker process
TITLES = {"https://a.example/1": "Ferry one", "https://b.example/1": "Ferry two", "https://c.example/1": "Ferry three"}
THIEF = Source(url="https://evil.example/feed", name="Evil Times", country="US")
REAL = [
    Source(url=f"https://{name}.example/feed", name=f"The {name.upper()}", country="GB", owner=f"{name} Ltd")
    for name in "abc"
]


def feed(links: list[str], *, site: str, summary: str = "", title: str = "") -> str:
    items = "".join(
        f"<item><title>{title or TITLES.get(link, 'Ferry')}</title><link>{link}</link><guid>{link}</guid>"
        f"<description>{summary}</description><author>a@b.example (Somebody Else)</author>"
        "<pubDate>Tue, 24 Nov 2026 02:00:00 GMT</pubDate></item>"
        for link in links
    )
    return f'<rss version="2.0"><channel><title>F</title><link>{site}</link>{items}</channel></rss>'


@pytest.fixture
def press(world):
    for link, title in TITLES.items():
        world.net.serve(link, page_html(title))
        host = httpx.URL(link).host
        world.net.serve(f"https://{host}/feed", feed([link], site=f"https://{host}/"))
    world.net.serve(THIEF.url, feed([*TITLES], site="https://evil.example/"))
    return world


async def poll(world: World, *sources: Source) -> None:
    """Poll these sources only, which are all that there are."""
    world.clock[0] += timedelta(hours=6)
    write(world.tools.writer.engine, sync_sources, sources, now=world.clock[0])
    write(world.tools.writer.engine, make_all_due, now=world.clock[0])
    await world.drain()


def stored(world: World) -> list:
    end = world.clock[0] + timedelta(days=9)
    return list(read(world.tools.writer.engine, articles_between, start=START - timedelta(days=9), end=end))


def outlets(world: World) -> dict[str, tuple[str, str | None]]:
    """Return by title the outlet of each article, and by way of which source it came."""
    return {each.title: (each.outlet, each.via) for each in stored(world)}


async def test_a_feed_that_lists_the_articles_of_other_sources_first_does_not_take_their_names(press):
    await poll(press, THIEF)
    await poll(press, THIEF, *REAL)

    assert outlets(press) == {
        "Ferry one": ("The A", None),
        "Ferry two": ("The B", None),
        "Ferry three": ("The C", None),
    }
    assert {(each.country, each.owner) for each in stored(press)} == {("GB", f"{name} Ltd") for name in "abc"}


async def test_an_article_has_the_same_outlet_in_whichever_order_its_feeds_are_polled(press):
    second = Source(url="https://b.example/other-feed", name="The B, other news", country="GB")
    press.net.serve(second.url, feed(["https://b.example/1"], site="https://b.example/"))
    for number, order in enumerate(itertools.permutations((THIEF, REAL[1], second))):
        link, title = f"https://b.example/{number + 2}", f"Ferry number {number}"
        press.net.serve(link, page_html(title))
        for source in order:
            press.net.serve(source.url, feed([link], site=f"https://{httpx.URL(source.url).host}/", title=title))
            await poll(press, source)
            # The three are sources all the time, as far as the settings say.
        assert outlets(press)[title] == ("The B", None), [source.name for source in order]


async def test_stored_articles_follow_the_section_of_their_source_and_keep_its_country(press):
    await poll(press, *REAL)
    engine = press.tools.writer.engine
    cited = next(each.id for each in stored(press) if each.title == "Ferry one")
    write(engine, pin, [cited], pinned_by="an edition")
    changed = [replace(source, section="Sea", country="FR") for source in REAL[:2]]

    write(engine, sync_sources, [*changed, REAL[2]], now=press.clock[0])

    assert {each.title: (each.section, each.country) for each in stored(press)} == {
        "Ferry one": ("Sea", "GB"), "Ferry two": ("Sea", "GB"), "Ferry three": (None, "GB"),
    }  # fmt: skip


async def test_an_article_of_a_source_that_another_feed_alone_lists_is_of_the_source(press):
    press.net.serve(REAL[0].url, feed([], site="https://a.example/"))

    await poll(press, *REAL[:1], THIEF)

    assert outlets(press) == {
        "Ferry one": ("The A", "Evil Times"),
        "Ferry two": ("b.example", "Evil Times"),
        "Ferry three": ("c.example", "Evil Times"),
    }


async def test_an_outlet_that_is_no_source_has_the_country_and_owner_of_the_table(press):
    link = "https://www.bbc.co.uk/news/1"
    press.net.serve(link, page_html("Ferry four"))
    press.net.serve(THIEF.url, feed([link], site="https://evil.example/", title="Ferry four"))

    await poll(press, THIEF)

    assert outlets(press) == {"Ferry four": ("bbc.co.uk", "Evil Times")}
    assert stored(press)[0].country == "GB"


async def test_a_link_that_redirects_belongs_to_the_site_that_it_leads_to(press):
    link = "https://search.example/r/1"
    press.net.serve(link, status=302, Location="https://a.example/1")
    searched = Source(url="https://search.example/rss?q=ferry", name="Search: ferry")
    press.net.serve(searched.url, feed([link], site="https://search.example/", title="Ferry one"))

    await poll(press, searched)
    found_first = outlets(press)
    await poll(press, searched, REAL[0])

    assert found_first == {"Ferry one": ("a.example", "Search: ferry")}
    assert outlets(press) == {"Ferry one": ("The A", None)}


async def test_a_source_whose_link_redirects_takes_over_the_article_that_it_leads_to(press):
    press.net.serve("https://a.example/rss/1", status=301, Location="https://a.example/1")
    press.net.serve(REAL[0].url, feed(["https://a.example/rss/1"], site="https://a.example/", title="Ferry one"))

    await poll(press, THIEF)
    await poll(press, THIEF, REAL[0])

    assert outlets(press)["Ferry one"] == ("The A", None)


async def test_a_feed_on_another_host_has_the_site_that_it_names_unless_a_source_is_on_that_site(press):
    burned = Source(url="https://feeds.feedburner.com/a", name="The A, burned")
    press.net.serve(burned.url, feed(["https://a.example/1"], site="https://a.example/"))
    press.net.serve(THIEF.url, feed([*TITLES], site="https://b.example/"))  # a lie

    await poll(press, THIEF, burned, REAL[1])

    assert outlets(press) == {
        "Ferry one": ("The A, burned", None),
        "Ferry two": ("The B", None),
        "Ferry three": ("c.example", "Evil Times"),
    }


async def test_a_page_on_a_platform_is_of_the_source_that_lists_it(press):
    link = "https://www.youtube.com/watch?v=1"
    press.net.serve(link, page_html("Ferry film"))
    channel = Source(url="https://www.youtube.com/feeds/videos.xml?channel_id=1", name="Ferry films")
    press.net.serve(THIEF.url, feed([link], site="https://evil.example/", title="Ferry film"))
    press.net.serve(channel.url, feed([link], site="https://www.youtube.com/c/1", title="Ferry film"))

    await poll(press, THIEF)
    alone = outlets(press)
    await poll(press, THIEF, channel)

    assert alone == {"Ferry film": ("Evil Times", None)}
    assert outlets(press) == {"Ferry film": ("Ferry films", None)}


async def test_words_of_a_feed_are_never_those_of_the_outlet_whose_link_it_has(press):
    press.net.serve("https://a.example/1", status=403)
    press.net.serve(THIEF.url, feed(["https://a.example/1"], site="https://evil.example/", summary=LONG_SUMMARY))
    press.net.serve(REAL[0].url, feed(["https://a.example/1"], site="https://a.example/", summary=2 * LONG_SUMMARY))

    await poll(press, THIEF)
    alone = outlets(press)
    await poll(press, THIEF, REAL[0])

    assert alone == {"Ferry one": ("Evil Times", None)}
    assert {(each.outlet, len(each.text)) for each in stored(press)} == {
        ("Evil Times", len(LONG_SUMMARY)),
        ("The A", 2 * len(LONG_SUMMARY)),
    }


async def test_words_of_a_feed_that_claims_the_site_do_not_stand_in_the_way_of_the_outlets_own_article(press):
    press.net.serve(THIEF.url, feed(["https://a.example/1"], site="https://a.example/", summary=40 * LONG_SUMMARY))

    await poll(press, THIEF)
    await poll(press, THIEF, REAL[0])

    assert {each.outlet: "Ferry one." in each.text for each in stored(press)} == {"Evil Times": False, "The A": True}


async def test_a_headline_that_the_feed_of_another_cuts_stays_whole(press):
    press.net.serve("https://a.example/1", page_html("The minister did not lie"))
    press.net.serve(THIEF.url, feed(["https://a.example/1"], site="https://evil.example/", title="The minister did"))

    await poll(press, THIEF)

    assert [each.title for each in stored(press)] == ["The minister did not lie"]


async def test_a_longer_text_in_the_feed_of_another_does_not_replace_that_of_the_page(press):
    lie = " ".join(f"A lie number {n} of the thief that nobody has checked." for n in range(60))
    content = f"{LONG_SUMMARY} {lie}"
    press.net.serve(THIEF.url, feed(["https://a.example/1"], site="https://evil.example/", summary=content))

    await poll(press, THIEF, *REAL)

    assert not any("lie" in each.text for each in stored(press))


async def test_date_and_authors_of_an_article_are_those_of_its_page_not_of_a_feed_that_links_it(press):
    html = page_html("Ferry one").replace(
        "</head>", '<meta property="article:published_time" content="2026-11-24T05:00:00Z"></head>'
    )
    press.net.serve("https://a.example/1", html)

    await poll(press, THIEF)

    found = next(each for each in stored(press) if each.title == "Ferry one")
    assert (found.published_at.hour, found.authors) == (5, ())


async def test_a_search_by_outlet_finds_an_article_under_its_new_outlet_only(press):
    await poll(press, THIEF)
    await poll(press, THIEF, *REAL)

    def hits(outlet: str) -> int:
        engine = press.tools.writer.engine
        return len(read(engine, search, parse_query("ferry"), filters=Filters(outlet=outlet)).hits)

    assert (hits("The A"), hits("a.example"), hits("Evil Times")) == (1, 0, 0)


async def test_a_page_that_was_given_up_for_another_feed_is_fetched_for_the_source_of_its_site(press):
    press.net.serve("https://a.example/1", status=404)
    press.net.serve(THIEF.url, feed(["https://a.example/1"], site="https://evil.example/"))
    for _ in range(6):
        await poll(press, THIEF)
    press.net.serve("https://a.example/1", page_html("Ferry one"))

    await poll(press, THIEF)
    before = "The A" in {each.outlet for each in stored(press)}
    await poll(press, THIEF, REAL[0])

    assert (before, "The A" in {each.outlet for each in stored(press)}) == (False, True)


async def headline_by_the_thief(world: World, title: str = "") -> None:
    world.net.serve("https://a.example/1", status=403)
    world.net.serve(THIEF.url, feed(["https://a.example/1"], site="https://evil.example/", title=title))
    for _ in range(6):
        await poll(world, THIEF)


async def test_a_headline_alone_has_the_name_of_its_outlet_by_way_of_the_feed_that_lists_it(press):
    await headline_by_the_thief(press)

    (found,) = stored(press)
    assert (found.outlet, found.via, found.text, found.authors) == ("a.example", "Evil Times", "", ())
    assert found.published_at > START, "the feed of another does not date it"


async def test_a_headline_of_the_outlets_own_feed_replaces_that_of_another(press):
    await headline_by_the_thief(press, "Ferry, says the thief")

    for _ in range(6):
        await poll(press, THIEF, REAL[0])

    assert [(each.title, each.outlet, each.via, each.text) for each in stored(press)] == [
        ("Ferry one", "The A", None, "")
    ]


async def test_a_headline_that_an_edition_cites_keeps_its_outlet_when_a_text_replaces_it(press):
    await headline_by_the_thief(press)
    write(press.tools.writer.engine, pin, [stored(press)[0].id], pinned_by="edition")
    press.net.serve("https://a.example/1", page_html("Ferry one"))

    await poll(press, THIEF, REAL[0])

    (found,) = stored(press)
    assert (found.outlet, found.via, bool(found.text)) == ("a.example", "Evil Times", True)
