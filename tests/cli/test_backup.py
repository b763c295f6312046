"""`watcher backup`, `restore` and `check --deep`: what they say, and how they end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zlib
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url, text

from digests.store.editions import open_digests
from tests.kinds import on_postgresql, on_sqlite
from tests.postgres import programs
from tests.tools import add_article
from watcher.cli.main import run_command_line
from watcher.model import Article, PackedFeatures
from watcher.store.daemon_lock import hold_daemon_lock
from watcher.store.full_text import full_text_index
from watcher.store.search import index_missing
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def watcher(tmp_path, store_url, capsys):
    (tmp_path / "settings.toml").write_text(f'[store]\nurl = "{store_url}"\n')

    def call(*arguments: str):
        code = run_command_line([*arguments, "--config", str(tmp_path / "settings.toml")])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def engine(store_url):
    engine = open_digests(store_url)
    for key in "ab":
        article = Article(
            id=key, url=f"https://n.example/{key}", host="n.example", outlet="N", title="Quake shakes Tarvola",
            text="A quake shook Tarvola.", language="en", country="GB", published_at=NOON, fetched_at=NOON,
        )  # fmt: skip
        packed = PackedFeatures(version="0", payload=b"")
        write(engine, lambda c, one=article, p=packed: add_article(c, one, feed_id=1, packed=p, block_hashes=()))
    yield engine
    engine.dispose()


@on_sqlite
def test_a_backup_goes_into_a_folder_under_the_time_and_comes_back(watcher, engine, tmp_path):
    (tmp_path / "backups").mkdir()

    code, told, _ = watcher("backup", str(tmp_path / "backups"))

    (path,) = (tmp_path / "backups").iterdir()
    assert code == 0
    assert re.fullmatch(r"watcher-\d{4}-\d\d-\d\dT\d{6}Z\.db", path.name)
    assert told.startswith(f"{path}: ") and told.endswith(", checked\n")
    write(engine, lambda c: c.execute(text("DELETE FROM articles")))
    engine.dispose()
    assert watcher("restore", str(path))[0] == 0
    assert read(engine, lambda c: c.scalar(text("SELECT count(*) FROM articles"))) == 2
    code, _, error = watcher("restore", str(path))
    assert (code, "contains 2 articles" in error, "--force" in error) == (1, True, True)
    engine.dispose()
    assert "the old store is kept as" in watcher("restore", str(path), "--force")[1]
    code, _, error = watcher("backup", f"{tmp_path}/missing/")
    assert code == 1 and "missing" in error and not (tmp_path / "missing").is_file()


@on_sqlite
def test_a_restore_under_a_daemon_is_refused(watcher, engine, tmp_path):
    watcher("backup", str(tmp_path / "b.db"))

    with hold_daemon_lock(engine, now=NOON):
        code, _, error = watcher("restore", str(tmp_path / "b.db"), "--force")

    assert (code, "a daemon is already using this store" in error) == (1, True)


@on_sqlite
def test_a_refused_restore_leaves_the_daemon_stopped_as_it_was(watcher, engine, tmp_path):
    with hold_daemon_lock(engine, now=NOON) as lock:
        lock.record_stop(now=NOON)
    (tmp_path / "no.db").write_text("no store")

    refused = watcher("restore", str(tmp_path / "no.db"))
    daemon = json.loads(watcher("status", "--json")[1])["daemon"]

    assert (refused[0], "is not a backup of a store" in refused[2]) == (1, True)
    assert (daemon["state"], daemon["stopped_at"]) == ("stopped", "2026-11-24T12:00:00Z")


def test_a_sound_store_is_called_so(watcher, engine):
    code, told, _ = watcher("check", "--deep")

    assert (code, told.splitlines()[-1]) == (0, "store: no problems found")


EDITION = """
    INSERT INTO editions (digest, local_date, slot, number, window_start, window_end, made_at, claimed_at, claimed_by,
        payload)
    VALUES ('world', '2026-11-24', 'daily', 1, '2026-11-23 00:00:00.000000', '2026-11-24 00:00:00.000000',
        '2026-11-24 00:00:00.000000', '2026-11-24 00:00:00.000000', 'x', :zero)
"""
BROKEN = [
    ("DELETE FROM features WHERE article_id = 'a'", "1 articles have no features", True),
    ("DELETE FROM texts WHERE article_id = 'a'", "1 articles have no text", True),
    ("UPDATE texts SET text = :zero WHERE article_id = 'a'", "1 texts cannot be read: a", False),
    ("DELETE FROM {index} WHERE article_id = 'a'", "1 articles are missing from the search index", True),
    (
        "INSERT INTO story_articles (article_id, story_id, report) VALUES ('a', 'sgone', 'a')",
        "articles in a story that is missing: 1",
        True,
    ),
    (EDITION, "editions that cannot be read (1): world no. 1 of 2026-11-24", False),
    (EDITION.replace(":zero", ":no_json"), "editions that cannot be read (1): world no. 1 of 2026-11-24", False),
]


@pytest.mark.parametrize(("spoil", "words", "can_be_mended"), BROKEN)
def test_what_is_wrong_is_named_with_what_mends_it_and_mended(watcher, engine, spoil, words, can_be_mended):
    spoilt(engine, spoil)

    code, told, _ = watcher("check", "--deep", "--json")
    mended = watcher("check", "--deep", "--repair")
    after = watcher("check", "--deep")

    assert code == 1
    (finding,) = json.loads(told)["store"]
    assert words in finding["what"]
    assert ("--repair" in finding["hint"]) is can_be_mended
    assert (mended[0], after[0]) == ((0, 0) if can_be_mended else (1, 1))


@on_sqlite  # a server has no such rows
def test_rows_that_belong_to_nothing_are_named_and_removed(watcher, engine):
    spoilt(engine, "INSERT INTO site_blocks VALUES ('nobody', 'h', '2026-11-24', :zero)")

    told = watcher("check", "--deep")
    mended = watcher("check", "--deep", "--repair")

    assert "1 rows of site_blocks belong to articles" in told[1]
    assert (told[0], mended[0], watcher("check", "--deep")[0]) == (1, 0, 0)


@on_postgresql
def test_the_lines_that_are_named_for_a_server_bring_everything_back(watcher, engine, empty_url, tmp_path, monkeypatch):
    folder = programs()
    if folder is None or not (folder / "pg_dump").exists():
        pytest.skip("no pg_dump and pg_restore, which the lines name: apt-get install postgresql")

    monkeypatch.setenv("PGPASSWORD", engine.url.password or "")
    dumped = watcher("backup", str(tmp_path / "b"))[2].partition("try: ")[2]
    shell(folder, dumped)
    restored = watcher("restore", str(tmp_path / "b"))[2].partition(", then ")[2].partition(", and")[0]
    shell(folder, restored.replace(f"{engine.url.database}_restored", make_url(empty_url).database))

    other = open_digests(empty_url)
    assert read(other, lambda c: c.scalar(text("SELECT count(*) FROM texts"))) == 2
    other.dispose()


@on_postgresql
def test_the_line_for_a_restore_is_named_though_nothing_is_in_the_database(tmp_path, empty_url, capsys):
    (tmp_path / "settings.toml").write_text(f'[store]\nurl = "{empty_url}"\n')

    assert run_command_line(["restore", "b", "--config", str(tmp_path / "settings.toml")]) == 1

    assert "try: createdb " in capsys.readouterr().err


@on_postgresql
def test_a_backup_of_a_file_is_moved_to_a_server_not_restored(tmp_path, empty_url, capsys):
    (tmp_path / "settings.toml").write_text(f'[store]\nurl = "{empty_url}"\n')
    open_digests(f"sqlite:///{tmp_path / 'backup.db'}").dispose()

    assert run_command_line(["restore", str(tmp_path / "backup.db"), "--config", str(tmp_path / "settings.toml")]) == 1

    err = capsys.readouterr().err
    assert f", then watcher move sqlite:///{tmp_path / 'backup.db'} " in err and "pg_restore" not in err


def shell(folder, line: str) -> None:
    """Run a line as a person would; it has to end well, and to say nothing."""
    environ = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(line, shell=True, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def spoilt(engine, query: str) -> None:
    """Break a store that is whole, past what its database would not allow."""
    write(engine, index_missing, limit=9)  # so that the index is known to be complete
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
        index = full_text_index(connection).article_id.table.name
        blobs = {"zero": b"\0", "no_json": zlib.compress(b"not an edition")}
        given = {name: blob for name, blob in blobs.items() if f":{name}" in query}
        connection.execute(text(query.format(index=index)), given)
        connection.commit()
    engine.dispose()
