"""Parses news sitemaps (`<news:news>`) and sitemap index files to a RawFeed; finds the sitemaps of a robots.txt."""

import io
import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from watcher.errors import FeedError
from watcher.failure_messages import FeedKind, FetchKind, Reason
from watcher.feeds.normalize import RawEntry, RawFeed, RawText
from watcher.model import Entry, SitemapPart
from watcher.net.decoding import GZIP_MAGIC
from watcher.net.robots import MAX_ROBOTS_BYTES
from watcher.text.timestamps import parse_timestamp
from watcher.text.urls import host_of, is_web

SITEMAP_FORMATS = NEWS_SITEMAP, SITEMAP_INDEX = "News sitemap", "Sitemap index"
SITEMAPS = frozenset(("urlset", "sitemapindex"))
NEWS_NAMESPACE = "/schemas/sitemap-news/"
MAX_UNPACKED_BYTES = 20 * 1024 * 1024
MAX_URLS = 50_000  # in one sitemap (sitemaps.org); Google reads 1,000 of a news sitemap
MAX_SITEMAP_PARTS = 3  # of an index, fetched in one poll
MAX_FIELD_CHARS = 4_000
NEWS_AGE = timedelta(days=2)  # an entry that is older does not belong in a news sitemap (Google News)
HEAD_CHARS = 4_000
MAX_SITEMAPS = 20  # of a robots.txt
ROBOTS_LINE = re.compile(r"^[ \t]{0,20}site-?maps?[ \t]{0,20}:[ \t]{0,20}(\S{1,2000})", re.IGNORECASE | re.MULTILINE)


def unpack(body: bytes, url: str) -> bytes:
    """Return the content of a gzip file; other bytes unchanged. Errors: FeedError if it is damaged or too large."""
    if not body.startswith(GZIP_MAGIC):
        return body
    unpacker = zlib.decompressobj(31)
    try:
        text = unpacker.decompress(body, MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise FeedError(url, Reason(FetchKind.BODY_DAMAGED, detail=str(error))) from error
    if len(text) > MAX_UNPACKED_BYTES:
        raise FeedError(url, Reason(FeedKind.GZIP_TOO_LARGE, n=MAX_UNPACKED_BYTES))
    if not unpacker.eof:
        raise FeedError(url, Reason(FetchKind.BODY_CUT))
    return text


def parse_sitemap(text: str, root: str, url: str, max_entries: int) -> RawFeed:
    """
    Parse a news sitemap or an index file in `text`, which begins with its root element.

    Errors: FeedError for a sitemap without news.
    """
    rows, faults = read_rows(text, "url" if root == "urlset" else "sitemap")
    if root == "sitemapindex":
        parts = tuple(
            SitemapPart(url=row["loc"], changed_at=parse_timestamp(row.get("lastmod", "")))
            for row in rows
            if "loc" in row
        )
        return RawFeed(format=SITEMAP_INDEX, parts=parts, faults=faults)
    news = [row for row in rows if "loc" in row and ("title" in row or "publication_date" in row)]
    if not news and NEWS_NAMESPACE not in text[:HEAD_CHARS]:
        raise FeedError(url, Reason(FeedKind.SITEMAP, root=root))
    news.sort(key=lambda row: row.get("publication_date", ""), reverse=True)
    if len(news) > max_entries:
        faults += (f"{len(news) - max_entries} of {len(news)} entries left out",)
    entries = tuple(
        RawEntry(
            guid=row["loc"],
            links=(row["loc"],),
            title=RawText(value=row.get("title", "")),
            published=(row.get("publication_date", ""),),
            images=(row["image"],) if "image" in row else (),
        )
        for row in news[:max_entries]
    )
    language = news[0].get("language", "") if news else ""
    title = RawText(value=news[0].get("name", "") if news else "")
    return RawFeed(format=NEWS_SITEMAP, title=title, language=language, entries=entries, faults=faults)


def read_rows(text: str, row_tag: str) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Return the fields of each row of a sitemap by the local names of their tags, and the faults."""
    from lxml import etree  # late: 5 MB, and only sitemaps need it

    rows: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    walk = etree.iterparse(
        io.BytesIO(text.encode("utf-8", "replace")),
        events=("end",),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        encoding="utf-8",
    )
    try:
        for _, element in walk:
            name = str(element.tag).rpartition("}")[2]
            is_image = "sitemap-image" in str(element.tag)
            if name == row_tag:
                rows.append(fields)
                fields = {}
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
                if len(rows) >= MAX_URLS:
                    return rows, (f"only the first {MAX_URLS:,} addresses were read",)
            elif element.text and (not is_image or name == "loc"):
                fields.setdefault("image" if is_image else name, element.text.strip()[:MAX_FIELD_CHARS])
    except etree.XMLSyntaxError:
        return rows, ("not well-formed XML",)
    return rows, ()


def recent_news(entries: Sequence[Entry], now: datetime | None) -> tuple[Entry, ...]:
    """Return the entries of the last `NEWS_AGE`; all of them without `now`."""
    if now is None:
        return tuple(entries)
    return tuple(entry for entry in entries if entry.published_at and entry.published_at >= now - NEWS_AGE)


def choose_parts(parts: Sequence[SitemapPart], url: str, now: datetime | None) -> tuple[SitemapPart, ...]:
    """
    Return up to `MAX_SITEMAP_PARTS` parts of the index at `url` to read: on its host, changed in the last `NEWS_AGE`.

    Parts with "news" in their URL come first, then those that changed last. Parts without a date count as changed.
    """
    host = host_of(url)
    candidates = [part for part in parts if is_web(part.url) and host_of(part.url) == host and part.url != url]
    if now is not None:
        # A date without a time counts to its end.
        oldest = now - NEWS_AGE - timedelta(days=1)
        candidates = [part for part in candidates if part.changed_at is None or part.changed_at >= oldest]
    never = datetime.min.replace(tzinfo=UTC)
    candidates.sort(key=lambda part: ("news" in part.url.lower(), part.changed_at or never), reverse=True)
    return tuple(candidates[:MAX_SITEMAP_PARTS])


def find_sitemaps(robots: bytes) -> tuple[str, ...]:
    """Return the sitemaps that a robots.txt names, at most `MAX_SITEMAPS`, those with "news" in their URL first."""
    text = robots[:MAX_ROBOTS_BYTES].decode("utf-8", "replace")
    urls = dict.fromkeys(url for url in ROBOTS_LINE.findall(text) if is_web(url))
    return tuple(sorted(urls, key=lambda url: "news" not in url.lower())[:MAX_SITEMAPS])
