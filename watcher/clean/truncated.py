"""Texts that end before their article does: behind a paywall, or cut with dots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from lxml.etree import _Element

from watcher.model import Block

Lock = Literal["", "said", "noted"]  # nothing known; the page's data say so; a note on the page does

LONG = 3_000  # characters: a longer text is whole, or the note stands in it
SHORT = 1_500  # characters of a text that a note or dots make a beginning
SHORTER = 700  # characters of one that the page's data alone make one: many locked articles come whole
LABEL = 4  # characters: not more say nothing
NOTE_MAX = 300  # characters of a note
START = 12  # characters by which a block is found in the page
NEAR = 20  # texts behind the last block among which a note speaks of it
TAIL = 3  # blocks at the end in which a note says it of a text of any length
# What speaks of this article's rest; labels as "for subscribers" stand on teasers of other articles too.
NOTE = re.compile(
    r"(?:(?:subscribe|sign in|log in|register|sign up)(?: now)? to (?:continue|keep|read|unlock)"
    r"|to (?:continue|keep) reading|the rest of this (?:article|story)"
    r"|(?:unlock|read) (?:this|the full) (?:article|story) (?:with|by|for|and)"
    r"|this (?:content|article|story) is (?:reserved |exclusively )?(?:only )?(?:for|available to)"
    r" (?:our )?(?:paid )?(?:subscribers|members)"
    r"|(?:jetzt|artikel|hier) (?:kostenlos |mit \w+ )?(?:freischalten|weiterlesen)|weiterlesen mit|um weiterzulesen"
    r"|sie möchten (?:den artikel )?weiterlesen|dieser artikel ist (?:nur|exklusiv) für"
    r"|den (?:ganzen|vollständigen) artikel lesen"
    r"|il vous reste \d+(?:[.,]\d+)? ?% de cet article|la suite est réservée|pour lire la suite"
    r"|cet article est réservé"
    r"|(?:suscríbe\w*|regístr\w*|inicia sesión) para (?:seguir|continuar) leyendo|para (?:seguir|continuar) leyendo"
    r"|este (?:contenido|artículo) es exclusivo (?:para|de)|contenido exclusivo para suscriptores"
    r"|para continuar (?:a ler|lendo)|(?:conteúdo|matéria|artigo) exclusiv[oa] para (?:os )?assinantes"
    r"|per continuare a leggere|continua a leggere con|(?:contenuto|articolo) riservato agli abbonati"
    r"|(?:lees|lezen) (?:dit artikel )?verder (?:met|als)|om verder te lezen|alleen voor abonnees"
    r"|(?:läs|läsa) (?:vidare|hela artikeln) (?:med|för|genom)|för att läsa (?:vidare|hela)"
    r"|(?:les|lese|læs) (?:videre|hele saken) med|for å lese videre|denne artikel er for abonnenter"
    r"|lue koko (?:juttu|artikkeli) (?:tilaamalla|kirjautumalla)"
    r"|(?:pozostało|zostało) \d+ ?% (?:treści|artykułu)|aby (?:czytać|przeczytać) dalej"
    r"|dostępn\w+ tylko dla (?:prenumeratorów|subskrybentów)"
    r"|pro pokračování ve čtení|(?:celý|zbytek) článk\w+ (?:jen )?pro předplatitele|folytatás\w+ előfizetőink"
    r"|чита(?:ть|йте) далее по подписке|материал доступен (?:только )?(?:по подписке|подписчикам)"
    r"|devamını okumak için"
    r"|この記事は(?:有料)?会員限定|残り[:：]?\s?[\d,]+\s?文字|続きを(?:読む|ご覧)に?は|続きを読むには"
    r"|订阅后(?:继续|可)|付费后(?:继续|可)|訂閱(?:後|以)?繼續閱讀|전체 기사(?:를|는) (?:보려면|구독))",
    re.IGNORECASE,
)
# What each note has one of: looked for first, as it is cheap.
SIGNS = (
    "continue", "keep reading", "to read", "unlock", "rest of th", "for subscribers", "subscribers", "members",
    "weiterlesen", "weiterzulesen", "freischalten", "artikel", "il vous reste", "la suite", "est réservé", "leyendo",
    "exclusiv", "para continuar", "per continuare", "continua a", "riservato", "verder", "abonnees", "läs", "les",
    "lue koko", "pozostało", "zostało", "dalej", "dostępn", "pokračování", "předplatitele", "előfizet", "по подписке",
    "подписчикам", "okumak", "会員限定", "残り", "続きを", "订阅后", "付费后", "訂閱", "전체 기사",
)  # fmt: skip
PLACES = ("p", "div", "span", "h2", "h3", "h4", "strong", "b", "em", "a", "button", "br", "section", "li")
SAID = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)
# "… of the bridge …", "the bri[...]", "[+2043 chars]": the text goes on elsewhere.
CUT = re.compile(r"(?:\[\s?(?:…|\.\.\.)\s?\]|\[\+\d+ \w+\]|(?<=\w) (?:…|\.{3,4}))$")
DOTS = re.compile(r"\w(?:…|\.\.\.)$")


def lock_of(tree: _Element, blocks: Sequence[Block]) -> Lock:
    """Return how a page tells that the rest of its article is for subscribers, empty if it does not."""
    if any(is_note(block.text) for block in blocks[-TAIL:]):
        return "noted"
    if sum(len(block.text) for block in blocks) > LONG:
        return ""
    body = next(iter(tree.iter("body")), tree)
    texts = [
        text for element in body.iter(*PLACES) for text in (element.text, element.tail) if text and len(text) > LABEL
    ]
    whole = "\n".join(texts).lower()
    if any(sign in whole for sign in SIGNS):
        starts = {block.text[:START] for block in blocks}
        last = max((at for at, text in enumerate(texts) if text.lstrip()[:START] in starts), default=-NEAR)
        if any(map(is_note, texts[last + 1 : last + NEAR])):
            return "noted"
    return "said" if any(SAID.search(script.text or "") for script in tree.iter("script")) else ""


def is_truncated(blocks: Sequence[Block], *, lock: Lock, raw: Sequence[Block] = ()) -> bool:
    """
    Return whether `blocks` are the beginning of an article whose rest is missing.

    Args:
        raw: The blocks before furniture was cut from them: a note among the last ones is believed at any length.
    """
    if any(is_note(block.text) for block in (*raw[-TAIL:], *blocks[-TAIL:])):
        return True
    size = sum(len(block.text) for block in blocks)
    last = blocks[-1].text.rstrip() if blocks else ""
    if size <= SHORT and (lock == "noted" or CUT.search(last)):
        return True
    return bool(lock) and size <= (SHORT if DOTS.search(last) else SHORTER)


def is_note(text: str) -> bool:
    """Whether `text` says that the rest of the article is for those who pay or sign in."""
    return len(text) <= NOTE_MAX and NOTE.search(text) is not None
