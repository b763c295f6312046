"""Host visits over a faked network and clock: what becomes of pages that do not come at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from watcher.model import Source
from watcher.net.client import Client
from watcher.settings.model import Settings
from watcher.store.articles import articles_between
from watcher.store.feeds import feed_states, sync_sources
from watcher.store.open import open_store
from watcher.store.schema import pages, polls
from watcher.store.writer import Writer, read, write
from watcher.work.line import Line
from watcher.work.pool import Pool
from watcher.work.queue import LocalQueue
from watcher.work.tools import Tools

pytestmark = pytest.mark.slow  # starts a worker process

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
FACTS = (
    "The ferry between the two towns runs again, the harbour office said on Monday.",
    "Its engine was taken apart over the winter, and two of its four pistons are new.",
    "Tickets cost as much as last year, and children under six travel without one.",
    "The first boat leaves at six in the morning, the last one shortly before midnight.",
)
LONG_SUMMARY = " ".join(FACTS[:2])


def page_html(title: str) -> str:
    body = "".join(f"<p>{fact} {title}.</p>" for fact in FACTS)
    head = f"<html lang=en><head><title>{title}</title></head>"
    return f"{head}<body><article><h1>{title}</h1>{body}</article></body></html>"


def feed_xml(host: str, titles: list[str], summary: str = "") -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://{host}/{n}</link><guid>{n}</guid><description>{summary}</description>"
        f"<pubDate>Tue, 24 Nov 2026 05:0{n}:00 GMT</pubDate></item>"
        for n, title in enumerate(titles)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><link>https://{host}/</link>{items}</channel></rss>'


@dataclass
class Net:
    """The faked network: answers by URL; all that was asked, with its time."""

    clock: list[datetime]
    answers: dict[str, Callable[[], httpx.Response]] = field(default_factory=dict)
    asked: list[tuple[datetime, str]] = field(default_factory=list)
    everything: Callable[[], httpx.Response] | None = None  # answers in the place of all the rest

    def __call__(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if self.everything is not None:
            return self.everything()
        self.asked.append((self.clock[0], url))
        made = self.answers.get(url)
        if made is None:
            return httpx.Response(404)
        return made()

    def serve(self, url: str, text: str = "", status: int = 200, **headers: str) -> None:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[url] = lambda: httpx.Response(status, text=text, headers=fields)

    def urls(self) -> list[str]:
        return [url for _, url in self.asked]


@dataclass
class World:
    net: Net
    tools: Tools
    clock: list[datetime]

    def source(self, *hosts: str) -> None:
        rows = [Source(url=f"https://{host}/feed", name=host, language="en") for host in hosts]
        write(self.tools.writer.engine, lambda c: sync_sources(c, rows, now=self.clock[0]))

    async def drain(self) -> None:
        await asyncio.wait_for(LocalQueue(self.tools).drain(), 30)

    def stored(self) -> dict[str, tuple[str, bool]]:
        end = self.clock[0] + timedelta(days=9)
        found = read(self.tools.writer.engine, lambda c: articles_between(c, start=START - timedelta(days=9), end=end))
        return {article.title: (article.url, article.from_feed) for article in found}

    def reasons(self) -> list[tuple[str | None, bool]]:
        query = select(pages.c.reason, pages.c.next_try_at.is_(None)).order_by(pages.c.url)
        return [tuple(row) for row in read(self.tools.writer.engine, lambda c: c.execute(query).all())]


@pytest.fixture(scope="module")
def pool():
    pool = Pool(workers=1)
    yield pool
    pool.close()


@pytest.fixture
async def world(tmp_path, pool):
    clock = [START]
    net = Net(clock)
    settings = Settings()
    writer = Writer(open_store(f"sqlite:///{tmp_path / 'watcher.db'}"))

    async def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async with Client(user_agent="Watcher/0", substitute=httpx.MockTransport(net)) as client:
        tools = Tools(
            writer=writer,
            client=client,
            line=Line(client.reaches, now=lambda: clock[0]),
            pool=pool,
            feed_pool=pool,
            vector_pool=pool,
            poll=settings.poll,
            fetch=settings.fetch,
            embedder=None,
            now=lambda: clock[0],
            sleep=sleep,
            chance=lambda: 0.0,
        )
        yield World(net, tools, clock)
    writer.close()
    writer.engine.dispose()


async def test_a_page_on_another_host_waits_for_that_hosts_visit_and_rules(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one", "Ferry two"], LONG_SUMMARY))
    world.net.serve("https://a.example/0", status=302, Location="https://t.example/x")
    world.net.serve("https://a.example/1", status=302, Location="https://t.example/closed/y")
    world.net.serve("https://t.example/robots.txt", "User-agent: *\nDisallow: /closed/")
    world.net.serve("https://t.example/x", page_html("Ferry one"))
    world.net.serve("https://t.example/closed/y", page_html("Ferry two"))
    world.source("a.example")

    await world.drain()

    assert world.stored() == {
        "Ferry one": ("https://t.example/x", False),
        "Ferry two": ("https://t.example/closed/y", True),
    }
    assert "https://t.example/closed/y" not in world.net.urls()


async def test_pages_wait_while_robots_txt_cannot_be_had(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one", "Ferry two"]))
    world.net.serve("https://a.example/robots.txt", status=503)
    for n, title in enumerate(("Ferry one", "Ferry two")):
        world.net.serve(f"https://a.example/{n}", page_html(title))
    world.source("a.example")

    await world.drain()
    assert world.stored() == {}
    world.net.serve("https://a.example/robots.txt", "User-agent: *\nAllow: /")
    world.clock[0] += timedelta(minutes=31)
    await world.drain()

    assert set(world.stored()) == {"Ferry one", "Ferry two"}


async def test_a_page_that_is_not_there_yet_is_asked_for_again(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.source("a.example")

    await world.drain()
    assert world.reasons() == [("404 Not Found", False)]
    world.net.serve("https://a.example/0", page_html("Ferry one"))
    world.clock[0] += timedelta(minutes=11)
    await world.drain()

    assert set(world.stored()) == {"Ferry one"}


async def test_a_page_that_is_never_there_is_given_up_with_its_reason(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.source("a.example")

    for _ in range(8):
        await world.drain()
        world.clock[0] += timedelta(hours=3)

    assert world.reasons() == [("404 Not Found", True)]
    assert world.net.urls().count("https://a.example/0") == 5


async def test_pages_that_all_lead_to_a_wall_give_the_feeds_own_texts(world):
    titles = ["Ferry one sails", "Bridge two opens", "Harbour three closes"]
    world.net.serve("https://a.example/feed", feed_xml("a.example", titles, LONG_SUMMARY))
    for n in range(3):
        world.net.serve(f"https://a.example/{n}", status=302, Location="https://a.example/consent")
    world.net.serve("https://a.example/consent", page_html("Before you continue"))
    world.source("a.example")

    await world.drain()

    assert len(world.stored()) == 3
    assert sum(from_feed for _, from_feed in world.stored().values()) >= 2


async def test_a_location_that_is_no_url_stops_nothing_else(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one", "Ferry two"]))
    world.net.serve("https://a.example/0", status=302, Location="http://[bad")
    world.net.serve("https://a.example/1", page_html("Ferry two"))
    world.source("a.example")

    await world.drain()

    assert set(world.stored()) == {"Ferry two"}
    assert [final for _, final in world.reasons()] == [False]


async def test_a_title_with_broken_characters_is_stored_mended(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    data = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Ferry \\ud83d one"}</script>'
    world.net.serve("https://a.example/0", page_html("Ferry one").replace("</head>", data + "</head>"))
    world.source("a.example")

    await world.drain()

    (title,) = world.stored()
    assert title.encode("utf-8")


async def test_retry_after_holds_the_host_that_said_it_for_as_long_as_it_said(world):
    world.net.serve("https://a.example/feed", status=302, Location="https://b.example/feed")
    world.net.serve("https://b.example/feed", status=503, Retry_After="600")
    world.net.serve("https://b.example/other", feed_xml("b.example", []))
    world.source("a.example")
    await world.drain()
    rows = [
        Source(url="https://a.example/feed", name="a"),
        Source(url="https://b.example/other", name="b"),
        Source(url="https://a.example/second", name="c"),
    ]
    write(world.tools.writer.engine, lambda c: sync_sources(c, rows, now=world.clock[0]))

    await world.drain()
    assert "https://a.example/second" in world.net.urls()
    assert "https://b.example/other" not in world.net.urls()
    world.clock[0] += timedelta(seconds=601)
    await world.drain()

    assert "https://b.example/other" in world.net.urls()


async def test_a_host_that_says_too_many_requests_rests_as_a_whole_though_it_says_not_how_long(world):
    for n in range(3):
        world.net.serve(f"https://a.example/{n}.xml", "slow down", status=429)
    rows = [Source(url=f"https://a.example/{n}.xml", name=f"A{n}") for n in range(3)]
    write(world.tools.writer.engine, lambda c: sync_sources(c, rows, now=world.clock[0]))

    await world.drain()
    assert world.net.urls() == ["https://a.example/0.xml"]
    world.clock[0] += timedelta(minutes=61)
    await world.drain()

    assert world.net.urls() == ["https://a.example/0.xml", "https://a.example/1.xml"]


async def test_a_page_that_says_too_many_requests_keeps_the_other_pages_waiting(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["One", "Two", "Three"]))
    for n in range(3):
        world.net.serve(f"https://a.example/{n}", "slow down", status=429)
    world.source("a.example")

    await world.drain()

    assert [url for url in world.net.urls() if url[-1].isdigit()] == ["https://a.example/0"]


async def test_a_host_without_a_connection_keeps_its_other_feeds_waiting_unblamed(world):
    def nothing():
        raise httpx.ConnectError("refused")

    world.net.serve("https://b.example/feed", feed_xml("b.example", []))
    for n in range(3):
        world.net.answers[f"https://a.example/{n}.xml"] = nothing
    rows = [Source(url=f"https://a.example/{n}.xml", name=f"A{n}") for n in range(3)]
    rows.append(Source(url="https://b.example/feed", name="B"))
    write(world.tools.writer.engine, lambda c: sync_sources(c, rows, now=world.clock[0]))

    await world.drain()

    asked = [url for url in world.net.urls() if url.endswith(".xml")]
    states = read(world.tools.writer.engine, feed_states)
    assert len(asked) == 1
    assert sorted((state.feed.source.name, state.feed.failures) for state in states) == [
        ("A0", 1),
        ("A1", 0),
        ("A2", 0),
        ("B", 0),
    ]


async def test_when_our_own_line_is_down_no_feed_is_blamed_and_all_are_asked_again(world):
    hosts = ("a.example", "b.example", "c.example")
    for host in hosts:
        world.net.serve(f"https://{host}/feed", feed_xml(host, []))
    world.source(*hosts)
    await world.drain()

    def nothing():
        raise httpx.ConnectError("no route")

    world.net.everything = nothing
    world.clock[0] += timedelta(hours=13)
    await world.drain()
    states = read(world.tools.writer.engine, feed_states)
    assert [(state.feed.failures, state.reason) for state in states] == [(0, None)] * 3
    assert world.tools.line.down_since is not None

    world.net.everything = None
    world.clock[0] += timedelta(minutes=5)
    await world.drain()
    states = read(world.tools.writer.engine, feed_states)
    assert all(state.feed.last_read_at > START + timedelta(hours=13) for state in states)


async def test_the_same_bytes_are_not_read_again(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"], LONG_SUMMARY))
    world.net.serve("https://a.example/0", page_html("Ferry one"))
    world.source("a.example")
    await world.drain()
    world.clock[0] += timedelta(hours=13)

    await world.drain()

    query = select(polls.c.status).order_by(polls.c.id)
    assert read(world.tools.writer.engine, lambda c: c.scalars(query).all()) == ["ok", "unchanged"]


async def test_hosts_of_a_shared_platform_are_visited_as_one(world):
    names = ("one.substack.com", "two.substack.com")
    for name in names:
        world.net.serve(f"https://{name}/feed", feed_xml(name, []))
    world.net.serve("https://one.substack.com/feed", status=429, Retry_After="7200")
    world.source(*names)

    await world.drain()

    assert world.net.urls() == ["https://one.substack.com/feed"]
