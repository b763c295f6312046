"""What the reader follows: it is kept when stories are joined, split and continued, and when old ones are removed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from digests.edition.schedule import EditionRequest
from digests.errors import DigestError
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY
from digests.store.maintenance import drop_stories
from digests.store.stories import revoke
from digests.store.story_rows import load_story
from digests.stories.follows import followed_threads, load_followed, set_followed
from digests.stories.user_corrections import join, split
from tests.edition.factory import make_edition
from watcher.store.retention import drop_articles
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # together they take some seconds

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUAKE = "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, Henrik Oster said {}."
CHESS = (
    "Brindle wins the Varga cup. Chess players of Brindle won the Varga cup in Lunden by a rook, Petra Moll said {}."
)
AGAIN = (
    "Second quake shakes Tarvola. A quake of magnitude 5.1 shook Tarvola in the Dressel valley, Henrik Oster said {}. "
    "Some 2,300 people now sleep in tents, and engineers closed the bridge."
)


def digest(**given) -> DigestSettings:
    return DigestSettings.model_validate({"name": "world"} | given, context={})


def edition(engine, days: float = 0, **given):
    end = MORNING + days * DAY
    order = EditionRequest(
        local_date=date(2026, 11, 24) + timedelta(days=int(days)), window_start=end - DAY, window_end=end, slot=DAILY
    )
    return make_edition(engine, digest(**given), order, now=end)


def follow(engine, story, *, followed=True, now=MORNING):
    return write(engine, set_followed, story, followed=followed, now=now)


def followed_ids(engine) -> set[str]:
    return {row.id for _, _, row in read(engine, load_followed)}


@pytest.fixture
def press(put, engine):
    """Three reports of a quake and two of a chess club, in stories; return (ids of quake, articles of quake, …)."""
    quake = [put(f"Quake{n}", QUAKE.format(f"to reporter {n}"), MORNING - (n + 2) * HOUR) for n in range(3)]
    chess = [put(f"Chess{n}", CHESS.format(f"to reporter {n}"), MORNING - (n + 6) * HOUR) for n in range(2)]
    made = edition(engine)
    home = {key: story.id for story in made.stories for key in story.article_ids}
    return home[quake[0].id], home[chess[0].id], quake, chess


def test_a_story_is_followed_once_and_stopped_once(engine, press):
    quake, *_ = press

    done = [follow(engine, quake)[1], follow(engine, quake[:6], now=MORNING + HOUR)[1]]
    held = read(engine, load_followed)
    stopped = [follow(engine, quake, followed=False)[1] for _ in range(2)]

    assert (done, stopped) == ([True, False], [True, False])
    assert [(key, since, row.id) for key, since, row in held] == [(quake, MORNING, quake)]
    assert read(engine, load_followed) == []


def test_an_id_that_is_no_story_is_refused(engine, press):
    with pytest.raises(DigestError, match="there is no story 's000000000'"):
        follow(engine, "s000000000")


def test_a_join_and_its_end_keep_a_story_followed(engine, press):
    quake, chess, *_ = press
    follow(engine, chess)

    number = write(engine, join, quake, chess, now=MORNING).number
    joined = followed_ids(engine)
    write(engine, revoke, number, now=MORNING + HOUR)
    edition(engine, 1)

    assert joined == {quake}
    assert followed_ids(engine) == {chess}


def test_two_followed_stories_that_are_joined_are_one_and_stopped_as_one(engine, press):
    quake, chess, *_ = press
    for each in (quake, chess):
        follow(engine, each)

    write(engine, join, quake, chess, now=MORNING)

    assert len(read(engine, followed_threads, before=MORNING + DAY, outlets=None)) == 1
    assert follow(engine, chess, followed=False)[1]
    assert read(engine, load_followed) == []


def test_a_split_keeps_both_parts_followed(engine, press):
    quake, _, (first, *_), _ = press
    follow(engine, quake)

    parts = write(engine, split, quake, [first.id], now=MORNING).stories
    threads = read(engine, followed_threads, before=MORNING + DAY, outlets=None)

    assert {part.thread for part in parts} == set(threads)
    assert follow(engine, parts[1].id)[1] is False


def test_a_followed_story_is_first_in_the_next_edition_though_its_words_are_muted(engine, press, put):
    quake, *_ = press
    for n in range(3):
        put(f"Club{n}", CHESS.format(f"to fan {n} and 31 guests"), MORNING + (n + 2) * HOUR)
    put("Quake8", QUAKE.format("in the evening, and 3,100 people sleep in tents"), MORNING + 9 * HOUR)
    follow(engine, quake, now=MORNING + HOUR)

    made = edition(engine, 1, mute=("quake", "brindle"))

    assert [story.id for story in made.stories] == [quake]
    assert (made.sections[0].title, made.sections[0].followed) == ("Stories you follow", True)
    assert any("3,100 people" in sentence.text for sentence in made.stories[0].updates)


def test_a_muted_outlet_stays_out_of_a_followed_story_that_the_others_tell(engine, press, put):
    quake, *_ = press
    for outlet in ("Quake8", "Quake9"):
        put(outlet, QUAKE.format(f"in the evening to {outlet}, and 3,100 people sleep in tents"), MORNING + 9 * HOUR)
    follow(engine, quake, now=MORNING + HOUR)

    (story,) = edition(engine, 1, mute=({"sources": ["Quake9"]},)).stories
    everything = {"sources": [f"Quake{n}" for n in (0, 1, 2, 8, 9)]}
    put("Club3", CHESS.format("to fan 3 and 31 guests"), MORNING + 30 * HOUR)
    without = edition(engine, 2, mute=(everything,))

    assert story.id == quake
    assert [key.partition("-")[0] for key in story.article_ids] == ["quake8"]
    assert quake not in {shown.id for shown in (*without.stories, *without.briefs)}


def test_the_stories_that_continue_a_followed_one_are_followed_too(engine, press, put):
    quake, *_ = press
    follow(engine, quake)
    write(engine, drop_articles, before=MORNING + 5 * DAY, after=None, limit=100)
    for n in range(3):
        put(f"Again{n}", AGAIN.format(f"to reporter {n}"), MORNING + 7 * DAY + (n + 2) * HOUR)

    made = edition(engine, 8)
    (shown,) = made.stories

    assert shown.id != quake and shown.thread == read(engine, load_story, quake).thread
    assert made.sections[0].followed
    assert followed_ids(engine) == {shown.id}


def test_days_without_a_report_are_counted(engine, press):
    _, chess, *_ = press
    follow(engine, chess, now=MORNING + HOUR)

    made = [edition(engine, days) for days in (1, 3, 14, 15)]

    lines = [[(brief.id, brief.quiet_days) for brief in each.briefs if brief.quiet_days is not None] for each in made]
    assert lines == [[(chess, 1)], [(chess, 3)], [(chess, 14)], []]
    assert followed_ids(engine) == {chess}


def test_a_digest_of_some_sources_lists_only_what_these_have_reported(engine, press):
    quake, chess, (*_, last), _ = press
    for each in (quake, chess):
        follow(engine, each)

    of_one = read(engine, followed_threads, before=MORNING + DAY, outlets={"Quake2"})
    ((brief, at),) = of_one.values()

    assert (brief.id, brief.outlet, at) == (quake, "Quake2", last.published_at)
    assert read(engine, followed_threads, before=MORNING - DAY, outlets=None) == {}


def test_a_digest_on_a_subject_lists_only_the_followed_stories_on_it(engine, press):
    quake, chess, *_ = press
    for each in (quake, chess):
        follow(engine, each)

    made = edition(engine, 1, only=["rook*"])

    assert [brief.id for brief in made.briefs if brief.quiet_days is not None] == [chess]


def test_the_row_of_a_followed_story_is_kept_when_old_stories_are_removed(engine, press):
    quake, *_ = press
    follow(engine, quake)
    write(engine, drop_articles, before=MORNING + DAY, after=None, limit=100)

    write(engine, drop_stories, None, 100, before=MORNING + 99 * DAY)

    assert followed_ids(engine) >= {quake}
