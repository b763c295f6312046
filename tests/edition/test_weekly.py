"""A weekly digest on a store: a week's window, and the corrections of what other digests cited in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from digests.cli.verify import _check_edition
from digests.edition.schedule import EditionRequest, _edition_at, edition_window
from digests.settings.digests import DigestSettings
from tests.edition.factory import make_edition
from watcher.model import Revision
from watcher.store.pages import record_recheck
from watcher.store.writer import write

WORLD = DigestSettings.model_validate({"name": "world"}, context={})
WEEK = DigestSettings.model_validate({"name": "week", "kind": "week", "at": "18:00"}, context={})
SUNDAY = date(2026, 11, 29)
GATES = "Barrage of Orlen opened. Engineers opened 56 gates of the Orlen barrage, officials said."
TEXT = "{0} struck the valley of Orlen on {1}. A {0} struck the valley of Orlen on {1} and {2} people left home."


def make(engine, digest: DigestSettings, day: date):
    due = _edition_at(digest, day, digest.at[0])
    start, end = edition_window(engine, digest, end=due.due_at, due_at=due.due_at)
    request = EditionRequest(local_date=day, window_start=start, window_end=end, slot=due.key.slot)
    made = make_edition(engine, digest, request, now=due.due_at)
    assert made is not None
    return made


def test_a_weekly_edition_covers_its_week_and_corrects_what_other_digests_cited_in_it(engine, put):
    monday = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    first = put("Herald", TEXT.format("Flood", "Monday", 300), monday)
    put("Courier", TEXT.format("Flood", "Monday", 300), monday + timedelta(minutes=10))
    put("Herald", GATES, monday + timedelta(days=2))
    cited = make(engine, WORLD, monday.date())
    assert first.id in {key for story in cited.stories for key in story.article_ids}
    changed = first.text.replace("300", "30")
    at = monday + timedelta(days=1)
    found = Revision(article_id=first.id, at=at, kind="changed", title=first.title, text=changed)
    write(engine, record_recheck, first.id, now=at, revision=found)

    edition = make(engine, WEEK, SUNDAY)

    assert edition.window_end - edition.window_start == timedelta(days=7)
    assert edition.ledger.articles == 3
    assert [(each.article_id, each.cited_on) for each in edition.corrections] == [(first.id, monday.date())]
    assert _check_edition(engine, edition).faults == ()
    following = make(engine, WEEK, SUNDAY + timedelta(days=7))
    assert (following.window_start, following.corrections) == (edition.window_end, ())
