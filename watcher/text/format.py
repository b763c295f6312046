"""Values as text: counts, durations, log fields, and text without characters that break a store or a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from watcher.text.urls import hide_secrets


def format_count(number: int, noun: str, many: str = "") -> str:
    """Return "1 story", "1,200 stories"; `many` where the plural is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


NEARLY = 0.05  # of a single unit that may be left unsaid
SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def format_duration(seconds: float) -> str:
    """Return a length of time in the largest unit that is nearly right: "2 days", "90 minutes", "1 hour"."""
    # Half an hour less or more matters where it is one hour or two.
    fits = ((size, unit) for size, unit in SPANS if seconds >= 2 * size or size <= seconds < size * (1 + NEARLY))
    size, unit = next(fits, SPANS[-1])
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def format_age(passed: timedelta) -> str:
    seconds = passed.total_seconds()
    if seconds >= 1:
        return f"{format_duration(seconds)} ago"
    return "now" if seconds > -60 else f"{format_duration(-seconds)} ahead"


# C0 but tab and line feed, C1, line and paragraph separators, surrogates, noncharacters; embeddings, overrides and
# isolates of direction (UAX #9).
CONTROL_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def replace_surrogates(text: str) -> str:
    """Return `text` with "?" for each lone surrogate, and without NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def strip_control_characters(text: str) -> str:
    """Return `text` without what steers a terminal or turns the direction of a line; tabs and line feeds stay."""
    return text if text.isascii() and text.isprintable() else CONTROL_CHARACTERS.sub("", text)


def escape_control_characters(text: str) -> str:
    """Return JSON or a TOML string with what steers a terminal written as `\\u009b`: the same value to a program."""
    return CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


VALUE_CHARS = 500


class Fields(dict[str, object]):
    """What an event tells; as text it is logfmt."""

    def __str__(self) -> str:
        # Late: it loads rich, a tenth of a second that a command which logs nothing need not pay.
        from structlog.processors import LogfmtRenderer

        return LogfmtRenderer()(None, "", {key: format_field(value) for key, value in self.items()})


def fields(**values: object) -> Fields:
    """Return the fields of an event, without those that are None, nor what is secret in an address."""
    return Fields({name: hide_value(value) for name, value in values.items() if value is not None})


def hide_value(value: object) -> object:
    """Return a value without what is secret in an address."""
    return value if isinstance(value, bool | int | float | datetime) else hide_secrets(str(value))


def format_field(value: object) -> str:
    """Return a value as a line has it: bounded, a time to the second, without what would steer a terminal."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace_unprintable(f"{value:.3g}" if isinstance(value, float) else str(value))[:VALUE_CHARS]


def replace_unprintable(text: str) -> str:
    """Return text with "?" for what cannot be printed, such as control characters and overrides of direction."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
