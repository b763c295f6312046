"""Translations in the store, by a hash of their model and original: an edition made again says the same."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from digests.store.schema import translations
from watcher.store.retention import BatchResult
from watcher.store.sql import insert


def translation_key(model: str, target: str, text: str) -> str:
    """
    Return the key of a text's translation into the language `target`.

    `model` changes with the model's version, so that a new one translates anew.
    """
    return hashlib.blake2b(f"{model}\0{target}\0{text}".encode(), digest_size=16).hexdigest()


def load_translation(connection: Connection, key: str) -> str | None:
    """Return the translation that is stored under `key`; None if there is none."""
    text: str | None = connection.scalar(select(translations.c.text).where(translations.c.key == key))
    return text


def save_translations(connection: Connection, texts: Mapping[str, str], *, now: datetime) -> None:
    """Store translations by their keys; those that are there already stay."""
    rows = [{"key": key, "text": text, "made_at": now} for key, text in texts.items()]
    connection.execute(insert(connection, translations).on_conflict_do_nothing(), rows)


def drop_translations(connection: Connection, _after: object, limit: int, *, before: datetime) -> BatchResult:
    """
    Delete up to `limit` translations that were made before a time.

    An edition that is made again after that has them translated again.
    """
    old = select(translations.c.key).where(translations.c.made_at < before).limit(limit)
    removed = connection.execute(delete(translations).where(translations.c.key.in_(old))).rowcount
    return BatchResult(removed=removed, resume_after=before if removed == limit else None)
