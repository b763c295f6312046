"""Reads a page's metadata from JSON-LD, meta tags and markup: title, URL, dates, authors, language, image, section."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element

from watcher.clean.article_body import dedupe_body
from watcher.clean.authors import extract_authors
from watcher.clean.page_data import (
    MAX_ELEMENT_CHARS,
    PageElements,
    all_names,
    body_of,
    collect_elements,
    json_text,
    types_of,
)
from watcher.clean.phrases import DATA_NAMES
from watcher.clean.published import extract_dates
from watcher.clean.title import SITE_PREFIX, TITLES, best_title, find_headline, heading_text
from watcher.model import Block
from watcher.text.page_kind import MAX_FILM_LETTERS, classify_piece, has_ordered_times, is_address_of, is_title_of
from watcher.text.urls import is_web
from watcher.text.words import count_letters

NO_PICTURE = re.compile(r"logo|favicon|placeholder|(?:^|[-_])default[-_.]|\bblank\b|spacer|sprite|avatar", re.I)
MAX_SECTION = 60  # characters of a section's name
SAME_PAGE = frozenset(("amp", "page", "print", "full", "index.html", "amp.html"))  # path parts of other views of a page
CREDITS = ("creditText", "copyrightHolder", "sourceOrganization", "provider", "contributor")
CREDIT_METAS = ("news_source", "source", "article:source", "dc.source", "copyright")
SOURCES = ("author", "creator", "sourceOrganization", "provider")
SOURCE_METAS = re.compile(r"author|creator|byl$|byline|news_?source|^source$|article.?source|provider", re.IGNORECASE)
NO_SOURCE_METAS = re.compile(r"twitter|image|facebook|smartbanner|content-creator", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The metadata of a page. Dates are in the time zone that the page states."""

    url: str
    title: str = ""
    titles: tuple[str, ...] = ()  # all titles in the page
    summaries: tuple[str, ...] = ()  # its descriptions of itself
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None  # as claimed
    image: str | None = None
    section: str | None = None
    body: str = ""  # the whole text if the page's data contain it
    word_count: int = 0  # of the whole text, as the page's data say; 0 if they do not
    credit: tuple[str, ...] = ()  # possible sources: creditText, copyrightHolder, sourceOrganization
    possible_writers: tuple[str, ...] = ()  # authors and sources in all fields of the data
    kinds: frozenset[str] = frozenset()  # types of JSON-LD and og:type, in lower case
    sources: tuple[tuple[str, str], ...] = ()  # each field and where it was read: ("title", "h1")


def read_metadata(tree: _Element, *, url: str, now: datetime | None) -> Metadata:
    """Return the metadata of a page. Implausible dates are left out."""
    elements = collect_elements(tree)
    node, metas = elements.node, elements.metas
    site = (metas.get("og:site_name", "") or json_text(node.get("publisher")))[:MAX_ELEMENT_CHARS]
    address, titles = _canonical_url(elements, url=url), _titles(elements)
    head = find_headline(elements, titles)
    if head is not None:
        elements.set_headline(head)  # dates and authors are looked for near it
        if 0 < len(heading := heading_text(head)) <= MAX_ELEMENT_CHARS:
            titles["h1"] = heading
    title, title_source = best_title(titles, site=site, url=url)
    published, modified_at = extract_dates(elements, url=address, now=now)
    authors, authors_source = extract_authors(elements, site=site, url=url)
    image_source, image = next(_images(elements, url=url), ("", None))
    candidates = elements.values(DATA_NAMES["sections"])
    sections = (pair for pair in candidates if 0 < len(pair[1]) <= MAX_SECTION and "://" not in pair[1])
    section_source, section = next(sections, ("", None))
    found_in = {
        "title": title_source,
        "published": published.source if published else "",
        "authors": authors_source,
        "image": image_source,
        "section": section_source,
    }
    return Metadata(
        url=address,
        title=title,
        titles=tuple({*titles.values(), *(text for text, _ in elements.headings)}),
        summaries=tuple(dict.fromkeys(text for _, text in elements.values(DATA_NAMES["summaries"]) if text)),
        authors=authors,
        published_at=published.moment if published else None,
        modified_at=modified_at,
        language=elements.language or metas.get("og:locale") or json_text(node.get("inLanguage")) or None,
        image=image,
        section=section,
        body=dedupe_body(body_of(node)),
        word_count=int(count) if (count := str(node.get("wordCount", ""))).isdecimal() and len(count) < 9 else 0,
        credit=(
            *(text for name in CREDITS for text in all_names(node.get(name))),
            *(metas[name] for name in CREDIT_METAS if name in metas),
        ),
        possible_writers=(
            *(text for name in SOURCES for text in all_names(node.get(name))),
            *(metas[name] for name in metas if SOURCE_METAS.search(name) and not NO_SOURCE_METAS.search(name)),
        ),
        kinds=types_of(node) | {metas.get("og:type", "").lower()},
        sources=tuple((name, source) for name, source in found_in.items() if source),
    )


def _canonical_url(elements: PageElements, *, url: str) -> str:
    """Return the page's canonical URL if it is on the same site and not that of a front or section page, else `url`."""
    for href in (elements.links.get("canonical", ""), elements.metas.get("og:url", "")):
        try:
            address = urljoin(url, href.strip()) if href else ""
            parts, mine = urlsplit(address), urlsplit(url)
            same = _is_same_site(parts.hostname or "", mine.hostname or "")
        except ValueError:
            continue
        if is_web(address) and same and not _is_above(parts.path, mine.path):
            return address
    return url


def _is_above(path: str, mine: str) -> bool:
    """Whether `path` is that of the front page or of a section above `mine`; "/a" is not above "/a/amp"."""
    parts, own_parts = path.strip("/").split("/"), mine.strip("/").split("/")
    if parts == [""]:
        return own_parts != [""]
    below = own_parts[len(parts) :] if own_parts[: len(parts)] == parts else []
    return any(not part.isdigit() and part not in SAME_PAGE for part in below)


def _is_same_site(one: str, other: str) -> bool:
    one, other = SITE_PREFIX.sub("", one.lower()), SITE_PREFIX.sub("", other.lower())
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _titles(elements: PageElements) -> dict[str, str]:
    """Return the titles that a page states, by where it states them."""
    node = elements.node
    titles = dict(elements.values(TITLES))
    titles["headline"] = json_text(node.get("headline")) or json_text(node.get("name"))
    titles["title"] = elements.title
    return {
        name: text
        for name, value in titles.items()
        if (text := " ".join(value.split())) and len(text) <= MAX_ELEMENT_CHARS
    }


def _images(elements: PageElements, *, url: str) -> Iterator[tuple[str, str]]:
    """Yield the URLs of the lead image, each after its source; logos and placeholders are left out."""
    image = elements.node.get("image")
    image_url = json_text(image.get("url") if isinstance(image, dict) else image)
    for source, href in (*elements.values(("og:image", "twitter:image")), ("JSON-LD image", image_url)):
        try:
            address = urljoin(url, href.strip()) if href else ""
        except ValueError:
            continue
        if is_web(address) and not NO_PICTURE.search(urlsplit(address).path.rsplit("/", 1)[-1]):
            yield source, address


STAMPED = re.compile(r"^(?:\d{1,2}[:.h]\d{2}|\d{1,2}\s?(?:am|pm|Uhr))\b.{0,80}$", re.IGNORECASE)
STAMPS = 4  # blocks that begin with a time of day: a live blog, if its URL says so
ITEMS = 3  # headings of a page at a URL of round-ups that make it a round-up


def classify_page(metadata: Metadata, blocks: Sequence[Block], *, url: str) -> str:
    """Return the kind of a page: "live", "gallery", "video", "roundup", or a kind of `classify_piece`."""
    length = sum(count_letters(block.text) for block in blocks)
    stamps = sum(1 for block in blocks if STAMPED.match(block.text))
    is_long = stamps >= STAMPS or length > 8 * MAX_FILM_LETTERS
    if (
        "liveblogposting" in metadata.kinds
        or is_title_of("live", metadata.title)
        or is_address_of("live_blog", url)
        or (is_long and is_address_of("live", url))
        or has_ordered_times(block.text for block in blocks)
    ):
        return "live"
    if metadata.kinds & {"imagegallery", "mediagallery"} or (
        (is_address_of("gallery", url) or is_title_of("gallery", metadata.title)) and length < 2 * MAX_FILM_LETTERS
    ):
        return "gallery"
    is_film = metadata.kinds & {"videoobject", "video", "video.other", "video.episode"} or is_address_of("video", url)
    if (is_film or is_title_of("video", metadata.title)) and length < MAX_FILM_LETTERS:
        return "video"
    headings = sum(1 for block in blocks if block.kind == "h")
    if is_title_of("roundup", metadata.title) or (is_address_of("roundup", url) and headings >= ITEMS):
        return "roundup"
    text = "\n".join(block.text for block in blocks)
    return classify_piece(metadata.title, url=url, text=text, section=metadata.section, types=metadata.kinds)
