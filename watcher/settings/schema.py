"""The JSON schema of a settings file, for editors; `docs/settings.schema.json` is `watcher settings schema`."""

from __future__ import annotations

import types
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from watcher.settings.explain import part_of
from watcher.settings.load import settings_model
from watcher.settings.reference import kind
from watcher.settings.secrets import Secret

DRAFT = "http://json-schema.org/draft-07/schema#"  # the one that editors of TOML know
TEXTS: dict[Any, dict[str, str]] = {
    timedelta: {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*[a-z]+\s*)+$"},
    time: {"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*$"},
    Path: {"type": "string"},
    str: {"type": "string"},
    Secret: {"type": "string", "pattern": "^(env|file):.+"},
}
SIZE = {"anyOf": [{"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[A-Za-z]+\s*$"}, {"type": "integer", "minimum": 0}]}
BOUNDS = {Ge: ("minimum", "ge"), Le: ("maximum", "le")}
LENGTHS = {MinLen: ("min", "min_length"), MaxLen: ("max", "max_length")}


def schema() -> dict[str, Any]:
    """Return the schema of a whole file: watcher's own sections and those of installed packages."""
    return {"$schema": DRAFT, "title": "Settings of Watcher", **table(settings_model())}


def table(part: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a table: the names it knows, and no others."""
    fields = {field.alias or name: field for name, field in part.model_fields.items()}
    found: dict[str, Any] = {
        "type": "object",
        "properties": {key: one(field) for key, field in fields.items()},
        "additionalProperties": False,
    }
    needed = [key for key, field in fields.items() if field.is_required()]
    return found | ({"required": needed} if needed else {})


def one(field: FieldInfo) -> dict[str, Any]:
    """Return the schema of a setting, with its line of help."""
    nested = part_of(field.annotation)
    words = {"description": field.description} if field.description else {}
    if nested is not None:
        inner = table(nested)
        return words | (
            {"type": "array", "items": inner} if field.annotation is not nested and is_list(field) else inner
        )
    if kind(field, None) == "size":
        return words | SIZE
    found = of_type(field.annotation, field.metadata)
    value = field.default
    if isinstance(value, bool | int | str) and value != "" and not isinstance(value, Path):
        found |= {"default": value}
    return words | found


def is_list(field: FieldInfo) -> bool:
    """Whether a setting is a list of tables."""
    annotation = field.annotation
    return (
        get_origin(annotation) is tuple
        or hasattr(annotation, "root")
        or "root" in getattr(annotation, "model_fields", {})
    )


def of_type(annotation: Any, metadata: list[Any]) -> dict[str, Any]:  # noqa: ANN401 (any type form)
    """Return the schema of a type with what bounds it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return of_type(arguments[0], [*arguments[1:], *metadata])
    if origin in (Union, types.UnionType):
        forms = [of_type(each, metadata) for each in arguments if each is not type(None)]
        unlike = [form for n, form in enumerate(forms) if form not in forms[:n]]
        return unlike[0] if len(unlike) == 1 else {"anyOf": unlike}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": of_type(arguments[0], [])} | bounded(metadata, "Items")
    if origin is dict:
        return {"type": "object", "additionalProperties": of_type(arguments[1], [])}
    if annotation is bool:
        return {"type": "boolean"}
    if annotation in (int, float):
        return {"type": "integer" if annotation is int else "number"} | bounded(metadata, "")
    found = dict(TEXTS.get(annotation, {"type": "string"}))
    return found | (bounded(metadata, "Length") if annotation is str else {})


def bounded(metadata: list[Any], of: str) -> dict[str, Any]:
    """Return the bounds that stand beside a type: of a number, or of the length of a text or list."""
    found: dict[str, Any] = {}
    for item in metadata:
        for each in (item, *getattr(item, "metadata", ())):
            if not of and type(each) in BOUNDS:
                name, attribute = BOUNDS[type(each)]
                found[name] = getattr(each, attribute)
            if of and type(each) in LENGTHS:
                name, attribute = LENGTHS[type(each)]
                found[f"{name}{of}"] = getattr(each, attribute)
    return found
