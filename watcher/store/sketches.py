"""Sketches of the stored vectors, many articles in a row: all that a search by meaning reads of most articles."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from watcher.store.articles import rows_by_id
from watcher.store.retention import BatchResult
from watcher.store.schema import articles, features, sketches
from watcher.store.sql import rows_in

ROWS_AT_ONCE = 2_000


def add_sketches(connection: Connection, ids: Collection[str], *, model: str) -> None:
    """Sketch those of these articles that have a vector of `model`."""
    from watcher.features.sketches import make_sketches  # late: loads numpy

    columns = (articles.c.id, articles.c.language, articles.c.published_at, features.c.vector, features.c.vector_model)
    by_size: defaultdict[int, list[Any]] = defaultdict(list)
    for *row, of_model in rows_by_id(connection, columns, features, ids):
        if row[-1] and of_model == model:
            by_size[len(row[-1])].append(row)
    for size, rows in by_size.items():
        data = make_sketches(rows, model, size // 2).tobytes()
        connection.execute(insert(sketches).values(model=model, vector_bytes=size, data=data))


def load_sketches(
    connection: Connection, *, model: str, vector_bytes: int, after: int
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield (id, data) of the rows of a model whose id is greater than `after`, the lowest id first."""
    those = sketches.c.model == model, sketches.c.vector_bytes == vector_bytes, sketches.c.id > after
    query = select(sketches.c.id, sketches.c.data).where(*those).order_by(sketches.c.id)
    yield from connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def drop_sketches(connection: Connection, after: int, limit: int) -> BatchResult:
    """Delete the sketches of articles that are removed from the next `limit` rows after the id `after`."""
    from watcher.features.sketches import keep_articles, list_articles  # late: loads numpy

    removed = 0
    query = select(sketches).where(sketches.c.id > after).order_by(sketches.c.id).limit(limit)
    rows = connection.execute(query).all()
    listed = {row.id: list_articles(row.data, row.vector_bytes // 2) for row in rows}
    ids = {key for keys in listed.values() for key in keys}
    stored = {key for (key,) in rows_in(connection, select(articles.c.id), articles.c.id, ids)}
    for row in rows:
        kept = stored.intersection(listed[row.id])
        removed += len(listed[row.id]) - len(kept)
        if not kept:
            connection.execute(delete(sketches).where(sketches.c.id == row.id))
        elif len(kept) < len(listed[row.id]):
            data = keep_articles(row.data, row.vector_bytes // 2, kept)
            connection.execute(update(sketches).where(sketches.c.id == row.id).values(data=data))
    return BatchResult(removed=removed, resume_after=rows[-1].id if len(rows) == limit else None)
