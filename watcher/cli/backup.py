"""`watcher backup` and `watcher restore`: the whole store in a file, taken while it is in use, and put back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from watcher.cli.app import DONE, Config, Json, examples, load_settings
from watcher.cli.looking import size
from watcher.cli.output import print_json, print_lines
from watcher.store.backup import back_up, place_of
from watcher.store.backup import restore as put_back
from watcher.store.daemon_lock import held
from watcher.store.engine import all_schemas, connect, make_folder, refuse_missing, upgrade


@examples("watcher backup /backups/watcher.db --force", "watcher backup /backups")
def backup(
    to: Annotated[Path, Argument(metavar="FILE", help="Where to; in a folder, under a name with date and time.")],
    force: Annotated[bool, Option("--force", help="Replace a file that is there.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Copy the store into a file, as it is now, while the daemon goes on. The file is there whole, or not at all.

    It holds articles, editions and what is known of the feeds; keep settings.toml beside it.
    """
    settings = load_settings(config)
    refuse_missing(settings.store.url)
    target = to / f"watcher-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.db" if to.is_dir() else to
    engine = connect(settings.store.url)
    try:
        copy = back_up(engine, target, force=force, tell=tell_share)
    finally:
        engine.dispose()
    if json:
        print_json({"file": str(copy.path), "bytes": copy.size_bytes})
    else:
        print_lines([f"{copy.path}: {size(copy.size_bytes)}, checked"])
    return DONE


@examples("watcher restore /backups/watcher.db", "watcher restore /backups/watcher.db --force")
def restore(
    backup_file: Annotated[Path, Argument(metavar="FILE", help="A file that watcher backup has made.")],
    force: Annotated[bool, Option("--force", help="Replace a store that holds something.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Put a backup in the place of the store; what was there is kept beside it. The daemon has to be stopped.

    The backup is checked first: it has to be sound, and no newer than this Watcher; an older one is brought up to date.
    """
    settings = load_settings(config)
    make_folder(settings.store.url)
    engine = connect(settings.store.url)
    try:
        place_of(engine, backup_file)  # before a daemon's mark, for which an empty database has no table
        with held(engine, now=datetime.now(UTC)) as mark:
            copy = put_back(engine, backup_file, schemas=all_schemas(), force=force)
            for schema in all_schemas():
                upgrade(engine, schema.scripts, version_table=schema.version_table)
            mark.stop(now=datetime.now(UTC))
    finally:
        engine.dispose()
    if json:
        print_json({"store": str(copy.path), "bytes": copy.size_bytes, "kept": str(copy.kept) if copy.kept else None})
    else:
        kept = f"; what was there is kept as {copy.kept}" if copy.kept else ""
        print_lines([f"{copy.path}: {size(copy.size_bytes)} restored{kept}"])
    return DONE


def tell_share(share: float) -> None:
    """Say on a terminal how far the copy is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:4.0%} copied" + ("\r            \r" if share >= 1 else ""))
