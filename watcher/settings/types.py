"""Types of setting values: durations, sizes, clock times, secrets, paths, country and language codes, URLs."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, ValidationInfo, WithJsonSchema

from watcher.errors import WatcherError
from watcher.text.format import did_you_mean
from watcher.text.urls import hide_secrets, host_of, is_mail, is_web

# Codes in Unicode's tables that are not ISO codes in use: exceptional reservations, "unknown", and withdrawn codes.
NOT_COUNTRIES = frozenset(("AC", "CP", "CQ", "DG", "EA", "IC", "TA", "ZZ"))
WITHDRAWN_COUNTRIES = frozenset(("BUR", "DDR", "FXX", "TMP", "YMD", "ZAR"))
WITHDRAWN_LANGUAGES = frozenset(("bh", "in", "iw", "ji", "jw", "mo"))
LANGUAGE_ALIASES = {
    "jp": "ja", "cz": "cs", "gr": "el", "dk": "da", "ua": "uk", "cn": "zh", "in": "hi", "iw": "he", "al": "sq",
}  # fmt: skip
COUNTRY_ALIASES = {"UK": "GB", "EL": "GR"}
LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8}){0,4})")


def _unicode_table(name: str) -> Mapping[str, Any]:
    from babel.core import get_global  # late: 24 ms and 5 MB that settings without a code need not pay

    return get_global(name)  # type: ignore[arg-type]


@cache
def countries() -> frozenset[str]:
    return frozenset(_unicode_table("territory_languages")) - NOT_COUNTRIES


@cache
def alpha3_codes() -> dict[str, str]:
    aliases = _unicode_table("territory_aliases").items()
    known = {alias: codes[0] for alias, codes in aliases if alias.isalpha() and len(alias) == 3 and len(codes) == 1}
    return {alias: code for alias, code in known.items() if code in countries() and alias not in WITHDRAWN_COUNTRIES}


@cache
def languages() -> frozenset[str]:
    tags = (*_unicode_table("likely_subtags"), *_unicode_table("language_aliases"))
    return frozenset(tag for tag in tags if len(tag) == 2) - WITHDRAWN_LANGUAGES


def country_code(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code for an alpha-2 or alpha-3 code, "UK" or "EL", in any case; else None."""
    code = text.strip().upper()
    code = COUNTRY_ALIASES.get(code, code)
    return code if code in countries() else alpha3_codes().get(code)


def language_tag(text: str) -> str | None:
    """Return `text` as a language tag with its primary part in lower case ("pt-BR"), None if it is not valid."""
    match = LANGUAGE_TAG.fullmatch(text.strip())
    primary = match[1].lower() if match else ""
    if not match or (len(primary) == 2 and primary not in languages()):
        return None
    return primary + match[2].replace("_", "-")


REFERENCE = re.compile(r"(env|file):(\S.*)")
MAX_SECRET_BYTES = 64 * 1024  # only so much of the file is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A reference to a secret: `kind` is "env" or "file", `name` a variable or a path (relative to `folder`)."""

    kind: str
    name: str
    folder: Path = field(default=Path(), repr=False)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    def reveal(self) -> str:
        """Return the secret without trailing line end. Errors: WatcherError, whose message never has the secret."""
        if self.kind == "env":
            value, hint = os.environ.get(self.name, ""), f"set the variable {self.name}"
        else:
            value, hint = self._read_file(), f"write the secret into {self.name}"
        if not value:
            raise WatcherError(f"the secret {self} is empty or not set", hint=hint)
        return value

    @property
    def path(self) -> Path:
        """The file of a secret of the kind "file", unless systemd hands over another one."""
        return self.folder / Path(self.name).expanduser()

    @property
    def is_missing(self) -> bool:
        """Whether there is no such file; False if it is not known, such as without the right to look."""
        try:
            return self.kind == "file" and not self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False

    def _read_file(self) -> str:
        """Return the secret in a file, or in systemd's credential of that name. Errors: WatcherError."""
        handed = os.environ.get("CREDENTIALS_DIRECTORY")
        credential = Path(handed) / Path(self.name).name if handed else None
        path = credential if credential and credential.is_file() else self.path
        try:
            with path.open("rb") as file:
                return file.read(MAX_SECRET_BYTES).decode("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise WatcherError(f"the secret {self} cannot be read: {reason}") from None


UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
SIZE_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 10**9), ("MB", 10**6), ("kB", 1_000))
WHITESPACE = re.compile(r"\s")
DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,3})?[smhdw])+", re.ASCII)
DURATION_PART = re.compile(r"([\d.]{1,13})([smhdw])", re.ASCII)
TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
PORT_NUMBER = re.compile(r"\d{1,5}", re.ASCII)
HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]+\]", re.ASCII)
# A mail folder, and perhaps senders: mail addresses or "@example.org".
MAIL_URL = re.compile(
    r"(?:maildir:|imaps?://[^/?#:\s]{1,200}@[\w.-]{1,200}(?::\d{1,5})?/)[^?#]{1,1000}"
    r"(?:\?from=[\w.+-]{0,100}@[\w.-]{1,200}(?:&from=[\w.+-]{0,100}@[\w.-]{1,200}){0,20})?",
    re.ASCII | re.IGNORECASE,
)
FOREVER = "forever"
MIN_KEEP = timedelta(days=35)  # a thread ends after thirty days
MAX_DURATION = timedelta(days=3_660)  # a longer one is probably a wrong unit


def quote_value(value: object) -> str:
    """Return `value` as a settings file writes it, without secrets, cut to about 60 characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f'"{hide_secrets(value, "***@")}"' if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= 60 else f"{text[:57]}…"


def parse_duration(value: object) -> timedelta:
    """Parse "90s", "15m", "1h30m", "2d" or "1w"; units go from long to short, each once. Errors: ValueError."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        such = f'"{value}s" or "{value}m"' if value >= 0 else '"90s" or "15m"'
        raise ValueError(f"got {value}, a number without a unit; expected a duration such as {such}")
    text = value.replace(" ", "").lower() if isinstance(value, str) else ""
    parts = DURATION_PART.findall(text) if DURATION.fullmatch(text) else []
    lengths = [UNITS_S[unit] for _, unit in parts]
    if not parts or lengths != sorted(set(lengths), reverse=True):
        raise ValueError(f'got {quote_value(value)}, expected a duration such as "90s", "15m", "1h30m" or "2d"')
    seconds = sum(float(number) * UNITS_S[unit] for number, unit in parts)
    if seconds > MAX_DURATION.total_seconds():
        raise ValueError(f"got {quote_value(value)}, expected at most {MAX_DURATION.days}d")
    return timedelta(seconds=seconds)


def format_duration_setting(value: timedelta) -> str:
    """Return `value` as in settings: "1h30m", "24h", "2d"; the inverse of `parse_duration` for whole seconds."""
    seconds, out = int(value.total_seconds()), ""
    for unit in ("d", "h", "m", "s") if seconds >= 2 * UNITS_S["d"] else ("h", "m", "s"):
        count, seconds = divmod(seconds, UNITS_S[unit])
        out += f"{count}{unit}" if count else ""
    return out or "0s"


def _parse_keep(value: object) -> timedelta | None:
    """Parse a retention time of at least `MIN_KEEP`; None for "forever". Errors: ValueError."""
    if value is None or (isinstance(value, str) and value.strip().lower() == FOREVER):
        return None
    try:
        duration = parse_duration(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "{FOREVER}"') from error
    if duration < MIN_KEEP:
        raise ValueError(f"got {quote_value(value)}, expected at least {MIN_KEEP.days}d: editions look back that far")
    return duration


def within(message: str, least: timedelta = timedelta(), limit: timedelta = timedelta.max) -> AfterValidator:
    """Return a validator that refuses a time out of its bounds with `message`, in which "{}" becomes the time."""

    def check(value: timedelta) -> timedelta:
        if not least <= value <= limit:
            raise ValueError(message.format(format_duration_setting(value)))
        return value

    return AfterValidator(check)


def _reject_bool(value: object) -> object:
    """Return `value`; a bool becomes text, which is then no valid size (pydantic would read it as 1 or 0 bytes)."""
    return str(value).lower() if isinstance(value, bool) else value


def format_size(value: int) -> str:
    """Return a size in bytes as in settings, "10 MiB" or "500 kB"; `ByteSize` parses it."""
    for unit, factor in SIZE_UNITS:
        if value and value % factor == 0:
            return f"{value // factor} {unit}"
    return f"{value} B"


def parse_clock(value: object) -> time:
    """Return a time of day; TOML has it as a time or as a text. Errors: ValueError."""
    if isinstance(value, time):
        return value.replace(microsecond=0, tzinfo=None)
    match = TIME_OF_DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f'got {quote_value(value)}, expected a time of day such as "06:30"')
    return time(int(match[1]), int(match[2]))


def _check_timezone(value: str) -> str:
    """Return the name of a time zone. Errors: ValueError."""
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # absent names are a KeyError, "." or "/etc" a ValueError or OSError
        zones = available_timezones()
        by_city = {zone.rsplit("/", 1)[-1]: zone for zone in sorted(zones)}
        words = did_you_mean(value, zones) or did_you_mean(by_city.get(value.title().replace(" ", "_"), value), zones)
        raise ValueError(
            f'got {quote_value(value)}, expected an IANA time zone such as "Europe/Berlin"{words}'
        ) from None
    return value


def _check_selector(value: str) -> str:
    from watcher.text.css import xpath_of  # late: lxml takes 5 MB, and only a page as a source needs it

    xpath_of(value)
    return value


def check_web(value: str) -> str:
    """Return an http or https URL. Errors: ValueError."""
    text = value.strip()
    if not is_web(text) or WHITESPACE.search(text) or len(text) > 2_000:
        is_bare = "://" not in text and "." in text and is_web(f"https://{text}")
        words = f'; did you mean "https://{text}"?' if is_bare else ""
        raise ValueError(f"got {quote_value(value)}, expected an http or https URL{words}")
    return text


def _check_source_url(value: str, info: ValidationInfo) -> str:
    """Return the address of a feed or of a mail folder; the path of a maildir becomes absolute. Errors: ValueError."""
    text = value.strip()
    if not is_mail(text):
        return check_web(value)
    is_complete = MAIL_URL.fullmatch(text) and unquote(text).isprintable()
    if not is_complete or not (host_of(text) or text.startswith("maildir:")):
        expected = '"maildir:PATH" or "imaps://USER@HOST/FOLDER" without a password, perhaps with "?from=@example.org"'
        raise ValueError(f"got {quote_value(text)}, expected {expected}")
    if text.startswith("maildir:"):
        path, mark, senders = text.removeprefix("maildir:").removeprefix("//").partition("?")
        text = f"maildir://{quote(str(resolve_path(unquote(path), info)))}{mark}{senders}"
    return text


def _check_country(value: str) -> str | None:
    code = country_code(value)
    if code is None and value.strip():
        raise ValueError(f'got {quote_value(value)}, expected a country code of ISO 3166-1 such as "FR" or "GB"')
    return code


def _check_language(value: str) -> str | None:
    """Return a language tag in its usual form, None for an empty text. Errors: ValueError."""
    tag = language_tag(value)
    if tag is None and value.strip():
        meant = LANGUAGE_ALIASES.get(value.strip().lower())
        words = f'; did you mean "{meant}"?' if meant else ""
        raise ValueError(f'got {quote_value(value)}, expected a language tag such as "en", "fr" or "pt-BR"{words}')
    return tag


def _check_private(value: str) -> str:
    """Return `value` in normal form if it is a CIDR range, an address or host:port. Errors: ValueError."""
    text = value.strip()
    try:
        return str(ip_network(text))
    except ValueError as error:
        host, _, port = text.rpartition(":")
        if HOST_NAME.fullmatch(host) and PORT_NUMBER.fullmatch(port) and 0 < int(port) < 65_536:
            return f"{host.lower()}:{int(port)}"
        words = "; the address has bits set beyond its prefix" if "host bits" in str(error) else ""
        raise ValueError(
            f'got {quote_value(value)}, expected a range such as "10.0.0.0/8", or host:port{words}'
        ) from None


def resolve_path(value: object, info: ValidationInfo) -> Path:
    """Return `value` as an absolute path; a relative path starts at the settings file's folder."""
    if not isinstance(value, str | Path) or not str(value).strip() or "\x00" in str(value):
        raise ValueError(f"got {quote_value(value)}, expected a path")
    return (folder_of(info) / Path(value).expanduser()).absolute()


def parse_secret(value: object, info: ValidationInfo) -> Secret:
    """Parse a reference to a secret, "env:NAME" or "file:PATH". Errors: ValueError, also for a literal secret."""
    if isinstance(value, Secret):
        return value
    kind, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind not in ("env", "file") or not name.strip():
        raise ValueError('expected "env:NAME" or "file:PATH"; do not write the secret itself into this file')
    return Secret(kind=kind, name=name.strip(), folder=folder_of(info))


def secret_of(text: str) -> Secret | None:
    """Return the secret that a text refers to, "env:NAME" or "file:PATH"; None for another text."""
    match = REFERENCE.fullmatch(text)
    return Secret(kind=match[1], name=match[2]) if match else None


def folder_of(info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return folder if isinstance(folder, Path) else Path.cwd()


def parsed_by(parse: Callable[[str], str | None], expected: str) -> AfterValidator:
    """Return a validator that returns `parse(value)`, and refuses values for which that is None."""

    def check(value: str) -> str:
        parsed = parse(value)
        if parsed is None:
            raise ValueError(f"got {quote_value(value)}, expected {expected}")
        return parsed

    return AfterValidator(check)


def matching(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    """Return a validator that refuses values that `pattern` does not match as a whole."""
    return parsed_by(lambda value: value if pattern.fullmatch(value) else None, expected)


def _text_schema(title: str, pattern: str | None = None) -> WithJsonSchema:
    return WithJsonSchema({"title": title, "type": "string"} | ({"pattern": pattern} if pattern else {}))


HAS_WORD = parsed_by(
    lambda text: text if re.search(r"\w", text) and not text.lstrip().startswith("*") else None,
    'a word or a phrase, such as "elect*", with a * only at its end',
)
Phrases = tuple[Annotated[str, Field(max_length=200), HAS_WORD], ...]
DURATION_SCHEMA = _text_schema("duration", r"^\s*(\d+(\.\d+)?\s*[a-z]+\s*)+$")
Duration = Annotated[timedelta, BeforeValidator(parse_duration), DURATION_SCHEMA]
PositiveDuration = Annotated[Duration, within("got zero, expected more than zero", timedelta(microseconds=1))]
Keep = Annotated[timedelta | None, BeforeValidator(_parse_keep), _text_schema("duration")]
Size = Annotated[ByteSize, BeforeValidator(_reject_bool), Field(gt=0, title="size")]
TimeZoneName = Annotated[str, AfterValidator(_check_timezone)]
WebUrl = Annotated[str, AfterValidator(check_web)]
SourceUrl = Annotated[str, AfterValidator(_check_source_url)]
Selector = Annotated[str, AfterValidator(_check_selector)] | None
Country = Annotated[str, AfterValidator(_check_country)] | None
Language = Annotated[str, AfterValidator(_check_language)] | None
PrivateNetwork = Annotated[str, AfterValidator(_check_private)]
LocalPath = Annotated[Path, BeforeValidator(resolve_path), _text_schema("path")]
SECRET_SCHEMA = _text_schema("secret", "^(env|file):.+")
SecretRef = Annotated[Secret, BeforeValidator(parse_secret), SECRET_SCHEMA]
OptionalSecret = SecretRef | None
