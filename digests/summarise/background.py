"""Whether a sentence tells what had happened before the period of an edition; the words are in `background.toml`."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from babel import Locale, UnknownLocaleError

from digests.analysis.numbers import NUMBER_IN_TEXT
from digests.model.edition_story import Sentence
from watcher.text.toml_data import load_toml
from watcher.text.words import SAME_WORDS, is_unspaced

DAYS_OF_WEEK = 7
MOST_DAYS_BACK = 3  # of a day that is named; one farther back is rather to come
MARGIN = timedelta(
    days=1
)  # a report in another time zone may call the period's first day by the name of the one before


def is_background(sentence: Sentence, window_start: datetime) -> bool:
    """
    Whether a sentence names days of the week of which all were before the window, or says that it is of last year.

    "Tensions flared up after an attack on Thursday", read on a Sunday. A sentence with a figure may compare with last
    year's, so it is no background for that.
    """
    if days := _days_named(sentence.text, sentence.language):
        published = sentence.published_at
        back = min((published.weekday() - day) % DAYS_OF_WEEK for day in days)
        return back <= MOST_DAYS_BACK and (published - timedelta(days=back)).date() < (window_start - MARGIN).date()
    words = _long_ago(sentence.language)
    return bool(words and words.search(sentence.text)) and not NUMBER_IN_TEXT.search(sentence.text)


def _days_named(text: str, language: str) -> set[int]:
    """Return the days of the week that a text names, 0 for Monday."""
    pattern, numbers = _weekdays(language)
    return {numbers[match.group().lower()] for match in pattern.finditer(text)} if numbers else set()


@cache
def _weekdays(language: str) -> tuple[re.Pattern[str], dict[str, int]]:
    """Return a pattern for the names of the days of the week, and their numbers; none for an unknown language."""
    try:
        locale = Locale.parse(SAME_WORDS.get(language, language))
    except (ValueError, UnknownLocaleError):
        return re.compile(r"(?!)"), {}
    forms = (locale.days[form]["wide"] for form in ("format", "stand-alone"))
    numbers = {name.lower(): number for names in forms for number, name in names.items()}
    return _any_of(map(re.escape, sorted(numbers, key=len, reverse=True))), numbers


@cache
def _long_ago(language: str) -> re.Pattern[str] | None:
    patterns: list[str] = load_toml("digests.summarise", "background.toml").get(SAME_WORDS.get(language, language), [])
    return _any_of(patterns) if patterns else None


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    every = "|".join(patterns)
    return re.compile(every if is_unspaced(every) else rf"\b(?:{every})\b", re.IGNORECASE)
