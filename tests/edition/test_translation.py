"""Editions with translations: told in the reader's language, with the originals, and whatever an engine does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from textwrap import dedent

import pytest

from digests import edition_json
from digests.cli.verify import _check_edition
from digests.edition.schedule import EditionRequest
from digests.edition.verify import verify
from digests.model.edition_story import Translation
from digests.model.ledger import TranslationFault, TranslationOutcome, Untranslated
from digests.render.forms import sample_edition
from digests.settings.digests import DigestSettings
from digests.settings.translate import TranslateSettings
from digests.store.editions import cited_ids
from digests.store.maintenance import drop_translations
from digests.store.schema import translations
from digests.translate.translator import MAX_TRANSLATED_LINE_CHARS, Translator
from tests.edition.factory import make_edition
from tests.kinds import on_sqlite
from tests.translate.models import PACKAGE, FakeEngine, models
from watcher.store.articles import articles_by_id
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow

__all__ = ["models"]

MORNING = datetime(2026, 3, 10, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
RAIN = (
    "Chuva deixa 14 mortos em Lisboa. A chuva forte deixou 14 mortos em Lisboa na segunda-feira, informou o governo de "
    "Portugal. Cerca de 300 pessoas tiveram de sair das suas casas durante a noite, segundo as autoridades locais."
)
TITLE = "Chuva deixa 14 mortos em Lisboa"


def edition(store, /, *, slot=None, now=MORNING, digest=None, **translate):
    order = EditionRequest(
        local_date=date(2026, 3, 10),
        window_start=MORNING - 24 * HOUR,
        window_end=MORNING,
        slot=slot,
        translate=TranslateSettings.model_validate(translate, context={}),
    )
    made = make_edition(store, DigestSettings.model_validate(digest or {}, context={}), order, now=now)
    assert made is not None
    return made


@pytest.fixture
def rain(put):
    put("Jornal", RAIN, MORNING - 3 * HOUR, language="pt", country="PT")
    put("Diario", RAIN.replace("A chuva forte", "Uma chuva"), MORNING - 2 * HOUR, language="pt", country="BR")


@on_sqlite
def test_a_story_is_told_in_the_readers_language_with_its_originals_and_they_are_proved(engine, rain, models):
    made = edition(engine, engine="firefox", models=models)

    (story,) = made.stories
    assert (story.title, story.title_language) == (TITLE, "pt")
    assert story.translation == Translation(text="Rain leaves 14 dead in Lisbon", source="pt", to="en", by="firefox")
    assert story.headline == "Rain leaves 14 dead in Lisbon"
    assert len(story.summary) == 2
    for sentence in story.summary:
        assert sentence.text in RAIN and sentence.language == "pt"
        assert sentence.translation.to == "en"
    assert made.ledger.translation == TranslationOutcome(by="firefox", translated=3, dropped=0)
    assert verify(made, read(engine, articles_by_id, cited_ids(made))) == ()
    verdict = _check_edition(engine, made)
    assert (verdict.sentences, verdict.translations, verdict.faults) == (2, 3, ())
    found = json.loads(edition_json.dump(made))["edition"]["sections"][0]["stories"][0]
    assert found["translation"] == {"text": story.headline, "from": "pt", "to": "en", "by": "firefox"}
    assert edition_json.load(edition_json.dump(made)) == made


@on_sqlite
def test_without_an_engine_or_a_model_it_stands_in_one_line_and_the_ledger_says_which_lacks(engine, rain, tmp_path):
    without, lacking = edition(engine), edition(engine, engine="firefox", models=tmp_path)

    for made in (without, lacking):
        assert made.stories == ()
        assert [(b.title, b.status, b.places, b.translation) for b in made.briefs] == [
            (TITLE, "foreign", ("Portugal",), None)
        ]
    assert without.ledger.translation is None
    assert lacking.ledger.translation == TranslationOutcome(by="firefox", translated=0, dropped=0, missing=("pt",))


@on_sqlite
def test_of_the_languages_of_a_story_one_that_can_be_translated_is_told(engine, put, rain, models):
    for outlet in ("Vigia", "Voz", "Faro"):
        spanish = RAIN.replace("Chuva deixa 14 mortos", "La lluvia deja 14 muertos").replace("chuva", "lluvia")
        put(outlet, spanish, MORNING - HOUR, language="es", country="ES")

    (story,) = edition(engine, engine="firefox", models=models).stories

    assert (story.title_language, story.headline) == ("pt", "Rain leaves 14 dead in Lisbon")
    assert {sentence.language for sentence in story.summary} == {"pt"}


@on_sqlite
def test_a_sentence_that_lost_a_name_makes_room_for_another(engine, put, models):
    lost = RAIN.replace("o governo de Portugal", "a Câmara de Peniche e a Casa Branca")
    for outlet, text in (("Jornal", lost), ("Diario", RAIN.replace("A chuva forte", "Uma chuva")), ("Correio", lost)):
        put(outlet, text, MORNING - 3 * HOUR, language="pt", country="PT")

    made = edition(engine, engine="firefox", models=models)

    (story,) = made.stories
    assert story.summary[0].text.startswith("Uma chuva")
    outcome = made.ledger.translation
    assert [each.kind for each in outcome.untranslated] == [TranslationFault.NAMES]
    assert outcome.dropped == sum(each.count for each in outcome.untranslated) >= 1


@on_sqlite
def test_headlines_alone_are_translated_where_the_settings_say_so(engine, rain, models):
    (story,) = edition(engine, engine="firefox", models=models, what=["headlines"]).stories

    assert story.headline == "Rain leaves 14 dead in Lisbon"
    assert [(s.language, s.translation) for s in story.summary] == [("pt", None)]


@on_sqlite
def test_a_story_in_one_line_is_translated_too(engine, put, rain, models):
    for outlet in ("Post", "Herald", "Times"):
        put(outlet, f"Bridge opens in Hellesund. The bridge was opened on Monday, {outlet} reports.", MORNING - HOUR)

    made = edition(engine, engine="firefox", models=models, digest={"stories": 1, "must": ["bridge"]})

    ((story,), (brief,)) = made.stories, made.briefs
    assert story.translation is None
    assert (brief.title, brief.headline, brief.status) == (TITLE, "Rain leaves 14 dead in Lisbon", "")
    assert made.ledger.translation.translated == 1


@pytest.mark.slow
@on_sqlite
@pytest.mark.parametrize("broken", ["model", "lex", "vocab"])
def test_a_model_that_breaks_costs_no_edition(broken, engine, rain, models, tmp_path):
    folder = tmp_path / "pt-en"
    folder.mkdir()
    for path in (models / "pt-en").iterdir():
        content = path.read_bytes()
        (folder / path.name).write_bytes(content[:1000] if path.name.startswith(broken) else content)

    made = edition(engine, engine="firefox", models=tmp_path)

    assert [brief.status for brief in made.briefs] in ([], ["foreign"])
    outcome = made.ledger.translation
    assert outcome.dropped or "the model pt-en" in outcome.error


@on_sqlite
def test_a_server_that_is_not_there_costs_no_edition(engine, rain):
    made = edition(engine, engine="libretranslate", url="http://127.0.0.1:1/")

    assert [brief.status for brief in made.briefs] == ["foreign"]
    assert "the server 127.0.0.1:1 cannot be reached: connection refused" in made.ledger.translation.error


def test_translations_are_kept_by_text_and_model_and_go_when_they_are_old(engine, rain, models):
    count = lambda c: len(c.execute(translations.select()).all())  # noqa: E731

    first = edition(engine, engine="firefox", models=models)
    kept = read(engine, count)
    is_headline = translations.c.text == "Rain leaves 14 dead in Lisbon"
    write(
        engine,
        lambda c: c.execute(
            translations.update().where(is_headline).values(text="Rain leaves 14 dead in Lisbon, kept")
        ),
    )
    again = edition(engine, engine="firefox", models=models)

    assert kept == 3 == read(engine, count)
    assert first.stories[0].headline == "Rain leaves 14 dead in Lisbon"
    assert again.stories[0].headline == "Rain leaves 14 dead in Lisbon, kept"
    assert write(engine, drop_translations, None, 2, before=MORNING).removed == 0
    assert write(engine, drop_translations, None, 2, before=MORNING + HOUR).removed == 2
    assert read(engine, count) == 1


def translator(engine, fake, **more):
    settings = TranslateSettings.model_validate({"engine": "firefox"}, context={})
    return Translator(settings, "en", engine, engine=fake, **more)


@on_sqlite
def test_a_text_is_translated_once_and_a_broken_engine_is_asked_no_more(engine):
    fake = FakeEngine({"Chuva": "Rain"})
    translate = translator(engine, fake)

    told = [translate("headlines", text, "pt") for text in ("Chuva", "Chuva", "Vento", "Neve")]

    assert [each and each.text for each in told] == ["Rain", "Rain", None, None]
    assert fake.asked == ["Chuva", "Vento"]


@on_sqlite
def test_what_may_be_hostile_is_bounded_and_in_one_line(engine):
    long, wide = "uma palavra " * MAX_TRANSLATED_LINE_CHARS, "a" * 100
    fake = FakeEngine({"Chuva b “c”".replace("“", '"').replace("”", '"'): 'Rain\n b\x1b "c"\u202e'})
    translate = translator(engine, fake)

    told = [translate("headlines", text, "pt") for text in (long, wide, "Chuva\nb\x00 “c”")]

    assert [each and each.text for each in told] == [None, None, 'Rain b "c"']
    assert fake.asked == ['Chuva b "c"']


@on_sqlite
def test_all_texts_of_an_edition_have_one_limit_of_time(engine):
    ticks = iter(range(0, 10_000, 40))
    fake = FakeEngine({"Chuva": "Rain", "Vento": "Wind", "Neve": "Snow", "Sol": "Sun"})
    translate = translator(engine, fake, clock=lambda: float(next(ticks)))

    told = [translate("headlines", text, "pt") for text in fake.texts]

    assert [bool(each) for each in told] == [True, True, False, False]
    assert outcome_of(translate) == (2, (Untranslated(kind=TranslationFault.OUT_OF_TIME, count=2),), "")


def outcome_of(translate: Translator) -> tuple[int, tuple[Untranslated, ...], str]:
    outcome = translate.with_outcome(sample_edition()).ledger.translation
    return outcome.dropped, outcome.untranslated, outcome.error


STORM = "A tempestade derrubou milhares de casas durante a noite"


@on_sqlite
@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("La tormenta derribó miles de casas durante la noche", TranslationFault.LANGUAGE),
        ("Noite a durante casas de milhares derrubou tempestade A", TranslationFault.SAME_WORDS),
        ("", TranslationFault.LENGTH),
        ("The storm destroyed 3 houses during the night", TranslationFault.NUMBERS),
        ("The storm destroyed <b>thousands</b> of houses during the night", TranslationFault.MARKUP),
    ],
)
def test_a_translation_that_is_not_shown_is_counted_by_its_fault(answer, fault, engine):
    good, long = "The storm destroyed thousands of houses during the night", f"{STORM} " * 9
    translate = translator(engine, FakeEngine({f"{STORM}.": answer, STORM: good}))

    told = [translate("headlines", text, "pt") for text in (f"{STORM}.", f"{STORM}.", STORM, long, "Neve")]

    assert [each and each.text for each in told] == [None, None, good, None, None]
    counts = {fault: 1, TranslationFault.TEXT_TOO_LONG: 1, TranslationFault.ENGINE_FAILED: 1}
    assert outcome_of(translate) == (
        3,
        tuple(Untranslated(kind=kind, count=1) for kind in TranslationFault if kind in counts),
        "the model fake broke down",
    )


@pytest.mark.slow
def test_the_engine_on_this_machine_asks_no_host(models):
    program = f"""
        import sys
        from pathlib import Path
        from digests.translate.engines import FirefoxEngine
        from digests.translate.engines import install_model

        def refuse(event, arguments):
            if event.startswith("socket."):
                raise SystemExit(f"{{event}}: a host is asked")

        sys.addaudithook(refuse)
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            install_model(Path(folder), "pt-en", {str(PACKAGE)!r})
            print(FirefoxEngine(Path(folder)).translate("Chuva em Lisboa", "pt", "en"))
    """

    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.returncode) == ("Rain in Lisbon", 0)
