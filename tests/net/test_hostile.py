"""Servers that cost a reader more than their feed is worth, or hide what they say behind it."""

import asyncio
import time

import pytest

from tests.patience import PATIENCE_S
from watcher.errors import FetchError, HttpStatusError, RequestRefused, Unreachable
from watcher.failure_messages import FetchKind
from watcher.model import Validators
from watcher.net.client import Client
from watcher.net.transport import READ_BYTES, NetworkStream

pytestmark = pytest.mark.slow  # waits for servers that drip


def without_end(piece: bytes, start: bytes = b"", pause_s: float = 0.0):
    async def answer(request, writer):
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("get", [Client.get, Client.get_same_host])
async def test_a_body_in_the_smallest_pieces_is_refused_long_before_its_bytes_are_too_many(server, client, get):
    server.answers["/f"] = without_end(b"1\r\nx\r\n" * 2_000, CHUNKED)

    with pytest.raises(Unreachable, match="too many pieces"):
        await get(client, server.url("/f"))


async def test_a_body_in_small_pieces_comes_whole(server, client):
    line = b"<item><title>A line of a feed that is sent line by line</title></item>\n"
    server.answers["/f"] = CHUNKED + (b"%x\r\n%b\r\n" % (len(line), line)) * 1_000 + b"0\r\n\r\n"

    assert (await client.get(server.url("/f"))).body == line * 1_000


async def test_hints_without_an_answer_are_no_answer(server, client):
    server.answers["/f"] = without_end(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with pytest.raises(Unreachable, match="1xx"):
        await client.get(server.url("/f"))


async def test_who_sends_faster_than_we_read_leaves_others_their_turn():
    reader = asyncio.StreamReader()
    reader.feed_data(b"x" * READ_BYTES * 10)
    reader.feed_eof()
    stream = NetworkStream(reader, None)
    stream.is_in_head = False
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    sizes = [len(part) for part in [await stream.read(10**9) for _ in range(10)]]
    task.cancel()

    assert sizes == [READ_BYTES] * 10
    assert turns >= 10


@pytest.mark.parametrize("get", [Client.get, Client.get_same_host])
async def test_a_body_in_the_smallest_pieces_never_holds_the_loop_for_long(server, client, get):
    server.answers["/f"] = without_end(b"1\r\nx\r\n" * 20_000, CHUNKED)
    longest, last = 0.0, time.process_time()

    async def watch() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0)
            now = time.process_time()
            longest, last = max(longest, now - last), now

    task = asyncio.create_task(watch())
    with pytest.raises(Unreachable, match="too many pieces"):
        await get(client, server.url("/f"))
    task.cancel()

    assert longest < 0.4


async def test_an_error_page_that_drips_does_not_cost_what_its_head_says(server):
    server.answers["/f"] = without_end(b"x", b"HTTP/1.1 429 No\r\nRetry-After: 77\r\n\r\n", pause_s=0.2)

    started = time.monotonic()
    async with Client(user_agent="w/1", deadline_s=2 * PATIENCE_S, allow_private=server.places) as patient:
        with pytest.raises(HttpStatusError) as caught:
            await patient.get(server.url("/f"))

    assert caught.value.retry_after_s == 77.0
    assert time.monotonic() - started < PATIENCE_S


async def test_a_target_too_long_to_be_asked_for_is_refused(server, client, make_redirect):
    server.answers["/f"] = make_redirect(301, "/g?" + "a" * 9_000)

    with pytest.raises(RequestRefused, match="8,000 characters"):
        await client.get(server.url("/f"))


async def test_validators_that_no_server_would_read_or_that_are_empty_are_not_sent(server, client, make_answer):
    server.answers["/f"] = make_answer(b"feed", ETag="", Last_Modified="")
    long = '"' + "e" * 5_000 + '"'

    answer = await client.get(server.url("/f"), validators=Validators(etag=long, last_modified="d" * 5_000))

    assert answer.validators == Validators()
    assert {"if-none-match", "if-modified-since", "a-im"}.isdisjoint(server.requests[0].headers)


@pytest.mark.parametrize(
    ("status", "header", "maker"),
    [
        ("202 Accepted", {"x_amzn_waf_action": "challenge"}, "AWS WAF: challenge"),
        ("405 No", {"x_amzn_waf_action": "captcha"}, "AWS WAF: captcha"),
        ("403 No", {"cf_mitigated": "challenge"}, "Cloudflare: challenge"),
    ],
)
async def test_a_wall_is_named_by_what_its_head_says(server, client, make_answer, status, header, maker):
    server.answers["/f"] = make_answer(b"wait", status=status, **header)

    with pytest.raises(FetchError, match=maker) as caught:
        await client.get(server.url("/f"))

    assert caught.value.kind == FetchKind.STATUS_BOT_WALL
