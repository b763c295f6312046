"""`watcher check`: the settings file, all faults at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from watcher.cli.app import DONE, FAILED, USAGE, Config, Json, examples, load_settings, print_json, settings_path
from watcher.errors import SettingsError, WatcherError

if TYPE_CHECKING:
    from watcher.settings.model import Settings


@examples("watcher check", "watcher check --config news/settings.toml --json", "watcher check --deep")
def command(
    deep: Annotated[bool, typer.Option("--deep", help="Look the store through as well: it takes a while.")] = False,
    mend: Annotated[bool, typer.Option("--mend", help="With --deep: mend in the store what can be mended.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Check the settings file: every fault at once, each with its line and column, and what was expected.

    The rules for single sites in the folder `sites` beside it are checked too, and the templates of the digests.
    `--deep` looks the store through as well: whether the database is sound, and whether what is in it belongs
    together; exit code 1 if not.
    """
    from watcher.clean.sites.book import own_rules
    from watcher.cli.check_store import findings, told
    from watcher.cli.checks import plugged_in_checks

    path = settings_path(config)
    try:
        settings = load_settings(path)
        rules = own_rules(settings.path)
    except SettingsError as error:
        if not json:
            raise
        problems = [asdict(problem) for problem in error.problems]
        print_json({"ok": False, "path": str(path), "problems": problems, "error": str(error)})
        return USAGE
    found, mended = findings(settings, mend=mend) if deep or mend else ([], [])
    counts = counted(settings) | ({"site rules": len(rules)} if rules else {})
    try:
        counts |= plugged_in_checks(settings)
    except WatcherError as error:
        if not json:
            raise
        print_json({"ok": False, "path": str(path), "problems": [], "error": str(error)})
        return FAILED
    if json:
        store = {"store": told(found, mended)} if deep or mend else {}
        print_json({"ok": True, "path": str(path), "problems": [], **counts, **store})
    else:
        typer.echo(f"{', '.join(worded(name, count) for name, count in counts.items())}: fine")
        if not settings.fetch.contact:
            typer.echo("[fetch] contact is not set: publishers whom a poll troubles can only block it", err=True)
        if settings.semantic.embedder == "endpoint" and settings.semantic.endpoint:
            host = urlsplit(settings.semantic.endpoint.url).hostname
            typer.echo(f"each article's title and first words are sent to {host}, for its vector", err=True)
        if deep or mend:
            typer.echo("\n".join(store_lines(told(found, mended))))
    return DONE if len(found) == len(mended) else FAILED


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
    return f"{count} {name.removesuffix('s') if count == 1 else name}"
