"""Host visits over a faked network and clock: what becomes of pages that do not come at once."""

from __future__ import annotations

import asyncio
import errno
import time
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from tests.worker.fakes import LONG_SUMMARY, START, feed_xml, page_html
from watcher.errors import MachineError
from watcher.failure_messages import FetchKind, Reason, TaskKind
from watcher.model import Source
from watcher.net.robots import evaluate, extract_rules
from watcher.store.feeds import feed_states, sync_sources
from watcher.store.outages import load_polling_stop
from watcher.store.schema import articles, feeds, hosts, pages, polls
from watcher.store.writer import read, write
from watcher.worker.connectivity import PROBE_INTERVAL
from watcher.worker.poll_feed import MAX_NEW_HOSTS
from watcher.worker.process_pool import WorkerFailed
from watcher.worker.scheduler import Scheduler

pytestmark = pytest.mark.slow  # starts a worker process


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


async def longest_block(task) -> float:
    """Return the most CPU seconds that this process took between two turns of the event loop while a task ran."""
    running, longest, last = asyncio.ensure_future(task), 0.0, time.process_time()
    while not running.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.process_time() - last), time.process_time()
    await running
    return longest


async def test_a_robots_txt_of_many_agents_and_rules_does_not_block_the_loop_and_is_not_kept(world):
    agents = "".join(f"useragent X{n}\n" for n in range(3_000))
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.net.serve("https://a.example/robots.txt", agents + "allow a\n" * 3_000)
    world.net.serve("https://a.example/0", page_html("Ferry one"))
    world.source("a.example")

    blocked_s = await longest_block(world.drain())

    assert set(world.stored()) == {"Ferry one"}
    assert blocked_s < 2  # 12 s and more when it was parsed here
    assert await world.tools.writer.read(lambda c: c.scalar(select(hosts.c.robots_rules))) is None


class NoRobots:
    """Worker processes in which nothing that reads robots.txt comes to an end."""

    def __init__(self, pool) -> None:
        self.pool, self.tried = pool, 0

    async def run(self, function, *args, limit_s):
        if function in (extract_rules, evaluate):
            self.tried += 1
            raise WorkerFailed(Reason(TaskKind.TOO_LONG, time=f"{limit_s:g}"))
        return await self.pool.run(function, *args, limit_s=limit_s)


async def test_a_robots_txt_that_cannot_be_read_is_named_and_its_pages_wait_for_it(world, caplog):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"], LONG_SUMMARY))
    world.net.serve("https://a.example/robots.txt", "User-agent: *\nDisallow: /closed/")
    world.net.serve("https://a.example/0", page_html("Ferry one"))
    world.source("a.example")
    hostile = replace(world.tools, pool=NoRobots(world.tools.pool))

    await Scheduler(hostile).drain()
    assert world.stored() == {}
    assert 'robots_unreadable host=a.example reason="took more than 10 s and was stopped"' in caplog.text
    await Scheduler(hostile).drain()
    assert hostile.pool.tried == 1
    world.clock[0] += timedelta(minutes=31)
    await world.drain()

    assert world.stored() == {"Ferry one": ("https://a.example/0", False)}


async def test_a_page_whose_robots_txt_is_unreadable_for_a_day_has_the_feeds_text_for_that_reason(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"], LONG_SUMMARY))
    world.net.serve("https://a.example/robots.txt", "User-agent: *\nDisallow: /closed/")
    world.source("a.example")
    hostile = replace(world.tools, pool=NoRobots(world.tools.pool))

    for _ in range(50):
        await Scheduler(hostile).drain()
        world.clock[0] += timedelta(minutes=31)

    assert world.stored() == {"Ferry one": ("https://a.example/0", True)}
    reason = await world.tools.writer.read(lambda c: c.scalar(select(articles.c.feed_reason)))
    assert reason == Reason(FetchKind.ROBOTS_UNREADABLE)
    assert "https://a.example/0" not in world.net.urls()


async def test_a_poll_that_names_many_new_hosts_takes_some_and_the_next_poll_takes_the_rest(world):
    numbers = range(MAX_NEW_HOSTS + 30)
    items = "".join(
        f"<item><title>Story {n}</title><link>https://s{n}.example/a</link><guid>{n}</guid></item>" for n in numbers
    )
    one = "<item><title>First</title><link>https://a.example/1</link><guid>first</guid></item>"
    xml = '<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{}</channel></rss>'
    world.net.serve("https://a.example/feed", xml.format(one), ETag="1")
    world.source("a.example")
    await world.drain()
    world.net.serve("https://a.example/feed", xml.format(items), ETag="2")

    world.clock[0] += timedelta(hours=2)
    await world.drain()

    first = {url for url in world.net.urls() if url.endswith(".example/a")}
    state = await world.tools.writer.read(feed_states)
    assert len(first) == MAX_NEW_HOSTS
    assert "30 entries wait for the next poll: this one has links to 100 new hosts" in state[0].faults

    world.clock[0] += timedelta(hours=2)
    await world.drain()

    asked = {url for url in world.net.urls() if url.endswith(".example/a")}
    assert asked == {f"https://s{n}.example/a" for n in numbers}
    state = await world.tools.writer.read(feed_states)
    assert not any("wait for the next poll" in fault for fault in state[0].faults)


async def test_a_page_that_is_not_there_yet_is_asked_for_again(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.source("a.example")

    await world.drain()
    assert world.reasons() == [("404 Not Found", False)]
    world.net.serve("https://a.example/0", page_html("Ferry one"))
    world.clock[0] += timedelta(minutes=11)
    await world.drain()

    assert set(world.stored()) == {"Ferry one"}


async def test_a_page_that_is_never_there_leaves_a_headline_with_its_reason(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.source("a.example")

    for _ in range(8):
        await world.drain()
        world.clock[0] += timedelta(hours=3)

    assert world.headlines() == {"Ferry one": "404 Not Found"}
    assert world.reasons() == []
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


async def test_an_entry_without_a_link_and_with_little_text_is_a_headline_for_that_reason(world):
    item = feed_xml("a.example", ["Ferry one"], "Soon.").replace("<guid>", '<guid isPermaLink="false">')
    world.net.serve("https://a.example/feed", item.replace("<link>https://a.example/0</link>", ""))
    world.source("a.example")

    await world.drain()

    assert world.headlines() == {"Ferry one": "the feed has too little text, and the entry has no link"}


async def test_a_feeds_password_is_not_in_the_link_of_an_article_without_a_page(world):
    item = feed_xml("a.example", ["Ferry one"], LONG_SUMMARY).replace("<guid>", '<guid isPermaLink="false">')
    world.net.serve("https://a.example/feed", item.replace("<link>https://a.example/0</link>", ""))
    source = Source(url="https://me:secret@a.example/feed", name="A", language="en")
    write(world.tools.writer.engine, sync_sources, [source], now=START)

    await world.drain()

    assert world.stored() == {"Ferry one": ("https://a.example/feed", True)}


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
    write(world.tools.writer.engine, sync_sources, rows, now=world.clock[0])

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
    write(world.tools.writer.engine, sync_sources, rows, now=world.clock[0])

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
    write(world.tools.writer.engine, sync_sources, rows, now=world.clock[0])

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

    queue = Scheduler(world.tools)  # of a daemon: it remembers
    world.net.everything = nothing
    world.clock[0] += timedelta(hours=13)
    await queue.drain()
    states = read(world.tools.writer.engine, feed_states)
    assert [(state.feed.failures, state.reason) for state in states] == [(0, None)] * 3
    assert world.tools.connectivity.down_since is not None

    world.net.everything = None
    world.clock[0] += PROBE_INTERVAL + timedelta(
        seconds=1
    )  # and not only when what could not be asked is due by itself
    await queue.drain()
    states = read(world.tools.writer.engine, feed_states)
    assert all(state.feed.last_read_at > START + timedelta(hours=13) for state in states)


async def test_a_machine_without_file_descriptors_is_not_called_offline_and_no_feed_is_blamed(world):
    hosts = ("a.example", "b.example", "c.example")
    for host in hosts:
        world.net.serve(f"https://{host}/feed", feed_xml(host, []))
    world.source(*hosts)
    await world.drain()

    def too_many_files():
        raise httpx.ConnectError("") from OSError(errno.EMFILE, "Too many open files")

    world.net.everything = too_many_files
    world.clock[0] += timedelta(hours=13)
    with pytest.raises(MachineError, match="no file descriptors are left"):
        await world.drain()

    assert world.tools.connectivity.down_since is None
    engine = world.tools.writer.engine
    assert read(engine, load_polling_stop).reason == Reason(TaskKind.NO_DESCRIPTORS)
    assert {state.feed.failures for state in read(engine, feed_states)} == {0}


async def test_a_line_that_goes_while_answers_are_under_way_is_not_blamed_on_the_feeds(world):
    hosts = ("a.example", "b.example", "c.example")
    for host in hosts:
        world.net.serve(f"https://{host}/feed", feed_xml(host, []))
    world.source(*hosts)
    await world.drain()

    def silence():
        raise httpx.ReadTimeout("")

    world.net.everything = silence
    world.clock[0] += timedelta(hours=13)
    await world.drain()

    states = read(world.tools.writer.engine, feed_states)
    assert [state.feed.failures for state in states] == [0, 0, 0]
    assert world.tools.connectivity.down_since is not None


async def test_a_line_that_goes_while_a_page_is_under_way_is_not_blamed_on_the_page(world):
    for host in ("a.example", "b.example"):
        world.net.serve(f"https://{host}/feed", feed_xml(host, []))
    world.source("a.example", "b.example")
    await world.drain()

    def silence():
        world.net.everything = silence
        raise httpx.ReadTimeout("")

    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.net.answers["https://a.example/0"] = silence
    world.clock[0] += timedelta(hours=13)
    await world.drain()

    query = select(pages.c.reason, pages.c.tries)
    assert read(world.tools.writer.engine, lambda c: c.execute(query).all()) == [(None, 0)]
    assert world.tools.connectivity.down_since is not None


async def test_a_feed_that_answers_nothing_is_blamed_where_others_can_be_reached(world):
    for host in ("a.example", "b.example"):
        world.net.serve(f"https://{host}/feed", feed_xml(host, []))
    world.source("a.example", "b.example")
    await world.drain()

    def silence():
        raise httpx.ReadTimeout("")

    world.net.answers["https://a.example/feed"] = silence
    world.clock[0] += timedelta(hours=13)
    await world.drain()

    states = read(world.tools.writer.engine, feed_states)
    assert {state.feed.source.name: state.feed.failures for state in states} == {"a.example": 1, "b.example": 0}
    assert world.tools.connectivity.down_since is None


async def test_many_hosts_that_one_feed_links_do_not_stop_all_polls_when_they_stop_answering(world):
    innocent = [f"{name}.example" for name in ("ash", "birch", "cedar", "fir", "oak")]
    for host in (*innocent, "a.example"):
        world.net.serve(f"https://{host}/feed", feed_xml(host, ["Ferry one"]))
        world.net.serve(f"https://{host}/0", page_html("Ferry one"))
    world.source(*innocent, "a.example")
    await world.drain()
    item = "<item><title>{0}</title><link>https://s{0}.test/a</link><guid>s{0}</guid></item>"
    links = "".join(item.format(n) for n in range(62))
    world.net.serve("https://a.example/feed", feed_xml("a.example", []).replace("</channel>", f"{links}</channel>"))
    for n in range(62):
        world.net.serve(f"https://s{n}.test/a", status=503)
    world.clock[0] += timedelta(hours=13)
    await world.drain()  # all 62 answer, after the innocent

    def refuse() -> httpx.Response:
        raise httpx.ConnectError("") from ConnectionRefusedError(errno.ECONNREFUSED, "")

    for n in range(62):
        world.net.answers |= dict.fromkeys((f"https://s{n}.test/a", f"https://s{n}.test/robots.txt"), refuse)
    asked = len(world.net.asked)
    world.clock[0] += timedelta(minutes=11)  # only their pages are due
    await world.drain()

    pages = {url for url in world.net.urls()[asked:] if url.endswith(".test/a")}
    assert len(pages) > 1 and world.tools.connectivity.down_since is None
    asked = len(world.net.asked)
    world.clock[0] += timedelta(hours=13)
    await world.drain()
    assert {f"https://{host}/feed" for host in innocent} <= set(world.net.urls()[asked:])


async def test_the_same_bytes_are_not_read_again(world):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"], LONG_SUMMARY))
    world.net.serve("https://a.example/0", page_html("Ferry one"))
    world.source("a.example")
    await world.drain()
    world.clock[0] += timedelta(hours=13)

    await world.drain()

    query = select(polls.c.new, feeds.c.unchanged_polls).join(feeds, feeds.c.id == polls.c.feed_id)
    assert read(world.tools.writer.engine, lambda c: c.execute(query).all()) == [(1, 1)]
    assert world.net.urls().count("https://a.example/feed") == 2


async def test_sites_of_a_shared_platform_are_visited_as_one_host_and_each_is_held_for_itself(world):
    world.net.serve("https://one.github.io/feed", status=429, Retry_After="86400")
    world.net.serve("https://one.github.io/0", page_html("Ferry one"))
    for url in ("https://one.github.io/second", "https://two.github.io/feed"):
        world.net.serve(url, feed_xml("two.github.io", []))
    world.net.serve("https://a.example/feed", feed_xml("one.github.io", ["Ferry one"]))
    urls = [f"https://{place}" for place in ("one.github.io/feed", "one.github.io/second", "two.github.io/feed")]
    rows = [Source(url=url, name=url, language="en") for url in (*urls, "https://a.example/feed")]
    write(world.tools.writer.engine, sync_sources, rows, now=world.clock[0])

    await world.drain()

    (first, one), (second, two) = [(at, url) for at, url in world.net.asked if "github.io" in url]
    assert (one, two) == (urls[0], urls[2]) and second - first >= timedelta(seconds=1)
    states = {state.feed.url: state for state in read(world.tools.writer.engine, feed_states)}
    assert not any(state.blocked_until for state in states.values())
    assert states[urls[1]].feed.next_poll_at == START + timedelta(days=1)
    world.net.serve(urls[0], feed_xml("one.github.io", []))
    world.clock[0] = START + timedelta(days=1, minutes=1)
    await world.drain()
    assert {urls[1], "https://one.github.io/0"} <= set(world.net.urls())
    assert set(world.stored()) == {"Ferry one"}


@pytest.mark.parametrize("path", ["robots.txt", "0"])
async def test_a_page_and_a_robots_txt_can_hold_their_host_for_an_hour_at_most(world, path):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["Ferry one"]))
    world.net.serve("https://a.example/0", page_html("Ferry one"))
    world.net.serve(f"https://a.example/{path}", "busy", status=503, Retry_After=str(72 * 3600))
    world.source("a.example")

    await world.drain()

    (state,) = read(world.tools.writer.engine, feed_states)
    assert timedelta(minutes=59) < state.blocked_until - START < timedelta(minutes=61)
