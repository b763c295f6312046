"""
Print what of the expectations that come with public feed tests our reading of the feeds keeps.

Two kinds are read: feedparser's tests (`Expect:` with a Python comparison in the feed's first comment) and gofeed's (a
JSON file beside the feed). Compared is what both they and a ParsedFeed have a word for: titles, links, identities,
dates, summaries, contents, authors, language. Texts are compared as a reader sees them.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from watcher.errors import FeedError
from watcher.feeds.html_text import html_to_text
from watcher.feeds.parse import parse_feed
from watcher.model import Entry, ParsedFeed
from watcher.text.encoding import decode_feed
from watcher.text.plain_text import to_one_line
from watcher.text.timestamps import parse_timestamp

PLACE = "http://127.0.0.1:8097/tests/"  # where feedparser's own tests serve their files
NOW = datetime(2026, 11, 25, tzinfo=UTC)
EXPECT = re.compile(r"Expect:\s*(.+?)\s*(?:\n\s*(?:Header|Description|-->)|-->|$)", re.DOTALL)
HEADER = re.compile(r"Header:\s*([A-Za-z-]+):\s*(\S[^\n]*)")
FRAME = re.compile(rb"(?:<|&lt;)(?:iframe|object)", re.IGNORECASE)
FILM = re.compile(rb"type=.(?:video|audio|image)/")
OLD_ANGLES = str.maketrans("\u2329\u232a\u3008\u3009", "\u27e8\u27e9\u27e8\u27e9")

# What feedparser and gofeed call a field -> what a ParsedFeed or an Entry has for it.
FIELDS = {
    "title": "title", "title_detail.value": "title", "link": "link", "id": "guid", "guid": "guid", "guid.value": "guid",
    "summary": "summary", "summary.value": "summary", "description": "summary", "summary_detail.value": "summary",
    "content": "content", "content.value": "content", "content.0.value": "content",
    "published_parsed": "published", "publishedParsed": "published", "pubDateParsed": "published",
    "updated_parsed": "updated", "updatedParsed": "updated", "modified_parsed": "updated", "date_parsed": "updated",
    "author_detail.name": "author", "authors.0.name": "author", "author.name": "author",
    "language": "language", "updated": "updated",
    "modified": "updated", "date": "updated", "published": "published", "issued": "published",
    "updated_parsed.0": "updated",
}  # fmt: skip
OF_FEED = frozenset(("title", "link", "language"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a test says of one field: of the feed where `entry` is None."""

    entry: int | None
    field: str
    value: Any


def main() -> None:
    """Print the figures."""
    settings = argparse.ArgumentParser(description=__doc__)
    settings.add_argument("folder", type=Path)
    settings.add_argument("--show", type=int, default=3, help="disagreements to show of each class")
    given = settings.parse_args()
    files = sorted(path for path in given.folder.rglob("*") if path.is_file())
    counted, classes = Counter[str](), Counter[str]()
    slowest = (0.0, "")
    for path in files:
        body = path.read_bytes()
        said = comment_of(body)
        url, content_type = served_as(path.relative_to(given.folder), said)
        started = time.process_time()
        try:
            feed: ParsedFeed | FeedError = parse_feed(body, url=url, content_type=content_type, now=NOW)
        except FeedError as error:
            feed = error
        except Exception as error:  # noqa: BLE001 - what this looks for
            counted["crashes"] += 1
            print("CRASH", path, repr(error))
            continue
        slowest = max(slowest, (time.process_time() - started, str(path)))
        counted["no feed, named"] += isinstance(feed, FeedError)
        for one in expectations(path, said):
            counted["compared"] += 1
            got = found(feed, one)
            if agrees(one, got):
                counted["agree"] += 1
                continue
            why = reason(one, got, feed, body)
            classes[why] += 1
            if classes[why] <= given.show:
                place = "feed" if one.entry is None else f"entry {one.entry}"
                print(f"{path.relative_to(given.folder)}: {place}, {one.field}: expected {one.value!r}, got {got!r}")
    print(f"files {len(files)}, crashes {counted['crashes']}, no feed and named so {counted['no feed, named']}")
    print(f"slowest {slowest[0] * 1e3:.0f} ms: {slowest[1]}")
    share = counted["agree"] / max(counted["compared"], 1)
    print(f"expectations compared {counted['compared']}, agree {counted['agree']} ({share:.2%})")
    for why, count in classes.most_common():
        print(f"  {count:4} {why}")


def comment_of(body: bytes) -> str:
    """Return the comment that a test begins with, or nothing."""
    found = re.search(r"<!--(.*?)-->", decode_feed(body[:20_000])[:5_000], re.DOTALL)
    return found.group(1) if found else ""


def served_as(path: Path, said: str) -> tuple[str, str | None]:
    """Return the URL and the content type under which a test is read."""
    headers = {name.lower(): value.strip() for name, value in HEADER.findall(said)}
    place = PLACE + "/".join(path.parts[1:])
    told = urljoin(place, headers.get("content-location", ""))
    return (told if told.startswith(("http://", "https://")) else place), headers.get("content-type")


def expectations(path: Path, said: str) -> Iterator[Expected]:
    """Yield what a file's test says of the fields that we have too."""
    stated = EXPECT.search(said)
    if stated:
        yield from from_expression(stated.group(1))
    beside = path.with_suffix(".json")
    if path.suffix == ".xml" and beside.exists():
        yield from from_json(json.loads(beside.read_text(encoding="utf-8")))


def from_expression(text: str) -> Iterator[Expected]:
    """Yield what a Python expression compares: `entries[0]['title'] == 'x' and feed.link == 'y'`."""
    try:
        tree = ast.parse(" ".join(text.split()), mode="eval").body
    except SyntaxError:
        return
    for part in tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]:
        if isinstance(part, ast.Compare) and len(part.ops) == 1 and isinstance(part.ops[0], ast.Eq):
            try:
                yield from known(steps(part.left), ast.literal_eval(part.comparators[0]))
            except ValueError:
                continue


def steps(node: ast.expr) -> list[str]:
    """Return the names and numbers by which an expression goes down: feed, title_detail, value."""
    if isinstance(node, ast.Subscript):
        return [*steps(node.value), str(ast.literal_eval(node.slice))]
    if isinstance(node, ast.Attribute):
        return [*steps(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else []


def known(way: list[str], value: object) -> Iterator[Expected]:
    """Yield the expectation that a way down to a value is, if we have the field."""
    if len(way) > 1 and way[0] in ("feed", "channel"):
        field = FIELDS.get(".".join(way[1:]))
        if field in OF_FEED:
            yield Expected(entry=None, field=field, value=value)
    elif len(way) > 2 and way[0] in ("entries", "items") and way[1].isdecimal():
        field = FIELDS.get(".".join(way[2:]))
        if field:
            yield Expected(entry=int(way[1]), field=field, value=value)


def from_json(told: dict[str, Any]) -> Iterator[Expected]:
    """Yield what gofeed's JSON says of a feed and of its entries."""
    for way, value in leaves(told, ["feed"]):
        yield from known(way, value)
    rows = told.get("items") or told.get("entries") or []
    yield Expected(entry=None, field="entries", value=len(rows))
    for number, row in enumerate(rows):
        for way, value in leaves(row, ["entries", str(number)]):
            yield from known(way, value)


def leaves(value: object, way: list[str]) -> Iterator[tuple[list[str], object]]:
    """Yield each text in a tree of JSON with the way down to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, [*way, key])
    elif isinstance(value, list):
        if value:
            yield from leaves(value[0], [*way, "0"])
    elif isinstance(value, str):
        yield way, value


def found(feed: ParsedFeed | FeedError, one: Expected) -> Any:  # noqa: ANN401 - as the expectation's value
    """Return what we have for an expectation, as it comes."""
    if isinstance(feed, FeedError):
        return str(feed.reason)
    if one.field == "entries":
        return len(feed.entries)
    if one.entry is None:
        return getattr(feed, one.field)
    if one.entry >= len(feed.entries):
        return None
    return of_entry(feed.entries[one.entry], one.field)


def of_entry(entry: Entry, field: str) -> Any:  # noqa: ANN401
    """Return an entry's field."""
    match field:
        case "link":
            return entry.url
        case "published" | "updated":
            return entry.published_at if field == "published" else entry.updated_at
        case "author":
            return entry.authors[0] if entry.authors else None
        case "content" | "summary":
            return entry.text or entry.summary if field == "content" else entry.summary or entry.text
    return getattr(entry, field)


def agrees(one: Expected, got: Any) -> bool:  # noqa: ANN401
    """Whether what we have is what is expected, as a reader sees it."""
    if one.field in ("published", "updated"):
        return got == moment_of(one.value)
    if not isinstance(one.value, str):
        return bool(got == one.value)
    wanted = one.value.strip()
    if one.field in ("link", "guid", "language"):
        return (got or "") == wanted
    return to_one_line(got or "") in (
        to_one_line(wanted),
        to_one_line(html_to_text(wanted)),
        to_one_line(html_to_text(html_to_text(wanted))),
    )


def moment_of(value: Any) -> datetime | None:  # noqa: ANN401
    """Return the date in a tuple of feedparser's or a text of gofeed's."""
    if isinstance(value, tuple):
        return datetime(*value[:6], tzinfo=UTC)
    return parse_timestamp(value) if isinstance(value, str) else None


def reason(one: Expected, got: Any, feed: ParsedFeed | FeedError, body: bytes) -> str:  # noqa: ANN401
    """Return why we say something else, in words."""
    if isinstance(feed, FeedError):
        return f"to us no feed: {feed.reason}"
    wanted, ours = str(one.value), str(got or "")
    for holds, why in (
        (one.field == "guid" and wanted.endswith(ours), "an identity is kept as it stands, not joined to a place"),
        (b"<!ENTITY" in body and "&" in ours, "declared entities are never expanded"),
        (wanted.translate(OLD_ANGLES) == ours, "&lang; and &rang; are what HTML 5 says, not what HTML 4 said"),
        (FRAME.search(body) and html_to_text(wanted).startswith(ours), "what stands in a frame or object is no text"),
        (one.field == "content" and FILM.search(body), "a content that says it is no text is left out"),
        ("&amp" in ours, "feedparser's reader of broken XML spoils a feed's link that has an ampersand"),
        (one.field == "title" and "<" in ours, "a tag in a tag's attribute ends it"),
        ("\u20ac" in wanted, "one byte that is no UTF-8 does not make the others Windows-1252"),
        (one.field == "language", "an element closed by another's name is not read"),
    ):
        if holds:
            return why
    return "not explained"


if __name__ == "__main__":
    main()
