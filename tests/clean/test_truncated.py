"""Texts that end before their article does."""

from __future__ import annotations

import pytest
from lxml import html

from watcher.clean.article import clean
from watcher.clean.reject import is_truncated, paywall_of
from watcher.model import Block

FIRST = "The council argued for four hours about the new bridge at the old market, and put the decision off to March."
SECOND = "The cost has grown by half since the first plan, to thirty million, which the treasurer called far too much."


def lock(behind: str, *, head: str = "", times: int = 1) -> str:
    body = f"<p>{FIRST}</p><p>{SECOND}</p>" * times
    page = f"<html><head>{head}</head><body><article>{body}{behind}</article></body></html>"
    return paywall_of(html.document_fromstring(page), (Block(text=FIRST), Block(text=SECOND)) * times)


@pytest.mark.parametrize(
    "note",
    [
        "Subscribe to continue reading",
        "Sign in to continue reading this article",
        "This content is reserved for subscribers",
        "Jetzt weiterlesen",
        "Weiterlesen mit Kreisblatt Plus",
        "Il vous reste 57.09% de cet article à lire. La suite est réservée aux abonnés.",
        "Suscríbete para seguir leyendo",
        "Conteúdo exclusivo para assinantes",
        "Per continuare a leggere, abbonati",
        "Lees verder met een abonnement",
        "Läs vidare med ett abonnemang",
        "Les videre med abonnement",
        "Pozostało 80% treści",
        "Читать далее по подписке",
        "この記事は会員限定です",
        "残り1,204文字",
        "訂閱後繼續閱讀",
    ],
)
def test_a_note_behind_the_text_says_that_the_rest_is_for_subscribers(note: str) -> None:
    assert lock(f'<div class="wall"><p>{note}</p></div>') == "noted"


@pytest.mark.parametrize(
    "behind",
    [
        "<p>Subscribe to our newsletter</p>",
        "<ul><li>Réservé aux abonnés</li></ul>",
        "<p>Read more about the bridge</p>",
        "<p>会員登録</p>",
        "<p>Another story</p>" * 30 + "<p>Subscribe to continue reading</p>",
    ],
)
def test_a_label_a_newsletter_or_a_note_far_away_does_not(behind: str) -> None:
    assert lock(behind) == ""


def test_the_data_of_a_page_can_say_it() -> None:
    assert lock("", head='<script type="application/ld+json">{"isAccessibleForFree": false}</script>') == "said"
    assert lock("", head='<script type="application/ld+json">{"isAccessibleForFree": true}</script>') == ""


def test_a_long_text_is_whole_whatever_is_offered_behind_it() -> None:
    assert lock("<p>Subscribe to continue reading</p>", times=20) == ""


def test_a_short_text_before_a_note_is_a_beginning() -> None:
    blocks = (Block(text=FIRST), Block(text=SECOND))

    assert is_truncated(blocks, lock="noted")
    assert not is_truncated(blocks * 10, lock="noted")
    assert not is_truncated(blocks, lock="")
    assert is_truncated(blocks, lock="said")
    assert not is_truncated(blocks * 5, lock="said")


@pytest.mark.parametrize("end", ["and the …", "and the treasurer [...]", "The treas[…]", "He said [+2043 chars]"])
def test_a_text_that_is_cut_with_dots_is_a_beginning(end: str) -> None:
    assert is_truncated((Block(text=FIRST), Block(text=end)), lock="")


@pytest.mark.parametrize("end", ["Who knows…", "And so on...", "He said: “Who knows…”", "The end."])
def test_dots_behind_a_word_are_style_unless_the_page_is_locked(end: str) -> None:
    assert not is_truncated((Block(text=FIRST),) * 8 + (Block(text=end),), lock="")


def test_dots_behind_a_word_of_a_locked_page_are_a_cut() -> None:
    blocks = (Block(text=FIRST),) * 8 + (Block(text="And so on..."),)

    assert is_truncated(blocks, lock="said")
    assert not is_truncated(blocks[:-1], lock="said")


def test_a_note_among_the_last_blocks_is_believed_at_any_length() -> None:
    blocks = (Block(text=FIRST),) * 40

    assert is_truncated(blocks, lock="", raw=(*blocks, Block(text="Il vous reste 30% de cet article à lire.")))


def test_an_article_that_ends_at_a_paywall_is_told_so() -> None:
    page = f"<html><body><article><h1>Bridge</h1><p>{FIRST}</p><p>{SECOND}</p><div>Subscribe to continue reading</div>"

    cleaned = clean(page, url="https://news.example/a")

    assert cleaned.is_truncated
    assert FIRST in cleaned.text
    assert "Subscribe" not in cleaned.text
