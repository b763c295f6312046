"""`watcher editions`, `replay` and `verify`: stored editions, their files, and their check against the articles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import Connection, Engine
from typer import Argument, Option

from digests import edition_json
from digests.cli.lookup import check_formats, find_digest, find_edition, parse_date
from digests.cli.status import format_stories
from digests.delivery.file import write_files
from digests.edition.publish import render_files
from digests.edition.verify import verify
from digests.errors import DigestError
from digests.model import Edition, Rendered
from digests.render.forms import FORMATS
from digests.settings.digests import DigestSettings, digests_of, folder_of
from digests.store import editions
from digests.summarise.checks import translations_of
from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import print_result
from watcher.settings.models import Settings
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read
from watcher.text.format import format_count

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
        found = read(engine, summarise_editions, name, limit=limit)
    if name is not None and not found:
        find_digest(settings, name)  # a name that is nowhere is a slip; editions outlive their digest's settings
    print_result(found, format_editions(found), json=json)


def summarise_editions(connection: Connection, name: str | None, *, limit: int) -> list[dict[str, Any]]:
    """Return the latest editions, of one digest or all. Each is loaded in full, one at a time."""
    found = []
    for row in editions.edition_rows(connection, name, limit=limit):
        edition = editions.load_edition(connection, row)
        about = {"digest": row.digest, "date": row.local_date, "slot": row.slot, "number": row.number}
        about |= {"title": edition.title, "made_at": row.made_at} | edition.ledger.counts
        about |= {"headline": next((story.headline for story in edition.stories), "")}
        found.append(about | {"deliveries": editions.count_deliveries(connection, row)})
    return found


def format_editions(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield "no edition is stored; watcher digest makes one"
    for each in found:
        sent = ", ".join(f"{count} {state}" for state, count in sorted(each["deliveries"].items()))
        key = editions.EditionKey(digest=each["digest"], local_date=each["date"], slot=each["slot"])
        when = f", {key.time}" if key.time else ""
        when = when if key.is_scheduled else f", on demand ({key.time})"
        text = f"{key.local_date}  {key.digest} no. {each['number']}{when}: {format_stories(each)}"
        yield f"{text}{f' [{sent}]' if sent else ''}  {each['headline']}"


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
    wanted = check_formats(formats) or tuple(form for form in digest.formats if form != "atom")
    folder = directory or folder_of(digest, settings)
    with closing_store(editions.open_digests(settings.store.url, make=False)) as engine:
        forms = [
            form
            for edition, suffix in editions_of_date(engine, digest, day)
            for form in render_files(engine, edition, digest, wanted, suffix=suffix)
        ]
    outcomes = [(form, compare_form(form, folder)) for form in forms]
    if not check:
        write_files([form for form, found in outcomes if found != "same"], folder)
    print_result(
        [{"file": folder / form.name, "was": found} for form, found in outcomes],
        (f"{folder / form.name}: {OUTCOMES[found][check]}" for form, found in outcomes),
        json=json,
    )
    return FAILED if check and any(found != "same" for _, found in outcomes) else DONE


def editions_of_date(engine: Engine, digest: DigestSettings, day: str) -> list[tuple[Edition, str]]:
    """Return the editions of a date, each with the suffix of its files' names. Errors: DigestError."""
    at = parse_date(day, option="DATE")
    rows = read(engine, editions.edition_rows, digest.name, day=at)
    if not rows:
        hint = "watcher editions  # lists the stored editions"
        raise DigestError(f"no edition of {digest.name} for {at} is stored", hint=hint)
    return [(read(engine, editions.load_edition, row=row), suffix) for row, suffix in file_suffixes(rows).items()]


def file_suffixes(rows: Sequence[editions.EditionRow]) -> dict[editions.EditionRow, str]:
    """
    Return the editions of a date that still have files, with the suffix after the date in the names of the files.

    `rows` has the latest edition first. The daily edition has no suffix. The first one on demand has none either if it
    is the first of its date, until a daily edition replaces its files.
    """
    first = rows[-1]
    has_daily = any(row.is_daily for row in rows)
    named = {row: "" if row is first and not row.is_scheduled else row.suffix for row in rows}
    return {row: suffix for row, suffix in named.items() if suffix or row.is_daily or not has_daily}


def compare_form(form: Rendered, folder: Path) -> str:
    """Return how a file in `folder` compares to the rendered form: "same", "other" or "missing"."""
    try:
        there = (folder / form.name).read_bytes()
    except OSError:
        return "missing"
    return "same" if there == form.body else "other"


def verify_editions(
    edition: Annotated[
        str | None,
        Argument(metavar="EDITION", help="A date, a file or a digest; by default, the first digest's latest edition."),
    ] = None,
    day: Annotated[str | None, Option("--date", help="Date of the edition; by default, the latest one.")] = None,
    everything: Annotated[bool, Option("--all", help="Check every stored edition of every digest.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Check each sentence, headline, number and count of an edition against the articles in the store.

    If you give a file, it is also compared with the stored edition, and each changed line is reported as a problem.
    A JSON file is only checked against the articles.
    """
    settings = load_settings(config)
    with closing_store(editions.open_digests(settings.store.url, make=False)) as engine:
        if everything:
            rows = read(engine, editions.edition_rows)
            verdicts = [check_edition(engine, read(engine, editions.load_edition, row=row)) for row in rows]
        elif edition is not None and ("/" in edition or "." in edition) and Path(edition).is_file():
            verdicts = [check_file(engine, settings, Path(edition))]
        else:
            name, day = (None, edition) if edition is not None and is_date(edition) else (edition, day)
            verdicts = [check_edition(engine, find_edition(engine, find_digest(settings, name).name, day))]
    print_result(verdicts if everything else verdicts[0], format_verdicts(verdicts), json=json, links=True)
    return FAILED if any(verdict.faults for verdict in verdicts) else DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    digest: str
    date: date
    number: int
    sentences: int
    translations: int  # each beside its original, which is among what was checked
    faults: tuple[str, ...]


def check_edition(engine: Engine, edition: Edition) -> Verdict:
    ids = editions.cited_ids(edition)
    faults = verify(edition, read(engine, articles_by_id, ids), read(engine, revisions_of, ids))
    return Verdict(
        digest=edition.digest,
        date=edition.local_date,
        number=edition.number,
        sentences=sum(len(story.quoted) for story in edition.stories),
        translations=len(translations_of(edition)),
        faults=tuple(f"{where}: {message}: {text}" for where, text, message in faults),
    )


def format_verdicts(verdicts: list[Verdict]) -> Iterator[str]:
    for each in verdicts:
        outcome = format_count(len(each.faults), "problem") if each.faults else "all verbatim"
        checked = f"{format_count(each.sentences, 'sentence')} checked"
        yield f"{each.digest} no. {each.number}, {each.date}: {checked}, {outcome}"
        if each.translations:
            yield f"  {format_count(each.translations, 'translation')}; the originals were checked"
        yield from each.faults


def is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def editions_of_file(engine: Engine, settings: Settings, path: Path) -> list[tuple[Edition, DigestSettings]]:
    """Return the editions that a file may belong to: several, if it is in no digest's folder. Errors: DigestError."""
    day, suffix = path.stem[:10], path.stem[10:]
    known = digests_of(settings)
    home = [digest for digest in known if folder_of(digest, settings).resolve() == path.parent.resolve()]
    if not is_date(day):
        raise DigestError(f"{path} is not a file of an edition: its name does not begin with a date")
    found = []
    for digest in home or known:
        if rows := read(engine, editions.edition_rows, digest.name, day=date.fromisoformat(day)):
            mine = (row for row, behind in file_suffixes(rows).items() if behind == suffix)
            found += [(read(engine, editions.load_edition, row=row), digest) for row in mine]
    if not found:
        raise DigestError(f"{path}: no edition with this file name is stored")
    return found


def check_file(engine: Engine, settings: Settings, path: Path) -> Verdict:
    """Check a file's edition, and whether the file is as rendered from the store; JSON is checked by itself."""
    if path.suffix == ".json":
        return check_edition(engine, edition_json.load(path.read_bytes()))
    form = next((name for name, pattern in FORMATS.items() if path.suffix == Path(pattern).suffix), None)
    if form is None:
        raise DigestError(f"{path} is not a form of an edition: {path.suffix}")
    theirs, differences = path.read_bytes(), []
    for edition, digest in editions_of_file(engine, settings, path):
        ours = render_files(engine, edition, digest, (form,), suffix=path.stem[10:])[0].body
        if theirs == ours:
            return check_edition(engine, edition)
        differences.append((edition, tuple(diff_lines(ours, theirs))))
    edition, faults = min(differences, key=lambda found: len(found[1]))
    verdict = check_edition(engine, edition)
    return replace(verdict, faults=(*verdict.faults, *(faults or ("the bytes of the file differ from its edition",))))


def diff_lines(ours: bytes, theirs: bytes) -> Iterator[str]:
    if ours.startswith(b"PK") or theirs.startswith(b"PK"):  # a ZIP file, such as an EPUB book, has no lines
        return
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (ours, theirs))
    changed = [line for line in unified_diff(old, new, n=0, lineterm="") if line[:3] not in ("---", "+++", "@@ ")]
    for line in changed[:LINES_SHOWN]:
        yield f"{'only in the file' if line[0] == '+' else 'missing in the file'}: {line[1:201]}"
    if len(changed) > LINES_SHOWN:
        yield f"and {len(changed) - LINES_SHOWN} more lines"
