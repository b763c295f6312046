"""Why a source is not read, told in the words of an edition: what is written down in English is known again."""

from __future__ import annotations

import ast
import string
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from digests.model import FailingSource
from digests.render.forms import render
from digests.render.ledger import retold
from digests.render.localizer import load_phrases, localizer_for
from digests.render.sample_edition import edition
from watcher.errors import FeedError
from watcher.feeds.parse import parse_feed

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SAID_IN = (  # the modules that say them
    *(
        "net/errors.py",
        "net/transport.py",
        "reasons.py",
        "net/address_guard.py",
        "net/decoding.py",
        "net/client.py",
        "net/redirects.py",
        "net/robots.py",
    ),
    *("feeds/health.py", "feeds/parse.py", "feeds/xml_feed.py", "feeds/json_feed.py"),
    *("worker/fetch_page.py", "worker/poll_feed.py", "worker/process_pool.py", "clean/reject.py"),
)
BY_THE_SYSTEM = {"why_refused", "why_reset", "why_no_route", "why_unreachable", "why_down", "why_pipe"}
OF_PARTS = {
    "why_root_known",
    "why_days",
    "why_hours",
    "why_minutes",
    "why_silent",
    "why_walled",
    "prose_unborne",
    "prose_fault",
}


def words(language: str):
    return localizer_for(replace(edition(), language=language))


def said() -> str:
    """All texts in the code that says why something was not read, a gap as "{}"."""
    texts = []
    rooms = [files("watcher") / name for name in SAID_IN] + [files("digests") / "edition" / "llm_summary.py"]
    for room in rooms:
        for node in ast.walk(ast.parse(room.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("503 Service Unavailable", "503 Service Unavailable"),
        ("no answer within 20 s", "keine Antwort in 20 s"),
        ("for 1 day: an HTML page, not a feed", "seit 1 Tag: eine HTML-Seite, kein Feed"),
        ("nothing new for 1,200 days", "seit 1.200 Tagen nichts Neues"),
        (
            "for 3 hours: 403 Forbidden, a bot wall (Anubis), asked at https://x.example/",
            "seit 3 Stunden: 403 Forbidden, eine Sperre gegen Bots (Anubis), gefragt bei https://x.example/",
        ),
        (
            "for 2 minutes: x.example is at 10.0.0.1, a private address",
            "seit 2 Minuten: x.example liegt auf 10.0.0.1, einer privaten Adresse",
        ),
        ("gone for good: 410 Gone", "endgültig fort: 410 Gone"),
        ("no connection: connection refused", "keine Verbindung: abgelehnt"),
        ("more than , bytes", "more than , bytes"),
        ("no answer within " + "9" * 2_000 + " s", "no answer within " + "9" * 2_000 + " s"),
    ],
)
def test_a_reason_is_told_in_the_words_of_the_edition(text, told):
    assert retold(text, words("de"), "why_") == told


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_language_without_phrases_keeps_the_reason_as_it_is(language):
    for text in ("for 2 days: a PDF file, not a feed", "nothing new for 9 days", "whatever {n} a server says"):
        assert retold(text, words(language), "why_") == text


def test_what_became_of_summaries_is_told_in_the_words_of_the_edition():
    text = "small-7b wrote 5, 1 was not borne out by the reports; time is up"
    german = "small-7b schrieb 5, 1 war von den Berichten nicht gedeckt; die Zeit ist um"

    assert retold(text, words("de"), "prose_") == german


def test_the_foot_of_a_german_edition_says_why_in_german(editions):
    rich = replace(editions.rich(), language="de")
    failing = (FailingSource(name="Isla Diaria", why="for 2 days: no answer within 20 s"),)
    ledger = replace(rich.ledger, failing=failing, left_out=(("pages not to be had: no answer", 3),))

    (made,) = render(replace(rich, ledger=ledger), ("text",))

    foot = " ".join(made.body.decode().split())
    assert "Isla Diaria (seit 2 Tagen: keine Antwort in 20 s)" in foot
    assert "Seiten, die nicht zu haben waren: keine Antwort (3)" in foot


def test_every_english_phrase_is_one_that_is_said():
    code = said()
    lacking = []
    for key, phrase in load_phrases("en").items():
        if key.startswith(("why_", "prose_")) and key not in BY_THE_SYSTEM | OF_PARTS:
            assert isinstance(phrase, str), key
            parts = [text for text, _, _, _ in string.Formatter().parse(phrase)]
            lacking += [(key, part) for part in parts if part not in code]

    assert lacking == []


@pytest.mark.parametrize(
    "body",
    [b"", b"%PDF-1.7", b"<html><body>x</body></html>", b"<urlset></urlset>", b"<svg/>", b"plain words", b"[1", b"{}"],
)
def test_what_is_no_feed_is_told_in_the_words_of_the_edition(body):
    with pytest.raises(FeedError) as told:
        parse_feed(body, url="https://x.example/feed", now=NOW)

    english = str(told.value.reason)
    assert retold(english, words("en"), "why_") == english
    assert retold(english, words("de"), "why_") not in (english, "")
