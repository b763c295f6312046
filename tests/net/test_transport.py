"""The edge to the HTTP library: places of URLs, connections that break."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.net.streams import connect
from watcher.net.transport import BadUrl, place_of
from watcher.net.wire import ReadError, ReadTimeout

LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?", fullmatch=True)
PORT = st.none() | st.integers(1, 65_535)


@given(
    st.sampled_from(("http", "https")),
    st.lists(LABEL, min_size=1, max_size=4),
    PORT,
    st.sampled_from(("", "/a?b", "?c")),
)
def test_a_plain_url_has_the_place_that_the_library_reads(scheme, labels, port, rest):
    url = f"{scheme}://{'.'.join(labels)}{'' if port is None else f':{port}'}{rest}"
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:  # a host such as 1.2.3.999, which the resolver will refuse
        return

    place = place_of(url)

    assert (place.scheme, place.host, place.name) == (parts.scheme, parts.raw_host.decode(), parts.netloc.decode())
    assert place.port == (parts.port or {"http": 80, "https": 443}[scheme])


@pytest.mark.parametrize("url", ["http://example.org:99999/", "http://[::1"])
def test_what_is_no_place_is_refused(url):
    with pytest.raises(BadUrl):
        place_of(url)


def test_letters_outside_ascii_are_spelled_in_idna():
    assert place_of("https://münchen.example/").name == "xn--mnchen-3ya.example"


async def test_a_connection_that_is_reset_is_an_error_in_words():
    async def reset(reader, writer):
        await reader.read(1)
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    async with server:
        stream = await connect("127.0.0.1", server.sockets[0].getsockname()[1], 1.0)
        await stream.write(b"x", 1.0)

        with pytest.raises(ReadError):
            while await stream.read(10, 1.0):
                pass
            raise ReadError("closed without a reset, as some systems do")
    await stream.aclose()


async def test_a_server_that_says_nothing_ends_a_read_in_time():
    gone = asyncio.Event()

    async def silent(reader, writer):
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        stream = await connect("127.0.0.1", server.sockets[0].getsockname()[1], 1.0)

        with pytest.raises(ReadTimeout):
            await stream.read(10, 0.05)
        await stream.aclose()
        await gone.wait()
