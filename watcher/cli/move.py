"""`watcher move`: a whole store into another database, and what to change in the settings then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from pydantic import ValidationError
from typer import Argument

from watcher.cli.app import DONE, FAILED, Json, examples
from watcher.cli.main import report
from watcher.cli.output import print_json
from watcher.errors import SettingsError, StoreError
from watcher.settings.model import StoreSettings, hide_password
from watcher.store.copy import copy_store, open_both
from watcher.store.engine import all_schemas

if TYPE_CHECKING:
    from watcher.store.copy import TableComparison

STEPS = {"copy": "copied", "compare": "compared", "index": "indexed"}
FORMS = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


@examples(
    "watcher move sqlite:////var/lib/watcher/watcher.db postgresql://watcher@db.example/watcher",
    "watcher move postgresql://watcher:env:DB_PASSWORD@db.example/watcher sqlite:///watcher.db",
)
def command(
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
    schemas = all_schemas()
    ends = address(from_, "FROM"), address(to, "TO")
    with open_both(*ends, schemas) as (source, target), bar() as tell:
        lines = copy_store(source, target, schemas, tell=tell)
    took_s = time.monotonic() - began
    if json:
        print_json(as_json(lines, ends, took_s))
    else:
        sys.stdout.write(table_of(lines))
    if not all(line.is_same for line in lines):
        return failed(lines, ends)
    if not json:
        sys.stdout.write(last_words(lines, ends, took_s))
    return DONE


def address(said: str, name: str) -> str:
    """Return the address of a store as the settings take it. Errors: SettingsError."""
    try:
        return StoreSettings.model_validate({"url": said}).url
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        wrong = SettingsError((), f"{name}: {why}")
        wrong.mend = f"an address is {FORMS}"
        raise wrong from error


def failed(lines: Sequence[TableComparison], ends: tuple[str, str]) -> int:
    """Say which tables differ, and return the exit code of it."""
    names = ", ".join(line.table for line in lines if not line.is_same)
    error = StoreError(f"{names}: not the same in both stores; {shown(ends[1])} stays half-moved")
    error.mend = f"has something written to {shown(ends[0])} meanwhile? End it, remove the new store, and move again"
    report(error)
    return FAILED


def table_of(lines: Sequence[TableComparison]) -> str:
    """Return what each table holds, a line each."""
    wide = max(len(line.table) for line in lines)
    told = []
    for line in lines:
        said = "same" if line.is_same else f"DIFFERENT: {line.to.rows:,} rows, {line.to.checksum}"
        told.append(f"{line.table:{wide}}  {line.from_.rows:>12,} rows  {line.from_.checksum}  {said}\n")
    return "".join(told)


def last_words(lines: Sequence[TableComparison], ends: tuple[str, str], took_s: float) -> str:
    """Return what was done, and what is left to do."""
    rows = sum(line.from_.rows for line in lines)
    hidden = "" if shown(ends[1]) == ends[1] else ", with your password in it"
    return (
        f"{rows:,} rows moved and compared in {took_s:.0f} s\n"
        f'In settings.toml, set [store] url = "{shown(ends[1])}"{hidden}\n'
        f"{shown(ends[0])} is as it was, until you remove it.\n"
    )


def as_json(lines: Sequence[TableComparison], ends: tuple[str, str], took_s: float) -> dict[str, object]:
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
        "from": shown(ends[0]), "to": shown(ends[1]), "same": is_same, "rows": sum(line.from_.rows for line in lines),
        "took_s": round(took_s, 1), "tables": tables,
    }  # fmt: skip


def shown(address: str) -> str:
    """Return the address of a store without its password."""
    return hide_password(address)


@contextmanager
def bar() -> Iterator[Callable[[str, int, int], None]]:
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
