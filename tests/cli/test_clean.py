"""`watcher clean`: one page, from a file or from the web."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.site import serving
from watcher.clean.article import clean
from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.text.toml_data import load_toml

PAGES = Path(__file__).parent.parent / "data" / "pages"
BOXES = PAGES / "boxes_inside.html"
TITLE = "La récolte de miel s'annonce faible dans les vallées"


@pytest.fixture
def site():
    with serving() as made:
        made.page("/miel", BOXES.read_text(encoding="utf-8"))
        yield made


@pytest.fixture
def file(site, tmp_path, empty_url):
    path = tmp_path / "settings.toml"
    path.write_text(f"[store]\nurl = '{empty_url}'\n[fetch]\nallow_private = ['{site.place}']\n")
    return path


def test_a_file_gives_title_and_text(capsys):
    assert run_command_line(["clean", str(BOXES)]) == 0

    out = capsys.readouterr().out
    assert out.startswith(f"{TITLE}\n\nLes apiculteurs des trois vallées")
    assert "newsletter" not in out


def test_json_has_all_that_was_read(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert run_command_line(["clean", str(BOXES), "--url", "https://quotidien-sud.example/nature/miel", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["title"], told["language"], told["published"]) == (TITLE, "fr", "2025-07-02T06:00:00+02:00")
    assert told["url"] == "https://quotidien-sud.example/nature/miel"
    assert {cut["rule"] for cut in told["removed"]} == {"title", "read more", "link", "call"}


def test_explain_says_where_each_part_was_read_and_what_went_by_which_rule(capsys):
    assert run_command_line(["clean", str(BOXES), "--explain"]) == 0

    out = capsys.readouterr().out
    assert f"    title  {TITLE}   (from h1)" in out
    assert " characters in 4 paragraphs." in out
    removed = out.partition("Removed from the text:")[2]
    assert "  call: a request to the reader, such as to subscribe, to follow or to rate\n    | Abonnez-vous" in removed
    assert (
        "  a list of links\n    | Le prix du miel monte encore · Un frelon"
        in removed.partition("Not part of the text")[2]
    )


def test_a_page_of_the_web_is_fetched_as_the_settings_say(site, file, capsys):
    assert run_command_line(["clean", site.url("/miel"), "--config", str(file)]) == 0

    assert capsys.readouterr().out.startswith(TITLE)
    assert site.asked == ["/miel"]
    assert not (file.parent / "watcher.db").exists()


def test_a_page_that_cannot_be_had_is_told(site, file, capsys):
    assert run_command_line(["clean", site.url("/gone"), "--config", str(file)]) == 1

    assert "404" in capsys.readouterr().err


def test_a_wall_is_named(capsys):
    assert run_command_line(["clean", str(PAGES / "consent_wall.html")]) == 1

    assert "consent" in capsys.readouterr().err


@pytest.mark.slow
def test_what_the_store_knows_of_the_site_counts(site, file, capsys):
    from watcher.clean.site_memory import build_site_memory
    from watcher.cli.clean import load_site_memory

    settings = load_settings_file(file)
    nothing = (
        None if settings.store.url.startswith("sqlite") else build_site_memory(())
    )  # a server is there before its tables
    assert load_site_memory(site.url("/miel"), settings) == nothing

    assert run_command_line(["poll", "--config", str(file)]) == 0
    capsys.readouterr()

    assert load_site_memory(site.url("/miel"), settings) == build_site_memory(())


def test_the_users_own_rules_for_a_site_count(file, capsys):
    folder = file.parent / "sites"
    folder.mkdir()
    (folder / "sud.toml").write_text(
        'hosts = ["quotidien-sud.example"]\nreason = "Its first paragraph is a summary."\ndrop = ["p:bad"]\n'
    )
    page = [str(BOXES), "--url", "https://quotidien-sud.example/nature/miel", "--config", str(file)]

    assert run_command_line(["clean", *page]) == 2

    (folder / "sud.toml").write_text(
        'hosts = ["quotidien-sud.example"]\nreason = "It has no article for us."\ndrop = ["article h1", "main h1"]\n'
    )
    capsys.readouterr()
    assert run_command_line(["clean", *page, "--explain"]) == 0
    assert "  site: removed by the rules of the site" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.toml")))
def test_each_rule_that_removes_something_is_put_in_words(name):
    from watcher.errors import CleanError

    html = (PAGES / f"{name}.html").read_text(encoding="utf-8")
    try:
        cleaned = clean(html, url="https://one.example/1", now=datetime(2026, 1, 1, tzinfo=UTC))
    except CleanError:
        return

    assert {cut.rule for cut in cleaned.removed} <= set(load_toml("watcher.cli", "rule_words.toml"))
