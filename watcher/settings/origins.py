"""Each value of the settings with where it comes from: a line of the file, or the default; secrets stay hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic.fields import FieldInfo

from watcher.settings.model import Settings, hide_password
from watcher.settings.positions import Positions
from watcher.settings.reference import default, kind, toml
from watcher.settings.secrets import Secret
from watcher.settings.section import Loc, Part, Rows
from watcher.settings.syntax import read
from watcher.settings.values import format_size

HIDDEN = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A setting: its table ("[poll]", "[[digests]] 1"), its name, its value as TOML, its line; None: the default."""

    table: str
    name: str
    value: str
    line: int | None


def origins(settings: Settings, text: str) -> Iterator[Value]:
    """Yield each setting of the file `text`, in the order of the models; tables that it does not have with defaults."""
    found = read(text)
    yield from of_part(settings, found.data, Positions(found.sound), ())


def of_part(part: Part, data: object, places: Positions, loc: Loc) -> Iterator[Value]:
    """Yield the settings of a table, then those of the tables in it."""
    given = data if isinstance(data, Mapping) else {}
    inner: list[Iterator[Value]] = []
    for name, field in type(part).model_fields.items():
        key, value = field.alias or name, getattr(part, name)
        here = (*loc, key)
        rows = value.root if isinstance(value, Rows) else value
        if isinstance(value, Part):
            inner.append(of_part(value, given.get(key), places, here))
        elif isinstance(rows, tuple) and any(isinstance(row, Part) for row in rows):
            raw = given.get(key)
            listed = raw if isinstance(raw, list) else [None] * len(rows)
            inner += [of_part(row, listed[n], places, (*here, n)) for n, row in enumerate(rows)]
        elif loc:
            line = places.key(here)[0] if key in given else None
            yield Value(table=table_of(loc), name=key, value=shown(value, field), line=line)
    for more in inner:
        yield from more


def table_of(loc: Loc) -> str:
    """Return the heading of a table, and which one of a list: "[semantic.endpoint]", "[[digests]] 2"."""
    names = ".".join(str(part) for part in loc if isinstance(part, str))
    numbers = ".".join(str(part + 1) for part in loc if isinstance(part, int))
    heading = f"[[{names}]]" if isinstance(loc[-1], int) else f"[{names}]"
    return f"{heading} {numbers}".rstrip()


def shown(value: object, field: FieldInfo) -> str:
    """Return a value as TOML writes it; what is secret is hidden, and the place of a secret is not."""
    if value is None:
        return default(field, None).strip("`") or "none"
    if isinstance(value, Secret):
        return toml(str(value))
    if isinstance(value, str) and "://" in value and not field.repr:
        return toml(hide_password(value) if field.default_factory else HIDDEN)
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{toml(key)} = {toml(each)}' for key, each in value.items())} }}" if value else "{}"
    if kind(field, None) == "size" and isinstance(value, int):
        return toml(format_size(value))
    return toml(str(value) if isinstance(value, Path) else value)
