"""A story has one headline: that of its last edition, in every command and on every page."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY
from tests.edition.factory import make_edition
from tests.kinds import on
from watcher.cli.main import run_command_line
from watcher.store.writer import write

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
ORDER = EditionRequest(
    local_date=date(2026, 11, 24), window_start=MORNING - timedelta(days=1), window_end=MORNING, slot=DAILY
)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
SETTINGS = '[store]\nurl = "sqlite:///watcher.db"\n[semantic]\nembedder = "none"\n[[digests]]\nname = "world"\n'
QUAKE = "{}. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, mayor Henrik Oster said {}."


def test_a_story_has_the_headline_of_its_last_edition_everywhere(tmp_path, store_url, engine, put, capsys):
    put("Alpha", QUAKE.format("Is Tarvola safe after the quake?", "today"), MORNING - timedelta(hours=9))
    put("Beta", QUAKE.format("Quake shakes Tarvola in the Dressel valley", "on Monday"), MORNING - timedelta(hours=7))
    put("Gamma", QUAKE.format("Why does the Dressel valley quake?", "at night"), MORNING - timedelta(hours=5))
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))

    def answer(*arguments):
        assert run_command_line([*arguments, "--config", str(path), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    (story,) = make_edition(engine, WORLD, ORDER, now=MORNING).stories

    assert story.title == "Quake shakes Tarvola in the Dressel valley"
    assert answer("story", story.id)["title"] == story.title
    assert {hit["headline"] for hit in answer("search", "tarvola")["hits"]} == {story.title}
    assert answer("story", "list")[0]["title"] == answer("editions")[0]["headline"] == story.title

    put("Delta", QUAKE.format("Tarvola?", "and again"), MORNING + timedelta(hours=1))
    later = EditionRequest(
        local_date=date(2026, 11, 25), window_start=MORNING, window_end=MORNING + timedelta(hours=2), slot=None
    )
    make_edition(engine, WORLD, later, now=MORNING + timedelta(hours=2))  # it saves stories, but no edition
    assert answer("story", story.id)["title"] == story.title


def test_a_headline_whose_report_is_gone_is_chosen_among_the_others(tmp_path, store_url, engine, put, capsys):
    put("Alpha", QUAKE.format("Is Tarvola safe after the quake?", "today"), MORNING - timedelta(hours=9))
    put("Beta", QUAKE.format("Quake shakes Tarvola in the Dressel valley", "on Monday"), MORNING - timedelta(hours=7))
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))
    (story,) = make_edition(engine, WORLD, ORDER, now=MORNING).stories
    write(engine, lambda c: c.execute(text("update stories set title = 'A report that has left'")))

    run_command_line(["story", story.id, "--config", str(path)])

    assert capsys.readouterr().out.splitlines()[0] == f"{story.id}  {story.title}"
