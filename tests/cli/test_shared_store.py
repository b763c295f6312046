"""Two settings files over one store: no command that writes for the second goes unasked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.store.daemon_lock import hold_daemon_lock
from watcher.store.engine import open_store
from watcher.store.feeds import claim_store, feed_states, sync_sources
from watcher.store.writer import read, write

from .test_status import NOW


@pytest.fixture
def files(tmp_path):
    """Return two settings files with one store, which has served the first; each has a source of its own."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    paths = [tmp_path / name / "settings.toml" for name in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        source = f'[[sources]]\nurl = "https://{path.parent.name}.example/feed"\nenabled = false\n'
        path.write_text(f'[store]\nurl = "{url}"\n[semantic]\nembedder = "none"\n{source}', encoding="utf-8")
    settings = load_settings_file(paths[0])
    engine = open_store(url)
    claim_store(engine, settings, take_over=False)
    write(engine, sync_sources, [row.source() for row in settings.sources], now=NOW)
    yield *paths, engine
    engine.dispose()


@pytest.mark.parametrize(
    "command", [["poll"], ["run"], ["run", "--once"], ["digest"], ["digest", "--send"], ["web"]], ids=" ".join
)
def test_a_command_for_another_file_says_so_and_changes_nothing(files, command, capsys):
    a, b, engine = files

    assert run_command_line([*command, "--config", str(b)]) == 2

    said = capsys.readouterr().err
    assert f"was last used with {a}: the sources of {b}" in said
    assert 'try: use another store for this file, such as [store] url = "sqlite:///watcher.db"; --yes' in said
    assert [state.feed.source.url for state in read(engine, feed_states)] == ["https://a.example/feed"]


def test_an_edition_that_is_only_printed_needs_no_claim_and_changes_no_source(files, capsys):
    _, b, engine = files

    assert run_command_line(["digest", "--stdout", "--config", str(b)]) == 3  # the store has no articles

    out, err = capsys.readouterr()
    assert "World Digest" in out and "last used with" not in err
    assert [state.feed.source.url for state in read(engine, feed_states)] == ["https://a.example/feed"]


def test_with_yes_the_store_serves_the_other_file_from_then_on(files, capsys):
    a, b, engine = files

    assert run_command_line(["poll", "--yes", "--config", str(b)]) == 0
    assert run_command_line(["poll", "--config", str(b)]) == 0
    assert read(engine, feed_states) == ()
    assert run_command_line(["poll", "--config", str(a)]) == 2
    assert f"was last used with {b}" in capsys.readouterr().err


def test_the_status_says_that_the_store_last_served_another_file(files, capsys):
    a, b, _ = files

    assert run_command_line(["status", "--config", str(b)]) == 0
    assert f"it was last used with other settings: {a}" in capsys.readouterr().out
    assert run_command_line(["status", "--config", str(a)]) == 0
    assert "last used with" not in capsys.readouterr().out
    assert run_command_line(["status", "--json", "--config", str(b)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["settings"], told["last_served"]) == (str(b), str(a))


def test_each_starter_file_names_a_store_of_its_own(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert run_command_line(["init", str(tmp_path / name)]) == 0

    urls = [load_settings_file(tmp_path / name / "settings.toml").store.url for name in ("a", "b")]

    assert urls == [f"sqlite:///{tmp_path / name / 'watcher.db'}" for name in ("a", "b")]


def test_the_site_beside_a_daemon_is_the_daemons(tmp_path, capsys):
    path = tmp_path / "settings.toml"
    path.write_text('[store]\nurl = "sqlite:///watcher.db"\n')
    engine = open_store(load_settings_file(path).store.url)
    with hold_daemon_lock(engine, now=datetime.now(UTC)):
        code = run_command_line(["web", "--config", str(path)])
    engine.dispose()

    assert code == 1
    assert "the daemon serves the site already: http://127.0.0.1:8420/" in capsys.readouterr().err
