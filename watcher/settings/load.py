"""Finds and loads a settings file: returns typed settings, or raises one error with all faults and their lines."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, RootModel, Tag, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from watcher.errors import PluginError, Problem, SettingsError
from watcher.plugins import load_plugins
from watcher.settings.base import TAG_PREFIX, UNKNOWN_KIND, Checked, SettingsList, ValidationIssue
from watcher.settings.models import Settings, xdg_folder
from watcher.settings.toml_syntax import Loc, Positions, parse_with_recovery
from watcher.settings.types import quote_value
from watcher.text.format import did_you_mean

SETTINGS_ENTRY_POINTS = "watcher.settings"  # entry points: name = the key in the file, value = "module:Model"
FILE_NAME = "settings.toml"
CONFIG_VARIABLE = "WATCHER_CONFIG"
MAX_SETTINGS_BYTES = 4 * 1024 * 1024  # a settings file with ten thousand sources is a quarter of this

# Tables of versions before 0.1.0, and why they were removed.
REMOVED_TABLES = {"grouping": "a window of any size is grouped as a whole"}


def load_settings_file(path: Path) -> Settings:
    """Return the settings of a file, with absolute paths. Errors: SettingsError with all faults; PluginError."""
    return parse_settings(read_file(path), path)


def find_settings(explicit: Path | None = None) -> Path:
    """Return `explicit`, else `$WATCHER_CONFIG`, else the file here or in the XDG folder. Errors: SettingsError."""
    if chosen := explicit or os.environ.get(CONFIG_VARIABLE):
        path = Path(chosen)
        places = [path / FILE_NAME if path.is_dir() else path]
        words = f"{places[0]}: no such file"
    else:
        folder = xdg_folder("XDG_CONFIG_HOME", ".config")
        places = [Path(FILE_NAME), folder / FILE_NAME]
        words = f"no {FILE_NAME} here or in {folder}"
    for place in places:
        if place.exists() and not place.is_dir():
            return place
    raise SettingsError((), words, hint="watcher init writes one; --config names a file elsewhere")


def read_file(path: Path) -> str:
    """Return the text of a settings file without byte order mark. Errors: SettingsError, also if it is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SETTINGS_BYTES + 1)
    except OSError as error:
        raise SettingsError((), f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_SETTINGS_BYTES:
        raise SettingsError((), f"{path}: larger than {MAX_SETTINGS_BYTES // 2**20} MiB, so it is not a settings file")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8", errors="replace")
        line, column = good.count("\n") + 1, len(good.rpartition("\n")[2]) + 1
        words = f"got the byte 0x{data[error.start]:02x}, expected UTF-8 text"
        raise SettingsError((Problem(path=str(path), line=line, column=column, key="text", message=words),)) from None


def parse_settings(text: str, path: Path) -> Settings:
    """Return the settings in `text`, read as the file at `path`. Errors: as `load_settings_file`."""
    document = parse_with_recovery(text, str(path))
    problems = list(document.faults)
    model, settings, faults = settings_model(), None, list(_cross_field_issues(document.data))
    try:
        settings = model.model_validate(document.data, context={"folder": path.absolute().parent})
    except ValidationError as error:
        faults += to_issues(error, model)
    if document.faults:  # a missing key may be in a line that could not be parsed
        faults = [fault for fault in faults if not fault.missing]
    if faults:
        problems += locate_issues(faults, Positions(document.sound), path)
    if problems or settings is None:
        raise SettingsError(tuple(sorted(set(problems), key=lambda p: (p.line, p.column, p.key, p.message))))
    settings._path = path.absolute()
    settings._file_hash = _hash_text(text)
    return settings


def _hash_text(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file_state(path: Path) -> str:
    """Return the hash of a settings file, equal to that of its settings; why it cannot be read, if so."""
    try:
        return _hash_text(read_file(path))
    except SettingsError as error:
        return str(error)


@cache
def settings_model() -> type[Settings]:
    """Return the model of a settings file: watcher's sections and those of plug-ins. Errors: PluginError."""
    fields: dict[str, Any] = {}
    for name, section in load_plugins(SETTINGS_ENTRY_POINTS, "the settings section of"):
        if not (isinstance(section, type) and issubclass(section, Checked)):
            raise PluginError(f"the settings section [{name}]: {section!r} is not a SettingsModel or SettingsList")
        if name in Settings.model_fields:
            raise PluginError(f"the settings section [{name}] is watcher's own; a package cannot add it")
        default: object = section.default if issubclass(section, SettingsList) else {}
        words = (section.__doc__ or "").strip().partition("\n")[0]
        fields[name] = (section, Field(default=default, description=words))
    return create_model("Settings", __base__=Settings, **fields)


def _cross_field_issues(data: Mapping[str, object]) -> Iterator[ValidationIssue]:
    """Yield the faults that only several settings together show; `data` is the parsed file."""
    yield from Settings.cross_field_issues(data, data)
    for name, field in settings_model().model_fields.items():
        section = field.annotation
        if name in data and isinstance(section, type) and issubclass(section, Checked):
            for fault in section.cross_field_issues(data[name], data):
                yield replace(fault, loc=(name, *fault.loc))


def locate_issues(faults: list[ValidationIssue], positions: Positions, path: Path) -> Iterator[Problem]:
    for fault in faults:
        line, column = positions.key(fault.loc) if fault.at_key else positions.value(fault.loc)
        yield Problem(path=str(path), line=line, column=column, key=format_location(fault.loc), message=fault.message)


def format_location(loc: Loc) -> str:
    """Return a location as text: `sources[2].url`, with list indexes counted from 1."""
    out = ""
    for part in loc:
        out += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if out else part
    return out or "settings"


def to_issues(error: ValidationError, model: type[BaseModel]) -> Iterator[ValidationIssue]:
    """Yield one issue for each validation error, with its location in the file."""
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"] if part != "root")
        loc = tuple(part for part in path if not _is_tag(part))
        match detail["type"]:
            case "extra_forbidden":
                yield ValidationIssue(loc=loc, message=_unknown_key_message(path, model), at_key=True)
            case "missing" if kind := _kind_of(path[:-1]):
                message = f"got {quote_value(kind[1])} without {loc[-1]}; expected one"
                yield ValidationIssue(loc=(*loc[:-1], kind[0]), message=message, missing=True)
            case "missing":
                field = _fields_at(model, path[:-1]).get(str(loc[-1]))
                message = f"is missing; expected: {field.description}" if field else "is missing"
                yield ValidationIssue(loc=loc, message=message, at_key=True, missing=True)
            case kind_error if kind_error == UNKNOWN_KIND:
                yield _unknown_kind_issue(loc, detail)
            case _:
                yield ValidationIssue(loc=loc, message=_message_for(detail))


def _is_tag(part: int | str) -> bool:
    return isinstance(part, str) and part.startswith(TAG_PREFIX)


def _kind_of(path: Loc) -> tuple[str, str] | None:
    """Return key and value that chose the model of the table at `path`; None if its place alone decides."""
    key, is_kind, value = str(path[-1] if path else "").removeprefix(TAG_PREFIX).partition("=")
    return (key, value) if path and _is_tag(path[-1]) and is_kind else None


def _unknown_kind_issue(loc: Loc, detail: ErrorDetails) -> ValidationIssue:
    """Return the issue for a table that lacks the key that says what it is, or has an unknown value there."""
    context, table = detail["ctx"], detail["input"]
    key, known = context["key"], context["expected"].split(", ")
    if key in table:
        return ValidationIssue(loc=(*loc, key), message=_unknown_choice_message(table[key], known))
    choices = ", ".join(f'"{name}"' for name in known)
    return ValidationIssue(loc=(*loc, key), message=f"is missing; expected one of {choices}", at_key=True, missing=True)


@cache
def expected_values() -> dict[str, str]:
    """Return what is expected instead of a wrong value, by pydantic's type of error."""
    return tomllib.loads(Path(__file__).with_name("expected.toml").read_text("utf-8"))


def _message_for(detail: ErrorDetails) -> str:
    """Return what pydantic says about a wrong value, in our words: what was given, and what is expected."""
    context: dict[str, Any] = detail.get("ctx") or {}
    kind, got = detail["type"], detail["input"]
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        known = [part.strip("'") for part in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]
        return _unknown_choice_message(got, known)
    expected = expected_values()[kind].format(**context) if kind in expected_values() else detail["msg"]
    match got:
        case dict():
            return f"got a table, expected {expected}"
        case list() | tuple():
            return f"got {'a list' if got else 'an empty list'}, expected {expected}"
        case _:
            return f"got {quote_value(got)}, expected {expected}"


def _unknown_choice_message(got: object, known: list[str]) -> str:
    choices = ", ".join(f'"{name}"' for name in known)
    return f"got {quote_value(got)}, expected one of {choices}{did_you_mean(str(got), known)}"


def _unknown_key_message(path: Loc, model: type[BaseModel]) -> str:
    """Return the message for an unknown key: it suggests a similar key here, or the table that has this key."""
    if len(path) == 1 and path[0] in REMOVED_TABLES:
        return f"this table has no effect any more, remove it: {REMOVED_TABLES[path[0]]}"
    name, known = str(path[-1]), _fields_at(model, path[:-1])
    if kind := _kind_of(path[:-1]):
        kinds = _tagged_types(_type_at(model, path[:-2])).items()
        others = [quote_value(tag.partition("=")[2]) for tag, each in kinds if name in _fields_of(_inner_model(each))]
        if others:
            return f"belongs to {kind[0]} = {' or '.join(others)}, not {quote_value(kind[1])}"
    if near := did_you_mean(name, known):
        return f"unknown setting{near}"
    tables = {key: _inner_model(field.annotation) for key, field in _fields_of(model).items()}
    elsewhere = [
        f"[{key}]" if _fields_of(model)[key].annotation is table else f"[[{key}]]"
        for key, table in tables.items()
        if name in _fields_of(table)
    ]
    if elsewhere:
        return f"unknown setting here; it belongs in {' or '.join(elsewhere)}"
    return f"unknown setting; known here: {', '.join(known)}"


def _fields_at(model: type[BaseModel], path: Loc) -> dict[str, FieldInfo]:
    """Return the fields of the table at `path` by key; empty if there is no table."""
    return _fields_of(_inner_model(_type_at(model, path)))


def _type_at(model: type[BaseModel], path: Loc) -> Any:  # noqa: ANN401 (any type form)
    """Return the type of what is at `path`, which has the tags of unions too; None if nothing is there."""
    annotation: Any = model
    for part in path:
        if _is_tag(part):
            annotation = _tagged_types(annotation).get(str(part))
        elif isinstance(part, str):
            field = _fields_of(_inner_model(annotation)).get(part)
            annotation = field.annotation if field else None
    return annotation


def _tagged_types(annotation: Any) -> dict[str, Any]:  # noqa: ANN401 (any type form)
    """Return the members of the tagged union in a type, by tag."""
    inner, *others = get_args(annotation) or (None,)
    if tag := next((other.tag for other in others if isinstance(other, Tag)), None):
        return {tag: inner}
    return {tag: each for item in get_args(annotation) for tag, each in _tagged_types(item).items()}


def _fields_of(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()} if model else {}


def _inner_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (any type form)
    """Return the model in a type: the type itself, that of list items, or that of an optional; None without one."""
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return _inner_model(annotation.model_fields["root"].annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for item in get_args(annotation) if (model := _inner_model(item))), None)
