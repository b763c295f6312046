"""Dates as pages write them, and which of them can be believed."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib.resources import files

EARLIEST = datetime(1993, 1, 1, tzinfo=UTC)  # before that there was no news on the web
AHEAD = timedelta(days=2)  # a clock or a time zone that is wrong
MAX_DATE_CHARS = 80  # characters of a date
BUDDHIST = 543  # years that the Thai calendar is ahead
CENTURY = 2000  # of years with two digits
MONTHS: list[str] = tomllib.loads((files("watcher.text") / "months.toml").read_text("utf-8"))["months"]

ISO = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:([-/. ])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))(?!\d{2}[^\d:]|\d{3})"
    r"(?:[T\s,_|-]+(\d{1,2}):?(?:(?<=:)|(?=\d\d))(\d\d)(?::?(\d\d))?(?:[.,]\d+)?)?\s*"
    r"(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?(?![\d-]))?",
    re.IGNORECASE,
)
EPOCH = re.compile(r"1\d{9}(?:\d{3})?")
TIGHT = re.compile(r"(20\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?")
MAIL = re.compile(r"(?:[a-z]{3,9},?\s+)?(?:\d{1,2}\s[a-z]{3}|[a-z]{3}\s\d{1,2})[a-z]*\s\d{4}\s\d", re.IGNORECASE)
WORD = r"([^\s\d,./|:;()\[\]–—-]{2,15})"
CLOCK = r"(?:[^\d\n]{1,14}?(\d{1,2})[:.h時时시点]\s?(\d\d)(?::\d\d)?(?:\s?([ap])\.?m\b)?)?"
YEAR = r"((?:19|20|25)\d\d)(?!\d)"
CJK = re.compile(
    rf"(?<!\d){YEAR}\s?[年년.]\s?(\d{{1,2}})\s?[月월.]\s?(\d{{1,2}})\s?[日일.]?"
    r"(?:\D{0,8}(\d{1,2})[:時时시点]\s?(\d\d))?"
)
NUMBERS = re.compile(rf"(?<!\d)(\d{{1,2}})\s?([./-])\s?(\d{{1,2}})\s?\2\s?{YEAR}{CLOCK}", re.IGNORECASE)
DAY_MONTH = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.)?,?[\s/-]+(?:de\s+|of\s+|d[’'])?{WORD}\.?,?[\s/-]+"
    rf"(?:de\s+|del\s+)?{YEAR}{CLOCK}",
    re.IGNORECASE,
)
MONTH_DAY = re.compile(rf"{WORD}\.?\s+(\d{{1,2}})(?:st|nd|rd|th|\.)?,?\s+{YEAR}{CLOCK}", re.IGNORECASE)
YEAR_MONTH = re.compile(rf"(?<!\d){YEAR}\.?,?\s*(?:m\.\s*)?{WORD}\s+(\d{{1,2}})(?!\d){CLOCK}", re.IGNORECASE)
VIETNAMESE = re.compile(rf"(?<!\d)(\d{{1,2}})\s+tháng\s+(\d{{1,2}}),?\s+(?:năm\s+)?{YEAR}", re.IGNORECASE)
SHORT = re.compile(rf"(?<![\d.])(\d{{1,2}})([./])(\d{{1,2}})\2(\d\d)(?![\d.]){CLOCK}", re.IGNORECASE)
IN_URL = (  # year, month and day, each in its own group; the most telling first
    re.compile(r"[/_-](20[0-3]\d)[/_-](0?[1-9]|1[0-2])[/_-](0?[1-9]|[12]\d|3[01])(?:[/_.-]|$)"),
    re.compile(r"/(20[0-3]\d)/(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])/"),
    re.compile(r"(?<![\da-f])(20[0-3]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?![\da-f])", re.IGNORECASE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateMatch:
    """A date that stands in a text. `other` is its second reading where day and month could be the other way round."""

    moment: datetime  # aware; in UTC where the text has no zone
    at: int  # where it begins
    end: int
    other: datetime | None = None
    has_zone: bool = False  # the text has a zone


def parse_date(text: str) -> datetime | None:
    """
    Return the first date in `text`, aware, in the zone that it was written in (UTC where none is), or None.

    ISO 8601 in its usual spellings, RFC 2822, a Unix time, "12.04.2024", "April 12, 2024", "2024年4月12日".
    """
    stamp = next(find_dates(text), None)
    return stamp.moment if stamp else None


def find_dates(text: str, *, month_first: bool = False, short: bool = False) -> Iterator[DateMatch]:
    """
    Yield the dates that stand in a short text, those of the plainest spelling first.

    Args:
        month_first: How "05/06/2024" is read: May or June.
        short: Whether years of two digits are read too: "12.04.24".
    """
    text = text.strip()[:MAX_DATE_CHARS]
    if EPOCH.fullmatch(text):
        yield DateMatch(moment=datetime.fromtimestamp(int(text[:10]), tz=UTC), at=0, end=len(text), has_zone=True)
        return
    if not any(char.isdigit() for char in text):
        return
    if (found := TIGHT.fullmatch(text)) and (moment := _make_datetime(*found.groups())):
        yield DateMatch(moment=moment, at=0, end=len(text))
        return
    if MAIL.match(text) and (moment := _parse_mail_date(text)) is not None:
        yield DateMatch(moment=moment, at=0, end=len(text), has_zone=True)
        return
    for found in ISO.finditer(text):
        parts = found.group(1, 3, 4) if found.group(3) else found.group(1, 5, 6)
        zone = found.group(10)
        if moment := _make_datetime(*parts, *found.group(7, 8, 9), zone=zone):
            yield DateMatch(moment=moment, at=found.start(), end=found.end(), has_zone=zone is not None)
    yield from _dates_with_month_names(text)
    for found in NUMBERS.finditer(text):
        yield from _dates_of_numbers(found, found.group(4), month_first and found.group(2) != ".")
    if short:
        for found in SHORT.finditer(text):
            yield from _dates_of_numbers(
                found, f"{CENTURY + int(found.group(4))}", month_first and found.group(2) != "."
            )


def _dates_with_month_names(text: str) -> Iterator[DateMatch]:
    """Yield the dates whose month is a word or a sign, so that they can be read in one way only."""
    for pattern, order in (
        (CJK, (1, 2, 3, 4, 5)),
        (VIETNAMESE, (3, 2, 1)),
        (DAY_MONTH, (3, 2, 1, 4, 5)),
        (MONTH_DAY, (3, 1, 2, 4, 5)),
        (YEAR_MONTH, (1, 2, 3, 4, 5)),
    ):
        for found in pattern.finditer(text):
            year, month, day, *clock = found.group(*order)
            number = month if month.isdigit() else month_number(month)
            half = found.group(6) if pattern in (DAY_MONTH, MONTH_DAY, YEAR_MONTH) else None
            if number and (moment := _make_datetime(year, str(number), day, *_to_24_hours(clock, half))):
                yield DateMatch(moment=moment, at=found.start(), end=found.end())


def _dates_of_numbers(found: re.Match[str], year: str, month_first: bool) -> Iterator[DateMatch]:
    """Yield a date of numbers: day first, or month first, or what is possible; never both ways for dots."""
    one, mark, two = found.group(1, 2, 3)
    clock = _to_24_hours(found.group(5, 6), found.group(7))
    readings = [_make_datetime(year, two, one, *clock), _make_datetime(year, one, two, *clock)]
    if month_first:
        readings.reverse()
    possible = [moment for moment in readings if moment]
    if possible:
        other = possible[1] if len(possible) > 1 and mark != "." and possible[1] != possible[0] else None
        yield DateMatch(moment=possible[0], at=found.start(), end=found.end(), other=other)


def _to_24_hours(clock: tuple[str | None, ...] | list[str | None], half: str | None) -> tuple[str | None, ...]:
    """Return hour and minute on a clock of 24 hours."""
    if not half or not clock or not clock[0]:
        return tuple(clock)
    hour = int(clock[0]) % 12 + (12 if half.lower() == "p" else 0)
    return (str(hour), *clock[1:])


def date_in_url(url: str) -> datetime | None:
    """Return the day that stands in a URL's path, "/2024/05/28/" or "-20240528-", or None."""
    path = url.split("?")[0]
    found = next((found for pattern in IN_URL if (found := pattern.search(path))), None)
    return _make_datetime(*found.groups()) if found else None


def is_believable(moment: datetime, *, now: datetime | None) -> bool:
    """Whether an article can be of this date: not before the web, not after tomorrow."""
    return moment >= EARLIEST and (now is None or moment <= now + AHEAD)


def _parse_mail_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _make_datetime(year: str, month: str, day: str, *clock: str | None, zone: str | None = None) -> datetime | None:
    hour, minute, second = (int(part or 0) for part in (*clock, None, None, None)[:3])
    in_year = int(year) - (BUDDHIST if int(year) >= 2500 else 0)
    try:
        moment = datetime(in_year, int(month), int(day), hour % 24, minute, min(second, 59), tzinfo=_zone(zone))
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def _zone(zone: str | None) -> timezone:
    if not zone or zone[0] not in "+-":
        return UTC
    digits = zone[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(size if zone[0] == "+" else -size) if size < timedelta(hours=24) else UTC


def month_number(word: str) -> int | None:
    """Return the number of the month that `word` names, 1 to 12, or None: "Mai", "мая", "févr.", "ตุลาคม"."""
    return _month_numbers().get(_without_marks(word))


@lru_cache(maxsize=1)
def _month_numbers() -> dict[str, int]:
    numbers: dict[str, int] = {}
    for number, words in enumerate(MONTHS, start=1):
        for word in words.split():
            numbers.setdefault(_without_marks(word), number)
    return numbers


@lru_cache(maxsize=2048)
def _without_marks(word: str) -> str:
    """Return a word without accents, dots and case."""
    parts = unicodedata.normalize("NFKD", word.casefold().replace("ı", "i"))
    return "".join(char for char in parts if not unicodedata.combining(char) and char != ".")
