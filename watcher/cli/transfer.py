"""`watcher export` and `watcher import`: the stored articles as JSON lines, to anywhere and from anywhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

from typer import Argument, Option

from watcher.cli.app import DONE, PARTLY, Config, Json, examples, load_settings
from watcher.cli.moments import moment_of
from watcher.cli.output import print_json, print_lines, say
from watcher.errors import StoreError
from watcher.store.articles import NewArticle, add_articles
from watcher.store.engine import open_store
from watcher.store.feeds import feed_ids
from watcher.store.jsonl import article_in, article_lines, bounded_lines
from watcher.store.writer import Writer, read
from watcher.text.format import escape_control_characters
from watcher.text.urls import hide_secrets
from watcher.worker import tasks
from watcher.worker.process_pool import Pool

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.model import Article

AT_ONCE = 200  # articles read from the store in one go
CHUNK = 25  # articles that go to a worker process at a time
WORKERS = 2  # chunks at a time
LIMIT_S = 120.0
SHOWN = 20  # bad lines that are named


@examples("watcher export > articles.jsonl", "watcher export --since 7d | gzip > week.jsonl.gz")
def export(
    since: Annotated[str | None, Option("--since", help='That came in from then on: "7d", or a date.')] = None,
    until: Annotated[str | None, Option("--until", help='That came in before then: "1d", or a date.')] = None,
    config: Config = None,
) -> int:
    """
    Write the stored articles with their texts to standard output, a JSON object a line, oldest first.

    Dates are UTC. docs/store.md names the fields; `watcher import` reads them.
    """
    now = datetime.now(UTC)
    start, end = moment_of(since, option="--since", now=now), moment_of(until, option="--until", now=now)
    engine = open_store(load_settings(config).store.url, make=False)
    out = sys.stdout.buffer
    try:
        after = None
        while True:
            lines, after = read(engine, partial(article_lines, since=start, until=end, after=after, most=AT_ONCE))
            out.writelines(f"{escape_control_characters(line)}\n".encode() for line in lines)
            if after is None:
                break
    finally:
        engine.dispose()
    out.flush()
    return DONE


@examples("watcher import articles.jsonl", "zcat week.jsonl.gz | watcher import -")
def import_(
    file: Annotated[
        Path, Argument(metavar="FILE", help='JSON lines as watcher export writes them; "-": what is piped.')
    ],
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Put articles into the store that it does not hold, from JSON lines; doing it twice changes nothing.

    A line that cannot be read is named and left out; exit code 3 says that there were some.
    """
    engine = open_store(load_settings(config).store.url)
    try:
        with closing(open_file(file)) as stream:
            took = asyncio.run(bring_in(engine, stream, now=datetime.now(UTC)))
    finally:
        engine.dispose()
    for number, reason in took.faults[:SHOWN]:
        say(f"{file}:{number}: {reason}")
    if len(took.faults) > SHOWN:
        say(f"and {len(took.faults) - SHOWN} lines more")
    if json:
        faults = [{"line": number, "reason": reason} for number, reason in took.faults]
        print_json({"imported": took.new, "known": took.known, "faults": faults})
    else:
        print_lines([f"{took.new} articles imported, {took.known} known, {len(took.faults)} lines left out"])
    return PARTLY if took.faults else DONE


@dataclass(slots=True, kw_only=True)
class Took:
    """What an import did. `faults`: number and reason of each line that was left out."""

    new: int = 0
    known: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


def open_file(file: Path) -> BinaryIO:
    """Return the file, or what is piped. Errors: StoreError."""
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return file.open("rb")
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from error


async def bring_in(engine: Engine, stream: BinaryIO, *, now: datetime) -> Took:
    """Store the articles of JSON lines, their features made in worker processes. Errors: StoreError, WorkerFailed."""
    took = Took()
    given = articles_in(stream, took, now=now)
    writer, pool = Writer(engine), Pool()
    try:
        # An export names a feed without what is secret in its address.
        feeds = {hide_secrets(url): number for url, number in (await writer.read(feed_ids)).items()}

        async def some() -> None:
            while part := list(islice(given, CHUNK)):
                rows = tuple((one.id, one.title, one.text, one.language) for one, _ in part)
                packed = await pool.run(tasks.pack_features, rows, limit_s=LIMIT_S)
                arrivals = [
                    NewArticle(article=one, feed_id=feeds.get(hide_secrets(feed or ""), 0), packed=packed[one.id])
                    for one, feed in part
                ]
                added = await writer.do(partial(add_articles, given=arrivals))
                took.new += sum(added)
                took.known += len(added) - sum(added)

        await asyncio.gather(*(some() for _ in range(WORKERS)))
    finally:
        pool.close()
        writer.close()
    return took


def articles_in(stream: BinaryIO, took: Took, *, now: datetime) -> Iterator[tuple[Article, str | None]]:
    """Yield the articles of JSON lines with the feed of each; what cannot be read is noted."""
    for number, line in enumerate(bounded_lines(stream.readline), start=1):
        if not line.strip():
            continue
        try:
            yield article_in(line, now=now)
        except ValueError as error:
            took.faults.append((number, str(error)))
