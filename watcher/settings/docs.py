"""
Descriptions of the settings: the JSON schema for editors, the page `docs/settings.md`, and the origin of each value.

`python -m watcher.settings.docs` prints the page, `watcher settings schema` the schema.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ByteSize
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from watcher.settings.base import SettingsModel, settings_in
from watcher.settings.edit import to_toml
from watcher.settings.load import settings_model
from watcher.settings.models import Settings, hide_password
from watcher.settings.toml_syntax import Loc, Positions
from watcher.settings.types import format_size

DRAFT = "http://json-schema.org/draft-07/schema#"  # the one that editors of TOML know
HIDDEN = "…"
WORDS = {"string": "text", "boolean": "true or false", "integer": "number", "number": "number", "path": "path"}


class EditorSchema(GenerateJsonSchema):
    """Pydantic's JSON schema adapted to TOML: without null, which TOML lacks; defaults as a file writes them."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default") in (None, "", {}):
            found.pop("default", None)
        return found

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 (as pydantic has it)
        return to_toml(dft)[1:-1] if isinstance(dft, timedelta | time | Path) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 (as pydantic has it)
        return False


def json_schema() -> dict[str, Any]:
    found = settings_model().model_json_schema(schema_generator=EditorSchema)
    return found | {"$schema": DRAFT, "title": "Settings of Watcher"}


def settings_page() -> str:
    whole = json_schema()
    lines = [Path(__file__).with_name("page_head.md").read_text(encoding="utf-8")]
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


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A setting: its table ("[poll]", "[[digests]] 1"), name, value as TOML, and line; `line` None: the default."""

    table: str
    name: str
    value: str
    line: int | None


def settings_with_origin(settings: Settings, text: str) -> Iterator[SettingValue]:
    """Yield each setting in the order of the models, with its line in `text`; missing tables have default values."""
    return table_values(settings, Positions(text), ())


def table_values(part: SettingsModel, places: Positions, loc: Loc) -> Iterator[SettingValue]:
    inner = []
    for place, value, field in settings_in(part):
        here = (*loc, *place)
        if isinstance(value, SettingsModel):
            inner.append(table_values(value, places, here))
        elif loc:
            line = places.keys[here][0] if here in places.keys else None
            yield SettingValue(table_heading(loc), str(here[-1]), format_value(value, field), line)
    yield from chain(*inner)


def table_heading(loc: Loc) -> str:
    """Return the heading of a table, with its number if it is in a list: "[semantic.endpoint]", "[[digests]] 2"."""
    names = ".".join(str(part) for part in loc if isinstance(part, str))
    numbers = ".".join(str(part + 1) for part in loc if isinstance(part, int))
    heading = f"[[{names}]]" if isinstance(loc[-1], int) else f"[{names}]"
    return f"{heading} {numbers}".rstrip()


def format_value(value: object, field: FieldInfo) -> str:
    """Return a value as TOML; secrets are hidden, but a reference to a secret (`env:NAME`) is shown."""
    if value is None:
        extra = field.json_schema_extra
        return to_toml(extra["default"]) if isinstance(extra, dict) and "default" in extra else "none"
    if isinstance(value, str) and "://" in value and not field.repr:
        return to_toml(hide_password(value) if field.default_factory else HIDDEN)
    if isinstance(value, Mapping):
        return (
            f"{{ {', '.join(f'{to_toml(key)} = {to_toml(each)}' for key, each in value.items())} }}" if value else "{}"
        )
    return to_toml(format_size(value) if isinstance(value, ByteSize) else value)


if __name__ == "__main__":
    sys.stdout.write(settings_page())
