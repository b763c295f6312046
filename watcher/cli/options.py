"""Functions that commands share: common options, loading of settings, parsing of times, closing the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import BadParameter, Option

from watcher.cli.commands import SESSION
from watcher.errors import SettingsError
from watcher.settings.load import CONFIG_VARIABLE, find_settings, load_settings_file, settings_model
from watcher.settings.models import Settings
from watcher.settings.types import parse_duration
from watcher.text.timestamps import parse_iso_time

if TYPE_CHECKING:
    from sqlalchemy import Engine

Config = Annotated[
    Path | None,
    Option("--config", help="Settings file; by default ./settings.toml or the one in the XDG config folder."),
]
Json = Annotated[bool, Option("--json", help="Print JSON.")]
Yes = Annotated[bool, Option("--yes", help="Use the store even if it was last used with another settings file.")]


def load_settings(config: Path | None) -> Settings:
    """Load the file at `settings_path(config)`. Errors: SettingsError, PluginError."""
    return load_settings_file(settings_path(config))


def settings_path(config: Path | None) -> Path:
    """Return `config`, else the `--config` before the command, else as `find_settings`. Errors: SettingsError."""
    return find_settings(config or SESSION.config)


def parse_time_option(text: str | None, *, option: str, now: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment of a duration before `now`, or of a date, in `zone` if it has none. Errors: BadParameter."""
    if text is None:
        return None
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_iso_time(text.strip(), zone=zone)
    except ValueError as error:
        expected = 'a duration such as "2d", or a date such as 2026-11-24 or 2026-11-24T06:30'
        raise BadParameter(f"got {text!r}, expected {expected}", param_hint=option) from error


def settings_or_defaults(config: Path | None) -> Settings:
    """Load the settings; return the defaults if no file is named and none is in the usual places."""
    if config is None and SESSION.config is None and not os.environ.get(CONFIG_VARIABLE):
        try:
            find_settings()
        except SettingsError:
            return settings_model()()
    return load_settings(config)


@contextmanager
def closing_store(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()
