"""Wire copy: the agency, dateline, byline and end credit of an article, read and then cut from its text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from watcher.clean.agencies import AMBIGUOUS, NAMES, ONE_NAME, agency_in, agency_of, name_in
from watcher.clean.phrases import key
from watcher.model import Block, Removed

HEAD = 4  # blocks at the beginning where a dateline or credit stands
HEAD_RAW = 10  # blocks in which a dateline with an agency is looked for: title, byline, date stand before it
TAIL = 4  # blocks at the end where a credit stands
CREDIT_MAX = 120  # characters of a block that is a credit
# Word and separator share no character, or a line of hyphens would take for ever. A capital, or a script without them.
_WORD = r"(?:[^\W\d_a-zß-ÿа-яёіїєґα-ω][\w'’.\-–]*|de|la|las|los|del|do|da|of|am|an|der|im|den|sur|el|al|on)"
_PLACE = rf"{_WORD}(?:[ /,\[\]]{{1,3}}{_WORD}){{0,5}}\]?(?!\w)"
_DASH = r"\s*[—–\-―:.]{1,3}\s*"
_DATE = r"(?:[,.]?\s*(?:\d{1,2}\.?\s+\w{3,12}\.?|\w{3,12}\.?\s+\d{1,2}|\d{1,2}[./]\d{1,2}\.?)(?:\.?,?\s+\d{4})?)?"
# "BEIJING (AFP) — ", "BERLIN, June 3 (Reuters) - ", "Lisboa, 12 abr 2024 (Lusa) – "
PLACE_AGENCY = re.compile(
    rf"^(?P<place>{_PLACE})(?: \([^()]{{2,30}}\))?{_DATE}\.?,?\s*[(\[]\s*(?P<names>{NAMES})\s*[)\]]"
    rf"(?:{_DASH}|\s+)(?=\S)"
)
# "Reuters - ", "Santiago de Chile, EFE | ", "Алма-Ата. ИНТЕРФАКС - ": behind the dash or bar a sentence begins.
BARE_AGENCY = re.compile(
    rf"^(?:(?P<place>[^\W\d_a-zß-ÿа-яё][^,.|(\[/—–]{{1,40}})[,.] )?"
    rf"(?P<names>{ONE_NAME}) ?(?: [—–―-]{{1,2}}|\|) (?=[^\Wa-zß-ÿа-яё]|[\"“„«'‘])"
)
# "(ANSA) - ROMA, 12 APR - ", "(AFP) — "
AGENCY_PLACE = re.compile(
    rf"^[(\[]\s*(?P<names>{NAMES})\s*[)\]]{_DASH}(?:(?P<place>[A-ZÀ-Ý][A-ZÀ-Ý'’. \-]{{2,30}}){_DATE}{_DASH})?(?=\S)"
)
# "МОСКВА, 3 июня. /ТАСС/. ", "KYIV. Sept 3 (Interfax-Ukraine) – ", "МОСКВА, 3 июн - РИА Новости. "
SLASHED = re.compile(
    rf"^(?P<place>{_PLACE}){_DATE}\.?,?\s*(?:/\s*(?P<names>{NAMES})\s*/|[-–—]\s*(?P<plain>{NAMES}))\s*[.:–—-]+\s*(?=\S)"
)
CJK = re.compile(
    r"^(?P<names>新华社|新華社|中央社|韩联社|共同社)(?P<place>[\u4e00-\u9fff]{2,8}?)?\d{1,2}月\d{1,2}日(?:讯|訊)?电?電?\s*"
    r"|^[【\[(（](?:\d{1,2}月\d{1,2}日\s*|(?P<place2>[^\s】\])）=]{1,12})[=＝]?\s*)"
    r"(?P<names2>共同|時事|연합뉴스|뉴시스|ロイター|AFP|AP)(?:時事|通信)?[】\])）]\s*(?:[^\s=]{1,14}\s?기자\s?=\s?)?"
)
# A dateline without an agency: capitals, a dash, then the text. "JERUSALEM — ", "NEW YORK, June 3 -"
CAPITALS = re.compile(
    rf"^(?P<place>[A-ZÀ-ÝА-Я][A-ZÀ-ÝА-Я'’.\-]+(?:[ "
    rf",]{{1,2}}[A-ZÀ-ÝА-Я][A-ZÀ-ÝА-Я'’.\-]*){{0,3}})(?!\w){_DATE}\s+[—–―-]{{1,2}}\s+(?=\S)"
)
ARABIC = re.compile(
    r"^(?P<place>[\u0600-\u06ff ]{2,30})\s*[-–—/(]\s*(?P<names>" + NAMES + r")\s*[)]?\s*[-–—:/]*\s+(?=\S)"
)
DATELINES = (PLACE_AGENCY, AGENCY_PLACE, SLASHED, CJK, ARABIC, BARE_AGENCY)
END = re.compile(
    rf"\s+[(\[]\s*(?:(?:mit|with|avec|con|com|z|s|Source|Quelle)[: ]\s*)?(?P<names>{NAMES})\s*[)\]]\.?$"
    rf"|\s+[/©–—]\s?(?P<names2>{NAMES})/?$"
)
DPA_END = re.compile(r"^©?\s*dpa-infocom,\s*dpa:[\w\-/]+(?:\s*\(dpa\))?$")
CONTRIBUTED = re.compile(
    r"^\(?(?:reporting|writing|editing|additional reporting|con información de|com informações d[aeo]s?|avec"
    r"|mit material von|"
    r"with (?:files|reporting|inputs?) from|with inputs from|con informazioni|源|来源|來源|source|quelle|fuente|fonte"
    r"|bron|kilde|källa|zdroj"
    r"|źródło|kaynak|источник|джерело|المصدر|منبع|출처|based on|nach angaben)\b",
    re.IGNORECASE,
)
CONTRIBUTED_MAX = 200  # characters behind such a beginning, one sentence
REUTERS_DESK = re.compile(r"^\((?:Reporting|Writing|Additional reporting|Editing|Compiled) (?:by|and) [^()]{3,400}\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What an article says of where its text comes from, and its blocks without that."""

    agency: str | None
    dateline: str | None
    blocks: tuple[Block, ...]
    removed: tuple[Removed, ...]


def read_wire(blocks: tuple[Block, ...], *, authors: Iterable[str], credit: Iterable[str], url: str) -> Wire:
    """
    Return the agency and dateline of an article, and its blocks without dateline and credits.

    A dateline that names an agency counts most, then the author and credit fields, then a credit in the text.
    An agency's own site is not told from one that prints it: its articles are that agency's.
    """
    kept = list(blocks)
    removed: list[Removed] = []
    place, by_dateline = _take_dateline(kept, removed)
    by_credit = _take_credits(kept, removed)
    by_fields = _from_fields(authors, credit, url)
    return Wire(
        agency=by_dateline or by_fields or by_credit,
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
        if block.kind == "h":
            continue
        for pattern in (*DATELINES, CAPITALS) if at < HEAD else DATELINES:
            found = pattern.match(block.text[:200])
            if found is None or len(block.text) - found.end() < 20:
                continue
            groups = found.groupdict()
            names = groups.get("names") or groups.get("names2") or groups.get("plain") or ""
            place = groups.get("place") or groups.get("place2")
            removed.append(Removed(rule="dateline", text=found.group().strip()))
            kept[at] = replace(block, text=block.text[found.end() :])
            return (place.strip(" ,.") if place else None), name_in(names)
    return None, None


def _take_credits(kept: list[Block], removed: list[Removed]) -> str | None:
    """Cut the credits that are blocks of their own or stand behind the last sentence; return the agency they name."""
    agency: str | None = None
    last = len(kept) - 1
    for at, block in enumerate(kept):
        if HEAD <= at <= last - TAIL or not block.text:
            continue
        text = block.text
        named = agency_of(text) if len(text) <= CREDIT_MAX else None
        if named is None and at > last - TAIL and len(text) < 300 and (found := CONTRIBUTED.match(text)):
            named = agency_in(text[found.end() :].rstrip(" .)")[:CONTRIBUTED_MAX].partition(". ")[0])
        if named is None and at > last - TAIL and DPA_END.match(text):
            named = "dpa"
        if named is not None and (last > 0 or len(text) < len("Reuters")):
            agency = agency or named
        elif at > last - TAIL and (found := END.search(text[-CREDIT_MAX:])):
            agency = agency or name_in(found.group("names") or found.group("names2"))
            kept[at] = replace(block, text=text.removesuffix(found.group()))
            removed.append(Removed(rule="credit", text=found.group().strip()))
            continue
        elif not (at > last - TAIL and REUTERS_DESK.match(text)):
            continue
        else:
            agency = agency or "Reuters"
        removed.append(Removed(rule="credit", text=text))
        kept[at] = replace(block, text="")
    return agency


def _from_fields(authors: Iterable[str], credit: Iterable[str], url: str) -> str | None:
    """Return the agency that the page names as author or source."""
    host = key(urlsplit(url).hostname or "")
    for text in (*authors, *credit):
        named = agency_of(text)
        if named is not None and (named not in AMBIGUOUS or key(named) in host or len(text) > len(named)):
            return named
    return None
