"""Looks a store through: whether the database is sound, and whether what is in it belongs together."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, delete, exists, func, select, text

from watcher.plugins import load_plugins
from watcher.store import fts, fts5
from watcher.store.articles import articles_by_id
from watcher.store.partitions import drop_parts
from watcher.store.schema import articles, features, has_features, has_text, texts
from watcher.store.search import index_state

GROUP = "watcher.store_checks"  # entry points: "module:function", (connection) -> findings
FAULTS = 20  # of the database itself
BACKUP = "watcher restore FILE, from a backup"
MENDS = "watcher check --deep --mend"
AT_ONCE = 500  # texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    Something that is not as it should be, and what mends it.

    `repair` is what `--mend` runs, again while it says that there is more.
    """

    what: str
    mend: str
    repair: Callable[[Connection], bool | None] | None = None


Look = Callable[[Connection], Iterable[Finding]]


def looks() -> tuple[Look, ...]:
    """Return all there is to look at, other packages' too. Errors: PluginError."""
    found: list[Look] = [database, references, index, articles_whole, texts_readable]
    return (*found, *(look for _, look in load_plugins(GROUP, "the checks of")))


def database(connection: Connection) -> Iterator[Finding]:
    """Yield what the database finds wrong with itself."""
    if connection.dialect.name != "sqlite":
        return
    for row in connection.execute(text(f"PRAGMA integrity_check({FAULTS})")):
        if fts5.INDEX in row[0]:
            yield broken_index(f"the index for searching is broken: {row[0]}")
        elif row[0] != "ok":
            yield Finding(what=f"the database is broken: {row[0]}", mend=BACKUP)


def references(connection: Connection) -> Iterator[Finding]:
    """Yield rows that belong to something that is not there."""
    if connection.dialect.name != "sqlite":
        return
    counts: dict[tuple[str, str], list[int]] = {}
    for name, rowid, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        counts.setdefault((name, parent), []).append(rowid)
    for (name, parent), rows in counts.items():
        what = f"{len(rows)} rows of {name} belong to {parent} that are not there"
        yield Finding(what=what, mend=MENDS, repair=partial(drop_rows, name=name, rows=rows))


def drop_rows(connection: Connection, name: str, rows: list[int]) -> None:
    """Remove rows of a table by their numbers."""
    for start in range(0, len(rows), AT_ONCE):
        numbers = ",".join(map(str, rows[start : start + AT_ONCE]))
        connection.execute(text(f"DELETE FROM {name} WHERE rowid IN ({numbers})"))


def index(connection: Connection) -> Iterator[Finding]:
    """Yield articles that the index for searching lacks though it is complete, and those that it alone knows."""
    key = fts.held(connection)
    held, there = count(connection, select(key)), count(connection, select(articles.c.id))
    gone = count(connection, select(key).where(missing(articles.c.id, key)))
    if gone:
        yield broken_index(f"the index for searching holds {gone} articles that are not there")
    elif index_state(connection).get("is_complete") and held != there:
        yield broken_index(f"the index for searching lacks {there - held} articles")


def broken_index(what: str) -> Finding:
    """Return the finding that the index has to be built anew."""
    from watcher.store.search import rebuild_index

    return Finding(what=what, mend=f"{MENDS}, then it is built anew while the daemon runs", repair=rebuild_index)


def articles_whole(connection: Connection) -> Iterator[Finding]:
    """Yield articles without a text or without features."""
    if n := count(connection, without_text()):
        yield Finding(
            what=f"{n} articles have no text", mend=f"{MENDS}, which removes them",
            repair=drop_textless,
        )  # fmt: skip
    if n := count(connection, without_features()):
        yield Finding(
            what=f"{n} articles have no features: no edition sees them", mend=MENDS, repair=make_missing_features
        )


def texts_readable(connection: Connection) -> Iterator[Finding]:
    """Yield texts that cannot be read."""
    broken: list[str] = []
    query = select(texts.c.article_id, texts.c.text, texts.c.removed).execution_options(yield_per=AT_ONCE)
    rows = connection.execute(query)
    for key, *values in rows:
        try:
            for value in values:
                zlib.decompress(value).decode("utf-8")
        except (zlib.error, UnicodeDecodeError):
            broken.append(key)
    if broken:
        yield Finding(what=f"{len(broken)} texts cannot be read: {', '.join(broken[:FAULTS])}", mend=BACKUP)


def missing(column: Column[Any], of: Column[Any]) -> ColumnElement[bool]:
    """Return the condition that no row has `of` in its `column`."""
    return ~exists().where(column == of)


def without_text() -> Select[Any]:
    """Return the query for articles that have no text."""
    return select(articles.c.id).where(~exists().where(has_text))


def drop_textless(connection: Connection) -> bool:
    """Remove the articles that have no text, and what else belongs to them."""
    lacking = select(articles.c.id, articles.c.day).where(~exists().where(has_text))
    drop_parts(connection, [(row.id, row.day) for row in connection.execute(lacking)])
    connection.execute(delete(articles).where(articles.c.id.in_(without_text())))
    return False


def without_features() -> Select[Any]:
    """Return the query for articles that have a text and no features."""
    lacking = select(articles.c.id).join(texts, has_text)
    return lacking.where(~exists().where(has_features))


def make_missing_features(connection: Connection) -> bool:
    """Make the features of some articles that have none; return whether that may have left others."""
    from watcher.features.codec import encode
    from watcher.features.extract import extract_features

    found = articles_by_id(connection, connection.scalars(without_features().limit(AT_ONCE)).all())
    days = dict(connection.execute(select(articles.c.id, articles.c.day).where(articles.c.id.in_(list(found)))).all())
    made = [extract_features(key, title=one.title, text=one.text, language=one.language) for key, one in found.items()]
    rows = [
        {"article_id": each.article_id, "version": each.version, "payload": encode(each), "day": days[each.article_id]}
        for each in made
    ]
    if rows:
        connection.execute(features.insert(), rows)
    return len(rows) == AT_ONCE


def count(connection: Connection, query: Select[Any]) -> int:
    """Return how many rows a query has."""
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
