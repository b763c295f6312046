"""`watcher backup`, `restore`, `move`, `export` and `import`: the store as a whole."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

from pydantic import ValidationError
from typer import Argument, Option

from watcher.cli.commands import DONE, FAILED, PARTLY
from watcher.cli.main import print_error
from watcher.cli.options import Config, Json, load_settings, parse_time_option, with_examples
from watcher.cli.output import format_bytes, print_json, print_lines, say
from watcher.errors import SettingsError, StoreError
from watcher.settings.models import StoreSettings, hide_password
from watcher.store.articles import NewArticle, add_articles
from watcher.store.backup import back_up, restore_target
from watcher.store.backup import restore as put_back
from watcher.store.copy import copy_store, open_both
from watcher.store.daemon_lock import hold_daemon_lock
from watcher.store.engine import connect, create_folder, load_schemas, open_store, refuse_missing, upgrade
from watcher.store.feeds import feed_ids
from watcher.store.jsonl import format_articles, parse_article, read_bounded_lines
from watcher.store.writer import Writer, read
from watcher.text.format import escape_control_characters
from watcher.text.urls import hide_secrets
from watcher.worker import tasks
from watcher.worker.process_pool import Pool

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.model import Article
    from watcher.store.copy import TableComparison


@with_examples("watcher backup /backups/watcher.db --force", "watcher backup /backups")
def backup(
    to: Annotated[Path, Argument(metavar="FILE", help="Where to; in a folder, under a name with date and time.")],
    force: Annotated[bool, Option("--force", help="Replace a file that is there.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Copy the store into a file, as it is now, while the daemon goes on. The file is there whole, or not at all.

    It holds articles, editions and what is known of the feeds; keep settings.toml beside it.
    """
    settings = load_settings(config)
    refuse_missing(settings.store.url)
    target = to / f"watcher-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.db" if to.is_dir() else to
    engine = connect(settings.store.url)
    try:
        copy = back_up(engine, target, force=force, tell=print_share)
    finally:
        engine.dispose()
    if json:
        print_json({"file": str(copy.path), "bytes": copy.size_bytes})
    else:
        print_lines([f"{copy.path}: {format_bytes(copy.size_bytes)}, checked"])
    return DONE


@with_examples("watcher restore /backups/watcher.db", "watcher restore /backups/watcher.db --force")
def restore(
    backup_file: Annotated[Path, Argument(metavar="FILE", help="A file that watcher backup has made.")],
    force: Annotated[bool, Option("--force", help="Replace a store that holds something.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Put a backup in the place of the store; what was there is kept beside it. The daemon has to be stopped.

    The backup is checked first: it has to be sound, and no newer than this Watcher; an older one is brought up to date.
    """
    settings = load_settings(config)
    create_folder(settings.store.url)
    engine = connect(settings.store.url)
    try:
        restore_target(engine, backup_file)  # before a daemon's mark, for which an empty database has no table
        with hold_daemon_lock(engine, now=datetime.now(UTC)) as mark:
            copy = put_back(engine, backup_file, schemas=load_schemas(), force=force)
            for schema in load_schemas():
                upgrade(engine, schema.scripts, version_table=schema.version_table)
            mark.record_stop(now=datetime.now(UTC))
    finally:
        engine.dispose()
    if json:
        print_json(
            {"store": str(copy.path), "bytes": copy.size_bytes, "kept": str(copy.previous) if copy.previous else None}
        )
    else:
        kept = f"; what was there is kept as {copy.previous}" if copy.previous else ""
        print_lines([f"{copy.path}: {format_bytes(copy.size_bytes)} restored{kept}"])
    return DONE


def print_share(share: float) -> None:
    """Say on a terminal how far the copy is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:4.0%} copied" + ("\r            \r" if share >= 1 else ""))


STEPS = {"copy": "copied", "compare": "compared", "index": "indexed"}
FORMS = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


@with_examples(
    "watcher move sqlite:////var/lib/watcher/watcher.db postgresql://watcher@db.example/watcher",
    "watcher move postgresql://watcher:env:DB_PASSWORD@db.example/watcher sqlite:///watcher.db",
)
def move_store(
    from_: Annotated[str, Argument(metavar="FROM", help=f"The store to move: {FORMS}.")],
    to: Annotated[str, Argument(metavar="TO", help="Where to: a new file, or an empty database.")],
    json: Json = False,
) -> int:
    """
    Move a store to PostgreSQL, or back to a file: everything in it, compared row by row at the end.

    End the daemon first, and change [store] url afterwards, as the last line says. The store it is moved from is only
    read, and stays until you remove it. Stopped or killed, the same command goes on where it was; nothing else opens
    the new store until all of it is there.
    """
    began = time.monotonic()
    schemas = load_schemas()
    ends = parse_store_url(from_, "FROM"), parse_store_url(to, "TO")
    with open_both(*ends, schemas) as (source, target), copy_progress() as tell:
        lines = copy_store(source, target, schemas, tell=tell)
    took_s = time.monotonic() - began
    if json:
        print_json(move_to_json(lines, ends, took_s))
    else:
        sys.stdout.write(format_table_counts(lines))
    if not all(line.is_same for line in lines):
        return report_differences(lines, ends)
    if not json:
        sys.stdout.write(print_next_steps(lines, ends, took_s))
    return DONE


def parse_store_url(said: str, name: str) -> str:
    """Return the address of a store as the settings take it. Errors: SettingsError."""
    try:
        return StoreSettings.model_validate({"url": said}).url
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        wrong = SettingsError((), f"{name}: {why}")
        wrong.mend = f"an address is {FORMS}"
        raise wrong from error


def report_differences(lines: Sequence[TableComparison], ends: tuple[str, str]) -> int:
    """Say which tables differ, and return the exit code of it."""
    names = ", ".join(line.table for line in lines if not line.is_same)
    error = StoreError(f"{names}: not the same in both stores; {redact_password(ends[1])} stays half-moved")
    error.mend = (
        f"has something written to {redact_password(ends[0])} meanwhile? End it, remove the new store, and move again"
    )
    print_error(error)
    return FAILED


def format_table_counts(lines: Sequence[TableComparison]) -> str:
    """Return what each table holds, a line each."""
    wide = max(len(line.table) for line in lines)
    told = []
    for line in lines:
        said = "same" if line.is_same else f"DIFFERENT: {line.to.rows:,} rows, {line.to.checksum}"
        told.append(f"{line.table:{wide}}  {line.from_.rows:>12,} rows  {line.from_.checksum}  {said}\n")
    return "".join(told)


def print_next_steps(lines: Sequence[TableComparison], ends: tuple[str, str], took_s: float) -> str:
    """Return what was done, and what is left to do."""
    rows = sum(line.from_.rows for line in lines)
    hidden = "" if redact_password(ends[1]) == ends[1] else ", with your password in it"
    return (
        f"{rows:,} rows moved and compared in {took_s:.0f} s\n"
        f'In settings.toml, set [store] url = "{redact_password(ends[1])}"{hidden}\n'
        f"{redact_password(ends[0])} is as it was, until you remove it.\n"
    )


def move_to_json(lines: Sequence[TableComparison], ends: tuple[str, str], took_s: float) -> dict[str, object]:
    """Return what was done, for `--json`."""
    tables = [
        {
            "table": line.table, "rows": line.from_.rows, "checksum": line.from_.checksum, "same": line.is_same,
            "to": {"rows": line.to.rows, "checksum": line.to.checksum},
        }
        for line in lines
    ]  # fmt: skip
    is_same = all(line.is_same for line in lines)
    return {
        "from": redact_password(ends[0]),
        "to": redact_password(ends[1]),
        "same": is_same,
        "rows": sum(line.from_.rows for line in lines),
        "took_s": round(took_s, 1),
        "tables": tables,
    }


def redact_password(address: str) -> str:
    """Return the address of a store without its password."""
    return hide_password(address)


@contextmanager
def copy_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that moves the bar of a step on: (step, rows done, rows in all). It shows on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda step, rows, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {step: progress.add_task(words, total=None, visible=False) for step, words in STEPS.items()}

        def advance(step: str, rows: int, total: int) -> None:
            progress.update(tasks[step], advance=rows, total=total, visible=True)

        yield advance


AT_ONCE = 200  # articles read from the store in one go
IMPORT_CHUNK = 25  # articles that go to a worker process at a time
IMPORT_WORKERS = 2  # chunks at a time
LIMIT_S = 120.0
BAD_LINES_SHOWN = 20  # bad lines that are named


@with_examples("watcher export > articles.jsonl", "watcher export --since 7d | gzip > week.jsonl.gz")
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
    start, end = (
        parse_time_option(since, option="--since", now=now),
        parse_time_option(until, option="--until", now=now),
    )
    engine = open_store(load_settings(config).store.url, create=False)
    out = sys.stdout.buffer
    try:
        after = None
        while True:
            lines, after = read(engine, partial(format_articles, since=start, until=end, after=after, most=AT_ONCE))
            out.writelines(f"{escape_control_characters(line)}\n".encode() for line in lines)
            if after is None:
                break
    finally:
        engine.dispose()
    out.flush()
    return DONE


@with_examples("watcher import articles.jsonl", "zcat week.jsonl.gz | watcher import -")
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
        with closing(open_input(file)) as stream:
            took = asyncio.run(import_lines(engine, stream, now=datetime.now(UTC)))
    finally:
        engine.dispose()
    for number, reason in took.faults[:BAD_LINES_SHOWN]:
        say(f"{file}:{number}: {reason}")
    if len(took.faults) > BAD_LINES_SHOWN:
        say(f"and {len(took.faults) - BAD_LINES_SHOWN} lines more")
    if json:
        faults = [{"line": number, "reason": reason} for number, reason in took.faults]
        print_json({"imported": took.new, "known": took.known, "faults": faults})
    else:
        print_lines([f"{took.new} articles imported, {took.known} known, {len(took.faults)} lines left out"])
    return PARTLY if took.faults else DONE


@dataclass(slots=True, kw_only=True)
class ImportSummary:
    """What an import did. `faults`: number and reason of each line that was left out."""

    new: int = 0
    known: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


def open_input(file: Path) -> BinaryIO:
    """Return the file, or what is piped. Errors: StoreError."""
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return file.open("rb")
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from error


async def import_lines(engine: Engine, stream: BinaryIO, *, now: datetime) -> ImportSummary:
    """Store the articles of JSON lines, their features made in worker processes. Errors: StoreError, WorkerFailed."""
    took = ImportSummary()
    given = read_articles(stream, took, now=now)
    writer, pool = Writer(engine), Pool()
    try:
        # An export names a feed without what is secret in its address.
        feeds = {hide_secrets(url): number for url, number in (await writer.read(feed_ids)).items()}

        async def some() -> None:
            while part := list(islice(given, IMPORT_CHUNK)):
                rows = tuple((one.id, one.title, one.text, one.language) for one, _ in part)
                packed = await pool.run(tasks.pack_features, rows, limit_s=LIMIT_S)
                arrivals = [
                    NewArticle(article=one, feed_id=feeds.get(hide_secrets(feed or ""), 0), packed=packed[one.id])
                    for one, feed in part
                ]
                added = await writer.do(partial(add_articles, given=arrivals))
                took.new += sum(added)
                took.known += len(added) - sum(added)

        await asyncio.gather(*(some() for _ in range(IMPORT_WORKERS)))
    finally:
        pool.close()
        writer.close()
    return took


def read_articles(stream: BinaryIO, took: ImportSummary, *, now: datetime) -> Iterator[tuple[Article, str | None]]:
    """Yield the articles of JSON lines with the feed of each; what cannot be read is noted."""
    for number, line in enumerate(read_bounded_lines(stream.readline), start=1):
        if not line.strip():
            continue
        try:
            yield parse_article(line, now=now)
        except ValueError as error:
            took.faults.append((number, str(error)))
