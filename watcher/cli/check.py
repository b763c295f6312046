"""`watcher check`: the settings file, all faults at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from watcher.cli.app import DONE, FAILED, PARTLY, USAGE, Config, Json, examples, load_settings, settings_path
from watcher.cli.output import print_json, print_lines, say
from watcher.errors import SettingsError, WatcherError

if TYPE_CHECKING:
    from pathlib import Path

    from watcher.cli.check_online import Asked
    from watcher.settings.model import Settings

    Store = tuple[list[Any], list[Any]]  # what is not well in it, and what of that was mended


@examples("watcher check", "watcher check --json", "watcher check --deep", "watcher check --online")
def command(
    deep: Annotated[bool, typer.Option("--deep", help="Look the store through as well: it takes a while.")] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Ask each source, and log in to the mail server; nothing is sent.")
    ] = False,
    mend: Annotated[bool, typer.Option("--mend", help="With --deep: mend in the store what can be mended.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Check the settings file: every fault at once, each with its line and column, and what was expected.

    The rules for single sites in the folder `sites` beside it are checked too, and the templates of the digests.
    `--deep` looks the store through as well: whether the database is sound, and whether what is in it belongs
    together; exit code 1 if not.
    `--online` asks each source for its feed, and tries each way of delivery up to where something would be sent: it
    logs in to the mail server and leaves; exit code 3 if something is not well.
    """
    from watcher.cli.check_online import ask_all
    from watcher.cli.check_store import findings

    path = settings_path(config)
    try:
        settings, counts = checked(path)
    except WatcherError as error:
        if not json:
            raise
        return refused(path, error)
    store = findings(settings, mend=mend) if deep or mend else None
    asked = ask_all(settings) if online else None
    if json:
        tell_json(path, counts, store, asked)
    else:
        tell(settings, counts, store, asked)
    if store is not None and len(store[0]) != len(store[1]):
        return FAILED
    return PARTLY if any(each.fault for each in asked or ()) else DONE


def checked(path: Path) -> tuple[Settings, dict[str, int]]:
    """Return the settings, and how many there are of what is fine. Errors: WatcherError."""
    from watcher.clean.sites.book import own_rules
    from watcher.cli.checks import plugged_in_checks

    settings = load_settings(path)
    check_tokens(settings, path)
    rules = own_rules(settings.path)
    counts = counted(settings) | ({"site rules": len(rules)} if rules else {})
    return settings, counts | plugged_in_checks(settings)


def check_tokens(settings: Settings, path: Path) -> None:
    """Look at the tokens that can be read here. Errors: SettingsError if one is too short."""
    from watcher.settings.daemon import TOKEN_CHARS
    from watcher.settings.load import place, read_file
    from watcher.settings.positions import Positions
    from watcher.settings.section import Fault
    from watcher.settings.syntax import read

    faults = []
    for name, token in (("metrics", settings.metrics.token), ("web", settings.web.token)):
        with suppress(WatcherError):  # a variable that only the service has, say
            count = len(token.reveal().strip()) if token else TOKEN_CHARS
            if count < TOKEN_CHARS:
                message = f"got a token of {count} characters in {token}, expected {TOKEN_CHARS} or more"
                faults.append(Fault(loc=(name, "token"), message=message))
    if faults:
        raise SettingsError(tuple(place(faults, Positions(read(read_file(path)).sound), path)))


def refused(path: Path, error: WatcherError) -> int:
    """Print a fault as JSON; return the exit code."""
    problems = [asdict(problem) for problem in error.problems] if isinstance(error, SettingsError) else []
    print_json({"ok": False, "path": str(path), "problems": problems, "error": str(error)})
    return USAGE if isinstance(error, SettingsError) else FAILED


def tell_json(path: Path, counts: dict[str, int], store: Store | None, asked: tuple[Asked, ...] | None) -> None:
    """Print what was found as JSON."""
    from watcher.cli.check_online import asked_json
    from watcher.cli.check_store import told

    more: dict[str, object] = {"store": told(*store)} if store is not None else {}
    more |= {"online": asked_json(asked)} if asked is not None else {}
    print_json({"ok": True, "path": str(path), "problems": [], **counts, **more})


def tell(settings: Settings, counts: dict[str, int], store: Store | None, asked: tuple[Asked, ...] | None) -> None:
    """Print what was found for a person."""
    from watcher.cli.check_online import asked_lines
    from watcher.cli.check_store import told

    print_lines([f"{', '.join(worded(name, count) for name, count in counts.items())}: fine"])
    if not settings.fetch.contact:
        say("[fetch] contact is not set: publishers whom a poll troubles can only block it")
    if settings.semantic.embedder == "endpoint" and settings.semantic.endpoint:
        host = urlsplit(settings.semantic.endpoint.url).hostname
        say(f"each article's title and first words are sent to {host}, for its vector")
    if store is not None:
        print_lines(store_lines(told(*store)))
    print_lines(asked_lines(asked or ()))


def store_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what the store's look-through found, for a terminal."""
    if not rows:
        yield "store: sound, and all in it belongs together"
    for row in rows:
        yield f"store: {row['what']}: {'mended' if row['mended'] else 'try: ' + row['mend']}"


def counted(settings: Settings) -> dict[str, int]:
    """Return how many tables each list of the settings has, by its name."""
    from watcher.settings.section import Rows

    counts = {"sources": len(settings.sources)}
    for name in type(settings).model_fields:
        section = settings.section(name)
        if isinstance(section, Rows):
            counts[name] = len(section.root)
    return counts


def worded(name: str, count: int) -> str:
    """Return a count with its noun: "1 digest", "2 digests"."""
    return f"{count} {name.removesuffix('es' if name.endswith('sses') else 's') if count == 1 else name}"
