"""One request and its answer: what servers may do to it, and that what is read directly is what h11 reads."""

import asyncio
from contextlib import asynccontextmanager

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.net.exchange import Exchange, not_modified, plainly
from watcher.net.streams import Stream, connect
from watcher.net.strict import Strict, lowered
from watcher.net.wire import LocalProtocolError, RemoteProtocolError


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


HOST = [("Host", "a.example")]


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

        assert (head.status, await body_of(exchange)) == (200, b"hello")
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

        with pytest.raises(RemoteProtocolError):
            await body_of(exchange)


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"],
    ids=["nothing", "no HTTP", "huge"],
)
async def test_what_is_no_answer_is_an_error(answer):
    async with asked(answer) as (exchange, _):
        with pytest.raises(RemoteProtocolError):
            await exchange.get(b"/", HOST)


async def test_a_header_that_cannot_be_sent_is_an_error():
    unconnected = Stream()

    with pytest.raises(LocalProtocolError):
        await Exchange(unconnected, timeout_s=1.0).get(b"/", [*HOST, ("X", "a\r\nInjected: yes")])


TOKEN = st.text("abcXYZ019-_!", min_size=1, max_size=8)
VALUE = st.text(st.characters(max_codepoint=255), max_size=12) | st.sampled_from(
    ("", " a b ", '"tag"', "a\tb", "chunked")
)
NAMES = TOKEN | st.sampled_from(("ETag", "Content-Length", "Transfer-Encoding", "X ", " folded"))
PAIRS = st.lists(st.tuples(NAMES, VALUE), max_size=4)


@given(PAIRS, st.sampled_from(("1.1 304 Not Modified", "1.1 304", "1.0 304 x", "1.1 200 OK", "2 304", "1.1 304\x00")))
def test_a_304_that_is_read_directly_is_what_the_library_reads(pairs, status):
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    data = f"HTTP/{status}\r\n{head}\r\nand more".encode("latin-1")

    found = not_modified(data)

    if found is not None:
        http = Strict(b"/", HOST)
        http.feed(data)
        event = http.next()
        assert event.status_code == found.status
        assert lowered(event.headers) == found.headers
        assert isinstance(http.next(), h11.EndOfMessage)


@pytest.mark.parametrize("more", [b"", b'ETag: "a"\r\nDate: x\r\n', b"X:\r\n", b"Vary:\tA \r\n"])
def test_a_plain_304_is_read_directly(more):
    assert not_modified(b"HTTP/1.1 304 Not Modified\r\n" + more + b"\r\n") is not None


async def test_a_304_that_comes_in_pieces_is_read_as_well():
    async with asked(b"HTTP/1.1 304 Not Modified\r\nETag: " + b'"a"' * 10_000 + b"\r\n\r\n") as (exchange, _):
        head = await exchange.get(b"/", HOST)

        assert (head.status, await body_of(exchange)) == (304, b"")


@given(st.lists(st.tuples(TOKEN, VALUE), max_size=4), st.text("/abc?=%~é \r\n", min_size=1, max_size=6))
def test_a_request_that_is_written_directly_is_what_the_library_writes(pairs, target):
    headers = [*HOST, *pairs]

    found = plainly(target.encode("latin-1"), headers)

    if found is not None:
        assert found == Strict(target.encode("latin-1"), headers).sent


def test_a_request_of_ours_is_written_directly():
    assert plainly(b"/feed?a=%7E", [*HOST, ("If-None-Match", 'W/"a b"')]) is not None
