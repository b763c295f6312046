"""Who wrote an article: what a page's data say, else its meta tags, else its byline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml.etree import _Element

from watcher.clean import jsonld
from watcher.clean.lines import Line, lines_of
from watcher.clean.names import BY, is_name, is_short, split_names
from watcher.clean.phrases import key
from watcher.clean.signs import Signs, ancestors, is_elsewhere
from watcher.text.dates import stamps_in

FULL_NAME = re.compile(
    r"[^\W\d_]{2,}[.]?[\s-]+(?:[^\W\d_]{1,3}\.?\s+){0,3}[^\W\d_]{2,}|[\u3040-\u9fff\uac00-\ud7af]{2,}"
)
PROPER = re.compile(r"(?:[^\W\d_a-zß-ÿ][\w.’'-]*\s+)(?:[\w.’'-]+\s+){0,2}[^\W\d_a-zß-ÿ][\w.’'-]+")
WRITTEN_BY = re.compile(r"written|verfasst|geschrieben|écrit|escrito|scritto|автор|by|von|door", re.IGNORECASE)
BY_LINE = re.compile(rf"^\W*{BY}(?:\s*[:：]\s*|\s+)(?=\S)", re.IGNORECASE)
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
SHOWN = ("byline", "line", "beside the date")  # what the page shows, not its data
Said = tuple[str, tuple[str, ...]]


def authors_of(
    signs: Signs, headline: _Element | None, lines: tuple[Line, ...], *, site: str, url: str
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
        if not fallback[0] and source not in SHOWN:
            fallback = names or tuple(text for text in texts if is_short(text)), source
    return fallback


def _outlet_names(signs: Signs, site: str, url: str) -> frozenset[str]:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    said = (site, jsonld.text_of(signs.node.get("publisher")), host, labels[-2] if labels[1:] else host)
    return frozenset(map(key, said)) - {""}


def _said(signs: Signs, headline: _Element | None, lines: tuple[Line, ...]) -> Iterator[Said]:
    """Yield what may name the authors, the most trustworthy first."""
    yield "JSON-LD author", jsonld.names_of(signs.node.get("author"))
    yield "JSON-LD creator", jsonld.names_of(signs.node.get("creator"))
    for name in AUTHOR_METAS:
        yield name, _author_meta(signs, name)
    yield from _bylines(signs, headline, lines)


def _bylines(signs: Signs, headline: _Element | None, lines: tuple[Line, ...]) -> Iterator[Said]:
    """Yield the bylines that a page shows: in elements of that name, in lines that begin with "By"."""
    around = ancestors(headline)
    for element in signs.bylines:
        texts = _texts_of(element)
        if texts and not is_elsewhere(element, around):
            yield "byline", texts
    yield from _by_lines(lines)
    for line in lines:
        if texts := _beside_date(line):
            yield "beside the date", texts
    yield from _by_lines(lines_of(signs.tree))


def _by_lines(lines: tuple[Line, ...]) -> Iterator[Said]:
    for line in lines:
        if BY_LINE.match(line.text) and (names := split_names((line.text,))) and FULL_NAME.search(names[0]):
            yield "line", (line.text,)


def _texts_of(element: _Element) -> tuple[str, ...]:
    """Return the pieces of a byline that are names, or the whole; nothing if it is no byline."""
    pieces = tuple(text for part in element.itertext() if (text := " ".join(part.split())))
    whole = " ".join(pieces)
    if not whole or len(whole) > MAX_BYLINE:
        return ()
    named = tuple(piece for piece in pieces if FULL_NAME.search(piece) and split_names((piece,)))
    if named:
        return named
    return (whole,) if FULL_NAME.search(whole) else ()


def _beside_date(line: Line) -> tuple[str, ...]:
    """Return what stands in one line with the date and looks like a name: "Ann Lee | 28.05.2024"."""
    stamp = next(stamps_in(line.text), None)
    if stamp is None or line.is_opening or line.place < 0:
        return ()
    before = line.text[: stamp.at].strip(" |,·•–—-")
    return (before,) if PROPER.fullmatch(before) and is_name(before) else ()


def _in_full(
    names: tuple[str, ...], signs: Signs, headline: _Element | None, lines: tuple[Line, ...]
) -> tuple[str, ...]:
    """Return names with those that are a first name or a user's name only as the byline has them in full."""
    if all(" " in name or len(name) <= 4 or not name.isascii() for name in names):
        return names
    shown = [name for _, texts in _bylines(signs, headline, lines) for name in split_names(texts) if " " in name]
    return tuple(
        next((full for full in shown if key(name) in key(full)), name) if " " not in name else name for name in names
    )


def _author_meta(signs: Signs, name: str) -> tuple[str, ...]:
    """Return what a meta tag says of the author; Twitter's first label may be of something else."""
    if name == "twitter:data1" and not WRITTEN_BY.match(signs.metas.get("twitter:label1", "")):
        return ()
    if name in signs.authors:
        return signs.authors[name]
    return (signs.metas[name],) if name in signs.metas else ()
