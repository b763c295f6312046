"""The client against a real server: what goes out, what comes back, what is refused."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import brotli
import pytest

from watcher.errors import FetchError, HttpStatusError, RequestRefused, TimedOut, TooLarge, Unreachable
from watcher.failure_messages import FetchKind
from watcher.model import NotModified, Response, Validators
from watcher.net.client import ACCEPT_FEED, Client


async def test_a_url_is_asked_for_byte_for_byte(server, client, make_answer):
    server.answers["/feed.xml"] = make_answer(b"x")

    await client.get(server.url("/feed.xml?b=2&a=%7Ex&c=%20y&d=[]|'\"&e=%zz#part"))

    assert server.requests[0].target == "/feed.xml?b=2&a=%7Ex&c=%20y&d=[]|'\"&e=%zz"


async def test_only_the_headers_that_are_needed_go_out(server, client, make_answer):
    server.answers["/f"] = make_answer(b"x", Set_Cookie="a=b")

    await client.get(server.url("/f"), accept=ACCEPT_FEED)
    await client.get(server.url("/f"), accept=ACCEPT_FEED)

    for request in server.requests:
        assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert request.headers["host"] == f"127.0.0.1:{server.port}"
        assert request.headers["user-agent"].startswith("watcher-digests/0.1 (+https://example.org/bot")
        assert request.headers["accept-encoding"] == "gzip, deflate, br"


async def test_both_validators_are_echoed_byte_for_byte(server, client, make_answer):
    etag, modified = 'W/"a,b \\"c\xe9-gzip"', "Tue, 24 Nov 2099 10:00:00 GMT"
    server.answers["/f"] = make_answer(b"x", ETag=etag, Last_Modified=modified)

    first = await client.get(server.url("/f"))
    assert isinstance(first, Response)
    await client.get(server.url("/f"), validators=first.validators)

    assert server.requests[1].headers["if-none-match"] == etag
    assert server.requests[1].headers["if-modified-since"] == modified


async def test_a_304_is_a_value_and_carries_what_it_renews(server, client, make_answer):
    server.answers["/f"] = make_answer(status="304 Not Modified", ETag='"second"')

    got = await client.get(server.url("/f"), validators=Validators(etag='"first"'))

    assert isinstance(got, NotModified)
    assert got.validators == Validators(etag='"second"')


async def test_a_304_that_nobody_asked_for_is_an_error(server, client, make_answer):
    server.answers["/f"] = make_answer(status="304 Not Modified")

    with pytest.raises(HttpStatusError, match="304"):
        await client.get(server.url("/f"))


async def test_the_permanent_prefix_of_a_chain_is_remembered(server, client, make_answer, make_redirect):
    server.answers |= {
        "/a": make_redirect(301, "/b"),
        "/b": make_redirect(308, "/c?x=%7E"),
        "/c": make_redirect(302, "/d"),
        "/d": make_redirect(301, "/e"),
        "/e": make_answer(b"end"),
    }

    got = await client.get(server.url("/a"))

    assert (got.url, got.moved_to) == (server.url("/e"), server.url("/c?x=%7E"))


async def test_each_redirect_that_is_followed_is_heard_of(server, client, make_answer, make_redirect):
    server.answers = {"/a": make_redirect(301, "/b"), "/b": make_redirect(302, "/c"), "/c": make_answer(b"here")}
    heard = []

    await client.get(server.url("/a"), on_hop=lambda *hop: heard.append(hop))

    assert heard == [(301, server.url("/a"), server.url("/b")), (302, server.url("/b"), server.url("/c"))]


async def test_credentials_do_not_cross_to_another_host(server, client, make_answer, make_redirect):
    server.answers |= {
        "/a": make_redirect(302, "/b"),
        "/b": make_redirect(302, server.url("/c", host="localhost")),
        "/c": make_answer(b"end"),
    }

    got = await client.get(server.url("/a").replace("//", "//us%65r:p%40ss@"))

    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == ["Basic dXNlcjpwQHNz", "Basic dXNlcjpwQHNz", None]
    assert "user" not in got.url and "us%65r" not in got.url


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://example.org/x", "javascript:alert(1)", "http://"])
async def test_a_redirect_to_what_is_not_http_is_refused(server, client, make_redirect, location):
    server.answers["/a"] = make_redirect(302, location)

    with pytest.raises(RequestRefused):
        await client.get(server.url("/a"))


async def test_a_circle_and_an_endless_chain_are_refused(server, client, make_redirect):
    async def further(request, writer):
        writer.write(make_redirect(302, f"/n?{len(server.requests)}"))

    server.answers |= {"/a": make_redirect(302, "/b"), "/b": make_redirect(302, "/a"), "/n": further}

    with pytest.raises(RequestRefused, match="loop"):
        await client.get(server.url("/a"))
    with pytest.raises(RequestRefused, match="more than 10"):
        await client.get(server.url("/n"))

    assert len(server.requests) == 2 + 11


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_refused_in_every_spelling_on_every_hop(server, client, make_redirect, host):
    canary_hits: list[object] = []
    canary = await asyncio.start_server(lambda reader, writer: canary_hits.append(writer), "127.0.0.1", 0)
    port = canary.sockets[0].getsockname()[1]
    server.answers["/a"] = make_redirect(302, f"http://{host}:{port}/")

    async with canary:
        with pytest.raises(RequestRefused, match="private"):
            await client.get(server.url("/a"))
        with pytest.raises(RequestRefused, match="private"):
            await client.get(f"http://{host}:{port}/")

    assert canary_hits == []


@pytest.mark.slow
async def test_a_bomb_is_cut_at_the_cap_and_early(server, client, make_answer):
    server.answers["/f"] = make_answer(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")

    with pytest.raises(TooLarge, match="100,000"):
        await client.get(server.url("/f"))


async def test_an_endless_body_is_cut(server, client):
    async def endless(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()

    server.answers["/f"] = endless

    with pytest.raises(TooLarge):
        await client.get(server.url("/f"))


async def test_a_length_over_the_cap_is_not_read_at_all(server, client):
    server.answers["/f"] = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"

    with pytest.raises(TooLarge):
        await client.get(server.url("/f"))


@pytest.mark.slow
async def test_a_slow_body_meets_the_deadline(server):
    async def drip(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.05)

    server.answers["/f"] = drip

    async with Client(user_agent="w/1", timeout_s=5, deadline_s=0.4, allow_private=server.places) as hasty:
        with pytest.raises(TimedOut, match=r"0\.4 s"):
            await hasty.get(server.url("/f"))


async def test_silence_meets_the_read_time_out(server):
    async def silent(request, writer):
        await asyncio.sleep(1.5)

    server.answers["/f"] = silent

    async with Client(user_agent="w/1", timeout_s=0.2, deadline_s=5, allow_private=server.places) as hasty:
        with pytest.raises(TimedOut):
            await hasty.get(server.url("/f"))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"whole text" * 50)[:-9],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n" + brotli.compress(b"whole text" * 50)[:-3],
        b"",
    ],
    ids=[
        "cut body",
        "cut gzip",
        "cut chunks",
        "not HTTP",
        "huge header",
        "coding not offered",
        "cut brotli",
        "nothing",
    ],
)
async def test_a_broken_answer_is_an_error_not_a_body(server, client, raw):
    async def broken(request, writer):
        writer.write(raw)
        await writer.drain()
        writer.close()

    server.answers["/f"] = broken

    with pytest.raises(FetchError) as caught:
        await client.get(server.url("/f"))

    assert isinstance(caught.value, Unreachable | TooLarge) and not caught.value.permanent


async def test_a_body_that_ends_with_the_connection_is_whole(server, client):
    async def old(request, writer):
        writer.write(b'HTTP/1.0 200 OK\r\nETag: "e"\r\n\r\nwhole')
        await writer.drain()
        writer.close()

    server.answers["/f"] = old

    assert (await client.get(server.url("/f"))).body == b"whole"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"one ") + gzip.compress(b"two")),
        ("x-gzip", gzip.compress(b"one two") + b"\0" * 7),
        ("deflate", zlib.compress(b"one two")),
        ("deflate", zlib.compress(b"one two", wbits=-15)),
        ("br", brotli.compress(b"one two")),
        ("identity", b"one two"),
        ("gzip", b"one two"),
    ],
    ids=[
        "two members",
        "padded",
        "zlib",
        "raw deflate",
        "brotli",
        "identity",
        "only said to be gzip",
    ],  # gzip holds the time
)
async def test_a_body_is_decoded(server, client, make_answer, coding, body):
    server.answers["/f"] = make_answer(body, Content_Encoding=coding)

    assert (await client.get(server.url("/f"))).body == b"one two"


async def test_an_error_status_says_what_to_do(server, client, make_answer):
    server.answers |= {
        "/gone": make_answer(status="410 Gone"),
        "/busy": make_answer(status="429 Too Many", Retry_After="25"),
        "/odd": make_answer(status="503 No", Retry_After="soon"),
        "/wall": make_answer(b"<title>Just a moment...</title>", status="403 Forbidden"),
        "/header": make_answer(status="403 Forbidden", cf_mitigated="challenge"),
    }

    errors = {}
    for path in server.answers:
        with pytest.raises(HttpStatusError) as caught:
            await client.get(server.url(path))
        errors[path] = caught.value

    assert errors["/gone"].permanent and not errors["/busy"].permanent
    assert (errors["/busy"].retry_after_s, errors["/odd"].retry_after_s) == (25.0, None)
    assert {errors["/wall"].kind, errors["/header"].kind} == {FetchKind.STATUS_BOT_WALL}
    assert len(server.requests) == len(server.answers)  # nobody was asked twice, in disguise


async def test_a_delta_is_asked_for_only_with_an_etag(server, client, make_answer):
    server.answers["/f"] = make_answer(b"new", status="226 IM Used", IM="feed")

    await client.get(server.url("/f"), delta=True)
    got = await client.get(server.url("/f"), validators=Validators(etag='"x"'), delta=True)

    assert [request.headers.get("a-im") for request in server.requests] == [None, "feed"]
    assert isinstance(got, Response) and got.status == 226


async def test_a_connection_is_kept_only_where_that_is_wanted(server, client, make_answer):
    server.answers["/f"] = make_answer(b"x")

    await client.get(server.url("/f"))
    await client.get(server.url("/f"))
    single = len(server.writers)
    await client.get_same_host(server.url("/f"))
    await client.get_same_host(server.url("/f"))

    assert (single, len(server.writers)) == (2, 3)


async def test_names_and_ports_where_nobody_answers_are_unreachable(server, client):
    async with Client(user_agent="w/1", timeout_s=2, deadline_s=4, allow_private=["127.0.0.0/8"]) as wide:
        with pytest.raises(Unreachable, match="connection refused"):
            await wide.get("http://127.0.0.1:1/")
    with pytest.raises(Unreachable, match="does not resolve"):
        await client.get("http://nobody.invalid/")


async def test_no_more_fetches_run_at_once_than_allowed(server, make_answer):
    running = most = 0

    async def slow(request, writer):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        writer.write(make_answer(b"x"))

    server.answers["/f"] = slow

    async with Client(user_agent="w/1", allow_private=server.places, concurrency=3) as narrow:
        await asyncio.gather(*(narrow.get(server.url("/f")) for _ in range(12)))

    assert most == 3


@pytest.mark.parametrize("agent", ["", "a\r\nX: y", "wätcher/1", "/1"])
def test_a_user_agent_that_http_cannot_carry_is_refused_at_once(agent):
    with pytest.raises(ValueError, match="User-Agent"):
        Client(user_agent=agent)
