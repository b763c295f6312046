"""One request over h11: what servers may do to it."""

import asyncio
from contextlib import asynccontextmanager

import httpcore
import pytest

from watcher.net.exchange import Exchange
from watcher.net.streams import connect


@asynccontextmanager
async def asked(answer: bytes):
    """Yield an exchange with a server that says `answer` and closes, and what it was asked."""
    heard: list[bytes] = []
    done = asyncio.Event()

    async def serve(reader, writer):
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        done.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        stream = await connect("127.0.0.1", server.sockets[0].getsockname()[1], 2.0)
        exchange = Exchange(stream, timeout_s=2.0)
        yield exchange, heard
        await exchange.aclose()
        await done.wait()


HOST = [(b"Host", b"a.example")]


async def body_of(exchange) -> bytes:
    return b"".join([part async for part in exchange.body()])


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more than was said",
    ],
    ids=["counted", "chunked", "closed", "hinted", "too much"],
)
async def test_a_body_comes_whole_however_it_ends(answer):
    async with asked(answer) as (exchange, heard):
        head = await exchange.get(b"/feed?a=%7E", HOST)

        assert (head.status_code, await body_of(exchange)) == (200, b"hello")
    assert heard[0].startswith(b"GET /feed?a=%7E HTTP/1.1\r\nHost: a.example\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
    ids=["counted", "chunked"],
)
async def test_a_body_that_is_cut_is_an_error(answer):
    async with asked(answer) as (exchange, _):
        await exchange.get(b"/", HOST)

        with pytest.raises(httpcore.RemoteProtocolError):
            await body_of(exchange)


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"],
    ids=["nothing", "no HTTP", "huge"],
)
async def test_what_is_no_answer_is_an_error(answer):
    async with asked(answer) as (exchange, _):
        with pytest.raises(httpcore.RemoteProtocolError):
            await exchange.get(b"/", HOST)


async def test_a_header_that_cannot_be_sent_is_an_error():
    class Unused(httpcore.AsyncNetworkStream):
        """No connection: nothing comes so far."""

    with pytest.raises(httpcore.LocalProtocolError):
        await Exchange(Unused(), timeout_s=1.0).get(b"/", [*HOST, (b"X", b"a\r\nInjected: yes")])
