"""`watcher settings`: what holds and where it comes from, and the schema for editors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from typer import Option

from watcher.cli.app import DONE, Config, Json, examples, load_settings, settings_path
from watcher.cli.output import print_json, print_lines
from watcher.settings.docs import origins
from watcher.settings.docs import schema as made
from watcher.settings.load import read_file

if TYPE_CHECKING:
    from watcher.settings.docs import Value


@examples("watcher settings show", "watcher settings show --changed", "watcher settings show --json")
def show(
    changed: Annotated[bool, Option("--changed", help="Only what the file says, no defaults.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Show each setting that holds, and where it comes from: a line of the file, or the default.

    Of sources only what the file says is shown. Secrets are not: they stand where `env:` and `file:` say.
    """
    path = settings_path(config)
    settings = load_settings(path)
    found = [
        value
        for value in origins(settings, read_file(path))
        if value.line is not None or not (changed or value.table.startswith("[[sources]]"))
    ]
    if json:
        rows = [{"table": v.table, "name": v.name, "value": v.value, "line": v.line} for v in found]
        print_json({"path": str(path.absolute()), "settings": rows})
    else:
        print_lines(lines(str(path.absolute()), found))
    return DONE


def lines(path: str, found: list[Value]) -> Iterator[str]:
    """Yield the settings for a terminal, table by table."""
    yield f"# {path}"
    table = ""
    for value in found:
        if value.table != table:
            table = value.table
            yield from ("", table)
        pair = f"{value.name} = {value.value}"
        yield f"{pair:48} # {'default' if value.line is None else f'line {value.line}'}"


@examples("watcher settings schema > settings.schema.json")
def schema() -> int:
    """Print the JSON schema of a settings file: editors complete and check with it."""
    print_json(made())
    return DONE
