"""Formats counts, durations, suggestions and log fields, and removes characters that break a store or a terminal."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from watcher.text.urls import hide_secrets


def format_count(number: int, noun: str, many: str = "") -> str:
    """Return "1 story" or "1,200 stories"; `many` is the plural if it is not the noun with "s"."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


NEARLY = 0.05  # share of a single unit that may be dropped: 1 hour 2 minutes is "1 hour"
SPANS = ((365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def format_duration(seconds: float) -> str:
    """
    Return a duration for people, rounded down, in the largest unit that is exact enough: "2 days", "90 minutes".

    A settings file has it exactly (`settings.types.format_duration_setting`), an edition in its language
    (`Localizer.duration`).
    """
    # From two units on, rounding down is exact enough; "1 hour" for 90 minutes is not.
    fits = ((size, unit) for size, unit in SPANS if seconds >= 2 * size or size <= seconds < size * (1 + NEARLY))
    size, unit = next(fits, SPANS[-1])
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def format_age(passed: timedelta) -> str:
    seconds = passed.total_seconds()
    if seconds >= 1:
        return f"{format_duration(seconds)} ago"
    return "now" if seconds > -60 else f"{format_duration(-seconds)} ahead"


# C0 except tab and line feed, C1, line and paragraph separators, surrogates, noncharacters; directional embeddings,
# overrides and isolates (UAX #9).
CONTROL_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def strip_control_characters(text: str) -> str:
    """Return `text` without control and text direction characters; tabs and line feeds are kept."""
    return text if text.isascii() and text.isprintable() else CONTROL_CHARACTERS.sub("", text)


def escape_control_characters(text: str) -> str:
    """Return JSON or TOML with control characters as `\\u009b` escapes, so that parsers read the same value."""
    return CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


VALUE_CHARS = 500


class Fields(dict[str, object]):
    """The fields of a log event; `str(fields)` is logfmt."""

    def __str__(self) -> str:
        # Late: it loads rich, which takes 0.1 s; commands that log nothing do not need it.
        from structlog.processors import LogfmtRenderer

        return LogfmtRenderer()(None, "", {key: format_field(value) for key, value in self.items()})


def fields(**values: object) -> Fields:
    """Return the fields of a log event, without None values and without secrets in URLs."""
    stated = {name: value for name, value in values.items() if value is not None}
    plain = int | float | datetime
    return Fields({k: v if isinstance(v, plain) else hide_secrets(str(v)) for k, v in stated.items()})


def format_field(value: object) -> str:
    """Return a value for a log line: at most `VALUE_CHARS`, times to the second, without control characters."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace_unprintable(f"{value:.3g}" if isinstance(value, float) else str(value))[:VALUE_CHARS]


def replace_unprintable(text: str) -> str:
    """Return text with "?" for each unprintable character, such as control characters; line feeds are kept."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` with the name in `known` most similar to `word`, or "" if none is similar."""
    by_fold = {name.casefold(): name for name in sorted(known)}
    for asked in (word.casefold().replace("-", "_"), word.casefold()):
        for match in get_close_matches(asked, by_fold, n=1):
            return f'; did you mean "{by_fold[match]}"?'
    return ""
