"""An edition is composed of what was loaded: without the store, the network and a translator."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from digests.compose.edition import compose_draft
from digests.compose.translations import Translations
from digests.edition.build import MAX_DRAFTS, _compose_and_translate
from digests.edition.load import load_edition_inputs
from digests.edition.schedule import EditionRequest
from digests.model.edition_story import Translation
from digests.settings.digests import DigestSettings
from digests.settings.translate import TranslateSettings
from digests.store.editions import get_edition
from digests.store.keys import DAILY
from digests.stories.window import cluster_and_save
from digests.translate.translator import Translator
from tests.edition.factory import make_edition
from tests.kinds import on_sqlite
from tests.translate.models import FakeEngine
from watcher.store.writer import read

MORNING = datetime(2026, 3, 10, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)
RAIN = (
    "Chuva deixa 14 mortos em Lisboa. A chuva forte deixou 14 mortos em Lisboa na segunda-feira, informou o governo de "
    "Portugal. Cerca de 300 pessoas tiveram de sair das suas casas durante a noite, segundo as autoridades locais."
)
BRIDGE = "Bridge opens in Hellesund. The bridge of Hellesund was opened on {}, {} reports, and ships wait no more."
DIGEST = DigestSettings.model_validate({}, context={})


class RefusedError(Exception):
    pass


is_refusing = False


def refuse_hosts_and_stores(name: str, arguments: object) -> None:
    if is_refusing and (name.startswith("socket.") or name == "sqlite3.connect"):
        raise RefusedError(f"{name} {arguments}")


@contextmanager
def refusing(engine: Engine) -> Iterator[None]:
    """Refuse sockets, connections to a store and statements in the body of the `with` statement."""
    global is_refusing

    def refuse(*_: object) -> None:
        raise RefusedError("a statement is sent to the store")

    sys.addaudithook(refuse_hosts_and_stores)
    event.listen(engine, "before_cursor_execute", refuse)
    is_refusing = True
    try:
        yield
    finally:
        is_refusing = False
        event.remove(engine, "before_cursor_execute", refuse)


def order(end: datetime) -> EditionRequest:
    return EditionRequest(local_date=end.date(), window_start=end - DAY, window_end=end, slot=DAILY)


def load(engine: Engine):
    grouped = cluster_and_save(engine, start=MORNING - DAY, end=MORNING, now=MORNING)
    return read(engine, load_edition_inputs, DIGEST, order(MORNING), grouped, now=MORNING)


@on_sqlite
def test_an_edition_with_translations_is_composed_while_the_store_and_the_network_refuse(engine, put):
    for n, outlet in enumerate(("Post", "Herald", "Times")):
        put(outlet, BRIDGE.format("Sunday", outlet), MORNING - DAY - timedelta(hours=n + 1))
        put(outlet, BRIDGE.format("Monday", outlet), MORNING - timedelta(hours=n + 1))
    put("Jornal", RAIN, MORNING - DAY / 8, language="pt", country="PT")
    put("Diario", RAIN.replace("A chuva forte", "Uma chuva"), MORNING - DAY / 12, language="pt", country="BR")
    make_edition(engine, DIGEST, order(MORNING - DAY), now=MORNING - DAY)
    inputs = load(engine)
    known = Translations(to="en", parts=("headlines", "sentences"), languages=frozenset({"pt"}))

    with refusing(engine):
        with pytest.raises(RefusedError):
            read(engine, get_edition, "daily")
        draft = compose_draft(inputs, known)
        answers = {
            each: Translation(text=f"In English: {each.text}", source="pt", to="en", by="hand")
            for each in draft.untranslated
        }
        final = compose_draft(inputs, replace(known, answers=answers))

    assert inputs.context.previous is not None
    assert {each.part for each in draft.untranslated} == {"headlines", "sentences"}
    assert final.untranslated == ()
    (told,) = [each for each in final.edition.stories if each.title_language == "pt"]
    assert told.headline == "In English: Chuva deixa 14 mortos em Lisboa"
    assert all(sentence.translation.by == "hand" for sentence in told.summary)


class NoWords(FakeEngine):
    def translate(self, text: str, source: str, target: str) -> str:
        self.asked.append(text)
        return ""


@on_sqlite
def test_a_story_of_which_no_sentence_can_be_translated_takes_a_few_drafts_and_one_line(engine, put):
    lines = [f"O governo da cidade de Leiria falou de {n} casas e de {n + 9} carros na noite." for n in range(30)]
    for outlet in ("Jornal", "Diario"):
        put(outlet, f"{RAIN} {' '.join(lines)} Assim disse {outlet}.", MORNING - DAY / 8, language="pt", country="PT")
    settings = TranslateSettings.model_validate({"engine": "firefox"}, context={})
    engine_of_texts = NoWords({})
    translator = Translator(settings, "en", engine, engine=engine_of_texts)

    edition = translator.with_outcome(_compose_and_translate(load(engine), translator))

    assert edition.stories == ()
    assert [brief.status for brief in edition.briefs] == ["foreign"]
    assert edition.ledger.translation.dropped == len(engine_of_texts.asked) <= 4 * MAX_DRAFTS
