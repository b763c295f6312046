"""Generates the manual page and the page of errors: `python -m watcher.cli.docs manual|errors` prints one."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from typing import Any

from jinja2 import Environment, PackageLoader

from watcher.cli.commands import Command, load_commands
from watcher.cli.main import INTRO, build_command, import_target
from watcher.errors import WatcherError

EVERYWHERE = ("config", "debug")  # options of all commands, described once
MODULES = ("watcher.errors", "watcher.worker.process_pool")


def manual_page() -> str:
    rows = load_commands().values()
    names = [
        (f"{row.name} {inner.name}" if row.rows else row.name, inner) for row in rows for inner in row.rows or [row]
    ]
    commands = [describe_command(name, command) for name, command in names]
    intro = INTRO.partition("\b")[0].strip()
    return render("watcher.1.j2", version=version("watcher-digests"), intro=intro, commands=commands)


def describe_command(name: str, command: Command) -> dict[str, Any]:
    function = import_target(command)
    parameters = [each for each in build_command(command).params if each.name not in EVERYWHERE]
    return {
        "name": name,
        "paragraphs": [join_lines(part) for part in (inspect.getdoc(function) or command.help).split("\n\n")],
        "options": [
            {"names": option_names(each), "help": join_lines(getattr(each, "help", ""))} for each in parameters
        ],
        "examples": getattr(function, "examples", ()),
    }


def option_names(parameter: Any) -> str:  # noqa: ANN401 (Typer's parameters have no public name here)
    value = f"\\fI{escape_roff(parameter.metavar or parameter.name.upper())}\\fR"
    if parameter.param_type_name == "argument":
        return value
    names = ", ".join(f"\\fB{escape_roff(name)}\\fR" for name in (*parameter.opts, *parameter.secondary_opts))
    return names if parameter.is_flag else f"{names} {value}"


def join_lines(text: str | None) -> str:
    return " ".join((text or "").split())


def escape_roff(text: str) -> str:
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe


def errors_page() -> str:
    packages = {point.value.partition(".")[0] for point in entry_points(group="watcher.commands")}
    for name in (*MODULES, *(f"{package}.errors" for package in sorted(packages))):
        importlib.import_module(name)
    return render("errors.md.j2", errors=list(describe_errors(WatcherError, "")))


def describe_errors(kind: type[WatcherError], parent: str) -> Iterator[dict[str, str]]:
    yield {"name": kind.__name__, "parent": parent, "text": join_lines(kind.__doc__)}
    for each in sorted(kind.__subclasses__(), key=lambda k: k.__name__):
        if each.__module__ in MODULES or each.__module__.endswith(".errors"):
            yield from describe_errors(each, kind.__name__)


def render(template: str, **values: object) -> str:
    environment = Environment(
        loader=PackageLoader("watcher.cli"), trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["roff"] = escape_roff
    return environment.get_template(template).render(**values)


if __name__ == "__main__":
    sys.stdout.write(errors_page() if sys.argv[1:] == ["errors"] else manual_page())
