"""Pages that are no article: walls, error pages, texts cut at a paywall, and pages about something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from lxml.etree import _Element

from watcher.clean.phrases import REJECTION
from watcher.failure_reasons import PageKind
from watcher.model import Block
from watcher.text.words import normalize_key, stems, word_overlap

WALL_MAX = 1_500  # characters: a wall's own text is short, an article about cookies is long
BRIEF = 600  # characters of a check for robots, an error or an offer
LEAST = 30  # letters of an article: less is a caption
BUTTON = 60  # characters of a line that may be a button's
REST = 300  # characters of paragraphs that speak of nothing else: with more, the page is an article
PARAGRAPH = 80  # characters that make a line a paragraph
_PARTNERS = (
    r"(?:partner\w*|partenaires|socios|fornitori|parceiros|partnerz\w*|vendors|anbieter\w*|leveranciers|kumppani\w*)"
)
_COOKIES = (
    r"(?:cookie|device|gerät|appareil|dispositiv|apparaat|urządzeni|enhet|zařízení|informasjonskaps|kakor|eväste|çerez"
    r"|クッキー)"
)
# A wall speaks to its reader: "we and our 812 partners store …", "your privacy". An article on cookies does not.
CONSENT = re.compile(
    rf"\b\d{{1,4}} (?:\w+ ){{0,3}}{_PARTNERS}.{{0,300}}{_COOKIES}"
    rf"|{_COOKIES}.{{0,200}}\b\d{{1,4}} (?:\w+ ){{0,2}}{_PARTNERS}|{REJECTION['consent']}",
    re.IGNORECASE,
)
# The buttons of a consent wall, each alone on its line.
AGREE = re.compile(rf"^\W*(?:{REJECTION['consent_buttons']})\W*$", re.IGNORECASE)
BOT = re.compile(
    rf"(?:^|[.!?…:]\s+|\n)\W{{0,6}}(?:please |bitte |to continue,? )?(?:{REJECTION['robot_checks']})"
    rf"|{REJECTION['robot_checks_anywhere']}",
    re.IGNORECASE,
)
_CODE = r"(?:error |fehler |erreur |errore |błąd |chyba )?(?:http )?(?:404|403|410|429|500|502|503|504)"
ERROR = re.compile(
    rf"^\W*{_CODE}\W*(?:(?:page |file )?not found|forbidden|gone|(?:service )?(?:temporarily )?unavailable"
    r"|(?:bad )?gateway|(?:internal )?server error|too many requests|error|$).{0,40}$"
    rf"|^.{{0,30}}(?:{REJECTION['not_found']})",
    re.IGNORECASE,
)
GONE = re.compile(rf"^\W*(?:{REJECTION['removed']}).{{0,80}}$", re.IGNORECASE | re.MULTILINE)
SCRIPTED = re.compile(REJECTION["needs_javascript"], re.IGNORECASE)


def rejection_reason(blocks: Sequence[Block], *, title: str, bare: str) -> PageKind | None:
    """
    Return why a page holds no article, None if it may hold one.

    Args:
        blocks: The main text as far as one was found.
        bare: The page's text without any judgement, its beginning at least; for what a wall says.
    """
    lines = [block.text for block in blocks]
    size = sum(map(len, lines))
    if size <= WALL_MAX:
        text = "\n".join(lines)
        about = f"{title}\n{text or bare}"[: WALL_MAX * 2]
        if size <= BRIEF and BOT.search(about):
            return PageKind.ROBOT_CHECK
        if size <= BRIEF and (ERROR.match(title) or ERROR.match(lines[0] if lines else "") or GONE.match(text)):
            return PageKind.MISSING
        if _is_consent(lines or bare.split("\n")):
            return PageKind.CONSENT_WALL
        if SCRIPTED.search(text or bare) and size <= PARAGRAPH:
            return PageKind.NEEDS_JAVASCRIPT
        if size <= BRIEF and lines and is_paywall_note(lines[0]):  # what it shows of its article is the offer to buy it
            others = sum(len(line) for line in lines if not is_paywall_note(line))
            if others < PARAGRAPH:
                return PageKind.PAYWALL
    if len(normalize_key("".join(lines)[:WALL_MAX])) < LEAST:
        return PageKind.NO_TEXT
    return None


def _is_consent(lines: Sequence[str]) -> bool:
    """Whether lines ask for consent and hardly a paragraph is left without those that do."""
    asks = [line for line in lines if CONSENT.search(line) or (len(line) <= BUTTON and AGREE.match(line))]
    if not any(CONSENT.search(line) for line in asks):
        return False
    rest = (line for line in lines if line not in asks and not re.search("cookie|privacy|datenschutz", line, re.I))
    return sum(len(line) for line in rest if len(line) > PARAGRAPH) < REST


Paywall = Literal["", "said", "noted"]  # nothing known; the page's data say so; a note on the page does

LONG = 3_000  # characters: a longer text is whole, or the note stands in it
SHORT = 1_500  # characters of a text that a note or dots make a beginning
SHORTER = 700  # characters of one that the page's data alone make one: many locked articles come whole
LABEL = 4  # characters: not more say nothing
NOTE_MAX = 300  # characters of a note
START = 12  # characters by which a block is found in the page
NEAR = 20  # texts behind the last block among which a note speaks of it
TAIL = 3  # blocks at the end in which a note says it of a text of any length
# What speaks of this article's rest; labels as "for subscribers" stand on teasers of other articles too.
NOTE = re.compile(REJECTION["paywall_notes"], re.IGNORECASE)
PLACES = ("p", "div", "span", "h2", "h3", "h4", "strong", "b", "em", "a", "button", "br", "section", "li")
SAID = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)
# "… of the bridge …", "the bri[...]", "[+2043 chars]": the text goes on elsewhere.
CUT = re.compile(r"(?:\[\s?(?:…|\.\.\.)\s?\]|\[\+\d+ \w+\]|(?<=\w) (?:…|\.{3,4}))$")
DOTS = re.compile(r"\w(?:…|\.\.\.)$")


def paywall_of(tree: _Element, blocks: Sequence[Block]) -> Paywall:
    """Return how a page tells that the rest of its article is for subscribers, empty if it does not."""
    if any(is_paywall_note(block.text) for block in blocks[-TAIL:]):
        return "noted"
    if sum(len(block.text) for block in blocks) > LONG:
        return ""
    body = next(iter(tree.iter("body")), tree)
    texts = [
        text for element in body.iter(*PLACES) for text in (element.text, element.tail) if text and len(text) > LABEL
    ]
    starts = {block.text[:START] for block in blocks}
    last = max((at for at, text in enumerate(texts) if text.lstrip()[:START] in starts), default=-NEAR)
    if any(map(is_paywall_note, texts[last + 1 : last + NEAR])):
        return "noted"
    return "said" if any(SAID.search(script.text or "") for script in tree.iter("script")) else ""


def is_truncated(blocks: Sequence[Block], *, paywall: Paywall, raw: Sequence[Block] = ()) -> bool:
    """
    Return whether `blocks` are the beginning of an article whose rest is missing.

    Args:
        raw: The blocks before furniture was cut from them: a note among the last ones is believed at any length.
    """
    if any(is_paywall_note(block.text) for block in (*raw[-TAIL:], *blocks[-TAIL:])):
        return True
    size = sum(len(block.text) for block in blocks)
    last = blocks[-1].text.rstrip() if blocks else ""
    if size <= SHORT and (paywall == "noted" or CUT.search(last)):
        return True
    return bool(paywall) and size <= (SHORT if DOTS.search(last) else SHORTER)


def is_paywall_note(text: str) -> bool:
    """Whether `text` says that the rest of the article is for those who pay or sign in."""
    return len(text) <= NOTE_MAX and NOTE.search(text) is not None


FEW = 5  # different words of the feed: fewer say nothing
SHARED = 0.1  # of them that the text must hold; of 208 own texts one holds less, of 207 others' most do
LOOKED_AT_CHARS = 600  # of the feed's words: a long summary may go beyond a short page


def matches_feed_entry(text: str, *, title: str, summary: str, language: str) -> bool:
    """Whether `text` may be the article that a feed announced by `title` and `summary`."""
    told = f"{title} {summary}"[:LOOKED_AT_CHARS]
    return len(set(stems(told, language))) < FEW or word_overlap(told, text, language) >= SHARED
