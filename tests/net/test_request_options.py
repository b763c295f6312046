"""What a source adds to its requests: headers, a cookie, a proxy; and that no other host gets them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from watcher.errors import FetchError, RequestRefused, Unreachable
from watcher.failure_messages import FetchKind
from watcher.model import Response
from watcher.net.client import ACCEPT_FEED, Client
from watcher.settings.request_options import RequestOptions, request_headers
from watcher.settings.types import Secret


@pytest.fixture
def cookie(tmp_path) -> Secret:
    (tmp_path / "cookie").write_text("session=markedcookie\n")
    return Secret(kind="file", name=str(tmp_path / "cookie"))


async def test_headers_of_a_source_go_to_its_own_host_only_and_do_not_come_back(
    server, client, make_answer, make_redirect, cookie
):
    headers = request_headers({"Accept": "text/xml", "X-Edition": "fr"}, user_agent="Mozilla/5.0", cookie=cookie)
    options = RequestOptions(url=server.url("/feed"), headers=headers)
    own = {"accept": "text/xml", "x-edition": "fr", "user-agent": "Mozilla/5.0", "cookie": "session=markedcookie"}
    server.answers["/feed"] = make_redirect(301, "/next")
    server.answers["/next"] = make_redirect(302, server.url("/away", host="localhost"))
    server.answers["/away"] = make_redirect(302, server.url("/page"))
    server.answers["/page"] = make_answer(b"x")

    await client.get(server.url("/feed"), accept=ACCEPT_FEED, options=options)
    await client.get_same_host(server.url("/page"), options=options)
    await client.get_same_host(server.url("/page", host="localhost"), options=options)

    sent = [{name: request.headers.get(name) for name in own} for request in server.requests]
    assert [each == own for each in sent] == [True, True, False, False, True, False]
    for each in (sent[2], sent[3], sent[5]):
        assert each["cookie"] is None and each["x-edition"] is None
        assert (each["user-agent"] or "").startswith("watcher-digests/0.1")
    assert all(len(request.names) == len(request.headers) for request in server.requests)


async def test_a_cookie_that_is_missing_or_no_header_is_named_and_nothing_is_sent(server, client, tmp_path):
    (tmp_path / "two").write_text("session=marked\r\nX-Other: 1")
    for name in ("none", "two"):
        options = RequestOptions(
            url=server.url("/f"), headers=(("Cookie", Secret(kind="file", name=str(tmp_path / name))),)
        )
        with pytest.raises(RequestRefused, match=name) as caught:
            await client.get(server.url("/f"), options=options)
        assert caught.value.reason.kind is FetchKind.SECRET_UNREADABLE and not caught.value.permanent
        assert "marked" not in str(caught.value)
    assert server.requests == []


async def test_a_proxy_gets_the_requests_of_its_source_and_resolves_their_names(
    server, client, make_answer, make_redirect, cookie
):
    proxy = f"http://127.0.0.1:{server.port}"
    options = RequestOptions(url="http://feed.invalid/f", headers=(("Cookie", cookie),), proxy=proxy)
    server.answers["http://feed.invalid/f"] = make_redirect(302, "http://other.invalid/g?a=%7Eb")
    server.answers["http://other.invalid/g"] = make_answer(b"feed")
    server.answers["http://other.invalid/page"] = make_answer(b"page")

    feed = await client.get("http://feed.invalid/f", options=options)
    page = await client.get_same_host("http://other.invalid/page", options=options)

    assert isinstance(feed, Response) and isinstance(page, Response)
    assert (feed.body, feed.url, page.body) == (b"feed", "http://other.invalid/g?a=%7Eb", b"page")
    assert [request.headers["host"] for request in server.requests] == ["feed.invalid", *["other.invalid"] * 2]
    assert [request.headers.get("cookie") for request in server.requests] == ["session=markedcookie", None, None]


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "localhost.", "x.localhost", "0x7f.2", "2130706433", "[::1]", "10.0.0.1"]
)
async def test_a_proxy_is_not_asked_for_private_addresses(server, client, make_redirect, host):
    options = RequestOptions(url="http://feed.invalid/f", proxy=f"http://127.0.0.1:{server.port}")
    server.answers["http://feed.invalid/f"] = make_redirect(302, f"http://{host}/admin")

    for url in (f"http://{host}/admin", "http://feed.invalid/f"):
        with pytest.raises(RequestRefused) as caught:
            await client.get(url, options=options)
        assert caught.value.reason.kind is FetchKind.PRIVATE_ADDRESS
    assert [request.target for request in server.requests] == ["http://feed.invalid/f"]


async def test_a_page_over_https_goes_through_the_proxy_as_a_tunnel(server, client, make_answer):
    options = RequestOptions(url="https://feed.invalid/f", proxy=f"http://127.0.0.1:{server.port}")
    server.answers["feed.invalid:443"] = make_answer(status="403 Forbidden")

    with pytest.raises(FetchError, match="403 Forbidden"):
        await client.get("https://feed.invalid/f", options=options)

    assert [request.target for request in server.requests] == ["feed.invalid:443"]


@pytest.mark.parametrize("url", ["http://feed.invalid/f", "https://feed.invalid/f"])
async def test_a_proxy_that_cannot_be_reached_is_named_and_its_host_is_not_blamed(client, url):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
        whys = {"nohost.invalid:3128": "the name nohost.invalid does not resolve", place: "connection refused"}

        for proxy, why in whys.items():
            with pytest.raises(Unreachable) as caught:
                await client.get(url, options=RequestOptions(url=url, proxy=f"http://{proxy}"))

            # A lookup may also fail because no DNS server answers.
            assert str(caught.value.reason).startswith(f"the proxy {proxy} cannot be reached ({why}")
            assert not caught.value.no_connection


async def test_a_proxy_that_takes_no_connection_in_time_is_named(monkeypatch):
    options = RequestOptions(url="http://feed.invalid/f", proxy="http://192.0.2.1:3128")

    async def never(*_: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(asyncio, "open_connection", never)
    async with Client(user_agent="Watcher/0", timeout_s=0.05) as client:
        with pytest.raises(FetchError) as caught:
            await client.get("http://feed.invalid/f", options=options)

    assert str(caught.value.reason) == "the proxy 192.0.2.1:3128 cannot be reached (no response within 0.05 s)"
    assert not caught.value.no_connection


async def test_a_proxy_without_connect_is_named_and_its_host_is_not_blamed(server, client, make_answer):
    options = RequestOptions(url="https://feed.invalid/f", proxy=f"http://127.0.0.1:{server.port}")
    server.answers["feed.invalid:443"] = make_answer(status="501 Not Implemented")

    with pytest.raises(Unreachable) as caught:
        await client.get("https://feed.invalid/f", options=options)

    assert (
        str(caught.value.reason)
        == f"the proxy 127.0.0.1:{server.port} cannot be reached (connection failed (501 Not Implemented))"
    )
    assert not caught.value.no_connection
