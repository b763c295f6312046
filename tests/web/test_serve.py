"""Connections that keep the site waiting, and more of them than there is room for."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.kinds import on_sqlite
from tests.patience import PATIENCE_S
from tests.web.press import app_of, settings_in, site_of
from watcher.web import serve
from watcher.web.serve import MAX_CONNECTIONS, Listener
from watcher.web.site import Page, PageResponse, SitePlugin

pytestmark = [pytest.mark.slow, on_sqlite]  # waits for clients that never end, whatever the store is

WHOLE = b"GET /keys.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
async def port(press, monkeypatch):
    """The port of a site that waits for half a second."""
    monkeypatch.setattr("watcher.web.serve.HEAD_LIMIT_S", 0.5)
    settings, engine, folder = press
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = settings_in(folder, f'[web]\nlisten = "127.0.0.1:{port}"', store_url=settings.store.url)
    listener = Listener("web", settings.web, app_of(site_of(settings, engine)))
    await listener.listen()
    yield port
    await listener.close()


async def told(port: int, *sent: bytes, wait_s: float = 0.0) -> bytes:
    """Return all that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_S):
        for piece in sent:
            writer.write(piece)
            await asyncio.sleep(wait_s)
        found = await reader.read()
    writer.close()
    return found


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: loc", b"GET /keys.js HTTP/1.1\r\nHost: localhost\r\n\r\nGET /"]
)
async def test_a_request_that_never_ends_is_given_up(port, sent):
    assert (await told(port, sent)).count(b"HTTP/1.1 200") == sent.count(b"keys.js")


async def test_a_head_that_drips_is_given_up_no_later(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async with asyncio.timeout(PATIENCE_S):
        writer.write(b"GET /keys.js HTTP/1.1\r\n")
        while not reader.at_eof():
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.1)
            if reader.at_eof() or writer.transport.is_closing():
                break

    assert reader.at_eof() or writer.transport.is_closing()
    writer.close()


async def test_a_body_that_nobody_reads_is_given_up(port):
    head = b"POST /keys.js HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000000\r\n\r\n"

    assert b"HTTP/1.1 405" in await told(port, head, b"x" * 1000)


async def test_two_requests_of_one_connection_are_answered(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert b"200 OK" in head and (await reader.readexactly(size)).startswith(b"<svg")
    writer.close()


async def test_of_more_requests_at_one_moment_than_there_is_room_for_the_first_are_answered(press, monkeypatch):
    settings, engine, folder = press
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = settings_in(folder, f'[web]\nlisten = "127.0.0.1:{port}"', store_url=settings.store.url)
    listener = Listener("web", settings.web, app_of(site_of(settings, engine)))
    monkeypatch.setattr(serve, "MAX_CONNECTIONS", 40)  # so that the test needs few open files
    await listener.listen()

    links = [await asyncio.open_connection("127.0.0.1", port) for _ in range(70)]
    for _, writer in links:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    heads = [(await asyncio.wait_for(reader.readline(), PATIENCE_S)).split()[1] for reader, _ in links]
    for _, writer in links:
        writer.close()
    later = b""
    async with asyncio.timeout(PATIENCE_S):  # until the site has noticed that they are gone
        while b"200" not in later:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(WHOLE)
            later = await reader.readline()
            writer.close()
    await listener.close()

    assert Counter(heads) == {b"200": 40, b"503": 30}
    assert heads[:40] == [b"200"] * 40
    assert MAX_CONNECTIONS >= 400


@pytest.fixture
async def guess(press):
    """Return a function that asks with a token, as a proxy with `X-Forwarded-For`, and returns the status."""
    settings, engine, folder = press
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "token").write_text("a long enough token")
    table = f'[web]\nlisten = "127.0.0.1:{port}"\ntoken = "file:token"'
    settings = settings_in(folder, table, store_url=settings.store.url)
    listener = Listener("web", settings.web, app_of(site_of(settings, engine)).app)
    await listener.listen()

    async def status(forwarded_for: str, token: str) -> int:
        head = f"GET /icon.svg HTTP/1.0\r\nX-Forwarded-For: {forwarded_for}\r\nAuthorization: Bearer {token}\r\n\r\n"
        return int((await told(port, head.encode())).split()[1])

    yield status
    await listener.close()


async def test_who_says_to_be_a_proxy_has_no_more_guesses(guess):
    guessed = [await guess(f"192.0.2.{n}", "a wrong token") for n in range(12)]

    assert guessed == [401] * 10 + [429] * 2


async def test_a_client_that_does_not_read_its_page_is_given_up(press, monkeypatch):
    monkeypatch.setattr(serve, "STALLED_S", 0.5)
    settings, engine, folder = press
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = settings_in(folder, f'[web]\nlisten = "127.0.0.1:{port}"', store_url=settings.store.url)
    book = random.Random(1).randbytes(20_000_000)
    page = Page(path="/book", answer=lambda _site, _ask: PageResponse(body=book, media_type="application/zip"))
    site = site_of(settings, engine)
    app = app_of(replace(site, plugins=(*site.plugins, SitePlugin(pages=(page,)))))
    listener = Listener("web", settings.web, app)
    await listener.listen()

    async def read_after(pause_s: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(b"GET /book HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(pause_s)
        size = 0
        with suppress(ConnectionError):
            while part := await asyncio.wait_for(reader.read(65_536), 20):
                size += len(part)
        writer.close()
        return size

    read, given_up = await asyncio.gather(read_after(0), read_after(3))
    await listener.close()

    assert read > len(book) > given_up
