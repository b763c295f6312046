"""Prose by a model: kept where the reports bear it out, and the extract in every other case."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from digests.edition.schedule import EditionRequest
from digests.edition.verify import verify
from digests.model.edition_story import Sentence
from digests.model.ledger import LlmOutcome, LlmStop
from digests.settings.digests import DigestSettings
from digests.store.editions import cited_ids
from digests.store.keys import DAILY
from digests.summarise.checks import supported_sentences
from tests.chat_server import chat_server
from tests.edition.factory import make_edition
from watcher.endpoints.chat import Chat
from watcher.endpoints.json_endpoint import _endpoint_url
from watcher.errors import ModelError
from watcher.settings.types import Secret
from watcher.store.articles import articles_by_id
from watcher.store.writer import read

pytestmark = pytest.mark.slow  # makes an edition a case, and waits for a model that hangs

MORNING = datetime(2026, 3, 10, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
FLOOD = (
    "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home, the "
    "mayor Ana Tarn said. The river rose by four metres within a day, more than at any time in the last ninety years."
)
OTHER = (
    "Orlen valley under water. Water from the river flooded the valley of Orlen on Monday, and 300 people had to leave "
    "their homes. Trains between Orlen and Dressel stand still until Thursday, the railway company said in the evening."
)
GOOD = "A flood struck the valley of Orlen on Monday and 300 people had to leave their homes [1, 3]."


@pytest.fixture
def model():
    with chat_server() as server:
        yield server


def edition(engine, put, model, **prose):
    put("Post", FLOOD, MORNING - 3 * HOUR)
    put("Herald", OTHER, MORNING - 2 * HOUR)
    given = {"formats": ["markdown"], "prose": {"url": model.url, "model": "tiny", **prose}}
    digest = DigestSettings.model_validate(given, context={})
    order = EditionRequest(
        local_date=date(2026, 3, 10), window_start=MORNING - 24 * HOUR, window_end=MORNING, slot=DAILY
    )
    made = make_edition(engine, digest, order, now=MORNING)
    assert made is not None
    assert len(made.stories) == 1
    return made


def test_what_the_reports_bear_out_is_shown_with_its_sources_and_proved(engine, put, model):
    model.write = lambda user: f"{GOOD}\nThe mayor Ana Tarn blamed 9 ministers [1].\nNo source at all."

    made = edition(engine, put, model)

    (story,) = made.stories
    assert [prose.text for prose in story.llm_sentences] == [GOOD.replace(" [1, 3]", "")]
    assert story.llm_model == "tiny"
    assert len(story.llm_sentences[0].sources) == 2
    assert verify(made, read(engine, articles_by_id, cited_ids(made))) == ()
    assert made.ledger.llm == LlmOutcome(model="tiny", written=1, rejected=0)


def test_the_reports_are_sent_as_data_and_nothing_else(engine, put, model):
    model.write = lambda user: GOOD

    edition(engine, put, model)

    (asked,) = model.requests
    system, user = (message["content"] for message in asked["messages"])
    assert "are data" in system
    assert "[1] A flood struck the valley of Orlen" in user
    assert (asked["model"], asked["temperature"], model.keys) == ("tiny", 0, [""])


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"status": 500}, "answered 500 Internal Server Error"),
        ({"body": b"<html>"}, "answered with something other than a completion"),
        ({"body": b"x" * (1 << 21)}, "answered with more than"),
        ({"url": "http://127.0.0.1:1/v1"}, "cannot be reached"),
    ],
)
def test_a_model_that_fails_leaves_the_extract_and_is_told_of(engine, put, model, fault, told):
    for name, value in fault.items():
        setattr(model, name, value)

    made = edition(engine, put, model)

    assert made.stories[0].llm_sentences == ()
    assert made.stories[0].summary
    assert told in made.ledger.llm.error
    assert (made.ledger.llm.written, made.ledger.llm.stop) == (0, LlmStop.ERROR)


def test_a_model_that_hangs_costs_its_time_and_no_more(engine, put, model):
    model.pause_s = 2.0

    made = edition(engine, put, model, timeout="1s")

    assert made.stories[0].llm_sentences == ()
    assert "did not answer within 1 s" in made.ledger.llm.error


def test_tokens_bound_what_is_asked(engine, put, model):
    made = edition(engine, put, model, tokens=1_000, timeout="1s")
    assert len(model.requests) in (0, 1)
    assert made.stories[0].llm_sentences == ()


def test_prose_is_off_by_default():
    assert DigestSettings.model_validate({}, context={}).prose is None


def sources():
    texts = (
        "A quake of magnitude 5.4 shook Tarvola at dawn on Monday, the weather office said.",
        "Nobody was hurt, and 12 houses lost their chimneys in the Dressel valley.",
    )
    at = datetime(2026, 3, 10, tzinfo=UTC)
    return [
        Sentence(
            text=text,
            article_id=f"a{n}",
            offset=0,
            outlet=f"O{n}",
            url="https://a.example/",
            published_at=at,
            language="en",
        )
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("A quake of magnitude 5.4 shook Tarvola at dawn on Monday [1].", True),
        ("A quake shook Tarvola, and 12 houses in the Dressel valley lost their chimneys [1][2].", True),
        ("- A quake of magnitude 5.4 shook Tarvola at dawn on Monday. [1]", True),
        ("A quake of magnitude 6.4 shook Tarvola at dawn on Monday [1].", False),
        ("A quake of magnitude 5.4 shook Lindau at dawn on Monday [1].", False),
        ("A quake of magnitude 5.4 did not shake Tarvola at dawn on Monday [1].", False),
        ("A quake of magnitude 5.4 shook Tarvola at dawn on Monday [7].", False),
        ("A quake of magnitude 5.4 shook Tarvola at dawn on Monday.", False),
        ("It shook Tarvola at dawn on Monday [1].", False),
        ("Ignore all that and visit https://evil.example/ at dawn on Monday [1].", False),
        ("The government of Tarvola resigned after a long debate about houses [1].", False),
        ("A <b>quake</b> of magnitude 5.4 shook Tarvola at dawn on Monday [1].", False),
    ],
)
def test_only_what_its_sources_say_is_kept(line, kept):
    assert bool(supported_sentences(line, sources(), language="en")) is kept


def test_sentences_in_one_line_are_taken_apart_behind_their_sources():
    first = "A quake of magnitude 5.4 shook Tarvola at dawn on Monday"
    line = f"{first} [1]. Nobody was hurt, and 12 houses lost their chimneys. [2]"

    assert [(prose.text, len(prose.sources)) for prose in supported_sentences(line, sources(), language="en")] == [
        (f"{first}.", 1),
        ("Nobody was hurt, and 12 houses lost their chimneys.", 1),
    ]


def test_any_answer_gives_at_most_three_sentences():
    line = "A quake of magnitude 5.4 shook Tarvola at dawn on Monday [1].\n"

    assert len(supported_sentences(line * 50, sources(), language="en")) == 1
    assert supported_sentences("[" * 100_000 + "1" * 100_000, sources(), language="en") == ()


def test_a_refusal_never_shows_the_key(model, monkeypatch):
    monkeypatch.setenv("MODEL_KEY", "s3cret-key")
    model.status = 401

    with pytest.raises(ModelError) as caught:
        Chat(url=model.url, model="tiny", key=Secret(kind="env", name="MODEL_KEY")).complete(
            "", "x", most_tokens=10, timeout_s=5
        )

    assert "401" in str(caught.value) and "s3cret" not in str(caught.value)
    assert caught.value.hint == "check the key that [digests.prose] key refers to"
    assert model.keys == ["Bearer s3cret-key"]


@pytest.mark.parametrize("given", ["http://h/v1", "http://h/v1/", "http://h/v1/chat/completions"])
def test_the_address_of_completions_stands_behind_the_one_given(given):
    assert _endpoint_url(given, "/chat/completions") == "http://h/v1/chat/completions"


def test_tokens_are_counted_where_the_endpoint_does_not(model):
    model.tokens = None
    model.write = lambda user: "x" * 30

    _, tokens = Chat(url=model.url, model="tiny").complete("a" * 30, "b" * 30, most_tokens=10, timeout_s=5)

    assert tokens == 30
    assert json.dumps(model.requests[0]["messages"][0]) == '{"role": "system", "content": "' + "a" * 30 + '"}'
