"""`watcher editions` and `watcher replay`: what is kept, and an edition's files again, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from sqlalchemy import Engine
from typer import Argument, BadParameter, Option

from digests.cli.digest import check_formats
from digests.cli.lookup import digest_named
from digests.delivery.file import write
from digests.edition.publish import earlier_editions, folder_of, render_all
from digests.errors import DigestError
from digests.model import Edition, Rendered
from digests.settings.digests import DigestSettings
from digests.store.editions import EditionRow, delivery_counts, edition_rows, iter_editions, open_digests
from watcher.cli.app import DONE, FAILED, Config, Json, examples, load_settings
from watcher.cli.output import print_json, print_lines
from watcher.store.writer import read


@examples("watcher editions", "watcher editions world --limit 100", "watcher editions --json")
def command(
    name: Annotated[str | None, Argument(help="Which digest; all if not given.")] = None,
    limit: Annotated[int, Option("--limit", help="At most so many, the latest.", min=1)] = 30,
    config: Config = None,
    json: Json = False,
) -> int:
    """List the editions that are kept: when each was made, what it holds, and how much of it reached whom."""
    settings = load_settings(config)
    engine = open_digests(settings.store.url, make=False)
    try:
        rows = read(engine, edition_rows, name, most=limit)
        ways = read(engine, delivery_counts, rows)
        told = read(
            engine, lambda c: [as_row(row, edition, ways.get(row, {})) for row, edition in iter_editions(c, rows)]
        )
    finally:
        engine.dispose()
    if name is not None and not told:
        digest_named(settings, name)  # a name that is nowhere is a slip; editions outlive their digest's settings
    if json:
        print_json(told)
    elif not told:
        print_lines(["no edition is kept; watcher digest makes one"])
    else:
        print_lines(map(in_words, told))
    return DONE


def as_row(row: EditionRow, edition: Edition, ways: dict[str, int]) -> dict[str, object]:
    """Return what is told of an edition."""
    return {
        "digest": row.digest,
        "date": row.local_date.isoformat(),
        "slot": row.slot,
        "number": row.number,
        "made_at": row.made_at.isoformat(),
        "stories": len(edition.stories),
        "briefs": len(edition.briefs),
        "articles": edition.ledger.articles,
        "headline": edition.stories[0].title if edition.stories else "",
        "deliveries": ways,
    }


def in_words(row: dict[str, object]) -> str:
    """Return an edition in one line."""
    ways = row["deliveries"]
    assert isinstance(ways, dict)
    sent = ", ".join(f"{count} {state}" for state, count in sorted(ways.items()))
    when = "" if row["slot"] == "daily" else f" asked for at {str(row['slot'])[:5]}"
    stories = "1 story" if row["stories"] == 1 else f"{row['stories']} stories"
    text = f"{row['date']}  {row['digest']} no. {row['number']}{when}: {stories}, {row['briefs']} in a line"
    return f"{text}{f' [{sent}]' if sent else ''}  {row['headline']}"


@examples(
    "watcher replay 2026-11-24",
    "watcher replay 2026-11-24 world --directory /tmp/again",
    "watcher replay 2026-11-24 --check",
)
def replay(
    day: Annotated[str, Argument(help="Local date of the edition.", metavar="DATE")],
    name: Annotated[str | None, Argument(help="Which digest; the first of the settings if not given.")] = None,
    directory: Annotated[
        Path | None, Option("--directory", help="Where to write; by default where the digest's files are.")
    ] = None,
    formats: Annotated[list[str] | None, Option("--format", help="Only these forms; may be given again.")] = None,
    check: Annotated[
        bool, Option("--check", help="Write nothing; say whether the files are as they were made.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Write an edition's files again from the store: the same bytes, as long as Watcher and the templates are the same.

    With --check the files that are there are compared, and a difference fails.
    """
    settings = load_settings(config)
    digest = digest_named(settings, name)
    check_formats(tuple(formats or ()))
    wanted = tuple(formats or (form for form in digest.formats if form != "atom"))
    folder = directory or folder_of(digest, settings)
    engine = open_digests(settings.store.url, make=False)
    try:
        earlier = earlier_editions(engine, digest, wanted)
        forms = [
            form
            for edition, suffix in kept(engine, digest, day)
            for form in render_all(edition, digest, wanted, earlier=earlier, suffix=suffix)
        ]
    finally:
        engine.dispose()
    outcomes = [(form, outcome(form, folder)) for form in forms]
    if not check:
        write([form for form, found in outcomes if found != "same"], folder)
    if json:
        print_json([{"file": str(folder / form.name), "was": found} for form, found in outcomes])
    else:
        print_lines(f"{folder / form.name}: {told(found, check=check)}" for form, found in outcomes)
    return FAILED if check and any(found != "same" for _, found in outcomes) else DONE


def kept(engine: Engine, digest: DigestSettings, day: str) -> list[tuple[Edition, str]]:
    """Return the editions of a date, each with what its files' names have behind it. Errors: DigestError."""
    try:
        at = date.fromisoformat(day)
    except ValueError as error:
        raise BadParameter(f"got {day!r}, expected a date such as 2026-11-24", param_hint="DATE") from error
    rows = read(engine, edition_rows, digest.name, day=at)
    if not rows:
        fault = DigestError(f"no edition of {digest.name} is kept for {at}")
        fault.mend = "watcher editions  # lists those that are"
        raise fault
    suffixes = suffixes_of(rows)
    found = read(engine, lambda c: list(iter_editions(c, tuple(suffixes))))
    return [(edition, suffixes[row]) for row, edition in found]


def suffixes_of(rows: Sequence[EditionRow]) -> dict[EditionRow, str]:
    """
    Return what stands behind the date in the names of editions' files: of one date, the latest first.

    The daily edition has the plain names, as has the first one before it, whose files it has taken over.
    """
    first = rows[-1]
    has_daily = any(row.is_daily for row in rows)
    named = {row: "" if row.is_daily or row is first else f"-{row.slot[:8].replace(':', '')}" for row in rows}
    return {row: suffix for row, suffix in named.items() if suffix or row.is_daily or not has_daily}


def outcome(form: Rendered, folder: Path) -> str:
    """Return how a file stands to its form: same, other, missing."""
    try:
        there = (folder / form.name).read_bytes()
    except OSError:
        return "missing"
    return "same" if there == form.body else "other"


def told(found: str, *, check: bool) -> str:
    """Return an outcome in words."""
    if check:
        return {"same": "as it was made", "other": "not as it was made", "missing": "not there"}[found]
    return {"same": "as it was made", "other": "was otherwise, written again", "missing": "written"}[found]
