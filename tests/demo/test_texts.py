"""The sample press's texts: how many there are, and that the labels tell the truth about them."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import pytest

from tests.demo_press import Label, is_broken, label_of, labels
from watcher.demo.model import _edit_report, library

COPY_SHARE = 0.60  # of its word 5-grams, that a copy has from any other of its report, at least
INDEPENDENT_SHARE = 0.15  # at most, between reports of one story in one language
SPACELESS = {"ja", "zh"}
LAST_DAY = 2


def grams(label: Label) -> set[tuple[str, ...]]:
    words = list(label.text) if label.language in SPACELESS else label.text.lower().split()
    return {tuple(words[n : n + 5]) for n in range(len(words) - 4)}


def share(one: Label, other: Label) -> float:
    """Return how much of the shorter text stands in the longer."""
    first, second = grams(one), grams(other)
    return len(first & second) / min(len(first), len(second))


def by(field: str, *, day: int = LAST_DAY) -> dict[str, list[Label]]:
    groups = defaultdict(list)
    for label in labels(day).values():
        groups[getattr(label, field)].append(label)
    return groups


def test_the_press_is_as_large_as_it_was_promised():
    assert len([outlet for outlet in library().outlets if not is_broken(outlet)]) >= 14
    assert len(by("language", day=1)) >= 8
    assert {"en", "fr", "de", "es", "pt", "ru", "ar", "ja"} <= set(by("language"))
    assert len(labels()) >= 60
    assert len(by("story", day=1)) >= 16
    assert sum(len(group) >= 2 for group in by("report").values()) >= 4
    assert sum(len({label.language for label in group}) >= 3 for group in by("story").values()) >= 5


def test_every_piece_has_one_label_and_a_key_of_its_own():
    assert len(labels(LAST_DAY)) == len(library().pieces)
    assert {label_of(piece).key for piece in library().pieces} == set(labels(LAST_DAY))


def test_a_report_belongs_to_one_story_and_one_language():
    for group in by("report").values():
        assert len({(label.story, label.language, label.agency) for label in group}) == 1


def test_no_outlet_prints_one_story_twice_in_a_day():
    for group in by("story").values():
        outlets = [(label.outlet, label.day) for label in group if label.kind == "article"]

        assert len(outlets) == len(set(outlets))


def test_copies_of_a_report_share_its_text():
    for report, group in by("report").items():
        for one, other in combinations(group, 2):
            assert share(one, other) >= COPY_SHARE, (report, one.outlet, other.outlet)


def test_copies_of_a_report_have_headlines_of_their_own():
    for report, group in by("report").items():
        assert len({label.title for label in group}) == len(group), report


def test_independent_reports_of_a_story_share_little():
    for story, group in by("story").items():
        for one, other in combinations(group, 2):
            if one.report != other.report and one.language == other.language:
                assert share(one, other) < INDEPENDENT_SHARE, (story, one.outlet, other.outlet)


def test_every_article_is_a_text_of_some_length():
    for key, label in labels(LAST_DAY).items():
        length = len(label.text) / 2 if label.language in SPACELESS else len(label.text.split())

        assert 80 <= length <= 300 or label.kind == "gallery", (key, length)


def test_most_is_of_the_last_day_and_some_is_older():
    hours = [label.hours for label in labels().values()]

    assert all(0 < h <= 22 or h >= 30 for h in hours)
    assert sum(h >= 30 for h in hours) >= 3


def test_the_second_day_goes_on_with_stories_and_begins_one():
    first, second = by("story", day=1), {label.story for label in labels(2).values() if label.day == 2}

    assert len(second & set(first)) >= 3
    assert second - set(first)


def test_a_correction_is_made_on_the_next_day():
    corrected = {key: label for key, label in labels(2).items() if label.corrections}

    assert corrected
    for key, label in corrected.items():
        for old, new in label.corrections:
            assert old in labels(1)[key].text
            assert old not in label.text
            assert new in label.text


def test_an_edit_that_finds_nothing_is_an_error():
    report, row = {"text": "A bridge opens."}, {"path": "/path", "edits": [["ferry", "boat"]]}

    with pytest.raises(ValueError, match="no 'ferry' to edit"):
        _edit_report(library().outlets[0], "story", report, row)


@pytest.mark.parametrize("trap", ["related", "newsletter", "twin", "redirect", "missing", "paywall", "undated"])
def test_every_trap_is_set_somewhere(trap):
    assert any(trap in label.traps for label in labels().values())


@pytest.mark.parametrize("kind", ["live", "gallery", "roundup"])
def test_every_kind_of_piece_is_there(kind):
    assert any(label.kind == kind for label in labels().values())
