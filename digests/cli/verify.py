"""`watcher verify`: proves a kept edition against the stored articles."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Option

from watcher.cli.app import DONE, FAILED, Config, Json, examples, load_settings, print_json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from digests.model import Edition


@examples("watcher verify", "watcher verify world --date 2026-11-24")
def command(
    name: Annotated[str | None, Argument(help="Which digest; the first of the settings if not given.")] = None,
    day: Annotated[str | None, Option("--date", help="Its local date; the last one if not given.", metavar="D")] = None,
    config: Config = None,
    json: Json = False,
) -> int:
    """Check each sentence, headline and count of an edition against the articles in the store."""
    from digests.settings import digests_of
    from digests.store.editions import open_digests
    from digests.verify import cited_ids, verify
    from watcher.store.articles import articles_by_id
    from watcher.store.revisions import revisions_of
    from watcher.store.writer import read

    settings = load_settings(config)
    known = [digest.name for digest in digests_of(settings)]
    wanted = name or known[0]
    if wanted not in known:
        raise BadParameter(f"no digest {name!r} in the settings; there is {', '.join(known)}", param_hint="NAME")
    engine = open_digests(settings.store.url)
    try:
        edition = kept(engine, wanted, day)
        ids = cited_ids(edition)
        faults = verify(
            edition, read(engine, lambda c: articles_by_id(c, ids)), read(engine, lambda c: revisions_of(c, ids))
        )
    finally:
        engine.dispose()
    sentences = sum(len(story.summary) + len(story.since) for story in edition.stories)
    told = [f"{fault.where}: {fault.message}: {fault.text}" for fault in faults]
    if json:
        print_json({"digest": wanted, "date": edition.local_date, "sentences": sentences, "faults": told})
    else:
        outcome = f"{len(faults)} faults" if faults else "every one is verbatim"
        sys.stdout.write("\n".join([f"{wanted}, {edition.local_date}: {sentences} sentences: {outcome}", *told]) + "\n")
    return FAILED if faults else DONE


def kept(engine: Engine, digest: str, day: str | None) -> Edition:
    """Return the kept edition of a date, or the last one. Errors: DigestError, if there is none."""
    from digests.errors import DigestError
    from digests.store.editions import get_edition, last_edition
    from watcher.store.writer import read

    try:
        at = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise BadParameter(f"got {day!r}, expected a date such as 2026-11-24", param_hint="--date") from error
    edition = read(
        engine,
        lambda c: get_edition(c, digest, local_date=at) if at else last_edition(c, digest),
    )
    if edition is None:
        raise DigestError(f"no edition of {digest} is kept{f' for {at}' if at else ''}; watcher digest makes one")
    return edition
