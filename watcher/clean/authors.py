"""Extracts the names of authors from the author fields and bylines of a page."""

import re
from collections.abc import Iterable, Iterator
from html import unescape

from lxml.etree import _Element

from watcher.clean.page_data import PageElements, ShortLine, all_names, is_author, json_text
from watcher.clean.phrases import DATA_NAMES, PHRASE_LISTS, PHRASES
from watcher.text.dates import find_dates
from watcher.text.urls import host_of
from watcher.text.words import normalize_key

MAX_BYLINE_NAMES = 12
MAX_NAME_CHARS = 60  # characters of a name
MOST_WORDS = 6  # of a name
BYLINE_WORD = rf"(?:{PHRASES['bylines']})"
PREFIX = re.compile(rf"^\W*+{BYLINE_WORD}(?:\s*[:：]\s*|\s+)", re.IGNORECASE)
LEAD_IN = re.compile(
    rf"^(?:ein|eine|an?|the|une?|alle|zeige alle)?\s*+(?:{PHRASES['author_leads']})\w*\s+(?:von|by|par|de)\s+(?=\w)",
    re.IGNORECASE,
)
# In a text with single spaces, as all that is split here is.
NAME_SEPARATOR = re.compile(
    r" ?[;|•·/,、，] ?| [-–—]+ | (?:and|und|et|y|e|og|och|en|i|a|и|та|ve|ja|&|with|mit|avec|sowie) "
)
ROLE = re.compile(rf"^(?:(?:{PHRASES['roles']})\b|(?-i:for|of|the|in|at|on|from|für|aus|am|im|um|to)\b)", re.IGNORECASE)
TITLES_BEHIND = re.compile(rf"(?:{PHRASES['academic_titles']})\.?", re.IGNORECASE)
ROLE_BEHIND = re.compile(rf" (?:{PHRASES['roles_behind']})\b.*$", re.IGNORECASE | re.DOTALL)
BEHIND = re.compile(rf"(?:{PHRASES['behind_author']})\b.*$", re.IGNORECASE | re.DOTALL)
ROLE_BEFORE_NAME = re.compile(
    r"^(?:[\w-]+-)?(?:experte|expertin|redakteur(?:in)?|reporter(?:in)?|korrespondent(?:in)?)\s+", re.I
)
SPEECH_VERB = re.compile(r"\b(?:sagt|sagte|says|said|schrieb|schreibt|writes|wrote|meint|dit|dice|kommentiert)\b", re.I)
SENTENCE_MARK = re.compile(r"[?!？！](?:\s|$)")
DOMAIN = re.compile(r"^\s*[\w-]+\.(?:com|org|net|de|at|ch|co|info|eu)\s*[,;|/]", re.IGNORECASE)
NOT_NAME = re.compile(
    r"https?:|www\.|@\w|\.(?:com|org|net|de|at|ch)\b|\d{2}|\b\d\b|[<>{}\[\]=#?!…“”„\":：→»]|^\W*$|^\d+$", re.IGNORECASE
)
NAME_PARTICLES = frozenset(PHRASE_LISTS["name_particles"])
PARENTHESIS = re.compile(r" ?\([^()]{0,60}\)")
JUNIOR_SUFFIX = re.compile(r",\s+(?=(?:jr|sr|iii?)\b)", re.IGNORECASE)


def _split_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return up to `MAX_BYLINE_NAMES` distinct names in `texts`: two in "By Ann Lee and Bo Ek, Staff Writers"."""
    names: dict[str, str] = {}
    for text in texts:
        if "://" in text or DOMAIN.match(text) or SPEECH_VERB.search(text) or SENTENCE_MARK.search(text):
            continue
        bare = JUNIOR_SUFFIX.sub(" ", PARENTHESIS.sub("", " ".join(unescape(text).split())))
        for part in NAME_SEPARATOR.split(PREFIX.sub("", LEAD_IN.sub("", bare))):
            name = _strip_role(part)
            if name and is_name(name):
                names.setdefault(name.casefold(), name)
    return tuple(list(names.values())[:MAX_BYLINE_NAMES])


def _is_proper(name: str) -> bool:
    words = [word for word in name.split() if word.casefold() not in NAME_PARTICLES]
    return bool(words) and (len(words) == 1 or not any(word[0].islower() for word in words))


def _capitalized_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names in `texts` that are capitalised as names, unlike "posted in the morning"."""
    return tuple(filter(_is_proper, _split_names(texts)))


def _strip_role(part: str) -> str:
    """Return a part of a byline without "By", roles and titles around the name."""
    name = ROLE_BEFORE_NAME.sub("", PREFIX.sub("", LEAD_IN.sub("", part.strip())))
    name = BEHIND.sub("", name)
    without_role = ROLE_BEHIND.sub("", name)
    if " " in without_role and _is_proper(without_role):  # "Ann Lee, reporter", but not "Guardian staff reporter"
        name = without_role
    return name.strip(" .,:;–—-*·\"'’|")


def is_short(text: str) -> bool:
    """Whether a text has the length of a name (2 to `MAX_NAME_CHARS`) and at least one letter."""
    return 1 < len(text) <= MAX_NAME_CHARS and any(map(str.isalpha, text))


def is_name(text: str) -> bool:
    """Whether a text may be an author's name: short, and no URL, role or sentence."""
    return (
        is_short(text)
        and text.count(" ") < MOST_WORDS
        and not NOT_NAME.search(text)
        and not ROLE.match(text)
        and not TITLES_BEHIND.fullmatch(text)
    )


FULL_NAME = re.compile(
    r"(?<![^\W\d_])[^\W\d_]{2,}+[.]?[\s-]++(?:[^\W\d_]{1,3}\.?\s+){0,3}[^\W\d_]{2,}|[\u3040-\u9fff\uac00-\ud7af]{2,}"
)
PROPER = re.compile(r"^(?:[^\W\d_a-zß-ÿ][\w.’'-]*\s+)(?:[\w.’'-]+\s+){0,2}[^\W\d_a-zß-ÿ][\w.’'-]+")
WRITTEN_BY = re.compile(r"written|verfasst|geschrieben|écrit|escrito|scritto|автор|by|von|door", re.IGNORECASE)
BY_LINE = re.compile(rf"^\W*+{BYLINE_WORD}(?:\s*[:：]\s*|\s+)(?=\S)", re.IGNORECASE)
BY_LABEL = re.compile(rf"^\W*+{BYLINE_WORD}\W*", re.IGNORECASE)
BY_BEHIND = re.compile(r"\b(?:von|by|par|por|da|av|af|door|przez)\s+(\S.{1,60})$", re.IGNORECASE)
PART_SEPARATOR = re.compile("[|/·•–—]")
SURE_CLASS = re.compile(r"(?:^|\s)(?:fn|url fn n|author|author-?name|post-author|entry-author|username)(?:$|\s)", re.I)
LEAST_PARAGRAPHS = 4  # of a text that may have a signature
MAX_SIGNATURE = 40  # characters
MAX_BYLINE = 140  # characters: a longer text is about the author
SHOWN = ("byline", "line", "beside the date", "signature")  # sources in the visible page, not in its data
AuthorSource = tuple[str, tuple[str, ...]]


def extract_authors(elements: PageElements, *, site: str, url: str) -> tuple[tuple[str, ...], str]:
    """Return a page's authors and the source of the names, or empty ones; the outlet only if nobody else is named."""
    outlet = _outlet_names(elements, site, url)
    fallback: tuple[tuple[str, ...], str] = ((), "")
    for source, texts in _author_sources(elements):
        names = _split_names(texts)
        if kept := tuple(name for name in names if normalize_key(name) not in outlet):
            return _expand_names(kept, elements), source
        if not fallback[0] and source not in SHOWN and (authors := names or tuple(filter(is_short, texts))):
            fallback = authors, source
    return fallback


def _outlet_names(elements: PageElements, site: str, url: str) -> frozenset[str]:
    """Return the keys of the outlet's names; the name of a blog on a shared domain may be its author's."""
    host = host_of(url).removeprefix("www.")
    labels = host.split(".")
    outlet_names = (site, json_text(elements.node.get("publisher")), host, labels[-2] if labels[1:] else host)
    return frozenset(map(normalize_key, outlet_names)) - {""}


def _author_sources(elements: PageElements) -> Iterator[AuthorSource]:
    """Yield the sources that may name the authors, each with its texts, the most reliable first."""
    yield "JSON-LD author", all_names(elements.node.get("author"))
    yield "JSON-LD creator", all_names(elements.node.get("creator"))
    for name in DATA_NAMES["authors"]:
        # The first label of Twitter may describe something else.
        if name != "twitter:data1" or WRITTEN_BY.match(elements.metas.get("twitter:label1", "")):
            yield name, elements.authors.get(name, ())
    yield from _bylines(elements)


def _bylines(elements: PageElements) -> Iterator[AuthorSource]:
    """Yield the visible bylines of a page: elements with such a class, lines that begin with "By", a signature."""
    bylines = [element for element in elements.bylines if not elements.in_furniture(element)]
    for element in bylines:
        if texts := _byline_names(element, is_sure=False):
            yield "byline", texts
    yield from _by_lines(elements.lines)
    for line in elements.lines:
        if texts := _names_beside_date(line):
            yield "beside the date", texts
    for element in bylines:
        # If the markup states that this is the author, a name of one word is accepted.
        is_sure = is_author(element) or SURE_CLASS.search(element.get("class") or "")
        if is_sure and (texts := _byline_names(element, is_sure=True)):
            yield "byline", texts
    yield from _by_lines(elements.all_short_lines())
    if elements.headline is not None:
        yield "signature", _signature(elements.headline)


def _by_lines(lines: tuple[ShortLine, ...]) -> Iterator[AuthorSource]:
    """Yield the names in lines that begin with "By" and a full name, and in lines that follow a line "Author:"."""
    label = False
    for line in lines:
        text = line.text if BY_LINE.match(line.text) else f"By {line.text}" if label else ""
        if text and len(text) <= MAX_BYLINE and (names := _capitalized_names((text,))) and FULL_NAME.search(names[0]):
            yield "line", names
        label = BY_LABEL.fullmatch(line.text) is not None


def _byline_names(element: _Element, *, is_sure: bool) -> tuple[str, ...]:
    """Return the parts of a byline that are names, or the names in its whole text; empty if it is no byline."""
    pieces = [text for part in element.itertext() if (text := " ".join(part.split()))]
    whole = " ".join(pieces)
    if not whole or len(whole) > MAX_BYLINE:
        return ()
    if is_sure:
        return _capitalized_names((whole,)) if whole.count(" ") < 2 else ()
    full = _capitalized_names(filter(FULL_NAME.search, pieces))
    return full or (_capitalized_names((whole,)) if FULL_NAME.search(whole) else ())


def _names_beside_date(line: ShortLine) -> tuple[str, ...]:
    """Return the names in a line with a date: "Ann Lee | 28.05.2024", "28.05.2024 by Ann"; empty without a date."""
    stamp = next(find_dates(line.text), None)
    if stamp is None or line.is_opening or line.line_number < -2:
        return ()
    if byline := BY_BEHIND.search(line.text[stamp.end :]):
        return _capitalized_names((byline.group(1),))
    parts = (part.strip(" ,") for part in PART_SEPARATOR.split(line.text))
    return tuple(part for part in parts if PROPER.fullmatch(part) and is_name(part))[:2]


def _signature(headline: _Element) -> tuple[str, ...]:
    """Return the name that is the only text of the last paragraph, in bold or italics; empty if there is none."""
    around = (parent for parent in headline.iterancestors() if len(parent.findall(".//p")) >= LEAST_PARAGRAPHS)
    text_element = next(around, None)
    for paragraph in () if text_element is None else text_element.iter("p"):
        text = " ".join("".join(paragraph.itertext()).split())
        before, behind = paragraph.getprevious(), paragraph.getnext()
        if (
            len(text) < MAX_SIGNATURE
            and PROPER.fullmatch(text)
            and is_name(text)
            and before is not None
            and before.tag == "p"
            and (behind is None or behind.tag != "p")
            and next(paragraph.iter("b", "strong", "i", "em"), None) is not None
        ):
            return (text,)
    return ()


def _expand_names(names: tuple[str, ...], elements: PageElements) -> tuple[str, ...]:
    """Return `names`, with first names and user names replaced by the full names in the byline if it has them."""
    if all(" " in name or len(name) <= 4 or not name.isascii() for name in names):
        return names
    shown = [name for _, texts in _bylines(elements) for name in _split_names(texts) if " " in name]
    full = {
        name: next((one for one in shown if normalize_key(name) in normalize_key(one)), name)
        for name in names
        if " " not in name
    }
    return tuple(full.get(name, name) for name in names)
