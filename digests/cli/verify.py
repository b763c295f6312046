"""`watcher verify`: proves kept editions, and files of them, against the stored articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from difflib import unified_diff
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import Engine
from typer import Argument, Option

from digests import edition_json
from digests.cli.editions import kept as of_date
from digests.cli.lookup import digest_named, kept_edition
from digests.edition.publish import folder_of, render_all
from digests.edition.verify import verify
from digests.errors import DigestError
from digests.model import Edition, cited_ids
from digests.render.forms import FORMATS
from digests.settings.digests import DigestSettings, digests_of
from digests.store.editions import edition_rows, load_edition, open_digests
from watcher.cli.app import DONE, FAILED, Config, Json, examples, load_settings
from watcher.cli.output import print_json, print_lines
from watcher.settings.model import Settings
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read
from watcher.text.format import format_count

SHOWN = 5  # lines of a file that are not as they were made


@examples(
    "watcher verify", "watcher verify 2026-11-24", "watcher verify world --date 2026-11-24", "watcher verify --all",
    "watcher verify out/2026-11-24.md",
)  # fmt: skip
def command(
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
    engine = open_digests(settings.store.url, make=False)
    try:
        told = [proof(engine, each) for each in wanted(engine, settings, edition, day, everything=everything)]
        if edition is not None and not everything and is_file(edition):
            told[0]["faults"] += file_faults(engine, settings, Path(edition))
    finally:
        engine.dispose()
    if json:
        print_json(told if everything else told[0], links=True)
    else:
        print_lines((line for each in told for line in in_words(each)), links=True)
    return FAILED if any(each["faults"] for each in told) else DONE


def wanted(
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
            yield of_file(engine, settings, path)[0]
    elif edition is not None and is_date(edition):
        yield kept_edition(engine, digest_named(settings, None).name, edition)
    else:
        yield kept_edition(engine, digest_named(settings, edition).name, day)


def proof(engine: Engine, edition: Edition) -> dict[str, Any]:
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


def in_words(told: dict[str, Any]) -> list[str]:
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


def of_file(engine: Engine, settings: Settings, path: Path) -> tuple[Edition, DigestSettings, str]:
    """Return the kept edition that a file is of, its digest, and what its name has behind the date."""
    day, suffix = path.stem[:10], path.stem[10:]
    known = digests_of(settings)
    home = [digest for digest in known if folder_of(digest, settings).resolve() == path.parent.resolve()]
    if not is_date(day):
        raise DigestError(f"{path} is no edition's file: its name does not begin with a date")
    for digest in home or known:
        for edition, behind in of_date(engine, digest, day):
            if behind == suffix:
                return edition, digest, suffix
    raise DigestError(f"{path}: no edition of that name is kept")


def file_faults(engine: Engine, settings: Settings, path: Path) -> list[str]:
    """Return where a file is not as the store makes it; JSON is proved by itself."""
    form = next((name for name, (pattern, _) in FORMATS.items() if path.suffix == Path(pattern).suffix), None)
    if form is None:
        raise DigestError(f"{path} is no form of an edition: {path.suffix}")
    if form == "json":
        return []
    edition, digest, suffix = of_file(engine, settings, path)
    ours = render_all(edition, digest, (form,), suffix=suffix)[0].body
    theirs = path.read_bytes()
    if theirs == ours:
        return []
    return list(differences(ours, theirs)) or ["the file's bytes differ from what the store makes"]


def differences(ours: bytes, theirs: bytes) -> Iterator[str]:
    """Yield the first lines of a file that the store does not make, and that it lacks."""
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (ours, theirs))
    changed = [line for line in unified_diff(old, new, n=0, lineterm="") if line[:3] not in ("---", "+++", "@@ ")]
    for line in changed[:SHOWN]:
        yield f"the file {'says' if line[0] == '+' else 'lacks'}: {line[1:201]}"
    if len(changed) > SHOWN:
        yield f"and {len(changed) - SHOWN} lines more"
