"""A POST to an address of the user's own choice: one deadline for all of it, whatever the other side does."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from tests.dripping_server import dripping_server
from tests.patience import PATIENCE_S
from watcher.endpoints.chat import Chat
from watcher.endpoints.embedding import EndpointEmbedder
from watcher.errors import EmbedderError, FetchError, ModelError, TimedOut
from watcher.net.post import HttpPost
from watcher.settings.models import EndpointSettings

DRIPS = {
    "status line": b"HTTP/1.1 20",
    "headers": b"HTTP/1.1 200 OK\r\nX-Padding: ",
    "hints": b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Padding: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
}


@pytest.fixture(params=DRIPS.values(), ids=DRIPS)
def dripping(request):
    with dripping_server(request.param) as url:
        yield url


@pytest.mark.slow
def test_a_model_that_drips_is_given_up_in_time(dripping):
    with pytest.raises(ModelError, match=r"did not answer within 0\.5 s"):
        Chat(url=dripping, model="tiny").complete("", "x", most_tokens=10, timeout_s=0.5)


@pytest.mark.slow
def test_an_embedder_that_drips_is_given_up_in_time(dripping):
    embedder = EndpointEmbedder(
        EndpointSettings(url=dripping, model="words", timeout=timedelta(seconds=0.5)), sleep=lambda pause_s: None
    )

    with pytest.raises(EmbedderError, match=r"did not answer within 0\.5 s"):
        embedder.embed(["one"])


def post_to(url: str, **bounds) -> HttpPost:
    return HttpPost(**{"url": url, "body": b"{}", "deadline_s": 5.0, "timeout_s": 5.0} | bounds)


@pytest.mark.slow
def test_where_the_status_is_all_that_counts_a_body_that_drips_costs_no_more_than_its_beginning():
    with dripping_server(DRIPS["body"]) as url:
        response = post_to(url, deadline_s=0.5).run()

    assert (response.status, response.body[:1]) == (200, b"x")


def test_what_is_broken_off_ends_at_once():
    with dripping_server(DRIPS["headers"]) as url:
        post = post_to(url, deadline_s=PATIENCE_S, timeout_s=PATIENCE_S)
        threading.Timer(0.2, post.abort).start()

        with pytest.raises(FetchError, match="cancelled"):
            post.run()


def test_what_is_broken_off_before_it_begins_sends_nothing():
    sent = []
    with dripping_server(b"") as url:
        post = post_to(url, before_send=lambda: sent.append(1))
        post.abort()

        with pytest.raises(FetchError, match="cancelled"):
            post.run()

    assert sent == []


def test_a_name_server_that_hangs_meets_the_deadline(monkeypatch):
    """The resolver blocks a thread, which nothing can end: what waits for it is ended."""
    over = threading.Event()
    monkeypatch.setattr("watcher.net.address_guard.resolve_name", lambda host, port: over.wait(PATIENCE_S) and [])
    started = time.monotonic()

    with pytest.raises(TimedOut):
        post_to("http://slow.example/", deadline_s=0.3).run()

    over.set()
    assert time.monotonic() - started < PATIENCE_S


async def test_the_password_in_a_url_is_sent_as_such(server, make_answer):
    server.answers["/hook"] = make_answer(b"", "204 No Content")
    url = server.url("/hook").replace("://", "://me:a%40b@")

    response = await asyncio.to_thread(post_to(url).run)

    assert response.status == 204
    assert server.requests[0].headers["authorization"] == "Basic bWU6YUBi"


async def test_a_redirect_is_a_status_even_if_nobody_can_read_its_target(server, make_redirect):
    server.answers["/hook"] = make_redirect(302, "http://xn--i-7iq.example/b")

    response = await asyncio.to_thread(post_to(server.url("/hook")).run)

    assert response.status == 302
    assert len(server.requests) == 1
