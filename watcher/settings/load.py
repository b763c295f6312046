"""Finds and reads a settings file: typed settings, or all faults at once with their places."""

from __future__ import annotations

import os
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, RootModel, ValidationError, create_model
from pydantic_core import ErrorDetails

from watcher.errors import PluginError, Problem, SettingsError
from watcher.settings.base import Checked, SettingsList, ValidationIssue, load_plugin_sections
from watcher.settings.models import Settings, xdg_folder
from watcher.settings.toml_syntax import Loc, Positions, parse_with_recovery
from watcher.settings.types import did_you_mean, quote_value

FILE_NAME = "settings.toml"
CONFIG_VARIABLE = "WATCHER_CONFIG"
MAX_BYTES = 4 * 1024 * 1024  # a settings file with ten thousand sources is a quarter of this

REMOVED_TABLES = {
    "grouping": "a window is grouped as a whole, whatever its size"
}  # tables of before 0.1.0, and why they went
EXPECTED = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number without quotes",
    "tuple_type": 'a list such as ["…", "…"]',
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "byte_size": 'a size such as "10 MiB" or "500 kB"',
    "byte_size_unit": 'a size such as "10 MiB" or "500 kB"',
    "greater_than": "more than {gt}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
}


def load_settings_file(path: Path) -> Settings:
    """
    Return the settings of the file at `path`, frozen, its paths absolute.

    Errors: SettingsError with every fault of the file; PluginError if a section's package cannot be loaded.
    """
    return parse_settings(read_file(path), path)


def find_settings(explicit: Path | None = None) -> Path:
    """
    Return the settings file to use.

    `explicit`, else `$WATCHER_CONFIG`, else ./settings.toml, else settings.toml in `$XDG_CONFIG_HOME/watcher`.

    Errors: SettingsError if there is none.
    """
    if chosen := explicit or os.environ.get(CONFIG_VARIABLE):
        return require_file(Path(chosen))
    folder = xdg_folder("XDG_CONFIG_HOME", ".config")
    for path in (Path(FILE_NAME), folder / FILE_NAME):
        if path.is_file():
            return path
    raise file_not_found_error(f"no {FILE_NAME} here, nor in {folder}")


def require_file(path: Path) -> Path:
    """Return `path`, or the settings file in it if it is a folder."""
    found = path / FILE_NAME if path.is_dir() else path
    if not found.exists():
        raise file_not_found_error(f"{found}: no such file")
    return found


def file_not_found_error(words: str) -> SettingsError:
    return SettingsError((), words, hint="watcher init writes one; --config names another")


def read_file(path: Path) -> str:
    """Return the text of a settings file, bounded, without a byte order mark."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError((), f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise SettingsError((), f"{path}: larger than {MAX_BYTES // 2**20} MiB, which is no settings file")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8", errors="replace")
        line, column = good.count("\n") + 1, len(good.rpartition("\n")[2]) + 1
        words = f"got the byte 0x{data[error.start]:02x}, expected UTF-8 text"
        raise SettingsError((Problem(path=str(path), line=line, column=column, key="text", message=words),)) from None


def parse_settings(text: str, path: Path) -> Settings:
    """Return the settings that `text` says, as if it stood in the file at `path`; errors as `load`."""
    found = parse_with_recovery(text, str(path))
    problems = list(found.faults)
    model, settings, faults = settings_model(), None, list(cross_field_issues(found.data))
    try:
        settings = model.model_validate(found.data, context={"folder": path.absolute().parent})
    except ValidationError as error:
        faults += to_issues(error, model)
    if found.faults:  # what is missing may stand in a line that could not be read
        faults = [fault for fault in faults if not fault.missing]
    if faults:
        problems += locate_issues(faults, Positions(found.sound), path)
    if problems or settings is None:
        raise SettingsError(tuple(sorted(set(problems), key=lambda p: (p.line, p.column, p.key, p.message))))
    settings._path = path.absolute()
    settings._digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return settings


@cache
def settings_model() -> type[Settings]:
    """Return the model of a whole settings file: watcher's own sections and those of installed packages."""
    fields: dict[str, Any] = {}
    for name, section in load_plugin_sections().items():
        if name in Settings.model_fields:
            raise PluginError(f"the settings section [{name}] is watcher's own; a package cannot add it")
        default: object = section.default if issubclass(section, SettingsList) else {}
        words = (section.__doc__ or "").strip().partition("\n")[0]
        fields[name] = (section, Field(default=default, description=words))
    return create_model("Settings", __base__=Settings, **fields)


def cross_field_issues(data: Mapping[str, object]) -> Iterator[ValidationIssue]:
    """Yield the faults between fields of each section, and between sections."""
    yield from Settings.cross_field_issues(data, data)
    for name, field in settings_model().model_fields.items():
        section = field.annotation
        if name in data and isinstance(section, type) and issubclass(section, Checked):
            for fault in section.cross_field_issues(data[name], data):
                yield replace(fault, loc=(name, *fault.loc))


def locate_issues(faults: list[ValidationIssue], positions: Positions, path: Path) -> Iterator[Problem]:
    """Yield each fault with the place of its key or value."""
    for fault in faults:
        line, column = positions.key(fault.loc) if fault.at_key else positions.value(fault.loc)
        yield Problem(path=str(path), line=line, column=column, key=format_location(fault.loc), message=fault.message)


def format_location(loc: tuple[str | int, ...]) -> str:
    """Return a location as a person reads it: `sources[2].url`, counted from 1."""
    out = ""
    for part in loc:
        out += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if out else part
    return out or "settings"


def to_issues(error: ValidationError, model: type[BaseModel]) -> Iterator[ValidationIssue]:
    """Yield one fault for each error, its location as in the file."""
    for detail in error.errors(include_url=False):
        loc = tuple(part for part in detail["loc"] if part != "root")
        kind = detail["type"]
        if kind == "extra_forbidden":
            yield ValidationIssue(loc=loc, message=unknown_key_message(loc, model), at_key=True)
        elif kind == "missing":
            yield ValidationIssue(
                loc=loc, message=f"is missing{missing_key_hint(loc, model)}", at_key=True, missing=True
            )
        else:
            yield ValidationIssue(loc=loc, message=message_for(detail))


def message_for(detail: ErrorDetails) -> str:
    """Return got and expected for one error of a value."""
    context: dict[str, Any] = detail.get("ctx") or {}
    kind, got = detail["type"], detail["input"]
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        known = [part.strip("'") for part in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]
        choices = ", ".join(f'"{name}"' for name in known)
        return f"got {quote_value(got)}, expected one of {choices}{did_you_mean(str(got), known)}"
    template = EXPECTED.get(kind)
    expected = template.format(**context) if template else detail["msg"]
    return f"got {describe_value(got)}, expected {expected}"


def describe_value(value: object) -> str:
    """Return a value, or the kind of a large one."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return quote_value(value)


def unknown_key_message(loc: Loc, model: type[BaseModel]) -> str:
    """Return the message for a key that no model has: the key that is like it, here or in another table."""
    if len(loc) == 1 and loc[0] in REMOVED_TABLES:
        return f"this table has no effect any more and is to be removed: {REMOVED_TABLES[loc[0]]}"
    name, known = str(loc[-1]), allowed_keys(model_at(model, loc[:-1]))
    near = did_you_mean(name, known)
    if near:
        return f"unknown setting{near}"
    elsewhere = [table for table, fields in top_level_tables(model) if name in fields]
    if elsewhere:
        return f"unknown setting here; it belongs in {' or '.join(elsewhere)}"
    return f"unknown setting; known here: {', '.join(known)}"


def missing_key_hint(loc: Loc, model: type[BaseModel]) -> str:
    """Return what a missing key would say, from its line of help."""
    owner = model_at(model, loc[:-1])
    field = owner.model_fields.get(str(loc[-1])) if owner else None
    return f"; expected: {field.description}" if field and field.description else ""


def allowed_keys(model: type[BaseModel] | None) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items()) if model else ()


def top_level_tables(model: type[BaseModel]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each table of the top level as it is written, and its keys."""
    for name, field in model.model_fields.items():
        inner = inner_model(field.annotation)
        if inner:
            many = field.annotation is not inner
            yield f"[[{name}]]" if many else f"[{name}]", allowed_keys(inner)


def model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """Return the model of the table at `loc`, None if there is none."""
    found: type[BaseModel] | None = model
    for part in loc:
        if isinstance(part, int) or found is None:
            continue
        fields = {field.alias or name: field for name, field in found.model_fields.items()}
        found = inner_model(fields[part].annotation) if part in fields else None
    return found


def inner_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (any type form)
    """Return the model inside a type: itself, of a list's rows, or of an optional."""
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return inner_model(annotation.model_fields["root"].annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = get_origin(annotation)
    if origin in (tuple, list, Annotated, Union, types.UnionType):
        inner: Iterable[Any] = get_args(annotation)
        return next((found for item in inner if (found := inner_model(item))), None)
    return None
