"""`watcher search`: hits in two or three lines, or JSON, with the story that each is in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete

from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY
from tests.edition.factory import make_edition
from tests.kinds import on
from watcher.cli.main import run_command_line
from watcher.features.embedders import load_embedder
from watcher.store.features import EmbedderState, record_embedder, set_vectors
from watcher.store.schema import sketches
from watcher.store.search import rebuild_index
from watcher.store.writer import write

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
SETTINGS = '[store]\nurl = "sqlite:///watcher.db"\n[[digests]]\nname = "world"\ntimezone = "Asia/Tokyo"\n'
BUILT_IN = '[semantic]\nembedder = "built-in"\n'


@pytest.fixture
def search(tmp_path, store_url, engine, put, capsys):
    """Return a function that searches a store of two articles on one event and one that is apart."""
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS) + BUILT_IN)
    quake = "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola, mayor Henrik Oster said. {}"
    put("Alpha", quake.format("Nobody was hurt."), MORNING - timedelta(hours=3))
    put("Beta", quake.format("Schools are closed."), MORNING - timedelta(hours=2))
    put("Gamma", "Chess club wins. The club of Brindle won the cup.", MORNING - timedelta(hours=1))

    def call(*arguments: str):
        code = run_command_line(["search", *arguments, "--config", str(path)])
        return code, *capsys.readouterr()

    return call


def test_hits_are_told_in_three_lines_with_the_readers_time(search):
    code, told, _ = search("mayor", "oster", "--limit", "1")

    assert code == 0
    assert told.splitlines() == [
        "2026-11-24 13:30  Beta (en): Quake shakes Tarvola",
        "  https://beta.example/beta-240430",
        "  Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola, mayor Henrik Oster said. Schools are closed.",
        "there are more; use --limit and --offset to see them",
    ]


@pytest.mark.slow
def test_with_meaning_what_has_other_words_follows_and_without_an_embedder_the_reason_is_told(
    search, engine, tmp_path, store_url
):
    built_in = load_embedder("built-in")
    keys = [f"{name}-{MORNING - timedelta(hours=hours):%d%H%M}" for name, hours in (("alpha", 3), ("beta", 2))]
    vectors = dict(zip(keys, built_in.embed(["Quake shakes Tarvola."] * 2), strict=True))
    write(engine, set_vectors, vectors, model=built_in.name)
    write(engine, record_embedder, EmbedderState(setting="built-in", name=built_in.name))
    write(engine, lambda connection: connection.execute(delete(sketches)))  # as in a store older than they are

    code, told, _ = search("earthquake", "--meaning", "--json")
    answer = json.loads(told)
    (tmp_path / "settings.toml").write_text(on(store_url, SETTINGS) + '[semantic]\nembedder = "none"\n')
    without = search("earthquake", "--meaning")

    assert (code, answer["hits"]) == (0, [])
    assert [hit["outlet"] for hit in answer["by_meaning"]] == ["Alpha", "Beta"]
    assert without[0] == 1 and "the settings have no embedder" in without[2]


def test_a_hit_names_the_story_that_it_is_in(search, engine):
    world = DigestSettings.model_validate({"name": "world"}, context={})
    order = EditionRequest(
        local_date=date(2026, 11, 24), window_start=MORNING - timedelta(days=1), window_end=MORNING, slot=DAILY
    )
    made = make_edition(engine, world, order, now=MORNING)

    code, told, _ = search("tarvola", "--json")

    hits = json.loads(told)["hits"]
    assert (code, [hit["outlet"] for hit in hits]) == (0, ["Beta", "Alpha"])
    assert {hit["story"] for hit in hits} == {made.stories[0].id}
    assert hits[0]["snippet"][slice(*hits[0]["marks"][0])] == "Tarvola"


def test_times_are_read_as_ages_and_as_dates_of_the_reader(search):
    both = [json.loads(search("quake", f"--{end}", "2026-11-24T13:00", "--json")[1]) for end in ("since", "until")]

    assert [[hit["outlet"] for hit in found["hits"]] for found in both] == [["Beta"], ["Alpha"]]
    assert search("quake", "--since", "yesterday")[0] == 2


def test_nothing_found_is_said_and_is_exit_code_1(search):
    assert search("submarine")[:2] == (1, "no articles found\n")


def test_a_query_without_a_word_is_a_usage_error(search):
    code, _, error = search("...")

    assert code == 2
    assert "expected a word" in error


def test_a_store_whose_index_is_empty_is_indexed_on_the_way(search, engine):
    write(engine, rebuild_index)

    assert len(json.loads(search("quake", "--json")[1])["hits"]) == 2


@pytest.mark.parametrize(
    ("language", "code"), [("en", 0), ("English", 0), ("英語", 2), ("japanese", 1), ("Klingonese", 2)]
)
def test_a_language_is_named_by_its_tag_or_its_name(language, code, search):
    found, _, error = search("tarvola", "--language", language)

    assert found == code
    assert ('expected a language such as "fr" or "French"' in error) == (code == 2)
