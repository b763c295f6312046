"""`watcher export` and `watcher import`: there and back, twice, with bad lines named."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from watcher.cli.main import run_command_line
from watcher.model import FEATURES_VERSION, Source
from watcher.store.articles import packed_features
from watcher.store.engine import open_store
from watcher.store.feeds import sync_sources
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # takes articles from store to store


@pytest.fixture
def watcher(tmp_path, store_url, capfdbinary):
    """Return a function that runs a command on the store "one", which may be on a server, or on another file."""

    def call(name: str, *arguments: str):
        url = store_url if name == "one" else f"sqlite:///{name}.db"
        (tmp_path / f"{name}.toml").write_text(f'[store]\nurl = "{url}"\n')
        code = run_command_line([*arguments, "--config", str(tmp_path / f"{name}.toml")])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def lines(count: int) -> str:
    rows = ({"url": f"https://n.example/{n}", "title": f"Quake {n}", "text": f"A quake, {n}."} for n in range(count))
    return "".join(json.dumps(row | {"language": "en", "feed": "https://n.example/f"}) + "\n" for row in rows)


def test_articles_go_from_one_store_to_another_and_only_once(watcher, tmp_path):
    (tmp_path / "given.jsonl").write_text(lines(60))

    first = watcher("one", "import", str(tmp_path / "given.jsonl"))
    exported = watcher("one", "export")
    (tmp_path / "exported.jsonl").write_text(exported[1])
    second = watcher("two", "import", str(tmp_path / "exported.jsonl"))
    again = watcher("two", "import", str(tmp_path / "exported.jsonl"), "--json")

    assert first == (0, "60 articles imported, 0 already stored\n", "")
    assert second[:2] == (0, "60 articles imported, 0 already stored\n")
    assert json.loads(again[1]) == {"imported": 0, "headlines": 0, "known": 60, "faults": []}
    assert sorted(exported[1].splitlines()) == sorted(watcher("two", "export")[1].splitlines())


def test_what_is_imported_has_features_its_feed_and_can_be_found(watcher, store_url, tmp_path):
    (tmp_path / "given.jsonl").write_text(lines(2))
    engine = open_store(store_url)
    now = datetime.now(UTC)
    write(engine, sync_sources, [Source(url="https://n.example/f", name="N")], now=now)

    watcher("one", "import", str(tmp_path / "given.jsonl"))

    rows = [json.loads(line) for line in watcher("one", "export")[1].splitlines()]
    found = read(engine, packed_features, [row["id"] for row in rows])
    assert {packed.version for packed in found.values()} == {FEATURES_VERSION}
    assert {row["feed"] for row in rows} == {"https://n.example/f"}
    assert "Quake 1" in watcher("one", "search", "quake", "--limit", "1")[1] + watcher("one", "search", "quake")[1]
    engine.dispose()


def test_bad_lines_are_named_by_file_and_line_and_the_rest_goes_in(watcher, tmp_path):
    path = tmp_path / "given.jsonl"
    path.write_text("{}\n" + lines(2) + "nonsense\n\n" + lines(1))

    code, told, error = watcher("one", "import", str(path))

    assert (code, told) == (3, "2 articles imported, 1 already stored, 2 lines skipped\n")
    assert error.splitlines() == [
        f'{path}:1: expected "url" and "title", none of them empty',
        f"{path}:4: not JSON",
    ]


@pytest.mark.slow
def test_a_mark_of_byte_order_costs_no_line(watcher, tmp_path):
    path = tmp_path / "given.jsonl"
    path.write_text("\ufeff" + lines(2), encoding="utf-8")

    assert watcher("one", "import", str(path))[:2] == (0, "2 articles imported, 0 already stored\n")


def test_a_file_that_is_not_there_is_told(watcher, tmp_path):
    code, _, error = watcher("one", "import", str(tmp_path / "nowhere.jsonl"))

    assert code == 1
    assert "nowhere.jsonl cannot be read: No such file or directory" in error


def test_an_article_without_a_language_has_it_detected_and_a_given_one_is_kept(watcher, tmp_path):
    def row(n: int, title: str, text: str, **more: str) -> str:
        return json.dumps({"url": f"https://n.example/{n}", "title": title, "text": text, "outlet": "N"} | more) + "\n"

    english = [row(n, f"Quake {n}", f"A quake shook the north of the island, {n}.", language="en") for n in range(8)]
    french = row(11, "Le pont", "Le conseil a débattu pendant quatre heures du nouveau pont avant de reporter le vote.")
    (tmp_path / "given.jsonl").write_text(
        "".join(english) + row(9, "Open Thread", "Red alert") + row(10, "Le pont", "Reporté.", language="cy") + french
    )

    watcher("one", "import", str(tmp_path / "given.jsonl"))

    rows = [json.loads(line) for line in watcher("one", "export")[1].splitlines()]
    languages = {row["url"].rsplit("/")[-1]: row["language"] for row in rows}
    assert (languages["9"], languages["10"], languages["11"]) == ("en", "cy", "fr")


def test_an_article_without_a_text_is_taken_in_and_the_text_that_comes_later_replaces_it(watcher, store_url, tmp_path):
    path = tmp_path / "given.jsonl"
    row = {"url": "https://n.example/9", "title": "Ferry sinks off Tarvola", "text": "", "language": "en"}
    path.write_text(json.dumps(row) + "\n" + lines(1))

    first = watcher("one", "import", str(path))
    again = watcher("one", "import", str(path))
    engine = open_store(store_url)
    stored = [json.loads(line) for line in watcher("one", "export")[1].splitlines()]
    (key,) = (each["id"] for each in stored if not each["text"])
    bare = read(engine, packed_features, [key])[key]
    path.write_text(json.dumps(row | {"text": "The Albatross sank at dawn, and 31 people were saved."}) + "\n")
    later = watcher("one", "import", str(path))
    path.write_text(json.dumps(row | {"text": "Another text."}) + "\n")
    known = watcher("one", "import", str(path))

    assert first == (0, "2 articles imported, 1 of them by their headline alone, 0 already stored\n", "")
    assert again[1] == "0 articles imported, 2 already stored\n"
    assert later[1] == "1 article imported, 0 already stored\n"
    assert known[1] == "0 articles imported, 1 already stored\n"
    (found,) = (row for row in map(json.loads, watcher("one", "export")[1].splitlines()) if row["id"] == key)
    assert found["text"] == "The Albatross sank at dawn, and 31 people were saved."
    assert found["fetched"] == next(each["fetched"] for each in stored if each["id"] == key)
    assert read(engine, packed_features, [key])[key].payload != bare.payload
    assert "Ferry sinks" in watcher("one", "search", "albatross")[1]
    engine.dispose()
