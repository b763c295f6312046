"""The lines at the top of an edition: in every form, before the contents, each with its figures, outlet and time."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from lxml import html as lxml_html

from digests.model.edition_story import Translation
from digests.render.edition_view import edition_view
from digests.render.forms import render
from digests.render.text import measure_reading_time
from tests.render.test_markdown import HOSTILE
from tests.render.test_moved import FORMS, shown

FIRST = (
    "The wall of the reservoir broke shortly after midnight, and water reached the first houses within twenty minutes."
)
SECOND = "About 4,000 people were taken to schools and a sports hall in the next town, the governor said on Thursday."
CITE = "— Harbour Gazette, 03:30"


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_lines_before_the_contents(editions, form):
    text = shown(editions.at_a_glance(), form)

    top = text[: text.lower().index("in this edition")]
    figures = "Killed: at least 15 (Diario de la Ribera, 01:30) → 19 (Le Quotidien des Dunes, 05:30)"
    for line in (
        f"{FIRST} {CITE}",
        f"Since yesterday: {FIRST} {CITE}",
        f"{FIRST} {CITE} · {figures}",
        "— 59 (Harbour Gazette, 13 March, 00:30) → 78 people (Delta Observer, 03:30)",
        f"Reports differ: {SECOND} — 4,000 people (Harbour Gazette, 03:30; Delta Observer, 03:30) · 3,000 (",
        f"Disputed: {FIRST} {CITE}",
    ):
        assert line in top


def test_an_edition_without_lines_has_no_heading_for_them(editions):
    bare = replace(editions.small(), at_a_glance=())

    assert all("at a glance" not in shown(bare, form).lower() for form in FORMS)


def test_each_line_leads_to_its_story(editions):
    edition = editions.small()

    page = lxml_html.document_fromstring(render(edition, ["html"])[0].body.decode())
    with zipfile.ZipFile(io.BytesIO(render(edition, ["epub"])[0].body)) as book:
        contents = lxml_html.fromstring(book.read("EPUB/nav.xhtml"))

    (link,) = page.xpath("//*[@class='glance']//li/a")
    assert link.get("href") == "#story-of-1" and page.get_element_by_id("story-of-1").tag == "h3"
    assert contents.xpath("//*[@class='glance']//li/a/@href") == ["story-1.xhtml"]
    assert (
        "](#story-of-1) — [Harbour Gazette](https://outlet0.example/news/0"
        in render(edition, ["markdown"])[0].body.decode()
    )


def test_the_lines_have_no_addresses_in_the_text(editions):
    text = render(editions.small(), ["text"])[0].body.decode()

    assert "://" not in text[text.index("AT A GLANCE") : text.index("In this edition")]


def test_a_line_of_a_story_that_the_edition_does_not_have_is_not_shown(editions):
    edition = editions.small()
    stray = replace(edition.at_a_glance[0], story="other")

    assert edition_view(replace(edition, at_a_glance=(stray,))).at_a_glance == ()


def test_a_translated_line_says_so(editions):
    edition = editions.small()
    translation = Translation(text="The wall broke.", source="pt", to="en", by="firefox")
    line = replace(edition.at_a_glance[0], text="O muro caiu.", language="pt", translation=translation)

    text = shown(replace(edition, at_a_glance=(line,)), "markdown")

    assert f"The wall broke. (translated from Portuguese) {CITE}" in text


def test_the_lines_count_for_the_reading_time(editions):
    edition = editions.small()
    many = replace(edition, at_a_glance=edition.at_a_glance * 40)

    bare, full = (measure_reading_time(edition_view(each)) for each in (replace(edition, at_a_glance=()), many))

    assert full >= bare + 40 * len(FIRST.split()) // 230


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_in_a_line_stay_words(editions, hostile):
    edition = editions.small()
    (line,) = edition.at_a_glance
    line = replace(
        line, text=f"{hostile} at midnight", outlet=f"Gazette {hostile}", url=f"https://outlet.example/{hostile}"
    )

    made = {
        form.format: form.body for form in render(replace(edition, at_a_glance=(line,)), ["html", "markdown", "epub"])
    }

    page = lxml_html.document_fromstring(made["html"].decode())
    (item,) = page.xpath("//*[@class='glance']//li")
    assert {element.tag for element in item.iter() if isinstance(element.tag, str)} <= {"li", "a", "cite", "span"}
    assert made["markdown"].decode().count("\n## At a glance\n") == 1
    with zipfile.ZipFile(io.BytesIO(made["epub"])) as book:
        lxml_html.fromstring(book.read("EPUB/nav.xhtml"))
