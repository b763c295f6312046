"""Times of day and days of the week, as the settings say when editions are due and when nothing is sent."""

import re
from datetime import time
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from watcher.settings.types import parse_clock, quote_value
from watcher.text.format import did_you_mean
from watcher.text.timestamps import WEEKDAYS

MAX_TIMES_A_DAY = 12
SHORT_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXPECTED_DAYS = 'expected days such as "mon-fri" or "mon,wed,sat-sun"'
CLOCK_SCHEMA = {"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*$"}
DAYS_SCHEMA = {"type": "string", "pattern": r"^[\s,a-zA-Z-]+$"}


CRON = re.compile(r"\A(?:[\d*/,?-]{1,40}\s+){4}[\w*/,?-]{1,40}\Z", re.ASCII)


def _refuse_cron(value: object) -> None:
    if isinstance(value, str) and CRON.match(value.strip()):
        wanted = 'at = "06:30" for the time of day, and days = "mon-fri" for the days of the week'
        raise ValueError(f"got the cron string {quote_value(value)}, expected {wanted}")


def _parse_times(value: object) -> tuple[time, ...]:
    """Return the times of day in "06:30" or ["06:30", "17:00"], in order, each once. Errors: ValueError."""
    _refuse_cron(value)
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    times = tuple(sorted({parse_clock(each) for each in values}))
    if not 1 <= len(times) <= MAX_TIMES_A_DAY:
        raise ValueError(f"got {len(times)} times of day, expected 1 to {MAX_TIMES_A_DAY}")
    return times


def _check_days(value: object) -> str:
    """Return a text of days, or the text of a list of them: ["mon", "wed"] is "mon,wed". Errors: ValueError."""
    _refuse_cron(value)
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    parse_days(text)
    return text


def parse_days(text: str) -> frozenset[int]:
    """Return the days of the week in "mon-fri" or "mon,wed,sat-sun", Monday is 0. Errors: ValueError."""
    days: set[int] = set()
    for part in text.lower().split(","):
        names = [name.strip() for name in part.split("-", 1)]
        ends = [n for name in names for n, day in enumerate(SHORT_DAYS) if name in (day, WEEKDAYS[n])]
        if len(ends) != len(names):
            wrong = next(name for name in names if name not in (*SHORT_DAYS, *WEEKDAYS))
            raise ValueError(f"got {quote_value(text)}, {EXPECTED_DAYS}{did_you_mean(wrong, SHORT_DAYS)}")
        # A range may pass the end of the week: "fri-mon".
        days.update((ends[0] + n) % 7 for n in range((ends[-1] - ends[0]) % 7 + 1))
    return frozenset(days)


def _parse_quiet(value: object) -> tuple[time, time] | None:
    """Return begin and end of "22:00-07:00", which may pass midnight; None for "". Errors: ValueError."""
    if isinstance(value, tuple) or not value:
        return value or None  # type: ignore[return-value]
    try:
        begin, end = map(parse_clock, str(value).split("-"))
    except ValueError:
        begin = end = time()
    if begin == end:
        raise ValueError(f'got {quote_value(value)}, expected two times of day such as "22:00-07:00"')
    return begin, end


def schema(title: str, one: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"title": title, "anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})


ClockTimes = Annotated[tuple[time, ...], BeforeValidator(_parse_times), schema("times of day", CLOCK_SCHEMA)]
QUIET_SCHEMA = {"title": "times of day", "type": "string", "pattern": r"^(\s*\d{1,2}:\d{2}\s*(-|$)){2}|^$"}
QuietHours = Annotated[tuple[time, time] | None, BeforeValidator(_parse_quiet), WithJsonSchema(QUIET_SCHEMA)]
WeekDays = Annotated[str, BeforeValidator(_check_days), schema("days", DAYS_SCHEMA)]
