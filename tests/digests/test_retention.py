"""What is old goes; what a kept edition rests on stays, so that it can be proved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from digests.edition.schedule import EditionRequest
from digests.edition.verify import verify
from digests.settings.digests import DigestSettings
from digests.store.editions import cited_ids, get_edition, next_number
from digests.store.keys import DAILY
from digests.store.maintenance import DATES_KEPT, drop_editions, drop_stories
from digests.store.schema import editions, stories, story_articles, story_changes
from tests.edition.factory import make_edition
from watcher.store.articles import articles_by_id
from watcher.store.retention import drop_articles
from watcher.store.schema import articles, pins
from watcher.store.writer import read, write

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
FIRST = date(2026, 11, 24)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = MORNING + 500 * DAY
QUAKE = "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola, mayor Henrik Oster said. {}"


def digest(stories: int = 1) -> DigestSettings:
    return DigestSettings.model_validate({"name": "world", "stories": stories, "briefs": 0}, context={})


def edition(engine, days: int = 0, stories: int = 1):
    end = MORNING + days * DAY
    order = EditionRequest(local_date=FIRST + days * DAY, window_start=end - DAY, window_end=end, slot=DAILY)
    return make_edition(engine, digest(stories), order, now=end)


def count(engine, table) -> int:
    return read(engine, lambda c: c.scalar(select(func.count()).select_from(table)))


@pytest.fixture
def press(put):
    """Two reports of one event, which the edition tells, and one of another, for which it has no room."""
    put("Alpha", QUAKE.format("Nobody was hurt, and trains run."), MORNING - 3 * HOUR)
    put("Beta", QUAKE.format("Schools in the valley are closed."), MORNING - 2 * HOUR)
    put("Gamma", "Chess club wins. The club of Brindle won the cup of Lunden.", MORNING - HOUR)


def test_what_a_kept_edition_cites_stays_and_proves_it(engine, press):
    made = edition(engine)

    write(engine, drop_articles, before=LATER, after=None, limit=100)

    cited = cited_ids(made)
    assert (count(engine, articles), len(cited)) == (2, 2)
    assert verify(made, read(engine, articles_by_id, cited)) == ()


@pytest.mark.slow
def test_an_edition_that_goes_frees_its_articles_and_those_of_the_latest_dates_stay(engine, put):
    for n in range(DATES_KEPT + 2):
        put("Alpha", QUAKE.format(f"Engineers closed bridge {n + 20} over the Dressel."), MORNING + n * DAY - HOUR)
        edition(engine, n)

    done = write(engine, drop_editions, None, before=LATER, limit=100)

    assert (done.removed, count(engine, editions)) == (2, DATES_KEPT)
    assert read(engine, get_edition, "world", local_date=FIRST) is None
    write(engine, drop_articles, before=LATER, after=None, limit=100)
    assert count(engine, articles) < DATES_KEPT + 2
    assert len(set(read(engine, lambda c: c.scalars(select(pins.c.pinned_by)).all()))) == DATES_KEPT


def test_numbers_go_on_when_the_first_editions_are_gone(engine):
    for n in range(DATES_KEPT + 3):
        edition(engine, n)
    before = read(engine, next_number, "world", now=MORNING)

    write(engine, drop_editions, None, before=LATER, limit=100)

    assert (before, read(engine, next_number, "world", now=MORNING)) == (DATES_KEPT + 4,) * 2


def test_a_young_edition_stays(engine):
    edition(engine)

    assert write(engine, drop_editions, None, before=MORNING, limit=9).removed == 0


def test_stories_go_with_their_last_article(engine, press):
    edition(engine)
    assert count(engine, stories) == 2
    young = write(engine, drop_stories, before=MORNING - 9 * HOUR, after=None, limit=9)
    write(engine, drop_articles, before=LATER, after=None, limit=100)

    old = write(engine, drop_stories, before=LATER, after=None, limit=9)

    assert (young.removed, old.removed, old.resume_after) == (0, 1, None)
    assert (count(engine, stories), count(engine, story_articles)) == (1, 2)


def test_what_became_of_a_story_goes_with_it(engine, press):
    edition(engine)
    write(engine, drop_articles, before=LATER, after=None, limit=100)
    gone, stays = read(engine, lambda c: c.scalars(select(stories.c.id).order_by(stories.c.size, stories.c.id)).all())
    rows = [
        {"at": MORNING, "kind": "moved", "story_id": one, "other_id": other, "articles": [], "reason": "x"}
        for one, other in ((gone, stays), (stays, gone), (stays, stays))
    ]
    write(engine, lambda c: c.execute(story_changes.insert(), rows))

    write(engine, drop_stories, before=LATER, after=None, limit=9)

    assert read(engine, lambda c: c.scalars(select(story_changes.c.story_id)).all()) == [stays, stays]
