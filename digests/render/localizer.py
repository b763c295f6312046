"""An edition's language: phrases, numbers, dates, times, and names of countries and languages."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_skeleton, format_timedelta, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from digests.analysis.country_names import country_name
from digests.model.edition import Edition
from digests.render.escape import language_tag, sanitize_line, text_direction
from watcher.failure_messages import Reason

Phrase = str | dict[str, str]
FALLBACK_LANGUAGE = "en"
WORLD_ENGLISH = "en_GB"  # day before month, 24 hours: usual in English outside the United States
NEAR_DAYS = 180  # from the edition's date, within which dates are shown without a year
NO_SPACE_LANGUAGES = frozenset({"zh", "ja", "yue", "wuu"})  # between sentences


@dataclass(frozen=True, slots=True)
class Localizer:
    """Formats values in one language and time zone, relative to one date."""

    language: str  # the edition's primary tag
    locale: Locale
    zone: tzinfo
    today: date
    phrases: dict[str, Phrase]
    plurals: Locale  # of the phrases: English if the language has no phrases

    def __getitem__(self, key: str) -> str:
        """Return a phrase that has no placeholders."""
        phrase = self.phrases[key]
        assert isinstance(phrase, str), key
        return phrase

    def say(self, key: str, **gaps: str | int) -> str:
        """Return a phrase with its placeholders filled in, numbers formatted; `n` selects the plural form."""
        phrase = self.phrases[key]
        if isinstance(phrase, dict):
            phrase = phrase.get(self.plurals.plural_form(int(gaps["n"])), phrase["other"])
        return phrase.format(**{k: self.number(v) if isinstance(v, int) else v for k, v in gaps.items()})

    def describe(self, reason: Reason) -> str:
        """Return a reason as part of a sentence; in English if the language has no phrase for its kind."""
        key = f"why_{reason.kind}"
        if key not in self.phrases:
            return str(reason)
        gaps = {k: self.describe(v) if isinstance(v, Reason) else v for k, v in reason.values}
        return self.say(key, **gaps)

    def join(self, parts: Iterable[str]) -> str:
        """Return the parts that are not empty with commas between."""
        return self["comma"].join(filter(None, parts))

    def list_names(self, names: Iterable[str], limit: int) -> str:
        """Return "Chile, Peru and Brazil"; an ellipsis for those after the first `limit`."""
        named = list(filter(None, names))
        return format_list(named, locale=self.plurals) if len(named) <= limit else self.join([*named[:limit], "…"])

    def outlet_counts(self, *, outlets: int, independent: int, headline_only: int, is_least: bool = False) -> list[str]:
        """
        Return "12 outlets", "4 independent" and "3 by headline alone"; or that all have it by headline alone.

        `is_least`: "12+ outlets", "4+ independent".
        """
        count = self.count_outlets(outlets, is_least=is_least)
        if headline_only == outlets:
            return [self.say("outlets_by_headline", outlets=count)]
        by_headline = [self.say("by_headline", n=headline_only)] if headline_only else []
        return [count, self._count("independent", independent, is_least=is_least), *by_headline]

    def count_outlets(self, outlets: int, *, is_least: bool) -> str:
        """Return "12 outlets", or "12+ outlets" if there are probably more."""
        return self._count("outlets", outlets, is_least=is_least)

    def _count(self, name: str, count: int, *, is_least: bool) -> str:
        text, number = self.say(name, n=count), self.number(count)
        return text.replace(number, f"{number}+", 1) if is_least else text

    def label(self, text: str) -> str:
        """Return "Sources:", with a space before the colon where the language has one."""
        return self.say("label", text=text)

    def number(self, value: int) -> str:
        return str(format_decimal(value, locale=self.locale))

    def decimal(self, value: float) -> str:
        return str(format_decimal(value, locale=self.locale))

    def percentage(self, value: float) -> str:
        """Return "63.5%" for 63.5."""
        return str(format_percent(round(value / 100, 6), locale=self.locale, decimal_quantization=False))

    def country(self, code: str | None) -> str:
        """Return the name that texts on the analysis of places have, too: one place has one name in an edition."""
        key = (code or "").upper()
        return country_name(key, self.language) if key in self.locale.territories else ""

    def language_name(self, tag: str) -> str:
        """Return a language's name; "" if it is unknown or the edition's own."""
        primary = language_tag(tag)
        return "" if primary == self.language else str(self.locale.languages.get(primary, ""))

    def in_language(self, tag: str, *, is_translated: bool = False) -> str:
        """Return "in French", or "translated from French"; "" if the language is unknown or the edition's own."""
        name = self.language_name(tag)
        return self.say("translated" if is_translated else "language", language=name) if name else ""

    def long_date(self, day: date, at: time | None = None) -> str:
        """Return "Tuesday, 24 November 2026", followed by the time of day `at` if given."""
        text = str(format_date(day, format="full", locale=self.locale))
        return f"{text}{self['comma']}{at:%H:%M}" if at else text

    def short_date(self, day: date) -> str:
        """Return "25 November"; with the year if it is far from the edition's date."""
        if self.today != date.min and abs((self.today - day).days) > NEAR_DAYS:
            return str(format_date(day, format="long", locale=self.locale))
        return str(format_skeleton("MMMMd", datetime(day.year, day.month, day.day), locale=self.locale))  # noqa: DTZ001

    def local_date(self, at: datetime) -> str:
        """Return the day of a time in the edition's zone: "25 November"."""
        return self.short_date(at.astimezone(self.zone).date())

    def days(self, first: date, last: date) -> str:
        """Return "3 December", "3–5 December", or "December" for a whole month."""
        start, end = (datetime(day.year, day.month, day.day) for day in (first, last))  # noqa: DTZ001
        if first.day == 1 and (last + timedelta(days=1)).day == 1 and first.month == last.month:
            return str(format_date(first, "LLLL" if first.year == self.today.year else "LLLL y", locale=self.locale))
        if first == last:
            return self.short_date(first)
        return str(format_interval(start, end, "MMMd", locale=self.locale))

    def week_day(self, day: date) -> str:
        """Return "Wed, Nov 25"."""
        return str(format_skeleton("MMMEd", datetime(day.year, day.month, day.day), locale=self.locale))  # noqa: DTZ001

    def clock(self, at: datetime, *, zone: bool = False, day: bool = False) -> str:
        """Return "05:32", with the date if it is another day or `day` is set, with the zone's name if `zone` is set."""
        local = at.astimezone(self.zone)
        text = f"{local:%H:%M}" + (f" {self.zone_name(local)}" if zone else "")
        return f"{self.short_date(local.date())}{self['comma']}{text}" if day or local.date() != self.today else text

    def zone_name(self, local: datetime) -> str:
        """Return "CET", in German "MEZ": the letters of the language, or those of the zone; else "UTC+03"."""
        name = local.tzname() or "UTC"
        # English has a whole name instead of letters, and most languages have an offset for most zones.
        letters = get_timezone_name(local, "short", locale=self.locale) if self.language != FALLBACK_LANGUAGE else ""
        if name != "UTC" and letters.isalpha() and letters.isupper():
            return letters
        return name if name.isalpha() else f"UTC{name.replace('-', '−')}"

    def duration(self, seconds: float) -> str:
        return str(format_timedelta(timedelta(seconds=seconds), granularity="minute", locale=self.locale))

    @property
    def arrow(self) -> str:
        return arrow_in(self.language, "")

    def join_sentences(self, sentences: Iterable[str], tag: str) -> str:
        return ("" if language_tag(tag) in NO_SPACE_LANGUAGES else " ").join(sentences)


def localizer_for(edition: Edition) -> Localizer:
    return make_localizer(edition.language, _zone(edition.timezone), edition.local_date)


def english(zone: tzinfo) -> Localizer:
    """Return the English localizer for pages outside an edition: all its times have a date."""
    return make_localizer(FALLBACK_LANGUAGE, zone, date.min)


def make_localizer(tag: str, zone: tzinfo, today: date) -> Localizer:
    """Return the phrases and formats of a language; in English if Watcher has no phrases of it."""
    primary = language_tag(tag)
    language = primary if known_locale(primary) else FALLBACK_LANGUAGE
    locale, phrases = _locale(tag), load_phrases(language)
    return Localizer(
        language=language,
        locale=locale,
        zone=zone,
        today=today,
        phrases=phrases or load_phrases(FALLBACK_LANGUAGE),
        plurals=locale if phrases else Locale.parse(FALLBACK_LANGUAGE),
    )


def find_language(wanted: str, tags: Iterable[str]) -> str:
    """Return the tag of a language given by its tag or name, in English or in a language of `tags`; "" if unknown."""
    if known_locale(language_tag(wanted)):
        return language_tag(wanted)
    name = wanted.strip().casefold()
    for locale in filter(None, map(known_locale, (FALLBACK_LANGUAGE, *tags))):
        for tag, known in locale.languages.items():
            if known.casefold() == name:
                return language_tag(tag)
    return ""


def arrow_in(tag: str, text: str) -> str:
    return "←" if language_direction(tag, text) == "rtl" else "→"


def language_direction(tag: str, text: str) -> str:
    """Return "rtl" or "ltr": the direction of the language, or of the text if the language is unknown."""
    locale = known_locale(language_tag(tag))
    return str(locale.text_direction) if locale else text_direction(text)


@lru_cache(maxsize=256)
def known_locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="_") if tag else None
    except (UnknownLocaleError, ValueError):
        return None


def _locale(tag: str) -> Locale:
    plain = sanitize_line(tag).replace("-", "_")
    if plain.lower() in ("en", ""):
        plain = WORLD_ENGLISH
    return known_locale(plain) or known_locale(language_tag(tag)) or Locale.parse(WORLD_ENGLISH)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=16)
def load_phrases(language: str) -> dict[str, Phrase]:
    """Return the phrases of a language, with English ones for those missing; empty if the language has none."""
    own_file = files("digests.render") / "phrases" / f"{language}.toml"
    if not own_file.is_file():
        return {}
    phrases: dict[str, Phrase] = tomllib.loads(own_file.read_text("utf-8"))
    return phrases if language == FALLBACK_LANGUAGE else load_phrases(FALLBACK_LANGUAGE) | phrases
