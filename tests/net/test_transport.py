"""The edge to the HTTP library: what it must not do by itself, and what servers may do to an answer."""

import asyncio
import os
import subprocess
import sys

import httpcore
import httpx
import pytest

from watcher.errors import FetchError, RequestRefused, Unreachable
from watcher.model import Response, Validators
from watcher.net.client import Client
from watcher.net.transport import HTTPX_ERRORS, translate_pool_errors


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more than was said",
    ],
    ids=["counted", "chunked", "closed", "hinted", "too much"],
)
async def test_a_body_comes_whole_however_it_ends(server, client, raw):
    async def closing(request, writer):
        writer.write(raw)
        await writer.drain()
        writer.close()

    server.answers["/f"] = closing

    assert (await client.get(server.url("/f"))).body == b"hello"


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_a_kept_connection_that_the_server_closes_meanwhile_is_replaced(server, client, make_answer, end):
    """A server may close an idle connection just as the next request is on its way (RFC 9112, section 9.3.1)."""

    async def close_second(request, writer):
        if writer is server.writers[0] and len(server.requests) == 2:
            getattr(writer if end == "close" else writer.transport, end)()
        else:
            writer.write(make_answer(b"page"))

    server.answers["/f"] = close_second

    bodies = [(await client.get_same_host(server.url("/f"))).body for _ in range(2)]

    assert bodies == [b"page"] * 2
    assert (len(server.requests), len(server.writers)) == (3, 2)


async def test_a_new_connection_that_the_server_closes_is_not_tried_again(server, client):
    async def close(request, writer):
        writer.close()

    server.answers["/f"] = close

    with pytest.raises(Unreachable):
        await client.get_same_host(server.url("/f"))

    assert len(server.requests) == 1


async def test_a_304_that_comes_in_pieces_is_read_as_well(server, client):
    async def in_pieces(request, writer):
        for part in (b"HTTP/1.1 304 Not Mod", b"ified\r\nETag: ", b'"b"\r\n\r\n'):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)

    server.answers["/f"] = in_pieces

    got = await client.get(server.url("/f"), validators=Validators(etag='"a"'))

    assert got.validators == Validators(etag='"b"')


async def test_a_header_that_cannot_be_sent_is_an_error_and_nothing_is_sent(server, client):
    with pytest.raises(FetchError):
        await client.get(server.url("/f"), validators=Validators(etag='"a"\r\nInjected: yes'))

    assert server.requests == []


async def test_a_connection_that_is_reset_is_an_error_in_words(server, client):
    async def reset(request, writer):
        writer.transport.abort()

    server.answers["/f"] = reset

    with pytest.raises(Unreachable):
        await client.get(server.url("/f"))


def test_each_error_of_the_pool_becomes_the_one_of_the_same_name():
    exported = [getattr(httpcore, name) for name in httpcore.__all__]
    errors = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, Exception)]

    for kind in set(errors) - {httpcore.ConnectionNotAvailable}:  # which the pool handles itself
        with pytest.raises(httpx.TransportError, match="why") as caught, translate_pool_errors():
            raise kind("why")
        assert type(caught.value).__name__ == kind.__name__
    assert len(HTTPX_ERRORS) == len(errors) - 1


async def test_letters_outside_ascii_are_spelled_in_idna():
    hosts = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.headers["host"])
        return httpx.Response(200, stream=httpx.ByteStream(b"x"))

    async with Client(user_agent="w/1", substitute=httpx.MockTransport(answer)) as client:
        await client.get("https://münchen.example/")

    assert hosts == ["xn--mnchen-3ya.example"]


@pytest.mark.parametrize("url", ["http://example.org:99999/", "http://[::1", "http://1.2.3.999/"])
async def test_what_is_no_place_is_refused(client, url):
    with pytest.raises(RequestRefused):
        await client.get(url)


@pytest.mark.parametrize(
    "location", ["http://xn--i-7iq.{place}/b", "http://{place}/b\tc", "HTTP://{place}/b", "/b?q=\u00fc", "///{place}/b"]
)
async def test_a_redirect_is_read_by_us_alone(location):
    """httpx makes the next request of a redirect that it does not follow, and fails where it cannot read its target."""
    place = "a.example"
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        headers = [(b"Location", location.format(place=place).encode())] if len(asked) == 1 else []
        return httpx.Response(302 if headers else 200, headers=headers, stream=httpx.ByteStream(b"x"))

    async with Client(user_agent="w/1", substitute=httpx.MockTransport(answer)) as client:
        got = await client.get(f"http://{place}/a")

    assert isinstance(got, Response)
    assert len(asked) == 2


PROXIED = """
import asyncio, sys
from watcher.net.client import Client
async def ask():
    async with Client(user_agent="w/1", allow_private=["127.0.0.0/8"]) as client:
        print((await client.get(sys.argv[1])).body.decode())
asyncio.run(ask())
"""


@pytest.mark.slow
async def test_no_proxy_and_no_password_come_from_the_environment(server, make_answer, tmp_path):
    server.answers["/f"] = make_answer(b"direct")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    (tmp_path / ".netrc").chmod(0o600)
    environment = os.environ | dict.fromkeys(("http_proxy", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    environment |= {"HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc")}
    command = [sys.executable, "-c", PROXIED, server.url("/f")]

    ran = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.PIPE)
    out, _ = await ran.communicate()

    assert out.strip() == b"direct"
    assert "authorization" not in server.requests[0].headers
