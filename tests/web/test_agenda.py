"""The calendars of the site: of a digest, and of a story also when it is joined with another."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from zlib import compress

import pytest
import sqlalchemy as sa

from digests import edition_json
from digests.mcp.answers import show_story
from digests.model.coming_event import ComingEvent
from digests.store import editions
from digests.store.story_rows import load_members
from digests.stories.user_corrections import join
from tests.web.press import NOW, app_of, filled, site_of
from watcher.cli.main import run_command_line
from watcher.store.writer import read, write

from .conftest import client_of

pytestmark = pytest.mark.slow

QUAKE, CHESS = "0000000000000000", "1000000000000003"  # articles of two stories


@pytest.fixture
def press(tmp_path):
    settings, engine = filled(tmp_path)
    edition = read(engine, editions.get_edition, "world")
    quoted = edition.stories[0].quoted[0]
    event = ComingEvent(
        id="a1", kind="announced", on=date(2026, 12, 3), until=date(2026, 12, 3),
        sentence=replace(quoted, article_id=QUAKE), story="", thread="", outlets=1,
    )  # fmt: skip
    write(engine, store_edition, replace(edition, coming_up=(event,)))
    yield settings, engine
    engine.dispose()


def store_edition(connection: sa.Connection, edition) -> None:
    table = editions.editions
    query = sa.update(table).where(table.c.digest == edition.digest, table.c.local_date == edition.local_date)
    connection.execute(query.values(payload=compress(edition_json.dump(edition))))


async def get_agenda(press, path: str) -> str:
    response = await client_of(app_of(site_of(*press))).get(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    return response.text


async def test_a_digest_and_a_story_have_a_calendar(press):
    quake, chess = (read(press[1], load_members, [key])[key].story_id for key in (QUAKE, CHESS))

    first, named, of_quake, of_chess = [
        await get_agenda(press, f"{path}/agenda.ics")
        for path in ("", "/digest/world", f"/story/{quake}", f"/story/{chess}")
    ]

    assert first == named and "UID:a1@watcher" in first and "DTSTART;VALUE=DATE:20261203" in first
    assert "UID:a1@watcher" in of_quake and "VEVENT" not in of_chess


async def test_what_does_not_exist_has_no_calendar(press):
    client = client_of(app_of(site_of(*press)))

    assert [(await client.get(path)).status_code for path in ("/digest/no/agenda.ics", "/story/no/agenda.ics")] == [
        404
    ] * 2


async def test_a_story_page_shows_the_dates_of_its_thread(press):
    quake = read(press[1], load_members, [QUAKE])[QUAKE].story_id

    page = (await client_of(app_of(site_of(*press))).get(f"/story/{quake}")).text

    assert "Coming up" in page and f'href="/story/{quake}/agenda.ics"' in page


async def test_a_joined_story_keeps_the_event_with_its_uid(press):
    quake, chess = (read(press[1], load_members, [key])[key].story_id for key in (QUAKE, CHESS))

    write(press[1], join, chess, quake, now=NOW)

    for story in (quake, chess):
        assert "UID:a1@watcher" in await get_agenda(press, f"/story/{story}/agenda.ics")


async def test_the_command_and_the_mcp_server_show_the_dates_of_a_story(press, capsys):
    settings, engine = press
    quake, chess = (read(engine, load_members, [key])[key].story_id for key in (QUAKE, CHESS))
    config = str(settings.path)

    told = [run_command_line(["story", key, "--config", config]) for key in (quake, chess)]
    printed = capsys.readouterr().out
    run_command_line(["story", quake, "--json", "--config", config])
    (event,) = json.loads(capsys.readouterr().out)["coming_up"]
    answer = read(engine, show_story, quake, settings)

    assert told == [0, 0] and printed.count("Coming up:") == 1 and "3 December: " in printed
    assert (event["on"], event["kind"]) == ("2026-12-03", "announced")
    (quoted,) = answer["coming_up"]
    assert quoted["announced"]["text"] == event["sentence"]["text"] and quoted["announced"]["mark"]
