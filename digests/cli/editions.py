"""`watcher editions`, `replay` and `verify`: the stored editions, their files, and their check against the articles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from difflib import unified_diff
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import Engine
from typer import Argument, BadParameter, Option

from digests import edition_json
from digests.cli.lookup import check_formats, find_digest, find_edition
from digests.delivery.file import write_files
from digests.edition.publish import earlier_editions, render_all
from digests.edition.verify import verify
from digests.errors import DigestError
from digests.model import Edition, Rendered, cited_ids
from digests.render.forms import FORMATS
from digests.settings.digests import DigestSettings, digests_of, folder_of
from digests.store.editions import EditionRow, delivery_counts, edition_rows, iter_editions, load_edition, open_digests
from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, closing_store, load_settings, with_examples
from watcher.cli.output import print_json, print_lines
from watcher.settings.models import Settings
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read
from watcher.text.format import format_count


@with_examples("watcher editions", "watcher editions world --limit 100", "watcher editions --json")
def list_editions(
    name: Annotated[str | None, Argument(help="Which digest; all if not given.")] = None,
    limit: Annotated[int, Option("--limit", help="At most so many, the latest.", min=1)] = 30,
    config: Config = None,
    json: Json = False,
) -> int:
    """List the editions that are kept: when each was made, what it holds, and how much of it reached whom."""
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        rows = read(engine, edition_rows, name, most=limit)
        ways = read(engine, delivery_counts, rows)
        told = read(
            engine,
            lambda c: [edition_to_json(row, edition, ways.get(row, {})) for row, edition in iter_editions(c, rows)],
        )
    if name is not None and not told:
        find_digest(settings, name)  # a name that is nowhere is a slip; editions outlive their digest's settings
    if json:
        print_json(told)
    elif not told:
        print_lines(["no edition is kept; watcher digest makes one"])
    else:
        print_lines(map(format_edition, told))
    return DONE


def edition_to_json(row: EditionRow, edition: Edition, ways: dict[str, int]) -> dict[str, object]:
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


def format_edition(row: dict[str, object]) -> str:
    """Return an edition in one line."""
    ways = row["deliveries"]
    assert isinstance(ways, dict)
    sent = ", ".join(f"{count} {state}" for state, count in sorted(ways.items()))
    when = "" if row["slot"] == "daily" else f" asked for at {str(row['slot'])[:5]}"
    stories = "1 story" if row["stories"] == 1 else f"{row['stories']} stories"
    text = f"{row['date']}  {row['digest']} no. {row['number']}{when}: {stories}, {row['briefs']} in a line"
    return f"{text}{f' [{sent}]' if sent else ''}  {row['headline']}"


@with_examples(
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
    digest = find_digest(settings, name)
    check_formats(tuple(formats or ()))
    wanted = tuple(formats or (form for form in digest.formats if form != "atom"))
    folder = directory or folder_of(digest, settings)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        earlier = earlier_editions(engine, digest, wanted)
        forms = [
            form
            for edition, suffix in editions_of_date(engine, digest, day)
            for form in render_all(edition, digest, wanted, earlier=earlier, suffix=suffix)
        ]
    outcomes = [(form, compare_form(form, folder)) for form in forms]
    if not check:
        write_files([form for form, found in outcomes if found != "same"], folder)
    if json:
        print_json([{"file": str(folder / form.name), "was": found} for form, found in outcomes])
    else:
        print_lines(f"{folder / form.name}: {outcome_text(found, check=check)}" for form, found in outcomes)
    return FAILED if check and any(found != "same" for _, found in outcomes) else DONE


def editions_of_date(engine: Engine, digest: DigestSettings, day: str) -> list[tuple[Edition, str]]:
    """Return the editions of a date, each with what its files' names have behind it. Errors: DigestError."""
    try:
        at = date.fromisoformat(day)
    except ValueError as error:
        raise BadParameter(f"got {day!r}, expected a date such as 2026-11-24", param_hint="DATE") from error
    rows = read(engine, edition_rows, digest.name, day=at)
    if not rows:
        fault = DigestError(f"no edition of {digest.name} is kept for {at}")
        fault.hint = "watcher editions  # lists those that are"
        raise fault
    suffixes = file_suffixes(rows)
    found = read(engine, lambda c: list(iter_editions(c, tuple(suffixes))))
    return [(edition, suffixes[row]) for row, edition in found]


def file_suffixes(rows: Sequence[EditionRow]) -> dict[EditionRow, str]:
    """
    Return what stands behind the date in the names of editions' files: of one date, the latest first.

    The daily edition has the plain names, as has the first one before it, whose files it has taken over.
    """
    first = rows[-1]
    has_daily = any(row.is_daily for row in rows)
    named = {row: "" if row.is_daily or row is first else f"-{row.slot[:8].replace(':', '')}" for row in rows}
    return {row: suffix for row, suffix in named.items() if suffix or row.is_daily or not has_daily}


def compare_form(form: Rendered, folder: Path) -> str:
    """Return how a file stands to its form: same, other, missing."""
    try:
        there = (folder / form.name).read_bytes()
    except OSError:
        return "missing"
    return "same" if there == form.body else "other"


def outcome_text(found: str, *, check: bool) -> str:
    """Return an outcome in words."""
    if check:
        return {"same": "as it was made", "other": "not as it was made", "missing": "not there"}[found]
    return {"same": "as it was made", "other": "was otherwise, written again", "missing": "written"}[found]


SHOWN = 5  # lines of a file that are not as they were made


@with_examples(
    "watcher verify", "watcher verify 2026-11-24", "watcher verify world --date 2026-11-24", "watcher verify --all",
    "watcher verify out/2026-11-24.md",
)  # fmt: skip
def verify_editions(
    edition: Annotated[
        str | None,
        Argument(metavar="EDITION", help="A date, a file, or the name of a digest; the first digest's last edition."),
    ] = None,
    day: Annotated[str | None, Option("--date", help="Its local date; the last one if not given.", metavar="D")] = None,
    everything: Annotated[bool, Option("--all", help="Every edition that is kept, of every digest.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Check each sentence, headline, figure and count of an edition against the articles in the store.

    A file is compared with what the store makes of its edition, so that a line that somebody changed is found; one in
    JSON is checked against the articles itself.
    """
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        told = [
            check_edition(engine, each)
            for each in selected_editions(engine, settings, edition, day, everything=everything)
        ]
        if edition is not None and not everything and is_file(edition):
            told[0]["faults"] += compare_file(engine, settings, Path(edition))
    if json:
        print_json(told if everything else told[0], links=True)
    else:
        print_lines((line for each in told for line in format_verdict(each)), links=True)
    return FAILED if any(each["faults"] for each in told) else DONE


def selected_editions(
    engine: Engine, settings: Settings, edition: str | None, day: str | None, *, everything: bool
) -> Iterator[Edition]:
    """Yield the editions that are meant, one by one. Errors: DigestError, if there is none."""
    if everything:
        for row in read(engine, edition_rows):
            yield read(engine, partial(load_edition, row=row))
    elif edition is not None and is_file(edition):
        path = Path(edition)
        if path.suffix == ".json":
            yield edition_json.load(path.read_bytes())
        else:
            yield edition_of_file(engine, settings, path)[0]
    elif edition is not None and is_date(edition):
        yield find_edition(engine, find_digest(settings, None).name, edition)
    else:
        yield find_edition(engine, find_digest(settings, edition).name, day)


def check_edition(engine: Engine, edition: Edition) -> dict[str, Any]:
    """Return what checking an edition found."""
    ids = cited_ids(edition)
    articles, revisions = read(engine, lambda c: (articles_by_id(c, ids), revisions_of(c, ids)))
    faults = verify(edition, articles, revisions)
    return {
        "digest": edition.digest,
        "date": edition.local_date,
        "sentences": sum(len(story.summary) + len(story.updates) for story in edition.stories),
        "faults": [f"{fault.where}: {fault.message}: {fault.text}" for fault in faults],
    }


def format_verdict(told: dict[str, Any]) -> list[str]:
    """Return a proof for a terminal."""
    faults = told["faults"]
    outcome = format_count(len(faults), "fault") if faults else "every one is verbatim"
    return [f"{told['digest']}, {told['date']}: {format_count(told['sentences'], 'sentence')}: {outcome}", *faults]


def is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_file(text: str) -> bool:
    return ("/" in text or "." in text) and Path(text).is_file()


def edition_of_file(engine: Engine, settings: Settings, path: Path) -> tuple[Edition, DigestSettings, str]:
    """Return the kept edition that a file is of, its digest, and what its name has behind the date."""
    day, suffix = path.stem[:10], path.stem[10:]
    known = digests_of(settings)
    home = [digest for digest in known if folder_of(digest, settings).resolve() == path.parent.resolve()]
    if not is_date(day):
        raise DigestError(f"{path} is no edition's file: its name does not begin with a date")
    for digest in home or known:
        for edition, behind in editions_of_date(engine, digest, day):
            if behind == suffix:
                return edition, digest, suffix
    raise DigestError(f"{path}: no edition of that name is kept")


def compare_file(engine: Engine, settings: Settings, path: Path) -> list[str]:
    """Return where a file is not as the store makes it; JSON is proved by itself."""
    form = next((name for name, (pattern, _) in FORMATS.items() if path.suffix == Path(pattern).suffix), None)
    if form is None:
        raise DigestError(f"{path} is no form of an edition: {path.suffix}")
    if form == "json":
        return []
    edition, digest, suffix = edition_of_file(engine, settings, path)
    ours = render_all(edition, digest, (form,), suffix=suffix)[0].body
    theirs = path.read_bytes()
    if theirs == ours:
        return []
    return list(diff_lines(ours, theirs)) or ["the file's bytes differ from what the store makes"]


def diff_lines(ours: bytes, theirs: bytes) -> Iterator[str]:
    """Yield the first lines of a file that the store does not make, and that it lacks."""
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (ours, theirs))
    changed = [line for line in unified_diff(old, new, n=0, lineterm="") if line[:3] not in ("---", "+++", "@@ ")]
    for line in changed[:SHOWN]:
        yield f"the file {'says' if line[0] == '+' else 'lacks'}: {line[1:201]}"
    if len(changed) > SHOWN:
        yield f"and {len(changed) - SHOWN} lines more"
