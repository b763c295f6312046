"""What has moved since the last edition, who differs, and what was corrected: in every form."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email import policy

import pytest
from lxml import html as lxml_html

from digests.render.edition_view import edition_view
from digests.render.forms import render

pytestmark = pytest.mark.slow

FORMS = ("markdown", "html", "text", "mail", "mail text")


def shown(edition, form: str) -> str:
    """The words of an edition in a form, as a reader sees them."""
    if form.startswith("mail"):
        message = email.message_from_bytes(render(edition, ["eml"])[0].body, policy=policy.default)
        source = message.get_body(("plain" if "text" in form else "html",)).get_content()
    else:
        source = render(edition, [form])[0].body.decode()
    if form in ("html", "mail"):
        source = lxml_html.document_fromstring(source).body.text_content()
    if "text" in form:  # addresses stand on lines of their own
        source = re.sub(r"\n  https?://\S+", "", source)
    if form == "markdown":
        source = re.sub(r"\[((?:\\.|[^\]\\])*)\]\([^)]*\)", r"\1", source)
        source = re.sub(r"\\(.)", r"\1", source).replace("**", "").replace("&lt;", "<").replace("&gt;", ">")
    return " ".join(source.replace("\xa0", " ").split())


@pytest.fixture(scope="module")
def told(editions) -> dict[str, str]:
    return {form: shown(editions.moved(), form) for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "words",
    [
        "Since yesterday: 59 → 78 people — Delta Observer, 03:30",
        "Killed: at least 15 (Diario de la Ribera, 01:30) → 19 (Le Quotidien des Dunes, 05:30, 4 outlets)",
        "Turnout: 35.5% (Delta Observer, 13 March, 19:30) → 63% (",
        "3 more outlets have the story: Nordvarden, Kıyı Postası and Harbour <b>Gazette</b>",
        "watched: ferry, dam *wall*",
        "A reservoir wall broke at night, and 4,000 people left. — Harbour Gazette, 03:30",
        "Written by small-model:7b from the reports cited, and checked against them.",
        "How the coverage differs",
        "4,000 people — Harbour Gazette, 03:30; Delta Observer, 03:30 · 3,000 — ",
        "in one report only: 12 villages — Harbour Gazette, 03:30",
        "United Kingdom: ",
        "(Egypt)",
        "Not reported in: China (4 read) and Brazil (1 read).",
        "Not reported by: “party” outlets (2 read).",
        "In the same running story",
        "5 corrections of earlier editions",
        "cited on 12 March",
        "“Dam bursts, 70 dead” → “Dam bursts, 17 dead”",
        "“The minister <b>resigned</b>.” → “The minister offered to resign.”",
        "Page gone",
        "Retracted",
        "Ferry line 0 to the islands reopens after the storm",
        "Talks on the [border] end; ダム決壊",
        "Every other sentence is quoted word for word from the report named after it",
    ],
)
def test_every_form_says_it(told, form, words):
    assert words in told[form]


@pytest.mark.parametrize("form", FORMS)
def test_it_is_told_in_its_order(editions, form):
    told = shown(editions.moved(), form).casefold()

    steps = ("killed: at least 15", "59 → 78", "4 independent", "how the coverage differs", "in the same running story")
    parts = ("written by", "headline changed", "also reported", "nothing new", "no longer reported")
    places = [told.index(step) for step in (*steps, *parts)]
    assert places == sorted(places)


def test_a_correction_of_the_headline_does_not_name_it_twice(editions):
    told = shown(editions.moved(), "text")

    assert "cited on 12 March “Dam bursts, 70 dead”" in told
    assert "Harbour Gazette, cited on 12 March for “Dam gives way after a week of rain”" in told


def test_written_sentences_take_the_place_of_the_extract(editions):
    story = editions.story(2)
    prose = editions.written()
    edition = editions.edition((editions.Section(title="Asia", anchor="asia", stories=(prose,)),))

    told = shown(edition, "text")

    assert all(sentence.text not in told for sentence in story.summary)
    assert f"The sentences it is based on {editions.sentence(1).text} — Harbour Gazette, 03:30" in shown(
        edition, "html"
    )
    assert "none is generated" not in told


def test_an_outlet_that_leads_with_another_aspect_is_not_named_as_a_source_too(editions):
    story = edition_view(editions.moved()).stories[0]
    voices = {voice.cite.outlet for voice in story.perspectives}

    assert voices
    assert voices.isdisjoint(source.outlet for source in story.short_list)


def test_before_and_after_follow_the_way_the_page_is_read(editions):
    told = shown(replace(editions.moved(), language="ar"), "html")

    assert "«Dam bursts, 70 dead» ← «Dam bursts, 17 dead»" in told
    assert "59 → 78 people" in told  # English words are read from the left there too
    assert "2 ← ٣ قرى" in shown(editions.moved(), "html")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ar", "de", "es", "fr", "it", "pt", "ru", "uk", "zh"])
@pytest.mark.parametrize("form", FORMS)
def test_another_language_leaves_no_english_words(editions, form, language):
    told = shown(replace(editions.moved(), language=language), form)

    for english in (
        "Killed",
        "at least",
        "Turnout",
        "leads with",
        "watched:",
        "Corrections",
        "more outlets",
        "Written by",
        "Nothing new",
        "No longer",
    ):
        if not (language == "fr" and english == "Corrections"):
            assert english not in told


def test_an_edition_without_such_news_has_no_such_words(editions):
    told = shown(editions.small(), "html")

    for words in (
        "How the coverage differs",
        "In the same running story",
        "Corrections",
        "Nothing new",
        "No longer reported",
        "watched",
    ):
        assert words not in told


@pytest.mark.parametrize("form", FORMS)
def test_a_headline_that_a_voice_has_is_shown_once(editions, form):
    (lead, *_) = editions.moved().stories
    edition = editions.edition((editions.Section(title="Asia", anchor="asia", stories=(replace(lead, related=()),)),))

    assert shown(edition, form).count("Le barrage cède") == 1


def test_reports_with_another_focus_alone_are_not_said_to_differ(editions):
    edition = editions.each(editions.moved(), lambda story: replace(story, differences=(), silent=()))

    told = shown(edition, "markdown")

    assert "From another angle:" in told and "How the coverage differs" not in told
