"""Recognises pages without an article: walls, error pages, texts cut at a paywall, and pages about other subjects."""

import re
from collections.abc import Sequence
from typing import Literal

from lxml.etree import _Element

from watcher.clean.phrases import REJECTION
from watcher.failure_messages import PageKind
from watcher.model import Block
from watcher.text.words import normalize_key, stems, word_overlap

WALL_MAX = 1_500  # characters: a wall's own text is short, an article about cookies is long
BRIEF = 600  # maximal characters of a robot check, an error page or a subscription offer
LEAST = 30  # minimal letters of an article: less is a caption
MAX_BUTTON_CHARS = 60  # of a button's line
MAX_OTHER_CHARS = 300  # of paragraphs about other things: with more, the page is an article
MIN_PARAGRAPH_CHARS = 80  # a shorter line is no paragraph
# A wall addresses its reader: "we and our 812 partners store …", "your privacy". An article about cookies does not.
CONSENT = re.compile(REJECTION["consent"], re.IGNORECASE)
PARTNERS = re.compile(rf"\b\d{{1,4}} (?:\w{{1,30}} ){{0,3}}(?:{REJECTION['partners']})", re.IGNORECASE)
COOKIES = re.compile(REJECTION["cookies"], re.IGNORECASE)
PARTNERS_BEFORE, PARTNERS_BEHIND = 300, 200  # characters between the number of partners and what they may use
# The buttons of a consent wall, each alone on its line.
AGREE = re.compile(rf"^\W*+(?:{REJECTION['consent_buttons']})\W*$", re.IGNORECASE)
BOT = re.compile(
    rf"(?:^|[.!?…:]\s++|\n)\W{{0,6}}+(?=\w)(?:please |bitte |to continue,? )?(?:{REJECTION['robot_checks']})"
    rf"|{REJECTION['robot_checks_anywhere']}",
    re.IGNORECASE,
)
_CODE = r"(?:error |fehler |erreur |errore |błąd |chyba )?(?:http )?(?:404|403|410|429|500|502|503|504)"
ERROR = re.compile(
    rf"^\W*+{_CODE}\W*+(?:(?:page |file )?not found|forbidden|gone|(?:service )?(?:temporarily )?unavailable"
    r"|(?:bad )?gateway|(?:internal )?server error|too many requests|error|$).{0,40}$"
    rf"|^.{{0,30}}(?:{REJECTION['not_found']})",
    re.IGNORECASE,
)
GONE = re.compile(rf"\A\W*+(?:{REJECTION['removed']}).{{0,80}}$", re.IGNORECASE | re.MULTILINE)
SCRIPTED = re.compile(REJECTION["needs_javascript"], re.IGNORECASE)
OLD_BROWSER = re.compile(rf"\W{{0,6}}(?:{REJECTION['unsupported_browser']})", re.IGNORECASE)


def rejection_reason(blocks: Sequence[Block], *, title: str, bare: str) -> PageKind | None:
    """Return why a page has no article, None if it may have one; without `blocks`, `bare` (`visible_text`) counts."""
    lines = [block.text for block in blocks]
    size = sum(map(len, lines))
    if size <= WALL_MAX:
        text = "\n".join(lines)
        if size <= BRIEF and BOT.search(f"{title}\n{text or bare}"[: WALL_MAX * 2]):
            return PageKind.ROBOT_CHECK
        if size <= BRIEF and (ERROR.match(title) or ERROR.match(lines[0] if lines else "") or GONE.match(text)):
            return PageKind.MISSING
        if _is_consent(lines or bare.split("\n")):
            return PageKind.CONSENT_WALL
        if (SCRIPTED.search(text or bare) and size <= MIN_PARAGRAPH_CHARS) or (
            OLD_BROWSER.match(text or bare) and size <= NOTE_MAX
        ):
            return PageKind.NEEDS_JAVASCRIPT
        others = (len(line) for line in lines if not is_paywall_note(line))
        if size <= BRIEF and lines and is_paywall_note(lines[0]) and sum(others) < MIN_PARAGRAPH_CHARS:
            return PageKind.PAYWALL  # nearly all of the text is an offer to subscribe
    if len(normalize_key("".join(lines)[:WALL_MAX])) < LEAST:
        return PageKind.NO_TEXT
    return None


def _is_consent(lines: Sequence[str]) -> bool:
    """Whether lines ask for consent and the other lines have almost no paragraphs."""
    addressed = [line for line in lines if _addresses_reader(line)]
    if not addressed:
        return False
    asks = {*addressed, *(line for line in lines if len(line) <= MAX_BUTTON_CHARS and AGREE.match(line))}
    rest = (line for line in lines if line not in asks and not re.search("cookie|privacy|datenschutz", line, re.I))
    return sum(len(line) for line in rest if len(line) > MIN_PARAGRAPH_CHARS) < MAX_OTHER_CHARS


def _addresses_reader(line: str) -> bool:
    """Whether a line asks the reader for consent: in set words, or it names cookies and partners close together."""
    if CONSENT.search(line):
        return True
    cookies = [match.span() for match in COOKIES.finditer(line)]
    return any(
        0 <= start - match.end() <= PARTNERS_BEFORE or 0 <= match.start() - end <= PARTNERS_BEHIND
        for match in PARTNERS.finditer(line)
        for start, end in cookies
    )


Paywall = Literal["", "said", "noted"]  # no paywall known; one in the page's data; one in a note on the page

COMPLETE_TEXT_CHARS = 3_000  # characters: a longer text is complete, or the note is in the text itself
TRUNCATED_TEXT_CHARS = 1_500  # characters: a shorter text with a note or dots is truncated
SHORTER = 700  # characters: the same with a paywall in the data only; many locked articles are sent complete
LABEL = 4  # characters: texts up to this length are ignored
NOTE_MAX = 300  # characters of a note
NOTE_START_CHARS = 12  # characters at the start by which a block is found in the page
TEXTS_AFTER_LAST = 20  # texts after the last block that are searched for a note
NOTE_BLOCKS = 3  # last blocks, in which a note counts for a text of any length
# Notes about the rest of this article; labels such as "for subscribers" are also on teasers of other articles.
PAYWALL_NOTE = re.compile(REJECTION["paywall_notes"])  # in lower case
PLACES = ("p", "div", "span", "h2", "h3", "h4", "strong", "b", "em", "a", "button", "br", "section", "li")
STATED_NOT_FREE = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)
# "… of the bridge …", "the bri[...]", "[+2043 chars]": the text continues elsewhere.
CUT_END = re.compile(r"(?:\[\s?(?:…|\.\.\.)\s?\]|\[\+\d+ \w+\]|(?<=\w) (?:…|\.{3,4}))$")
DOTS = re.compile(r"\w(?:…|\.\.\.)$")


def paywall_of(tree: _Element, blocks: Sequence[Block]) -> Paywall:
    """Return how a page states that the rest of its article is for subscribers, "" if it does not."""
    if any(is_paywall_note(block.text) for block in blocks[-NOTE_BLOCKS:]):
        return "noted"
    if sum(len(block.text) for block in blocks) > COMPLETE_TEXT_CHARS:
        return ""
    body = next(iter(tree.iter("body")), tree)
    texts = [
        text for element in body.iter(*PLACES) for text in (element.text, element.tail) if text and len(text) > LABEL
    ]
    starts = {block.text[:NOTE_START_CHARS] for block in blocks}
    last = max(
        (index for index, text in enumerate(texts) if text.lstrip()[:NOTE_START_CHARS] in starts),
        default=-TEXTS_AFTER_LAST,
    )
    if any(map(is_paywall_note, texts[last + 1 : last + TEXTS_AFTER_LAST])):
        return "noted"
    return "said" if any(STATED_NOT_FREE.search(script.text or "") for script in tree.iter("script")) else ""


def is_truncated(blocks: Sequence[Block], *, paywall: Paywall, raw: Sequence[Block] = ()) -> bool:
    """Whether the rest of an article is missing. A paywall note in the last blocks, also of `raw`, always counts."""
    if any(is_paywall_note(block.text) for block in (*raw[-NOTE_BLOCKS:], *blocks[-NOTE_BLOCKS:])):
        return True
    size = sum(len(block.text) for block in blocks)
    last = blocks[-1].text.rstrip() if blocks else ""
    if size <= TRUNCATED_TEXT_CHARS and (paywall == "noted" or CUT_END.search(last)):
        return True
    return bool(paywall) and size <= (TRUNCATED_TEXT_CHARS if DOTS.search(last) else SHORTER)


def is_paywall_note(text: str) -> bool:
    return len(text) <= NOTE_MAX and PAYWALL_NOTE.search(text.lower()) is not None


MIN_ENTRY_STEMS = 5  # different words of the entry: with fewer, any text matches
SHARED = 0.1  # share of them that must be in the text; 1 of 208 right texts has less, and most of 207 wrong ones
LOOKED_AT_CHARS = 600  # of the entry that are compared: a long summary may contain more than a short page


def matches_feed_entry(text: str, *, title: str, summary: str, language: str) -> bool:
    announced = f"{title} {summary}"[:LOOKED_AT_CHARS]
    return len(set(stems(announced, language))) < MIN_ENTRY_STEMS or word_overlap(announced, text, language) >= SHARED


OPENING_CHARS = 2 * LOOKED_AT_CHARS  # characters of a text with more words than the title and description have
FEW_SHARED = 0.25  # share of the words of title and description that a text has: of 419 texts, no right one has less


def is_doubtful(text: str, announced: str, *, word_count: int, language: str) -> bool:
    """
    Whether a text is probably not the article of its page.

    It has few of the words in `announced` (title and description of the page), or fewer characters than the page says
    that the article has words (`word_count`).
    """
    announced = announced[:LOOKED_AT_CHARS]
    # The beginning of most texts has enough of the words, so that the rest need not be read.
    parts = (text[:OPENING_CHARS], text)
    is_other = len(set(stems(announced, language))) >= MIN_ENTRY_STEMS and all(
        word_overlap(announced, part, language) < FEW_SHARED for part in parts
    )
    return is_other or word_count > len(text)
