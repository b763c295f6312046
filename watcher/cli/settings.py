"""`watcher init`, `watcher settings show` and `schema`: write, show and describe the settings."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from watcher.cli.commands import DONE, SESSION, USAGE
from watcher.cli.options import Config, Json, load_settings, settings_path, with_examples
from watcher.cli.output import print_err, print_json, print_lines, print_result
from watcher.settings.docs import SettingValue, json_schema, settings_with_origin
from watcher.settings.edit import write_file
from watcher.settings.load import read_file


@with_examples("watcher init", "watcher init ~/news/settings.toml", "watcher init --force")
def init(
    path: Annotated[Path | None, Argument(help="File or folder to write to; else ./settings.toml.")] = None,
    force: Annotated[bool, Option("--force", help="Overwrite a file that is there.")] = False,
    config: Config = None,
) -> int:
    """Write a starter settings.toml: about 40 sources of international news, every setting explained."""
    target = path or config or SESSION.config or Path("settings.toml")
    if target.is_dir():
        target /= "settings.toml"
    if target.exists() and not force:
        print_err(f"{target} is there already; --force overwrites it")
        return USAGE
    write_file(target, starter_settings())
    print_lines([f"wrote {target}; look it over, then: watcher check"])
    return DONE


def starter_settings() -> str:
    return files("watcher.settings").joinpath("starter.toml").read_text(encoding="utf-8")


@with_examples("watcher settings show", "watcher settings show --changed", "watcher settings show --json")
def show_settings(
    changed: Annotated[bool, Option("--changed", help="Only what the file says, no defaults.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Show each effective setting and its origin: a line of the file, or the default.

    Of sources only what the file says is shown. Secrets are not: they stand where `env:` and `file:` say.
    """
    path = settings_path(config)
    found = [
        value
        for value in settings_with_origin(load_settings(path), read_file(path))
        if value.line is not None or not (changed or value.table.startswith("[[sources]]"))
    ]
    absolute = path.absolute()
    print_result({"path": absolute, "settings": found}, format_settings(absolute, found), json=json)
    return DONE


def format_settings(path: Path, found: list[SettingValue]) -> Iterator[str]:
    yield f"# {path}"
    for table, values in groupby(found, key=attrgetter("table")):
        yield from ("", table)
        for value in values:
            pair = f"{value.name} = {value.value}"
            yield f"{pair:48} # {'default' if value.line is None else f'line {value.line}'}"


@with_examples("watcher settings schema > settings.schema.json")
def print_schema() -> int:
    """Print the JSON schema of a settings file: editors complete and check with it."""
    print_json(json_schema())
    return DONE
