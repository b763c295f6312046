"""Search by meaning: which articles are nearest, what is looked up again, and that nothing leaves the machine."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from sqlalchemy import delete

from digests.errors import DigestError
from digests.stories.meaning import MeaningSearch, search_by_meaning
from watcher.features.embedders import load_embedder, unit_vectors
from watcher.settings.models import SemanticSettings, Settings
from watcher.store.features import set_vectors
from watcher.store.full_text import Filters
from watcher.store.schema import articles
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUBJECTS = {"rail": 0, "Bahn": 0, "chess": 1, "flood": 2}


class SubjectEmbedder:
    """The vector of a text is that of its subject, and a little of its own."""

    name = "subjects/1"

    def embed(self, texts):
        rows = np.random.default_rng(7).normal(size=(4, 128))
        own = [np.random.default_rng(len(text)).normal(size=128) for text in texts]
        subject = [next((at for word, at in SUBJECTS.items() if word in text), 3) for text in texts]
        return unit_vectors(rows[at] + 0.3 * each for at, each in zip(subject, own, strict=True))


@pytest.fixture
def press(engine, put):
    """Return a function that stores an article with its vector."""

    def store(outlet: str, text: str, at: datetime, **given) -> str:
        article = put(outlet, text, at, **given)
        vectors = {article.id: SubjectEmbedder().embed([text])[0]}
        write(engine, set_vectors, vectors, model=SubjectEmbedder.name)
        return article.id

    store("Alpha", "A strike stops all rail traffic.", NOW - 3 * HOUR)
    store("Beta", "Streik legt die Bahn lahm.", NOW - 2 * HOUR, language="de", country="DE")
    store("Gamma", "The chess club wins.", NOW - HOUR)
    return store


def find(engine, meaning: MeaningSearch, text: str, **given) -> list[str]:
    filters = Filters(**given)
    return [
        hit.outlet
        for hit in read(engine, partial(search_by_meaning, meaning=meaning, text=text, filters=filters, limit=5))
    ]


@pytest.fixture
def meaning() -> MeaningSearch:
    return MeaningSearch(Settings(), SubjectEmbedder())


def test_reports_in_any_language_are_found_and_others_are_not(engine, press, meaning):
    assert sorted(find(engine, meaning, "rail walkout")) == ["Alpha", "Beta"]
    assert find(engine, meaning, "flood") == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"language": "de"}, ["Beta"]),
        ({"country": "GB"}, ["Alpha"]),
        ({"outlet": "alpha"}, ["Alpha"]),
        ({"since": NOW - 2.5 * HOUR}, ["Beta"]),
        ({"until": NOW - 2.5 * HOUR}, ["Alpha"]),
    ],
)
def test_the_filters_of_a_search_hold_for_its_meaning_too(engine, press, meaning, given, found):
    assert find(engine, meaning, "rail walkout", **given) == found


def test_an_article_that_came_after_the_first_search_is_found(engine, press, meaning):
    find(engine, meaning, "rail walkout")

    press("Delta", "Another rail strike.", NOW)

    assert sorted(find(engine, meaning, "rail walkout")) == ["Alpha", "Beta", "Delta"]


def test_an_old_article_whose_vector_came_after_the_first_search_is_found(engine, press, meaning):
    find(engine, meaning, "rail walkout")

    press("Delta", "The rail strike of September.", NOW - 1_500 * HOUR)

    assert "Delta" in find(engine, meaning, "rail walkout")


def test_an_article_that_was_removed_after_the_first_search_is_not_found(engine, press, meaning):
    find(engine, meaning, "rail walkout")

    write(engine, lambda connection: connection.execute(delete(articles).where(articles.c.outlet == "Alpha")))

    assert find(engine, meaning, "rail walkout") == ["Beta"]


def test_hits_by_word_are_left_out(engine, press, meaning):
    known = {f"alpha-{NOW - 3 * HOUR:%d%H%M}"}
    ask = partial(search_by_meaning, meaning=meaning, text="rail walkout", filters=Filters(), limit=5, known=known)

    assert [hit.outlet for hit in read(engine, ask)] == ["Beta"]


def test_without_an_embedder_the_reason_is_told(engine, press):
    off = MeaningSearch(Settings(semantic=SemanticSettings(embedder="none")))

    assert "embedder" in off.why_off
    with pytest.raises(DigestError, match="no embedder"):
        find(engine, off, "rail walkout")


@pytest.mark.slow
def test_the_built_in_embedder_is_asked_without_a_socket(engine, put, monkeypatch):
    built_in = load_embedder("built-in")
    key = put("Alpha", "A strike stops all rail traffic in the north.", NOW).id
    write(engine, set_vectors, {key: built_in.embed(["A strike stops all rail traffic."])[0]}, model=built_in.name)

    def refuse(*_):
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert find(engine, MeaningSearch(Settings(semantic=SemanticSettings(embedder="built-in"))), "train walkout") == [
        "Alpha"
    ]
