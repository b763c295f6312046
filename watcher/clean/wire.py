"""Wire copy: find the agency, dateline and credits of an article in its text and page, and cut them from the text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from lxml.etree import _Element

from watcher.clean.agencies import (
    LONGEST,
    MARK,
    NAMES,
    MarkedText,
    agencies_in_path,
    agency_in,
    agency_of,
    agency_of_byline,
    agency_of_site,
    mark_agency_names,
    might_name_agency,
)
from watcher.clean.phrases import CLASS_NAMES, ELEMENTS, PHRASES
from watcher.model import Block, RemovedBlock
from watcher.text.urls import host_of
from watcher.text.words import normalize_key

HEAD = 4  # blocks at the beginning where a dateline or credit stands
HEAD_RAW = 10  # blocks in which a dateline with an agency is looked for: title, byline, date stand before it
TAIL = 4  # blocks at the end where a credit stands
CONTRIBUTED_MAX = 200  # characters behind "with reporting from", one sentence
# Behind the end of the last sentence: "… said. (AFP)", "… zu Ende (dpa).", "… today. — AFP", "… terminó». EFE"
END = re.compile(
    r"(?:(?<=[.!?…。！？।۔؟\"”’»)])\s*[(\[（〔【]|(?<!\s)\s++\()\s*"
    r"(?:(?:mit|with|avec|con|com|z|s|Source|Quelle)[: ]\s*)?"
    rf"(?P<brackets>(?:[\w.]{{1,8}}\s?[/,]\s?)?{NAMES})\s*[)\]）〕】]\.?$"
    rf"|(?<!\s)\s++(?:[/©–—]|--)\s?(?P<dashed>(?:[\w.]{{1,8}}/)?{NAMES})/?\.?$"
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
# Before the text, behind what may be the caption of a picture, "Quelle: dpa" is rather the picture's.
PICTURES_SOURCE = re.compile(r"(?:quelle|source|fuente|fonte|bron|kilde|källa|kuva)\s*:", re.IGNORECASE)
REUTERS_DESK = re.compile(r"^\((?:Reporting|Writing|Additional reporting|Editing|Compiled) (?:by|and) [^()]{3,400}\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class WireInfo:
    """What an article says of where its text comes from, and its blocks without that."""

    agency: str | None
    dateline: str | None
    blocks: tuple[Block, ...]
    removed: tuple[RemovedBlock, ...]


def read_wire(blocks: tuple[Block, ...], *, fields: Iterable[str], url: str, named: Sequence[str] = ()) -> WireInfo:
    """
    Return the agency and dateline of an article, and its blocks without dateline and credits.

    A dateline that names an agency counts most, then the agency's own site, what names it beside the text, and a credit
    in the text. Beside the text, the first of `named` (from `credited_agencies`) counts; without it, an agency in
    `fields`, which hold what the page or its feed says of its authors and sources.
    """
    kept = list(blocks)
    removed: list[RemovedBlock] = []
    place, by_dateline = _take_dateline(kept, removed)
    by_credit = _take_credits(kept, removed)
    by_page = named[0] if named else _from_fields(fields)
    return WireInfo(
        agency=by_dateline or agency_of_site(host_of(url).partition(":")[0]) or by_page or by_credit,
        dateline=place,
        blocks=tuple(block for block in kept if block.text),
        removed=tuple(removed),
    )


def strip_credits(blocks: tuple[Block, ...]) -> tuple[str | None, tuple[Block, ...], tuple[RemovedBlock, ...]]:
    """Return the agency that the credits of an article without furniture name, its blocks without them, what went."""
    kept = list(blocks)
    removed: list[RemovedBlock] = []
    agency = _take_credits(kept, removed)
    left = tuple(block for block in kept if block.text)
    return (agency, left, tuple(removed)) if left else (None, blocks, ())


def _take_dateline(kept: list[Block], removed: list[RemovedBlock]) -> tuple[str | None, str | None]:
    """Cut the dateline from the first paragraph that has one; return its place and agency."""
    for at, block in enumerate(kept[:HEAD_RAW]):
        found = None if block.kind == "h" else parse_dateline(block.text, only_agencies=at >= HEAD)
        if found is not None:
            removed.append(RemovedBlock(rule="dateline", text=block.text[: found.end].strip()))
            kept[at] = replace(block, text=block.text[found.end :])
            return found.place, found.agency
    return None, None


def _take_credits(kept: list[Block], removed: list[RemovedBlock]) -> str | None:
    """Cut the credits that are blocks of their own or stand behind the last sentence; return the agency they name."""
    agency: str | None = None
    last = len(kept) - 1
    for at, block in enumerate(kept):
        if HEAD <= at <= last - TAIL or not block.text:
            continue
        is_tail = at > last - TAIL
        named = _credit(block.text, is_tail=is_tail) if last > 0 or len(block.text) < len("Reuters") else None
        if named is not None:
            removed.append(RemovedBlock(rule="credit", text=block.text))
            kept[at] = replace(block, text="")
            named = None if not is_tail and PICTURES_SOURCE.match(block.text) else named
        elif is_tail and (end := _credit_behind(block.text)):
            named, start = end
            removed.append(RemovedBlock(rule="credit", text=block.text[start:].strip()))
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
    at = marked.text.index(MARK, found.start(found.lastgroup or 0))
    is_open = found["brackets"] and not ENDED.search(marked.text[: found.start()]) and found.group()[-1] != "."
    if is_open or (marked.is_shy(at) and found["bare"]):
        return None
    return marked.agency(at), begin + marked.original_offset(found.start())


def _from_fields(fields: Iterable[str]) -> str | None:
    """Return the agency that the page names as author or source; behind "Photos:" stand those of the pictures."""
    for text in fields:
        if re.match(r"^\W*+(?:photos?|fotos?|im[aá]g\w+|bild\w*|pictures?)\b", text, re.IGNORECASE):
            return None
        if named := agency_of(text) or agency_of_byline(text):
            return named
    return None


SENTENCE = 60  # characters beside a name that make it a word of a sentence
MAX_ELEMENTS_INTO_TEXT = 40  # elements of the text among which a byline may still stand: behind its standfirst
MAX_UP = 8  # elements above a line that say what it is
NEAR_LEVELS = 4  # of these, those in which a picture's name makes a line its credit
# Elements before and behind the text in which a byline or source line stands.
MAX_ELEMENTS_BEFORE_TEXT, MAX_ELEMENTS_AFTER_TEXT = 120, 60
NEAR_IMAGE = 6  # elements behind a picture in which a plain name is its credit
MANY = 3  # agencies that a page names: more is a list
MAX_LINE = LONGEST + 40  # characters of a text with the space around it
ANCHOR = 60  # characters of a paragraph by which the text is found in the page
START = 20  # of these, the first that are compared
LINES, WITHIN = ELEMENTS["lines"], ELEMENTS["within_lines"]
PICTURES, NEVER = ELEMENTS["pictures"], ELEMENTS["never_lines"]
BYLINE, PICTURED, ELSEWHERE = "agency_line", "pictured", "elsewhere"
# In this order, where a name says several.
ROLES = {role: re.compile(CLASS_NAMES[role], re.IGNORECASE) for role in (ELSEWHERE, PICTURED, BYLINE)}
SURE_BYLINE = re.compile(r"by-?line", re.IGNORECASE)
BY = re.compile(r"^\W*+(?:by|von|par|por|di|door|av|af|od|autor)\b", re.IGNORECASE)


def credited_agencies(
    tree: _Element, blocks: Sequence[Block], *, url: str, fields: Iterable[str] = (), language: str | None = None
) -> tuple[str, ...]:
    """
    Return the agencies that a page names as where its text comes from, the most telling first; empty if none.

    A credit of a picture, a name in a menu or in a teaser does not count, nor a page that names many. `fields` are the
    authors and sources in the page's data.
    """
    in_data = (agency_of(text, language=language) or agency_of_byline(text) for text in fields if "//" not in text)
    found = dict.fromkeys((*in_data, *_agencies_in_lines(tree, blocks, language), *agencies_in_path(url)))
    agencies = tuple(agency for agency in found if agency)
    return agencies if len(agencies) <= MANY else ()


def _agencies_in_lines(tree: _Element, blocks: Sequence[Block], language: str | None) -> Iterator[str]:
    elements = list(tree.iter(*LINES, *PICTURES))
    lines = list(_agency_lines(elements))
    places = _paragraph_places(blocks, elements) if lines else []
    if not places:
        return
    first, last = min(places), max(places)
    for at, element, line, is_near_image in lines:
        role = _line_role(element)
        begins = first - MAX_ELEMENTS_BEFORE_TEXT <= at < first + (MAX_ELEMENTS_INTO_TEXT if role == BYLINE else 0)
        if role in (ELSEWHERE, PICTURED) or not (begins or last < at <= last + MAX_ELEMENTS_AFTER_TEXT):
            continue
        if is_near_image and role != BYLINE and not BY.match(line):
            continue
        for text in dict.fromkeys((line, _line_text(element))):
            agency = agency_of(text, language=language)
            if agency is None and (role == BYLINE or BY.match(text)):
                agency = agency_of_byline(text)
            if agency is not None:
                yield agency
                break


def _agency_lines(elements: Sequence[_Element]) -> Iterator[tuple[int, _Element, str, bool]]:
    """Yield the texts that name an agency: the place of each, its element, the text, whether a picture is near."""
    image = -MAX_LINE
    for at, element in enumerate(elements):
        image = at if element.tag in PICTURES else image
        for text, is_inside in ((element.text, True), (element.tail, False)):
            if not text or text.isspace() or len(text) > MAX_LINE or not might_name_agency(text):
                continue
            owner = element if is_inside else element.getparent()
            if owner is not None and mark_agency_names(text).names and not _is_in_sentence(element):
                yield at, owner, " ".join(text.split()), at - image <= NEAR_IMAGE


def _paragraph_places(blocks: Sequence[Block], elements: Sequence[_Element]) -> list[int]:
    """Return the indices of the elements whose text begins a block, which is a paragraph of the article's text."""
    wanted: dict[str, set[str]] = {}
    for block in blocks:
        if len(block.text) >= ANCHOR:
            wanted.setdefault(block.text[:2], set()).add(normalize_key(block.text[:ANCHOR])[:START])
    return [
        at
        for at, element in enumerate(elements)
        for text in (element.text, element.tail)
        if text
        and len(text) >= START
        and (starts := wanted.get(text.lstrip()[:2]))
        and normalize_key(text[:ANCHOR])[:START] in starts
    ]


def _is_in_sentence(element: _Element) -> bool:
    """Whether text stands before and behind an element: then it is a word of a sentence, not a line."""
    before = element.getprevious()
    parent = element.getparent()
    if parent is None or element.tag not in WITHIN:
        return False
    lead = before.tail if before is not None else parent.text
    return len((lead or "").strip()) + len((element.tail or "").strip()) > SENTENCE


def _line_text(element: _Element) -> str:
    """Return the text of the line that an element is a part of, empty if that is long."""
    while element.tag in WITHIN and (above := element.getparent()) is not None:
        element = above
    parts: list[str] = []
    for part in element.itertext():
        parts.append(part)
        if sum(map(len, parts)) > 2 * LONGEST:
            return ""
    return " ".join("".join(parts).split())


def _line_role(element: _Element) -> str:
    """Return what the names and classes of an element and of those above it say that it is, empty if nothing."""
    role = ""
    for level, above in enumerate(islice((element, *element.iterancestors()), MAX_UP)):
        if above.tag in ("body", "main", "article"):
            break
        if above.tag in NEVER:
            return PICTURED
        said = _name_role(" ".join(above.get(name, "") for name in ("class", "id", "itemprop", "rel")))
        if said == ELSEWHERE or (said == PICTURED and level < NEAR_LEVELS):
            return said
        role = BYLINE if said == BYLINE else role
    return role


@lru_cache(maxsize=8192)
def _name_role(names: str) -> str:
    if SURE_BYLINE.search(names) and not ROLES[ELSEWHERE].search(names):
        return BYLINE
    return next((role for role, pattern in ROLES.items() if pattern.search(names)), "")


MAX_DATELINE_CHARS = 200  # characters in which a dateline ends
REST = 20  # characters of text that must be left behind it
# A capital, or a script without. Words and separators share no character, or a line of hyphens would take for ever.
_LETTER = r"\w'’.\-\u0300-\u036f\u0900-\u0dff\u0e00-\u0e7f"
_WORD = rf"(?:[^\W\d_a-zß-ÿа-яёіїєґα-ω][{_LETTER}]*|de|la|las|los|del|do|da|of|am|an|der|im|den|sur|el|al|on)"
_PLACE = rf"{_WORD}(?:[ /,\[\]]{{1,3}}{_WORD}){{0,5}}\]?(?![{_LETTER}])"
_MONTH = r"[^\W\d_][\w\u0900-\u0dff]{2,11}\.?"
_DATE = (
    rf"(?:[,.]?\s*(?:\d{{1,2}}\.?\s+(?:de\s)?{_MONTH}|{_MONTH}\s+\d{{1,2}}|\d{{1,2}}[./]\d{{1,2}}\.?"
    rf"|\d{{4}}\.\s{_MONTH}\s\d{{1,2}}\.(?:, \w+)?)(?:[./]?,?\s*(?:de\s)?\d{{4}}\.?)?)?"
)
_DASH = r"\s*[—–\-―:.|।।]{1,3}\s*"
_STARTS = r"(?=[^\Wa-zß-ÿа-яёіїєґα-ω_]|[\"“„«'‘])"  # what begins a sentence: a capital, a letter without case, a quote
# "BEIJING (AFP) — ", "BERLIN, June 3 (Reuters) - ", "Lisboa, 12 abr 2024 (Lusa) – ", "New Delhi, Jun 3 (PTI) The"
_PLACE_AGENCY = re.compile(
    rf"^(?P<place>{_PLACE})(?: [(\[][^()\[\]]{{2,30}}[)\]]){{0,2}}{_DATE}(?:\sd\.)?\.?,?\s*"
    rf"(?:[(\[]\s*(?P<names>{NAMES})\s*[)\]]|/\s?(?P<slashed>{NAMES})\s?/)(?:{_DASH}(?=\S)|\s+{_STARTS})"
)
# "Reuters - ", "Santiago de Chile, EFE | ", "Алма-Ата. ИНТЕРФАКС - ", "KVELLER via JTA — ": then a sentence begins.
_BARE_AGENCY = re.compile(
    rf"^(?:(?P<place>[^\W\d_a-zß-ÿа-яё][^,.|(\[/—–{MARK}]{{1,40}})[,.] |[A-Z][\w ]{{1,30}} via )?"
    rf"(?P<names>{MARK}) ?(?: [—–―-]{{1,2}}|\|) {_STARTS}"
)
# "(ANSA) - ROMA, 12 APR - ", "(AFP) — "
_AGENCY_PLACE = re.compile(
    rf"^[(\[/]\s*(?P<names>{NAMES})\s*[)\]/](?:{_DASH}|\s+{_STARTS})"
    rf"(?:(?P<place>[^\W\d_a-zß-ÿ][\w'’. \-]{{2,30}}),{_DATE}{_DASH}"
    rf"|(?P<capitals>[A-ZÀ-Ý][A-ZÀ-Ý'’. \-]{{2,30}}){_DASH})?"
    r"(?=\S)"
)
# "МОСКВА, 3 июня. /ТАСС/. ", "KYIV. Sept 3 (Interfax-Ukraine) – ", "МОСКВА, 3 июн - РИА Новости. "
_SLASHED = re.compile(
    rf"^(?P<place>{_PLACE}){_DATE}\.?,?\s*"
    rf"(?:/\s*(?P<names>{NAMES})\s*/|[-–—]\s*(?P<plain>{NAMES})|(?<=[.,] )(?P<bare>{MARK}))"
    rf"\s*[.:–—-]+\s*(?:\d{{1,2}} {_MONTH} \d{{4}} [–—-]+\s*)?(?=\S)"
)
# "القاهرة - رويترز: ", "القاهرة (رويترز) - ", "دبي في 3 يونيو / وام / ", "تهران - ایرنا - "
_ARABIC = re.compile(
    rf"^(?P<place>[\u0600-\u06ff ،]{{2,30}}?)[\d\s،-]{{0,12}}(?:(?:يونيو|يناير|م)\s)?"
    rf"(?:[(/]\s*(?P<names>{NAMES})\s*[)/]\s*[-–—:/]+\s*|\s{{0,3}}[-–—/]\s*(?P<plain>{NAMES})\s*[-–—:/]+\s+|-(?P<bare>{MARK})\s+)"
    r"(?=\S)"
)
# "新华社北京4月24日电", "(서울=연합뉴스) 김철수 기자 = ", "【ワシントン共同】", "［ロンドン　３日　ロイター］　－"
_HAN = re.compile(
    r"[（(【]?(?P<names>新华社|新華社|中新社|中新网|中央社|韩联社|韓聯社|共同社|法新社|路透社|美联社|美聯社)"
    r"(?P<reporter>記者|记者)?(?P<place>[\u4e00-\u9fff]{2,10}?)?(?:\d{1,2}月)?\d{1,2}日(?:综合|綜合|外)?(?:讯|訊)?[电電]"
    r"[）)】]?\s*+(?:[（(](?:记者|記者|通讯员)?[^（()）]{1,40}[）)]\s*)?"
)
_KANA_HANGUL = re.compile(
    r"[【\[(（［](?:\d{1,2}月\d{1,2}日\s*|(?P<place>[^\s】\])）］=＝]{1,12}?)[\s=＝]*(?:[\d０-９]{1,2}\s?日[\s=＝]*)?)"
    r"(?P<names>共同|時事|연합뉴스|뉴시스|뉴스1|ロイター|AFP|ＡＦＰ|AP|ＡＰ|ブルームバーグ)(?:時事|通信)?[】\])）］]"
    r"\s*(?:[－-]\s*)?(?:[^\s=]{1,14}(?:\s?·\s?[^\s=]{1,14})?\s?기자\s?=\s?)?"
)
# Without an agency: capitals, a dash, then the text. "JERUSALEM — ", "NEW YORK, June 3 -"
_CAPITALS = re.compile(
    rf"^(?P<place>[A-ZÀ-ÝА-Я][A-ZÀ-ÝА-Я'’.\-]+(?:[ "
    rf",]{{1,2}}[A-ZÀ-ÝА-Я][A-ZÀ-ÝА-Я'’.\-]*){{0,3}})(?!\w){_DATE}\s+[—–―-]{{1,2}}\s+(?=\S)"
)
_WITH_AGENCY = (_PLACE_AGENCY, _AGENCY_PLACE, _SLASHED, _ARABIC, _BARE_AGENCY)
_WIDE = str.maketrans({"Ａ": "A", "Ｐ": "P", "Ｆ": "F"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dateline:
    """A dateline: its place and agency, as far as it names them, and where in the text it ends."""

    place: str | None
    agency: str | None
    end: int


def parse_dateline(text: str, *, only_agencies: bool = False) -> Dateline | None:
    """Return the dateline that `text` begins with, None if there is none; `only_agencies` leaves out those without."""
    head = text[:MAX_DATELINE_CHARS]
    marked = mark_agency_names(head)
    found = _parse_east_asian_dateline(head) or (_parse_marked_dateline(marked.text, marked) if marked.names else None)
    if found is None and not only_agencies and (plain := _CAPITALS.match(head)):
        found = Dateline(place=plain["place"].strip(" ,."), agency=None, end=plain.end())
    return found if found is not None and len(text) - found.end >= REST else None


def _parse_east_asian_dateline(head: str) -> Dateline | None:
    """Return the dateline of a text in a script where an agency's name is not a word by itself."""
    found = _HAN.match(head) or _KANA_HANGUL.match(head)
    if found is None:
        return None
    named = mark_agency_names(found["names"].translate(_WIDE))
    place = found["place"] or ""
    if found.re is _HAN and found["reporter"]:  # "記者王五台北": the name has no end of its own
        place = place[-2:]
    return Dateline(place=place or None, agency=named.agency() if named.names else None, end=found.end())


def _parse_marked_dateline(text: str, marked: MarkedText) -> Dateline | None:
    for pattern in _WITH_AGENCY:
        found = pattern.match(text)
        if found is None:
            continue
        groups = found.groupdict()
        place = (groups["place"] or groups.get("capitals") or "").strip(" ,.،").removesuffix(" في")
        at = next(found.start(name) for name in ("names", "slashed", "plain", "bare") if groups.get(name))
        if _is_dateline(found, place, at, is_shy=marked.is_shy(at)):
            return Dateline(place=place or None, agency=marked.agency(at), end=marked.original_offset(found.end()))
    return None


def _is_dateline(found: re.Match[str], place: str, at: int, *, is_shy: bool) -> bool:
    """Whether a match is a dateline, not a sentence that names an agency at `at`."""
    text, head = found.string, found.string[:at]
    in_brackets = head.rstrip()[-1:] in ("(", "[", "/")
    dated = any(char.isdigit() for char in head)
    if found.re is _ARABIC:
        return in_brackets or not is_shy or " " not in place
    if is_shy and not in_brackets:
        return False
    if found.re is _SLASHED and found["plain"]:  # "МОСКВА - РИА Новости. ", not "Apple - Bloomberg: "
        return dated or place.isupper()
    if found.re is _PLACE_AGENCY and text[found.end() - 1].isspace() and text[found.end()].isalpha():
        behind = found.group()[at + 1 :].rstrip()
        return behind[-1:] in "—–―-:.|।" or text[found.end()].isupper() or dated
    return True
