"""The dateline that a text begins with: "BEIJING (AFP) – ", with its place and its agency."""

import re
from dataclasses import dataclass

from watcher.clean.agencies import AGENCY_NAMES, MARK, MarkedText, mark_agency_names
from watcher.clean.phrases import PHRASES

MAX_DATELINE_CHARS = 200  # characters in which a dateline ends
MIN_TEXT_AFTER = 20  # characters of text that must be left behind it
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
    rf"(?:[(\[]\s*(?P<names>{AGENCY_NAMES})\s*[)\]]|/\s?(?P<slashed>{AGENCY_NAMES})\s?/)(?:{_DASH}(?=\S)|\s+{_STARTS})"
)
# "Reuters - ", "Santiago de Chile, EFE | ", "Алма-Ата. ИНТЕРФАКС - ", "KVELLER via JTA — ": then a sentence begins.
_BARE_AGENCY = re.compile(
    rf"^(?:(?P<place>[^\W\d_a-zß-ÿа-яё][^,.|(\[/—–{MARK}]{{1,40}})[,.] |[A-Z][\w ]{{1,30}} via )?"
    rf"(?P<names>{MARK}) ?(?: [—–―-]{{1,2}}|\|) {_STARTS}"
)
# "(ANSA) - ROMA, 12 APR - ", "(AFP) — "
_AGENCY_PLACE = re.compile(
    rf"^[(\[/]\s*(?P<names>{AGENCY_NAMES})\s*[)\]/](?:{_DASH}|\s+{_STARTS})"
    rf"(?:(?P<place>[^\W\d_a-zß-ÿ][\w'’. \-]{{2,30}}),{_DATE}{_DASH}"
    rf"|(?P<capitals>[A-ZÀ-Ý][A-ZÀ-Ý'’. \-]{{2,30}}){_DASH})?"
    r"(?=\S)"
)
# "МОСКВА, 3 июня. /ТАСС/. ", "KYIV. Sept 3 (Interfax-Ukraine) – ", "МОСКВА, 3 июн - РИА Новости. "
_SLASHED = re.compile(
    rf"^(?P<place>{_PLACE}){_DATE}\.?,?\s*"
    rf"(?:/\s*(?P<names>{AGENCY_NAMES})\s*/|[-–—]\s*(?P<plain>{AGENCY_NAMES})|(?<=[.,] )(?P<bare>{MARK}))"
    rf"\s*[.:–—-]+\s*(?:\d{{1,2}} {_MONTH} \d{{4}} [–—-]+\s*)?(?=\S)"
)
# "القاهرة - رويترز: ", "القاهرة (رويترز) - ", "دبي في 3 يونيو / وام / ", "تهران - ایرنا - "
_ARABIC = re.compile(
    rf"^(?P<place>[\u0600-\u06ff ،]{{2,30}}?)[\d\s،-]{{0,12}}(?:(?:يونيو|يناير|م)\s)?"
    rf"(?:[(/]\s*(?P<names>{AGENCY_NAMES})\s*[)/]\s*[-–—:/]+\s*|\s{{0,3}}[-–—/]\s*(?P<plain>{AGENCY_NAMES})\s*[-–—:/]+\s+|-(?P<bare>{MARK})\s+)"
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
# "March 1 (Reuters) - ", "3 June 2026 (AFP) — "
_DATE_AGENCY = re.compile(
    rf"^(?P<place>)(?:\d{{1,2}}\.?\s(?:de\s)?{_MONTH}|{_MONTH}\s\d{{1,2}})(?:,?\s(?:de\s)?\d{{4}})?,?\s?"
    rf"[(\[]\s?(?P<names>{AGENCY_NAMES})\s?[)\]]{_DASH}(?=\S)"
)
# "By Ann Lee and Bo Ek " before "WASHINGTON, March 1 (Reuters) - ", "(Adds links) " before "KABUL, March 1 (AFP) - ":
# what stood in lines of its own, in a feed that takes the markup out.
_BEFORE_PLACE = re.compile(
    rf"^(?:\([^()]{{3,60}}\)\s)?(?:(?i:{PHRASES['bylines']})\s[^\W\d_a-z][^()\n.:{MARK}]{{2,140}}?\s)?(?=[A-ZÀ-ÝА-Я]{{3}})"
)
# Without an agency: capitals, a dash, then the text. "JERUSALEM — ", "NEW YORK, June 3 -"
_CAPITALS = re.compile(
    rf"^(?P<place>[A-ZÀ-ÝА-Я][A-ZÀ-ÝА-Я'’.\-]+(?:[ "
    rf",]{{1,2}}[A-ZÀ-ÝА-Я][A-ZÀ-ÝА-Я'’.\-]*){{0,3}})(?!\w){_DATE}\s+[—–―-]{{1,2}}\s+(?=\S)"
)
_WITH_AGENCY = (_PLACE_AGENCY, _DATE_AGENCY, _AGENCY_PLACE, _SLASHED, _ARABIC, _BARE_AGENCY)
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
    dateline = _parse_east_asian_dateline(head) or (
        _parse_marked_dateline(marked.text, marked) if marked.names else None
    )
    if dateline is None and not only_agencies and (plain := _CAPITALS.match(head)):
        dateline = Dateline(place=plain["place"].strip(" ,."), agency=None, end=plain.end())
    return dateline if dateline is not None and len(text) - dateline.end >= MIN_TEXT_AFTER else None


def _parse_east_asian_dateline(head: str) -> Dateline | None:
    """Return the dateline of a text in a script where an agency's name is not a word by itself."""
    match = _HAN.match(head) or _KANA_HANGUL.match(head)
    if match is None:
        return None
    named = mark_agency_names(match["names"].translate(_WIDE))
    place = match["place"] or ""
    if match.re is _HAN and match["reporter"]:  # "記者王五台北": the name has no end of its own
        place = place[-2:]
    return Dateline(place=place or None, agency=named.agency() if named.names else None, end=match.end())


def _parse_marked_dateline(text: str, marked: MarkedText) -> Dateline | None:
    """Return the dateline of a text whose agency names are marked; None if it begins otherwise."""
    before = _BEFORE_PLACE.match(text)
    start = before.end() if before and _PLACE_AGENCY.match(text[before.end() :]) else 0
    text = text[start:]
    for pattern in _WITH_AGENCY:
        match = pattern.match(text)
        if match is None:
            continue
        groups = match.groupdict()
        place = (groups["place"] or groups.get("capitals") or "").strip(" ,.،").removesuffix(" في")
        index = next(match.start(name) for name in ("names", "slashed", "plain", "bare") if groups.get(name))
        if _is_dateline(match, place, index, is_shy=marked.is_shy(index)):
            end = marked.original_offset(start + match.end())
            return Dateline(place=place or None, agency=marked.agency(index), end=end)
    return None


def _is_dateline(match: re.Match[str], place: str, index: int, *, is_shy: bool) -> bool:
    """Whether a match is a dateline, not a sentence that names an agency at `index`."""
    text, head = match.string, match.string[:index]
    in_brackets = head.rstrip()[-1:] in ("(", "[", "/")
    dated = any(char.isdigit() for char in head)
    if match.re is _ARABIC:
        return in_brackets or not is_shy or " " not in place
    if is_shy and not in_brackets:
        return False
    if match.re is _SLASHED and match["plain"]:  # "МОСКВА - РИА Новости. ", not "Apple - Bloomberg: "
        return dated or place.isupper()
    if match.re is _PLACE_AGENCY and text[match.end() - 1].isspace() and text[match.end()].isalpha():
        behind = match.group()[index + 1 :].rstrip()
        return behind[-1:] in "—–―-:.|।" or text[match.end()].isupper() or dated
    return True
