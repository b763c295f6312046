"""
The tables: SQLAlchemy Core, the same on SQLite and PostgreSQL. A new store is made from them.

What differs on PostgreSQL is written as statements that run after a table is created: the arguments of its dialect,
such as `postgresql_where`, would load the dialect at every start, which takes 40 ms.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    and_,
    event,
    false,
    select,
    text,
    true,
)

from watcher.failure_messages import Reason

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

RowId = BigInteger().with_variant(Integer, "sqlite")  # for tables with billions of rows over the life of a large store
# Keys in the `info` of tables and columns, for `store.copy`: a table that is rebuilt and a column with the state of
# processes are not copied; the number of rows that a new store has.
REBUILT, PROCESS_STATE, INITIAL_ROWS = "rebuilt", "process_state", "initial_rows"
metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """
    An aware UTC datetime; on SQLite, text without a zone that sorts by time.

    The format is SQLAlchemy's own for SQLite. It is written here because SQLAlchemy's conversion takes three times as
    long, and TypeDecorator's `process_*` hooks take twice as long.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | datetime | None]:
        return _utc_text if dialect.name == "sqlite" else utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _from_text if dialect.name == "sqlite" else _from_server


class ReasonText(TypeDecorator[Reason]):
    """A Reason, stored as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Reason | None, dialect: Dialect) -> str | None:
        return None if value is None else value.to_json()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Reason | None:
        return None if value is None else Reason.from_json(value)


class JsonTuple(TypeDecorator[tuple[Any, ...]]):
    """A tuple, stored as a JSON list."""

    impl = JSON
    cache_ok = True

    def process_result_value(self, value: list[Any] | None, dialect: Dialect) -> tuple[Any, ...] | None:
        return None if value is None else tuple(value)


def utc(value: datetime | None) -> datetime | None:
    """Return an aware datetime in UTC. Errors: ValueError if it has no zone."""
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"a datetime without a zone: {value!r}")
    return value.astimezone(UTC)


def _utc_text(value: datetime | None) -> str | None:
    """Return a datetime as SQLite stores it. Errors: as `utc`."""
    if value is not None and value.tzinfo is not UTC:
        value = utc(value)
    return None if value is None else value.isoformat(" ", "microseconds")[:26]


def _from_text(value: str | None) -> datetime | None:
    """Return the time of a text in SQLite, which is in UTC and names no zone."""
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def _from_server(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def run_after_create(table: Table, *statements: str, dialect: str | None = None) -> None:
    """Have statements run after a table and its indexes are created, on one kind of database or on both."""
    for statement in statements:
        ddl = DDL(statement)  # type: ignore[no-untyped-call]
        event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def _partition_by_day(table: Table, connection: Connection, **_options: object) -> None:
    """Have a table that is about to be created be partitioned by day on PostgreSQL (`store.partitions`)."""
    if connection.dialect.name == "postgresql":
        table.dialect_options["postgresql"]["partition_by"] = "RANGE (day)"


feeds = Table(
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_url", Text, nullable=False, unique=True),  # as the settings say; the identity of the source
    Column("url", Text, nullable=False),  # where it is requested now
    Column("host", Text, nullable=False, index=True),
    Column("enabled", Boolean, nullable=False, default=True),  # False: no longer in the settings
    Column("name", Text, nullable=False),
    Column("language", Text),
    Column("country", Text),
    Column("section", Text),
    Column("owner", Text),
    Column("owner_kind", Text),
    Column("tags", JsonTuple, nullable=False),
    Column("every_s", Float),
    Column("full_text", Boolean, nullable=False, default=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("next_poll_at", UtcDateTime, nullable=False, index=True),
    Column("last_polled_at", UtcDateTime),
    Column("last_read_at", UtcDateTime),  # the last poll that was answered with a feed or a 304
    Column("last_new_at", UtcDateTime),
    Column("failures", Integer, nullable=False, default=0),
    Column("failing_since", UtcDateTime),
    Column("reason", ReasonText),  # of the last failure
    Column("faults", JsonTuple, nullable=False),  # of the last parse, in words
    Column("moved_to", Text),
    Column("moved_seen", Integer, nullable=False, default=0),
    Column("gone", Boolean, nullable=False, default=False),
    Column("interval_s", Float),
    Column("max_age_s", Float),  # of the last response that had one; a 304 without one keeps it
    Column("has_no_dates", Boolean, nullable=False, default=False),  # its new entries have no dates
    Column("skip_hours", JsonTuple, nullable=False),  # of the last parse, kept over a 304
    Column("skip_days", JsonTuple, nullable=False),
    Column("body_hash", Text),  # of the last body read: the same bytes are not parsed again
    Column("took_s", Float),  # the time of its responses, smoothed
    Column("gap_s", Float),  # the time between two polls that bring something, smoothed
    Column("health", Text),  # after its last poll; the last row in `health_changes`
    Column("health_at", UtcDateTime),  # since when
    Column("unchanged_polls", Integer, nullable=False, server_default="0"),  # since its last row in `polls`
    Column("site", Text),  # that the feed names as its own, at the last parse
    Column("is_cut", Boolean, nullable=False, default=False, server_default=false()),  # the last body has no end
)

polls = Table(
    "polls",  # a row per poll, except unchanged ones after one that was answered
    metadata,
    Column("id", RowId, primary_key=True),
    Column("feed_id", ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("status", Text, nullable=False),  # ok, unchanged, failed, offline
    Column("new", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("held_back", Integer, nullable=False, default=0),
    Column("took_s", Float, nullable=False, default=0.0),
    Column("reason", ReasonText),
    Column("unchanged_polls", Integer, nullable=False, server_default="0"),  # polls before it that have no row
    Index("ix_polls_feed_id_at", "feed_id", "at"),
)

health_changes = Table(
    "health_changes",  # one row when the health of a source changes
    metadata,
    Column("id", RowId, primary_key=True),
    Column("feed_id", ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("health", Text, nullable=False),
    Column("reason", ReasonText),
    Index("ix_health_changes_feed_id_at", "feed_id", "at"),
)

entries = Table(
    "entries",
    metadata,
    Column("feed_id", ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("guid", Text, primary_key=True),
    Column("content_hash", Text, nullable=False),
    Column("link", Text),  # in normal form
    Column("article_id", Text, nullable=False, index=True),  # by its link
    Column("redirected_article_id", Text),  # if its page redirected to another article
    Column("first_seen_at", UtcDateTime, nullable=False, index=True),
    Index("ix_entries_feed_id_first_seen_at", "feed_id", "first_seen_at"),
)

pages = Table(
    "pages",  # article pages still to fetch, and those given up, with the reason
    metadata,
    Column("article_id", Text, primary_key=True),
    Column("feed_id", ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("entry", JSON, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime),  # None: given up
    Column("tries", Integer, nullable=False, default=0),
    Column("reason", ReasonText),
    Column("is_recheck", Boolean, nullable=False, default=False),  # the article is stored; fetch its page again
    Index("ix_pages_host_next_try_at", "host", "next_try_at"),
    Index("ix_pages_next_try_at", "next_try_at"),
    Index("ix_pages_added_at", "added_at"),
    Index("ix_pages_is_recheck", "article_id", sqlite_where=text("is_recheck = 1")).ddl_if(dialect="sqlite"),
)
run_after_create(pages, "CREATE INDEX ix_pages_is_recheck ON pages (article_id) WHERE is_recheck", dialect="postgresql")

articles = Table(
    "articles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("feed_id", Integer, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("outlet", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("country", Text),
    Column("section", Text),
    Column("owner", Text),
    Column("authors", JsonTuple, nullable=False),
    Column("agency", Text),
    Column("dateline", Text),
    Column("image", Text),
    Column("kind", Text, nullable=False),
    Column("from_feed", Boolean, nullable=False),
    Column("feed_reason", ReasonText),
    Column("is_truncated", Boolean, nullable=False, default=False),
    Column("published_at", UtcDateTime, nullable=False, index=True),
    Column("fetched_at", UtcDateTime, nullable=False, index=True),
    Column("day", Integer, nullable=False, server_default="0"),  # the day of `fetched_at` (`store.partitions`)
    Column("via", Text),  # the source whose feed has the link, if the outlet's own has not
)
run_after_create(
    articles,
    # The full-text index (`store.full_text`), which is no Table because of its column types.
    """
    CREATE TABLE article_words (
        article_id TEXT NOT NULL,
        published_at TIMESTAMP WITH TIME ZONE NOT NULL,
        words TSVECTOR NOT NULL,
        CONSTRAINT pk_article_words PRIMARY KEY (article_id),
        CONSTRAINT fk_article_words_article_id_articles FOREIGN KEY (article_id)
            REFERENCES articles (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_article_words_published_at ON article_words (published_at)",
    "CREATE INDEX ix_article_words_words ON article_words USING gin (words)",
    dialect="postgresql",
)

texts = Table(
    "texts",  # apart from articles, so that a list of articles reads no text
    metadata,
    Column("article_id", Text, nullable=False),
    Column("text", LargeBinary, nullable=False),  # zlib, UTF-8
    Column("removed", LargeBinary, nullable=False),  # zlib, JSON [[rule, text], ...]
    Column("day", Integer, nullable=False, server_default="0"),  # as its article's: the partition on PostgreSQL
    PrimaryKeyConstraint("article_id").ddl_if(dialect="sqlite"),
    ForeignKeyConstraint(["article_id"], ["articles.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
)

revisions = Table(
    "revisions",  # later versions of a stored article's page
    metadata,
    Column("id", RowId, primary_key=True),
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", Text, nullable=False),  # changed, gone
    Column("title", Text, nullable=False),
    Column("text", LargeBinary, nullable=False),  # zlib, UTF-8
)

features = Table(
    "features",
    metadata,
    Column("article_id", Text, nullable=False),
    Column("version", Text, nullable=False, index=True),
    Column("payload", LargeBinary, nullable=False),
    Column("vector", LargeBinary),
    Column("vector_model", Text, index=True),
    Column("day", Integer, nullable=False, server_default="0"),  # as in `texts`
    PrimaryKeyConstraint("article_id").ddl_if(dialect="sqlite"),
    ForeignKeyConstraint(["article_id"], ["articles.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
)

# A partitioned table has no unique key without its partition's column, and no reference to it then (decisions/0022).
for partitioned in (texts, features):
    event.listen(partitioned, "before_create", _partition_by_day)
    run_after_create(
        partitioned,
        "ALTER TABLE %(table)s ADD CONSTRAINT pk_%(table)s PRIMARY KEY (article_id, day)",
        "CREATE TABLE %(table)s_rest PARTITION OF %(table)s DEFAULT",
        dialect="postgresql",
    )

sketches = Table(
    "sketches",  # of vectors (`watcher.features.sketches`), many articles in a row
    metadata,
    Column("id", RowId, primary_key=True),
    Column("model", Text, nullable=False),
    Column("vector_bytes", Integer, nullable=False),  # of each vector
    Column("data", LargeBinary, nullable=False),
)

site_blocks = Table(
    "site_blocks",  # block hashes of each article's page: the site memory
    metadata,
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("host", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("hashes", LargeBinary, nullable=False),  # little-endian uint64
    Index("ix_site_blocks_host_at", "host", "at"),
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("lease_by", Text, info={PROCESS_STATE: True}),
    Column("lease_until", UtcDateTime, info={PROCESS_STATE: True}),
    Column("blocked_until", UtcDateTime),  # Retry-After: for all requests to the host
    Column("last_request_at", UtcDateTime),
    Column("robots_at", UtcDateTime),
    Column("robots_status", Integer),  # of HTTP; 0: no answer, -1: it cannot be parsed within our limits
    Column("robots_rules", LargeBinary),  # only of the group for our user agent; zlib, UTF-8
)

page_records = Table(
    "page_records",  # pages of articles as they were fetched, with `[store] pages = "cited"`
    metadata,
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),  # when its article was fetched
    Column("record", LargeBinary, nullable=False),  # a compressed record of WARC 1.1
)
pins = Table(
    "pins",  # articles that retention keeps, and who needs them
    metadata,
    Column("article_id", Text, primary_key=True),
    Column("pinned_by", Text, primary_key=True),
    Index(None, "pinned_by"),
)

search_documents = Table(
    "search_documents",  # the articles in the full-text index (`store.full_text`), by its row numbers
    metadata,
    Column("number", RowId, primary_key=True),  # in the order of publication
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), nullable=False, unique=True),
    info={REBUILT: True},
)
CREATE_ARTICLE_SEARCH = (
    "CREATE VIRTUAL TABLE article_search USING fts5(text, content='', columnsize=0, detail=none, tokenize='ascii')"
)
run_after_create(search_documents, CREATE_ARTICLE_SEARCH, dialect="sqlite")

meta = Table(
    "meta",  # small values of the store itself
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)

# How to join an article with its text or features; with the day, PostgreSQL reads one partition only.
has_text = and_(texts.c.article_id == articles.c.id, texts.c.day == articles.c.day)
has_features = and_(features.c.article_id == articles.c.id, features.c.day == articles.c.day)


def day_of(moment: datetime) -> int:
    """Return the ordinal of a datetime's day in UTC: 1 is January 1 of year 1."""
    return moment.astimezone(UTC).date().toordinal()


def in_partitions(connection: Connection, day: Column[int], *which: ColumnElement[bool]) -> ColumnElement[bool]:
    """
    Look up the days of the articles that meet `which`, and return the condition that `day` is one; true on SQLite.

    It changes no result of a query for these articles, but PostgreSQL then plans for and locks only the partitions of
    their days: with 400 days, a query on all of them takes 16 ms to plan, and a few such queries at once need more
    locks than a server has by default.
    """
    if connection.dialect.name != "postgresql":
        return true()
    return day.in_(connection.scalars(select(articles.c.day).where(*which).distinct()).all())
