"""`watcher demo` beside somebody's own files."""

from __future__ import annotations

import pytest

from digests import edition_json
from digests.cli.demo import DEMO_SETTINGS, _check_folder, _format_next_steps
from watcher.cli.main import run_command_line
from watcher.cli.options import closing_store
from watcher.store.engine import open_store
from watcher.store.features import embedder_name
from watcher.store.writer import read


@pytest.mark.parametrize("names", [("settings.toml",), ("watcher.db",), ("settings.toml", "watcher.db")])
def test_a_folder_with_a_watcher_of_ones_own_is_refused_and_left_as_it_is(tmp_path, capsys, names):
    for name in names:
        (tmp_path / name).write_text("# mine\n")

    assert run_command_line(["demo", "--directory", str(tmp_path)]) == 1

    assert f"this folder has a {names[0]} that is not from a demo" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(names, "# mine\n")


def test_a_place_that_is_a_file_is_refused_in_words(tmp_path, capsys):
    (tmp_path / "demo").write_text("mine")

    assert run_command_line(["demo", "--directory", str(tmp_path / "demo")]) == 1

    assert "the demo cannot use this folder" in capsys.readouterr().err


def test_a_new_folder_and_that_of_an_earlier_demo_are_taken(tmp_path):
    _check_folder(tmp_path / "new" / "folder")

    (tmp_path / "settings.toml").write_text(DEMO_SETTINGS + "\n[[sources]]\n")
    (tmp_path / "watcher.db").write_text("an old store")
    _check_folder(tmp_path)


@pytest.mark.slow
def test_the_demo_tells_only_what_an_english_reader_can_read_and_the_portuguese_story_in_translation(tmp_path, capsys):
    assert run_command_line(["demo", "--directory", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    with closing_store(open_store(f"sqlite:///{tmp_path / 'watcher.db'}")) as engine:
        assert read(engine, embedder_name, "built-in").startswith("use/"), "an embedder that only some have"
    code = run_command_line(["--config", str(tmp_path / "settings.toml"), "verify"])

    (path,) = tmp_path.glob("2*.json")
    edition = edition_json.load(path.read_bytes())
    translated = [story for story in edition.stories if story.translation]
    assert [s.title for s in edition.stories if not (s.translation or s.title_language == "en")] == []
    quoted = [each for story in edition.stories for each in (*story.summary, *story.updates)]
    assert [each.text for each in quoted if not (each.translation or each.language == "en")] == []
    assert "pt" in {story.title_language for story in translated}
    assert all(story.headline in told for story in translated)
    assert all(brief.language != "en" for brief in edition.briefs if brief.status == "foreign")
    counts = edition.ledger.counts
    assert len(edition.stories) + len(edition.briefs) <= counts["stories_shown"] + counts["briefs_shown"]
    assert (code, "all verbatim" in capsys.readouterr().out) == (0, True)


@pytest.mark.parametrize("stay", [False, True])
def test_the_demo_says_how_to_read_its_edition_and_how_to_follow_its_links(tmp_path, stay):
    lines = list(_format_next_steps(tmp_path, [tmp_path / "2026-03-10.md", tmp_path / "2026-03-10.html"], stay=stay))

    assert f"  file://{tmp_path}/2026-03-10.html" in lines
    assert any(line.endswith(f" web --config {tmp_path}/settings.toml") for line in lines)
    assert lines[-1].endswith("until you press Ctrl-C." if stay else f" demo --stay --directory {tmp_path}")
