"""Makes the pages of docs/ that come from the code: `python -m bench.make_docs manual|errors|settings` prints one."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from watcher.cli.commands import Command, load_commands
from watcher.cli.main import INTRO, build_command, import_target
from watcher.errors import WatcherError
from watcher.settings.docs import json_schema
from watcher.settings.edit import to_toml
from watcher.settings.types import format_size

WORDS = {"string": "text", "boolean": "true or false", "integer": "number", "number": "number", "path": "path"}
FOLDER = Path(__file__).with_name("docs")
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
        loader=FileSystemLoader(FOLDER), trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["roff"] = escape_roff
    return environment.get_template(template).render(**values)


def settings_page() -> str:
    whole = json_schema()
    lines = [(FOLDER / "settings_head.md").read_text(encoding="utf-8")]
    for key, one in whole["properties"].items():
        words = one.get("description") or resolve_ref(one, whole)["description"]
        lines += table_section(whole, key, *nested_table(one, whole), words)
    return "\n".join(lines)


def table_section(whole: dict[str, Any], name: str, part: dict[str, Any], many: bool, words: str) -> Iterator[str]:
    """Yield the Markdown lines of one table: heading, sentence, rows; then those of the tables inside it."""
    yield f"## `{f'[[{name}]]' if many else f'[{name}]'}`\n\n{words}\n"
    yield "| setting | type | default | what it says |"
    yield "| --- | --- | --- | --- |"
    inner = []
    for key, one in part["properties"].items():
        nested, is_list = nested_table(one, whole)
        if nested:
            inner.append((f"{name}.{key}", nested, is_list, nested["description"]))
        kind = ("list of tables" if is_list else "table") if nested else describe_type(one)
        default = "required" if key in part.get("required", ()) else "" if nested else describe_default(one)
        help_ = one.get("description", "").replace("|", "\\|").replace("<", "&lt;")
        yield f"| `{key}` | {kind} | {default} | {help_} |"
    yield ""
    for each in inner:
        yield from table_section(whole, *each)


def nested_table(one: dict[str, Any], whole: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the schema of the table in setting `one`, empty if it is no table, and whether it is a list of tables."""
    one = resolve_ref(one, whole)
    if one.get("type") == "array":
        return nested_table(one["items"], whole)[0], True
    return (one if "properties" in one else {}), False


def resolve_ref(one: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    return whole["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one


def describe_type(one: dict[str, Any]) -> str:
    if "enum" in one:
        return " or ".join(f'`"{choice}"`' for choice in one["enum"])
    if one.get("type") == "array":
        return f"list of {describe_type(one['items'])}"
    if one.get("type") == "object":
        return f"table of {describe_type(one['additionalProperties'])}s"
    if "anyOf" in one and "title" not in one:
        return " or ".join(describe_type(each) for each in one["anyOf"])
    return str(one.get("title") or WORDS[one.get("format", one["type"])])


def describe_default(one: dict[str, Any]) -> str:
    value = one.get("default")
    if value is None:
        return ""
    return f"`{to_toml(format_size(value) if one.get('title') == 'size' else value)}`"


PAGES = {"manual": manual_page, "errors": errors_page, "settings": settings_page}

if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
