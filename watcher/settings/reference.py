"""The page `docs/settings.md`, made from the models: `python -m watcher.settings.reference` prints it."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from watcher.settings.explain import part_of
from watcher.settings.load import settings_model
from watcher.settings.values import format_duration, format_size, parse_bound, parse_size

HEAD = """# Settings

<!-- Made from the models by `python -m watcher.settings.reference`; edit the models, not this page. -->

Watcher reads one file, `settings.toml`: the one that `--config` or `$WATCHER_CONFIG` names, else `./settings.toml`,
else `watcher/settings.toml` in the XDG config folder.
`watcher init` writes a starter file, `watcher check` names every fault of a file at once, with its line and column.

- Durations are written `"90s"`, `"15m"`, `"1h30m"`, `"2d"`; sizes `"500 kB"`, `"10 MiB"`.
- Relative paths start at the folder of the settings file.
- A secret is written `"env:NAME"` (a variable) or `"file:PATH"` (a file's text), never as itself.
- Unknown names are errors.

`watcher settings show` says what holds, and from which line of the file it comes.
Editors complete and check the file by [settings.schema.json](settings.schema.json), which `watcher settings schema`
prints: in VS Code (Even Better TOML) and with taplo by a first line `#:schema PATH-OR-URL`.
"""
WORDS = {
    str: "text",
    bool: "true or false",
    int: "number",
    float: "number",
    timedelta: "duration",
    time: "time of day",
    Path: "path",
}


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *sections(settings_model())])


def sections(model: type[BaseModel]) -> Iterator[str]:
    """Yield the text of each table of the settings."""
    for name, field in model.model_fields.items():
        part = part_of(field.annotation)
        if part is None:
            continue
        many = field.annotation is not part
        yield from table(f"[[{name}]]" if many else f"[{name}]", part, field.description or part.__doc__ or "")


def table(title: str, part: type[BaseModel], words: str) -> Iterator[str]:
    """Yield a heading, a sentence and the rows of one table, then the tables inside it."""
    yield f"## `{title}`\n\n{words}\n"
    yield "| setting | type | default | what it says |"
    yield "| --- | --- | --- | --- |"
    inner: list[tuple[str, type[BaseModel], bool]] = []
    for name, field in part.model_fields.items():
        key, nested = field.alias or name, part_of(field.annotation)
        if nested:
            inner.append((key, nested, is_many(field)))
        yield f"| `{key}` | {kind(field, nested)} | {default(field, nested)} | {escaped(field.description or '')} |"
    yield ""
    for key, nested, many in inner:
        name = f"{title.strip('[]')}.{key}"
        yield from table(f"[[{name}]]" if many else f"[{name}]", nested, nested.__doc__ or "")


def is_many(field: FieldInfo) -> bool:
    """Whether a field holds a list of tables."""
    return get_origin(field.annotation) is tuple


def kind(field: FieldInfo, nested: type[BaseModel] | None) -> str:
    """Return a field's type in words."""
    if nested:
        return "list of tables" if is_many(field) else "table"
    if any(getattr(item, "func", None) in (parse_size, parse_bound) for item in field.metadata):
        return "size"
    return type_words(field.annotation)


def type_words(annotation: Any) -> str:  # noqa: ANN401 (any type form)
    """Return a type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f'`"{choice}"`' for choice in arguments)
    if origin is Annotated:
        return type_words(arguments[0])
    if origin is tuple:
        return f"list of {type_words(arguments[0])}"
    if origin is dict:
        return f"table of {type_words(arguments[1])}s"
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(item) for item in arguments if item is not type(None))
    return WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def default(field: FieldInfo, nested: type[BaseModel] | None) -> str:
    """Return a field's default as the file would say it."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "shown_default" in extra:
        return f'`"{extra["shown_default"]}"`'
    if field.is_required():
        return "required"
    value = field.default
    if nested or value is None or value == "" or field.default_factory is not None:
        return ""
    if kind(field, nested) == "size":
        return f'`"{format_size(value)}"`'
    return f"`{toml(value)}`"


def toml(value: object) -> str:
    """Return a default as TOML."""
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    return f'"{value:%H:%M}"' if isinstance(value, time) else f'"{value}"'


def escaped(text: str) -> str:
    """Return text that is safe inside a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(page())
