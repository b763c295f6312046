"""The feeds that a page links."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.feeds.discover import FoundFeed, common_feed_urls, find_feed_links, platform_feed
from watcher.text.urls import is_web

URL = "https://a.example/news/"


def test_declared_feeds_come_first_and_anchors_that_look_like_feeds_after():
    html = """
      <a href="/rss/world.xml" title="World">RSS</a> <a href="/about">About</a> <a href="feed/">Feed</a>
      <LINK REL="alternate stylesheet" TYPE="text/css" HREF="x.css">
      <!-- <link rel="alternate" type="application/rss+xml" href="/old"> -->
      <link rel='alternate' type='application/rss+xml' title='News &amp; more' href='/rss?a=1&amp;b=2'>
      <link href=atom.xml type=application/atom+xml rel=alternate>
      <link rel="alternate" type="application/feed+json" href="javascript:x">
    """

    assert find_feed_links(html, URL) == (
        FoundFeed(url="https://a.example/rss?a=1&b=2", title="News & more"),
        FoundFeed(url="https://a.example/news/atom.xml"),
        FoundFeed(url="https://a.example/rss/world.xml", title="World", declared=False),
        FoundFeed(url="https://a.example/news/feed/", declared=False),
    )


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="alternate" type="application/rss+xml" title="World > Asia" href="/rss">',
        "<link rel='alternate' title='\"World\" > Asia' type='application/rss+xml' href='/rss'/>",
        "<link rel=alternate type=application/rss+xml href=/rss title='it's'>what's new</a>",
    ],
)
def test_an_angle_in_quotes_ends_no_tag_and_quotes_that_do_not_match_hide_none(html):
    assert [feed.url for feed in find_feed_links(html, URL)] == ["https://a.example/rss"]


def test_a_base_element_moves_what_follows():
    html = "<base href='https://b.example/x/'><link rel=alternate type=application/rss+xml href=rss>"

    assert [feed.url for feed in find_feed_links(html, URL)] == ["https://b.example/x/rss"]


@pytest.mark.slow
@given(
    st.text(max_size=300)
    | st.from_regex(r"(<(link|a|base) (href|rel|type)=[\"']?[a-z/:.+#]{0,20}[\"']?>){1,4}", fullmatch=True)
)
def test_any_text_links_web_addresses_or_nothing(html):
    assert all(is_web(feed.url) for feed in find_feed_links(html, URL))


@pytest.mark.parametrize("piece", ["<!--", "<link ", "<a href='", "<link rel=alternate href=", "<a x=\"'", "<a '\""])
def test_a_hostile_page_costs_no_time(piece):
    started = time.process_time()

    find_feed_links(piece * (1_000_000 // len(piece)), URL)

    assert time.process_time() - started < 2


def test_feeds_of_comments_come_last():
    link = "<link rel=alternate type=application/rss+xml href='{}'>"
    html = link.format("/comments/feed/") + link.format("/feed/") + "<a href='/rss'>RSS</a>"

    found = find_feed_links(html, "https://a.example/")

    assert [feed.url[17:] for feed in found] == ["/feed/", "/rss", "/comments/feed/"]


def test_the_usual_places_are_few_and_begin_in_the_folder_of_the_page():
    places = common_feed_urls("https://a.example/blog/post.html?x=1#y")

    assert places[:3] == ("https://a.example/blog/feed", "https://a.example/feed", "https://a.example/rss")
    assert len(places) < 10
    assert common_feed_urls("https://a.example")[0] == "https://a.example/feed"


YOUTUBE = "https://www.youtube.com/feeds/videos.xml?"
CHANNEL = "UCupvZG-5ko_eiXAupbDfxWw"


@pytest.mark.parametrize(
    ("url", "feed"),
    [
        (f"https://www.youtube.com/channel/{CHANNEL}", f"{YOUTUBE}channel_id={CHANNEL}"),
        (f"https://m.youtube.com/channel/{CHANNEL}/videos?view=0", f"{YOUTUBE}channel_id={CHANNEL}"),
        ("http://youtube.com/user/dwnews", f"{YOUTUBE}user=dwnews"),
        ("https://www.youtube.com/playlist?si=x&list=PLabc-1", f"{YOUTUBE}playlist_id=PLabc-1"),
        ("https://www.youtube.com/playlist?list=a%26b", None),
        ("https://www.youtube.com/@dwnews", None),
        ("https://youtube.com.example/channel/abc", None),
        ("https://www.reddit.com/r/worldnews", "https://www.reddit.com/r/worldnews/.rss"),
        ("https://old.reddit.com/r/a+b/new/", "https://www.reddit.com/r/a+b/new/.rss"),
        ("https://reddit.com/u/somebody/", "https://www.reddit.com/user/somebody/.rss"),
        ("https://www.reddit.com/r/worldnews/.rss", None),
        ("https://www.reddit.com/r/a/comments/1/title/", None),
        ("https://a.example/r/worldnews", None),
    ],
)
def test_an_address_on_a_platform_has_its_feed(url, feed):
    assert platform_feed(url) == feed
