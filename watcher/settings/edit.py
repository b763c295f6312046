"""Edits a settings file as text and keeps all comments (docs/decisions/0002); compares settings after a reload."""

import json
import os
import re
import secrets
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path

from pydantic import ValidationError

from watcher.errors import SettingsError
from watcher.settings.base import SettingsModel, settings_in
from watcher.settings.load import format_location, parse_settings, read_file, to_issues
from watcher.settings.models import Settings, SourceSettings
from watcher.settings.toml_syntax import Positions
from watcher.settings.types import format_duration_setting
from watcher.text.format import escape_control_characters
from watcher.text.urls import normalize_url

SOURCES_KEY = "sources"
ENABLED_LINE = re.compile(r"""^\s*(?:enabled|"enabled"|'enabled')\s*=\s*(?:true|false)""")


def source_row(**fields: object) -> SourceSettings:
    """Return a validated row of `[[sources]]`. Errors: SettingsError that names each invalid field."""
    stated = {key: value for key, value in fields.items() if value not in (None, "", (), {})}
    try:
        return SourceSettings.model_validate(stated)
    except ValidationError as error:
        faults = to_issues(error, SourceSettings)
        words = "; ".join(f"{format_location(fault.loc)}: {fault.message}" for fault in faults)
        raise SettingsError((), words) from None


def add_source_row(path: Path, row: SourceSettings) -> tuple[Settings, SourceSettings | None]:
    """
    Add a source to the settings file at `path`, unless it has one with this feed.

    Return the settings of the file then, and the row that was there before. Errors: as `save_rows`.
    """
    text, settings = read_for_edit(path)
    known = sources_by_key(settings).get(normalize_url(row.url))
    return (settings, known) if known else (save_rows(path, text, [row]), None)


def sources_by_key(settings: Settings) -> dict[str, SourceSettings]:
    """Return the rows of the settings by normalised URL."""
    return {normalize_url(row.url): row for row in settings.sources}


def save_rows(path: Path, text: str, rows: Sequence[SourceSettings]) -> Settings:
    """Add `rows` to the settings file at `path`, whose current text is `text`. Errors: SettingsError."""
    positions = Positions(text)
    # TOML does not allow [[sources]] tables in addition to an inline list `sources = […]`.
    if SOURCES_KEY in tomllib.loads(text) and (SOURCES_KEY, 0) not in positions.spans:
        line, column = positions.key((SOURCES_KEY,))
        words = f"{path}:{line}:{column}: the sources are one list, sources = […], which only you can edit"
        hint = "write each source as a separate table, [[sources]]"
        if len(rows) == 1:
            hint = f"add this to the list: {{ {', '.join(row_lines(rows[0])[1:])} }}"
        raise SettingsError((), words, hint=hint)
    return save_settings(path, _add_sources(text, rows))


def _add_sources(text: str, rows: Sequence[SourceSettings]) -> str:
    """Return `text` with `rows` inserted after its last source, or at the end if it has no source."""
    if not rows:
        return text
    positions = Positions(text)
    last = 0
    while span := positions.spans.get((SOURCES_KEY, last)):
        end, last = span[1], last + 1
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    at = end if last else len(lines)
    new = [line for row in rows for line in ("", *row_lines(row))]
    follow = [""] if at < len(lines) and lines[at].strip() else []
    return "\n".join([*lines[:at], *new, *follow, *lines[at:]]).lstrip("\n") + "\n"


def remove_source(text: str, index: int) -> str:
    """Return `text` without source number `index` (from 0); comments around it are kept. Errors: as `_source_span`."""
    start, last = _source_span(Positions(text), index)
    lines, first = text.split("\n"), start - 1
    if last < len(lines) and not lines[last].strip() and (first == 0 or not lines[first - 1].strip()):
        last += 1  # of two blank lines around the source, keep one
    return "\n".join([*lines[:first], *lines[last:]])


def switch_source(text: str, index: int, *, enabled: bool) -> str:
    """Return `text` with source number `index` (from 0) enabled or disabled. Errors: as `_source_span`."""
    positions = Positions(text)
    first, last = _source_span(positions, index)
    lines = text.split("\n")
    line = positions.key((SOURCES_KEY, index, "enabled"))[0]
    # The position is that of the table if the source has no such key.
    if ENABLED_LINE.match(lines[line - 1]) and first < line <= last:
        lines[line - 1] = ENABLED_LINE.sub(f"enabled = {to_toml(enabled)}", lines[line - 1])
    elif not enabled:
        lines.insert(last, "enabled = false")
    return "\n".join(lines)


def _source_span(positions: Positions, index: int) -> tuple[int, int]:
    """Return the first and last line (from 1) of a source. Errors: SettingsError if it is an inline table."""
    if span := positions.spans.get((SOURCES_KEY, index)):
        return span
    raise SettingsError((), "the sources are one list of inline tables, which only you can edit")


def row_lines(row: SourceSettings) -> list[str]:
    """Return the lines of a `[[sources]]` table; fields that have their default value are left out."""
    lines = [f"[[{SOURCES_KEY}]]"]
    for name, field in SourceSettings.model_fields.items():
        value = getattr(row, name)
        if field.is_required() or value != field.default:
            lines.append(f"{name} = {to_toml(value)}")
    return lines


def to_toml(value: object) -> str:
    """Return a value as TOML."""
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, timedelta):
        return _quote_toml(format_duration_setting(value))
    if isinstance(value, time):
        return _quote_toml(f"{value:%H:%M}")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return f"[{', '.join(to_toml(item) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{to_toml(key)} = {to_toml(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return _quote_toml(str(value))


def _quote_toml(text: str) -> str:
    """Return a basic TOML string. Its escapes are those of JSON; control and direction characters are escaped too."""
    return escape_control_characters(json.dumps(text, ensure_ascii=False))


def save_settings(path: Path, text: str) -> Settings:
    """Check `text`, write it to the file and return its settings. Errors: SettingsError; then nothing is written."""
    settings = parse_settings(text, path)
    write_file(path, text)
    return settings


def write_file(path: Path, text: str, *, private: bool = False) -> None:
    """Replace the file at `path` by `text` atomically; keep its mode (600 if `private`), line ends and links to it."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        is_there = target.exists()
        line_end = "\r\n" if is_there and b"\r\n" in target.read_bytes() else "\n"
        with temporary.open("x", encoding="utf-8", newline=line_end) as file:
            if is_there or private:
                temporary.chmod(0o600 if private else target.stat().st_mode & 0o7777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise SettingsError((), f"{path}: cannot be written: {error.strerror}") from error


def read_for_edit(path: Path) -> tuple[str, Settings]:
    text = read_file(path)
    return text, parse_settings(text, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsDiff:
    """URLs of sources, and names of other settings that differ ("poll.every", "digests.world.at"); no values."""

    sources_added: tuple[str, ...] = ()
    sources_removed: tuple[str, ...] = ()
    sources_changed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def diff_settings(before: Settings, after: Settings) -> SettingsDiff:
    """Return the differences from `before` to `after`. A disabled source counts as removed."""
    old = {row.url: row for row in before.sources if row.enabled}
    new = {row.url: row for row in after.sources if row.enabled}
    return SettingsDiff(
        sources_added=tuple(url for url in new if url not in old),
        sources_removed=tuple(url for url in old if url not in new),
        sources_changed=tuple(url for url, row in new.items() if url in old and old[url] != row),
        settings=tuple(name for name in _changed_names(before, after) if name.partition(".")[0] != SOURCES_KEY),
    )


def _changed_names(before: SettingsModel, after: SettingsModel) -> Iterator[str]:
    """Yield the dotted names of settings that differ; a table in a list is named by its `name` or its number."""
    was, now = _settings_by_name(before), _settings_by_name(after)
    for name in {**was, **now}:
        old, new = was.get(name, ...), now.get(name, ...)
        if isinstance(old, SettingsModel) and isinstance(new, SettingsModel):
            yield from (f"{name}.{inner}" for inner in _changed_names(old, new))
        elif old != new:
            yield name


def _settings_by_name(part: SettingsModel) -> dict[str, object]:
    values = {}
    for (key, *number), value, _ in settings_in(part):
        names = [getattr(value, "name", None) or str(int(n) + 1) for n in number]
        values[".".join((str(key), *names))] = value
    return values
