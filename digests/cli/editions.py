"""`watcher editions` and `replay`: the stored editions, and their files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import Connection, Engine
from typer import Argument, Option

from digests.cli.lookup import check_formats, find_digest, parse_date
from digests.cli.status import format_stories
from digests.delivery.file import write_files
from digests.edition.publish import render_files
from digests.errors import DigestError
from digests.model.delivery import Rendered
from digests.model.edition import Edition
from digests.settings.digests import DigestSettings, folder_of
from digests.store import editions
from digests.store.editions import EditionRow
from digests.store.keys import DAILY
from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import print_result
from watcher.store.writer import read

LINES_SHOWN = 5  # changed lines of a file that are shown
# The words for a file that is written again, and for one that is only compared.
OUTCOMES = {
    "same": ("unchanged", "unchanged"),
    "other": ("was different, written again", "different"),
    "missing": ("written", "missing"),
}


def list_editions(
    name: Annotated[str | None, Argument(help="Name of the digest; by default, all digests.")] = None,
    limit: Annotated[int, Option("--limit", help="Show at most this many editions, the latest ones.", min=1)] = 30,
    config: Config = None,
    json: Json = False,
) -> None:
    """List the stored editions, each with its number of stories, its deliveries and its first headline."""
    settings = load_settings(config)
    with closing_store(editions.open_digests(settings.store.url, make=False)) as engine:
        summaries = read(engine, _summarise_editions, name, limit=limit)
    if name is not None and not summaries:
        find_digest(settings, name)  # a name that is nowhere is a slip; editions outlive their digest's settings
    print_result([about for _, about in summaries], _format_editions(summaries), json=json)


def _summarise_editions(
    connection: Connection, name: str | None, *, limit: int
) -> list[tuple[EditionRow, dict[str, Any]]]:
    """Return the latest editions, of one digest or all, and what is told of each. One at a time is loaded in full."""
    summaries = []
    for row in editions.edition_rows(connection, name, limit=limit):
        edition = editions.load_edition(connection, row)
        about = {"digest": row.digest, "date": row.local_date, "slot": row.slot_name, "number": row.number}
        about |= {"title": edition.title, "made_at": row.made_at} | edition.ledger.counts
        about |= {"headline": next((story.headline for story in edition.stories), "")}
        summaries.append((row, about | {"deliveries": editions.count_deliveries(connection, row)}))
    return summaries


def _format_editions(rows: Sequence[tuple[EditionRow, dict[str, Any]]]) -> Iterator[str]:
    """Yield a line for each stored edition; `rows` has the row of each and its counts, deliveries and headline."""
    if not rows:
        yield "no edition is stored; watcher digest makes one"
    for row, about in rows:
        sent = ", ".join(f"{count} {state}" for state, count in sorted(about["deliveries"].items()))
        when = f", {row.slot.label}" if row.slot.label else ""
        when = when if row.slot.is_scheduled else f", on demand ({row.slot.label})"
        text = f"{row.local_date}  {row.digest} no. {row.number}{when}: {format_stories(about)}"
        yield f"{text}{f' [{sent}]' if sent else ''}  {about['headline']}"


def replay(
    day: Annotated[str, Argument(help="Local date of the edition.", metavar="DATE")],
    name: Annotated[str | None, Argument(help="Name of the digest; by default, the first in the settings.")] = None,
    directory: Annotated[
        Path | None, Option("--directory", help="Folder to write to; by default, the digest's folder.")
    ] = None,
    formats: Annotated[list[str] | None, Option("--format", metavar="FORMAT", help="Write only this format.")] = None,
    check: Annotated[bool, Option("--check", help="Compare the files with the stored edition; write nothing.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Write the files of a stored edition again: byte for byte the same, unless Watcher or the templates have changed.

    With --check, the existing files are only compared. If one is different or missing, the exit code is 1.
    """
    settings = load_settings(config)
    digest = find_digest(settings, name)
    wanted = check_formats(formats) or tuple(form for form in digest.formats if form not in ("atom", "ics"))
    folder = directory or folder_of(digest, settings)
    with closing_store(editions.open_digests(settings.store.url, make=False)) as engine:
        forms = [
            form
            for edition, suffix in _editions_of_date(engine, digest, day)
            for form in render_files(engine, edition, digest, wanted, suffix=suffix)
        ]
    outcomes = [(form, _compare_form(form, folder)) for form in forms]
    if not check:
        write_files([form for form, outcome in outcomes if outcome != "same"], folder)
    print_result(
        [{"file": folder / form.name, "was": outcome} for form, outcome in outcomes],
        (f"{folder / form.name}: {OUTCOMES[outcome][check]}" for form, outcome in outcomes),
        json=json,
    )
    return FAILED if check and any(outcome != "same" for _, outcome in outcomes) else DONE


def _editions_of_date(engine: Engine, digest: DigestSettings, day: str) -> list[tuple[Edition, str]]:
    """Return the editions of a date, each with the suffix of its files' names. Errors: DigestError."""
    wanted_date = parse_date(day, option="DATE")
    rows = read(engine, editions.edition_rows, digest.name, day=wanted_date)
    if not rows:
        hint = "watcher editions  # lists the stored editions"
        raise DigestError(f"no edition of {digest.name} for {wanted_date} is stored", hint=hint)
    return [(read(engine, editions.load_edition, row=row), suffix) for row, suffix in file_suffixes(rows).items()]


def file_suffixes(rows: Sequence[EditionRow]) -> dict[EditionRow, str]:
    """
    Return the editions of a date that still have files, with the suffix after the date in the names of the files.

    `rows` has the latest edition first. The daily edition has no suffix. The first one on demand has none either if it
    is the first of its date, until a daily edition replaces its files.
    """
    first = rows[-1]
    has_daily = any(row.slot == DAILY for row in rows)
    named = {row: "" if row is first and not row.slot.is_scheduled else row.suffix for row in rows}
    return {row: suffix for row, suffix in named.items() if suffix or row.slot == DAILY or not has_daily}


def _compare_form(form: Rendered, folder: Path) -> str:
    """Return how a file in `folder` compares to the rendered form: "same", "other" or "missing"."""
    try:
        there = (folder / form.name).read_bytes()
    except OSError:
        return "missing"
    return "same" if there == form.body else "other"
