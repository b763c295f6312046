"""Finds the digest, edition or story that a command's arguments name."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, Engine
from typer import BadParameter

from digests.cli.status import name_edition
from digests.errors import DigestError
from digests.model.edition import Edition
from digests.settings.channel import FORMAT_NAMES
from digests.settings.digests import DigestSettings, digests_of
from digests.store.editions import get_edition, newest_edition
from watcher.settings.models import Settings
from watcher.store.writer import read
from watcher.text.format import did_you_mean

MAX_NUMBER_CHARS = 4  # of the number of a story in an edition


def find_digest(settings: Settings, name: str | None) -> DigestSettings:
    """Return the digest of a name, by default the first. Errors: BadParameter."""
    known = {digest.name: digest for digest in digests_of(settings)}
    if name is not None and name not in known:
        raise BadParameter(f"no digest {name!r} in the settings; expected one of {', '.join(known)}", param_hint="NAME")
    return known[name] if name else next(iter(known.values()))


def parse_story_id(connection: Connection, settings: Settings, story: str) -> str:
    """Return the id of a story given by its number in the newest edition, else what is given. Errors: DigestError."""
    if not story.isdecimal() or len(story) > MAX_NUMBER_CHARS:  # the id of an article may have digits only
        return story
    edition = newest_edition(connection, find_digest(settings, None).name)
    ids = {shown.number: shown.id for shown in edition.stories}
    if int(story) not in ids:
        raise DigestError(f"the newest edition ({name_edition(edition)}) has no story {story}")
    return ids[int(story)]


def parse_date(text: str, *, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadParameter(f"got {text!r}, expected a date such as 2026-11-24", param_hint=option) from error


def check_formats(formats: Sequence[str] | None) -> tuple[str, ...]:
    return check_names(formats, FORMAT_NAMES, option="--format")


def check_names(names: Sequence[str] | None, known: Sequence[str], *, option: str) -> tuple[str, ...]:
    """Return the values of an option that names some of `known`. Errors: BadParameter."""
    for name in names or ():
        if name not in known:
            expected = f"one of {', '.join(known)}{did_you_mean(name, known)}"
            raise BadParameter(f"got {name!r}, expected {expected}", param_hint=option)
    return tuple(names or ())


def _find_edition(engine: Engine, digest: str, day: str | None) -> Edition:
    """Return the stored edition of a date, by default the latest. Errors: DigestError, if there is none."""
    wanted_date = parse_date(day, option="--date") if day else None
    edition = read(engine, get_edition, digest, wanted_date)
    if edition is None:
        raise DigestError(
            f"no edition of {digest}{f' for {wanted_date}' if wanted_date else ''} is stored; watcher digest makes one"
        )
    return edition
