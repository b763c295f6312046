"""The marks of stories and articles that the reader keeps, and the pins that keep their articles from retention."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, delete, exists, or_, select, tuple_

from digests.model.kept_item import ARTICLE, STORY, Mark
from digests.store.schema import marks, stories
from digests.store.story_rows import resolve_merged, story_members
from watcher.store.articles import pin, unpin
from watcher.store.sql import insert, load_meta, load_records, save_meta

LINK_KEY = "keep_link_key"  # in `meta`: what signs the links in mails that keep a story


def save_mark(connection: Connection, mark: Mark) -> None:
    """Save a mark, or the tags and the note of one that is there, and keep its articles from retention."""
    query = insert(connection, marks).values({column.name: getattr(mark, column.name) for column in marks.c})
    changed = {"tags": query.excluded.tags, "note": query.excluded.note}
    connection.execute(query.on_conflict_do_update(index_elements=["kind", "key"], set_=changed))
    _pin_articles(connection, mark)


def pin_kept(connection: Connection) -> None:
    """Pin the articles that came into kept stories since they were kept."""
    for mark in load_marks(connection):
        if mark.kind == STORY:
            _pin_articles(connection, mark)


def delete_marks(connection: Connection, gone: Collection[Mark]) -> None:
    """Delete marks: retention may delete their articles from now on."""
    connection.execute(delete(marks).where(tuple_(marks.c.kind, marks.c.key).in_([(m.kind, m.key) for m in gone])))
    unpin(connection, [_pin_name(mark) for mark in gone])


def load_marks(connection: Connection) -> tuple[Mark, ...]:
    """Return all marks, the newest first."""
    return load_records(connection, select(marks).order_by(marks.c.kept_at.desc(), marks.c.kind, marks.c.key), Mark)


def marks_of(connection: Connection, kind: str, key: str) -> list[Mark]:
    """Return the mark of an article; of a story as it is now, those of all stories that became it, first to last."""
    merged = select(stories.c.id).where(stories.c.merged_into.is_not(None))
    query = select(marks).where(marks.c.kind == kind, or_(marks.c.key == key, marks.c.key.in_(merged)))
    found = load_records(connection, query.order_by(marks.c.kept_at, marks.c.key), Mark)
    return [mark for mark in found if kind == ARTICLE or _story_of(connection, mark) == key]


def is_marked() -> ColumnElement[bool]:
    """Whether a row of `stories` is that of a kept story."""
    return exists().where(marks.c.key == stories.c.id, marks.c.kind == STORY)


def load_link_key(connection: Connection) -> str:
    """Return the key that signs links of mails; "" until `save_link_key` has made one."""
    return load_meta(connection, LINK_KEY) or ""


def save_link_key(connection: Connection, key: str) -> None:
    """Save a key that signs links of mails, unless there is one."""
    if not load_link_key(connection):
        save_meta(connection, LINK_KEY, key)


def _pin_articles(connection: Connection, mark: Mark) -> None:
    """Keep a marked article, or those of a marked story, from retention."""
    ids = [mark.key]
    if mark.kind == STORY:
        ids = [member.article_id for member in story_members(connection, _story_of(connection, mark))]
    pin(connection, ids, pinned_by=_pin_name(mark))


def _story_of(connection: Connection, mark: Mark) -> str:
    """Return the id of the story that has the articles of a kept one now; "" if there is none."""
    row = resolve_merged(connection, mark.key)
    return row.id if row else ""


def _pin_name(mark: Mark) -> str:
    return f"mark {mark.kind} {mark.key}"
