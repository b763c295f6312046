"""What a web address is sent, and what its answers mean."""

from __future__ import annotations

import json

import pytest

from digests.delivery.webhook import WebhookChannel
from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered
from tests.delivery.hook import listening


@pytest.fixture
def hook():
    with listening() as hook:
        yield hook


def parcel(body: bytes = b'{"title":"News"}', shape: str = "json") -> OutboundMessage:
    form = Rendered(format=shape, name="2025-03-14.json", body=body)
    return OutboundMessage(channel="webhook", recipient="hook", forms=(form,))


def fault(hook, path: str = "/x", **settings) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        WebhookChannel(hook.url(path), name="hook", **settings).send(parcel(), before_commit=lambda: None)
    return caught.value


def test_a_post_is_json_with_its_token(hook):
    WebhookChannel(hook.url("/x?y=1"), name="hook", token="abc").send(parcel(), before_commit=lambda: None)

    (post,) = hook.posts
    assert (post.path, post.body) == ("/x?y=1", b'{"title":"News"}')
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize("path", ["/world-digest", "/world-digest/", "/world-digest?auth=abc"])
def test_the_topic_of_ntfy_goes_from_the_address_into_the_message(hook, path):
    WebhookChannel(hook.url(path), name="hook").send(parcel(shape="ntfy"), before_commit=lambda: None)

    (post,) = hook.posts
    assert post.path == "/"
    assert json.loads(post.body) == {"topic": "world-digest", "title": "News"}


@pytest.mark.parametrize(
    ("status", "permanent", "maybe_arrived"),
    [
        (400, True, False),
        (401, True, False),
        (404, True, False),
        (410, True, False),
        (302, True, False),
        (408, False, False),
        (429, False, False),
        (500, False, False),
        (503, False, False),
        (502, False, True),
        (504, False, True),
    ],
)
def test_an_answer_says_whether_to_come_back(hook, status, permanent, maybe_arrived):
    hook.answer = (status, {"Location": "http://127.0.0.1:1/"}, b"words")

    error = fault(hook)

    assert (error.permanent, error.maybe_arrived) == (permanent, maybe_arrived)
    assert f"answered {status}" in str(error)
    assert len(hook.posts) == 1


def test_retry_after_is_heard(hook):
    hook.answer = (429, {"Retry-After": "1800"}, b'{"retry_after": 1800}')

    assert fault(hook).retry_after_s == 1800


def test_an_address_where_nobody_listens_is_known_not_to_have_it(hook):
    noted: list[str] = []
    channel = WebhookChannel("http://127.0.0.1:9/x", name="hook")

    with pytest.raises(DeliveryError, match="cannot be reached") as caught:
        channel.send(parcel(), before_commit=lambda: noted.append("brink"))

    assert (noted, caught.value.permanent, caught.value.maybe_arrived) == ([], False, False)


def test_without_an_answer_nobody_can_know(hook):
    hook.hangs = True

    error = fault(hook, timeout_s=0.3)

    assert (error.permanent, error.maybe_arrived) == (False, True)
    assert "no answer in time" in str(error)


def test_an_answer_without_an_end_is_not_waited_for(hook):
    hook.answer = (200, {}, b"x" * 2_500_000)

    said = WebhookChannel(hook.url("/x"), name="hook").send(parcel(), before_commit=lambda: None)

    assert len(said) < 300
