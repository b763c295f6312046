"""`watcher keep`: keep a story or an article, list and search what is kept, write it as notes, stop."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_story import HOUR, MORNING, QUAKE, edition

pytestmark = pytest.mark.slow  # together they take some seconds


@pytest.fixture
def story(put, engine):
    """Return the story of an edition: two reports of a quake."""
    for n in range(2):
        put(f"Quake{n}", QUAKE.format(f"to *reporter* {n}"), MORNING - (n + 5) * HOUR)
    return edition(engine).stories[0]


def test_a_story_and_an_article_are_kept_listed_and_no_longer_kept(watcher, story):
    article = story.article_ids[0]

    first = watcher("keep", "1", "--tag", "energy", "--note", "Ask for the minutes.")
    again = watcher("keep", story.id)
    other = watcher("keep", article)
    listed = watcher("keep", "--search", "minutes")[1]
    rows = json.loads(watcher("keep", "--json")[1])
    stopped = watcher("keep", story.anchor, "--stop"), watcher("keep", article, "--stop")
    empty = watcher("keep")

    assert first == (0, f"You keep the story {story.id}: {story.title}\n", "")
    assert again[1].startswith(f"You already keep the story {story.id}: ")
    assert other[1].startswith(f"You keep the article {article}: ")
    assert listed.startswith(f"{story.id}  {story.title} (") and "#energy\n    Ask for the minutes.\n" in listed
    assert article not in listed
    assert [(row["kind"], row["id"], row["tags"], row["note"]) for row in rows] == [
        ("article", article, [], ""), ("story", story.id, ["energy"], "Ask for the minutes.")
    ]  # fmt: skip
    assert [out[:20] for _, out, _ in stopped] == ["You no longer keep t"] * 2
    assert empty[1] == "nothing is kept; watcher keep STORY keeps a story, watcher keep URL an article\n"


def test_notes_for_a_vault_have_front_matter_and_are_never_written_over(watcher, story, tmp_path):
    watcher("keep", "1", "--tag", "a: b", "--note", "# no heading")
    watcher("keep", story.article_ids[0])

    said = watcher("keep", "--vault", str(tmp_path / "vault"))[1]
    texts = {path.name: path.read_text() for path in (tmp_path / "vault").iterdir()}
    (of_story,) = [text for name, text in texts.items() if story.id in name]
    (of_article,) = [text for name, text in texts.items() if story.id not in name]
    for path in (tmp_path / "vault").iterdir():
        path.write_text("mine")
    again = watcher("keep", "--vault", str(tmp_path / "vault"))[1]

    front = [line.partition(": ")[2] for line in of_story.split("---")[1].splitlines()]
    assert [json.loads(front[n]) for n in (1, 4, 5)] == [story.title, story.id, ["a: b"]]
    assert "\n\\# no heading\n" in of_story and of_story.count("\n- [") == 1  # two copies of one report
    assert '\noutlet: "Quake' in of_article
    assert "\\*reporter\\*" in of_article
    assert said == f"{tmp_path / 'vault'}: 2 notes written\n"
    assert again == f"{tmp_path / 'vault'}: 0 notes written, 2 already there\n"
    assert {path.read_text() for path in (tmp_path / "vault").iterdir()} == {"mine"}


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [(["s000000000"], 1, "there is no story 's000000000'"), (["--stop"], 2, "needs a story or an article"),
     (["1", "--search", "x"], 2, "is for the list"), (["--note", "x"], 2, "watcher keep 3 --note")],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_in_words(watcher, story, given, code, said):
    refused = watcher("keep", *given)

    assert refused[0] == code and said in refused[2]


def test_json_of_what_is_kept_no_longer_has_no_time(watcher, story):
    outputs = [json.loads(watcher(*line, "--json")[1]) for line in (("keep", "1"), ("keep", "1", "--stop"))]

    assert [(output["kept"], output["changed"], bool(output["kept_at"])) for output in outputs] == [
        (True, True, True),
        (False, True, False),
    ]
