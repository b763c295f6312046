"""Opinion pieces in an edition: named under their story, counted as reports, or left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digests.edition.evidence import verify_with_store
from digests.edition.schedule import EditionRequest
from digests.edition.verify import verify
from digests.model.ledger import LeftOutKind
from digests.render.forms import render
from digests.settings.digests import DigestSettings
from digests.store.editions import cited_ids
from tests.edition.factory import make_edition
from watcher.store.articles import articles_by_id
from watcher.store.writer import read

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FLOODS = (
    (
        "Flood in Orlen drives 318 people from home in Marsk. The Orlen rose at Marsk by two metres on Monday, mayor "
        "Vera Tosk said. The mill stands under water up to its roof, and the bridge over the Orlen is gone."
    ),
    (
        "Orlen flood drives 318 people of Marsk from home. Vera Tosk, the mayor, asked for sandbags against the Orlen. "
        "Water stands in the mill of Marsk, and nobody can cross where the bridge was."
    ),
)
PIECE = (
    "Flood in Orlen: Vera Tosk failed the 318 people of Marsk. The Orlen took the mill of Marsk and the bridge because "
    "the mayor had no plan. Marsk deserves a dam, and people who were driven from home deserve an answer."
)


@pytest.fixture
def press(put):
    """Two reports of a flood, an opinion piece on it, one on nothing that is reported, and tips."""
    for n, text in enumerate(FLOODS):
        put(f"Herald{n}", text, NOW - (9 - n) * HOUR)
    put("Gull", PIECE, NOW - 5 * HOUR, kind="opinion")
    put("Crab", "Let the children sleep longer. School begins too early in winter. Ask any teacher.", kind="opinion")
    put(
        "Eel", "How to dry a carpet after a flood in Marsk. Lift it from the floor and let the wind in.", kind="service"
    )


def edition_of(engine, opinion="apart"):
    digest = DigestSettings.model_validate({"name": "world", "opinion": opinion}, context={})
    request = EditionRequest(local_date=NOW.date(), window_start=NOW - DAY, window_end=NOW, slot=None)
    return make_edition(engine, digest, request, now=NOW)


def flood_in(edition):
    (found,) = (each for each in edition.stories if "lood" in each.title)
    return found


def left_out(edition):
    return {each.kind: each.count for each in edition.ledger.left_out}


def test_an_opinion_piece_is_named_apart_and_the_edition_says_what_was_left_out(engine, press):
    edition = edition_of(engine)

    flood = flood_in(edition)
    assert (flood.outlets, flood.independent) == (2, 2)
    assert [each.outlet for each in flood.comments] == ["Gull"]
    assert "Gull" not in {each.outlet for each in (*flood.mentions, *flood.quoted)}
    assert (left_out(edition)[LeftOutKind.OPINION], left_out(edition)[LeftOutKind.SERVICE]) == (1, 1)
    assert read(engine, verify_with_store, edition, is_original=True) == ()


def test_a_digest_can_count_opinion_pieces_and_quotes_none(engine, press):
    edition = edition_of(engine, "count")

    flood = flood_in(edition)
    assert (flood.outlets, flood.independent, flood.comments) == (3, 3, ())
    assert "Gull" not in {sentence.outlet for sentence in flood.quoted}
    assert "gull" not in flood.url
    assert read(engine, verify_with_store, edition, is_original=True) == ()


def test_a_digest_can_leave_opinion_pieces_out(engine, press):
    edition = edition_of(engine, "leave-out")

    flood = flood_in(edition)
    assert (flood.outlets, flood.comments) == (2, ())
    assert left_out(edition)[LeftOutKind.OPINION] == 2


@pytest.mark.parametrize("form", ["markdown", "html", "text", "eml"])
def test_the_forms_name_the_outlets_of_opinion_pieces(engine, press, form):
    told = render(edition_of(engine), [form])[0].body.decode()

    assert "Comment:" in told
    assert "opinion pieces" in told


def test_a_comment_that_is_a_report_or_was_changed_is_found(engine, press):
    edition = edition_of(engine)
    flood = flood_in(edition)
    texts = read(engine, articles_by_id, cited_ids(edition))
    (comment,) = flood.comments

    def faults(story):
        (section,) = (each for each in edition.sections if flood in each.stories)
        stories = tuple(story if each == flood else each for each in section.stories)
        sections = tuple(replace(each, stories=stories) if each == section else each for each in edition.sections)
        return {fault.message for fault in verify(replace(edition, sections=sections), texts)}

    assert faults(flood) == set()
    report = replace(flood.mentions[0])
    assert "its article is counted as a report" in faults(replace(flood, comments=(report,)))
    assert "its outlet is named twice" in faults(replace(flood, comments=(comment, comment)))
    assert any("title" in each for each in faults(replace(flood, comments=(replace(comment, title="Dams!"),))))
