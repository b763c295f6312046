"""Who wrote an article: what a page's data say, else its meta tags, else its byline."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.etree import _Element

from watcher.clean import page_data
from watcher.clean.names import BY, is_name, is_short, proper_names, split_names
from watcher.clean.page_data import PageElements, ancestors, in_boilerplate
from watcher.clean.phrases import key
from watcher.clean.published import ShortLine, all_short_lines
from watcher.text.dates import stamps_in
from watcher.text.urls import host_of

FULL_NAME = re.compile(
    r"[^\W\d_]{2,}[.]?[\s-]+(?:[^\W\d_]{1,3}\.?\s+){0,3}[^\W\d_]{2,}|[\u3040-\u9fff\uac00-\ud7af]{2,}"
)
PROPER = re.compile(r"(?:[^\W\d_a-zß-ÿ][\w.’'-]*\s+)(?:[\w.’'-]+\s+){0,2}[^\W\d_a-zß-ÿ][\w.’'-]+")
WRITTEN_BY = re.compile(r"written|verfasst|geschrieben|écrit|escrito|scritto|автор|by|von|door", re.IGNORECASE)
BY_LINE = re.compile(rf"^\W*{BY}(?:\s*[:：]\s*|\s+)(?=\S)", re.IGNORECASE)
BY_LABEL = re.compile(rf"\W*{BY}\s*[:：]?\W*", re.IGNORECASE)
BY_BEHIND = re.compile(r"\b(?:von|by|par|por|da|av|af|door|przez)\s+(\S.{1,60})$", re.IGNORECASE)
BARS = re.compile(r"\s*[|/·•–—]\s*")
SURE_CLASS = re.compile(r"(?:^|\s)(?:fn|url fn n|author|author-?name|post-author|entry-author|username)(?:$|\s)", re.I)
LEAST_PARAGRAPHS = 4  # of a text that can be signed
MAX_SIGNATURE = 40  # characters
MAX_BYLINE = 140  # characters: what is longer tells about the author
AUTHOR_METAS = (
    "author",
    "parsely-author",
    "sailthru.author",
    "article:author",
    "dc.creator",
    "dcterms.creator",
    "byl",
    "citation_author",
    "cxenseparse:author",
    "og:article:author",
    "twitter:misc:written by",
    "twitter:data1",
)
SHOWN = ("byline", "line", "beside the date", "signature")  # what the page shows, not its data
Said = tuple[str, tuple[str, ...]]


def authors_of(
    signs: PageElements, headline: _Element | None, lines: tuple[ShortLine, ...], *, site: str, url: str
) -> tuple[tuple[str, ...], str]:
    """
    Return the authors that a page names, and where; its outlet only if it names nobody else.

    Its data come first, then its meta tags, then its byline: elements of that name that are not of other articles or of
    comments, and lines around the headline that begin with "By".
    """
    outlet = _outlet_names(signs, site, url)
    fallback: tuple[tuple[str, ...], str] = ((), "")
    for source, texts in _said(signs, headline, lines):
        names = split_names(texts)
        if kept := tuple(name for name in names if key(name) not in outlet):
            return _in_full(kept, signs, headline, lines), source
        if not fallback[0] and source not in SHOWN and (said := names or tuple(filter(is_short, texts))):
            fallback = said, source
    return fallback


def _outlet_names(signs: PageElements, site: str, url: str) -> frozenset[str]:
    host = host_of(url).removeprefix("www.")
    labels = host.split(".")
    said = (site, page_data.json_text(signs.node.get("publisher")), host, labels[-2] if labels[1:] else host)
    return frozenset(map(key, said)) - {""}


def _said(signs: PageElements, headline: _Element | None, lines: tuple[ShortLine, ...]) -> Iterator[Said]:
    """Yield what may name the authors, the most trustworthy first."""
    yield "JSON-LD author", page_data.all_names(signs.node.get("author"))
    yield "JSON-LD creator", page_data.all_names(signs.node.get("creator"))
    for name in AUTHOR_METAS:
        yield name, _author_meta(signs, name)
    yield from _bylines(signs, headline, lines)


def _bylines(signs: PageElements, headline: _Element | None, lines: tuple[ShortLine, ...]) -> Iterator[Said]:
    """Yield the bylines that a page shows: in elements of that name, in lines that begin with "By", in a signature."""
    around = ancestors(headline)
    own = [element for element in signs.bylines if not in_boilerplate(element, around)]
    for element in own:
        if texts := _texts_of(element, is_sure=False):
            yield "byline", texts
    yield from _by_lines(lines)
    for line in lines:
        if texts := _beside_date(line):
            yield "beside the date", texts
    for element in own:
        if _is_sure(element) and (texts := _texts_of(element, is_sure=True)):
            yield "byline", texts
    yield from _by_lines(all_short_lines(signs.tree))
    if headline is not None:
        yield "signature", _signature(headline)


def _by_lines(lines: tuple[ShortLine, ...]) -> Iterator[Said]:
    """Yield lines that begin with "By" and go on with a full name, and what stands behind a line "Author:"."""
    label = False
    for line in lines:
        text = line.text if BY_LINE.match(line.text) else f"By {line.text}" if label else ""
        if text and len(text) <= MAX_BYLINE and (names := proper_names((text,))) and FULL_NAME.search(names[0]):
            yield "line", names
        label = BY_LABEL.fullmatch(line.text) is not None


def _is_sure(element: _Element) -> bool:
    """Whether an element says of itself that it is the author, so that a user's name of one word will do."""
    return (
        element.get("rel") == "author"
        or element.get("itemprop") == "author"
        or SURE_CLASS.search(element.get("class") or "") is not None
    )


def _texts_of(element: _Element, *, is_sure: bool) -> tuple[str, ...]:
    """Return the pieces of a byline that are names, or the whole; nothing if it is no byline."""
    pieces = tuple(text for part in element.itertext() if (text := " ".join(part.split())))
    whole = " ".join(pieces)
    if not whole or len(whole) > MAX_BYLINE:
        return ()
    if is_sure:
        return proper_names((whole,)) if whole.count(" ") < 2 else ()
    return proper_names(piece for piece in pieces if FULL_NAME.search(piece)) or (
        proper_names((whole,)) if FULL_NAME.search(whole) else ()
    )


def _beside_date(line: ShortLine) -> tuple[str, ...]:
    """Return what stands in one line with the date and is a name: "Ann Lee | 28.05.2024", "28.05.2024 by Ann"."""
    stamp = next(stamps_in(line.text), None)
    if stamp is None or line.is_opening or line.place < -2:
        return ()
    if found := BY_BEHIND.search(line.text[stamp.end :]):
        return proper_names((found.group(1),))
    parts = (part.strip(" ,") for part in BARS.split(line.text))
    return tuple(part for part in parts if PROPER.fullmatch(part) and is_name(part))[:2]


def _signature(headline: _Element) -> tuple[str, ...]:
    """Return the name that stands alone in heavy or slanted type in the last paragraph of the text."""
    for parent in headline.iterancestors():
        if len(parent.findall(".//p")) >= LEAST_PARAGRAPHS:
            break
    else:
        return ()
    for paragraph in parent.iter("p"):
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


def _in_full(
    names: tuple[str, ...], signs: PageElements, headline: _Element | None, lines: tuple[ShortLine, ...]
) -> tuple[str, ...]:
    """Return names with those that are a first name or a user's name only as the byline has them in full."""
    if all(" " in name or len(name) <= 4 or not name.isascii() for name in names):
        return names
    shown = [name for _, texts in _bylines(signs, headline, lines) for name in split_names(texts) if " " in name]
    return tuple(
        next((full for full in shown if key(name) in key(full)), name) if " " not in name else name for name in names
    )


def _author_meta(signs: PageElements, name: str) -> tuple[str, ...]:
    """Return what a meta tag says of the author; Twitter's first label may be of something else."""
    if name == "twitter:data1" and not WRITTEN_BY.match(signs.metas.get("twitter:label1", "")):
        return ()
    if name in signs.authors:
        return signs.authors[name]
    return (signs.metas[name],) if name in signs.metas else ()
