"""Connections that keep the site waiting."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.web.press import settings_in
from watcher.web.patience import Patient
from watcher.web.serve import Served

pytestmark = pytest.mark.slow  # waits for clients that never end

WHOLE = b"GET /keys.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Hasty(Patient):
    request_s = 0.5


@pytest.fixture
async def port(press):
    """The port of a site that waits for half a second."""
    _, engine, folder = press
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Served(settings_in(folder, f'[web]\nlisten = "127.0.0.1:{port}"'), engine, protocol=Hasty)
    await served.listen()
    yield port
    await served.close()


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: loc", b"GET /keys.js HTTP/1.1\r\nHost: localhost\r\n\r\nGET /"]
)
async def test_a_request_that_never_ends_is_given_up(port, sent):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)

    async with asyncio.timeout(20):
        told = await reader.read(1_000_000)
        while not reader.at_eof():
            told += await reader.read(1_000_000)

    assert told.count(b"HTTP/1.1 200") == sent.count(b"keys.js")
    writer.close()


async def test_two_requests_of_one_connection_are_answered(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert b"200 OK" in head and (await reader.readexactly(size)).startswith(b"<svg")
    writer.close()
