"""Articles by meaning: the sketches of all vectors are compared, and the vectors of the nearest are measured."""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from digests.errors import DigestError
from watcher.features.embedders import Embedder, EmbedderConfig, embedder_config, load_embedder
from watcher.features.language_means import embedder_mean
from watcher.features.sketches import Sketches, sketch_bits, sketch_type
from watcher.settings.models import Settings
from watcher.store.articles import article_leads, rows_by_id
from watcher.store.full_text import Filters
from watcher.store.schema import articles, features
from watcher.store.search import Hit
from watcher.store.sketches import load_sketches
from watcher.text.language import detect_language
from watcher.text.plain_text import to_one_line
from watcher.text.search_query import Snippet
from watcher.text.words import normalize

READ_AGAIN_S = 86_400.0  # after which all sketches are read again
LATE_ROWS = 1_000  # of the newest sketches, between which others may come late, of a slower transaction
COMPARED_ROWS = 50_000  # at a time, so that little memory is needed
MEASURED = 20  # articles for each one wanted, whose vectors are read and compared exactly
MIN_MEASURED = 300
MIN_MEANING = 0.2  # below it, an article has nothing to do with a query
MAX_FILTERED = 200  # nearest articles of which a search with filters shows those that fit
SNIPPET_CHARS = 200
OFF = 'the settings have no embedder: [semantic] embedder = "none"'


@dataclass(slots=True, kw_only=True)
class _Table:
    """The sketches of a store, as far as they were read."""

    model: str = ""
    rows: set[int] = field(default_factory=set)  # of the store, that were read
    sketches: Sketches = field(default_factory=lambda: np.zeros(0, sketch_type(0)))
    read_at: float = 0.0


class MeaningSearch:
    """
    Finds stored articles by the vector of a text. It holds 110 bytes an article and the embedder, once they are needed.

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
    ) -> dict[str, float]:
        """
        Return up to `limit` articles published in [since, until), the nearest first.

        Each has the cosine of its vector and the text's, each less the mean of its language.
        """
        wanted = center_vector(vector, model, language)
        with self._lock:
            sketches = self._refresh(connection, model, len(wanted))
        ids, hours, bits = (sketches[name] for name in ("article", "hour", "bits"))
        low, high = (at.timestamp() / 3600 if at else end for at, end in ((since, -np.inf), (until, np.inf)))
        rows = np.flatnonzero((hours >= low) & (hours < high))
        if not len(rows):
            return {}
        sketch = sketch_bits(wanted[None])[0]
        apart = np.concatenate(
            [
                np.bitwise_count(bits[rows[at : at + COMPARED_ROWS]] ^ sketch).sum(axis=1, dtype=np.uint16)
                for at in range(0, len(rows), COMPARED_ROWS)
            ]
        )
        count = min(len(rows), max(MIN_MEASURED, MEASURED * limit))
        likeliest = {key.decode() for key in ids[rows[np.argpartition(apart, count - 1)[:count]]].tolist()}
        columns = (articles.c.id, articles.c.language, features.c.vector, features.c.vector_model)
        near = {
            key: round(float(center_vector(packed, model, of) @ wanted), 4)
            for key, of, packed, of_model in rows_by_id(connection, columns, features, likeliest)
            if packed and of_model == model and len(packed) == len(vector)
        }
        return dict(sorted(near.items(), key=lambda each: (-each[1], each[0]))[:limit])

    def _refresh(self, connection: Connection, model: str, dimensions: int) -> Sketches:
        """Return the sketches; only new ones are read, but once a day all of them: others may be deleted since."""
        table, now = self._table, time.monotonic()
        if table.model != model or now - table.read_at > READ_AGAIN_S:
            table = self._table = _Table(model=model, read_at=now, sketches=np.zeros(0, sketch_type(dimensions)))
        after = max(table.rows, default=0) - LATE_ROWS
        rows = load_sketches(connection, model=model, vector_bytes=2 * dimensions, after=after)
        new = {key: data for key, data in rows if key not in table.rows}
        if new:
            added = np.frombuffer(b"".join(new.values()), sketch_type(dimensions))
            table.sketches = np.concatenate([table.sketches, added])
            table.rows.update(new)
        return table.sketches


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
    keys = [key for key, likeness in near.items() if likeness >= MIN_MEANING and key not in known]
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
    vector -= embedder_mean(model, language, len(vector))
    return vector / max(float(np.linalg.norm(vector)), 1e-6)
