"""`watcher digest`: editions on demand, from a store with a few articles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.kinds import on
from watcher.cli.main import run_command_line

FLOOD = "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home."
SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "{embedder}"
[[digests]]
name = "world"
formats = ["text"]
"""


@pytest.fixture
def digest(tmp_path, store_url, engine):
    """Return a function that runs `watcher digest` on the store of `put`."""

    def call(*arguments: str, embedder: str = "none", sources: tuple[str, ...] = ()) -> int:
        path = tmp_path / "settings.toml"
        rows = "".join(f'[[sources]]\nurl = "https://{name}.example/feed"\n' for name in sources)
        path.write_text(on(store_url, SETTINGS.format(embedder=embedder) + rows))
        return run_command_line(["digest", *arguments, "--config", str(path)])

    return call


def now() -> datetime:
    return datetime.now(UTC)


def test_a_date_to_come_is_refused(digest, capsys, tmp_path):
    assert digest("--date", (now() + timedelta(days=2)).date().isoformat()) == 2

    assert "is in the future" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_first_edition_of_a_date_has_its_plain_name_and_a_further_one_the_time(digest, put, tmp_path):
    put("Herald", FLOOD, now() - timedelta(hours=2))

    assert digest() == 0
    assert digest() == 0

    plain, timed = sorted((p.name for p in (tmp_path / "out").iterdir()), key=len)
    assert len(timed) == len(plain) + len("-063000")


@pytest.mark.slow
def test_without_its_embedder_an_edition_is_made_with_a_warning(digest, put, capsys):
    put("Herald", FLOOD, now() - timedelta(hours=2))

    assert digest("--json", embedder="no_such_module:Embedder") == 0

    told = capsys.readouterr()
    assert "stories may not join reports in different languages" in told.err
    assert "no_such_module" in told.err
    assert json.loads(told.out)[0]["articles"] == 1


@pytest.mark.slow
def test_vectors_are_made_anew_for_an_edition_when_the_embedder_is_another(digest, put, engine, capsys):
    put("Herald", FLOOD, now() - timedelta(hours=2))
    assert digest(embedder="tests.features.fake_models:Words") == 0
    assert digest(embedder="tests.features.fake_models:Newer") == 0

    assert capsys.readouterr().err == ""
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select vector_model from features").scalars().all() == ["words/2"]


def test_what_no_edition_can_look_at_is_not_embedded(digest, put, capsys):
    put("Herald", FLOOD, now() - timedelta(days=30))

    assert digest(embedder="no_such_module:Embedder") == 3  # it is not even loaded

    assert "no_such_module" not in capsys.readouterr().err


def test_until_is_a_time_of_the_date_that_is_asked_for(digest, capsys):
    yesterday = (now() - timedelta(days=1)).date()

    assert digest("--date", str(yesterday), "--since", "6h", "--until", "02:00", "--stdout", "--json") == 3

    edition = json.loads(capsys.readouterr().out)["edition"]
    assert edition["local_date"] == str(yesterday)
    assert edition["window_end"].startswith(f"{yesterday}T02:00")
    assert edition["ledger"]["longer_window"] is False


@pytest.mark.parametrize("until", ["noon", "0001-01-01T00:00+23:59"])
def test_until_that_is_no_time_is_refused_in_words(digest, capsys, until):
    assert digest("--until", until) == 2

    assert f"got '{until}', expected a local time such as 06:30" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("mode", [(), ("--stdout",), ("--preview",), ("--send",), ("--json",)])
def test_an_empty_store_is_named_and_ends_with_3(digest, engine, capsys, mode):
    assert digest(*mode) == 3

    assert "no. 1, " in (told := capsys.readouterr().err)
    assert "the store has no articles yet; to read the sources, use watcher poll or watcher run" in told


def test_a_window_in_which_no_source_was_read_is_named(digest, put, capsys):
    put("Herald", FLOOD, now() - timedelta(days=30))

    assert digest() == 3

    assert "no source was read in its window" in capsys.readouterr().err


def test_a_source_that_was_added_since_the_last_poll_is_counted_as_not_read(digest, put, tmp_path, capsys):
    put("Herald", FLOOD, now() - timedelta(hours=2))
    digest("--stdout", "--json", sources=("herald",))
    capsys.readouterr()

    digest("--stdout", "--json", sources=("herald", "courier"))

    ledger = json.loads(capsys.readouterr().out)["edition"]["ledger"]
    assert (ledger["sources_total"], ledger["sources_unread"], ledger["sources_ok"]) == (2, 2, 0)
