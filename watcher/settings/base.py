"""The base models of settings, and functions that their checks share."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Union

from pydantic import BaseModel, ConfigDict, Discriminator, RootModel, Tag
from pydantic.fields import FieldInfo

from watcher.settings.toml_syntax import Loc

TAG_PREFIX = "tag:"  # of a union's tags, which pydantic puts into the locations of errors
UNKNOWN_KIND = "unknown_kind"  # the type of the error for a table whose kind no model has


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationIssue:
    """A fault at one location of a settings file; `at_key`: the fault is in the key, not in the value."""

    loc: Loc
    message: str
    at_key: bool = False
    missing: bool = False  # a required key is missing; it may be in a line that could not be parsed


class Checked:
    """A part of the settings with checks of its own."""

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """
        Yield the faults that involve several fields or rows of this part; `data` holds its raw values.

        Called even if single fields are invalid, so that one load reports all faults. `document` is the whole file.
        Locations are relative to this part.
        """
        return ()


class SettingsModel(Checked, BaseModel):
    """A table of the settings, or one row of a list of tables."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


class SettingsList(Checked, RootModel[tuple[Any, ...]]):
    """A list of tables. A subclass narrows `root` to `tuple[SomeModel, ...]`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    default: ClassVar[tuple[Mapping[str, object], ...]] = ()  # the raw value of a file without the list


def settings_in(part: SettingsModel) -> Iterator[tuple[Loc, object, FieldInfo]]:
    """Yield location, value and field of each setting and table in `part`; a list of tables yields each table."""
    for name, field in type(part).model_fields.items():
        key, value = field.alias or name, getattr(part, name)
        rows = value.root if isinstance(value, SettingsList) else value
        if isinstance(rows, tuple) and any(isinstance(row, SettingsModel) for row in rows):
            yield from (((key, n), row, field) for n, row in enumerate(rows))
        else:
            yield (key,), value, field


def union_by(key: str, models: Mapping[str, type[SettingsModel]]) -> Any:  # noqa: ANN401 (a type form)
    """
    Return the type of a table that is read as one of `models`: the one that the value of its `key` names.

    A fault in the table is reported as the fault of any other; a key that only other models have, with their names.
    """

    def find_tag(table: object) -> str | None:
        if not isinstance(table, Mapping | SettingsModel):
            return tags[0]  # its model says that it is no table
        kind = table.get(key) if isinstance(table, Mapping) else getattr(table, key, None)
        return f"{TAG_PREFIX}{key}={kind}" if isinstance(kind, str) and kind in models else None

    tags = [f"{TAG_PREFIX}{key}={kind}" for kind in models]
    members = tuple(Annotated[model, Tag(tag)] for tag, model in zip(tags, models.values(), strict=True))
    discriminator = Discriminator(
        find_tag,
        custom_error_type=UNKNOWN_KIND,
        custom_error_message="unknown kind of table",
        custom_error_context={"key": key, "expected": ", ".join(models)},
    )
    return Annotated[Union[members], discriminator]  # noqa: UP007 (built at run time)


def raw_rows(data: object) -> list[tuple[int, Mapping[str, object]]]:
    """Return the tables in a raw list, each with its index; other items are left out."""
    rows = data if isinstance(data, list | tuple) else ()
    return [(n, row) for n, row in enumerate(rows) if isinstance(row, Mapping)]


def find_duplicates(
    data: object, field: str, *, what: str, normal: Callable[[str], str] = str, missing: str | None = None
) -> Iterable[ValidationIssue]:
    """Yield an issue for each row whose `field` (or `missing`) equals that of an earlier row after `normal`."""
    seen: dict[str, int] = {}
    for n, row in raw_rows(data):
        value = row.get(field, missing)
        if not isinstance(value, str):
            continue
        first = seen.setdefault(normal(value), n)
        if first != n:
            message = f'got "{value}", the same {what} as in entry {first + 1}; expected each once'
            yield ValidationIssue(loc=(n, field) if field in row else (n,), message=message)
