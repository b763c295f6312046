"""Wire copy: the agency, dateline and credits of an article, read and then cut from its text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from watcher.clean.agencies import (
    LONGEST,
    MARK,
    NAMES,
    agency_in,
    agency_of,
    agency_of_byline,
    agency_of_site,
    mark_agency_names,
    might_name_agency,
)
from watcher.clean.datelines import dateline_of
from watcher.model import Block, Removed

HEAD = 4  # blocks at the beginning where a dateline or credit stands
HEAD_RAW = 10  # blocks in which a dateline with an agency is looked for: title, byline, date stand before it
TAIL = 4  # blocks at the end where a credit stands
CONTRIBUTED_MAX = 200  # characters behind "with reporting from", one sentence
# Behind the end of the last sentence: "… said. (AFP)", "… zu Ende (dpa).", "… today. — AFP", "… terminó». EFE"
END = re.compile(
    rf"(?:(?<=[.!?…。！？।۔؟\"”’»)])\s*[(\[（〔【]|\s+\()\s*(?:(?:mit|with|avec|con|com|z|s|Source|Quelle)[: ]\s*)?"
    rf"(?P<brackets>(?:[\w.]{{1,8}}\s?[/,]\s?)?{NAMES})\s*[)\]）〕】]\.?$"
    rf"|\s+(?:[/©–—]|--)\s?(?P<dashed>(?:[\w.]{{1,8}}/)?{NAMES})/?\.?$"
    rf"|(?<=[.!?…\"”’»)])\s+(?P<bare>{MARK})\.?$"
    rf"|(?<=[。！？」])\s*(?P<wide>\(c\)\s?{MARK}).{{0,40}}$"
)
# "[Bloomberg]" behind a line without an end is where a link leads; the brackets of an end have a full stop at one side.
ENDED = re.compile(r"[.!?…。！？।۔؟\"”’»)]\s*$")
DPA_END = re.compile(r"^©?\s*dpa-infocom,\s*dpa:[\w\-/]+(?:\s*\(dpa\))?$")
CONTRIBUTED = re.compile(
    r"^\W*(?:reporting|writing|editing|additional reporting|con información de|com informações d[aeo]s?|avec"
    r"|mit (?:agentur)?material|with (?:files|reporting|inputs?|agency inputs?|additional reporting) (?:from|by)"
    r"|with inputs from|con informazioni|源|来源|來源|source|quelle|fuente|fonte|bron|kilde|källa|lähde|zdroj"
    r"|źródło|kaynak|источник|джерело|πηγή|المصدر|منبع|출처|based on|nach angaben)\b",
    re.IGNORECASE,
)
# "Associated Press writer Bo Ek contributed to this report.", "AFP contributed to this article."
HELPED = re.compile(
    rf"^\W*(?:the )?{MARK}(?:,? and .{{2,60}}"
    r"|(?: [\w&/-]+){0,4} (?:writers?|reporters?|correspondents?|journalists?).{2,240}"
    r")? (?:contributed|also contributed|reported from|compiled)\b",
    re.IGNORECASE,
)
# "Copyright 2020 The Associated Press. All rights reserved. This material may not be published…"
RIGHTS = re.compile(rf"^\W*(?:copyright|©|\(c\))[\s©]*(?:(?:19|20)\d\d,?\s)?(?:by\s|the\s)*{MARK}.{{0,300}}$", re.I)
# Before the text, behind what may be the caption of a picture, "Quelle: dpa" is rather the picture's.
PICTURES_SOURCE = re.compile(r"(?:quelle|source|fuente|fonte|bron|kilde|källa|kuva)\s*:", re.IGNORECASE)
REUTERS_DESK = re.compile(r"^\((?:Reporting|Writing|Additional reporting|Editing|Compiled) (?:by|and) [^()]{3,400}\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What an article says of where its text comes from, and its blocks without that."""

    agency: str | None
    dateline: str | None
    blocks: tuple[Block, ...]
    removed: tuple[Removed, ...]


def read_wire(
    blocks: tuple[Block, ...],
    *,
    authors: Iterable[str],
    credit: Iterable[str],
    url: str,
    named: Sequence[str] | None = None,
) -> Wire:
    """
    Return the agency and dateline of an article, and its blocks without dateline and credits.

    A dateline that names an agency counts most, then the agency's own site, what names it beside the text, and a credit
    in the text.

    Args:
        authors: Who may be an agency where nothing more is known of the page.
        named: The agencies that the page names beside its text (`sources.named_sources`), which knows a picture's
            credit from a byline; `authors` then say no more.
    """
    kept = list(blocks)
    removed: list[Removed] = []
    place, by_dateline = _take_dateline(kept, removed)
    by_credit = _take_credits(kept, removed)
    by_page = named[0] if named else _from_fields(credit) or (_from_fields(authors) if named is None else None)
    return Wire(
        agency=by_dateline or agency_of_site(_host(url)) or by_page or by_credit,
        dateline=place,
        blocks=tuple(block for block in kept if block.text),
        removed=tuple(removed),
    )


def without_credits(blocks: tuple[Block, ...]) -> tuple[str | None, tuple[Block, ...], tuple[Removed, ...]]:
    """Return the agency that the credits of an article without furniture name, its blocks without them, what went."""
    kept = list(blocks)
    removed: list[Removed] = []
    agency = _take_credits(kept, removed)
    left = tuple(block for block in kept if block.text)
    return (agency, left, tuple(removed)) if left else (None, blocks, ())


def _take_dateline(kept: list[Block], removed: list[Removed]) -> tuple[str | None, str | None]:
    """Cut the dateline from the first paragraph that has one; return its place and agency."""
    for at, block in enumerate(kept[:HEAD_RAW]):
        found = None if block.kind == "h" else dateline_of(block.text, only_agencies=at >= HEAD)
        if found is not None:
            removed.append(Removed(rule="dateline", text=block.text[: found.end].strip()))
            kept[at] = replace(block, text=block.text[found.end :])
            return found.place, found.agency
    return None, None


def _take_credits(kept: list[Block], removed: list[Removed]) -> str | None:
    """Cut the credits that are blocks of their own or stand behind the last sentence; return the agency they name."""
    agency: str | None = None
    last = len(kept) - 1
    for at, block in enumerate(kept):
        if HEAD <= at <= last - TAIL or not block.text:
            continue
        is_tail = at > last - TAIL
        named = _credit(block.text, is_tail=is_tail) if last > 0 or len(block.text) < len("Reuters") else None
        if named is not None:
            removed.append(Removed(rule="credit", text=block.text))
            kept[at] = replace(block, text="")
            named = None if not is_tail and PICTURES_SOURCE.match(block.text) else named
        elif is_tail and (end := _credit_behind(block.text)):
            named, start = end
            removed.append(Removed(rule="credit", text=block.text[start:].strip()))
            kept[at] = replace(block, text=block.text[:start].rstrip())
        agency = agency or named
    return agency


def _credit(text: str, *, is_tail: bool) -> str | None:
    """Return the agency that a block names if it is a credit and nothing else."""
    if is_tail and REUTERS_DESK.match(text):
        return "Reuters"
    if not might_name_agency(text):
        return None
    if len(text) <= LONGEST and (named := agency_of(text)):
        return named
    if not is_tail:
        return agency_of_byline(text) if text[:3] in ("By ", "Von", "Por", "Par") else None
    if DPA_END.match(text):
        return "dpa"
    if len(text) < 300 and (found := CONTRIBUTED.match(text)):
        return agency_in(text[found.end() :].rstrip(" .)")[:CONTRIBUTED_MAX].partition(". ")[0])
    marked = mark_agency_names(text[:400])
    if len(text) < 400 and (HELPED.match(marked.text) or RIGHTS.match(marked.text)):
        return marked.agency()
    return None


def _credit_behind(text: str) -> tuple[str, int] | None:
    """Return the agency in a credit behind the last sentence of `text`, and where that begins."""
    begin = max(0, len(text) - LONGEST)
    marked = mark_agency_names(text[begin:])
    found = END.search(marked.text) if marked.names else None
    if found is None:
        return None
    group = next(name for name in ("brackets", "dashed", "bare", "wide") if found[name])
    at = marked.text.index(MARK, found.start(group))
    is_open = group == "brackets" and not ENDED.search(marked.text[: found.start()]) and found.group()[-1] != "."
    if is_open or (marked.is_shy(at) and group == "bare"):
        return None
    return marked.agency(at), begin + marked.before(found.start())


def _from_fields(fields: Iterable[str]) -> str | None:
    """Return the agency that the page names as author or source; behind "Photos:" stand those of the pictures."""
    for text in fields:
        if re.match(r"\W*(?:photos?|fotos?|im[aá]g\w+|bild\w*|pictures?)\b", text, re.IGNORECASE):
            return None
        if named := agency_of(text) or agency_of_byline(text):
            return named
    return None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
