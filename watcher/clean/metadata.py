"""Metadata of a page: title, address, dates, authors, language, image, section; from JSON-LD, meta tags and markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from htmldate import find_date
from lxml.etree import _Element

from watcher.clean import jsonld
from watcher.clean.names import split_names
from watcher.clean.opinion import whole_body
from watcher.clean.phrases import key
from watcher.clean.titles import SITE_PREFIX, TITLES, best_title
from watcher.text.dates import date_in_url, is_believable, parse_date
from watcher.text.urls import is_web

MAX_TITLE = 400  # characters
PUBLISHED = (
    "article:published_time article:published og:published_time og:article:published_time datepublished "
    "published_time publish_date "
    "publish-date publishdate publication_date pubdate parsely-pub-date sailthru.date cxenseparse:recs:publishtime "
    "cxenseparse:publishtime dc.date.issued dcterms.created dc.date.created dc.date dcterms.date dcterms.issued "
    "article.published "
    "article_date_original citation_publication_date date_published datecreated created originalpublicationdate "
    "bt:pubdate rnews:datepublished last-published date"
).split(" ")
MODIFIED = "article:modified_time datemodified og:updated_time modified last-modified dcterms.modified lastmod".split(
    " "
)
SAME_MOMENT = timedelta(hours=2)  # between two spellings of one date
BYLINE_CLASS = re.compile(r"(?:^|[\s_-])(?:byline|author|autor|auteur|writer|reporter)", re.IGNORECASE)
FULL_NAME = re.compile(r"[^\W\d_]{2,}[.]?[\s-]+[^\W\d_]{2,}|[\u3040-\u9fff\uac00-\ud7af]{2,}")
WRITTEN_BY = re.compile(r"written|verfasst|geschrieben|écrit|escrito|scritto|автор|by|von|door", re.IGNORECASE)
AUTHOR_METAS = (
    "author",
    "parsely-author",
    "sailthru.author",
    "article:author",
    "dc.creator",
    "dcterms.creator",
    "byl",
    "cxenseparse:author",
    "og:article:author",
    "twitter:misc:written by",
    "twitter:data1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a page says of itself. Dates are in the zone that they were written in."""

    url: str
    title: str = ""
    titles: tuple[str, ...] = ()  # all that the page calls itself
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None  # as claimed
    image: str | None = None
    section: str | None = None
    body: str = ""  # the whole text, where the page's data carry it
    site: str = ""
    credit: tuple[str, ...] = ()  # who may be the source: creditText, copyrightHolder, sourceOrganization
    kinds: frozenset[str] = frozenset()  # types of JSON-LD and og:type, in lower case


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page's elements that can tell something, sorted in one pass."""

    metas: dict[str, str]
    links: dict[str, str]
    node: jsonld.Node
    headings: tuple[str, ...]
    title: str
    times: tuple[tuple[bool, str], ...]  # said to be the publication's, text
    bylines: tuple[str, ...]
    language: str


def read_metadata(tree: _Element, *, url: str, now: datetime | None) -> Metadata:
    """Return what the page says of itself. Dates that cannot be are left out."""
    found = _collect(tree)
    node, metas = found.node, found.metas
    site = metas.get("og:site_name", "") or jsonld.text_of(node.get("publisher"))
    address = canonical(found, url=url)
    published = _first_date(_published(found), now)
    published = _in_own_zone(published, found, url) if published else _guessed(tree, address, now)
    modified = _first_date((jsonld.text_of(node.get("dateModified")), *(metas.get(name, "") for name in MODIFIED)), now)
    titles = _titles(found)
    return Metadata(
        url=address,
        title=best_title(titles, site=site, url=url),
        titles=tuple({*titles.values(), *found.headings}),
        authors=_authors(found, site=site),
        published_at=published,
        modified_at=modified if modified and (published is None or modified >= published) else None,
        language=found.language or metas.get("og:locale") or jsonld.text_of(node.get("inLanguage")) or None,
        image=_image(found, url=url),
        section=jsonld.text_of(node.get("articleSection"))
        or metas.get("article:section")
        or metas.get("section")
        or None,
        body=whole_body(jsonld.body_of(node)),
        site=site,
        credit=tuple(
            text
            for name in ("creditText", "copyrightHolder", "sourceOrganization", "provider", "contributor")
            for text in jsonld.names_of(node.get(name))
        )
        + tuple(
            metas[name]
            for name in ("news_source", "source", "article:source", "dc.source", "copyright")
            if name in metas
        ),
        kinds=jsonld.types_of(node) | {metas.get("og:type", "").lower()},
    )


def _collect(tree: _Element) -> Found:
    metas: dict[str, str] = {}
    links: dict[str, str] = {}
    scripts: list[str] = []
    headings: list[str] = []
    title = language = ""
    times: list[tuple[bool, str]] = []
    bylines: list[str] = []
    for element in tree.iter("html", "meta", "link", "script", "title", "h1", "time", "a", "span", "div", "p"):
        tag = element.tag
        if tag == "meta":
            name = (
                element.get("property")
                or element.get("name")
                or element.get("itemprop")
                or element.get("http-equiv")
                or ""
            )
            value = (element.get("content") or element.get("value") or "").strip()
            if value:
                metas.setdefault(name.strip().lower(), value[:2000])
        elif tag == "link":
            links.setdefault((element.get("rel") or "").lower(), element.get("href") or "")
        elif tag == "script":
            if "ld+json" in (element.get("type") or ""):
                scripts.append(element.text or "")
        elif tag == "h1":
            headings.append(_text(element))
        elif tag == "title":
            title = title or _text(element)
        elif tag == "html":
            language = element.get("lang") or element.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
        elif tag == "time" or element.get("itemprop") in ("datePublished", "dateCreated"):
            sure = "pubdate" in element.attrib or "datePublished" in (element.get("itemprop") or "")
            times.append((sure, element.get("datetime") or element.get("content") or _text(element)))
        elif _is_byline(element):
            bylines.append(_text(element))
    return Found(
        metas=metas,
        links=links,
        node=jsonld.article_node(scripts),
        headings=tuple(text for text in headings if text),
        title=title,
        times=tuple(times[:50]),
        bylines=tuple(text for text in bylines[:20] if text and len(text) < 120),
        language=language or metas.get("content-language", ""),
    )


def _is_byline(element: _Element) -> bool:
    if element.get("rel") == "author" or element.get("itemprop") == "author":
        return True
    name = element.get("class")
    return name is not None and _is_byline_class(name)


@lru_cache(maxsize=4096)
def _is_byline_class(name: str) -> bool:
    return BYLINE_CLASS.search(name) is not None


def _text(element: _Element) -> str:
    return " ".join("".join(element.itertext()).split())[: MAX_TITLE + 1]


def canonical(found: Found, *, url: str) -> str:
    """Return the page's own address for itself if it is one of the same site and not its front page, else `url`."""
    for href in (found.links.get("canonical", ""), found.metas.get("og:url", "")):
        try:
            address = urljoin(url, href.strip()) if href else ""
            parts, mine = urlsplit(address), urlsplit(url)
            same = _is_same_site(parts.hostname or "", mine.hostname or "")
        except ValueError:
            continue
        if is_web(address) and same and (parts.path.strip("/") or not mine.path.strip("/")):
            return address
    return url


def _is_same_site(one: str, other: str) -> bool:
    one, other = SITE_PREFIX.sub("", one.lower()), SITE_PREFIX.sub("", other.lower())
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _titles(found: Found) -> dict[str, str]:
    """Return what the page is called, by who says so."""
    said = {name: found.metas.get(name, "") for name in TITLES}
    said["headline"] = jsonld.text_of(found.node.get("headline")) or jsonld.text_of(found.node.get("name"))
    said["h1"] = found.headings[0] if len(found.headings) == 1 else ""
    said["title"] = found.title
    return {name: text for name, value in said.items() if (text := " ".join(value.split())) and len(text) <= MAX_TITLE}


def _published(found: Found) -> Iterable[str]:
    """Yield what may be the date of publication, the most trustworthy first."""
    yield found.metas.get("article:published_time", "")
    yield jsonld.text_of(found.node.get("datePublished"))
    for name in PUBLISHED:
        yield found.metas.get(name, "")
    yield from (text for sure, text in found.times if sure)
    yield jsonld.text_of(found.node.get("dateCreated"))
    if len(found.times) == 1:
        yield found.times[0][1]


def _first_date(texts: Iterable[str], now: datetime | None) -> datetime | None:
    for text in texts:
        moment = parse_date(text) if text else None
        if moment is not None and is_believable(moment, now=now):
            return moment
    return None


def _in_own_zone(moment: datetime, found: Found, url: str) -> datetime:
    """
    Return a moment written in UTC in the zone of its page, for the day that its readers saw.

    The zone is that of another date of the page for the same moment, or such that the day is that of the address.
    """
    if moment.utcoffset():
        return moment
    for text in _published(found):
        other = parse_date(text) if text else None
        if other is not None and other.utcoffset() and abs(other - moment) < SAME_MOMENT:
            return moment.astimezone(other.tzinfo)
    day = date_in_url(url)
    ahead = (day - moment.replace(hour=0, minute=0, second=0, microsecond=0)).days if day else 0
    hours = 24 - moment.hour if ahead == 1 else -1 - moment.hour
    if abs(ahead) == 1 and -12 <= hours <= 14:
        return moment.astimezone(timezone(timedelta(hours=hours)))
    return moment


def _guessed(tree: _Element, url: str, now: datetime | None) -> datetime | None:
    """Return the date that stands in the address, or somewhere in the text of the page."""
    moment = date_in_url(url)
    if moment is not None and is_believable(moment, now=now):
        return moment
    latest = now.strftime("%Y-%m-%d") if now else None
    text = find_date(tree, url=url, original_date=True, max_date=latest)
    return parse_date(text) if text else None


def _authors(found: Found, *, site: str) -> tuple[str, ...]:
    """Return the authors that the page names: in its data, else in its meta tags, else in its byline."""
    outlet = {key(site), key(jsonld.text_of(found.node.get("publisher")))}
    fallback: tuple[str, ...] = ()
    sources = (
        jsonld.names_of(found.node.get("author")),
        jsonld.names_of(found.node.get("creator")),
        *((_author_meta(found, name),) for name in AUTHOR_METAS),
        *((text,) for text in found.bylines if FULL_NAME.search(text)),
    )
    for texts in sources:
        names = split_names(texts)
        if kept := tuple(name for name in names if key(name) not in outlet):
            return kept
        fallback = fallback or names
    return fallback


def _author_meta(found: Found, name: str) -> str:
    """Return what a meta tag says of the author; Twitter's first label may be of something else."""
    if name == "twitter:data1" and not WRITTEN_BY.match(found.metas.get("twitter:label1", "")):
        return ""
    return found.metas.get(name, "")


def _image(found: Found, *, url: str) -> str | None:
    image = found.node.get("image")
    said = image.get("url") if isinstance(image, dict) else image
    for href in (found.metas.get("og:image", ""), found.metas.get("twitter:image", ""), jsonld.text_of(said)):
        try:
            address = urljoin(url, href.strip()) if href else ""
        except ValueError:
            continue
        if is_web(address):
            return address
    return None
