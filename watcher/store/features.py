"""Features and vectors of articles, and the embedder they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, or_, select, true, update

from watcher.store.articles import PackedFeatures, decompress, select_articles
from watcher.store.schema import articles, features, has_features, in_partitions, texts
from watcher.store.sql import in_chunks, load_meta, save_meta

SAMPLE_ARTICLES = 10_000  # articles that are looked at for their shares
ArticleRows = tuple[tuple[str, str, str, str], ...]  # id, title, text, language


def id_prefixes(connection: Connection, condition: ColumnElement[bool]) -> tuple[str, ...]:
    """Return the first digits of the ids of articles whose features fulfil `condition`, ascending; of many, of some."""
    some = select(features.c.article_id.label("id")).where(condition).limit(SAMPLE_ARTICLES).subquery()
    return tuple(sorted(connection.scalars(select(func.substr(some.c.id, 1, 1)).distinct())))


def newest_articles(
    connection: Connection,
    condition: ColumnElement[bool],
    *,
    most: int,
    since: datetime | None = None,
    prefix: str = "",
) -> ArticleRows:
    """Return up to `most` articles whose features fulfil `condition`, newest first; of ids that begin with `prefix`."""
    # Where none do, only the index is read.
    if connection.execute(select(features.c.article_id).where(condition).limit(1)).first() is None:
        return ()
    waiting = select(articles.c.id).join(features, has_features).where(condition)
    if prefix:
        waiting = waiting.where(articles.c.id.startswith(prefix, autoescape=True))
    if since is not None:
        waiting = waiting.where(articles.c.published_at >= since)
    keys = connection.scalars(waiting.order_by(articles.c.published_at.desc(), articles.c.id).limit(most)).all()
    columns = (articles.c.id, articles.c.title, texts.c.text, articles.c.language)
    found: dict[str, tuple[str, str, str, str]] = {}
    for part in in_chunks(list(keys)):
        rows = connection.execute(select_articles(connection, columns, texts, articles.c.id.in_(part)))
        found.update((key, (key, title, decompress(text), language)) for key, title, text, language in rows)
    return tuple(found[key] for key in keys if key in found)


def count_features(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(features).where(condition)).scalar_one()


def set_vectors(connection: Connection, vectors: Mapping[str, bytes | None], *, model: str) -> None:
    """Keep the vectors that an embedder made; None for a text that it refused, which is not given to it again."""
    for key, vector in vectors.items():
        query = update(features).where(*has_article_id(connection, key))
        connection.execute(query.values(vector=vector, vector_model=model))


def set_features(connection: Connection, made: Mapping[str, PackedFeatures]) -> None:
    """Keep features made anew; the vectors beside them stay."""
    for key, packed in made.items():
        values = {"version": packed.version, "payload": packed.payload}
        connection.execute(update(features).where(*has_article_id(connection, key)).values(values))


def has_article_id(connection: Connection, key: str) -> tuple[ColumnElement[bool], ...]:
    return features.c.article_id == key, in_partitions(connection, features.c.day, articles.c.id == key)


def vector_bytes(connection: Connection, *, model: str) -> int | None:
    """Return the length of the vectors that are kept of `model`, None if there are none."""
    query = select(func.length(features.c.vector)).where(features.c.vector_model == model)
    length: int | None = connection.scalar(query.where(features.c.vector.is_not(None)).limit(1))
    return length


EMBEDDER = "embedder"  # the fact


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderState:
    """The embedder last in use: its mark in the settings, its name, and why it makes no vectors if it makes none."""

    setting: str
    name: str | None = None
    trouble: str | None = None


def record_embedder(connection: Connection, embedding: EmbedderState | None) -> None:
    """Write down which embedder is in use, and what is wrong with it."""
    save_meta(connection, EMBEDDER, asdict(embedding) if embedding else None)


def recorded_embedder(connection: Connection) -> EmbedderState | None:
    value = load_meta(connection, EMBEDDER)
    return EmbedderState(**value) if value else None


def embedder_name(connection: Connection, mark: str) -> str | None:
    """Return the name of the embedder that is set, None if it has not been asked yet."""
    noted = recorded_embedder(connection)
    return noted.name if noted is not None and noted.setting == mark else None


def has_backlog(connection: Connection, *, version: str, setting: str | None) -> bool:
    """Whether features are of another version, or lack what the embedder of `setting` makes; None for no embedder."""
    noted = recorded_embedder(connection)
    if setting != (noted.setting if noted else None) or (noted and (noted.name is None or noted.trouble)):
        return True
    conditions = [has_old_version(version)]  # one by one: each has an index of its own
    if noted is not None:
        conditions.append(lacks_vector(noted.name))
    queries = (select(features.c.article_id).where(condition).limit(1) for condition in conditions)
    return any(connection.execute(query).first() is not None for query in queries)


def lacks_vector(model: str | None) -> ColumnElement[bool]:
    """
    Return the condition that an article has no vector of `model`, and was not refused by it.

    None stands for a model whose name nobody knows yet: no article is known to have a vector of it.
    """
    column = features.c.vector_model
    return true() if model is None else or_(column.is_(None), differs_from(column, model))


def has_old_version(version: str) -> ColumnElement[bool]:
    return differs_from(features.c.version, version)


def differs_from(column: Column[Any], value: str) -> ColumnElement[bool]:
    """Return the condition that `column` holds something else than `value`: two ranges, which an index can find."""
    return or_(column < value, column > value)
