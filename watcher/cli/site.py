"""`watcher site`: the local site as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.app import DONE, Config, examples, load_settings
from watcher.cli.output import print_lines


@examples("watcher site /srv/www/news", "watcher site public --config settings.toml")
def command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the files, new or of before.")],
    config: Config = None,
) -> int:
    """
    Write the site as files that open from disk: editions, archive, stories, articles, sources.

    Links are relative, nothing can be changed or searched, and the mail's recipients are left out. The same store gives
    the same bytes; files that are no more since the last time are removed.
    """
    from datetime import UTC, datetime

    from watcher.cli.looking import size
    from watcher.store.engine import open_store
    from watcher.store.stats import last_change
    from watcher.store.writer import read
    from watcher.web.export import copy
    from watcher.web.site import Site, wings_of

    settings = load_settings(config)
    engine = open_store(settings.store.url, make=False)
    try:
        wings = wings_of(settings, engine)
        at = read(engine, last_change) or datetime.now(UTC)
        done = copy(Site(settings=settings, engine=engine, wings=wings, now=lambda: at, is_static=True), directory)
    finally:
        engine.dispose()
    print_lines([f"{done.pages} pages and {done.files} other files, {size(done.bytes)}, in {directory}"])
    return DONE
