"""News that comes in too late for one edition: it is in the next, once, and told as new."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from digests.edition.load import LATE_ARTICLES
from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY
from tests.edition.factory import make_edition

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
DAY = date(2026, 11, 24)
FLOOD = "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home."
DAM = (
    "Flood strikes the valley of Orlen again. A flood struck the valley of Orlen on Monday and 300 people left home.\n"
    "Engineers opened all 56 gates of the Orlen barrage before dawn, the army said."
)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
MINUTE, DAYS = timedelta(minutes=1), timedelta(days=1)


def edition(engine, days: int = 0, **more):
    end = NOW + days * DAYS
    order = EditionRequest(local_date=DAY + days * DAYS, window_start=end - DAYS, window_end=end, slot=DAILY, **more)
    made = make_edition(engine, WORLD, order, now=end)
    assert made is not None
    return made


def ids(made) -> set[str]:
    return {key for story in made.stories for key in story.article_ids}


def test_an_article_published_before_an_edition_and_fetched_after_it_is_in_the_next_and_only_there(engine, put):
    late = put("Herald", FLOOD, NOW - 5 * MINUTE, NOW + 10 * MINUTE)

    monday, tuesday, wednesday = edition(engine), edition(engine, 1), edition(engine, 2)

    assert ids(monday) == set()
    assert ids(tuesday) == {late.id}
    assert (tuesday.ledger.articles, tuesday.ledger.late_articles) == (1, 1)
    assert (monday.ledger.late_articles, wednesday.ledger.late_articles) == (0, 0)
    assert ids(wednesday) == set()


def test_what_the_last_edition_showed_is_not_shown_again(engine, put):
    put("Herald", FLOOD, NOW - 5 * MINUTE)

    assert len(ids(edition(engine))) == 1
    assert ids(edition(engine, 1)) == set()


def test_what_is_older_than_the_window_by_more_than_a_day_stays_out(engine, put):
    edition(engine)
    put("Herald", FLOOD, NOW - LATE_ARTICLES - MINUTE, NOW + MINUTE)

    assert edition(engine, 1).ledger.articles == 0


def test_a_first_edition_holds_its_window_and_no_more(engine, put):
    put("Herald", FLOOD, NOW - DAYS - MINUTE, NOW - MINUTE)
    inside = put("Courier", FLOOD, NOW - DAYS, NOW - MINUTE)

    assert ids(edition(engine)) == {inside.id}


def test_a_window_that_the_reader_chose_is_kept_to(engine, put):
    edition(engine)
    put("Herald", FLOOD, NOW - MINUTE, NOW + MINUTE)

    assert edition(engine, 1, is_exact=True).ledger.articles == 0


def test_a_late_article_of_a_known_story_is_told_as_new(engine, put):
    put("Herald", FLOOD, NOW - 60 * MINUTE)
    edition(engine)
    put("Courier", DAM, NOW - 5 * MINUTE, NOW + 10 * MINUTE)

    (story,) = edition(engine, 1).stories

    assert story.status == "developing"
    assert [s.text for s in story.updates] == [
        "Engineers opened all 56 gates of the Orlen barrage before dawn, the army said."
    ]
