"""`watcher init` and `watcher settings`: write a settings file, and show it with the origin of each value."""

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import time, timedelta
from functools import partial
from importlib.resources import files
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from shlex import quote
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import ByteSize
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema
from typer import Argument, BadParameter, Option, prompt
from tzlocal import get_localzone_name

from watcher.cli.commands import DONE, SESSION, USAGE
from watcher.cli.options import Config, Json, load_settings, settings_path
from watcher.cli.output import print_err, print_json, print_lines, print_result
from watcher.errors import SettingsError
from watcher.settings.base import SettingsModel, settings_in
from watcher.settings.edit import to_toml, write_file
from watcher.settings.load import find_settings, parse_settings, read_file, settings_model
from watcher.settings.models import hide_password
from watcher.settings.toml_syntax import Loc, Positions
from watcher.settings.types import format_size, quote_value

# Names of UTC in the table of time zones. A server is often in UTC, and its reader elsewhere.
UTC_ZONES = frozenset(
    {"UTC", "UCT", "GMT", "Zulu", "Universal", "Etc/UTC", "Etc/UCT", "Etc/GMT", "Etc/Zulu", "Etc/Universal"}
)
QUESTIONS = {
    "contact": "Your mail address or web page, shown to publishers (may be empty)",
    "language": "Language of the digest: ar, de, en, es, fr, it, pt, ru, uk, zh, or another for headlines only;"
    " empty for English (en)",
    "timezone": "Your time zone, such as Europe/Berlin; empty for UTC",
}
FIRST_SOURCES = "# --- Europe ---\n"  # the heading of the first sources in the starter file
STARTER_TITLES = {  # of the digest
    "ar": "أخبار العالم",
    "de": "Nachrichten aus der Welt",
    "es": "Noticias del mundo",
    "fr": "Nouvelles du monde",
    "it": "Notizie dal mondo",
    "pt": "Notícias do mundo",
    "ru": "Новости мира",
    "uk": "Новини світу",
    "zh": "世界新闻",
}
CONTACT = re.compile(
    r"\A(?:[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+|https?://[^\s/.]+(?:\.[^\s/.]+)+(?:/\S*)?)\Z", re.IGNORECASE
)
DRAFT = "http://json-schema.org/draft-07/schema#"  # the one that editors of TOML know


def init(
    path: Annotated[Path | None, Argument(help="File or folder to write to; by default ./settings.toml.")] = None,
    contact: Annotated[str, Option(help="Your email address or web page, shown to publishers.")] = "",
    language: Annotated[str, Option(help='Language of the digest, such as "de".')] = "",
    timezone: Annotated[str, Option(help='Your time zone, such as "Europe/Berlin"; by default the machine\'s.')] = "",
    no_sources: Annotated[
        bool, Option("--no-sources", help="Write no sources: you add or import your own feeds next.")
    ] = False,
    force: Annotated[bool, Option("--force", help="Overwrite an existing file.")] = False,
    config: Config = None,
) -> int:
    """
    Write a starter settings.toml with about 40 sources of world news, or none, and a comment on each setting.

    On a terminal, the command asks for your contact address and your language, unless you give them as options, and for
    your time zone if the machine says UTC. In a script it asks nothing: without these options, the contact stays empty
    and the language is English.
    """
    target = path or config or SESSION.config or Path("settings.toml")
    if target.is_dir():
        target /= "settings.toml"
    if target.exists() and not force:
        print_err(f"{target} already exists; --force overwrites it")
        return USAGE
    text = _starter_settings()
    if no_sources:
        text = text.partition(FIRST_SOURCES)[0].rstrip() + "\n"
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    zone = timezone or _machine_zone()
    is_zone_known = bool(timezone) or zone not in UTC_ZONES
    for name, value in (("contact", contact), ("language", language), ("timezone", zone if is_zone_known else "")):
        take = partial(_fill_in, text, name)
        text = take(value) if value or not asks else prompt(QUESTIONS[name], "", show_default=False, value_proc=take)
    written = tomllib.loads(text)["digests"][0]
    text = _fill_in(text, "title", STARTER_TITLES.get(written.get("language", "en").partition("-")[0], ""))
    write_file(target, text)
    place = "" if is_found(target) else f" --config {quote(str(target))}"
    settings = parse_settings(text, target)
    count = len(settings.sources)
    sources = f"with {count} sources of world news" if count else "without sources"
    what = f"wrote {target} {sources}, for the time zone {written['timezone']}"
    missing = (
        [] if settings.fetch.contact else ["no contact is set: publishers cannot write to you (contact in [fetch])"]
    )
    adds = f"add feeds: watcher sources add{place} URL, or watcher sources import{place} FEEDS.opml"
    print_lines([what, *missing, *([] if count else [adds]), f"read the file, then run: watcher check{place}"])
    return DONE


def _fill_in(text: str, name: str, value: str) -> str:
    """Return the starter `text` with `value` as the setting `name`, unchanged if it is "". Errors: BadParameter."""
    if not value.strip():
        return text
    if name == "contact" and not CONTACT.match(value.strip()):
        message = f"got {quote_value(value)}, expected a mail address or a web page, such as you@example.org"
        raise BadParameter(message, param_hint="--contact")
    filled = re.sub(rf"(?m)^(?:# )?{name} = .*$", lambda _: f"{name} = {to_toml(value.strip())}", text, count=1)
    try:
        parse_settings(filled, Path("settings.toml"))
    except SettingsError as error:
        raise BadParameter(error.problems[0].message, param_hint=f"--{name}") from error
    return filled


def _machine_zone() -> str:
    """Return the name of this machine's time zone; "UTC" if it has none that is known."""
    try:
        return ZoneInfo(get_localzone_name() or "UTC").key
    except (LookupError, ValueError, OSError):
        return "UTC"


def is_found(path: Path) -> bool:
    """Whether commands use this settings file without `--config`."""
    try:
        return find_settings().samefile(path)
    except (SettingsError, OSError):
        return False


def _starter_settings() -> str:
    return files("watcher.settings").joinpath("starter.toml").read_text(encoding="utf-8")


def show_settings(
    changed: Annotated[bool, Option("--changed", help="Only what the file sets, no defaults.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Show each effective setting and its origin: a line of the file, or the default.

    For sources, only what the file sets is shown. Secrets are never shown, only their `env:` or `file:` reference.
    """
    path = settings_path(config)
    values = [
        value
        for value in _settings_with_origin(load_settings(path), Positions(read_file(path)))
        if value.line is not None or not (changed or value.table.startswith("[[sources]]"))
    ]
    absolute = path.absolute()
    rows = [{**asdict(setting), "value": _json_value(setting.value)} for setting in values] if json else []
    print_result({"path": absolute, "settings": rows}, _format_settings(absolute, values), json=json)


def _json_value(toml: str) -> object:
    """Return a value that is shown as TOML, or as "none", for JSON."""
    return None if toml == "none" else tomllib.loads(f"value = {toml}")["value"]


def _format_settings(path: Path, settings: list["SettingValue"]) -> Iterator[str]:
    """Yield the settings as TOML, each with a comment that says where it is from."""
    yield f"# {path}"
    for table, values in groupby(settings, key=attrgetter("table")):
        yield from ("", table)
        for value in values:
            pair = f"{value.name} = {value.value}"
            yield f"{pair:48} # {'default' if value.line is None else f'line {value.line}'}"


def print_schema() -> None:
    """Print the JSON schema that text editors use to complete and check the settings file."""
    print_json(json_schema())


class EditorSchema(GenerateJsonSchema):
    """Pydantic's JSON schema adapted to TOML: without null, which TOML lacks; defaults as a file writes them."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        default = super().default_schema(schema)
        if default.get("default") in (None, "", {}):
            default.pop("default", None)
        return default

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 (as pydantic has it)
        return to_toml(dft)[1:-1] if isinstance(dft, timedelta | time | Path) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 (as pydantic has it)
        return False


def json_schema() -> dict[str, Any]:
    schema = settings_model().model_json_schema(schema_generator=EditorSchema)
    return schema | {"$schema": DRAFT, "title": "Settings of Watcher"}


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A setting: its table ("[poll]", "[[digests]] 1"), name, value as TOML, and line; `line` None: the default."""

    table: str
    name: str
    value: str
    line: int | None


def _settings_with_origin(part: SettingsModel, places: Positions, loc: Loc = ()) -> Iterator[SettingValue]:
    """Yield each setting of a table in the order of the models, with its line; missing tables have default values."""
    inner = []
    for place, value, field in settings_in(part):
        here = (*loc, *place)
        if isinstance(value, SettingsModel):
            inner.append(_settings_with_origin(value, places, here))
        elif loc:
            line = places.keys.get(here, (None,))[0]
            yield SettingValue(_table_heading(loc), str(here[-1]), _format_value(value, field), line)
    yield from chain(*inner)


def _table_heading(loc: Loc) -> str:
    """Return the heading of a table, with its number if it is in a list: "[semantic.endpoint]", "[[digests]] 2"."""
    names = ".".join(str(part) for part in loc if isinstance(part, str))
    numbers = ".".join(str(part + 1) for part in loc if isinstance(part, int))
    heading = f"[[{names}]]" if isinstance(loc[-1], int) else f"[{names}]"
    return f"{heading} {numbers}".rstrip()


def _format_value(value: object, field: FieldInfo) -> str:
    """Return a value as TOML; secrets are hidden, but a reference to a secret (`env:NAME`) is shown."""
    if value is None:
        extra = field.json_schema_extra
        return to_toml(extra["default"]) if isinstance(extra, dict) and "default" in extra else "none"
    if isinstance(value, str) and "://" in value and not field.repr:
        # Of an address with a default, which is [store] url, the password alone is secret; any other is one whole.
        return to_toml(hide_password(value) if field.default_factory else "…")
    return to_toml(format_size(value) if isinstance(value, ByteSize) else value)
