"""`watcher init`: a starter settings file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.app import DONE, USAGE, Config, current_session, examples
from watcher.cli.output import print_lines, say
from watcher.settings.edit import write


@examples("watcher init", "watcher init ~/news/settings.toml", "watcher init --force")
def command(
    path: Annotated[Path | None, typer.Argument(help="File or folder to write to; else ./settings.toml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    config: Config = None,
) -> int:
    """Write a starter settings.toml: about 40 sources of international news, every setting explained."""
    target = path or config or current_session().config or Path("settings.toml")
    if target.is_dir():
        target /= "settings.toml"
    if target.exists() and not force:
        say(f"{target} is there already; --force overwrites it")
        return USAGE
    write(target, starter())
    print_lines([f"wrote {target}; look it over, then: watcher check"])
    return DONE


def starter() -> str:
    """Return the text of the starter settings file."""
    return files("watcher.settings").joinpath("starter.toml").read_text(encoding="utf-8")
