"""One address looked at, and a site's feeds found: over a real server on loopback, politely, without the store."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.site import rss, serving
from watcher.errors import HttpStatusError, Unreachable
from watcher.failure_messages import Reason, TaskKind
from watcher.feeds.inspect import NotAFeed
from watcher.net.client import Client
from watcher.net.transport import httpx
from watcher.settings.models import PollSettings
from watcher.settings.request_options import RequestOptions
from watcher.worker.inspect import MAX_PROBED_FEEDS, Discovery, FeedProber, discover, predict_next_poll
from watcher.worker.process_pool import WorkerFailed
from watcher.worker.proposals import no_feed_message

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
RULES = PollSettings()


class Here:
    """A pool that runs a task where it stands."""

    async def run(self, function, *args, limit_s):
        return function(*args)


class Hanging:
    """A pool whose tasks never end in time."""

    async def run(self, function, *args, limit_s):
        raise WorkerFailed(Reason(TaskKind.TOO_LONG, time=f"{limit_s:g}"))


class Clock:
    """A clock that goes on while somebody sleeps, and notes for how long they did."""

    def __init__(self):
        self.at = START
        self.slept = []

    def now(self):
        return self.at

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def site():
    with serving() as made:
        yield made


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def looker(site, clock):
    async with Client(user_agent="Watcher/0 (test)", timeout_s=5.0, allow_private=[site.place]) as client:
        asked = []
        yield FeedProber(
            client=client, pool=Here(), delay_s=1.0, on_request=asked.append, now=clock.now, sleep=clock.sleep
        )


def conditional(body, **validators):
    """Return an answer that honours its validators."""
    headers = {name.replace("_", "-"): value for name, value in validators.items()}
    return lambda asked: (
        (304, {}, b"") if asked["If-None-Match"] == validators["ETag"] else (200, headers, body.encode())
    )


async def test_each_redirect_is_told_and_whether_it_is_for_good(site, looker):
    site.redirect("/a", "/b", status=301)
    site.redirect("/b", "/c", status=302)
    site.feed("/c", rss())

    look = await looker.probe(site.url("/a"))

    assert [(step.status, step.leads_to, step.is_permanent) for step in look.redirects] == [
        (301, site.url("/b"), True), (302, site.url("/c"), False),
    ]  # fmt: skip
    assert look.response.moved_to == site.url("/b")
    assert look.report.feed.title == "The Post"


async def test_validators_are_honoured_or_ignored_or_of_no_use(site, looker):
    numbers = iter(range(9))
    site.answers["/honoured"] = conditional(rss(), ETag='"1"')
    site.feed("/ignored", rss(), ETag='"1"')
    site.answers["/changing"] = lambda asked: (200, {"ETag": '"1"'}, rss(title=f"T{next(numbers)}").encode())
    site.feed("/none", rss())

    async def use(path):
        again = await looker.revalidate(await looker.probe(site.url(path)))
        return again and again.support

    assert await use("/honoured") == "honoured"
    assert await use("/ignored") == "ignored"
    assert await use("/changing") == "changing"
    assert await use("/none") is None


async def test_a_host_is_asked_with_a_pause_between_two_requests(site, looker, clock):
    for path in ("/a", "/b", "/c"):
        await looker.probe(site.url(path))

    assert clock.slept == [1.0, 1.0]
    assert site.asked == ["/a", "/b", "/c"]


async def test_after_a_time_that_is_given_no_request_is_made_and_what_was_found_is_returned(site, looker):
    site.page("/", "".join(f"<link rel=alternate type=application/rss+xml href=/{n}>" for n in range(6)))
    for n in range(6):
        site.feed(f"/{n}", rss(numbers=range(n * 9, n * 9 + 9)))
    looker.last_request_at = START + timedelta(seconds=2.5)

    found = await discover((site.url("/"),), looker)

    assert site.asked == ["/", "/0", "/1", "/2"]
    assert [one.url for one in found.feeds] == [site.url(f"/{n}") for n in range(3)]


async def test_a_host_that_asks_for_rest_is_not_asked_again(site, looker):
    site.page("/a", "later", status=503, Retry_After="60")

    first, second = [await looker.probe(site.url(path)) for path in ("/a", "/b")]

    assert first.error.retry_after_s == 60
    assert "not requested" in str(second.error)
    assert site.asked == ["/a"]


async def test_a_site_without_https_is_asked_over_http(site, looker):
    site.feed("/feed", rss())

    look = await looker.probe_first((f"https://{site.place}/feed", site.url("/feed")))

    assert look.asked == site.url("/feed")
    assert look.report


async def test_a_site_that_is_not_there_is_told_by_the_spelling_that_is_most_likely(looker):
    look = await looker.probe_first(("https://nowhere.invalid/", "http://nowhere.invalid/"))

    assert isinstance(look.error, Unreachable)
    assert look.asked == "https://nowhere.invalid/"


async def test_a_feed_that_hangs_the_parser_is_named(site, looker):
    site.feed("/feed", rss())
    looker.pool = Hanging()

    look = await looker.probe(site.url("/feed"))

    assert look.report is None
    assert "took more than 20 s" in str(look.error)


async def test_the_next_poll_is_told_as_a_poll_would_set_it(site, looker):
    site.feed("/feed", rss(head="<ttl>120</ttl>"), ETag='"1"')
    site.feed("/blind", rss())
    site.page("/gone", "", status=410)
    site.page("/rest", "", status=503, Retry_After="7200")

    async def wait_s(path, own_every_s=None):
        look = await looker.probe(site.url(path))
        when = predict_next_poll(look, RULES, own_every_s=own_every_s)
        return when and (when.at - look.at).total_seconds()

    assert await wait_s("/feed") == 7200
    assert await wait_s("/feed", own_every_s=10_000) == 10_000
    assert await wait_s("/blind") == 3600
    assert await wait_s("/gone") is None
    assert await wait_s("/rest") == 7200


def ways(found):
    return [(one.url.rpartition("/")[2], one.found_by, one.report is not None) for one in found.candidates]


LINK = '<link rel="alternate" type="application/rss+xml" href="{}">'


async def test_what_the_page_declares_comes_first_comments_last_and_nothing_is_guessed(site, looker):
    links = ("/comments/feed.xml", "/news.xml", "/news.xml?utm_source=page")
    site.page("/", f"<a href=/world.rss>RSS</a>{''.join(map(LINK.format, links))}")
    site.feed("/news.xml", rss("News"))
    site.feed("/comments/feed.xml", rss("Comments", range(10, 14)))

    found = await discover((site.url("/"),), looker)

    assert ways(found) == [
        ("news.xml", "declared", True),
        ("world.rss", "linked", False),
        ("feed.xml", "declared", True),
    ]
    assert [one.report.feed.title for one in found.feeds] == ["News", "Comments"]
    assert site.asked == ["/", "/news.xml", "/world.rss", "/comments/feed.xml"]


async def test_another_format_of_the_same_entries_is_the_same_feed(site, looker):
    site.page("/", "".join(LINK.format(path) for path in ("/rss.xml", "/atom.xml", "/moved", "/sport.xml")))
    site.feed("/rss.xml", rss(numbers=range(10)))
    site.feed("/atom.xml", rss(numbers=range(1, 10)))
    site.redirect("/moved", "/rss.xml")
    site.feed("/sport.xml", rss(numbers=range(3)))

    found = await discover((site.url("/"),), looker)

    assert [one.url for one in found.feeds] == [site.url("/rss.xml"), site.url("/sport.xml")]
    assert {one.same_as for one in found.candidates} == {None, site.url("/rss.xml")}


async def test_a_page_of_feeds_that_the_page_links_is_followed(site, looker):
    site.page("/", "<a href='/rss'>Our feeds</a>")
    site.page("/rss", "<a href='/rss/world.xml'>World</a> <a href='/rss'>here</a>")
    site.feed("/rss/world.xml", rss())

    found = await discover((site.url("/"),), looker)

    assert ways(found) == [("rss", "linked", False), ("world.xml", "linked", True)]


async def test_the_usual_places_are_tried_up_to_the_first_that_is_a_feed(site, looker):
    site.page("/", "<p>We have no feed, says the page.</p>")
    site.page("/feed", "<p>Not here.</p>")
    site.redirect("/rss", "/feeds/all.xml")
    site.feed("/feeds/all.xml", rss())

    found = await discover((site.url("/"),), looker)

    assert [one.url for one in found.feeds] == [site.url("/feeds/all.xml")]
    assert site.asked == ["/", "/feed", "/rss", "/feeds/all.xml"]


async def test_a_page_behind_a_wall_does_not_hide_a_feed_that_is_not(site, looker):
    site.page("/", "<title>Just a moment...</title>", status=403)
    site.feed("/feed", rss())

    found = await discover((site.url("/"),), looker)

    assert isinstance(found.page.error, HttpStatusError)
    assert [one.found_by for one in found.feeds] == ["guessed"]


async def test_an_address_that_is_a_feed_is_the_one(site, looker):
    site.feed("/any", rss())

    found = await discover((site.url("/any"),), looker)

    assert ways(found) == [("any", "itself", True)]
    assert site.asked == ["/any"]


async def test_of_very_many_links_some_are_read_and_the_others_named(site, looker):
    site.page("/", "".join(LINK.format(f"/{number}.xml") for number in range(30)))
    for number in range(30):
        site.feed(f"/{number}.xml", rss(numbers=range(number * 10, number * 10 + 3)))

    found = await discover((site.url("/"),), looker)

    assert len(site.asked) == 1 + MAX_PROBED_FEEDS
    assert len(found.feeds) == MAX_PROBED_FEEDS
    assert len(found.candidates) == 30


async def test_a_site_that_asks_for_rest_is_left_alone(site, looker):
    site.page("/", "slow down", status=429, Retry_After="60")

    found = await discover((site.url("/"),), looker)

    assert found.candidates == ()
    assert site.asked == ["/"]


async def test_a_page_in_place_of_a_feed_names_the_feeds_that_it_links(site, looker):
    site.page("/feed", LINK.format("/real.xml"))

    look = await looker.probe(site.url("/feed"))

    assert isinstance(look.found, NotAFeed)
    assert [link.url for link in look.found.links] == [site.url("/real.xml")]


async def test_a_channel_on_a_platform_is_one_request_for_its_feed(clock):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(rss("World news").encode()))

    asked: list[str] = []
    async with Client(user_agent="Watcher/0 (test)", substitute=httpx.MockTransport(answer)) as client:
        prober = FeedProber(
            client=client, pool=Here(), delay_s=1.0, on_request=asked.append, now=clock.now, sleep=clock.sleep
        )
        found = await discover(("https://old.reddit.com/r/worldnews",), prober)

    assert asked == ["https://www.reddit.com/r/worldnews/.rss"]
    assert [(one.url, one.found_by) for one in found.feeds] == [(asked[0], "platform")]


NEWS = (
    '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://post.example/1</loc>'
    "<news:news><news:publication><news:name>The Post</news:name></news:publication><news:title>One</news:title>"
    "<news:publication_date>2026-11-24T10:00:00Z</news:publication_date></news:news></url></urlset>"
)


async def test_a_site_without_feeds_has_the_news_sitemap_of_its_robots_txt(site, looker):
    site.page("/", "<p>We have no feed, says the page.</p>")
    lines = (f"Sitemap: {site.url(path)}" for path in ("/all.xml", "/news-index.xml"))
    site.page("/robots.txt", "\n".join(lines))
    site.page("/news-index.xml", f"<sitemapindex><sitemap><loc>{site.url('/1.xml.gz')}</loc></sitemap></sitemapindex>")
    site.answers["/1.xml.gz"] = (200, {"Content-Type": "application/gzip"}, gzip.compress(NEWS.encode()))

    found = await discover((site.url("/"),), looker)

    assert [(one.url, one.found_by) for one in found.feeds] == [(site.url("/news-index.xml"), "sitemap")]
    assert found.feeds[0].report.feed.title == "The Post"
    assert site.asked[-3:] == ["/robots.txt", "/news-index.xml", "/1.xml.gz"]


async def test_the_sitemaps_of_an_index_are_read_as_a_poll_does(site, looker):
    parts = [(site.url(f"/{n}.xml"), f"2026-11-24T0{n}:00:00Z") for n in (2, 1)]
    rows = "".join(f"<sitemap><loc>{url}</loc><lastmod>{at}</lastmod></sitemap>" for url, at in parts)
    site.page("/index.xml", f"<sitemapindex>{rows}</sitemapindex>")
    site.page("/1.xml", NEWS)
    site.page("/2.xml", "<urlset/>")
    looker.options = {site.url("/index.xml"): RequestOptions(url=site.url("/index.xml"), headers=(("X-Key", "k"),))}

    found = (await looker.probe(site.url("/index.xml"))).report
    assert (found.feed.title, found.format, found.sent, len(found.feed.entries)) == ("The Post", "Sitemap index", 1, 1)
    assert found.feed.faults == (f"{site.url('/2.xml')}: XML, but not a feed: its root is <urlset>, a sitemap",)
    assert (await discover((site.url("/index.xml"),), looker)).feeds[0].report == found
    site.answers["/2.xml"] = lambda asked: (404 if asked["X-Key"] == "k" else 200, {}, b"")
    failed = await looker.probe(site.url("/index.xml"))
    assert str(failed.found.reason) == f"404 Not Found, polled at {site.url('/2.xml')}" and failed.report is None
    assert site.asked == ["/index.xml", "/2.xml", "/1.xml"] * 2 + ["/index.xml", "/2.xml"]
    message = no_feed_message(Discovery(page=failed, candidates=()))
    assert message == f"no feed found at {site.url('/index.xml')}: {failed.found.reason}"
