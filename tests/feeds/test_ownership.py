"""Whose report a page is, by the hosts of the page and of the feeds, and by the sites that the feeds name."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from tests.compose.factories import article
from watcher.feeds.ownership import attribute_article, decide_owner, name_channel, owns_page
from watcher.model import Feed, Source
from watcher.text.urls import host_of, is_channel_host, site_of


def feed(number: int, url: str, site: str | None = None, *, moved_to: str = "") -> Feed:
    url = f"https://{url}"
    source = Source(url=url, name=url)
    return Feed(id=number, source=source, url=moved_to or url, host=host_of(url), site=site)


NEWS = feed(1, "news.example/feed")
NEWS_TECH = feed(2, "rss.news.example/tech")
BURNED = feed(3, "feeds.feedburner.com/news", "news.example")
BBC = feed(4, "feeds.bbci.co.uk/news/rss.xml", "bbc.co.uk")
BBC_COM = feed(5, "www.bbc.com/feed")
THIEF = feed(6, "evil.example/feed", "evil.example")
LIAR = feed(7, "evil.example/feed", "news.example")
LINKS = feed(8, "links.example/rss", "links.example")
MOVED = feed(9, "old.example/feed", moved_to="https://news.example/feed")
CHANNEL = feed(10, "www.youtube.com/feeds/videos.xml?channel_id=1")
BLOG = feed(11, "ann.substack.com/feed", "ann.substack.com")
OTHER_BLOG = feed(12, "bob.substack.com/feed", "bob.substack.com")
TIMES_OF_INDIA = feed(13, "timesofindia.indiatimes.com/rss.cms", "indiatimes.com")
LOCAL = feed(14, "127.0.0.1:8001/feed")
BBC_FAN = feed(15, "bbc.example/feed", "bbc.example")


@pytest.mark.parametrize(
    ("host", "listed_by", "sources", "owner"),
    [
        # The host of a feed's URL.
        ("news.example", [NEWS], [], NEWS),
        ("www.news.example", [NEWS_TECH], [], NEWS_TECH),
        ("sport.news.example", [THIEF, NEWS], [], NEWS),
        ("news.example", [MOVED], [], MOVED),
        ("news.example", [THIEF], [], None),
        ("news.example", [THIEF], [NEWS, NEWS_TECH], NEWS),
        ("news.example", [NEWS_TECH], [NEWS], NEWS_TECH),  # the source itself lists it in its other feed
        ("news.example", [NEWS_TECH, NEWS], [], NEWS),
        ("evil.example", [THIEF], [NEWS], THIEF),
        ("127.0.0.1:8001", [LOCAL], [], LOCAL),
        ("127.0.0.1:8002", [LOCAL], [], None),
        # The site that a feed names: anybody can write it.
        ("www.news.example", [BURNED], [], BURNED),
        ("news.example", [THIEF], [BURNED], BURNED),
        ("news.example", [LIAR], [], LIAR),
        ("news.example", [LIAR], [NEWS], NEWS),
        ("news.example", [LIAR, NEWS], [], NEWS),
        ("news.example", [LIAR, BURNED], [], BURNED),
        ("other.example", [LIAR], [NEWS], None),
        ("news.example", [MOVED], [NEWS], NEWS),  # a redirect is a claim, too
        # One name under several top-level domains.
        ("www.bbc.com", [BBC], [], BBC),
        ("www.bbc.com", [BBC, BBC_COM], [], BBC_COM),
        ("www.bbc.com", [BBC_FAN], [BBC_COM], BBC_COM),
        ("www.bbc.com", [LINKS], [BBC], None),  # another outlet may have the name
        # Outlets of one domain that the table of outlets tells apart.
        ("economictimes.indiatimes.com", [LINKS], [TIMES_OF_INDIA], None),
        ("economictimes.indiatimes.com", [TIMES_OF_INDIA], [], None),
        ("m.timesofindia.indiatimes.com", [LINKS], [TIMES_OF_INDIA], TIMES_OF_INDIA),
        # Platforms.
        ("www.youtube.com", [LINKS, CHANNEL], [], CHANNEL),
        ("www.youtube.com", [LINKS], [CHANNEL], LINKS),  # it may be a film of another channel
        ("news.google.com", [THIEF], [], THIEF),
        ("ann.substack.com", [LINKS], [OTHER_BLOG, BLOG], BLOG),
        ("ann.substack.com", [OTHER_BLOG], [], None),
    ],
)
def test_a_page_is_of_the_source_whose_feed_is_on_its_site_in_whatever_order_they_come(host, listed_by, sources, owner):
    for listers, others in itertools.product(itertools.permutations(listed_by), itertools.permutations(sources)):
        assert decide_owner(host, listed_by=listers, sources=others) == owner


@pytest.mark.parametrize(
    ("feed", "host", "is_own"),
    [
        (NEWS, "news.example", True),
        (BURNED, "news.example", True),
        (THIEF, "news.example", False),
        (CHANNEL, "www.youtube.com", True),
        (LINKS, "www.youtube.com", False),
    ],
)
def test_the_words_of_a_feed_are_about_a_page_of_its_own_or_of_another(feed, host, is_own):
    assert owns_page(feed, host) == is_own


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("www.news.example", "news.example"),
        ("a.b.news.example", "news.example"),
        ("www.bbc.co.uk", "bbc.co.uk"),
        ("www3.nhk.or.jp", "nhk.or.jp"),
        ("www.in.gr", "in.gr"),
        ("ann.blogspot.com", "ann.blogspot.com"),
        ("www.ann.github.io", "ann.github.io"),
        ("news.example:8080", "news.example"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_a_site_is_the_domain_that_somebody_has_registered(host, site):
    assert site_of(host) == site


@pytest.mark.parametrize(
    ("host", "is_platform"),
    [
        ("www.youtube.com", True),
        ("m.youtube.com", True),
        ("news.google.com", True),
        ("blog.google", False),
        ("medium.com", True),
        ("ann.medium.com", False),
        ("xx.com", False),
    ],
)
def test_a_platform_is_no_outlet_but_a_subdomain_of_its_own_is(host, is_platform):
    assert is_channel_host(host) == is_platform


@pytest.mark.parametrize(
    ("outlet", "url", "title", "authors", "channel"),
    [
        ("Youtube.com", "www.youtube.com/watch?v=1", "Bridge in Bern falls into the river - Sky News", (), "Sky News"),
        ("YouTube", "www.youtube.com/watch?v=1", "Bridge in Bern falls - LiveNOW from FOX", (), "LiveNOW from FOX"),
        ("YouTube", "m.youtube.com/watch?v=1", "Halo over the bridge in Bern - Remix", ("France 24",), "France 24"),
        ("Google News", "news.google.com/rss/1", "Bridge in Bern falls, 12 dead - The Economist", (), "The Economist"),
        ("news.google.com", "news.google.com/rss/1", "В Берне рухнул мост через реку - Лента", (), "Лента"),
        ("Bridges", "news.google.com/rss/1", "Bridge in Bern falls, 12 dead - The Economist", (), "The Economist"),
        ("Bridges", "news.google.com/rss/1", "В Берне рухнул мост через реку", (), "news.google.com"),
        ("YouTube", "youtu.be/1", "Bridge in Bern falls into the river", (), None),
        ("YouTube", "youtu.be/1", "Bridge in Bern falls - and nobody saw it", (), None),
        ("YouTube", "youtu.be/1", "Bridge in Bern falls into the river - YouTube", (), None),
        ("Reddit", "www.reddit.com/r/bern/1", "Bridge in Bern falls into the river", ("/u/ann",), None),
        ("Aare TV", "www.youtube.com/watch?v=1", "Bridge in Bern falls into the river - Sky News", (), None),
        ("Aare Post", "aare.example/1", "Bridge in Bern falls into the river - Sky News", (), None),
    ],
)
def test_a_platform_is_no_outlet_its_channel_is(outlet, url, title, authors, channel):
    before = dataclasses.replace(
        article(outlet, title, country="US", owner="Alphabet"), url=f"https://{url}", authors=authors
    )

    after = name_channel(before)

    if channel is None:
        assert after == before
    else:
        assert (after.outlet, after.country, after.owner, after.via) == (channel, None, None, outlet)


def test_a_text_of_a_feed_about_a_link_of_a_news_search_is_its_sources():
    note = dataclasses.replace(
        article("Ann's links", "Bridge in Bern falls, 12 dead - The Economist"),
        url="https://news.google.com/rss/1",
        text="I have walked over that bridge every day.",
        from_feed=True,
    )

    assert name_channel(note) == note


def test_an_article_of_a_news_search_that_no_source_owns_is_its_pages_outlets():
    search = feed(20, "news.google.com/rss/search?q=bern")
    report = article("-", "Bridge in Bern falls into the river - The Economist")
    page = dataclasses.replace(report, url="https://news.google.com/rss/1", host="news.google.com")

    attributed = attribute_article(page, None, listed_by=[search])

    assert (attributed.outlet, attributed.via) == ("The Economist", search.source.name)
