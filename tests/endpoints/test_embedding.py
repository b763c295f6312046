"""The endpoint: what it is asked, and each of its faults a clear error."""

from __future__ import annotations

import json
import math
import pickle
from datetime import timedelta

import pytest

from tests.embedding_server import embedding_server, error, good
from watcher.endpoints.embedding import LONGEST_PAUSE_S, EndpointEmbedder
from watcher.endpoints.json_endpoint import _endpoint_url
from watcher.errors import EmbedderError, WatcherError
from watcher.settings.models import EndpointSettings
from watcher.settings.types import Secret

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all


@pytest.fixture
def server():
    with embedding_server() as made:
        yield made


@pytest.fixture
def ask(server):
    """Return a function that embeds three texts; the pauses that it made stand in `ask.pauses`."""

    def asking(texts=("one", "two words", "three"), **options):
        embedder = EndpointEmbedder(
            EndpointSettings(**{"url": server.url, "model": "words", "timeout": "5s"} | options),
            sleep=asking.pauses.append,
        )
        return embedder.embed(texts)

    asking.pauses = []
    return asking


def test_it_is_asked_for_its_model_in_bounded_batches(server, ask):
    vectors = ask([f"text {n}" for n in range(7)], batch=3)

    assert [len(asked["input"]) for asked in server.requests] == [3, 3, 1]
    assert server.paths == ["/v1/embeddings"] * 3
    assert {asked["model"] for asked in server.requests} == {"words"}
    assert all("dimensions" not in asked for asked in server.requests)
    assert len(vectors) == 7


def test_dimensions_are_asked_for_and_part_of_the_name(server, ask):
    vectors = ask(dimensions=8)

    assert [asked["dimensions"] for asked in server.requests] == [8]
    assert {len(vector) for vector in vectors} == {16}
    assert EndpointEmbedder(EndpointSettings(url=server.url, model="words")).name == "endpoint/words"
    assert EndpointEmbedder(EndpointSettings(url=server.url, model="words", dimensions=8)).name == "endpoint/words/8"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://h/v1", "http://h/v1/embeddings"),
        ("http://h/v1/", "http://h/v1/embeddings"),
        ("http://h/v1/embeddings", "http://h/v1/embeddings"),
        ("https://h/x/y?api-version=2", "https://h/x/y/embeddings?api-version=2"),
        ("http://h", "http://h/embeddings"),
    ],
)
def test_the_address_ends_in_embeddings(url, asked):
    assert _endpoint_url(url, "/embeddings") == asked


def test_the_key_comes_from_its_place_and_is_shown_nowhere(server, ask, monkeypatch):
    server.key = "right"
    monkeypatch.setenv("KEY", "right")
    assert len(ask(key=Secret(kind="env", name="KEY"))) == 3

    monkeypatch.setenv("KEY", "sk-wrong-and-secret")
    with pytest.raises(EmbedderError, match="401 Unauthorized") as caught:
        ask(key=Secret(kind="env", name="KEY"))

    assert caught.value.permanent
    assert caught.value.hint == "check the key that [semantic.endpoint] key refers to"
    assert "sk-wrong" not in str(caught.value)
    assert ask.pauses == []


def test_a_key_that_is_not_there_or_no_key_at_all_is_named(ask, monkeypatch):
    monkeypatch.delenv("KEY", raising=False)
    with pytest.raises(WatcherError, match="env:KEY is empty or not set"):
        ask(key=Secret(kind="env", name="KEY"))

    monkeypatch.setenv("KEY", "two\nlines")
    with pytest.raises(EmbedderError, match="env:KEY") as caught:
        ask(key=Secret(kind="env", name="KEY"))
    assert "lines" not in str(caught.value)


def test_a_short_retry_after_is_waited_for(server, ask):
    server.faults = [lambda asked: error(429, "slow down", Retry_After="7")]

    assert len(ask()) == 3
    assert ask.pauses == [7.0]


def test_a_long_retry_after_is_left_to_the_caller(server, ask):
    server.always = lambda asked: error(429, "come back later", Retry_After="600")

    with pytest.raises(EmbedderError, match="429 Too Many Requests: come back later") as caught:
        ask()

    assert caught.value.retry_after_s == 600 > LONGEST_PAUSE_S
    assert not caught.value.permanent
    assert (len(server.requests), ask.pauses) == (1, [])


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_what_may_pass_is_asked_again_and_then_told(server, ask, status):
    server.faults = [lambda asked: error(status)] * 2
    assert len(ask()) == 3
    assert ask.pauses == [1.0, 5.0]

    server.always = lambda asked: error(status, "out of order")
    with pytest.raises(EmbedderError, match=f"{status} .*: out of order"):
        ask()


def test_a_slow_answer_is_given_up(server, ask):
    server.pause_s = 0.5

    with pytest.raises(EmbedderError, match=r"did not answer within 0\.1 s"):
        ask(timeout=timedelta(seconds=0.1))


def test_a_host_that_is_not_there_is_named(ask):
    with pytest.raises(EmbedderError, match=r"127\.0\.0\.1:9 cannot be reached"):
        ask(url="http://127.0.0.1:9/v1")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_of_the_texts_says_so(server, ask, status):
    server.always = lambda asked: error(status, "input too long")

    with pytest.raises(EmbedderError, match=f"{status} .*: input too long") as caught:
        ask()

    assert caught.value.caused_by_input
    assert len(server.requests) == 1


def test_an_unknown_model_says_what_to_look_at(server, ask):
    server.always = lambda asked: error(404, "model not found")

    with pytest.raises(EmbedderError, match="404 Not Found: model not found") as caught:
        ask()

    assert (caught.value.permanent, caught.value.hint) == (True, "check [semantic.endpoint] url and model")


def test_a_redirect_is_not_followed(server, ask):
    server.always = lambda asked: (307, {"Location": "http://127.0.0.1:9/elsewhere"}, b"")

    with pytest.raises(EmbedderError, match="307 Temporary Redirect"):
        ask()


def raw(value) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, value if isinstance(value, bytes) else json.dumps(value).encode()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (good([[1.0, 0.0]] * 2), "2 vectors for 3 texts"),
        (good([[1.0, 0.0]] * 4), "4 vectors for 3 texts"),
        (good([[1.0], [1.0], [math.nan]]), "NaN"),
        (good([[1.0], [1.0], [None]]), "NaN"),
        (good([[1.0], [1.0], [0.0]]), "zeros"),
        (good([[1.0], [1.0], "AACAPw=="]), "cannot be used"),
        (good([[1.0, 2.0], [1.0, 2.0], [1.0]]), "answered with 2 dimensions, expected 1|answered with 1 dimensions"),
        (raw(b"<html>Welcome</html>"), "something other than embeddings"),
        (raw(b""), "something other than embeddings"),
        (raw(b"[" * 100_000), "something other than embeddings"),
        (raw({"data": None}), "something other than embeddings"),
        (raw({"data": [{"index": 0}] * 3}), "something other than embeddings"),
        (raw({"data": [{"index": 0, "embedding": [1.0]}] * 3}), "indexes"),
        (raw({"data": [{"index": "x", "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]}), "something other"),
        (raw({"embeddings": [[1.0]] * 3}), "something other than embeddings"),
        (raw(b" " * 3_000_000), "more than 1835008 bytes"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(server, ask, answer, words):
    server.always = lambda asked: answer

    with pytest.raises(EmbedderError, match=words):
        ask()


def test_other_dimensions_than_asked_for_are_no_vectors(server, ask):
    server.always = lambda asked: good([[1.0, 2.0, 3.0]] * 3)

    with pytest.raises(EmbedderError, match="answered with 3 dimensions, expected 8") as caught:
        ask(dimensions=8)

    assert caught.value.permanent
    assert "dimensions" in caught.value.hint


def test_its_errors_pass_between_processes():
    error_ = EmbedderError("no", retry_after_s=5.0, caused_by_input=True)
    error_.hint = "try"

    again = pickle.loads(pickle.dumps(error_))

    assert (str(again), again.retry_after_s, again.caused_by_input, again.permanent, again.hint) == (
        "no",
        5.0,
        True,
        False,
        "try",
    )
