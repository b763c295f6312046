"""Who may ask, what may be sent, and what feeds can do to a reader: nothing."""

from __future__ import annotations

import base64
import re

import pytest
from lxml import html

from tests.web.press import HOUR, NOW, app_of, edition, filled, put, settings_in, site_of
from watcher.cli.main import run_command_line
from watcher.errors import SettingsError, WatcherError
from watcher.failure_messages import PageKind, Reason
from watcher.feeds.opml import parse_opml
from watcher.settings.edit import _add_sources, read_for_edit, save_settings, source_row
from watcher.settings.models import read_token
from watcher.store.feeds import sync_sources
from watcher.store.writer import write
from watcher.web.auth import MAX_CLIENTS, AuthMiddleware, _client_address, refuse

from .conftest import BASE, client_of

pytestmark = pytest.mark.slow  # fills a store a case


@pytest.fixture
def database() -> str:
    """SQLite alone: a request is judged before any store is asked."""
    return "sqlite"


PAGES = ("/", "/archive", "/coverage", "/sources", "/sources/1", "/search", "/search?q=tents", "/nope")
SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"{SCRIPT}\"onload=alert(2) '><img src=x onerror=alert(3)>{{{{7*7}}}}\u202e\x00"


@pytest.mark.parametrize("path", [*PAGES, "/style.css", "/keys.js", "/feed.atom", "/digest/world/2026-11-25.json"])
async def test_every_answer_is_shut_in(client, path):
    headers = (await client.get(path)).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert "set-cookie" not in headers and "server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "127.0.0.1.evil.example:8420", "", "10.0.0.7"])
async def test_a_name_that_is_not_ours_gets_nothing(client, host):
    found = await client.get("/", headers={"Host": host})

    assert found.status_code == 421 and "World Digest" not in found.text


@pytest.mark.parametrize("host", ["localhost:8420", "127.0.0.1", "[::1]:8420", "LOCALHOST"])
async def test_the_names_of_this_machine_are_ours(client, host):
    assert (await client.get("/", headers={"Host": host})).status_code == 200


def with_token(tmp_path, token="a long enough token"):
    (tmp_path / "token").write_text(token)
    settings, engine = filled(tmp_path, '[web]\nlisten = "0.0.0.0:8420"\ntoken = "file:token"')
    return settings, engine


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"reader:{password}".encode()).decode()


async def test_with_a_token_nobody_is_answered_without_it(tmp_path):
    settings, engine = with_token(tmp_path)
    client = client_of(app_of(site_of(settings, engine)))

    async def status(**headers: str) -> int:
        return (await client.get("/", headers={"Host": "news.example:8420", **headers})).status_code

    assert await status() == 401
    assert await status(Authorization="Bearer wrong") == 401
    assert await status(Authorization="Basic !") == 401
    assert await status(Authorization="Bearer a long enough token") == 200
    assert await status(Authorization=basic("a long enough token")) == 200
    engine.dispose()


async def test_a_peer_that_guesses_is_held_whatever_it_sends_and_the_owner_elsewhere_is_not(tmp_path):
    settings, engine = with_token(tmp_path)
    now = [0.0]
    site = app_of(site_of(settings, engine), clock=lambda: now[0])

    async def status(peer: str, token: str = "") -> int:
        headers = {"Authorization": basic(token)} if token else {}
        client = client_of(site, peer=peer, Host="news.example:8420", **headers)
        return (await client.get("/icon.svg")).status_code

    guessed = [await status("192.0.2.7", f"wrong token number {n}") for n in range(300)]
    now[0] = 0.1

    assert guessed == [401] * 10 + [429] * 290
    assert await status("192.0.2.7", "a long enough token") == 429
    assert await status("192.0.2.7") == 429
    assert await status("192.0.2.8", "a long enough token") == 200
    now[0] = 60.0
    assert await status("192.0.2.7", "a long enough token") == 200
    engine.dispose()


async def test_a_request_without_a_token_is_no_guess(tmp_path):
    settings, engine = with_token(tmp_path)
    client = client_of(app_of(site_of(settings, engine)), Host="news.example:8420")

    asked = {(await client.get("/")).status_code for _ in range(50)}
    asked |= {(await client.get("/", headers={"Authorization": "Digest x"})).status_code for _ in range(50)}

    assert asked == {401}
    right = {"Authorization": "Bearer a long enough token"}
    assert (await client.get("/icon.svg", headers=right)).status_code == 200
    engine.dispose()


async def test_the_right_token_forgives_slips_of_the_same_peer(tmp_path):
    settings, engine = with_token(tmp_path)
    client = client_of(app_of(site_of(settings, engine)), Host="news.example:8420")

    async def status(token: str) -> int:
        return (await client.get("/icon.svg", headers={"Authorization": f"Bearer {token}"})).status_code

    for _ in range(5):
        assert [await status("a slip of the owner's") for _ in range(9)] == [401] * 9
        assert await status("a long enough token") == 200
    engine.dispose()


def test_the_peers_that_are_remembered_are_bounded_and_a_network_of_ipv6_is_one():
    guard = AuthMiddleware(refuse(404, "nothing"), token="t" * 16, clock=lambda: 0.0)
    for n in range(3_000):
        assert guard.token_refusal(f"192.0.2.{n}", "Bearer wrong").status_code == 401

    assert len(guard.guesses) == MAX_CLIENTS
    peers = {_client_address({"client": (f"2001:db8:1:2::{n:x}", 1)}) for n in range(300)}
    mapped = {_client_address({"client": (f"::ffff:192.0.2.{n}", 1)}) for n in (1, 2)}
    assert len(peers) == 1 and mapped == {"192.0.2.1", "192.0.2.2"}
    assert {_client_address({"client": (each, 1)}) for each in ("127.0.0.1", "127.8.9.10", "::1")} == {"127.0.0.1"}
    assert _client_address({"client": None}) == "" and _client_address({"client": ("unix:", 0)}) == "unix:"


@pytest.mark.parametrize("token", [" ", "x", " " * 40, "fifteen charact"])
def test_a_token_that_can_be_guessed_is_refused_where_it_stands(tmp_path, token, capsys):
    (tmp_path / "token").write_text(token)
    settings = settings_in(tmp_path, '[web]\nlisten = "0.0.0.0:8420"\ntoken = "file:token"')

    with pytest.raises(WatcherError, match="characters, expected 16 or more"):
        read_token(settings.web.token, "[web] token")
    assert run_command_line(["check", "--config", str(settings.path)]) == 2
    line = next(line for line in capsys.readouterr().err.splitlines() if "web.token" in line)
    at = settings.path.read_text().splitlines().index('token = "file:token"') + 1
    assert f"settings.toml:{at}:9: web.token: got a token of {len(token.strip())} characters in file:token" in line
    assert f'"{token}"' not in line


def test_an_address_for_others_needs_a_token(tmp_path):
    with pytest.raises(SettingsError):
        settings_in(tmp_path, '[web]\nlisten = "0.0.0.0:8420"')


async def form_token_of(client, path="/sources/1") -> str:
    return html.fromstring((await client.get(path)).text).xpath("//input[@name='token']/@value")[0]


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
     {"Origin": "null"}, {"Origin": "http://127.0.0.1:9999"}],
)  # fmt: skip
async def test_a_form_that_another_site_sends_does_nothing(client, press, headers):
    token = await form_token_of(client)

    found = await client.post("/sources/1/pause", data={"token": token, "paused": "yes"}, headers=headers)

    assert found.status_code == 403
    assert "enabled" not in (press[2] / "settings.toml").read_text(encoding="utf-8")


OPENED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200), ({"Sec-Fetch-Site": "none"}, 200), ({"Sec-Fetch-Site": "same-origin"}, 200), (OPENED, 200),
        (OPENED | {"Sec-Fetch-Site": "same-site"}, 200), ({"Origin": BASE}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        (OPENED | {"Sec-Fetch-Dest": "iframe"}, 403), (OPENED | {"Sec-Purpose": "prefetch"}, 403),
        ({"Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch;prerender"}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
)  # fmt: skip
async def test_another_site_can_have_a_page_opened_and_nothing_else(client, headers, status):
    assert (await client.get("/search", headers=headers)).status_code == status


async def test_a_page_of_another_site_cannot_guess_tokens_in_the_name_of_its_visitor(tmp_path):
    settings, engine = with_token(tmp_path)
    client = client_of(app_of(site_of(settings, engine)), Host="news.example:8420")

    asked = [
        await client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer a wrong token"})
        for _ in range(20)
    ]

    assert {found.status_code for found in asked} == {403}
    right = {"Authorization": "Bearer a long enough token"}
    assert (await client.get("/icon.svg", headers=right)).status_code == 200
    engine.dispose()


@pytest.mark.parametrize("data", [{}, {"token": ""}, {"token": "wrong"}, {"token": "\xe9"}])
async def test_a_form_without_the_right_token_does_nothing(client, press, data):
    found = await client.post("/sources/1/pause", data={"paused": "yes", **data})

    assert found.status_code == 403 and "has expired" in found.text
    assert "enabled" not in (press[2] / "settings.toml").read_text(encoding="utf-8")


async def test_a_change_is_never_made_by_looking(client):
    assert [(await client.get(path)).status_code for path in ("/sources/1/pause", "/sources/1/poll")] == [405, 405]
    assert (await client.put("/sources/1")).status_code == 405


async def test_a_form_of_megabytes_is_not_read(client):
    found = await client.post("/sources/1/pause", content=b"token=" + b"x" * 5_000_000)

    assert found.status_code == 413 and "too large" in found.text


async def test_what_costs_is_limited(client):
    found = [await client.get(f"/search?q=tents+{n}") for n in range(40)]

    assert [each.status_code for each in found].count(200) == 30 and found[-1].status_code == 429
    assert found[-1].headers["retry-after"] == "2"
    assert (await client.get("/search")).status_code == 200
    assert (await client.get("/")).status_code == 200


def hostile_press(tmp_path):
    settings, engine = filled(tmp_path, days=(), harbour=HOSTILE.replace("\x00", ""))
    for n, words in enumerate(("Tarvola quake", "Tarvola quake again")):
        put(
            engine, f"{n:016x}", outlet=HOSTILE, language="en", country="GB", at=NOW - (n + 1) * HOUR,
            text=f"{words} {HOSTILE}. A quake shook Tarvola, mayor Henrik Oster said in Dressel {HOSTILE}."
            f"\n\nA strong quake damaged hundreds of houses in Tarvola {SCRIPT} and nearby, the rescue service said.",
            authors=(HOSTILE,), agency=HOSTILE, dateline=HOSTILE, url="javascript:alert(4)//https://a.example/",
            feed_reason=Reason(PageKind.OTHER_PAGE, url=HOSTILE),
        )  # fmt: skip
    edition(settings, engine)
    return settings, engine


async def test_hostile_words_are_inert_on_every_page(tmp_path):
    settings, engine = hostile_press(tmp_path)
    client = client_of(app_of(site_of(settings, engine)))
    today = (await client.get("/")).text
    story = re.search(r'href="(/story/[^"]+)"', today)[1]

    for path in (
        *PAGES,
        story,
        f"{story}/page-1",
        "/article/" + "0" * 16,
        "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
    ):
        page = (await client.get(path)).text
        tree = html.fromstring(page)
        assert tree.xpath("//script/@src") == ["/keys.js"] and not tree.xpath("//script/text()"), path
        assert not tree.xpath("//img") and not [name for name in tree.xpath("//@*") if name.attrname.startswith("on")]
        assert not [url for url in tree.xpath("//@href | //@src | //@action") if "javascript" in url.lower()], path
        assert "49" not in tree.xpath("string(//h1)") and "\x00" not in page
    engine.dispose()


async def test_a_hostile_search_finds_nothing_worse(client):
    for words in (HOSTILE, '"' * 200, "a* " * 200, "NEAR(", "x" * 10_000, "%00", "' OR 1=1 --"):
        found = await client.get("/search", params={"q": words})
        assert found.status_code == 200 and "<script>alert" not in found.text


async def test_an_opml_with_a_script_for_a_name_shows_a_name(tmp_path):
    settings, engine = filled(tmp_path, days=())
    name = SCRIPT.replace("<", "&lt;")
    opml = f'<opml version="2.0"><body><outline text="{name}" xmlUrl="https://o.example/f"/></body></opml>'
    rows = [source_row(url=found.url, name=found.title) for found in parse_opml(opml.encode()).feeds]
    text, _ = read_for_edit(settings.path)
    changed = save_settings(settings.path, _add_sources(text, rows))
    write(engine, sync_sources, changed.active_sources(), now=NOW)

    page = (await client_of(app_of(site_of(changed, engine))).get("/sources")).text

    assert "alert(1)" in page and not html.fromstring(page).xpath("//script/text()")
    engine.dispose()
