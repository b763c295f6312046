"""What the reader keeps: stories and articles with tags and a note, found again whatever happens to the stories."""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from digests.errors import DigestError
from digests.model.kept_item import ARTICLE, STORY, KeptItem, Mark
from digests.render.escape import sanitize_line, sanitize_lines
from digests.store import marks as store
from digests.store.story_rows import resolve_merged, story_members
from digests.stories.history import look_up_article, resolve_story
from watcher.model import Article
from watcher.store.articles import article_leads, articles_by_id
from watcher.text.language import UNKNOWN_LANGUAGE
from watcher.text.search_query import matches, parse_query

SIGNATURE_CHARS = 32  # hex digits, 128 bits
MAX_TAGS, TAG_CHARS, NOTE_CHARS = 30, 60, 10_000
TITLE_CHARS, OUTLET_CHARS = 300, 100
KEPT_LEAD_CHARS = 1  # of the text of a report, of which only the headline is shown


def keep(
    connection: Connection,
    wanted: str,
    *,
    tags: Sequence[str] | None = None,
    note: str | None = None,
    now: datetime,
) -> tuple[KeptItem, bool]:
    """
    Keep a story or an article; return it, and whether it was not kept before.

    `wanted` is the id or URL of an article, or what `resolve_story` takes. Tags and note stay as they were if they are
    None. Errors: as `resolve_story`; DigestError, if there are too many tags or the note is too long.
    """
    item, is_kept = find_item(connection, wanted, now=now)
    if tags is not None:
        item = replace(item, tags=_clean_tags(tags))
    if note is not None:
        if len(note) > NOTE_CHARS:
            raise DigestError(f"the note has {len(note):,} characters, expected at most {NOTE_CHARS:,}")
        item = replace(item, note=sanitize_lines(note))
    store.save_mark(connection, item)
    return item, not is_kept


def unkeep(connection: Connection, wanted: str) -> tuple[KeptItem, bool]:
    """Keep a story or an article no longer; return it, and whether it was kept. Errors: as `resolve_story`."""
    item, is_kept = find_item(connection, wanted, now=datetime.min.replace(tzinfo=UTC))
    store.delete_marks(connection, store.marks_of(connection, item.kind, item.id))
    return item, is_kept


def find_item(connection: Connection, wanted: str, *, now: datetime) -> tuple[KeptItem, bool]:
    """
    Return what a reader names, and whether it is kept; if it is not, its mark is a new one, which is not saved.

    Errors: as `resolve_story`.
    """
    name = wanted.strip()
    article = look_up_article(connection, name) or look_up_article(connection, name.rpartition("/article/")[2])
    kind, key = (ARTICLE, article.id) if article else (STORY, resolve_story(connection, wanted)[1].id)
    mark = find_mark(connection, kind, key)
    (item,) = _load_items(connection, (mark or Mark(kind=kind, key=key, kept_at=now),))
    return item, mark is not None


def find_mark(connection: Connection, kind: str, key: str) -> Mark | None:
    """Return the mark of an article or of a story as it is now; the first one, if a join brought several."""
    return next(iter(store.marks_of(connection, kind, key)), None)


def load_kept(connection: Connection, *, words: str = "", tag: str = "") -> tuple[KeptItem, ...]:
    """Return what is kept, the newest mark first: with a tag, or with words in title, tags, note or text if given."""
    query = parse_query(words)
    wanted = [mark for mark in store.load_marks(connection) if not tag or tag in mark.tags]
    items = _load_items(connection, wanted)
    return tuple(item for item in items if not query.groups or matches(query, _searched_text(item)))


def _searched_text(item: KeptItem) -> str:
    text = item.article.text if item.article else ""
    return "\n".join((item.title, *item.tags, item.note, item.outlet, text))


def load_reports(connection: Connection, item: KeptItem) -> list[Article]:
    """Return a kept article, or the reports of a story without most of their texts, the first ones first."""
    if item.article:
        return [item.article]
    ids = {member.report for member in story_members(connection, item.id)}
    reports = article_leads(connection, ids, chars=KEPT_LEAD_CHARS).values()
    return sorted(reports, key=lambda report: (report.published_at, report.id))


def sign_story(key: str, story: str) -> str:
    """Return the signature of the link in a mail that keeps a story without the token of the site."""
    return hmac.digest(key.encode(), f"keep {story}".encode(), "sha256").hex()[:SIGNATURE_CHARS]


def _load_items(connection: Connection, wanted: Sequence[Mark]) -> Iterator[KeptItem]:
    """Yield the kept items of these marks, with what the store now has of each story or article."""
    articles = articles_by_id(connection, [mark.key for mark in wanted if mark.kind == ARTICLE])
    for mark in wanted:
        article = articles.get(mark.key)
        story = None if article else resolve_merged(connection, mark.key)
        known = article or story
        yield KeptItem(
            **asdict(mark),
            id=known.id if known else mark.key,
            title=sanitize_line(known.title if known else "", limit=TITLE_CHARS) or "Untitled",
            outlet=sanitize_line(article.outlet if article else "", limit=OUTLET_CHARS),
            language=known.language if known else UNKNOWN_LANGUAGE,
            at=article.published_at if article else story.last_at if story else mark.kept_at,
            article=article,
        )


def _clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags in one line each, once each, without "#". Errors: DigestError."""
    lines = (sanitize_line(tag, limit=TAG_CHARS + 1).lstrip("#").strip() for tag in tags)
    found = tuple(dict.fromkeys(filter(None, lines)))
    if len(found) > MAX_TAGS or any(len(tag) > TAG_CHARS for tag in found):
        raise DigestError(f"expected at most {MAX_TAGS} tags of at most {TAG_CHARS} characters")
    return found
