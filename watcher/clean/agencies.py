"""Finds the news agency that a credit or byline names, in many scripts; the names and sites are in agencies.toml."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from watcher.clean.phrases import PHRASE_LISTS, PHRASES
from watcher.text.toml_data import load_toml

MAX_CREDIT_CHARS = 120  # characters of a credit or byline
MARK = "\ue000"  # replaces each agency name in a marked text, so that patterns need not list the names
_TABLE = load_toml("watcher.clean", "agencies.toml")
_BY_NAME: dict[str, str] = {written: name for name, row in _TABLE.items() for written in row["names"]}
_BY_SITE: dict[str, str] = {site: name for name, row in _TABLE.items() for site in row.get("sites", ())}
_BY_FOLDER: dict[str, str] = {folder: name for name, row in _TABLE.items() for folder in row.get("folders", ())}
_SHY: frozenset[str] = frozenset(written for row in _TABLE.values() for written in row.get("shy", ()))
_TOKEN = re.compile(r"[\w\u0300-\u036f\u0900-\u0d7f\u0e00-\u0e7f]+")
_BY_TOKEN: dict[str, list[str]] = defaultdict(list)  # first word: the names that begin with it, the longest first
for _written in sorted(_BY_NAME, key=len, reverse=True):
    _BY_TOKEN[_TOKEN.findall(_written)[0]].append(_written)
# One word of each agency name that is rare in other text: a text without any of them names no agency.
_COMMON = frozenset(PHRASE_LISTS["common_agency_words"])
_SIGNS = frozenset(
    next((word for word in _TOKEN.findall(written) if word not in _COMMON), written) for written in _BY_NAME
)

_AND = r"(?:and|und|et|y|e|i|og|och|en|a|u|ja|ve|и|та|і|και)"
_JOIN = rf"\s?(?:[/,;&+|•·–-]|\s(?:{_AND}|mit|with|avec|via)\s)\s?"
# In a marked text: one agency, or several with separators: "AFP", "dpa/AFP", "Reuters, AP", "(afp/jm)".
AGENCY_NAMES = rf"{MARK}(?:{_JOIN}(?:{MARK}|[\w.]{{2,14}})){{0,12}}"
_SOURCES = rf"(?:further |weitere |other )?(?:{PHRASES['sources']})\s*+"
_WITH = rf"(?:{PHRASES['with_material']})\s"
_BY = rf"(?:{PHRASES['by_agency']})[\s:：]++"
_RIGHTS = r"(?:copyright|©|\(c\)|ⓒ)\s*+(?:copyright\s*+)?(?:(?:19|20)\d\d\s*+)?(?:by\s)?"
_LEAD = re.compile(
    rf"(?:{_SOURCES}[:：•]?|{_WITH}|{_BY}|{_RIGHTS})\s*(?:l['’]|la |the |der |die |a |o |(?:la )?redazione )?",
    re.IGNORECASE,
)
_PARTS = re.compile(r"(?<!\s)\s++[|•·–—-]\s+")
_SAID = re.compile(_SOURCES + "[:：]", re.IGNORECASE)
_BODY = re.compile(r"(?:agenc(?:ia|e|y|ija|ja)|agência|agenzia|agentur|агентств[оа]|وكالة|وکالت|خبرگزاری)\s", re.I)
_STAMP = re.compile(
    r"(?<![\s,|•–-])[\s,|•–-]++(?:(?:am|on|le|el|den|vom|published|updated)\s+)?\(?\d[\d./:,\s].{0,120}$", re.IGNORECASE
)
# Desk initials or a site before an agency: "ino/dpa", "FMW/Bloomberg", "ntv.de, ino/dpa".
_DESK = rf"(?:(?:{MARK}|[a-zà-ž]{{1,5}}|[A-ZÀ-Ž]{{1,5}}|[\w-]+\.[a-z]{{2,8}})\s?[/,]\s?){{0,3}}"
# "Le Figaro avec AFP"
_OUTLET = r"(?:[A-ZÀ-Ž][\w'’.-]*(?:\s(?:[A-ZÀ-Ž][\w'’.-]*|de|du|la|le|et|and|und|of)){0,4}\s(?:avec|mit|with|con)\s)?"
_CREDIT_PLACE = r"(?:\s(?:in|en|à|a|aus|i|w|из|from)\s[^\W\d_a-z][\w.-]+(?:\s[^\W\d_a-z][\w.-]+)?)?"
_CREDIT = re.compile(rf"^{_DESK}{_OUTLET}{AGENCY_NAMES}{_CREDIT_PLACE}")
_PERSON = re.compile(
    r"^\s?(?!(?:the|le|la|les|el|los|il|die|der|das|de)\s)(?-i:[^\W\d_a-z])[\w.'’-]*\.?\s(?-i:[^\W\d_a-z])", re.I
)
_JOB = r"(?:writers?|reporters?|correspondents?|journalists?|editors?|staff(?: writers?)?|staffers?|redakteur\w*)"
_BY_PERSON = re.compile(
    rf"^(?:.*(?:,|\s(?:{_AND}|mit|with|avec|con|for|via))\s(?:the\s)?{MARK}"  # "Ann Lee and Bo Ek, Associated Press"
    rf"|(?:.*[,\s])?{MARK}\s(?:[\w&/-]+\s){{0,4}}(?i:{_JOB})"  # "Ann Lee, AP Auto Writer"
    rf"|(?:[Bb]y\s)?{MARK}\s(?:and|und|et|y|mit|with)\s.{{2,40}})"  # "By AFP and staff"
)
_BEHIND_PERSON = re.compile(rf".{{4,80}}\s{MARK}")  # "Ann Lee The Associated Press"
_OWN_NAME = frozenset(("The Associated Press", "Associated Press", "The Canadian Press", "Agence France-Presse"))
PHOTO = re.compile(PHRASES["pictures"], re.IGNORECASE)
_EDGES = " \t()[]{}（）【】.,;:–—-/|*•_="


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedText:
    """A text with `MARK` in place of each agency name, and the original names in order."""

    text: str
    names: tuple[str, ...]

    def agency(self, index: int = 0) -> str:
        """Return the short name of the agency at the first mark from offset `index` on."""
        return _BY_NAME[self.names[self.text.count(MARK, 0, index)]]

    def is_shy(self, index: int = 0, *, language: str | None = None) -> bool:
        """Whether the first name from `index` on is ambiguous (a word, initials); not so in the agency's `language`."""
        written = self.names[self.text.count(MARK, 0, index)]
        return written in _SHY and (language is None or language != _TABLE[_BY_NAME[written]].get("home"))

    def original_offset(self, end: int) -> int:
        """Return the offset in the original text for offset `end` in the marked text."""
        return end + sum(len(name) - 1 for name in self.names[: self.text.count(MARK, 0, end)])


def mark_agency_names(text: str) -> MarkedText:
    """Return `text` with agency names marked. Names match case-sensitively and only as whole words."""
    parts: list[str] = []
    names: list[str] = []
    done = 0
    for token in _TOKEN.finditer(text):
        start = token.start()
        if start < done:
            continue
        for written in _BY_TOKEN.get(token.group(), ()):
            end = start + len(written)
            if text.startswith(written, start) and not text[end : end + 1].isalnum():
                parts += (text[done:start], MARK)
                names.append(written)
                done = end
                break
    return MarkedText(text="".join((*parts, text[done:])), names=tuple(names))


def agency_of(text: str, *, language: str | None = None) -> str | None:
    """
    Return the short name of the agency in a credit such as "AFP/The Local", None if `text` is not a credit.

    An ambiguous ("shy") name alone, without "by" or brackets, counts only if `language` is the agency's own.
    """
    if len(text) > MAX_CREDIT_CHARS:
        return None
    if PHOTO.search(text):  # "22/11/2020 - Source: AFP - Photo: Jo Alder"
        parts = [part for part in _PARTS.split(text) if _SAID.match(part) and not PHOTO.search(part)]
        return agency_of(parts[0]) if parts and parts[0] != text else None
    marked = mark_agency_names(text.strip())
    if not marked.names:
        return None
    bare = marked.text.strip(_EDGES)
    is_plain = marked.text[:1] not in "([（【©" and "/" not in bare
    for _ in range(3):  # a credit has up to three of these: "© 2024 Source: by AFP"
        lead = _LEAD.match(bare)
        if lead is None:
            break
        bare, is_plain = bare[lead.end() :].strip(_EDGES), False
    bare = _BODY.sub("", _STAMP.sub("", bare), count=1).strip(_EDGES)
    first, _, rest = bare.partition("/")
    if not (_CREDIT.fullmatch(bare) or (rest and not _PERSON.match(rest) and _CREDIT.fullmatch(first.strip()))):
        return None
    return None if is_plain and marked.is_shy(language=language) else marked.agency()


def agency_of_byline(text: str) -> str | None:
    """Return the agency in a byline with persons ("Ann Lee and Bo Ek, Associated Press"), None if there is none."""
    if len(text) > MAX_CREDIT_CHARS or PHOTO.search(text):
        return None
    marked = mark_agency_names(text.strip(_EDGES))
    if not marked.names or marked.is_shy():
        return None
    if _BY_PERSON.fullmatch(marked.text):
        return marked.agency()
    return marked.agency() if _BEHIND_PERSON.fullmatch(marked.text) and marked.names[0] in _OWN_NAME else None


def agency_in(text: str) -> str | None:
    """Return the short name of the first agency named anywhere in `text`, None if there is none."""
    marked = mark_agency_names(text)
    return marked.agency() if marked.names else None


def agency_of_site(host: str) -> str | None:
    labels = host.lower().split(".")
    return next(
        (_BY_SITE[site] for index in range(len(labels)) if (site := ".".join(labels[index:])) in _BY_SITE), None
    )


def agencies_in_path(url: str) -> Iterator[str]:
    """Yield the agencies after which folders in the URL's path are named."""
    with suppress(ValueError):
        yield from (_BY_FOLDER[name] for name in urlsplit(url).path.lower().split("/")[:-1] if name in _BY_FOLDER)


def might_name_agency(text: str) -> bool:
    """Whether `text` has a characteristic word of an agency name; a cheap test before the exact ones."""
    return not _SIGNS.isdisjoint(_TOKEN.findall(text))
