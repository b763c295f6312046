"""Features in the store: which articles have none of the embedder in use, or none of this version, and theirs to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from watcher.store.articles import Packed, unsqueeze
from watcher.store.days import of_days
from watcher.store.embedders import is_other, lacks_vector
from watcher.store.schema import articles, features, has_features, has_text, texts
from watcher.store.sql import chunked

SOME = 10_000  # articles that are looked at for their shares
Rows = tuple[tuple[str, str, str, str], ...]  # id, title, text, language


def without_vector(
    connection: Connection, *, model: str | None, most: int, since: datetime | None = None, share: str = ""
) -> Rows:
    """Return up to `most` articles without a vector of `model` (None: not known yet), newest first."""
    return newest(connection, lacks_vector(model), most=most, since=since, share=share)


def outdated(
    connection: Connection, *, version: str, most: int, since: datetime | None = None, share: str = ""
) -> Rows:
    """Return up to `most` articles whose features are of another version, newest first."""
    return newest(connection, is_other(features.c.version, version), most=most, since=since, share=share)


def shares_without_vector(connection: Connection, *, model: str | None) -> tuple[str, ...]:
    """Return the shares of articles of which some lack a vector of `model`."""
    return shares(connection, lacks_vector(model))


def shares_outdated(connection: Connection, *, version: str) -> tuple[str, ...]:
    """Return the shares of articles of which some have features of another version."""
    return shares(connection, is_other(features.c.version, version))


def shares(connection: Connection, condition: ColumnElement[bool]) -> tuple[str, ...]:
    """Return the first digits of the ids of articles whose features fulfil `condition`, ascending; of many, of some."""
    some = select(features.c.article_id.label("id")).where(condition).limit(SOME).subquery()
    return tuple(sorted(connection.scalars(select(func.substr(some.c.id, 1, 1)).distinct())))


def newest(
    connection: Connection, condition: ColumnElement[bool], *, most: int, since: datetime | None, share: str
) -> Rows:
    """
    Return the newest articles whose features fulfil `condition`. Where none do, only the index is read.

    Args:
        share: What the ids of the articles begin with.
    """
    if connection.execute(select(features.c.article_id).where(condition).limit(1)).first() is None:
        return ()
    waiting = select(articles.c.id).join(features, has_features).where(condition)
    if share:
        waiting = waiting.where(articles.c.id.startswith(share, autoescape=True))
    if since is not None:
        waiting = waiting.where(articles.c.published_at >= since)
    keys = connection.scalars(waiting.order_by(articles.c.published_at.desc(), articles.c.id).limit(most)).all()
    found: dict[str, tuple[str, str, str]] = {}
    for part in chunked(list(keys)):
        query = select(articles.c.id, articles.c.title, texts.c.text, articles.c.language)
        those = articles.c.id.in_(part)
        query = query.join(texts, has_text).where(those, of_days(connection, texts.c.day, those))
        found.update((key, (title, unsqueeze(text), told)) for key, title, text, told in connection.execute(query))
    return tuple((key, *found[key]) for key in keys if key in found)


def count_without_vector(connection: Connection, *, model: str | None) -> int:
    """Return how many articles wait for a vector of `model`."""
    return connection.execute(select(func.count()).select_from(features).where(lacks_vector(model))).scalar_one()


def count_outdated(connection: Connection, *, version: str) -> int:
    """Return how many articles wait for features of `version`."""
    other = is_other(features.c.version, version)
    return connection.execute(select(func.count()).select_from(features).where(other)).scalar_one()


def set_vectors(connection: Connection, vectors: Mapping[str, bytes | None], *, model: str) -> None:
    """Keep the vectors that an embedder made; None for a text that it refused, which is not given to it again."""
    for key, vector in vectors.items():
        connection.execute(update(features).where(*is_of(connection, key)).values(vector=vector, vector_model=model))


def set_features(connection: Connection, made: Mapping[str, Packed]) -> None:
    """Keep features made anew; the vectors beside them stay."""
    for key, packed in made.items():
        values = {"version": packed.version, "payload": packed.payload}
        connection.execute(update(features).where(*is_of(connection, key)).values(values))


def is_of(connection: Connection, key: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that name the features of an article."""
    return features.c.article_id == key, of_days(connection, features.c.day, articles.c.id == key)


def vector_bytes(connection: Connection, *, model: str) -> int | None:
    """Return the length of the vectors that are kept of `model`, None if there are none."""
    query = (
        select(func.length(features.c.vector))
        .where(features.c.vector_model == model, features.c.vector.is_not(None))
        .limit(1)
    )
    length: int | None = connection.scalar(query)
    return length
