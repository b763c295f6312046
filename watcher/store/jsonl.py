"""Articles as JSON lines: export and import. docs/guides/store.md describes the fields."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from sqlalchemy import Connection, and_, or_, select
from typing_extensions import TypedDict

from watcher.failure_messages import Reason
from watcher.model import Article, RemovedBlock
from watcher.store.articles import article_from_row
from watcher.store.schema import articles, feeds, has_text, texts
from watcher.text.encoding import replace_surrogates
from watcher.text.page_kind import STORED_KINDS, classify_kind
from watcher.text.timestamps import parse_iso_time
from watcher.text.urls import article_id, hide_secrets, host_of, is_web, normalize_url

MAX_LINE_BYTES = 8 << 20
MAX_LIST = 200
MAX_REASON = 1_000  # characters of its sentence
Position = tuple[datetime, str]  # the `fetched_at` and the id of an article


def _clean_text(value: object) -> object:
    """Return a string stripped and without characters that no database stores; any other value unchanged."""
    return replace_surrogates(value).strip() if isinstance(value, str) else value


def _check_url(value: str) -> str:
    if value and not is_web(value) and not value.startswith("mid:"):
        raise ValueError(value)
    return value


def _to_reason(value: Any) -> Reason:  # noqa: ANN401 - any JSON
    """Return a reason from its JSON. Errors: ValueError."""
    try:
        reason = Reason.from_dict(value)
        if len(str(reason)) <= MAX_REASON:
            return reason
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("no reason") from error
    raise ValueError("too long")


Cleaned = BeforeValidator(_clean_text)
Short = Annotated[str, Field(max_length=200), Cleaned]
Long = Annotated[str, Field(max_length=1_000_000), Cleaned]
WebAddress = Annotated[str, Field(max_length=4_000), AfterValidator(_check_url), Cleaned]
Time = Annotated[datetime, BeforeValidator(lambda value: parse_iso_time(str(value)))]
KnownReason = Annotated[Any, BeforeValidator(_to_reason)]


class RemovedText(TypedDict):
    """A text that was removed from a page, and the rule that removed it."""

    rule: Short
    text: Long


def _line_name(field: str) -> str:
    """Return the key of a JSON line for a field of `Article`."""
    return {"is_truncated": "truncated", "published_at": "published", "fetched_at": "fetched"}.get(field, field)


@with_config(ConfigDict(strict=True, alias_generator=_line_name))
class ArticleLine(TypedDict, total=False):
    """The fields of a JSON line, in their order; other fields are ignored."""

    id: Annotated[str, Field(pattern="^([0-9a-f]{16})?$"), Cleaned]
    url: WebAddress
    title: Annotated[str, Field(max_length=1_000), Cleaned]
    text: Long
    outlet: Short
    language: Annotated[str, Field(pattern="^([a-z]{2,3})?$"), Cleaned]
    country: Annotated[str, Field(pattern="^([A-Z]{2})?$"), Cleaned]
    section: Short
    owner: Short
    via: Short
    agency: Short
    dateline: Short
    image: WebAddress
    kind: Annotated[str, Field(pattern=f"^({'|'.join(sorted(STORED_KINDS))})?$"), Cleaned]
    from_feed: bool
    authors: Annotated[list[Short], Field(max_length=MAX_LIST)]
    feed_reason: KnownReason
    is_truncated: bool
    feed: Annotated[str, Field(max_length=4_000), Cleaned]
    published_at: Time
    fetched_at: Time
    removed: Annotated[list[RemovedText], Field(max_length=MAX_LIST)]


LINE = TypeAdapter(ArticleLine)
# What an error message says was expected, by the kind of the fault, else by the field.
EXPECTED = dict.fromkeys(("url", "image"), "an address that starts with https:// or http://")
EXPECTED |= dict.fromkeys(("published", "fetched"), 'a time such as "2026-11-24T06:30:00Z"')
EXPECTED |= dict.fromkeys(("list_type", "too_long"), f"a list of up to {MAX_LIST}")
EXPECTED |= dict.fromkeys(("string_type", "missing"), "text")
EXPECTED |= {"feed_reason": "a kind of reason with its values"}
EXPECTED |= {"id": "16 hex digits", "bool_type": "true or false", "dict_type": 'objects with "rule" and "text"'}
EXPECTED |= {"kind": f"one of {', '.join(sorted(STORED_KINDS))}"}
EXPECTED |= {"language": 'a language tag such as "fr"', "country": 'a country code such as "FR"'}


def format_articles(
    connection: Connection, *, since: datetime | None, until: datetime | None, after: Position | None, limit: int
) -> tuple[list[str], Position | None]:
    """
    Return up to `limit` articles fetched in [since, until) as JSON lines, oldest first, and the position of the last.

    Pass that position as `after` to get the next articles; it is None if there are no more.
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
    rows = connection.execute(query.order_by(came, key).limit(limit)).all()
    lines = [_format_article(article_from_row(row), row.source_url) for row in rows]
    return lines, (rows[-1].fetched_at, rows[-1].id) if len(rows) == limit else None


def _format_article(article: Article, feed: str | None) -> str:
    values = {_line_name(name): getattr(article, name, None) for name in ArticleLine.__annotations__}
    values["feed"] = hide_secrets(feed) if feed else None
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=to_json)


def to_json(value: datetime | Reason | RemovedBlock) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.to_dict() if isinstance(value, Reason) else asdict(value)


def parse_article(line: bytes, *, now: datetime) -> tuple[Article, str | None]:
    """
    Return the article of a JSON line, and the URL of its feed, None if the line has none.

    Defaults: fetched `now`, published when fetched; future times become `now`. Raises ValueError with a message.
    """
    try:
        line_values = {name: value for name, value in _parse_object(line).items() if value is not None}
        row = LINE.validate_python(line_values)
    except ValidationError as error:
        raise ValueError(describe_fault(error)) from error
    values_of_row: dict[str, Any] = {**row}
    if not all(values_of_row.get(name) for name in ("url", "title")):
        raise ValueError('expected "url" and "title", none of them empty')
    values_of_row.setdefault("text", "")
    url, feed = values_of_row["url"], values_of_row.pop("feed", None)
    values_of_row["fetched_at"] = min(values_of_row.get("fetched_at", now), now)
    values_of_row["published_at"] = min(values_of_row.get("published_at", values_of_row["fetched_at"]), now)
    values_of_row["authors"] = tuple(filter(None, values_of_row.get("authors", ())))
    values_of_row["removed"] = tuple(RemovedBlock(**cut) for cut in values_of_row.get("removed", ()))
    host = host_of(url)
    defaults = {"id": article_id(normalize_url(url)), "outlet": host, "language": "und"}
    values_of_row |= {name: values_of_row.get(name) or default for name, default in defaults.items()}
    values_of_row["kind"] = values_of_row.get("kind") or classify_kind(
        values_of_row["title"], url=url, text=values_of_row["text"]
    )
    values_of_row["country"] = values_of_row.get("country") or None
    return Article(**values_of_row, host=host), feed


def _parse_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line. Errors: ValueError."""
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"longer than {MAX_LINE_BYTES >> 20} MiB")
    try:
        parsed = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")
    return parsed


def describe_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    name, kind = str(fault["loc"][0]), fault["type"]
    if kind == "string_too_long":
        return f'"{name}": longer than {fault["ctx"]["max_length"]} characters'
    return f'"{name}": expected {EXPECTED.get(kind) or EXPECTED[name]}'


def read_bounded_lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the lines that `read` (a file's `readline`) returns; of longer lines only `MAX_LINE_BYTES` + 1 bytes."""
    while line := read(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = read(MAX_LINE_BYTES + 1)
