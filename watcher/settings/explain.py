"""A validation error in a person's words: what was got, what was expected, "did you mean"."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from watcher.settings.section import Fault, Loc
from watcher.settings.values import hint, shown

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
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
}


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    """Yield one fault for each error, its location as in the file."""
    for detail in error.errors(include_url=False):
        loc = tuple(part for part in detail["loc"] if part != "root")
        kind = detail["type"]
        if kind == "extra_forbidden":
            yield Fault(loc=loc, message=unknown(loc, model), at_key=True)
        elif kind == "missing":
            yield Fault(loc=loc, message=f"is missing{needed(loc, model)}", at_key=True, missing=True)
        else:
            yield Fault(loc=loc, message=words(detail))


def words(detail: ErrorDetails) -> str:
    """Return got and expected for one error of a value."""
    context: dict[str, Any] = detail.get("ctx") or {}
    kind, got = detail["type"], detail["input"]
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        known = [part.strip("'") for part in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]
        choices = ", ".join(f'"{name}"' for name in known)
        return f"got {shown(got)}, expected one of {choices}{hint(str(got), known)}"
    template = EXPECTED.get(kind)
    expected = template.format(**context) if template else detail["msg"]
    return f"got {described(got)}, expected {expected}"


def described(value: object) -> str:
    """Return a value, or the kind of a large one."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return shown(value)


def unknown(loc: Loc, model: type[BaseModel]) -> str:
    """Return the message for a key that no model has: the key that is like it, here or in another table."""
    name, known = str(loc[-1]), names(model_at(model, loc[:-1]))
    near = hint(name, known)
    if near:
        return f"unknown setting{near}"
    elsewhere = [table for table, fields in tables(model) if name in fields]
    if elsewhere:
        return f"unknown setting here; it belongs in {' or '.join(elsewhere)}"
    return f"unknown setting; known here: {', '.join(known)}"


def needed(loc: Loc, model: type[BaseModel]) -> str:
    """Return what a missing key would say, from its line of help."""
    owner = model_at(model, loc[:-1])
    field = owner.model_fields.get(str(loc[-1])) if owner else None
    return f"; expected: {field.description}" if field and field.description else ""


def names(model: type[BaseModel] | None) -> tuple[str, ...]:
    """Return the keys that a table may have, as they stand in a file."""
    return tuple(field.alias or name for name, field in model.model_fields.items()) if model else ()


def tables(model: type[BaseModel]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each table of the top level as it is written, and its keys."""
    for name, field in model.model_fields.items():
        inner = part_of(field.annotation)
        if inner:
            many = field.annotation is not inner
            yield f"[[{name}]]" if many else f"[{name}]", names(inner)


def model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """Return the model of the table at `loc`, None if there is none."""
    found: type[BaseModel] | None = model
    for part in loc:
        if isinstance(part, int) or found is None:
            continue
        fields = {field.alias or name: field for name, field in found.model_fields.items()}
        found = part_of(fields[part].annotation) if part in fields else None
    return found


def part_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (any type form)
    """Return the model inside a type: itself, of a list's rows, or of an optional."""
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return part_of(annotation.model_fields["root"].annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = get_origin(annotation)
    if origin in (tuple, list, Annotated, Union, types.UnionType):
        inner: Iterable[Any] = get_args(annotation)
        return next((found for item in inner if (found := part_of(item))), None)
    return None
