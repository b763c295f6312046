"""Why sources fail and what was left out, in the language of the edition."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest

from digests import edition_json
from digests.model.ledger import FailingSource, LeftOut, LeftOutKind, LlmOutcome, LlmStop, TranslationFault
from digests.render.forms import render, sample_edition
from digests.render.ledger import ledger_lines
from digests.render.localizer import load_phrases, localizer_for
from watcher.failure_messages import KINDS, FeedKind, FetchKind, HealthKind, PageKind, Reason, TaskKind

LANGUAGES = ("ar", "de", "es", "fr", "it", "pt", "ru", "uk", "zh")
# Kinds that no edition shows: what is said of sources that are well, and statuses, which need no translation.
NOT_TRANSLATED = {
    FetchKind.STATUS,
    HealthKind.NEVER_POLLED,
    HealthKind.SLOW,
    HealthKind.UNDATED,
    HealthKind.MOVED,
    HealthKind.MOVING,
    HealthKind.MOVED_TO,
}


def words(language: str):
    return localizer_for(replace(sample_edition(), language=language))


def gaps(phrase: str | dict[str, str]) -> set[str]:
    forms = phrase.values() if isinstance(phrase, dict) else phrase.split("|")
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def status(code: int, phrase: str) -> Reason:
    return Reason(FetchKind.STATUS, status=code, phrase=phrase)


@pytest.mark.parametrize(
    ("reason", "described"),
    [
        (status(503, "Service Unavailable"), "503 Service Unavailable"),
        (Reason(FetchKind.TIMED_OUT, time="20"), "keine Antwort in 20 s"),
        (Reason(HealthKind.FOR_DAYS, n=1, why=Reason(FeedKind.HTML)), "seit 1 Tag: eine HTML-Seite, kein Feed"),
        (Reason(HealthKind.SILENT, n=1_200), "seit 1.200 Tagen nichts Neues"),
        (
            Reason(
                HealthKind.FOR_HOURS,
                n=3,
                why=Reason(
                    HealthKind.ASKED_AT,
                    why=Reason(FetchKind.STATUS_BOT_WALL, status=403, phrase="Forbidden", wall="Anubis"),
                    site="https://x.example/",
                ),
            ),
            "seit 3 Stunden: 403 Forbidden, eine Sperre gegen Bots (Anubis), gefragt bei https://x.example/",
        ),
        (
            Reason(FetchKind.PRIVATE_ADDRESS, host="x.example", addresses="x.example (10.0.0.1)"),
            "private Adresse: x.example (10.0.0.1)",
        ),
        (Reason(HealthKind.GONE, why=status(410, "Gone")), "endgültig fort: 410 Gone"),
        (Reason(FetchKind.CONNECTION_REFUSED), "keine Verbindung: abgelehnt"),
        (Reason(TaskKind.CLEANING, why=Reason(TaskKind.TOO_LONG, time="30")), None),
    ],
)
def test_a_reason_is_described_in_the_language_of_the_edition(reason, described):
    found = words("de").describe(reason)

    assert found == (described or "das Lesen der Seite dauerte mehr als 30 s und wurde abgebrochen")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_language_without_phrases_has_the_english_sentence(language):
    for reason in (Reason(HealthKind.FOR_DAYS, n=2, why=Reason(FeedKind.PDF)), Reason(HealthKind.SILENT, n=9)):
        assert words(language).describe(reason) == str(reason)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_kind_of_reason_has_a_phrase_with_the_same_gaps(language):
    phrases = load_phrases(language)
    expected = {f"why_{kind}": gaps(kind.sentence) for kind in KINDS.values() if kind not in NOT_TRANSLATED}
    found = {key: gaps(phrase) for key, phrase in phrases.items() if key.startswith("why_")}

    assert found == expected


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_each_kind_of_what_is_left_out_has_a_phrase(language):
    text = (files("digests.render") / "phrases" / f"{language}.toml").read_text("utf-8")
    keys = {line.partition(" = ")[0] for line in text.splitlines() if line.startswith("out_")}

    assert keys == {f"out_{kind}" for kind in LeftOutKind}


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_each_fault_of_a_translation_has_a_phrase(language):
    assert {f"untranslated_{kind}" for kind in TranslationFault} <= load_phrases(language).keys()


def test_the_foot_of_a_german_edition_says_why_in_german(editions):
    rich = replace(editions.rich(), language="de")
    timed_out = Reason(FetchKind.TIMED_OUT, time="20")
    failing = (
        FailingSource(name="Isla Diaria", reason=Reason(HealthKind.FOR_DAYS, n=2, why=timed_out)),
        FailingSource(name="Fjell Wire", reason=None),
    )
    left_out = (
        LeftOut(kind=LeftOutKind.MUTED, count=2),
        LeftOut(kind=LeftOutKind.MUTED, count=1, rule="Quiz <b>\n/ `Rätsel`"),
        LeftOut(kind=LeftOutKind.PAGE_FAILED, count=3, reason=Reason(PageKind.PAYWALL)),
    )
    ledger = replace(rich.ledger, failing=failing, left_out=left_out, doubtful=2)

    (made,) = render(replace(rich, ledger=ledger), ("text",))

    foot = " ".join(made.body.decode().split())
    assert "Isla Diaria (seit 2 Tagen: keine Antwort in 20 s); Fjell Wire." in foot
    assert "Artikel, die die Einstellungen stumm schalten (2)" in foot
    assert "Artikel, die die Einstellungen stumm schalten: Quiz <b> / `Rätsel` (1)" in foot
    assert "Seiten, die nicht zu haben waren: der Artikel ist nur für Abonnenten (3)" in foot
    assert "Gezählt, aber nicht zitiert, weil ihr Text zweifelhaft ist: 2 Artikel." in foot


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            "period: 2. There was no internet connection from 06:00 CET on, so no source was read after that.",
        ),
        (
            "de",
            "Die Internetverbindung war ab 06:00 MEZ ausgefallen: seitdem wurde keine Quelle gelesen.",
        ),
    ],
)
def test_the_foot_says_which_sources_were_not_read_and_since_when_the_network_is_down(editions, language, told):
    small = replace(editions.small(), language=language)
    ledger = replace(
        small.ledger,
        sources_total=3,
        sources_ok=1,
        sources_unread=2,
        failing=(),
        network_down_since=small.window_end - timedelta(minutes=30),
    )

    lines = ledger_lines(replace(small, ledger=ledger), localizer_for(small))

    assert any(line.endswith(told) for line in lines)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "No new entry for 12 hours or more, unlike usually: Alpha and Beta."),
        ("de", "Seit 12 Stunden oder länger ohne neuen Eintrag, anders als sonst: Alpha und Beta."),
    ],
)
def test_the_foot_names_outlets_whose_feeds_have_had_nothing_new_for_unusually_long(editions, language, told):
    small = replace(editions.small(), language=language)
    ledger = replace(small.ledger, paused=("Alpha", "Beta"))

    assert any(told in line for line in ledger_lines(replace(small, ledger=ledger), localizer_for(small)))


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            "because of this machine: no file descriptors are left, so no connection can be opened.",
        ),
        (
            "de",
            "Rechner: keine Dateideskriptoren mehr frei, es kann keine Verbindung geöffnet werden.",
        ),
    ],
)
def test_the_foot_says_since_when_the_machine_could_not_poll_and_what_it_lacked(editions, language, told):
    small = replace(editions.small(), language=language)
    since = small.window_end - timedelta(minutes=30)
    no_files = Reason(TaskKind.NO_DESCRIPTORS)
    ledger = replace(small.ledger, failing=(), polling_stopped_since=since, polling_stop_reason=no_files)

    lines = ledger_lines(replace(small, ledger=ledger), localizer_for(small))

    assert any(line.endswith(told) for line in lines)


def test_the_foot_gives_each_reason_once_behind_the_sources_that_it_holds_for(editions):
    never, late = Reason(HealthKind.NEVER_AN_ENTRY), Reason(FetchKind.TIMED_OUT, time="20")
    failing = tuple(
        FailingSource(name=name, reason=reason)
        for name, reason in (
            ("Alpha", never),
            ("Beta", late),
            ("Gamma", never),
            ("Delta", None),
            ("Epsilon", never),
            ("Zeta", late),
        )
    )
    small = editions.small()

    ledger = replace(small.ledger, failing=failing, sources_ok=59, sources_total=64)
    lines = " ".join(ledger_lines(replace(small, ledger=ledger), words("en")))

    # A feed that can be read and has never had an entry has no errors.
    assert "62 of 64 read without errors." in lines
    assert "With errors: Beta and Zeta (no response within 20 s); Delta. " in lines
    assert "Delta. Their feeds have had no entry so far: Alpha, Gamma and" in lines


def test_the_foot_of_an_edition_without_sources_names_no_numbers_of_them(editions):
    small = editions.small()

    lines = ledger_lines(replace(small, ledger=replace(small.ledger, sources_total=0, failing=())), words("en"))

    assert any(line.startswith("No source was read.") for line in lines)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (LlmOutcome(model="small-7b", written=6, rejected=0), "Zusammenfassungen: small-7b schrieb 6."),
        (
            LlmOutcome(model="small-7b", written=5, rejected=1, stop=LlmStop.TIME),
            "Zusammenfassungen: small-7b schrieb 5, 1 war von den Berichten nicht gedeckt; die Zeit ist um.",
        ),
        (
            LlmOutcome(model="small-7b", written=0, rejected=0, stop=LlmStop.ERROR, error="401 Unauthorized"),
            "Zusammenfassungen: small-7b schrieb 0; 401 Unauthorized.",
        ),
    ],
)
def test_the_foot_says_what_became_of_a_models_summaries(editions, outcome, told):
    rich = replace(editions.rich(), language="de")

    lines = ledger_lines(replace(rich, ledger=replace(rich.ledger, llm=outcome)), words("de"))

    assert told in lines


def test_an_edition_with_reasons_comes_back_from_json(editions):
    rich = editions.rich()
    reason = Reason(HealthKind.FOR_DAYS, n=2, why=status(503, "Service Unavailable"))
    left_out = (LeftOut(kind=LeftOutKind.PAGE_FAILED, count=3, reason=reason),)
    ledger = replace(rich.ledger, failing=(FailingSource(name="A", reason=reason),), left_out=left_out)
    rich = replace(rich, ledger=ledger)

    assert edition_json.load(edition_json.dump(rich)) == rich
    assert b'"reason":{"kind":"for_days","n":2,"why":{"kind":"status"' in edition_json.dump(rich)
