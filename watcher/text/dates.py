"""Parses dates in the spellings that web pages use, and checks whether they are plausible."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache

from watcher.text.toml_data import load_toml

EARLIEST_NEWS = datetime(1993, 1, 1, tzinfo=UTC)  # there was no news on the web before
MAX_DATE_AHEAD = timedelta(days=2)  # tolerance for wrong clocks and time zones
MAX_DATE_CHARS = 80  # characters of a date
BUDDHIST = 543  # years that the Thai calendar is ahead
CENTURY = 2000  # of years with two digits
MONTHS: list[str] = load_toml("watcher.text", "months.toml")["months"]

# The groups of the patterns: year, month (a number or a word), day, hour, minute, second, half ("a" or "p" of am and
# pm), zone.
ISO = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:([-/. ])(?P<month>\d{1,2})\2(?P<day>\d{1,2})|(?P<joined>\d{4}))"
    r"(?!\d{2}[^\d:]|\d{3})"
    r"(?:[T\s,_|-]+(?P<hour>\d{1,2}):?(?:(?<=:)|(?=\d\d))(?P<minute>\d\d)(?::?(?P<second>\d\d))?(?:[.,]\d+)?)?\s*"
    r"(?P<zone>Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?(?![\d-]))?",
    re.IGNORECASE,
)
EPOCH = re.compile(r"1\d{9}(?:\d{3})?")
TIGHT = re.compile(r"(?P<year>20\d\d)(?P<joined>\d{4})(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?")
MAIL_DATE = re.compile(r"(?:[a-z]{3,9},?\s+)?(?:\d{1,2}\s[a-z]{3}|[a-z]{3}\s\d{1,2})[a-z]*\s\d{4}\s\d", re.IGNORECASE)
DAY, MONTH = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})"
MONTH_WORD = r"(?P<month>[^\s\d,./|:;()\[\]–—-]{2,15})"
CLOCK_PART = (
    r"(?:[^\d\n]{1,14}?(?P<hour>\d{1,2})[:.h時时시点]\s?(?P<minute>\d\d)(?::\d\d)?(?:\s?(?P<half>[ap])\.?m\b)?)?"
)
YEAR_PART = r"(?P<year>(?:19|20|25)\d\d)(?!\d)"
WITH_MONTH_NAMES = (
    # 2024年5月28日
    re.compile(
        rf"(?<!\d){YEAR_PART}\s?[年년.]\s?{MONTH}\s?[月월.]\s?{DAY}\s?[日일.]?"
        r"(?:\D{0,8}(?P<hour>\d{1,2})[:時时시点]\s?(?P<minute>\d\d))?"
    ),
    # 28 tháng 5, 2024
    re.compile(rf"(?<!\d){DAY}\s+tháng\s+{MONTH},?\s+(?:năm\s+)?{YEAR_PART}", re.IGNORECASE),
    # 28 de mayo de 2024, 6:45
    re.compile(
        rf"(?<!\d){DAY}(?:st|nd|rd|th|er|º|ª|\.)?,?[\s/-]+(?:de\s+|of\s+|d[’'])?{MONTH_WORD}\.?,?[\s/-]+"
        rf"(?:de\s+|del\s+)?{YEAR_PART}{CLOCK_PART}",
        re.IGNORECASE,
    ),
    # May 28, 2024
    re.compile(rf"{MONTH_WORD}\.?\s+{DAY}(?:st|nd|rd|th|\.)?,?\s+{YEAR_PART}{CLOCK_PART}", re.IGNORECASE),
    # 2024. május 28.
    re.compile(rf"(?<!\d){YEAR_PART}\.?,?\s*(?:m\.\s*)?{MONTH_WORD}\s+{DAY}(?!\d){CLOCK_PART}", re.IGNORECASE),
)
NUMERIC_DATE = re.compile(
    rf"(?<!\d){DAY}\s?(?P<mark>[./-])\s?{MONTH}\s?(?P=mark)\s?{YEAR_PART}{CLOCK_PART}", re.IGNORECASE
)
SHORT_NUMERIC_DATE = re.compile(
    rf"(?<![\d.]){DAY}(?P<mark>[./]){MONTH}(?P=mark)(?P<year>\d\d)(?![\d.]){CLOCK_PART}", re.IGNORECASE
)
IN_URL = (  # the most reliable first
    re.compile(r"[/_-](?P<year>20[0-3]\d)[/_-](?P<month>0?[1-9]|1[0-2])[/_-](?P<day>0?[1-9]|[12]\d|3[01])(?:[/_.-]|$)"),
    re.compile(r"/(?P<year>20[0-3]\d)/(?P<joined>(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))/"),
    re.compile(r"(?<![\da-f])(?P<year>20[0-3]\d)(?P<joined>(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?![\da-f])", re.I),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateMatch:
    """A date found in a text."""

    moment: datetime  # aware; in UTC where the text has no zone
    start: int  # offset of its first character
    end: int
    swapped: datetime | None = None  # the second reading, if day and month can be swapped: 05/06


def parse_date(text: str) -> datetime | None:
    """Return the first date in `text`, aware (else UTC), or None: ISO 8601, RFC 2822, a Unix time, "12.04.2024"."""
    stamp = next(find_dates(text), None)
    return stamp.moment if stamp else None


def find_dates(text: str, *, month_first: bool = False, short: bool = False) -> Iterator[DateMatch]:
    """Yield the dates in a text, the clearest format first. `month_first`: 05/06 is May 6. `short`: two-digit years."""
    text = text.strip()[:MAX_DATE_CHARS]
    if EPOCH.fullmatch(text):
        yield DateMatch(moment=datetime.fromtimestamp(int(text[:10]), tz=UTC), start=0, end=len(text))
        return
    if not any(char.isdigit() for char in text):
        return
    if (moment := _moment_of(TIGHT.fullmatch(text))) or (MAIL_DATE.match(text) and (moment := _parse_mail_date(text))):
        yield DateMatch(moment=moment, start=0, end=len(text))
        return
    for pattern in (ISO, *WITH_MONTH_NAMES):
        for match in pattern.finditer(text):
            if moment := _moment_of(match):
                yield DateMatch(moment=moment, start=match.start(), end=match.end())
    for pattern in (NUMERIC_DATE, SHORT_NUMERIC_DATE) if short else (NUMERIC_DATE,):
        for match in pattern.finditer(text):
            # Day first, unless only month first is a date or `month_first`. A date with dots has one reading.
            readings = [moment for swap in (False, True) if (moment := _moment_of(match, swap=swap))]
            if month_first and match["mark"] != ".":
                readings.reverse()
            if readings:
                is_ambiguous = match["mark"] != "." and readings[0] != readings[-1]
                swapped = readings[-1] if is_ambiguous else None
                yield DateMatch(moment=readings[0], start=match.start(), end=match.end(), swapped=swapped)


def date_in_url(url: str) -> datetime | None:
    """Return the day in the path of a URL, such as "/2024/05/28/" or "-20240528-", or None."""
    path = url.split("?")[0]
    match = next((match for pattern in IN_URL if (match := pattern.search(path))), None)
    return _moment_of(match)


def is_believable(moment: datetime, *, now: datetime | None) -> bool:
    """Whether an article can have the date `moment`: from `EARLIEST_NEWS` to `MAX_DATE_AHEAD` after `now`."""
    return moment >= EARLIEST_NEWS and (now is None or moment <= now + MAX_DATE_AHEAD)


def _parse_mail_date(text: str) -> datetime | None:
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _moment_of(match: re.Match[str] | None, *, swap: bool = False) -> datetime | None:
    """Return the datetime of a match, None without a match or such a day; `swap` exchanges the groups day and month."""
    if match is None:
        return None
    fields = match.groupdict()
    joined = fields.get("joined")
    month, day = (joined[:2], joined[2:]) if joined else (fields["month"], fields["day"])
    number = int(month) if month.isdigit() else _month_number(month)
    if not number:
        return None
    numbers = (int(day), number) if swap else (number, int(day))
    year = int(fields["year"]) + (CENTURY if len(fields["year"]) == 2 else 0)
    year -= BUDDHIST if year >= 2500 else 0
    hour, minute, second = (int(fields.get(name) or 0) for name in ("hour", "minute", "second"))
    if fields.get("half"):
        hour = hour % 12 + (12 if fields["half"].lower() == "p" else 0)
    try:
        moment = datetime(year, *numbers, hour % 24, minute, min(second, 59), tzinfo=_zone(fields.get("zone")))
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def _zone(zone: str | None) -> tzinfo:
    with suppress(ValueError):
        return datetime.fromisoformat(f"2000-01-01T00:00{zone or 'Z'}").tzinfo or UTC
    return UTC


def _month_number(word: str) -> int | None:
    """Return the number (1 to 12) of a month's name, None for other words: "Mai", "мая", "févr.", "ตุลาคม"."""
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
    parts = unicodedata.normalize("NFKD", word.casefold().replace("ı", "i"))
    return "".join(char for char in parts if not unicodedata.combining(char) and char != ".")
