"""`watcher verify`: proves an edition whatever happens to the store later, and says what it cannot check."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from digests.store.editions import open_digests
from digests.store.maintenance import drop_stories, drop_translations
from digests.store.schema import editions
from tests.chat_server import chat_server
from tests.edition.tampering import SETTINGS as PRESS
from tests.edition.tampering import WRITTEN, add_later_reports, make_editions
from tests.kinds import WORLD, on
from tests.translate.models import models
from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.store.articles import compress
from watcher.store.retention import drop_articles
from watcher.store.schema import texts
from watcher.store.writer import write

__all__ = ["models"]

LATER = datetime(2040, 1, 1, tzinfo=UTC)
SETTINGS = f"""{WORLD}
formats = ["text"]
"""
FLOOD = (
    "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home, the "
    "mayor said. The river Tarn rose by four metres within a day, more than at any time in the last ninety years."
)


def settings(tmp_path, store_url) -> str:
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))
    return str(path)


def test_an_edition_is_proved_until_an_article_of_it_changes(put, engine, tmp_path, store_url, capsys):
    config = settings(tmp_path, store_url)
    article = put("Post", FLOOD, datetime.now(UTC) - timedelta(hours=2))
    assert run_command_line(["digest", "--config", config]) == 0
    capsys.readouterr()

    assert run_command_line(["verify", "--config", config]) == 0
    assert "all verbatim" in capsys.readouterr().out

    forged = compress(FLOOD.replace("300 people", "900 people"))
    write(engine, lambda c: c.execute(update(texts).where(texts.c.article_id == article.id).values(text=forged)))
    assert run_command_line(["verify", "--config", config]) == 1
    assert "300 people" in capsys.readouterr().out


def test_a_date_without_an_edition_is_said_to_have_none(engine, tmp_path, store_url, capsys):
    assert run_command_line(["verify", "--date", "2020-01-01", "--config", settings(tmp_path, store_url)]) == 1

    assert "no edition of world for 2020-01-01 is stored" in capsys.readouterr().err


@pytest.fixture(scope="module")
def press(tmp_path_factory, models):
    """A folder with settings, a store with two editions, and their files."""
    folder = tmp_path_factory.mktemp("press")
    with chat_server() as server:
        server.write = lambda user: WRITTEN if "Orlen" in user else ""
        path = folder / "settings.toml"
        path.write_text(PRESS.format(models=models, url=server.url), encoding="utf-8")
        opened = load_settings_file(path)
        engine = open_digests(opened.store.url)
        make_editions(opened, engine)
        engine.dispose()
    return folder


class Copy:
    """A copy of the press, whose store a test may change."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.settings = load_settings_file(folder / "settings.toml")
        self.engine = open_digests(self.settings.store.url)
        self.files = sorted((folder / "out").glob("2026-11-25.*"))

    def run(self, *words: str) -> tuple[int, str]:
        code = run_command_line([*words, "--config", str(self.folder / "settings.toml")])
        captured = self.capsys.readouterr()
        return code, captured.out + captured.err

    def verify_everything(self) -> str:
        """Verify all editions and each file; return what was said of the editions."""
        outcomes = {path.name: self.run("verify", str(path)) for path in self.files}
        assert {name: outcome for name, outcome in outcomes.items() if outcome[0]} == {}
        code, said = self.run("verify", "--all")
        assert code == 0, said
        return said


@pytest.fixture
def copy(press, tmp_path, capsys):
    shutil.copytree(press, tmp_path / "press")
    copied = Copy(tmp_path / "press", capsys)
    yield copied
    copied.engine.dispose()


@pytest.mark.slow
def test_later_polls_and_editions_change_nothing_of_what_is_proved(copy):
    add_later_reports(copy.settings, copy.engine)

    said = copy.verify_everything()

    assert said.count("all verbatim") == 3
    assert "Not checked" not in said


@pytest.mark.slow
def test_stories_that_are_joined_and_split_later_are_proved(copy):
    assert copy.run("story", "join", "1", "3")[0] == 0
    assert copy.run("story", "split", "1", f"{51:0>16}")[0] == 0
    add_later_reports(copy.settings, copy.engine)

    copy.verify_everything()


@pytest.mark.slow
def test_owners_that_are_known_later_are_no_fault(copy):
    with sqlite3.connect(copy.folder / "watcher.db") as store:
        store.execute("UPDATE feeds SET owner = 'Others'")
        store.execute("UPDATE articles SET owner = 'Orlen Media'")

    said = copy.verify_everything()

    assert "independent outlets, others, and copies by agency: 3, 2, AFP, 2, expected" in said


@pytest.mark.slow
def test_what_retention_deletes_is_not_checked_and_said_to_be_so(copy):
    for drop in (drop_articles, drop_stories, drop_translations):
        write(copy.engine, drop, None, 100, before=LATER)

    said = copy.verify_everything()

    assert said.count("Not checked: story 2, ") == 3 and said.count("this translation is not stored") == 3


@pytest.mark.slow
def test_articles_that_are_lost_are_not_checked_and_said_to_be_so(copy):
    with sqlite3.connect(copy.folder / "watcher.db") as store:
        store.execute("DELETE FROM pins")
    write(copy.engine, drop_articles, None, 100, before=LATER)

    said = copy.verify_everything()

    assert "Not checked: story 1: 5 of its 5 articles are not stored" in said


@pytest.mark.slow
def test_a_restored_backup_proves_the_same(copy):
    assert copy.run("backup", str(copy.folder / "backup.db"))[0] == 0
    copy.engine.dispose()
    assert copy.run("restore", str(copy.folder / "backup.db"), "--force")[0] == 0

    assert "Not checked" not in copy.verify_everything()


@pytest.mark.slow
def test_an_edition_from_before_hashes_were_stored_is_proved_by_what_it_gives(copy):
    write(copy.engine, lambda c: c.execute(update(editions).values(hashes=None)))

    said = copy.verify_everything()

    assert said.count("Is it the edition that was made? Cannot be said: no hash of it was stored") == 2
    assert "Not checked: the articles do not show which stories and sentences were chosen" in said
    path = copy.folder / "out" / "2026-11-25.json"
    path.write_text(path.read_text().replace('"at":null,', "", 1))  # a field that the version before did not have
    assert copy.run("verify", str(path))[0] == 0


@pytest.mark.slow
def test_a_file_is_proved_after_the_templates_have_changed_and_a_changed_one_is_shown_by_its_texts(copy):
    (copy.folder / "templates").mkdir()
    (copy.folder / "templates" / "edition.md.j2").write_text("# {{ v.heading }}\n")
    path = copy.folder / "settings.toml"
    path.write_text(path.read_text().replace('directory = "out"', 'directory = "out"\ntemplates = "templates"'))
    copy.verify_everything()

    file = copy.folder / "out" / "2026-11-25.md"
    file.write_text(file.read_text().replace("212 passengers on Tuesday", "812 passengers on Tuesday"))
    code, said = copy.run("verify", str(file))

    assert code == 1
    assert "the templates, the settings or Watcher have changed since it was made" in said
    assert "12 of the 13 headlines and sentences of the edition are in it" in said
    assert "not in the file: The ferry Anna Lund ran aground off Marlow with 212 passengers" in said


@pytest.mark.slow
def test_a_file_whose_edition_is_not_stored_is_compared_with_the_articles_alone(copy):
    with sqlite3.connect(copy.folder / "watcher.db") as store:
        store.execute("DELETE FROM editions")
    book, page, mail, data, markdown, text = (copy.run("verify", str(path)) for path in copy.files)

    assert {outcome[0] for outcome in (book, page, mail, markdown, text)} == {1}
    assert "no edition with this file name is stored, so nothing of it can be checked as a whole" in page[1]
    assert data[0] == 3
    assert "Cannot be said: the store has no edition of world for 2026-11-25" in data[1]
    assert "Is it true of the stored articles? Yes: the file has 5 headlines, 10 sentences" in data[1]

    path = copy.folder / "out" / "2026-11-25.json"
    path.write_text(path.read_text().replace("ran aground off Marlow with 212", "ran aground off Marlow with 812"))
    assert copy.run("verify", str(path))[0] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"timezone":"UTC"', '"timezone":"../../etc/passwd"', "there is no time zone '../../etc/passwd'"),
        ('"window_end":"2026-11-25T07:00:00Z"', '"window_end":"2026-11-25T07:00:00"', "is no time of an edition"),
        ('"first_seen_at":"2026', '"first_seen_at":"9999', "is no time of an edition"),
        ('"article_ids":["', '"article_ids":[],"x":["', "it has no article"),
        ('"version":1', '"version":2', "not an edition of version 1"),
        ("{", "", "not an edition: "),
    ],
)
def test_a_file_with_values_that_no_edition_has_is_refused_in_words(copy, before, after, said):
    path = copy.folder / "out" / "2026-11-25.json"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))

    code, output = copy.run("verify", str(path))

    assert (code, said in output) == (1, True), output
    assert "unexpected" not in output


@pytest.mark.slow
def test_a_difference_is_shown_where_it_is(copy):
    page = copy.folder / "out" / "2026-11-25.html"
    page.write_text(page.read_text().replace("took the passengers to the port", "took the sailors to the port"))

    code, said = copy.run("verify", str(page))

    assert code == 1
    (line,) = (line for line in said.splitlines() if line.startswith("line "))
    assert "hurt, and a second ship took the passengers to the port by noon." in line
    assert line.endswith("in the file") and "took the sailors to the port" in line and len(line) < 300


@pytest.mark.parametrize("name", ["feed.atom", "2026-11-25.pdf", "2026-11-25"])
def test_a_file_of_another_format_is_refused_with_the_formats_that_are_taken(name, engine, tmp_path, store_url, capsys):
    (tmp_path / name).write_text("x")

    assert run_command_line(["verify", str(tmp_path / name), "--config", settings(tmp_path, store_url)]) == 1

    assert "expected a file that ends with one of .md, .html, .txt, .eml, .json, .epub" in capsys.readouterr().err


def test_a_quote_is_looked_up_word_for_word(put, engine, tmp_path, store_url, capsys):
    article = put("Post", FLOOD, datetime.now(UTC) - timedelta(hours=2))
    config = settings(tmp_path, store_url)
    sentence = "The river Tarn rose by four metres within a day, more than at any time in the last ninety years."

    assert run_command_line(["verify", sentence, "--config", config]) == 0
    said = capsys.readouterr().out
    assert f"Post, article {article.id}, text, stored, from character {FLOOD.index(sentence)}: {article.url}" in said
    assert run_command_line(["verify", "the River tarn rose", "--article", article.url, "--config", config]) == 1
    assert "not verbatim: these articles have its words" in capsys.readouterr().out
    assert run_command_line(["verify", "The river Tarn ran dry. " * 20, "--config", config]) == 1
    assert "not found in a stored article" in capsys.readouterr().out


def test_a_name_that_is_no_digest_and_a_file_that_is_missing_are_no_quotes(engine, tmp_path, store_url, capsys):
    config = settings(tmp_path, store_url)

    assert run_command_line(["verify", "wrold", "--config", config]) == 2
    assert run_command_line(["verify", "out/2026-11-25.md", "--config", config]) == 1

    assert "there is no file or folder out/2026-11-25.md" in capsys.readouterr().err
