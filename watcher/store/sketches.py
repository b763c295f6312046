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
    import numpy as np  # late: it is large

    from watcher.features.sketches import sketch_type

    removed = 0
    query = select(sketches).where(sketches.c.id > after).order_by(sketches.c.id).limit(limit)
    rows = connection.execute(query).all()
    made = {row.id: np.frombuffer(row.data, sketch_type(row.vector_bytes // 2)) for row in rows}
    ids = {key.decode() for each in made.values() for key in each["article"].tolist()}
    stored = np.array([key for (key,) in rows_in(connection, select(articles.c.id), articles.c.id, ids)], "S")
    for row, each in made.items():
        kept = each[np.isin(each["article"], stored)]
        removed += len(each) - len(kept)
        if not len(kept):
            connection.execute(delete(sketches).where(sketches.c.id == row))
        elif len(kept) < len(each):
            connection.execute(update(sketches).where(sketches.c.id == row).values(data=kept.tobytes()))
    return BatchResult(removed=removed, resume_after=rows[-1].id if len(rows) == limit else None)
