"""The sample press over real HTTP: feeds that parse, pages that answer as labelled, conditional requests, its log."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from datetime import UTC, datetime, timedelta
from html import unescape

import feedparser
import httpx
import pytest

from tests.demo_press import PressServer, is_broken, labels
from tests.patience import PATIENCE_S
from watcher.demo.model import RIGHT_TO_LEFT, library

pytestmark = pytest.mark.slow  # together they take some seconds

NOW = datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
OUTLETS = {outlet.name: outlet for outlet in library().outlets}


@pytest.fixture
async def press():
    async with PressServer(now=NOW) as running:
        yield running


@pytest.fixture
async def client():
    async with httpx.AsyncClient(trust_env=False, headers={"Accept-Encoding": "gzip"}) as running:
        yield running


def entries(source, response):
    """Return link, title and whether it is dated, of each entry; the feed must have no fault."""
    if OUTLETS[source.name].feed == "json":
        items = json.loads(response.content)["items"]
        return [(item["url"], item["title"], "date_published" in item) for item in items]
    parsed = feedparser.parse(response.content, response_headers=dict(response.headers))
    assert not parsed.bozo, (source.name, parsed.get("bozo_exception"))
    return [(e.link, e.title, bool(e.get("published_parsed") or e.get("updated_parsed"))) for e in parsed.entries]


async def all_entries(press, client):
    for source in press.sources:
        if not is_broken(OUTLETS[source.name]):
            response = await client.get(source.url)
            assert response.status_code == 200
            for entry in entries(source, response):
                yield source, *entry


async def test_every_feed_parses_and_carries_every_piece(press, client):
    seen = {}
    async for source, url, title, dated in all_entries(press, client):
        seen[press.key(url)] = title
        assert dated == OUTLETS[source.name].dates

    assert seen == {key: label.title for key, label in labels().items()}


async def test_every_page_answers_as_labelled(press, client):
    async for _, url, _, _ in all_entries(press, client):
        label = labels()[press.key(url)]
        response = await client.get(url)

        match label.page:
            case "missing":
                assert response.status_code == 404
            case "redirect":
                assert response.status_code == 302
                assert press.key(response.headers["location"]) == press.key(url)
                assert (await client.get(response.headers["location"])).status_code == 200
            case _:
                assert response.status_code == 200


async def test_every_page_carries_its_text_and_its_furniture(press, client):
    async for source, url, _, _ in all_entries(press, client):
        label = labels()[press.key(url)]
        response = await client.get(url, follow_redirects=True)
        if label.page == "missing":
            continue
        outlet = OUTLETS[source.name]
        html = unescape(response.content.decode(outlet.encoding))

        shown = label.text.split("\n")[:1] if label.page == "paywall" else label.text.split("\n")
        assert all(paragraph in html for paragraph in shown), press.key(url)
        assert ("\n".join(label.text.split("\n")[1:2]) in html) == (label.page != "paywall")
        words = outlet.words
        assert (words["consent"] in html) == ("consent" in outlet.furniture)
        assert (words["schedule"] in html) == ("schedule" in outlet.furniture)
        assert ('dir="rtl"' in html) == (outlet.language in RIGHT_TO_LEFT)


async def test_an_old_page_has_teasers_that_are_younger(press, client):
    old = next(label for label in labels().values() if label.hours >= 30 and label.outlet.name == "Küstenblatt")
    source = next(source for source in press.sources if source.name == old.outlet.name)
    url = next(url for url, title, _ in entries(source, await client.get(source.url)) if title == old.title)

    dates = re.findall(r'<time datetime="([^"]+)">', (await client.get(url)).text)

    assert datetime.fromisoformat(dates[0]) == NOW - timedelta(hours=old.hours)
    assert max(datetime.fromisoformat(date) for date in dates[1:]) > NOW - timedelta(hours=24)


async def test_what_a_page_does_not_give_stands_in_the_feed(press, client):
    for source in press.sources:
        short = [
            label
            for label in labels().values()
            if label.outlet.name == source.name and label.page in ("missing", "paywall")
        ]
        if not short:
            continue
        text = unescape((await client.get(source.url)).text)
        for label in short:
            assert all(paragraph in unescape(text) for paragraph in label.text.split("\n"))


async def test_a_page_with_the_validators_of_the_last_answer_is_not_sent_again(press, client):
    for source in press.sources:
        outlet = OUTLETS[source.name]
        if outlet.feed == "error":
            continue
        first = await client.get(source.url)
        names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
        known = {asked: first.headers[name] for name, asked in names.items() if name in first.headers}
        again = await client.get(source.url, headers=known)

        assert known
        assert again.status_code == 304
        assert again.content == b""


async def test_an_unknown_validator_gets_the_page(press, client):
    source = press.sources[0]
    old = {"If-None-Match": '"other"', "If-Modified-Since": "Thu, 01 Jan 2037 00:00:00 GMT"}

    assert (await client.get(source.url, headers=old)).status_code == 200


async def test_broken_sources_are_broken_in_their_way(press, client):
    answers = {s.name: await client.get(s.url) for s in press.sources if is_broken(OUTLETS[s.name])}
    kinds = {OUTLETS[name].feed: answer for name, answer in answers.items()}

    assert kinds["error"].status_code == 503
    assert int(kinds["error"].headers["retry-after"]) > 0
    assert kinds["html"].headers["content-type"].startswith("text/html")
    assert feedparser.parse(kinds["html"].content).entries == []


async def test_charsets_are_as_declared_or_wrong_on_purpose(press, client):
    declared = {outlet.declared for outlet in OUTLETS.values()}
    assert declared == {"utf-8", "windows-1251", "iso-8859-1"}
    async for source, url, _, _ in all_entries(press, client):
        outlet = OUTLETS[source.name]
        if labels()[press.key(url)].page == "missing":
            continue
        page = (await client.get(url, follow_redirects=True)).content

        assert f"charset={outlet.declared}".encode() in page or f'charset="{outlet.declared}"'.encode() in page
        if outlet.declared == "iso-8859-1":
            assert any(0x80 <= byte < 0xA0 for byte in page)  # which ISO-8859-1 has no letters for


async def test_dates_are_fresh_whenever_the_press_is_started(client):
    later = NOW + timedelta(days=400)
    async with PressServer(now=later) as press:
        source = next(s for s in press.sources if OUTLETS[s.name].feed == "json")
        items = json.loads((await client.get(source.url)).content)["items"]

    assert all(later - timedelta(hours=48) < datetime.fromisoformat(item["date_published"]) < later for item in items)


async def test_a_day_later_the_old_pieces_are_a_day_older_and_corrected(client):
    key, label = next((key, label) for key, label in labels(2).items() if label.corrections)
    async with PressServer(now=NOW + timedelta(days=1), day=2) as press:
        source = next(source for source in press.sources if source.name == label.outlet.name)
        feed = feedparser.parse((await client.get(source.url)).content)
        entry = next(entry for entry in feed.entries if press.key(entry.link) == key)
        page = (await client.get(entry.link)).text

    published = datetime(*entry.published_parsed[:6], tzinfo=UTC)
    assert abs(NOW - timedelta(hours=label.hours) - published) < timedelta(seconds=1)
    assert label.text.split("\n")[0] in page


async def test_a_press_on_the_same_port_has_the_same_urls_a_day_later(client):
    async with PressServer(now=NOW) as press:
        first = press.sources
        source = next(source for source in first if source.name == "Aare-Anzeiger")
        answer = await client.get(source.url)
    known = {"If-None-Match": answer.headers["etag"], "If-Modified-Since": answer.headers["last-modified"]}

    async with PressServer(now=NOW + timedelta(days=1), day=2, port=press.port) as press:
        assert press.sources == first
        async with httpx.AsyncClient(trust_env=False) as other:
            assert (await other.get(source.url, headers=known)).status_code == 200
            since = {"If-Modified-Since": known["If-Modified-Since"]}
            assert (await other.get(source.url, headers=since)).status_code == 200


async def test_a_second_start_prints_the_same_feed(client):
    bodies = []
    for _ in range(2):
        async with PressServer(now=NOW) as press:
            source = press.sources[0]
            body = (await client.get(source.url)).text
            bodies.append(body.replace(source.url.removesuffix("/feed.xml"), "http://host"))

    assert bodies[0] == bodies[1]


async def test_requests_are_logged_with_their_headers(press, client):
    await client.get(press.sources[0].url, headers={"User-Agent": "test/1"})
    await client.get(press.sources[0].url.replace("/feed.xml", "/nowhere"))

    feed, nowhere = press.requests
    assert (feed.path, feed.status, feed.headers["user-agent"]) == ("/feed.xml", 200, "test/1")
    assert (nowhere.path, nowhere.status) == ("/nowhere", 404)
    assert feed.host in press.sites
    assert nowhere.at >= feed.at


async def test_every_outlet_is_a_host_of_its_own_with_robots(press, client):
    assert len(set(press.sites)) == len(press.sources) == len(OUTLETS)
    for netloc in press.sites:
        assert "User-agent: *" in (await client.get(f"http://{netloc}/robots.txt")).text


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"405"),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
async def test_odd_requests_are_answered_and_the_connection_closed(press, request_bytes, status):
    host, port = next(iter(press.sites)).split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_bytes)

    answer = await asyncio.wait_for(reader.read(), timeout=PATIENCE_S)

    assert answer.split(b" ")[1] == status
    writer.close()
    await writer.wait_closed()


async def test_it_stops_while_connections_are_open():
    async with PressServer(now=NOW) as press:
        host, port = next(iter(press.sites)).split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")

    assert await asyncio.wait_for(reader.read(), timeout=PATIENCE_S) == b""
    writer.close()


async def test_without_the_addresses_it_takes_one_with_many_ports(monkeypatch, client):
    monkeypatch.setattr("watcher.demo.server.NETWORK", "203.0.113")  # TEST-NET-3: an address that this machine has not

    async with PressServer(now=NOW) as press:
        assert {netloc.split(":")[0] for netloc in press.sites} == {"127.0.0.1"}
        assert len(set(press.sites)) == len(OUTLETS)
        response = await client.get(press.sources[0].url)

    assert response.status_code == 200


async def test_its_settings_are_toml_that_names_every_source(press):
    settings = tomllib.loads(press.settings_toml(host_delay="0.1s"))

    assert [row["url"] for row in settings["sources"]] == [source.url for source in press.sources]
    assert settings["fetch"] == {"allow_private": list(press.sites), "host_delay": "0.1s"}
    assert [row["name"] for row in settings["sources"] if row.get("full_text")] == ["Jornal do Estuário"]
