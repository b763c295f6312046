"""Articles by meaning: a sketch of each stored vector is in memory, one bit a dimension; the nearest are measured."""

import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, func, select

from digests.cluster.vectorize import embedder_mean
from digests.errors import DigestError
from watcher.features.embedders import Embedder, EmbedderConfig, embedder_config, load_embedder
from watcher.settings.models import Settings
from watcher.store.articles import article_leads, rows_by_id
from watcher.store.full_text import Filters
from watcher.store.schema import articles, features, has_features
from watcher.store.search import Hit
from watcher.text.language import detect_language
from watcher.text.plain_text import to_one_line
from watcher.text.search_query import Snippet
from watcher.text.words import normalize

Sketches: TypeAlias = npt.NDArray[np.uint64]  # a row of bits for each article: is a dimension above the mean?

RECENT_VECTORS = timedelta(days=1)  # articles stored since then are looked up again at each search; others once an hour
REBUILD_S = 3_600.0
READ_ROWS, COMPARED_ROWS = 2_000, 50_000  # rows at a time, so that little memory is needed
MEASURED = 20  # articles for each one wanted, whose vectors are read and compared exactly
MIN_MEASURED = 300
MIN_MEANING = 0.2  # below it, an article has nothing to do with a query
MAX_FILTERED = 200  # nearest articles of which a search with filters shows those that fit
SNIPPET_CHARS = 200
OFF = 'the settings have no embedder: [semantic] embedder = "none"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An article, and the cosine of its vector and the text's, each less the mean of its language."""

    article: str
    likeness: float
    language: str


@dataclass(slots=True, kw_only=True)
class _Table:
    model: str = ""
    ids: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    hours: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    sketches: Sketches = field(default_factory=lambda: np.zeros((0, 1), np.uint64))
    made_at: float = 0.0


class MeaningSearch:
    """
    Finds stored articles by the vector of a text. It holds 90 bytes an article, and the embedder once it is needed.

    It may be used from several threads. Nothing but the embedder of the settings gets the text.
    """

    def __init__(self, settings: Settings, embedder: Embedder | None = None) -> None:
        self._config: EmbedderConfig | None = embedder_config(settings.semantic)
        self._embedder = embedder
        self._table = _Table()
        self._lock = threading.Lock()

    @property
    def why_off(self) -> str:
        """Why nothing can be found by meaning; "" if it can."""
        return "" if self._embedder or self._config else OFF

    def embed(self, text: str) -> tuple[bytes, str]:
        """Return the vector of a text and the embedder's name. Errors: DigestError without one; PluginError."""
        with self._lock:
            if self._embedder is None and self._config is not None:
                self._embedder = load_embedder(self._config.setting, self._config.endpoint)
            if self._embedder is None:
                raise DigestError(OFF, hint='set [semantic] embedder = "auto"')
            return self._embedder.embed([text])[0], self._embedder.name

    def find_nearest(
        self,
        connection: Connection,
        vector: bytes,
        model: str,
        language: str,
        *,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Near]:
        """Return up to `limit` articles published in [since, until), the nearest first."""
        wanted = np.frombuffer(vector, "<f2").astype(np.float32)
        wanted = _unit(wanted - embedder_mean(model, language, len(wanted)))
        with self._lock:
            table = self._refresh(connection, model, len(wanted))
            ids, hours, sketches = table.ids[:], table.hours, table.sketches
        low, high = (at.timestamp() / 3600 if at else end for at, end in ((since, -np.inf), (until, np.inf)))
        rows = np.flatnonzero((hours >= low) & (hours < high))
        if not len(rows):
            return []
        (sketch,) = _sketch(wanted[None])
        apart = np.concatenate(
            [
                np.bitwise_count(sketches[rows[at : at + COMPARED_ROWS]] ^ sketch).sum(axis=1, dtype=np.uint16)
                for at in range(0, len(rows), COMPARED_ROWS)
            ]
        )
        count = min(len(rows), max(MIN_MEASURED, MEASURED * limit))
        likeliest = rows[np.argpartition(apart, count - 1)[:count]]
        columns = (articles.c.id, articles.c.language, features.c.vector)
        near = [
            Near(article=key, likeness=round(float(center_vector(packed, model, of) @ wanted), 4), language=of)
            for key, of, packed in rows_by_id(connection, columns, features, (ids[row] for row in likeliest.tolist()))
            if packed and len(packed) == 2 * len(wanted)
        ]
        return sorted(near, key=lambda each: (-each.likeness, each.article))[:limit]

    def _refresh(self, connection: Connection, model: str, dimensions: int) -> _Table:
        """Return the table of articles with a vector of `model`; built again for another model, and once an hour."""
        table, now = self._table, time.monotonic()
        columns = (articles.c.id, articles.c.published_at, articles.c.language, features.c.vector)
        rows: Iterator[Row[Any]]
        if table.model != model or now - table.made_at > REBUILD_S:
            table = _Table(model=model, made_at=now, sketches=np.zeros((0, -(-dimensions // 64)), np.uint64))
            query = select(*columns).join(features, has_features).where(features.c.vector_model == model)
            rows = iter(connection.execute(query.execution_options(yield_per=READ_ROWS)))
        else:
            # Without the features: SQLite would read all vectors of the model for them.
            newest = connection.scalar(select(func.max(articles.c.fetched_at)))
            if newest is None:
                return table
            recent = connection.scalars(select(articles.c.id).where(articles.c.fetched_at >= newest - RECENT_VECTORS))
            new = [key for key in recent if key not in table.known]
            found = rows_by_id(connection, (*columns, features.c.vector_model), features, new)
            rows = (row for row in found if row.vector_model == model)
        hours, sketches = [table.hours], [table.sketches]
        while batch := list(islice(rows, READ_ROWS)):
            fitting = [row for row in batch if row.vector and len(row.vector) == 2 * dimensions]
            if not fitting:
                continue
            table.ids += [row.id for row in fitting]
            hours.append(np.array([row.published_at.timestamp() / 3600 for row in fitting]))
            means = np.stack([embedder_mean(model, row.language, dimensions) for row in fitting])
            vectors = np.frombuffer(b"".join(row.vector for row in fitting), "<f2").reshape(-1, dimensions)
            sketches.append(_sketch(vectors - means))
        table.known.update(table.ids)
        table.hours, table.sketches = np.concatenate(hours), np.concatenate(sketches)
        self._table = table
        return table


def search_by_meaning(
    connection: Connection,
    meaning: MeaningSearch,
    text: str,
    *,
    filters: Filters,
    limit: int,
    known: Collection[str] = (),
) -> list[Hit]:
    """Return up to `limit` articles that are nearest to a query, in all languages, without those that are `known`."""
    near = meaning.find_nearest(
        connection,
        *meaning.embed(text),
        detect_language(text),
        limit=MAX_FILTERED,
        since=filters.since,
        until=filters.until,
    )
    keys = [each.article for each in near if each.likeness >= MIN_MEANING and each.article not in known]
    by_id = article_leads(connection, keys, chars=SNIPPET_CHARS)
    outlet = normalize(filters.outlet or "").split()
    hits = []
    for article in (by_id[key] for key in keys if key in by_id):
        fits = filters.language in (None, article.language) and filters.country in (None, article.country)
        if fits and set(outlet) <= set(normalize(article.outlet).split()):
            same = {name: getattr(article, name) for name in Hit.__slots__ if name != "snippet"}
            hits.append(Hit(snippet=Snippet(text=to_one_line(article.text, SNIPPET_CHARS)), **same))
    return hits[:limit]


def center_vector(packed: bytes, model: str, language: str) -> npt.NDArray[np.float32]:
    """Return a stored vector less the mean of its language, of length 1."""
    vector = np.frombuffer(packed, "<f2").astype(np.float32)
    return _unit(vector - embedder_mean(model, language, len(vector)))


def _unit(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


def _sketch(vectors: npt.NDArray[np.float32]) -> Sketches:
    bits = np.packbits(vectors > 0, axis=1)
    padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))
    return np.ascontiguousarray(padded).view(np.uint64)
