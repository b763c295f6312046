"""The largest story's share: of reports, not of copies; an alarm where it is more than an event should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digests import edition_json
from digests.compose.edition import MIN_WINDOW_REPORTS, OVERSIZED_SHARE, _find_largest_story
from digests.model.ledger import LargestStory
from tests.compose.factories import article, by_id, story
from tests.render.editions import small


def day(*sizes: int, copies: int = 1):
    """Return stories of so many reports each, the reports of the first with `copies` articles."""
    stories, everything = [], []
    for n, size in enumerate(sizes):
        reports = [
            [article(f"P{n}-{m}-{k}", f"Event {n}", f"Text {m}") for k in range(copies if n == 0 else 1)]
            for m in range(size)
        ]
        stories.append(story(*reports))
        everything += [one for report in reports for one in report]
    return stories, by_id(*everything)


def test_the_share_is_of_the_reports_of_the_window():
    stories, inside = day(6, 3, 1)

    found = _find_largest_story(stories, inside)

    assert (found.id, found.reports, found.of_reports, found.share) == (stories[0].id, 6, 10, 0.6)
    assert not found.is_oversized  # ten reports are a small window


def test_copies_of_one_text_are_no_giant():
    stories, inside = day(*[1] * MIN_WINDOW_REPORTS, copies=80)

    found = _find_largest_story(stories, inside)

    assert (found.articles, found.reports, found.is_oversized) == (80, 1, False)


def test_reports_of_an_earlier_day_do_not_count():
    stories, inside = day(6, 3)
    rest = {key: one for key, one in inside.items() if key not in set(stories[0].articles[1:])}

    found = _find_largest_story(stories, rest)

    assert (found.id, found.reports, found.of_reports) == (stories[1].id, 3, 4)


@pytest.mark.parametrize(
    ("giant", "alone", "alarm"),
    [(26, 74, True), (25, 75, False), (26, 73, False), (90, 10, True), (2, 500, False)],
)
def test_more_than_a_quarter_of_a_hundred_reports_is_an_alarm(giant, alone, alarm):
    assert (OVERSIZED_SHARE, MIN_WINDOW_REPORTS) == (0.25, 100)
    stories, inside = day(giant, *[1] * alone)

    assert _find_largest_story(stories, inside).is_oversized is alarm
    assert _find_largest_story(stories[::-1], inside) == _find_largest_story(stories, inside)


def test_a_day_without_a_report_has_none():
    assert _find_largest_story([], {}) is None


def test_an_edition_keeps_it():
    edition = small()
    found = LargestStory(
        id="a", articles=40, reports=30, of_reports=100, share=0.3, is_oversized=True, title="Dam breaks"
    )
    given = replace(edition, ledger=replace(edition.ledger, largest=found))

    assert edition_json.load(edition_json.dump(given)) == given
