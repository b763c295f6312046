"""Features and vectors of articles, and the embedder they come from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, func, or_, select, true, update

from watcher.model import FEATURES_VERSION, PackedFeatures
from watcher.store.articles import decompress, rows_by_id
from watcher.store.schema import articles, features, has_features, in_partitions, sketches, texts
from watcher.store.sketches import add_sketches
from watcher.store.sql import load_meta, save_meta

SAMPLE_ARTICLES = 10_000  # read at most to find id prefixes
ArticleRows = tuple[tuple[str, str, str, str], ...]  # id, title, text, language


def id_prefixes(connection: Connection, condition: ColumnElement[bool]) -> tuple[str, ...]:
    """Return the distinct first digits of the ids of up to `SAMPLE_ARTICLES` articles that meet `condition`, sorted."""
    some = select(features.c.article_id.label("id")).where(condition).limit(SAMPLE_ARTICLES).subquery()
    return tuple(sorted(connection.scalars(select(func.substr(some.c.id, 1, 1)).distinct())))


def newest_articles(
    connection: Connection,
    condition: ColumnElement[bool],
    *,
    limit: int,
    since: datetime | None = None,
    prefix: str = "",
) -> ArticleRows:
    """Return up to `limit` articles whose features meet `condition` and whose ids begin with `prefix`, newest first."""
    # If none meets it, only the index is read.
    if connection.execute(select(features.c.article_id).where(condition).limit(1)).first() is None:
        return ()
    waiting = select(articles.c.id).join(features, has_features).where(condition)
    if prefix:
        waiting = waiting.where(articles.c.id.startswith(prefix, autoescape=True))
    if since is not None:
        waiting = waiting.where(articles.c.published_at >= since)
    keys = connection.scalars(waiting.order_by(articles.c.published_at.desc(), articles.c.id).limit(limit)).all()
    rows = rows_by_id(connection, (articles.c.id, articles.c.title, texts.c.text, articles.c.language), texts, keys)
    texts_by_id = {key: (key, title, decompress(text), language) for key, title, text, language in rows}
    return tuple(texts_by_id[key] for key in keys if key in texts_by_id)


def count_features(connection: Connection, condition: ColumnElement[bool], *, since: datetime | None = None) -> int:
    """Return how many articles have features that meet `condition`; with `since`, only those published from then on."""
    query = select(func.count()).select_from(features).where(condition)
    if since is not None:
        query = query.join(articles, has_features).where(articles.c.published_at >= since)
    return connection.execute(query).scalar_one()


def set_vectors(connection: Connection, vectors: Mapping[str, bytes | None], *, model: str) -> None:
    """Store an embedder's vectors by article id; None marks a text that it refused and must not be given again."""
    for key, vector in vectors.items():
        query = update(features).where(*_has_article_id(connection, key))
        connection.execute(query.values(vector=vector, vector_model=model))
    add_sketches(connection, list(vectors), model=model)


def set_features(connection: Connection, packed_by_id: Mapping[str, PackedFeatures]) -> None:
    """Replace the features of articles by id; their vectors stay."""
    for key, packed in packed_by_id.items():
        values = {"version": packed.version, "payload": packed.payload}
        connection.execute(update(features).where(*_has_article_id(connection, key)).values(values))


def _has_article_id(connection: Connection, key: str) -> tuple[ColumnElement[bool], ...]:
    return features.c.article_id == key, in_partitions(connection, features.c.day, articles.c.id == key)


def vector_bytes(connection: Connection, *, model: str) -> int | None:
    """Return the length in bytes of the stored vectors of `model`; None if there are none."""
    query = select(func.length(features.c.vector)).where(features.c.vector_model == model)
    length: int | None = connection.scalar(query.where(features.c.vector.is_not(None)).limit(1))
    return length


EMBEDDER = "embedder"  # the key in `meta`


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderState:
    """The embedder last in use: the key of its settings, its name if known, and its error if it fails."""

    setting: str
    name: str | None = None
    trouble: str | None = None


def record_embedder(connection: Connection, embedding: EmbedderState | None) -> None:
    """Save the embedder in use, with its error if it fails; None if the settings name no embedder."""
    save_meta(connection, EMBEDDER, asdict(embedding) if embedding else None)


def recorded_embedder(connection: Connection) -> EmbedderState | None:
    value = load_meta(connection, EMBEDDER)
    return EmbedderState(**value) if value else None


def embedder_name(connection: Connection, mark: str) -> str | None:
    """Return the name of the embedder whose settings hash to `mark`; None if it has not been asked yet."""
    noted = recorded_embedder(connection)
    return noted.name if noted is not None and noted.setting == mark else None


def has_backlog(connection: Connection, *, setting: str | None) -> bool:
    """Whether articles have features of another version, or lack vectors of the embedder `setting` (None: none)."""
    noted = recorded_embedder(connection)
    if setting != (noted.setting if noted else None) or (noted and (noted.name is None or noted.trouble)):
        return True
    conditions = [has_old_version()]  # one by one: each has an index of its own
    if noted is not None:
        conditions.append(lacks_vector(noted.name))
    queries = (select(features.c.article_id).where(condition).limit(1) for condition in conditions)
    return any(connection.execute(query).first() is not None for query in queries)


SKETCHES = "sketches"  # the key in `meta`


def sketch_missing(connection: Connection, *, limit: int) -> int:
    """
    Sketch the next `limit` articles that may have none; return how many, 0 at once if all have been looked at.

    A vector is sketched when it is stored: those without a sketch are older than the sketches. The sketches of other
    embedders than the one in use are deleted.
    """
    noted = recorded_embedder(connection)
    if noted is None or not lacks_sketches(connection):
        return 0
    state = load_meta(connection, SKETCHES) or {}
    after = state["after"] if state.get("model") == noted.name else ""
    if not after:
        connection.execute(delete(sketches).where(sketches.c.model != noted.name))
    query = select(articles.c.id).where(articles.c.id > after).order_by(articles.c.id).limit(limit)
    keys = connection.scalars(query).all()
    add_sketches(connection, keys, model=noted.name or "")
    save_meta(connection, SKETCHES, {"model": noted.name, "after": keys[-1] if len(keys) == limit else None})
    return len(keys)


def lacks_sketches(connection: Connection) -> bool:
    """Whether articles with a vector of the embedder in use may have no sketch of it."""
    noted = recorded_embedder(connection)
    if noted is None or noted.name is None:
        return False
    return bool(load_meta(connection, SKETCHES) != {"model": noted.name, "after": None})


def lacks_vector(model: str | None) -> ColumnElement[bool]:
    """Return the condition that an article has no vector of `model`, nor was refused by it; if None, true for all."""
    column = features.c.vector_model
    return true() if model is None else or_(column.is_(None), _differs_from(column, model))


def has_old_version() -> ColumnElement[bool]:
    return _differs_from(features.c.version, FEATURES_VERSION)


def _differs_from(column: Column[Any], value: str) -> ColumnElement[bool]:
    """Return the condition `column` != `value`, written as two ranges so that an index can be used."""
    return or_(column < value, column > value)
