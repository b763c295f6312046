"""Credits in a text: a block, or the end of one, that names the agency which the text comes from."""

import re
from collections.abc import Iterable

from watcher.clean.agencies import (
    AGENCY_NAMES,
    MARK,
    MAX_CREDIT_CHARS,
    agency_in,
    agency_of,
    agency_of_byline,
    mark_agency_names,
    might_name_agency,
)
from watcher.clean.phrases import PHRASES

CONTRIBUTED_MAX = 200  # characters behind "with reporting from", one sentence
# Behind the end of the last sentence: "… said. (AFP)", "… zu Ende (dpa).", "… today. — AFP", "… terminó». EFE"
END = re.compile(
    r"(?:(?<=[.!?…。！？।۔؟\"”’»)])\s*[(\[（〔【]|(?<!\s)\s++\()\s*"
    r"(?:(?:mit|with|avec|con|com|z|s|Source|Quelle)[: ]\s*)?"
    rf"(?P<brackets>(?:[\w.]{{1,8}}\s?[/,]\s?)?{AGENCY_NAMES})\s*[)\]）〕】]\.?$"
    rf"|(?<!\s)\s++(?:[/©–—]|--)\s?(?P<dashed>(?:[\w.]{{1,8}}/)?{AGENCY_NAMES})/?\.?$"
    rf"|(?<=[.!?…\"”’»)])\s+(?P<bare>{MARK})\.?$"
    rf"|(?<=[。！？」])\s*(?P<wide>\(c\)\s?{MARK}).{{0,40}}$"
)
# "[Bloomberg]" behind a line without an end is where a link leads; the brackets of an end have a full stop at one side.
ENDED = re.compile(r"[.!?…。！？।۔؟\"”’»)]\s*$")
DPA_END = re.compile(r"^©?\s*dpa-infocom,\s*dpa:[\w\-/]+(?:\s*\(dpa\))?$")
CONTRIBUTED = re.compile(rf"^\W*+(?:{PHRASES['contributed']})\b", re.IGNORECASE)
# "Associated Press writer Bo Ek contributed to this report.", "AFP contributed to this article."
HELPED = re.compile(
    rf"^\W*(?:the )?{MARK}(?:,? and .{{2,60}}"
    r"|(?: [\w&/-]+){0,4} (?:writers?|reporters?|correspondents?|journalists?).{2,240}"
    r")? (?:contributed|also contributed|reported from|compiled)\b",
    re.IGNORECASE,
)
# "Copyright 2020 The Associated Press. All rights reserved. This material may not be published…"
RIGHTS = re.compile(
    rf"^\W{{0,5}}(?:copyright|©|\(c\))[\s©]*(?:(?:19|20)\d\d,?\s)?(?:by\s|the\s)*{MARK}.{{0,300}}$", re.I
)
REUTERS_DESK = re.compile(r"^\((?:Reporting|Writing|Additional reporting|Editing|Compiled) (?:by|and) [^()]{3,400}\)$")


def agency_of_credit(text: str, *, is_tail: bool) -> str | None:
    """Return the agency that a block names if it is a credit and nothing else."""
    if is_tail and REUTERS_DESK.match(text):
        return "Reuters"
    if not might_name_agency(text):
        return None
    if len(text) <= MAX_CREDIT_CHARS and (named := agency_of(text)):
        return named
    if not is_tail:
        return agency_of_byline(text) if text[:3] in ("By ", "Von", "Por", "Par") else None
    if DPA_END.match(text):
        return "dpa"
    if len(text) < 300 and (credit := CONTRIBUTED.match(text)):
        return agency_in(text[credit.end() :].rstrip(" .)")[:CONTRIBUTED_MAX].partition(". ")[0])
    marked = mark_agency_names(text[:400])
    if len(text) < 400 and (HELPED.match(marked.text) or RIGHTS.match(marked.text)):
        return marked.agency()
    return None


def find_credit_at_end(text: str) -> tuple[str, int] | None:
    """Return the agency in a credit behind the last sentence of `text`, and where that begins."""
    begin = max(0, len(text) - MAX_CREDIT_CHARS)
    marked = mark_agency_names(text[begin:])
    credit = END.search(marked.text) if marked.names else None
    if credit is None:
        return None
    index = marked.text.index(MARK, credit.start(credit.lastgroup or 0))
    is_open = credit["brackets"] and not ENDED.search(marked.text[: credit.start()]) and credit.group()[-1] != "."
    if is_open or (marked.is_shy(index) and credit["bare"]):
        return None
    return marked.agency(index), begin + marked.original_offset(credit.start())


def agency_in_fields(fields: Iterable[str]) -> str | None:
    """Return the agency that the page names as author or source; behind "Photos:" stand those of the pictures."""
    for text in fields:
        if re.match(r"^\W*+(?:photos?|fotos?|im[aá]g\w+|bild\w*|pictures?)\b", text, re.IGNORECASE):
            return None
        if named := agency_of(text) or agency_of_byline(text):
            return named
    return None
