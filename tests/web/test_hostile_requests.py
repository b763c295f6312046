"""What strangers may send: every route answers it in words, none breaks down."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.patience import PATIENCE_S
from tests.web.press import app_of, settings_in, site_of
from watcher.store.engine import connect
from watcher.web.app import FORM_FIELDS, STATIC_FILES, make_app
from watcher.web.auth import SIGNED
from watcher.web.serve import Listener
from watcher.web.site import Page, PageResponse, SitePlugin
from watcher.web.sources import SOURCE_PAGES

from .conftest import client_of

pytestmark = pytest.mark.slow  # fills a store a case


@pytest.fixture
def database() -> str:
    """SQLite alone: a request is judged before any store is asked."""
    return "sqlite"


PART = re.compile(r"\{(\w+)(?::\w+)?\}")
NASTY = (
    "9" * 5_000, "9" * 18, "99999", "0", "-1", "1e9", "²", "٣", "%00", "%00%00s1", "%ff%fe", "%ed%a0%80",
    "..%2f..%2fetc", "%0d%0aX-A:%20b", "' OR 1=1 --", "{{7*7}}", "a" * 3_000, "%F0%9F%98%80", "", "%2e%2e",
    "2026-02-31", "0000-00-00", "2026-11-25.%00", "9999-99",
)  # fmt: skip
QUERIES = (
    "q=%00", "q=" + "9" * 5_000, "page=" + "9" * 5_000, "page=-1", "page=%00", "page=", "since=%ff", "language=%00",
    "outlet=%00", "q=%ff%00&outlet=%ed%a0%80&page=x", "&".join(f"a{n}=1" for n in range(3_000)), "=&=&;;%", "%",
)  # fmt: skip


def paths_of(page: Page) -> list[str]:
    if not PART.search(page.path):
        return [page.path]
    return [PART.sub(lambda _match, value=value: quote(value, safe="%'"), page.path) for value in NASTY]


async def ask(client: httpx.AsyncClient, method: str, path: str, **more) -> httpx.Response:
    url = httpx.URL("http://127.0.0.1:8420").copy_with(raw_path=path.encode())
    return await client.request(method, url, **more)


def is_in_words(answer: httpx.Response) -> bool:
    return answer.status_code < 500 and "Traceback" not in answer.text


async def test_no_path_and_no_query_breaks_any_route(site, caplog):
    clock = iter(range(0, 10**9, 60))  # so that no limit is met
    client = client_of(app_of(site, clock=lambda: float(next(clock))))
    broken = []

    for page in (*STATIC_FILES, *SOURCE_PAGES, *site.pages):
        for path in paths_of(page):
            for method in ("GET", "HEAD", "POST", "PUT"):
                answer = await ask(client, method, path)
                if not is_in_words(answer):
                    broken.append((method, path[:80], answer.status_code))
        for query in QUERIES:
            answer = await ask(client, "GET", f"{paths_of(page)[0][:100]}?{query}")
            if not is_in_words(answer):
                broken.append(("GET", page.path, query[:80], answer.status_code))

    assert broken == []
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_page_number_of_thousands_of_digits_is_no_page(client):
    story = re.search(r'href="(/story/[^"]+)"', (await client.get("/")).text)[1]

    for path in (f"/sources/page-{'9' * 5_000}", f"{story}/page-{'9' * 5_000}", "/sources/page-0", f"{story}/page-0"):
        assert (await ask(client, "GET", path)).status_code == 404, path[:40]


FORMS = (
    b"", b"\x00" * 200, b"\xff\xfe=\xed\xa0\x80", b"token=%00&article=%00", b"&" * 5_000, b"=" * 5_000, b"%" * 5_000,
    b"article=" + b"9" * 9_000, b"other=" + quote("/story/\x00").encode(), b"other=" + b"9" * 9_000, b"paused=%00",
)  # fmt: skip
KINDS = (
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=\x80", "multipart/form-data",
    "multipart/form-data; boundary=", "application/json", "",
)  # fmt: skip


async def test_no_form_breaks_any_route(site, caplog):
    clock = iter(range(0, 10**9, 60))
    client = client_of(app_of(site, clock=lambda: float(next(clock))))
    broken = []

    for page in (page for page in (*SOURCE_PAGES, *site.pages) if page.method == "POST"):
        for path in ("1", "s", "%00", "9" * 9):
            for form in FORMS:
                for body in (form, b"token=" + site.form_token.encode() + b"&" + form):
                    kind = {"Content-Type": KINDS[0]}
                    answer = await ask(client, "POST", PART.sub(path, page.path), content=body, headers=kind)
                    if not is_in_words(answer):
                        broken.append((page.path, body[:60], answer.status_code))
        for kind in KINDS:
            headers = {"Content-Type": kind.encode("latin-1")}
            answer = await ask(client, "POST", PART.sub("1", page.path), content=b"--\r\n\x00\r\n--", headers=headers)
            if answer.status_code != (404 if page.path.startswith(SIGNED) else 403):
                broken.append((page.path, kind, answer.status_code))

    assert broken == []
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_form_of_many_fields_is_too_large(client, site):
    fields = "&".join(f"a{n}=1" for n in range(FORM_FIELDS + 100))

    found = await client.post(
        "/sources/1/pause",
        content=f"token={site.form_token}&{fields}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert found.status_code == 413 and "too large" in found.text
    assert found.headers["connection"] == "close"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://["}, {"Origin": "http://[::1"}, {"Authorization": "Basic \xe9"}, {"Authorization": "Basic"},
        {"Authorization": "Bearer \xe9"}, {"Cookie": "a=\x80; ;=;" + "x" * 4_000}, {"If-None-Match": '"' * 4_000},
        {"Accept-Encoding": "\xff"}, {"Host": "["}, {"Host": "[::1"}, {"Host": "\xe9"}, {"Host": "127.0.0.1:99999"},
        {"Sec-Fetch-Site": "\xff"}, {"Content-Length": "-1"}, {"Range": "bytes=" + "0-1," * 900},
    ],
)  # fmt: skip
@pytest.mark.parametrize("token", ["", '\nlisten = "0.0.0.0:8420"\ntoken = "file:token"'])
async def test_no_header_breaks_the_guard(press, headers, token):
    settings, engine, folder = press
    (folder / "token").write_text("a long enough token")
    client = client_of(app_of(site_of(settings_in(folder, f"[web]{token}", store_url=settings.store.url), engine)))
    raw = {name: value.encode("latin-1") for name, value in headers.items()}

    for method, path in (("GET", "/"), ("GET", "/archive/"), ("POST", "/sources/1/pause")):
        if token and "Authorization" not in raw:
            raw["Authorization"] = b"Bearer a long enough token"
        assert is_in_words(await ask(client, method, path, headers=raw))


async def test_a_page_that_breaks_down_is_said_in_words_and_the_log_says_why(site, caplog):
    def breaks(_site, _ask):
        raise RuntimeError("nobody foresaw it")

    found = await client_of(make_app(with_page(site, "/breaks", breaks))).get("/breaks")

    assert found.status_code == 500 and "see the log for the reason" in found.text
    assert "nobody foresaw" not in found.text and "nobody foresaw it" in caplog.text


async def test_a_page_that_takes_too_long_keeps_nobody_waiting_for_ever(site, monkeypatch):
    monkeypatch.setattr("watcher.web.app.PAGE_S", 0.2)
    go = threading.Event()

    def slow(_site, _ask):
        go.wait(PATIENCE_S)
        return PageResponse(body="late")

    client = client_of(make_app(with_page(site, "/slow", slow)))

    found, other = await asyncio.gather(client.get("/slow"), client.get("/icon.svg"))
    go.set()

    assert found.status_code == 503 and "takes a long time" in found.text and found.headers["retry-after"]
    assert other.status_code == 200


def with_page(site, path, answer):
    return replace(site, plugins=(*site.plugins, SitePlugin(pages=(Page(path=path, answer=answer),))))


RAW = (
    b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://localhost:1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://[/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /?" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: [::1, [, :::, 1.2.3.4:x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: " + b"1," * 4_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n" * 9_000,
)


@pytest.fixture
async def port(press, caplog, monkeypatch):
    monkeypatch.setattr("watcher.web.serve.HEAD_LIMIT_S", 0.3)
    settings, engine, folder = press
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    wanted = settings_in(folder, f'[web]\nlisten = "127.0.0.1:{port}"', store_url=settings.store.url)
    listener = Listener("web", wanted.web, app_of(site_of(wanted, engine)))
    await listener.listen()
    yield port
    await listener.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def told(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(sent)
            while piece := await reader.read(65_536):
                found += piece
    except ConnectionError:
        pass
    finally:
        writer.close()
    return found


async def test_no_bytes_break_the_server(port):
    answers = await asyncio.gather(*(told(port, sent) for sent in RAW))

    assert [answer[:60] for answer in answers if b" 500 " in answer or b"Traceback" in answer] == []
    assert b" 200 " in await told(port, b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n")


WORDS = st.sampled_from(
    [
        b"GET ", b"POST ", b"/", b"/sources/", b"/search?q=", b"%00", b"%ff", b" HTTP/1.1\r\n", b"Host: localhost\r\n",
        b"\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n",
        b"5\r\nabcde\r\n", b"0\r\n\r\n",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(st.one_of(WORDS, st.binary(max_size=8)), max_size=14).map(b"".join))
async def test_no_pieces_of_requests_break_the_server(port, sent):
    answer = await told(port, sent)

    assert b" 500 " not in answer and b"Traceback" not in answer


async def test_a_database_that_cannot_be_reached_is_told_on_every_page(site):
    pytest.importorskip("psycopg")
    down = replace(site, engine=connect("postgresql://watcher:geheim@127.0.0.1:9/watcher"))
    client = client_of(make_app(down))

    for path in ("/", "/sources", "/sources/1", "/archive", "/story/s1f2e3d4c5b", "/search?q=tents"):
        found = await client.get(path)
        assert found.status_code == 503 and "the database cannot be reached" in found.text, path
        assert "check that its server is running" in found.text and "geheim" not in found.text
        assert "no daemon" not in found.text
