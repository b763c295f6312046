"""`watcher follow`: follow a story, list what is followed, stop; what the next edition then begins with."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from digests.store.editions import claim, newest_edition, save_edition
from digests.store.keys import EditionKey
from digests.stories.follows import set_followed
from tests.cli.test_story import DAY, HOUR, MORNING, QUAKE, edition
from watcher.store.writer import write

pytestmark = pytest.mark.slow  # together they take some seconds


@pytest.fixture
def story(put, engine):
    """Return the story of an edition: two reports of a quake."""
    for n in range(2):
        put(f"Quake{n}", QUAKE.format(f"to reporter {n}"), MORNING - (n + 5) * HOUR)
    return edition(engine).stories[0]


def test_a_story_is_followed_listed_and_no_longer_followed(watcher, story):
    steps = [("1",), (f"http://127.0.0.1:8500/story/{story.id}",), (), (story.anchor, "--stop"), ("1", "--stop"), ()]

    said = [watcher("follow", *step) for step in steps]

    assert [code for code, _, _ in said] == [0] * 6
    first, again, listed, stopped, nothing, empty = (out.rstrip("\n") for _, out, _ in said)
    assert first == f"You follow {story.id}: {story.title}"
    assert again == f"You already follow {story.id}: {story.title}"
    assert listed.startswith(f"{story.id}  {story.title} (since ")
    assert listed.endswith(", last report 2026-11-24 01:30 UTC)")
    assert stopped == f"You no longer follow {story.id}: {story.title}"
    assert nothing == f"You do not follow {story.id}: {story.title}"
    assert empty == "you follow no story; watcher follow STORY follows one"


def test_a_part_of_a_story_is_said_to_be_one_as_its_story_has_another_headline(watcher, story, engine):
    part, key = f"2-{story.id}", EditionKey(digest="world", local_date=date(2026, 11, 25))

    def save_with_part(connection):
        made = newest_edition(connection, "world")
        (section,) = made.sections
        section = replace(section, stories=(replace(section.stories[0], id=part),))
        claim(connection, key, window=(MORNING, MORNING + DAY), now=MORNING + DAY)
        assert save_edition(
            connection, key, replace(made, local_date=key.local_date, made_at=MORNING + DAY, sections=(section,))
        )

    write(engine, save_with_part)

    by_number, by_id = (watcher("follow", given)[1].splitlines() for given in ("1", part))

    why = "is a part of this story; a story is followed as a whole, with all its parts"
    assert by_number == [f"You follow {story.id}: {story.title}", f"number 1 ({part}) {why}"]
    assert by_id == [f"You already follow {story.id}: {story.title}", f"{part} {why}"]


def test_what_is_followed_is_told_as_json(watcher, story):
    done = json.loads(watcher("follow", story.id, "--json")[1])
    (row,) = json.loads(watcher("follow", "--json")[1])

    assert done == {"id": story.id, "title": story.title, "followed": True, "changed": True}
    assert (row["id"], row["title"], row["last_report_at"]) == (story.id, story.title, "2026-11-24T01:30:00Z")
    assert row["since"].endswith("Z")


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [(["s000000000"], 1, "there is no story 's000000000'"), (["7"], 1, ") has no story 7"),
     (["--stop"], 2, "--stop: needs a story, such as: watcher follow s1f2e3d4c5b --stop")],
)  # fmt: skip
def test_what_cannot_be_followed_is_refused_as_by_watcher_story(watcher, story, given, code, said):
    refused = watcher("follow", *given)

    assert refused[0] == code and said in refused[2]
    assert "Traceback" not in refused[2]


def test_the_edition_that_begins_with_a_followed_story_is_replayed_and_proved(watcher, story, engine, put, tmp_path):
    write(engine, set_followed, story.id, followed=True, now=MORNING)
    put("Quake7", QUAKE.format("at night, and 3,100 people sleep in tents"), MORNING + 9 * HOUR)
    edition(engine, 1)
    edition(engine, 2)
    write(engine, set_followed, story.id, followed=False, now=MORNING + 2 * DAY)

    written = watcher("replay", "2026-11-25", "--directory", str(tmp_path), "--format", "markdown")
    watcher("replay", "2026-11-26", "--directory", str(tmp_path), "--format", "markdown")
    checked = watcher("replay", "2026-11-25", "--directory", str(tmp_path), "--format", "markdown", "--check")
    proved = watcher("verify", "--all")

    told, quiet = ((tmp_path / f"2026-11-{day}.md").read_text(encoding="utf-8") for day in (25, 26))
    assert [written[0], checked[0], proved[0]] == [0, 0, 0]
    assert told.index("## Stories you follow") < told.index("### 1. [Quake shakes Tarvola]")
    assert "3,100 people" in told
    assert "## Stories you follow\n\n- [Quake shakes Tarvola](" in quiet
    assert "nothing new for 1 day)" in quiet
