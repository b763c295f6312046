"""The editions that are kept: listed, written again byte for byte, and proved as files."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from digests.store.schema import editions
from tests.kinds import WORLD, on
from watcher.cli.main import run_command_line
from watcher.store.writer import write

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

SETTINGS = f"""{WORLD}
directory = "out"
formats = ["markdown", "html", "text", "eml", "json", "epub"]
"""
FLOOD = (
    "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home, the "
    "mayor said. The river Tarn rose by four metres within a day, more than at any time in the last ninety years."
)


@pytest.fixture
def watcher(tmp_path, store_url, put, capsys):
    """Run a command on a store with one edition; returns its exit code, output and errors."""
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))
    put("Post", FLOOD, datetime.now(UTC) - timedelta(hours=2))

    def ask(*words: str) -> tuple[int, str, str]:
        code = run_command_line([*words, "--config", str(path)])
        out, err = capsys.readouterr()
        return code, out, err

    assert ask("digest")[0] == 0
    return ask


@pytest.fixture
def today(watcher, tmp_path) -> str:
    """The date of the edition, which a midnight of UTC may part from the hour the test began."""
    return next((tmp_path / "out").glob("*.json")).stem


def files(tmp_path):
    return {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_replay_writes_the_same_bytes(watcher, tmp_path, today):
    before = files(tmp_path)
    for path in (tmp_path / "out").iterdir():
        path.unlink()

    code, out, _ = watcher("replay", today)

    assert code == 0
    assert files(tmp_path) == before
    assert out.count(": written") == len(before) == 6
    assert watcher("replay", today)[1].count("unchanged") == 6


def test_replay_check_names_a_file_that_was_changed_and_writes_nothing(watcher, tmp_path, today):
    page = tmp_path / "out" / f"{today}.html"
    page.write_bytes(page.read_bytes().replace(b"300 people", b"900 people"))

    code, out, _ = watcher("replay", today, "--check")

    assert code == 1
    assert [line.rpartition(": ")[2] for line in out.splitlines()].count("different") == 1
    assert b"900 people" in page.read_bytes()


def test_a_second_edition_of_a_date_is_replayed_beside_the_first(watcher, tmp_path, today):
    assert watcher("digest")[0] == 0
    before = files(tmp_path)
    assert len(before) == 12

    code, _, _ = watcher("replay", today, "--directory", str(tmp_path / "again"))

    assert code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == before


def test_editions_are_listed_with_their_headlines(watcher, today):
    code, out, _ = watcher("editions")
    assert code == 0
    assert "world no. 1, on demand (" in out and "Flood strikes the valley of Orlen" in out
    assert "1 story (1 in full, 0 in one line, 0 left out)" in out

    (row,) = json.loads(watcher("editions", "--json")[1])
    assert (row["digest"], row["date"], row["stories_found"], row["articles"]) == ("world", today, 1, 1)


def test_a_count_is_the_same_number_under_the_same_name_everywhere(watcher, tmp_path):
    (made,) = json.loads(watcher("digest", "--json")[1])
    (listed, _) = json.loads(watcher("editions", "--json")[1])
    (status,) = json.loads(watcher("status", "--json")[1])["editions"]
    name = next(name for name in made["files"] if name.endswith(".md"))
    front = (tmp_path / name).read_text().split("---")[1]
    page = json.loads((tmp_path / name).with_suffix(".json").read_text())["edition"]

    counts = ("articles", "outlets", "languages", "stories_found", "stories_shown", "briefs_shown", "stories_left_out")
    for count in counts:
        assert made[count] == listed[count] == status[count], count
        assert f"\n{count}: {made[count]}\n" in front
        assert count == "stories_left_out" or page["ledger"][count] == made[count]
    assert made["number"] == listed["number"] == status["number"] == page["number"] == 2


def test_two_editions_of_a_date_are_told_apart(watcher):
    (made,) = json.loads(watcher("digest", "--json")[1])

    told = [watcher(*words)[1] for words in (("editions",), ("verify", "--all"), ("digest", "--stdout"))]

    assert made["number"] == 2
    assert all("no. 1" in text and "no. 2" in text for text in told[:2])
    assert "# World Digest No. 3, " in told[2]


def test_editions_of_a_name_that_is_nowhere_are_wrong_usage(watcher):
    code, _, err = watcher("editions", "wrold")

    assert code == 2
    assert "no digest 'wrold' in the settings; expected one of world" in err


def test_a_date_without_an_edition_is_said_to_have_none(watcher):
    code, _, err = watcher("replay", "2020-01-01")

    assert code == 1
    assert "no edition of world for 2020-01-01 is stored" in err and "watcher editions" in err


@pytest.mark.parametrize("ending", ["md", "html", "txt", "eml"])
def test_a_file_is_proved_and_a_forged_sentence_and_a_wrong_link_are_found(watcher, tmp_path, ending, today):
    path = tmp_path / "out" / f"{today}.{ending}"
    assert watcher("verify", str(path))[0] == 0

    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"300 people", b"900 people"))
    code, out, _ = watcher("verify", str(path))
    assert code == 1 and "900 people" in out

    path.write_bytes(whole.replace(b"post.example", b"evil.example"))
    code, out, _ = watcher("verify", str(path))
    assert code == 1 and "evil.example" in out


def test_a_book_has_the_text_of_the_report_and_a_changed_book_is_found(watcher, tmp_path, today):
    path = tmp_path / "out" / f"{today}.epub"
    with zipfile.ZipFile(path) as book:
        story = book.read("EPUB/story-1.xhtml").decode()
    assert "more than at any time in the last ninety years." in story.partition("Full text")[2]
    assert watcher("verify", str(path))[0] == 0

    path.write_bytes(path.read_bytes() + b"x")
    code, out, _ = watcher("verify", str(path))

    assert code == 1 and "the bytes of the file differ from its edition" in out


def test_a_copy_of_a_file_is_proved_by_the_digest_that_it_is_of(watcher, tmp_path, today):
    path = tmp_path / "settings.toml"
    other = '[[digests]]\nname = "other"\ntitle = "Other"\ndirectory = "other"\nlanguage = "en"\n'
    path.write_text(path.read_text() + other)
    assert watcher("digest", "other")[0] == 0
    (tmp_path / "copy").mkdir()
    for number, folder in enumerate(("out", "other")):
        copy = tmp_path / "copy" / f"{today}.md"
        copy.write_bytes((tmp_path / folder / copy.name).read_bytes())

        code, out, _ = watcher("verify", str(copy))

        assert (code, out.split()[0]) == (0, ("world", "other")[number])


def test_a_file_in_json_is_proved_by_the_articles(watcher, tmp_path, today):
    path = tmp_path / "out" / f"{today}.json"
    assert watcher("verify", str(path))[0] == 0

    path.write_text(path.read_text().replace("300 people", "900 people"))
    code, out, _ = watcher("verify", str(path))

    assert code == 1
    assert "it is not in its article" in out


def test_all_editions_are_proved(watcher, today):
    watcher("digest")

    code, out, _ = watcher("verify", "--all")

    assert code == 0
    assert out.count("all verbatim") == 2
    assert watcher("verify", today)[0] == 0


def test_a_file_of_no_kept_edition_is_said_to_be_none(watcher, tmp_path):
    stray = tmp_path / "out" / "2001-01-01.md"
    stray.write_text("# World Digest")

    code, _, err = watcher("verify", str(stray))

    assert code == 1 and "no edition" in err


def test_a_damaged_edition_is_named(watcher, engine):
    write(engine, lambda c: c.execute(update(editions).values(payload=b"damaged")))

    code, _, err = watcher("verify")

    assert code == 1
    assert "Traceback" not in err


def test_a_feed_that_is_asked_for_again_has_the_other_editions_too(watcher, tmp_path, today):
    yesterday = (date.fromisoformat(today) - timedelta(days=1)).isoformat()
    assert watcher("digest", "--date", yesterday)[0] == 3

    assert watcher("replay", today, "--format", "atom", "--directory", str(tmp_path / "again"))[0] == 0

    feed = (tmp_path / "again" / "feed.atom").read_text("utf-8")
    assert f"world/{today}</id>" in feed
    assert f"world/{yesterday}</id>" in feed
