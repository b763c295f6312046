"""Articles as JSON lines: written out of a store, and read back from anybody. docs/store.md names the fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, or_, select

from watcher.model import Article, Removed
from watcher.store.articles import article_of
from watcher.store.schema import articles, feeds, has_text, texts
from watcher.text.urls import article_id, hide_secrets, host_of, is_web, normal
from watcher.text.wellformed import well_formed

T = TypeVar("T")
MAX_LINE_BYTES = 8 << 20
MAX_URL, MAX_TITLE, MAX_TEXT, MAX_WORDS = 4_000, 1_000, 1_000_000, 200  # characters
MAX_LIST = 200
ID = re.compile("[0-9a-f]{16}")
TAG = re.compile("[a-z]{2,3}")
COUNTRY = re.compile("[A-Z]{2}")
Place = tuple[datetime, str]  # when an article came in, and its id


def article_lines(
    connection: Connection, *, since: datetime | None, until: datetime | None, after: Place | None, most: int
) -> tuple[list[str], Place | None]:
    """
    Return up to `most` articles that came in during [since, until) as JSON lines, oldest first, and where to go on.

    Args:
        after: Where the call before ended; None at the beginning. Nothing to go on at: that was all.
    """
    query = (
        select(articles, texts, feeds.c.source_url)
        .join(texts, has_text)
        .outerjoin(feeds, feeds.c.id == articles.c.feed_id)
    )
    came, key = articles.c.fetched_at, articles.c.id
    if since is not None:
        query = query.where(came >= since)
    if until is not None:
        query = query.where(came < until)
    if after is not None:
        query = query.where(or_(came > after[0], and_(came == after[0], key > after[1])))
    rows = connection.execute(query.order_by(came, key).limit(most)).all()
    lines = [line_of(article_of(row), row.source_url) for row in rows]
    return lines, (rows[-1].fetched_at, rows[-1].id) if len(rows) == most else None


def line_of(article: Article, feed: str | None) -> str:
    """Return an article as a JSON line."""
    same = ("id", "url", "title", "text", "outlet", "language", "country", "section", "owner", "agency", "dateline")
    more = ("image", "kind", "from_feed", "feed_reason")
    values: dict[str, object] = {name: getattr(article, name) for name in (*same, *more)}
    values |= {
        "authors": list(article.authors),
        "truncated": article.is_truncated,
        "feed": hide_secrets(feed) if feed else None,
    }
    values |= {"published": article.published_at.isoformat(), "fetched": article.fetched_at.isoformat()}
    values["removed"] = [{"rule": cut.rule, "text": cut.text} for cut in article.removed]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def article_in(line: bytes, *, now: datetime) -> tuple[Article, str | None]:
    """
    Return the article of a JSON line, and the feed that it came from if that is named.

    `url`, `title` and `text` are needed; an article without dates was published and came in now.

    Raises:
        ValueError: In words, what is wrong with the line.
    """
    at = values_in(line)
    url = field(at, "url", web_url)
    title, text = field(at, "title", words(MAX_TITLE)), field(at, "text", words(MAX_TEXT))
    if not url or not title or not text:
        raise ValueError('expected "url", "title" and "text", none of them empty')
    fetched_at = min(field(at, "fetched", moment) or now, now)
    short = words(MAX_WORDS)
    article = Article(
        id=field(at, "id", matching(ID, "16 hex digits")) or article_id(normal(url)),
        url=url,
        host=host_of(url),
        outlet=field(at, "outlet", short) or host_of(url),
        title=title,
        text=text,
        language=field(at, "language", matching(TAG, 'a language tag such as "fr"')) or "und",
        country=field(at, "country", matching(COUNTRY, 'a country code such as "FR"')),
        published_at=min(field(at, "published", moment) or fetched_at, now),
        fetched_at=fetched_at,
        authors=tuple(filter(None, (short(one) for one in field(at, "authors", listed) or ()))),
        image=field(at, "image", web_url),
        kind=field(at, "kind", short) or "article",
        from_feed=field(at, "from_feed", flag) or False,
        is_truncated=field(at, "truncated", flag) or False,
        removed=tuple(removed(one) for one in field(at, "removed", listed) or ()),
        **{name: field(at, name, short) for name in ("section", "owner", "agency", "dateline", "feed_reason")},
    )
    return article, field(at, "feed", words(MAX_URL))


def values_in(line: bytes) -> dict[str, Any]:
    """Return the object of a JSON line. Raises ValueError."""
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"longer than {MAX_LINE_BYTES >> 20} MiB")
    try:
        at = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(at, dict):
        raise ValueError("not a JSON object")
    return at


def field(at: dict[str, Any], name: str, read: Callable[[object], T | None]) -> T | None:
    """Return a field as `read` reads it, None if it is not there. Raises ValueError with its name."""
    value = at.get(name)
    if value is None:
        return None
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f'"{name}": {error}') from error


def words(most: int) -> Callable[[object], str]:
    """Return what reads a text of up to `most` characters."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("expected text")
        if len(value) > most:
            raise ValueError(f"longer than {most} characters")
        return well_formed(value).strip()

    return read


def web_url(value: object) -> str:
    """Return the address of a page."""
    url = words(MAX_URL)(value)
    if url and not is_web(url):
        raise ValueError("expected an address that begins with https:// or http://")
    return url


def matching(pattern: re.Pattern[str], expected: str) -> Callable[[object], str | None]:
    """Return what reads a text that matches a pattern."""

    def read(value: object) -> str | None:
        text = words(MAX_WORDS)(value)
        if text in ("", "und"):
            return None
        if not pattern.fullmatch(text):
            raise ValueError(f"expected {expected}")
        return text

    return read


def moment(value: object) -> datetime:
    """Return a moment; one without a zone is UTC."""
    try:
        at = datetime.fromisoformat(words(MAX_WORDS)(value))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError('expected a time such as "2026-11-24T06:30:00Z"') from error


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def listed(value: object) -> list[object]:
    """Return a list."""
    if not isinstance(value, list) or len(value) > MAX_LIST:
        raise ValueError(f"expected a list of up to {MAX_LIST}")
    return value


def removed(value: object) -> Removed:
    """Return a text that was cut."""
    if not isinstance(value, dict):
        raise ValueError('"removed": expected objects with "rule" and "text"')
    return Removed(rule=words(MAX_WORDS)(value.get("rule")), text=words(MAX_TEXT)(value.get("text")))


def bounded_lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the lines that `read` (of a file: `readline`) brings; of one that is too long, only its beginning."""
    while line := read(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = read(MAX_LINE_BYTES + 1)
