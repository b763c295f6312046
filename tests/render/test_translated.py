"""A translated edition in each form: the translation first, marked, the original beneath, and each form intact."""

from __future__ import annotations

import email
import json
import re
from dataclasses import replace

import pytest
from lxml import html as lxml_html

from digests.model.edition import Section
from digests.model.edition_story import Translation
from digests.model.ledger import TranslationFault, TranslationOutcome, Untranslated
from digests.render import webhook
from digests.render.edition_view import edition_view
from digests.render.forms import FORMATS, render
from tests.render.editions import brief, edition, sentence, story

HOSTILE = 'Rain <script>x</script> [a](javascript:b) "c" | *d* & 14'
MARK = "Translated from Portuguese by a Firefox translation model; original:"
NO_MODEL = "headlines and sentences in Arabic not translated, because no model is installed"


def translated(text):
    return Translation(text=text, source="pt", to="en", by="firefox")


def translated_edition(language):
    shown = replace(
        story(1),
        title="Chuva *deixa* <b>14</b> mortos",
        title_language="pt",
        translation=translated(HOSTILE),
        summary=(
            replace(
                sentence(1, text="A chuva deixou 14 mortos."), language="pt", translation=translated("Rain left 14.")
            ),
            replace(sentence(1, text="Não há luz."), language="pt", translation=translated("No light.")),
        ),
        updates=(),
    )
    line = replace(brief(1), title="Sismo no Chile", language="pt", translation=translated("Quake in Chile"))
    foreign = replace(brief(2), title="Neve na serra", language="pt", status="foreign", places=("Portugal",))
    made = edition((Section(title="Europe", anchor="europe", stories=(shown,)),), (line, foreign))
    outcome = TranslationOutcome(
        by="firefox",
        translated=4,
        dropped=3,
        untranslated=(
            Untranslated(kind=TranslationFault.TEXT_TOO_LONG, count=2),
            Untranslated(kind=TranslationFault.NUMBERS, count=1),
        ),
        missing=("ar",),
        error="a server <b>fell</b>",
    )
    return replace(made, language=language, ledger=replace(made.ledger, translation=outcome))


def forms(language="en"):
    made = translated_edition(language)
    return {form.format: form.body.decode() for form in render(made, [form for form in FORMATS if form != "epub"])}


def in_order(text, *parts):
    at = -1
    for part in parts:
        at = text.find(part, at + 1)
        if at < 0:
            return part
    return ""


def plain(html):
    return " ".join(lxml_html.fromstring(html).text_content().split())


def mail_parts(source):
    message = email.message_from_string(source)
    return message, *(part.get_payload(decode=True).decode() for part in message.get_payload())


def test_each_form_has_the_translation_first_and_its_original_beneath_with_language_and_engine():
    made = forms()
    message, text, rich = mail_parts(made["eml"])
    whole = (HOSTILE, f"{MARK} Chuva *deixa* <b>14</b> mortos", "Rain left 14. No light.", "A chuva deixou 14 mortos.")
    atom = lxml_html.fromstring(made["atom"].encode()).xpath("//content")[0].text

    for name, shown in (("html", plain(made["html"])), ("mail", plain(rich)), ("atom", plain(atom))):
        assert in_order(shown, *whole, "Quake in Chile", f"{MARK} Sismo no Chile", "In other languages") == "", name
        assert (
            in_order(
                shown,
                "Portugal: Neve na serra",
                "in Portuguese",
                "4 headlines and sentences translated; 3 texts without a translation: the text is too long (2),",
                "numbers differ (1)",
            )
            == ""
        )
        assert f"{NO_MODEL}; stopped: a server <b>fell</b>" in shown
    for shown in (made["text"], text):
        assert in_order(" ".join(shown.split()), *whole, "Quake in Chile", f"{MARK} Sismo no Chile") == ""
    assert str(email.header.make_header(email.header.decode_header(message["Subject"]))) == HOSTILE
    assert in_order(made["markdown"], "Rain", f"{MARK} Chuva", "Rain left 14. No light.", f"({MARK} A chuva") == ""


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (TranslationOutcome(by="firefox", translated=0, dropped=0, missing=("ar",)), NO_MODEL),
        (
            TranslationOutcome(
                by="firefox",
                translated=0,
                dropped=1,
                untranslated=(Untranslated(kind=TranslationFault.LANGUAGE, count=1),),
            ),
            "1 text without a translation: the translation is in another language (1)",
        ),
        (TranslationOutcome(by="firefox", translated=0, dropped=2), "2 texts without a translation"),  # of 0.1.0
    ],
)
def test_the_foot_says_what_kept_texts_from_being_translated_without_counting_none(outcome, told):
    made = translated_edition("en")

    (text,) = render(replace(made, ledger=replace(made.ledger, translation=outcome)), ("text",))

    assert f"Translations: {told}." in " ".join(text.body.decode().split())


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("json", "epub", "eml", "ics")])
def test_a_story_whose_sentences_could_not_be_translated_says_so_in_their_place(name):
    made = translated_edition("en")
    (section,) = made.sections
    bare = replace(section, stories=tuple(replace(each, summary=(), new_outlets=()) for each in section.stories))

    told, usual = (
        " ".join(render(replace(made, sections=(each,)), (name,))[0].body.decode().split()) for each in (bare, section)
    )

    assert "No summary: no sentence of these reports could be shown in your language." in told
    assert "No summary" not in usual


def test_translations_are_inert_and_each_text_has_its_language():
    made = forms()
    page = lxml_html.fromstring(made["html"])

    assert "<script>x" not in made["html"] + made["atom"] + made["markdown"]
    assert not page.xpath("//a[starts-with(@href, 'javascript')]")
    (heading,) = [e for e in page.iter("h3") if "Rain" in e.text_content()]
    assert "lang" not in {name for e in heading.iter() for name in e.attrib}
    for original in ("Chuva *deixa* <b>14</b> mortos", "A chuva deixou 14 mortos. Não há luz.", "Sismo no Chile"):
        assert [e.get("lang") for e in page.iter() if e.text == original] == ["pt"]


@pytest.mark.slow
def test_the_json_has_the_translation_beside_the_original():
    (shown,) = json.loads(forms()["json"])["edition"]["sections"][0]["stories"]

    assert shown["title"] == "Chuva *deixa* <b>14</b> mortos"
    assert shown["translation"] == {"text": HOSTILE, "from": "pt", "to": "en", "by": "firefox"}
    assert [s["translation"]["text"] for s in shown["summary"]] == ["Rain left 14.", "No light."]


@pytest.mark.parametrize("shape", ["json", "ntfy", "slack", "discord"])
def test_a_message_to_a_web_address_marks_the_translation_too(shape):
    made = translated_edition("en")

    body = webhook.render(edition_view(made), made, shape=shape).decode()

    assert "translated from Portuguese" in body.replace("\\\\", "")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_an_edition_in_another_language_marks_an_english_translation_as_english(language):
    page = lxml_html.fromstring(forms(language)["html"])

    marked = [e.get("lang") for e in page.iter() if e.text == "Rain left 14. No light."]
    assert marked == ["en"]
    assert not re.search("[{}]", plain(forms(language)["text"]))
