"""Descriptions of the settings: the JSON schema for editors, and the origin of each value."""

from collections.abc import Iterator
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
            line = places.keys.get(here, (None,))[0]
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
    return to_toml(format_size(value) if isinstance(value, ByteSize) else value)
