"""
Makes the pages of docs/ that come from the code.

`python -m bench.make_docs manual|errors|settings` prints one; `commands FOLDER` writes those of the commands.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from watcher.cli.commands import Command, load_commands
from watcher.cli.main import INTRO, build_command, import_target
from watcher.cli.settings import json_schema
from watcher.errors import WatcherError
from watcher.failure_messages import FeedKind, FetchKind, HealthKind, PageKind, TaskKind
from watcher.settings.edit import to_toml
from watcher.settings.types import format_size

WORDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "number",
    "number": "number",
    "path": "path",
    "date": "date",
}
FOLDER = Path(__file__).with_name("docs")
PARTS = FOLDER / "commands"  # what is said of a command beyond its help
EVERYWHERE = ("config", "debug")  # options of all commands, described once
KINDS = (FetchKind, FeedKind, PageKind, TaskKind, HealthKind)
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
        "examples": command.examples,
    }


def option_names(parameter: Any) -> str:  # noqa: ANN401 (Typer's parameters have no public name here)
    value = f"\\fI{escape_roff(argument_name(parameter))}\\fR"
    if parameter.param_type_name == "argument":
        return value
    names = ", ".join(f"\\fB{escape_roff(name)}\\fR" for name in (*parameter.opts, *parameter.secondary_opts))
    return names if parameter.is_flag else f"{names} {value}"


def join_lines(text: str | None) -> str:
    return " ".join((text or "").split())


def escape_roff(text: str) -> str:
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe


def command_pages() -> dict[str, str]:
    """Return the pages of the commands by file name: a list of all, and one for each; a group's has its commands."""
    rows = load_commands().values()
    pages = {f"{row.name}.md": command_page(row) for row in rows}
    table = [f"| [`watcher {row.name}`]({row.name}.md) | {row.help} |" for row in rows]
    lines = [read_part("index"), "| command | what it does |", "| --- | --- |", *table, "", read_part("exit_codes")]
    return {"index.md": "\n".join(lines)} | pages


def command_page(row: Command) -> str:
    note = "<!-- Made by `python -m bench.make_docs commands`; edit the command, or bench/docs/commands. -->"
    lines = [f"# watcher {row.name}", "", note, ""]
    if row.rows:
        lines += [row.help, ""]
        if row.default:
            short, whole = f"watcher {row.name} ARGUMENTS", f"watcher {row.name} {row.default} ARGUMENTS"
            lines += [f"`{short}` is short for `{whole}`.", ""]
    for inner in row.rows:
        lines += [f"## watcher {row.name} {inner.name}", "", *command_section(f"{row.name} {inner.name}", inner)]
    if not row.rows:
        lines += command_section(row.name, row)
    return "\n".join([*lines, read_part(row.name)]).rstrip() + "\n"


def command_section(name: str, command: Command) -> Iterator[str]:
    """Yield the Markdown lines of one command: its help, how it is called, its arguments, options and examples."""
    about = describe_command(name, command)
    parameters = [each for each in build_command(command).params if each.name not in (*EVERYWHERE, "help")]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = len(arguments) < len(parameters)
    for paragraph in about["paragraphs"]:
        yield from (escape_markdown(paragraph), "")
    usage = (argument_name(each) if each.required else f"[{argument_name(each)}]" for each in arguments)
    call = " ".join(["watcher", name, *(["[OPTIONS]"] if options else []), *usage])
    yield from ("```text", call, "```", "")
    for each in parameters:
        yield f"- {describe_parameter(each)}"
    if parameters:
        yield ""
    if about["examples"]:
        yield from ("```sh", *about["examples"], "```", "")


def argument_name(parameter: Any) -> str:  # noqa: ANN401 (Typer's parameters have no public name here)
    name = str(parameter.metavar or parameter.name.upper()).strip("[]")
    return f"{name}..." if parameter.nargs == -1 else name


def describe_parameter(parameter: Any) -> str:  # noqa: ANN401 (Typer's parameters have no public name here)
    """Return an argument or option with its help, as in "`--name NAME`: Name of the outlet."."""
    names = [argument_name(parameter)]
    if parameter.param_type_name == "option":
        names = [*parameter.opts, *parameter.secondary_opts]
        if not parameter.is_flag:
            names = [f"{name} {argument_name(parameter)}" for name in names]
    return f"{', '.join(f'`{name}`' for name in names)}: {escape_markdown(join_lines(getattr(parameter, 'help', '')))}"


def escape_markdown(text: str) -> str:
    """Return a help text so that Markdown shows it as it is; code between backticks stays code."""
    return "`".join(part if n % 2 else re.sub(r"([<*_\[\]])", r"\\\1", part) for n, part in enumerate(text.split("`")))


def read_part(name: str) -> str:
    path = PARTS / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def errors_page() -> str:
    packages = {point.value.partition(".")[0] for point in entry_points(group="watcher.commands")}
    for name in (*MODULES, *(f"{package}.errors" for package in sorted(packages))):
        importlib.import_module(name)
    kinds = [{"name": kind.__name__, "text": join_lines(kind.__doc__), "rows": list(kind)} for kind in KINDS]
    return render("errors.md.j2", errors=list(describe_errors(WatcherError, "")), kinds=kinds)


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
    inner = []
    for key, one in part["properties"].items():
        nested, is_list = nested_table(one, whole)
        if nested:
            inner.append((f"{name}.{key}", nested, is_list, nested["description"]))
        kind = ("list of tables" if is_list else "table") if nested else describe_type(one)
        if "oneOf" in one:  # a list of words, or of tables
            kind = f"{describe_type(one['oneOf'][0])} or {kind}"
        default = "" if nested else describe_default(one)
        about = [kind, "required" if key in part.get("required", ()) else default and f"default {default}"]
        yield f"### `{name}.{key}`\n"
        yield f"{', '.join(filter(None, about))}\n"
        yield one.get("description", "").replace("<", "&lt;") + "\n"
    for each in inner:
        yield from table_section(whole, *each)


def nested_table(one: dict[str, Any], whole: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the schema of the table in setting `one`, empty if it is no table, and whether it is a list of tables."""
    one = resolve_ref(one, whole)
    if "oneOf" in one:
        tables = [found for each in one["oneOf"] if (found := nested_table(each, whole))[0]]
        return merge_kinds([table for table, _ in tables]), tables[0][1]
    if one.get("type") == "array":
        return nested_table(one["items"], whole)[0], True
    return (one if "properties" in one else {}), False


def merge_kinds(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one schema for a table that has one of several schemas, as the value of one of its keys says."""
    if len(kinds) == 1:
        return kinds[0]
    key = next(name for name, one in kinds[0]["properties"].items() if "const" in one)
    names = [each["properties"][key]["const"] for each in kinds]
    lines = [f"`{key}` decides which other settings the table has:", ""]
    lines += [f"- `{name}`: {each['description']}" for name, each in zip(names, kinds, strict=True)]
    merged: dict[str, Any] = {key: {"enum": names, "description": "Name of the channel."}}
    required = {key}
    for name in dict.fromkeys(name for each in kinds for name in each["properties"] if name != key):
        owners = [each for each in kinds if name in each["properties"]]
        about = " ".join(dict.fromkeys(each["properties"][name]["description"] for each in owners))
        channels = " and ".join(f"`{each['properties'][key]['const']}`" for each in owners)
        merged[name] = owners[0]["properties"][name] | {"description": f"For {channels}: {about}"}
        required |= {name} if all(name in each.get("required", ()) for each in owners) else set()
    return {"description": "\n".join(lines), "properties": merged, "required": sorted(required)}


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
    if sys.argv[1] == "commands":
        for name, page in command_pages().items():
            Path(sys.argv[2], name).write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(PAGES[sys.argv[1]]())
