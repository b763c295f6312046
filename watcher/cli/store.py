"""`watcher backup`, `restore`, `move`, `export` and `import`: commands on the whole store."""

import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import ValidationError
from sqlalchemy import Engine
from typer import Argument, Option

from watcher.cli.clean import BadLine
from watcher.cli.commands import DONE, FAILED, PARTLY
from watcher.cli.main import print_error
from watcher.cli.options import Config, Json, closing_store, load_settings, parse_time_option
from watcher.cli.output import format_bytes, print_err, print_lines, print_result, progress_bars
from watcher.errors import SettingsError, StoreError
from watcher.model import Article
from watcher.settings.models import StoreSettings, hide_password
from watcher.store.articles import NewArticle, add_articles
from watcher.store.backup import back_up, restore_target
from watcher.store.backup import restore as put_back
from watcher.store.copy import TableComparison, copy_store, lock_store, open_both
from watcher.store.engine import connect, create_folder, load_schemas, open_store, refuse_missing, upgrade
from watcher.store.feeds import claim_store, feed_ids
from watcher.store.jsonl import format_articles, parse_article, read_bounded_lines
from watcher.store.writer import Writer, read
from watcher.text.format import escape_control_characters, format_count
from watcher.text.language import UNKNOWN_LANGUAGE
from watcher.text.urls import hide_secrets
from watcher.worker import tasks
from watcher.worker.process_pool import Pool

STEPS = {"copy": "copied", "compare": "compared", "index": "indexed"}  # steps of a move: labels of their progress bars
STORE_URL_FORMS = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
EXPORT_CHUNK = 200  # articles in one read from the store
IMPORT_CHUNK = 25  # articles in one task of a worker process
IMPORT_WORKERS = 2  # chunks processed in parallel
IMPORT_LIMIT_S = 120.0  # time limit for one chunk
BAD_LINES_SHOWN = 20


def backup(
    to: Annotated[str, Argument(metavar="FILE", help="File to write, or a folder; the file is then named by date.")],
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Copy the store, as it is now, into a file; the daemon keeps running. An incomplete file is never left behind.

    The backup has the articles, the editions and the state of the feeds. Keep your settings.toml with it.
    """
    url = load_settings(config).store.url
    refuse_missing(url)
    target = Path(to)
    if to.endswith("/") or target.is_dir():
        target /= f"watcher-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.db"
    with closing_store(connect(url)) as engine:
        back_up(engine, target, force=force, tell=_print_share)
    size = target.stat().st_size
    print_result({"file": target, "bytes": size}, [f"{target}: {format_bytes(size)}, checked"], json=json)


def restore(
    backup_file: Annotated[Path, Argument(metavar="FILE", help="A file that watcher backup wrote.")],
    force: Annotated[bool, Option("--force", help="Needed if the store is not empty.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Replace the store with a backup; the old store is kept in the same folder. Stop the daemon first.

    The backup is checked first: it must be intact, and not from a newer version of Watcher. An older one is upgraded.
    """
    settings = load_settings(config)
    url = settings.store.url
    create_folder(url)
    with closing_store(connect(url)) as engine:
        store = restore_target(engine, backup_file)  # before the lock, for which an empty database has no table
        with lock_store(engine):
            previous = put_back(engine, backup_file, schemas=load_schemas(), force=force)
            size = store.stat().st_size
            for schema in load_schemas():
                upgrade(engine, schema)
            claim_store(engine, settings, take_over=True)
    beside = f"; the old store is kept as {previous}" if previous else ""
    lines = [f"{store}: {format_bytes(size)} restored{beside}"]
    print_result({"store": store, "bytes": size, "kept": previous}, lines, json=json)


def _print_share(share: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:4.0%} copied" + ("\r            \r" if share >= 1 else ""))


def move(
    from_: Annotated[str, Argument(metavar="FROM", help=f"The store to move: {STORE_URL_FORMS}.")],
    to: Annotated[str, Argument(metavar="TO", help="The new store: a new file, or an empty PostgreSQL database.")],
    json: Json = False,
) -> int:
    """
    Move a store to PostgreSQL, or back to a file. Every row is copied, and compared at the end.

    Stop the daemon first, and change [store] url afterwards, as the last line of the output says. The old store is
    only read, and stays until you remove it. If the command is interrupted, run it again: the new store stays empty
    until everything is copied.
    """
    started = time.monotonic()
    schemas = load_schemas()
    source_url, target_url = _parse_store_url(from_, "FROM"), _parse_store_url(to, "TO")
    with open_both(source_url, target_url, schemas) as (source, target), progress_bars(STEPS) as advance:
        tables = copy_store(source, target, schemas, tell=advance)
    took_s = time.monotonic() - started
    source_name, target_name = hide_password(source_url), hide_password(target_url)
    rows = sum(table.from_.rows for table in tables)
    different = ", ".join(table.table for table in tables if not table.is_same)
    values: dict[str, object] = {"from": source_name, "to": target_name, "same": not different, "rows": rows}
    values["took_s"] = round(took_s, 1)
    values["tables"] = [
        {"table": table.table, **asdict(table.from_), "same": table.is_same, "to": table.to} for table in tables
    ]
    print_result(values, _format_tables(tables), json=json)
    if different:
        hint = f"stop what writes to {source_name}, then run the command again"
        print_error(StoreError(f"{different}: different in the two stores; {target_name} stays empty", hint=hint))
        return FAILED
    if not json:
        hidden = "" if target_name == target_url else ", with your password in it"
        print_lines(
            [
                f"{rows:,} rows moved and compared in {took_s:.0f} s",
                f'In settings.toml, set [store] url = "{target_name}"{hidden}',
                f"{source_name} is unchanged; remove it when you like.",
            ]
        )
    return DONE


def _parse_store_url(text: str, name: str) -> str:
    """Return the URL of a store, validated as in the settings; `name` is for the message. Errors: SettingsError."""
    try:
        return StoreSettings.model_validate({"url": text}).url
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise SettingsError((), f"{name}: {why}", hint=f"write it as {STORE_URL_FORMS}") from error


def _format_tables(tables: Sequence[TableComparison]) -> Iterator[str]:
    width = max(len(table.table) for table in tables)
    for table in tables:
        outcome = "same" if table.is_same else f"DIFFERENT: {table.to.rows:,} rows, {table.to.checksum}"
        yield f"{table.table:{width}}  {table.from_.rows:>12,} rows  {table.from_.checksum}  {outcome}"


def export(
    since: Annotated[str | None, Option(help='Earliest arrival: an age ("7d") or a date.', metavar="TIME")] = None,
    until: Annotated[str | None, Option(help='Latest arrival: an age ("1d") or a date.', metavar="TIME")] = None,
    config: Config = None,
) -> None:
    """
    Write the stored articles with their texts to standard output, one JSON object per line, oldest first.

    Dates are in UTC. docs/guides/store.md explains the fields. `watcher import` reads these lines into a store.
    """
    now = datetime.now(UTC)
    start = parse_time_option(since, option="--since", now=now)
    end = parse_time_option(until, option="--until", now=now)
    out = sys.stdout.buffer
    with closing_store(open_store(load_settings(config).store.url, create=False)) as engine:
        after = None
        while True:
            lines, after = read(engine, format_articles, since=start, until=end, after=after, limit=EXPORT_CHUNK)
            out.writelines(f"{escape_control_characters(line)}\n".encode() for line in lines)
            if after is None:
                break
    out.flush()


def import_(
    file: Annotated[
        Path, Argument(metavar="FILE", help="JSON lines as watcher export writes them; - is standard input.")
    ],
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Read articles from JSON lines, and add those that the store does not have yet; importing twice changes nothing.

    The language of an article without one is detected. An article without a text is stored by its headline alone, until
    an article with a text replaces it. A line that cannot be read is reported and skipped; the exit code is then 3.
    """
    with closing_store(open_store(load_settings(config).store.url)) as engine, closing(_open_input(file)) as stream:
        summary = asyncio.run(_import_lines(engine, stream, now=datetime.now(UTC)))
    for fault in summary.faults[:BAD_LINES_SHOWN]:
        print_err(f"{file}:{fault.line}: {fault.reason}")
    if len(summary.faults) > BAD_LINES_SHOWN:
        print_err(f"and {len(summary.faults) - BAD_LINES_SHOWN} more lines")
    counts = [f"{format_count(summary.imported, 'article')} imported"]
    if summary.headlines:
        counts.append(f"{summary.headlines} of them by their headline alone")
    counts.append(f"{summary.known} already stored")
    if summary.faults:
        counts.append(f"{format_count(len(summary.faults), 'line')} skipped")
    print_result(summary, [", ".join(counts)], json=json)
    return PARTLY if summary.faults else DONE


@dataclass(slots=True, kw_only=True)
class ImportSummary:
    imported: int = 0
    headlines: int = 0  # of them, those without a text
    known: int = 0  # stored already
    faults: list[BadLine] = field(default_factory=list)


def _open_input(file: Path) -> BinaryIO:
    """Open the file, or standard input for "-". Errors: StoreError."""
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return file.open("rb")
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from error


async def _import_lines(engine: Engine, stream: BinaryIO, *, now: datetime) -> ImportSummary:
    """Store articles from JSON lines; worker processes extract features. Errors: StoreError, WorkerFailed."""
    summary = ImportSummary()
    articles = _read_articles(stream, summary, now=now)
    with closing(Writer(engine)) as writer, closing(Pool()) as pool:
        # An export has the URL of a feed without its secrets.
        histories = defaultdict[str, Counter[str]](Counter)
        feeds = {hide_secrets(url): number for url, number in (await writer.read(feed_ids)).items()}

        async def import_chunks() -> None:
            """Store articles a chunk at a time, until there are no more lines."""
            while part := list(islice(articles, IMPORT_CHUNK)):
                part = await _add_languages(part, histories, pool)
                rows = tuple((one.id, one.title, one.text, one.language) for one, _ in part)
                packed = await pool.run(tasks.pack_features, rows, limit_s=IMPORT_LIMIT_S)
                arrivals = [
                    NewArticle(article=one, feed_id=feeds.get(hide_secrets(feed or ""), 0), packed=packed[one.id])
                    for one, feed in part
                ]
                added = await writer.do(add_articles, arrivals=arrivals)
                summary.imported += sum(added)
                summary.headlines += sum(
                    is_new and arrival.article.is_headline_only for arrival, is_new in zip(arrivals, added, strict=True)
                )
                summary.known += len(added) - sum(added)

        await asyncio.gather(*(import_chunks() for _ in range(IMPORT_WORKERS)))
    return summary


async def _add_languages(
    part: list[tuple[Article, str | None]], histories: dict[str, Counter[str]], pool: Pool
) -> list[tuple[Article, str | None]]:
    """
    Return articles with their feeds, with the language of those that have none. Errors: WorkerFailed.

    `histories` has the languages of each outlet's articles in the same file; those of `part` are added to it.
    """
    for article, _ in part:
        if article.language != UNKNOWN_LANGUAGE:
            histories[article.outlet][article.language] += 1
    rows = tuple(
        (one.id, one.title, one.text, dict(histories[one.outlet]))
        for one, _ in part
        if one.language == UNKNOWN_LANGUAGE
    )
    if not rows:
        return part
    languages = await pool.run(tasks.detect_languages, rows, limit_s=IMPORT_LIMIT_S)
    for article, _ in part:
        if article.id in languages:
            histories[article.outlet][languages[article.id]] += 1
    return [(replace(one, language=languages.get(one.id, one.language)), feed) for one, feed in part]


def _read_articles(stream: BinaryIO, summary: ImportSummary, *, now: datetime) -> Iterator[tuple[Article, str | None]]:
    """Yield each article with the URL of its feed, or None; invalid lines are added to `summary.faults`."""
    for number, line in enumerate(read_bounded_lines(stream.readline), start=1):
        if not line.strip():
            continue
        try:
            yield parse_article(line, now=now)
        except ValueError as error:
            summary.faults.append(BadLine(line=number, reason=str(error)))
