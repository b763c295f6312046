"""Articles with their texts, features and block hashes; pins that keep articles."""

import heapq
import json
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, exists, func, or_, select, update

from watcher.failure_messages import Reason
from watcher.model import Article, ArticleHeader, PackedFeatures, RemovedBlock
from watcher.store.full_text import IndexDocument, full_text_index
from watcher.store.schema import (
    articles,
    day_of,
    entries,
    features,
    has_features,
    has_text,
    in_partitions,
    page_records,
    pins,
    site_blocks,
    texts,
)
from watcher.store.sql import columns_of, execute_each, in_chunks, insert, rows_in
from watcher.text.urls import article_id, normalize_url

INDEXED_COLUMNS = ("published_at", "title", "language", "country", "outlet")  # in addition to the text
ARTICLE_FIELDS = tuple(each.name for each in fields(Article) if each.name not in ("text", "removed"))
OF_OUTLET = ("outlet", "country", "owner", "section", "via")  # the fields of an article that its owner decides
EMPTY_TEXT = zlib.compress(b"", 6)  # as `compress` returns it
KEEP_ROWCOUNT = {"preserve_rowcount": True}  # without it, psycopg drops the row count of an INSERT
LISTED_BEFORE = timedelta(days=1)  # before an article's time: when the entry of a feed that links it may have come
LANGUAGE_ARTICLES = 200  # of a feed, by whose languages that of its next article is decided
MEMORY_ARTICLES = 200  # newest articles of a site, whose blocks form its site memory
# The id of an entry's article: of the one that its page redirected to if known, else of its link.
ENTRY_ARTICLE_ID = func.coalesce(entries.c.redirected_article_id, entries.c.article_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """An article to store, with its feed, features, block hashes and page."""

    article: Article
    feed_id: int
    packed: PackedFeatures
    block_hashes: Sequence[int] = ()
    page_record: bytes = b""  # its page as it was fetched, if that is kept


def add_articles(connection: Connection, arrivals: Sequence[NewArticle]) -> list[bool]:
    """
    Store and index articles; return for each whether it was written.

    An article is written if it is new, or if it has a text and only the headline of the stored one is known.
    """
    index, written = full_text_index(connection), []
    for arrival in arrivals:
        is_new = _insert_article(connection, arrival)
        written.append(arrival.article if is_new else _replace_headline(connection, arrival))
        if written[-1] is not None and arrival.page_record:
            _save_page_record(connection, written[-1], arrival.page_record)
    index.add(index_document(article) for article in written if article is not None)
    return [article is not None for article in written]


def _insert_article(connection: Connection, arrival: NewArticle) -> bool:
    """Insert an article's rows into all tables; return False, and write nothing, if it is already stored."""
    article = arrival.article
    day = day_of(article.fetched_at)
    row = {name: getattr(article, name) for name in ARTICLE_FIELDS} | {"feed_id": arrival.feed_id, "day": day}
    query = insert(connection, articles).values(row).on_conflict_do_nothing(index_elements=["id"])
    if not connection.execute(query, execution_options=KEEP_ROWCOUNT).rowcount:  # RETURNING takes a third longer
        return False
    connection.execute(texts.insert().values(article_id=article.id, day=day, **_text_columns(article)))
    connection.execute(features.insert().values(article_id=article.id, day=day, **asdict(arrival.packed)))
    _insert_site_blocks(connection, arrival)
    return True


def _replace_headline(connection: Connection, arrival: NewArticle) -> Article | None:
    """
    Replace an article of which only the headline is known with one that has a text; return it as it is stored then.

    It keeps its id and its times: editions that have shown its headline can be built again. None, and nothing is
    written, if the stored article has a text, or the new one has none; but the headline of the outlet's own feed
    replaces that of another feed. One that an edition cites keeps its outlet too, as in `ownership.hand_over`.
    """
    article = arrival.article
    if not headlines_among(connection, [article.id]):
        return None
    before = articles_by_id(connection, [article.id])[article.id]
    if article.is_headline_only and (before.via is None or article.via is not None):
        return None
    article = replace(article, published_at=before.published_at, fetched_at=before.fetched_at)
    row = {"feed_id": arrival.feed_id} if arrival.feed_id else {}  # an imported article often has no feed
    if connection.scalar(select(articles.c.id).where(articles.c.id == article.id, ~is_unpinned())) is not None:
        article = replace(article, **{name: getattr(before, name) for name in OF_OUTLET})
        row = {}
    full_text_index(connection).remove([index_document(before)])
    row |= {name: getattr(article, name) for name in ARTICLE_FIELDS}
    connection.execute(update(articles).where(articles.c.id == article.id).values(row))
    day = day_of(article.fetched_at)
    for table, values in ((texts, _text_columns(article)), (features, asdict(arrival.packed))):
        connection.execute(update(table).where(table.c.article_id == article.id, table.c.day == day).values(values))
    _insert_site_blocks(connection, arrival)
    return article


def _text_columns(article: Article) -> dict[str, bytes]:
    removed = json.dumps([[cut.rule, cut.text] for cut in article.removed], ensure_ascii=False)
    return {"text": compress(article.text), "removed": compress(removed)}


def _insert_site_blocks(connection: Connection, arrival: NewArticle) -> None:
    if arrival.block_hashes:
        article, hashes = arrival.article, struct.pack(f"<{len(arrival.block_hashes)}Q", *arrival.block_hashes)
        row = {"article_id": article.id, "host": article.host, "at": article.fetched_at, "hashes": hashes}
        connection.execute(site_blocks.insert().values(row))


def _save_page_record(connection: Connection, article: Article, record: bytes) -> None:
    connection.execute(delete(page_records).where(page_records.c.article_id == article.id))
    connection.execute(page_records.insert().values(article_id=article.id, at=article.fetched_at, record=record))


def load_page_records(connection: Connection, ids: Iterable[str]) -> dict[str, bytes]:
    """Return the pages of articles as they were fetched, as records of WARC, of those that are kept."""
    query = select(page_records.c.article_id, page_records.c.record)
    return {row.article_id: row.record for row in rows_in(connection, query, page_records.c.article_id, ids)}


def headlines_among(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Return the ids of those articles of which only the headline is known."""
    headlines: set[str] = set()
    for part in in_chunks(sorted(set(ids))):
        query = select_articles(connection, [articles.c.id], texts, articles.c.id.in_(part))
        headlines |= set(connection.scalars(query.where(texts.c.text == EMPTY_TEXT)))
    return headlines


def index_document(source: Article | Row[*tuple[Any, ...]]) -> IndexDocument:
    """Return the index document of an article, or of a row with `INDEXED_COLUMNS`, id and text (None: empty)."""
    text = source.text if isinstance(source, Article) else decompress(source.text or EMPTY_TEXT)
    return IndexDocument(article_id=source.id, text=text, **{name: getattr(source, name) for name in INDEXED_COLUMNS})


def compress(text: str) -> bytes:
    """Return a text as compressed UTF-8; half a surrogate pair becomes "?"."""
    return zlib.compress(text.encode("utf-8", "replace"), 6)


def decompress(data: bytes) -> str:
    return zlib.decompress(data).decode("utf-8")


def _decompress_prefix(data: bytes, chars: int) -> str:
    """Return the first `chars` characters of a compressed text; hardly any of the rest is decompressed."""
    packed = zlib.decompressobj()
    prefix = packed.decompress(data, chars)
    if len(prefix.decode("utf-8", "ignore")) < chars:  # letters that are not ASCII take up to four bytes
        prefix += packed.decompress(packed.unconsumed_tail, 3 * chars)
    return prefix.decode("utf-8", "ignore")[:chars]


def article_title(connection: Connection, article_id: str) -> str | None:
    title: str | None = connection.scalar(select(articles.c.title).where(articles.c.id == article_id))
    return title


def latest_of_feed(connection: Connection, feed_id: int, *, limit: int) -> tuple[Article, ...]:
    """Return up to `limit` articles of a feed, the last published first."""
    query = select(articles.c.id).where(articles.c.feed_id == feed_id)
    ids = connection.scalars(query.order_by(articles.c.published_at.desc(), articles.c.id).limit(limit)).all()
    by_id = articles_by_id(connection, ids)
    return tuple(by_id[key] for key in ids)


def count_languages(connection: Connection, feed_id: int) -> dict[str, int]:
    """Return how many of a feed's articles are in which language; of `LANGUAGE_ARTICLES` of them if it has more."""
    # Which of them does not matter, and sorting all articles of a feed takes longer than the rest of the query.
    some = select(articles.c.language).where(articles.c.feed_id == feed_id).limit(LANGUAGE_ARTICLES).subquery()
    rows = connection.execute(select(some.c.language, func.count()).group_by(some.c.language))
    return {row[0]: row[1] for row in rows}


def load_site_blocks(connection: Connection, host: str) -> tuple[tuple[int, ...], ...]:
    """Return the block hashes of a site's newest `MEMORY_ARTICLES` articles, one tuple per article, newest first."""
    query = select(site_blocks.c.hashes).where(site_blocks.c.host == host).order_by(site_blocks.c.at.desc())
    hashes = connection.scalars(query.limit(MEMORY_ARTICLES))
    return tuple(struct.unpack(f"<{len(data) // 8}Q", data) for data in hashes)


def select_articles(
    connection: Connection, columns: Iterable[Any], joined: Table, *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """Return a query for `columns` of the articles that meet `conditions`, with their rows in `texts` or `features`."""
    query = select(*columns).select_from(articles).join(joined, has_text if joined is texts else has_features)
    return query.where(*conditions, in_partitions(connection, joined.c.day, *conditions))


def _select_published(
    connection: Connection, columns: Iterable[Any], joined: Table, *, start: datetime, end: datetime
) -> Select[*tuple[Any, ...]]:
    """Return `select_articles` for articles published in [start, end) and stored before `end`, oldest first."""
    those = (articles.c.published_at >= start, articles.c.published_at < end, articles.c.fetched_at < end)
    return select_articles(connection, columns, joined, *those).order_by(articles.c.published_at, articles.c.id)


def article_leads_between(
    connection: Connection, *, start: datetime, end: datetime, feed_ids: Iterable[int] | None, chars: int
) -> tuple[tuple[Article, ...], dict[str, bytes]]:
    """
    Return the articles published in [start, end) and stored before `end`, oldest first, without removed blocks, and by
    id the compressed texts of those with `chars` characters or more.

    Args:
        feed_ids: Only articles that these feeds have or link; None for all.
        chars: How many characters of their text the returned articles have.
    """
    columns = (*(articles.c[name] for name in ARTICLE_FIELDS), texts.c.text)
    query = _select_published(connection, columns, texts, start=start, end=end)
    if feed_ids is not None:
        ids = list(feed_ids)
        since = start - LISTED_BEFORE
        listed = select(ENTRY_ARTICLE_ID).where(entries.c.feed_id.in_(ids), entries.c.first_seen_at >= since)
        query = query.where(or_(articles.c.feed_id.in_(ids), articles.c.id.in_(listed)))
    leads, compressed = [], {}
    for *values, packed in connection.execute(query):
        lead = _decompress_prefix(packed, chars)
        leads.append(Article(text=lead, **dict(zip(ARTICLE_FIELDS, values, strict=True))))
        if len(lead) == chars:
            compressed[leads[-1].id] = packed
    return tuple(leads), compressed


def outlines_between(
    connection: Connection, *, start: datetime, end: datetime
) -> Iterator[tuple[ArticleHeader, PackedFeatures]]:
    """Yield articles published in [start, end) and stored before `end`, oldest first, with features, without texts."""
    columns = (*columns_of(articles, ArticleHeader), *columns_of(features, PackedFeatures))
    count = len(ArticleHeader.__slots__)
    for row in connection.execute(_select_published(connection, columns, features, start=start, end=end)):
        outline = ArticleHeader(**dict(zip(ArticleHeader.__slots__, row[:count], strict=True)))
        yield outline, PackedFeatures(**dict(zip(PackedFeatures.__slots__, row[count:], strict=True)))


def nth_last_published_at(connection: Connection, end: datetime, *, place: int) -> datetime | None:
    """Return the publication time of the `place`-th last article (from 1) before `end`; None if there are fewer."""
    query = select(articles.c.published_at).where(articles.c.published_at < end)
    query = query.order_by(articles.c.published_at.desc()).offset(place - 1).limit(1)
    moment: datetime | None = connection.scalar(query)
    return moment


def rows_by_id(
    connection: Connection, columns: Iterable[Any], joined: Table, ids: Iterable[str]
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield the rows of `select_articles` for articles with these ids."""
    for part in in_chunks(sorted(set(ids))):
        yield from connection.execute(select_articles(connection, columns, joined, articles.c.id.in_(part)))


def articles_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Article]:
    return {row.id: article_from_row(row) for row in rows_by_id(connection, (articles, texts), texts, ids)}


def article_leads(connection: Connection, ids: Iterable[str], *, chars: int) -> dict[str, Article]:
    """Return articles by id, without removed blocks, and of their texts only the first `chars` characters."""
    columns = (*(articles.c[name] for name in ARTICLE_FIELDS), texts.c.text)
    rows = (
        dict(zip((*ARTICLE_FIELDS, "text"), row, strict=True)) for row in rows_by_id(connection, columns, texts, ids)
    )
    return {row["id"]: Article(**row | {"text": _decompress_prefix(row["text"], chars)}) for row in rows}


def newest_articles(connection: Connection, ids: Iterable[str], *, limit: int) -> list[str]:
    """Return those of `ids` that are stored, the last published first, up to `limit`."""
    rows = rows_in(connection, select(articles.c.published_at, articles.c.id), articles.c.id, ids)
    return [key for _, key in heapq.nlargest(limit, map(tuple, rows))]


def article_by_url(connection: Connection, url: str) -> Article | None:
    """Return the article with this URL, or linked by this URL in a feed; None if no such article is stored."""
    link = normalize_url(url)
    ids = [
        article_id(link),
        *connection.scalars(select(articles.c.id).where(articles.c.url.in_({url, link}))),
        *connection.scalars(select(ENTRY_ARTICLE_ID).where(entries.c.link == link)),
    ]
    by_id = articles_by_id(connection, ids)
    return next((by_id[key] for key in ids if key in by_id), None)


def article_from_row(row: Row[*tuple[Any, ...]]) -> Article:
    """Return a row of `articles` joined with `texts` as an Article."""
    at = row._mapping
    return Article(
        text=decompress(at["text"]),
        removed=tuple(RemovedBlock(rule=rule, text=text) for rule, text in json.loads(decompress(at["removed"]))),
        **{name: at[name] for name in ARTICLE_FIELDS},
    )


def packed_features(connection: Connection, ids: Iterable[str]) -> dict[str, PackedFeatures]:
    columns = (articles.c.id, *columns_of(features, PackedFeatures))
    return {
        key: PackedFeatures(**dict(zip(PackedFeatures.__slots__, values, strict=True)))
        for key, *values in rows_by_id(connection, columns, features, ids)
    }


def count_fallback_reasons(connection: Connection, *, headlines: bool) -> tuple[tuple[Reason, int], ...]:
    """
    Return (reason, count) of articles whose page was not used, most frequent first.

    They are those with the feed's text, or, with `headlines`, those of which only the headline is known.
    """
    columns, has_reason = (articles.c.feed_reason, func.count()), articles.c.feed_reason.is_not(None)
    query = select_articles(connection, columns, texts, has_reason)
    query = query.where(texts.c.text == EMPTY_TEXT if headlines else texts.c.text != EMPTY_TEXT)
    query = query.group_by(articles.c.feed_reason).order_by(func.count().desc(), articles.c.feed_reason)
    return tuple((reason, n) for reason, n in connection.execute(query))


def count_articles(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(articles)).scalar_one()


def known_times(connection: Connection, times: Collection[datetime]) -> set[datetime]:
    """Return those of `times` at which a stored article was published."""
    query = select(articles.c.published_at).where(articles.c.published_at.in_(sorted(times))).distinct()
    return set(connection.scalars(query))


def pin(connection: Connection, article_ids: Iterable[str], *, pinned_by: str) -> None:
    """Exempt articles from retention on behalf of `pinned_by`."""
    rows = [{"article_id": key, "pinned_by": pinned_by} for key in sorted(set(article_ids))]
    execute_each(connection, insert(connection, pins).on_conflict_do_nothing(), rows)


def unpin(connection: Connection, pinned_by: Collection[str]) -> None:
    for part in in_chunks(sorted(pinned_by)):
        connection.execute(delete(pins).where(pins.c.pinned_by.in_(part)))


def is_unpinned() -> ColumnElement[bool]:
    return ~exists().where(pins.c.article_id == articles.c.id)
