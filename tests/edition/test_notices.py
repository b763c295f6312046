"""Editions of stories with a report that its outlet corrected or took back, or with a claim that others reject."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digests import edition_json
from digests.edition.evidence import verify_with_store
from digests.edition.llm_summary import _load_revised_articles
from digests.edition.schedule import EditionRequest
from digests.mcp.answers import show_edition
from digests.render.forms import render
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY
from tests.edition.factory import make_edition
from watcher.model import Revision
from watcher.store.pages import record_recheck
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
WRONG = (
    "Guards search the prison of Kot Lakhpat in Lahore after 19 men flee. Guards searched the prison of Kot Lakhpat in "
    "Lahore on Monday after 19 men had fled through a tunnel, warden Omar Dall said. Two of them were caught in a bus."
)
OTHERS = (
    (
        "Guards search Adiala prison after 19 men flee through a tunnel in Lahore. Warden Omar Dall said in Lahore "
        "that 19 men had fled through a tunnel. Guards searched each cell of the prison of Adiala until Monday noon."
    ),
    (
        "Nineteen men flee from the prison of Adiala in Lahore by a tunnel. The 19 men fled from the prison through a "
        "tunnel of forty metres, warden Omar Dall said. Guards searched the prison and the streets of Lahore around it."
    ),
)
NOTICE = "Correction: Lahore prison story"
NOTICE_TEXT = "In a story on Monday on 19 men who fled from a prison in Lahore, the name of the prison was wrong."
CLAIM = (
    "Doctor Paul Zang of Milan says the Tarva virus has become much less lethal. The Tarva virus has become much less "
    "lethal, doctor Paul Zang of the clinic in Milan said on Sunday. He had looked at the swabs of ninety patients."
)
REJECTED = "World health office rejects claim that Tarva virus is less lethal"


@pytest.fixture
def prison(put):
    """A wrong report and a copy of it, two right ones, and the notice of the outlet that was wrong."""
    wrong = [put("Wire", WRONG, NOW - 9 * HOUR), put("Echo", WRONG, NOW - 8 * HOUR)]
    for n, text in enumerate(OTHERS):
        put(f"Herald{n}", text, NOW - (7 - n) * HOUR)
    put("Wire", f"{NOTICE_TEXT} {WRONG.partition('. ')[2]}", NOW - 4 * HOUR, title=NOTICE)
    return [article.id for article in wrong]


def edition_of(engine, slot=None):
    request = EditionRequest(local_date=NOW.date(), window_start=NOW - DAY, window_end=NOW, slot=slot)
    return make_edition(engine, WORLD, request, now=NOW)


def lead(edition):
    return next(story for story in edition.stories if story.number == 1)


def test_a_corrected_report_and_its_copy_are_neither_headline_nor_quote(engine, prison):
    edition = edition_of(engine)
    story = lead(edition)

    assert story.outlets == 4
    assert "Kot Lakhpat" not in story.title
    assert not any("Kot Lakhpat" in sentence.text for sentence in story.quoted)
    (notice,) = story.notices
    assert (notice.kind, notice.text, notice.outlet) == ("corrected", NOTICE, "Wire")
    assert set(prison) <= set(notice.withheld)
    assert read(engine, verify_with_store, edition, is_original=False) == ()
    assert edition_json.load(edition_json.dump(edition)) == edition


@pytest.mark.parametrize(("form", "mark"), [("markdown", "**"), ("html", ""), ("text", ""), ("eml", "")])
def test_the_correction_is_a_line_of_the_story_in_each_form(engine, prison, form, mark):
    told = render(edition_of(engine), [form])[0].body.decode()

    assert f"Corrected:{mark}" in told.replace("</strong>", "").replace("</b>", "")
    assert NOTICE in told


@pytest.mark.parametrize(
    ("language", "label"), [("de", "Berichtigt"), ("fr", "Rectifié"), ("ar", "تصحيح"), ("zh", "已更正")]
)
def test_the_label_of_a_correction_is_in_the_language_of_the_edition(engine, prison, language, label):
    told = render(replace(edition_of(engine), language=language), ["markdown"])[0].body.decode()

    assert f"**{label}" in told


def test_an_agent_is_told_the_correction_and_the_counts_of_the_edition(engine, prison):
    story = lead(edition_of(engine, slot=DAILY))

    answer = read(engine, show_edition, "world", "latest")

    (first,) = (each for each in answer["stories"] if each["story"] == story.id)
    assert [(each["kind"], each["text"]) for each in first["notices"]] == [("corrected", NOTICE)]
    assert (first["outlets"], first["independent"]) == (story.outlets, story.independent)


def test_no_model_reads_a_report_that_is_withheld(engine, prison):
    edition = edition_of(engine)

    articles = read(engine, _load_revised_articles, edition)

    assert lead(edition).withheld.isdisjoint(articles)
    assert len(articles) == 2


def test_a_page_that_its_outlet_took_back_is_not_told_and_the_line_says_when(engine, put):
    wrong = put("Wire", WRONG, NOW - 9 * HOUR)
    put("Echo", WRONG, NOW - 8 * HOUR)
    for n, text in enumerate(OTHERS):
        put(f"Herald{n}", text, NOW - (7 - n) * HOUR)
    said = "This story has been withdrawn, as the name of the prison was wrong."
    change = Revision(article_id=wrong.id, at=NOW - 2 * HOUR, kind="changed", title=wrong.title, text=said)
    write(engine, record_recheck, change.article_id, now=change.at, revision=change)

    edition = edition_of(engine)

    (notice,) = lead(edition).notices
    assert (notice.kind, notice.text, notice.published_at) == ("withdrawn", said, change.at)
    assert not any("Kot Lakhpat" in text for text in (lead(edition).title, *(s.text for s in lead(edition).quoted)))
    assert read(engine, verify_with_store, edition, is_original=False) == ()


def test_a_claim_that_others_reject_is_not_told_without_the_rejection(engine, put):
    for n in range(3):
        put(f"Gazette{n}", CLAIM, NOW - (9 - n) * HOUR)
    for n in range(2):
        text = (
            f"{REJECTED} {n}. The world health office said on Monday that there was no sign that the Tarva virus is "
            "less lethal. Doctor Paul Zang of Milan had said so after a look at the swabs of ninety patients."
        )
        put(f"Times{n}", text, NOW - (5 - n) * HOUR, title=REJECTED)

    edition = edition_of(engine)

    story = lead(edition)
    assert story.title == REJECTED
    assert {sentence.outlet[:5] for sentence in story.quoted} <= {"Times"}
    assert len(story.rejected) == 3
    assert read(engine, verify_with_store, edition, is_original=False) == ()


def test_verify_names_a_notice_that_was_left_out_or_changed_and_a_report_told_in_spite_of_it(engine, prison):
    edition = edition_of(engine)
    story = lead(edition)

    def faults(**values):
        sections = (replace(edition.sections[0], stories=(replace(story, **values),)), *edition.sections[1:])
        changed = replace(edition, sections=sections)
        return " ".join(fault.message for fault in read(engine, verify_with_store, changed, is_original=False))

    assert "notices of outlets: none" in faults(notices=())
    assert "it is not in its article" in faults(notices=(replace(story.notices[0], text="Nothing was wrong."),))
    everything = replace(story.notices[0], withheld=story.article_ids)
    assert "its report was corrected" in faults(notices=(everything,))
