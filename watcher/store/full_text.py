"""
The full-text index: FTS5 on SQLite, a `tsvector` under GIN on PostgreSQL.

Both hold words that `watcher.text` has split and normalized, so that they do not depend on a database's tokenizer or
dictionary. Language, country and outlet are indexed as words with a mark.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import ClassVar

from sqlalchemy import ColumnElement, Connection, column, delete, select, table, text

from watcher.store.schema import CREATE_ARTICLE_SEARCH, UtcDateTime, search_documents
from watcher.store.sql import execute_each, in_chunks
from watcher.text.search_query import Query, Token
from watcher.text.words import index_words, normalize

FILTER_MARK = "\ue000"  # begins the words for language, country and outlet; no text has it

FTS5_TABLE = "article_search"
ROWIDS_PER_S = 8  # for articles that were published in the same second
MAX_ROWID_SHIFT = 8 * 3_600 * ROWIDS_PER_S  # how far row numbers may lie after their time if many articles came at once

MAX_ROWID = 2**63 - 1

# PostgreSQL indexes title and lead: whole texts took 16 GB a million articles (docs/decisions/0019).
INDEXED_LEAD_CHARS = 600
MAX_INDEXED_WORD_CHARS = 200  # PostgreSQL refuses words of more than 2,046 bytes
# No Table of `schema`, which creates it: its column types would load PostgreSQL's dialect at every start, 15 ms.
article_words = table("article_words", column("article_id"), column("published_at", UtcDateTime), column("words"))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocument:
    """The fields of an article that the index needs."""

    article_id: str
    published_at: datetime
    title: str
    text: str
    language: str
    country: str | None
    outlet: str

    def words(self, text: str) -> str:
        """Return the words to index, space-separated: of the title, of `text`, and of the filters."""
        plain = index_words(f"{self.title}\n{text}").replace(FILTER_MARK, " ")
        return " ".join([plain, *(token.text for token in _filter_tokens(self.language, self.country, self.outlet))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Conditions on an article's source, and on its time of publication in [since, until); None for no condition."""

    since: datetime | None = None
    until: datetime | None = None
    language: str | None = None
    country: str | None = None
    outlet: str | None = None  # words of its name

    def includes(self, published_at: datetime) -> bool:
        """Whether `published_at` is in [since, until); the index's own search is exact only to some hours."""
        return (self.since is None or published_at >= self.since) and (self.until is None or published_at < self.until)


def _filter_tokens(language: str | None, country: str | None, outlet: str | None) -> Iterator[Token]:
    for kind, value in (("l", language), ("c", country)):
        if value is not None:
            yield Token(text=f"{FILTER_MARK}{kind}{normalize(value).replace(' ', '')}")
    if outlet is not None:
        yield from (Token(text=f"{FILTER_MARK}o{word}") for word in normalize(outlet).split() or ("",))


@dataclass(frozen=True, slots=True)
class Fts5Index:
    """FTS5 without content and positions. Row numbers follow the time: newest first needs no sort (decisions/0013)."""

    connection: Connection
    article_id: ClassVar[ColumnElement[str]] = search_documents.c.article_id

    def clear(self) -> None:
        """Create an empty index in place of the old one, even if that is damaged."""
        self.connection.execute(text(f"DROP TABLE IF EXISTS {FTS5_TABLE}"))
        self.connection.execute(delete(search_documents))
        self.connection.execute(text(CREATE_ARTICLE_SEARCH))

    def add(self, documents: Iterable[IndexDocument]) -> None:
        """Add articles, none of which may be in the index."""
        rows = []
        for document in documents:
            number = self._free_rowid(_rowid_at(document.published_at))
            self.connection.execute(search_documents.insert(), {"number": number, "article_id": document.article_id})
            rows.append({"number": number, "words": document.words(document.text)})
        rows.sort(key=itemgetter("number"))  # out of order, FTS5 would write each by itself
        execute_each(self.connection, text(f"INSERT INTO {FTS5_TABLE} (rowid, text) VALUES (:number, :words)"), rows)

    def remove(self, documents: Sequence[IndexDocument]) -> None:
        """Remove articles; each document must be the same as when it was added."""
        words = {document.article_id: document.words(document.text) for document in documents}
        for keys in in_chunks(list(words)):
            query = select(search_documents.c.article_id, search_documents.c.number)
            query = query.where(search_documents.c.article_id.in_(keys)).order_by(search_documents.c.number)
            rows = [{"number": row.number, "words": words[row.article_id]} for row in self.connection.execute(query)]
            forget = f"INSERT INTO {FTS5_TABLE} ({FTS5_TABLE}, rowid, text) VALUES ('delete', :number, :words)"
            execute_each(self.connection, text(forget), rows)
            self.connection.execute(delete(search_documents).where(search_documents.c.article_id.in_(keys)))

    def matching(self, query: Query, filters: Filters) -> Generator[str]:
        """Yield ids of matching articles, newest first; if `query.needs_text`, some whose text does not match, too."""
        low = _rowid_at(filters.since) if filters.since else -MAX_ROWID
        high = _rowid_at(filters.until) + MAX_ROWID_SHIFT if filters.until else MAX_ROWID
        # CROSS JOIN: SQLite reads the index first, in its own order.
        statement = f"""
            SELECT d.article_id FROM {FTS5_TABLE} f CROSS JOIN search_documents d ON d.number = f.rowid
            WHERE f.{FTS5_TABLE} MATCH :words AND f.rowid >= :low AND f.rowid < :high ORDER BY f.rowid DESC
        """
        values = {"words": _fts5_query(query, filters), "low": low, "high": high}
        with self.connection.execute(text(statement).execution_options(yield_per=100), values) as rows:
            yield from rows.scalars()

    def _free_rowid(self, first: int) -> int:
        """Return the first unused row number from `first` on."""
        query = select(search_documents.c.number).where(search_documents.c.number >= first)
        query = query.order_by(search_documents.c.number).execution_options(yield_per=50)
        number = first
        with self.connection.execute(query) as rows:
            for used in rows.scalars():
                if used > number:
                    break
                number += 1
        return number


@dataclass(frozen=True, slots=True)
class TsvectorIndex:
    """The index on PostgreSQL, of title and lead."""

    connection: Connection
    article_id: ClassVar[ColumnElement[str]] = article_words.c.article_id

    def clear(self) -> None:
        self.connection.execute(text("TRUNCATE article_words"))

    def add(self, documents: Iterable[IndexDocument]) -> None:
        """Add articles; those that the index holds stay as they are."""
        rows = [
            {"article_id": document.article_id, "at": document.published_at, "words": _lead_words(document)}
            for document in documents
        ]
        query = """
            INSERT INTO article_words (article_id, published_at, words)
            VALUES (:article_id, :at, array_to_tsvector(CAST(:words AS text[]))) ON CONFLICT DO NOTHING
        """
        execute_each(self.connection, text(query), rows)

    def remove(self, documents: Sequence[IndexDocument]) -> None:
        for keys in in_chunks([document.article_id for document in documents]):
            self.connection.execute(delete(article_words).where(article_words.c.article_id.in_(keys)))

    def matching(self, query: Query, filters: Filters) -> Generator[str]:
        """Yield ids of matching articles, newest first; if `query.needs_text`, some whose text does not match, too."""
        at = article_words.c.published_at
        words = text("CAST(:words AS tsquery)").bindparams(words=_ts_query(query, filters))
        statement = select(article_words.c.article_id).where(article_words.c.words.op("@@")(words))
        if filters.since is not None:
            statement = statement.where(at >= filters.since)
        if filters.until is not None:
            statement = statement.where(at < filters.until)
        statement = statement.order_by(at.desc(), article_words.c.article_id.desc()).execution_options(yield_per=100)
        with self.connection.execute(statement) as rows:
            yield from rows.scalars()


def full_text_index(connection: Connection) -> Fts5Index | TsvectorIndex:
    return Fts5Index(connection) if connection.dialect.name == "sqlite" else TsvectorIndex(connection)


def _rowid_at(time: datetime) -> int:
    """Return the first row number of FTS5 for articles published at a time."""
    return int(time.timestamp() * ROWIDS_PER_S)


def _combine_words(
    query: Query, filters: Filters, word: Callable[[Token], str], *, and_: str, or_: str
) -> tuple[str, list[str]]:
    """Return the condition for wanted words, and a list of excluded ones, written with `word`, `and_` and `or_`."""

    def all_of(tokens: Iterable[Token]) -> str:
        return f"({and_.join(map(word, tokens))})"

    parts = [f"({or_.join(all_of(term.tokens) for term in group)})" for group in query.groups]
    parts += [all_of((token,)) for token in _filter_tokens(filters.language, filters.country, filters.outlet)]
    return and_.join(parts), [all_of(term.tokens) for term in query.without if not term.is_row]


def _fts5_query(query: Query, filters: Filters) -> str:
    """Return the query in FTS5's syntax; quoted words keep user input from adding operators."""

    def word(token: Token) -> str:
        return f'"{token.text}"{"*" if token.is_prefix else ""}'

    wanted, without = _combine_words(query, filters, word, and_=" AND ", or_=" OR ")
    return f"({wanted}) NOT ({' OR '.join(without)})" if without else wanted


def _ts_query(query: Query, filters: Filters) -> str:
    """Return the query in PostgreSQL's syntax; quoted words keep user input from adding operators."""

    def word(token: Token) -> str:
        quoted = token.text[:MAX_INDEXED_WORD_CHARS].replace("\\", "\\\\").replace("'", "''")
        return f"'{quoted}'{':*' if token.is_prefix else ''}"

    wanted, without = _combine_words(query, filters, word, and_=" & ", or_=" | ")
    return " & ".join([wanted, *(f"!{part}" for part in without)])


def _lead_words(document: IndexDocument) -> list[str]:
    lead = document.text[:INDEXED_LEAD_CHARS]
    if len(document.text) > INDEXED_LEAD_CHARS and not document.text[INDEXED_LEAD_CHARS].isspace():
        lead = lead.rpartition(" ")[0] or lead
    return sorted({word[:MAX_INDEXED_WORD_CHARS] for word in document.words(lead).split()})
