"""Reads the date of an event to come in a sentence, "The court will rule on 12 March"; words: dates_ahead.toml."""

import re
import sys
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global

from digests.analysis.country_names import load_data
from digests.analysis.gazetteer import countries_in

MIN_SINCE_DAY = 7  # days since the 12th, from which on "the coming 12th" is that of the next month
MAX_WEEKDAY_AHEAD = 5  # days from the report to a weekday without "next"
MAX_DAYS_AHEAD = 120  # of a date without a year, from the report
NIGHT = timedelta(hours=4)  # after midnight, in which a report may have been written on the day before
MAX_BEFORE_DATE = 24  # characters before a date, in which a word such as "until" stands
MAX_CLAUSE_OPENING = 8  # characters before the date that a clause begins with
MAX_CONDITION = 14  # characters of a sentence, in which "if" concerns all of it
MAX_WAS = 12  # characters between "was" and "due on Tuesday"
MAX_DATE_GAP = 110  # characters between a date and the word that tells that something is planned
SHORT_ADVERBIAL = 40  # characters of a first clause that belongs to the one behind it: "On 12 March, the court will …"
OTHER_LOCALES = {"ar": ("ar_LB", "ar_DZ"), "sr": ("sr_Latn",), "hr": ("sr_Latn",)}
# A verb that tells what is planned stands before the date, unless the clause begins with the date.
SUBJECT_FIRST = frozenset({"en", "fr", "es", "it", "pt", "ro", "id", "vi"})
SAME_DATE_WORDS = {"no": "nb", "nn": "nb", "bs": "hr", "ms": "id", "iw": "he"}
FARTHEST_ZONES = (timezone(timedelta(hours=-8)), timezone(timedelta(hours=9)))  # of an outlet of an unknown country
CLAUSE_MARK = re.compile(r":(?!\d)|[,;!?()«»“”„\"،؛]|\s[–—-]\s|—|[。，；：、]")
OTHER_SPACE = re.compile(r"[^\S ]")
OTHER_DIGIT = re.compile(r"(?![0-9])\d")
SAME_LENGTH = str.maketrans("أإآٱىکی’ʼ", "اااايكي''")
NO_EVENT, REPEATED = (re.compile(load_data("dates_ahead")[name], re.IGNORECASE) for name in ("no_event", "repeated"))
NO_MATCH = "(?!)"
WORD_LISTS = ("ahead", "past", "until", "by", "doubt", "put_off", "was", "soon", "pm")
IN_FIGURES = re.compile(r"\s?(?:[%€$£₽°]|percent|prozent|million|billion|mrd|mio|euro|dollar|uhr\b)", re.IGNORECASE)

# What may stand between a date and its time. With "at" before the time, these are three words, with a comma on both
# sides or on none. Without it they are none: it may be the name of a programme ("du 13 heures") or a length of time.
DATE_FIRST = re.compile(r"\W*|(?P<comma>,?)(?:\s(?:[^\W\d]|['’-])+){1,3}(?P=comma)\s\(?")
DATE_DIRECTLY_BEFORE = re.compile(r"[-'’(（]?[^\W\d]{0,4}\W*")  # "3-án", "3日の"
TIME_FIRST = re.compile(r"(?:\s[^\W\d]{1,5})?\s?")

_YEAR = r"(?:[\s,.]{1,2}(?:de\s|del\s|năm\s)?(?P<year>20\d\d)(?!\d))?"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateAhead:
    """The date of an event to come."""

    on: date
    until: date  # its last day: the same, or the end of a range or of a month alone
    begins_at: datetime | None = None  # in UTC, if its time is said, and clear in which zone

    def in_zone(self, zone: tzinfo) -> tuple[date, date, datetime | None]:
        """Return its first and its last day for a reader in a zone, and its time."""
        day = self.begins_at and self.begins_at.astimezone(zone).date()
        return day or self.on, day or self.until, self.begins_at


def has_word(name: str, text: str, language: str) -> bool:
    """Whether a text has a word of the list "ahead" or "put_off": without one, no sentence says what these look for."""
    words = _words_of(language)
    return words is not None and words.search(name, _plain(text)) is not None


def find_date_ahead(text: str, language: str, days: Set[date], country: str | None = None) -> DateAhead | None:
    """
    Return the date of the event that a sentence announces; None if it announces none, or its date is in doubt.

    The date stands in one clause with a word that tells that something is planned, and with nothing between them that
    tells otherwise. It is later than the report, or is its day if the sentence has a time too.

    Args:
        days: The days on which the report may have been written (`days_of_report`). If a date is another one for each
            of them, as a weekday is, it is in doubt.
        country: Of the outlet, for a time of day without a zone.
    """
    words, plain = _words_of(language), _plain(text)
    if words is None or not words.search("ahead", plain) or NO_EVENT.search(plain):
        return None
    dates = sorted(_matches(plain, words), key=lambda each: each.start())
    for match in dates:
        if _is_planned(plain, match, words) and (resolved := _resolve_for_all(match, words, days)):
            on, until = resolved
            begins_at = _find_beginning(match, on, dates, words, country) if on == until else None
            if begins_at or on not in days:
                return DateAhead(on=on, until=until, begins_at=begins_at)
    return None


def find_put_off(text: str, language: str, days: Set[date]) -> frozenset[date] | None:
    """Return the days to come in a sentence that says that an event is put off or called off; None in another one."""
    words, plain = _words_of(language), _plain(text)
    if words is None or not (said := words.search("put_off", plain)):
        return None
    start, end = _clause_around(plain, said)
    if words.search("doubt", plain, start, end):
        return None
    spans = filter(None, (_resolve_for_all(match, words, days) for match in _matches(plain, words)))
    return frozenset(first for first, last in spans if first == last and first not in days)


def days_of_report(published_at: datetime, country: str | None) -> frozenset[date]:
    """Return the days on which a report may have been written, where its outlet is: usually one."""
    moments = [published_at.astimezone(zone) for zone in zones_of_outlet(country)]
    return frozenset(day for each in moments for day in (each.date(), (each - NIGHT).date()))


def zones_of_outlet(country: str | None) -> Sequence[tzinfo]:
    """Return the time zones of an outlet's country; if it is not known, the outermost ones of most outlets."""
    return tuple(map(ZoneInfo, _zones_of(country))) or FARTHEST_ZONES


@cache
def _zones_of(country: str | None) -> tuple[str, ...]:
    return tuple(zone for zone, territory in get_global("zone_territories").items() if territory == country)


def _plain(text: str) -> str:
    """Return a text with plain spaces, ASCII digits and one spelling of Arabic letters, each character at its place."""
    text = OTHER_SPACE.sub(" ", text)
    return text if text.isascii() else OTHER_DIGIT.sub(lambda digit: str(int(digit[0])), text.translate(SAME_LENGTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """The patterns of a language by their names in the word lists, and the numbers of its names of days and months."""

    language: str
    dates: tuple[re.Pattern[str], ...]  # the clearest first
    patterns: Mapping[str, re.Pattern[str]]
    numbers: Mapping[str, Mapping[str, int]]  # of a "month", of a "weekday" from Monday as 0, of days to "tomorrow"

    def search(self, name: str, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        return self.patterns[name].search(text, start, end)


@cache
def _words_of(language: str) -> _Words | None:
    """Return the patterns that find the dates of coming events in a language; None if its words are not known."""
    language = SAME_DATE_WORDS.get(language, language)
    table = load_data("dates_ahead").get(language)
    if not isinstance(table, dict):
        return None
    read = table.get if "date" in table else lambda name, _: _any_word(_phrases(table, name))
    patterns = {name: re.compile(read(name, NO_MATCH), re.IGNORECASE) for name in WORD_LISTS}
    patterns["time"] = _time_pattern(table)
    if "date" in table:
        return _Words(language=language, dates=(re.compile(table["date"]),), patterns=patterns, numbers={})
    if language == "de":  # "Treffen" and "Start" are nouns
        patterns["ahead"] = re.compile(patterns["ahead"].pattern)
    # "It may", and not "3 May" or "May 3"
    patterns["doubt"] = re.compile(rf"(?<!\d\s){patterns['doubt'].pattern}(?!\s\d)", re.IGNORECASE)
    limits = _any_word(_phrases(table, "until") + _phrases(table, "by"))
    # "through Thursday", "through 5 p.m. on Thursday"
    patterns["by"] = re.compile(rf"{limits}\s(?:{patterns['time'].pattern}\s)?(?:\w{{1,5}}\s)?$", re.IGNORECASE)
    days = (each.partition(":") for each in _phrases(table, "tomorrow"))
    inflected = {_plain(name): number for number, name in enumerate(table.get("inflected", ())) if name}
    numbers = {
        "month": _babel_names(language, "months", "abbreviated", "wide"),
        "weekday": _babel_names(language, "days", "wide") | inflected,
        "tomorrow": {word: int(number or 1) for word, _, number in days},
    }
    dates = tuple(_date_patterns(table, {name: _names(each) for name, each in numbers.items()}))
    return _Words(language=language, dates=dates, patterns=patterns, numbers=numbers)


def _babel_names(language: str, kind: str, *widths: str) -> dict[str, int]:
    """Return Babel's names of months or weekdays by name, in lower case without signs; the value is the number."""
    return {
        _plain(name).lower(): number
        for locale in map(Locale.parse, (language, *OTHER_LOCALES.get(language, ())))
        for form in ("format", "stand-alone")
        for width in widths
        for number, name in getattr(locale, kind)[form][width].items()
        if not name[0].isdigit() and len(name.strip(".")) > 2
    }


def _phrases(table: dict[str, str], name: str) -> list[str]:
    return [_plain(phrase).replace("_", " ") for phrase in table.get(name, "").split()]


def _any_word(phrases: Iterable[str]) -> str:
    each = (re.escape(phrase).replace(r"\*", r"\w{0,6}").replace(r"\ ", r"\s") for phrase in phrases)
    words = "|".join(each)
    return rf"(?<![\w-])(?:{words})(?![\w-])" if words else NO_MATCH


def _names(names: Iterable[str]) -> str:
    return "|".join(re.escape(name).replace(r"\ ", r"\s") for name in sorted(names, key=len, reverse=True))


def _date_patterns(table: dict[str, str], names: Mapping[str, str]) -> Iterator[re.Pattern[str]]:
    """Yield the patterns of a date: "3 May", "May 3", "on 3.05.", "tomorrow", "on Friday", "in May", in this order."""
    prefix = rf"(?<![\w-])(?:{table['prefixes']})?-?" if "prefixes" in table else r"(?<![\w-])"
    month, weekday = (rf"{prefix}(?P<{name}>{names[name]})(?!\w)" for name in ("month", "weekday"))
    joins = "|".join((*map(re.escape, table.get("joins", "").split()), "-", "–"))
    ands = "|".join((*map(re.escape, table.get("ands", "").split()), "&"))
    first = rf"(?:(?P<first>\d{{1,2}})\.?\s?(?:(?P<range>{joins})|{ands})\s?(?:the\s|el\s)?)?"
    before = rf"(?:{weekday}[\s,]{{1,2}}(?:\w{{1,4}}\s)?)?"
    day = r"(?<![\d.,:/$€£-])" + first + r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|ª|η)?\.?,?\s(?:of\s|de\s|d')?"
    prefixed = day.replace(r"(?<![\d.,:/$€£-])", r"(?<![\d.,:/$€£])") if "prefixes" in table else day
    yield re.compile(rf"{before}{prefixed}{month}{_YEAR}", re.IGNORECASE)
    behind = r"\.?\s(?P<day>\d{1,2})(?:\s?[-–]\s?(?P<last>\d{1,2}))?(?:st|nd|rd|th)?(?![\d:%]|[.,]\d|\s?(?:[–-]\s?\d))"
    yield re.compile(rf"{before}{month}{behind}{_YEAR}", re.IGNORECASE)
    numbers = r"(?P<day>\d{1,2})(?P<mark>[./])(?P<month>0[1-9]|1[0-2])"
    end = r"(?:(?P=mark)(?P<year>20\d\d)|\.?)(?![\d%]|[.,/:]\d)"
    yield re.compile(rf"{_any_word(_phrases(table, 'on'))}\s{before}{numbers}{end}", re.IGNORECASE)
    yield re.compile(rf"(?<![\w-])(?P<tomorrow>{names['tomorrow'] or NO_MATCH})(?![\w-])", re.IGNORECASE)
    to = rf"(?:\s(?:{joins})\s|[-–])(?:{names['weekday']})"  # "Monday to Friday", each week
    at = rf"{_any_word(_phrases(table, 'weekday_on'))}\s(?:\w{{4,12}}\s)?" if "weekday_on" in table else ""
    not_named = rf"(?<!{')(?<!'.join(table['named'].split())})\s" if "named" in table else ""
    yield re.compile(rf"{at}{not_named}{weekday}(?:\s?\((?P<day>\d{{1,2}})\)|(?!\s\d|\sde\s|{to}))", re.IGNORECASE)
    yield re.compile(rf"{_any_word(_phrases(table, 'in'))}\s(?P<alone>{month}){_YEAR}", re.IGNORECASE)


def _time_pattern(table: dict[str, str]) -> re.Pattern[str]:
    """Return the pattern of a time of day, with its zone if it has one: "at 7:30 pm (GMT)", "um 19 Uhr"."""
    zone = rf"(?:[\s,(]{{1,3}}(?P<zone>(?-i:{_names(_zones())}))(?!\w))?"
    if "time" in table:
        return re.compile(table["time"] + zone)
    at, hours = (_names(_phrases(table, name)) for name in ("at", "hour"))
    half = _names(_phrases(table, "am") + _phrases(table, "pm"))
    before = rf"(?:(?<![\w-])(?:(?P<hours>{hours})|(?P<at>{at}))\s)?"
    clock = r"(?<![\w.,:/$€£+–-])(?P<hour>\d{1,2})(?:\s?[:.h]\s?(?P<minute>[0-5]\d)(?!\d))?(?![.,:]\d)"
    behind = rf"(?:\s?(?:(?P<half>{half})|(?P<behind>{hours})))?(?![\w%])"
    return re.compile(before + clock + behind + zone, re.IGNORECASE)


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """Return the time zone by what stands behind a time; none for the time of the place of the event."""
    table = load_data("dates_ahead")["zones"]
    return {phrase: (zone,) if "/" in zone else () for zone in table for phrase in _phrases(table, zone)}


def _matches(text: str, words: _Words) -> Iterator[re.Match[str]]:
    """Yield what may be a date, each part of the text once."""
    taken: list[tuple[int, int]] = []
    for pattern in words.dates:
        for match in pattern.finditer(text):
            start, end = match.span()
            if all(end <= left or right <= start for left, right in taken):
                taken.append((start, end))
                if not IN_FIGURES.match(text, end):
                    yield match


def _is_planned(text: str, match: re.Match[str], words: _Words) -> bool:
    """Whether a word of the date's clause tells that something is planned, and none between them tells otherwise."""
    if words.search("by", text[max(0, match.start() - MAX_BEFORE_DATE) : match.start()]):
        return False
    start, end = _clause_around(text, match)
    outside = text[start : match.start()] + "|" + text[match.end() : end]  # "May" is a month
    if words.search("doubt", outside) or words.search("doubt", text, 0, MAX_CONDITION) or words.search("put_off", text):
        return False
    ahead = words.patterns["ahead"]
    last_before = match.start() if words.numbers else match.end()  # "오는 12일" has its word in the date
    before = [each.start() for each in ahead.finditer(text, start, last_before)][-1:]
    after = [each.end() for each in ahead.finditer(text, match.end(), end)][:1]
    if words.language in SUBJECT_FIRST and match.start() - start > MAX_CLAUSE_OPENING:
        after = []
    return any(
        match.start() - first <= MAX_DATE_GAP
        and not any(words.search(name, text, first, match.start()) for name in ("past", "until"))
        and not words.search("was", text, max(start, first - MAX_WAS), first)
        for first in before
    ) or any(last - match.end() <= MAX_DATE_GAP and not words.search("past", text, start, last) for last in after)


def _clause_around(text: str, match: re.Match[str]) -> tuple[int, int]:
    """
    Return start and end, in characters of `text`, of the clause around a match: from mark to mark, such as commas.
    """
    marks = [each.span() for each in CLAUSE_MARK.finditer(text) if not (match.start() < each.start() < match.end())]
    start = max((end for begin, end in marks if end <= match.start()), default=0)
    later = [begin for begin, end in marks if begin >= match.end()]
    end = next(iter(later), len(text))
    if start == 0 and end < SHORT_ADVERBIAL and text[end : end + 1] == "," and len(later) > 0:
        end = next(iter(later[1:]), len(text))
    return start, end


def _resolve_for_all(match: re.Match[str], words: _Words, days: Set[date]) -> tuple[date, date] | None:
    """Return the first and the last day of a match, today or later, if they are the same for all days of the report."""
    readings = {_resolve(match, words, day) for day in days}
    resolved = readings.pop() if len(readings) == 1 else None
    return resolved if resolved and resolved[0] >= max(days) else None


def _resolve(match: re.Match[str], words: _Words, day: date) -> tuple[date, date] | None:
    """Return the first and the last day of a match in a report of `day`; None if it is no date, or one in doubt."""
    found = {name: value for name, value in match.groupdict().items() if value}
    if "tomorrow" in found:
        on = day + timedelta(days=_name_number(found, "tomorrow", words) or 1)
        return on, on
    weekday = _name_number(found, "weekday", words)
    if "month" in found or "nextday" in found or (not words.numbers and "day" in found):
        resolved = _resolve_day(found, words, day)
        return resolved if resolved and weekday in (None, resolved[0].weekday()) else None
    if weekday is None:
        return None
    on = day + timedelta(days=(weekday - day.weekday()) % 7)
    if "day" in found and int(found["day"]) != on.day:
        return None
    around = match.string[max(0, match.start() - 14) : match.end() + 12]
    is_this_week = on.isocalendar()[:2] == day.isocalendar()[:2]
    is_next = words.search("soon", around) is not None
    # "Next Friday", said on a Monday, is the one of this week or of the next. "On Tuesday" in a report that is dated
    # Wednesday is rather the day before it: the report came late.
    is_in_doubt = is_this_week if is_next else "day" not in found and (on - day).days > MAX_WEEKDAY_AHEAD
    return None if is_in_doubt else (on, on)


def _resolve_day(found: dict[str, str], words: _Words, day: date) -> tuple[date, date] | None:
    """Return the first and last day that a date stands for, None if it is not ahead; `day` is that of the report."""
    if "nextday" in found:
        # On the first, the text may be of the evening before.
        month, number = day.month % 12 + 1 if day.day > 1 else 0, int(found["nextday"])
    elif "month" in found:
        month, number = _name_number(found, "month", words) or 0, int(found.get("first") or found.get("day") or 1)
    else:  # "오는 12일"
        number = int(found["day"])
        month = day.month if number > day.day else day.month % 12 + 1
        if 0 <= day.day - number <= MIN_SINCE_DAY:
            return None
    for year in [int(found["year"])] if "year" in found else [day.year, day.year + 1]:
        length = monthrange(year, month)[1] if 1 <= month <= 12 else 0
        if 1 <= number <= length and 0 <= (date(year, month, number) - day).days <= MAX_DAYS_AHEAD:
            given = found.get("last") or ("range" in found and found["day"]) or number
            last = length if "alone" in found else int(given)
            return date(year, month, number), date(year, month, last if number <= last <= length else number)
    return None


def _find_beginning(
    match: re.Match[str], on: date, dates: Iterable[re.Match[str]], words: _Words, country: str | None
) -> datetime | None:
    """
    Return when an event begins that has the date of a match; None if no time stands beside it, or one in doubt.

    A time without a zone is that of the outlet's `country`, if it has one zone and the sentence names no other country.
    """
    moments = defaultdict[bool, set[datetime | None]](set)
    for clock in words.patterns["time"].finditer(match.string):
        nearest = min(dates, key=lambda each: max(clock.start() - each.end(), each.start() - clock.end()))
        if nearest is match and (at := _read_clock(clock, words)):
            is_at_home = country and countries_in(match.string, words.language) <= {country}
            zones = _zones().get(clock["zone"] or "", _zones_of(country) if is_at_home else ())
            of_day = zones if _is_beside(clock, match, words) else ()  # none: in doubt
            moments[bool(clock["zone"] and zones)].add(_time_in_utc(on, at, of_day))
    said = moments[True] or moments[False]  # those with a zone
    return said.pop() if len(said) == 1 and not REPEATED.search(match.string) else None


def _is_beside(clock: re.Match[str], day: re.Match[str], words: _Words) -> bool:
    """Whether a time of day (`clock`) belongs to a date (`day`): only words that join them are between the two."""
    has_at = words.numbers and (clock["at"] or clock["hours"])
    if clock.end() <= day.start():
        is_time = has_at or clock["half"] or clock["zone"]
        return bool(is_time and TIME_FIRST.fullmatch(day.string, clock.end(), day.start()))
    gap = words.patterns["time"].sub("", day.string[day.end() : clock.start()])
    joint = DATE_FIRST if has_at else DATE_DIRECTLY_BEFORE
    return bool(joint.fullmatch(gap)) and not any(words.search(name, gap) for name in ("past", "until"))


def _read_clock(match: re.Match[str], words: _Words) -> time | None:
    """Return the time of day of a match; None if it is none, or which half of the day is meant is in doubt."""
    found = {name: value for name, value in match.groupdict().items() if value}
    hour, minute, half = int(found["hour"]), int(found.get("minute", 0)), found.get("half")
    if half:  # noon is 12 p.m. for some, and midnight for others
        hour = hour + 12 * bool(words.search("pm", half)) if 0 < hour < 12 else 24
    else:
        is_time = found.keys() & {"hours", "behind"} or ("minute" in found and found.keys() & {"at", "zone"})
        has_24_hours = found.keys() >= {"at", "behind"} or words.patterns["pm"].pattern == NO_MATCH
        if not is_time or not (hour > 12 or has_24_hours or _zones().get(found.get("zone", "")) == ("Etc/UTC",)):
            return None
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _time_in_utc(on: date, clock: time, zones: Iterable[str]) -> datetime | None:
    """Return a time of a day in UTC; None if the zones differ, or the clocks skip or repeat it on that day."""
    readings = [(clock.replace(fold=fold), ZoneInfo(zone)) for zone in zones for fold in (0, 1)]
    moments = {datetime.combine(on, *reading).astimezone(UTC) for reading in readings}
    return moments.pop() if len(moments) == 1 else None


def _name_number(found: dict[str, str], name: str, words: _Words) -> int | None:
    """Return the number of what a match has as `name`, by its name or in digits."""
    value = found.get(name, "").lower()
    return int(value) if value.isdigit() else words.numbers.get(name, {}).get(value)
