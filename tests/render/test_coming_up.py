"""The lines on events to come: in every form, each with its day, its outlet and the day of the report."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import html as lxml_html

from digests.edition_json import dump, load
from digests.model.coming_event import ComingEvent
from digests.model.edition import Edition
from digests.model.edition_story import Brief
from digests.render.edition_view import edition_view
from digests.render.forms import render
from digests.render.localizer import make_localizer
from tests.render.pieces import sentence
from tests.render.test_markdown import HOSTILE
from tests.render.test_moved import FORMS, shown

QUOTE = "About 4,000 people were taken to schools and a sports hall in the next town, the governor said on Thursday."


def with_events(edition: Edition, *events: dict) -> Edition:
    """Return an edition with events to come; each has the fields given, and the others of one on 20 March."""
    usual = {"kind": "announced", "on": date(2025, 3, 20), "sentence": sentence(1), "thread": "", "outlets": 2}
    usual["story"] = edition.stories[0].id
    made = [
        ComingEvent(id=str(at), **{"until": {**usual, **fields}["on"], **usual, **fields})
        for at, fields in enumerate(events)
    ]
    return replace(edition, coming_up=tuple(made))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_lines_behind_the_stories(editions, form):
    today = editions.small().local_date
    moved = {"kind": "moved", "moved_from": date(2025, 3, 19), "change": sentence(1)}
    edition = with_events(
        editions.small(),
        {"on": today},
        {},
        {"until": date(2025, 3, 22)},
        {"on": date(2025, 4, 1), "until": date(2025, 4, 30)},
        moved,
        {"kind": "off", "change": sentence(1)},
        {"on": date(2025, 3, 21), "is_shown": False},
        {"on": today, "begins_at": datetime(2025, 3, 14, 18, tzinfo=UTC)},
        {"on": date(2025, 3, 23), "begins_at": datetime(2025, 3, 23, 14, tzinfo=UTC)},
    )

    text = shown(edition, form)

    lines = text[text.lower().index("coming up") :]
    for label in (
        "Today, announced on 14 March",
        "20 March",
        "20–22 Mar",
        "Today, 19:00 CET, announced on 14 March",
        "23 March, 15:00 CET",
        "April",
        "Moved from 19 March to 20 March",
        "Put off or called off, announced for 20 March",
    ):
        assert f"{label}: {QUOTE} — Harbour Gazette, 14 March" in lines
    assert "21 March" not in lines


def test_a_line_leads_to_the_story_under_which_its_own_is_listed(editions):
    edition = editions.small()
    first, *others = edition.sections[0].stories
    counts = {"outlets": 1, "independent": 1, "article_ids": ("x",)}
    line = Brief(id="listed", title="Ruling read", url="https://a.example/1", outlet="Alpha", language="en", **counts)
    told = replace(first, related=(*first.related, line))
    section = replace(edition.sections[0], stories=(told, *others))
    edition = replace(edition, sections=(section, *edition.sections[1:]))

    events = ({"story": "listed"}, {"story": "gone"})
    lines = edition_view(with_events(edition, *events)).coming_up

    assert [line.anchor for line in lines] == [told.anchor, ""]


def test_a_line_leads_to_its_story_in_full_only(editions):
    edition = with_events(editions.small(), {}, {"story": "other"})

    page = lxml_html.document_fromstring(render(edition, ["html"])[0].body.decode())
    with zipfile.ZipFile(io.BytesIO(render(edition, ["epub"])[0].body)) as book:
        rest = book.read("EPUB/rest.xhtml").decode()
        stories = "".join(book.read(name).decode() for name in book.namelist() if "story-" in name)

    assert page.xpath("//li/a[starts-with(@href, '#story-of-1')]")
    assert len(page.xpath("//li/a[starts-with(@href, '#') and contains(text(), '4,000 people were')]")) == 1
    assert rest.count(QUOTE[:30]) == 2 and "Coming up" in rest and "Coming up" not in stories


def test_an_edition_without_events_has_no_heading_for_them(editions):
    assert all("coming up" not in shown(editions.small(), form).lower() for form in FORMS)


def test_text_of_an_outlet_is_shown_as_text(editions):
    made = with_events(editions.small(), {"sentence": replace(sentence(1), text=" ".join(HOSTILE))})

    page = render(made, ["html"])[0].body.decode()

    assert "<script>" not in page.split("</style>")[-1]


def test_an_edition_stored_without_events_loads_with_none(editions):
    edition = with_events(editions.small(), {})
    old = dump(replace(edition, coming_up=())).replace(b'"coming_up":[],', b"").replace(b'"coming_up": [],', b"")

    assert load(dump(edition)) == edition
    assert b"coming_up" not in old and load(old).coming_up == ()


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr", "it", "pt", "ru", "uk", "zh"])
def test_days_are_said_in_each_language(editions, language):
    words = make_localizer(language, editions.small().window_end.tzinfo, date(2025, 3, 14))
    made = with_events(replace(editions.small(), language=language), {})

    (line,) = edition_view(made).coming_up

    assert line.label == words.short_date(date(2025, 3, 20))
