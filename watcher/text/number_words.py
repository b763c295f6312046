"""Parses numbers written as words, in the languages of number_words.toml: "forty-six", "quatre-vingt-dix mille"."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from watcher.text.toml_data import load_toml
from watcher.text.words import fold

NUMBER_WORD = re.compile(r"[^\W\d_]+")
JOINED = re.compile(r"[ \u00a0\u202f\u2010\u2011-]{1,2}")  # the separator between the words of one number
SCORE, FOUR = 20, 4  # French counts 80 as four twenties,
COUNTED_ON = {60, 80}  # and adds up to nineteen to these
LARGEST = 10**12  # limit of a product: a text may repeat multiplying words without end

NUMBER_TABLES: dict[str, dict[str, str]] = load_toml("watcher.text", "number_words.toml")
GERMAN_UNITS = 9  # the largest unit before "und" and the tens, in one word


@dataclass(frozen=True, slots=True)
class NumberWords:
    """The number words of a language, as `fold` spells them."""

    added: dict[str, int]
    times: dict[str, int]
    joins: str
    thousand: str = ""  # the word for 1,000 if it can be a part of a longer word


Part = tuple[int, bool]  # a value, and whether it multiplies the value before it


def parse_number_words(text: str, language: str) -> set[int]:
    """Return the numbers written as words in `text`; empty for a language without a table."""
    table = number_words(language)
    return {value for run in _runs(text, table) for value in _values(run)} if table is not None else set()


@lru_cache(maxsize=8)
def number_words(language: str) -> NumberWords | None:
    """Return the number words of a language, None if number_words.toml has no table for it."""
    if language not in NUMBER_TABLES:
        return None
    table = NUMBER_TABLES[language]
    added, times = _read_values(table["added"]), _read_values(table["times"])
    if language == "de":
        return NumberWords(added=_compounds(added), times=times, joins=table["joins"], thousand="tausend")
    return NumberWords(added=added, times=times, joins=table["joins"])


def _read_values(listed: str) -> dict[str, int]:
    """Return the value of each word in a list: the number before it, else the value of the previous word plus one."""
    values: dict[str, int] = {}
    value = 0
    for word in listed.split():
        if word.isdecimal():
            value = int(word)
        else:
            values[word] = value
            value += 1
    return values


def _compounds(words: dict[str, int]) -> dict[str, int]:
    """Return the German numbers below 1,000, each written as one word."""
    units = {word: value for word, value in words.items() if value <= GERMAN_UNITS}
    tens = {word: value for word, value in words.items() if value >= SCORE}
    below = words | {f"{u}und{t}": units[u] + tens[t] for u in units for t in tens}
    hundreds = {f"{u}hundert": 100 * value for u, value in units.items()}
    more = hundreds | {"hundert": 100}
    return below | hundreds | {f"{h}{und}{b}": more[h] + below[b] for h in more for b in below for und in ("", "und")}


def _runs(text: str, table: NumberWords) -> Iterator[list[Part]]:
    """Yield the runs of number words that follow each other in a text, such as "two hundred and five"."""
    run: list[Part] = []
    end = 0
    for match in NUMBER_WORD.finditer(text):
        word = fold(match.group())
        if run and not JOINED.fullmatch(text, end, match.start()):
            yield run
            run = []
        if parts := _parts(word, table):
            run += parts
        elif run and word != table.joins:
            yield run
            run = []
        end = match.end()
    if run:
        yield run


def _parts(word: str, table: NumberWords) -> list[Part]:
    """Return the number parts in a word, empty if it is not a number; "zwölftausend" has two parts."""
    if word in table.times:
        return [(table.times[word], True)]
    if word in table.added:
        return [(table.added[word], False)]
    before, thousand, after = word.partition(table.thousand) if table.thousand else (word, "", "")
    if not thousand or any(part and part not in table.added for part in (before, after)):
        return []
    parts = [(table.added[before], False)] if before else []
    return [*parts, (1_000, True), *([(table.added[after], False)] if after else [])]


def _values(run: Iterable[Part]) -> Iterator[int]:
    """Yield the numbers in a run of number words, usually one."""
    total = current = 0
    for value, is_times in run:
        if is_times and value >= 1_000:
            total, current = total + max(current, 1) * value, 0
        elif is_times:
            current = min(max(current, 1) * value, LARGEST)
        elif value == SCORE and current % 100 == FOUR:
            current += FOUR * SCORE - FOUR  # quatre-vingt: 4 becomes 80
        elif _goes_on(current, value):
            current += value
        else:
            yield total + current
            total, current = 0, value
    yield total + current


def _goes_on(current: int, value: int) -> bool:
    """Whether `value` is added to the number before it ("forty six") and does not start a new one ("six forty")."""
    least = next((least for least in (1_000, 100, 10) if current % least == 0), 1)
    return value < least or (current % 100 in COUNTED_ON and value < SCORE)
