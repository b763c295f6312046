"""Whether two texts say the same: a sentence and what stands above it, or a title and what another story tells."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from math import ceil, floor

from digests.analysis.gazetteer import load_gazetteer
from digests.analysis.numbers import NUMBER_IN_TEXT, YEAR_VALUE, normalize
from digests.summarise import readable
from digests.summarise.agreement import rarity
from watcher.text.number_words import number_words
from watcher.text.toml_data import load_toml
from watcher.text.words import ELISION, POSSESSIVE, SAME_WORDS, WORD, fold, is_unspaced, stem, stems, stop_words

MIN_REPETITION = 0.7  # share of a sentence's words in another one, from which on they say the same
MIN_HEADLINE_REPETITION = 0.6  # the same for a headline, without the words that tell nothing
MIN_SAME_EVENT = 0.75  # share of a title's words that another story tells, from which on they are on one event
MIN_SUMMARY_NEW_WORDS = 3  # that a sentence must add to headline and summary
MIN_COMMON_CHARS, MAX_ENDING_CHARS = 3, 2  # of the stems of two forms of one word
ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")  # behind a number: "1st"
# A person's age is no figure of an event: "dead at 86", "an 86-year-old man", "mit 86 Jahren", "à l'âge de 86 ans".
AGE_BEFORE = re.compile(r"\b(?:aged|age(?: of)?|(?:dead|dies?|died|away|killed [^,:;]{0,40}) at) $", re.IGNORECASE)
AGE_AFTER = re.compile(r"[ -](?:years?[ -]old|jährig|jarig)", re.IGNORECASE)
AGE_BEFORE_YEARS = re.compile(
    r"\b(?:mit|l['’]âge de|(?:mort|décédé)e? à|a los|aos|mort[oa] a|l['’]età di|w wieku|в возрасте) $", re.IGNORECASE
)
YEARS_AFTER = re.compile(r" (?:Jahren|ans|años|anni|anos|lat|лет)\b")
BEFORE_AGE = 50  # characters that are searched for what makes a number an age
MIN_NAME_WORDS = 2  # of a person's full name
QUANTITY_PLACES = ("after", "before", "toll")  # of quantities.toml, whose words say what happened to people


def is_repetition(about: Collection[str], said: Collection[str]) -> bool:
    """Whether a sentence with the stems `about` says little that `said` does not say."""
    if not about:
        return True
    new = len(set(about) - set(said))
    return new < MIN_SUMMARY_NEW_WORDS or 1 - new / len(set(about)) >= MIN_REPETITION


def says_the_same(about: Collection[str], said: Collection[str]) -> bool:
    """Whether a sentence with the stems `about` says little that one with `said` does not say, or all that it says."""
    return is_repetition(about, said) or len(set(about) & set(said)) >= MIN_REPETITION * len(set(said))


def repeats_headline(text: str, language: str, title: str, title_language: str) -> bool:
    """
    Whether a sentence tells little more than a headline: no figure beside the headline's, and few other words.

    Compared is what they tell: numbers in digits or words, what happened to people ("killed", "dead"), and the other
    words without those that only say who told it and on which day.
    """
    if language != title_language or is_unspaced(text):
        return False
    told, known = set(_facts(text, language)), set(_facts(title, language))
    new = told - known
    numbers = find_figures(title, language)
    new_numbers = find_figures(text, language) - numbers
    # Another number in the place of the headline's is rather another state of the story than something to add.
    if new_numbers and (not numbers or numbers & told):
        return False
    new -= new_numbers
    return len(new) < MIN_SUMMARY_NEW_WORDS or 1 - len(new) / len(told) >= MIN_HEADLINE_REPETITION


def compare_numbers(text: str, told: str, language: str) -> tuple[bool, bool]:
    """Return whether a text has a number, and whether it has one, other than a year, that is not told, also rounded."""
    known = find_figures(told, language)
    rounded = {str(whole(float(number))) for number in known if "." in number for whole in (floor, ceil)}
    numbers = {number for number in find_figures(text, language) if not YEAR_VALUE.match(number)}
    return bool(numbers), not numbers <= known | rounded


def is_obituary(title: str, language: str, told: str) -> bool:
    """
    Whether a title gives the age at which somebody died, of whose death `told`, of its language, speaks already, or
    says of the full name before its colon who that was: "Ilmo Sarkan: the leader who ...".
    """
    if "killed" not in _fact_set(told, language):
        return False
    name, colon, _ = title.partition(": ")
    named = name.split()
    is_person = len(named) >= MIN_NAME_WORDS and all(word[0].isupper() for word in named) and not name.isupper()
    is_profile = bool(colon) and is_person and named[-1] in WORD.findall(told)  # "War" of a title is "war" in a text
    has_age = any(_is_age(title, match.start(), match.end()) for match in NUMBER_IN_TEXT.finditer(title))
    return is_profile or (has_age and "killed" in _fact_set(title, language))


def tells_same_event(title: str, told: str, language: str) -> bool:
    """
    Whether a title is on what a headline with its sentences, `told`, tells: with no place and no number of its own.

    Most of its words are there; if no number is among them, nearly all.
    """
    facts, known = _fact_set(title, language), _fact_set(told, language)
    if not facts or is_unspaced(title) or any(fact[0].isdecimal() for fact in facts - known):
        return False
    shared = facts & known
    has_number = any(fact[0].isdecimal() for fact in shared)
    if len(shared) < (MIN_HEADLINE_REPETITION if has_number else MIN_SAME_EVENT) * len(facts):
        return False
    places = [{match.code for match in load_gazetteer(language).find(text)} for text in (title, told)]
    return places[0] <= places[1]


def find_share_told(title: str, text: str, language: str, frequencies: Mapping[str, float]) -> float:
    """
    Return how much of a title a text of its language tells, 0 to 1: 1 for a title that tells nothing.

    `frequencies`: the share of the day's reports that have each stem. The squares of the rarities count: under "Iran
    vows revenge for killing of supreme leader Ayatollah Ali Khamenei", on a day that is full of him, the two words of
    the act count more than the seven that a hundred other reports have.
    """
    told, facts = (
        set(stems(each, language)) if is_unspaced(title) else _fact_set(each, language) for each in (text, title)
    )
    weights = {fact: rarity(frequencies.get(stem(fact), 0.0)) ** 2 for fact in sorted(facts)}
    total = sum(weights.values())
    shared = sum(weight for fact, weight in weights.items() if any(_are_forms(fact, each) for each in told))
    return shared / total if total else 1.0


def _are_forms(one: str, other: str) -> bool:
    """Whether two stems may be of one word, as those of "vows" and "vowed"."""
    if one == other or one[0].isdecimal():
        return one == other
    shorter, longer = sorted((one, other), key=len)
    common = max(MIN_COMMON_CHARS, len(shorter) - 1)
    return len(longer) - common <= MAX_ENDING_CHARS and shorter[:common] == longer[:common]


def find_figures(text: str, language: str) -> frozenset[str]:
    """Return the numbers of a text, in digits or words, normalized; without those of names."""
    return frozenset(fact for fact in _fact_set(text, language) if fact[0].isdecimal())


@lru_cache(maxsize=256)  # each title is compared with all that is told
def _fact_set(text: str, language: str) -> frozenset[str]:
    return frozenset(_facts(text, language))


def _facts(text: str, language: str) -> Iterator[str]:
    """Yield the stems of a text, with one word for a number and one for all words of a quantity."""
    for match in NUMBER_IN_TEXT.finditer(text):
        is_figure = not (_is_part_of_name(text, match.start()) or _is_age(text, match.start(), match.end()))
        if is_figure and not ORDINAL.match(text, match.end()):
            yield normalize(match.group())
    table, quantities = number_words(language), _quantity_of_word(language)
    hollow, stop = readable.words_for_language("hollow", language), stop_words(language)
    for word in (ELISION.sub("", POSSESSIVE.sub("", fold(word))) for word in WORD.findall(text)):
        number = table.added.get(word) if table is not None else None
        if number is not None and not (number == 1 and word in stop):  # "une" is an article
            yield str(number)
        elif word in quantities:
            yield quantities[word]
        elif word not in stop and word not in hollow and len(word) > 1 and not word[0].isdecimal():  # "4bn" is 4
            yield stem(word)


def _is_part_of_name(text: str, start: int) -> bool:
    """
    Whether the number at an offset is no figure: "SARS-CoV-2", "Covid-19", "G7".

    Scripts without capitals have prefixes before figures, as Hebrew does: "ב-15".
    """
    before = text[max(0, start - 2) : start]
    letter = before.removesuffix("-")[-1:]
    return letter.lower() != letter.upper()


def _is_age(text: str, start: int, end: int) -> bool:
    """Whether the number between two offsets is the age of a person."""
    before = text[max(0, start - BEFORE_AGE) : start]
    has_years = AGE_BEFORE_YEARS.search(before) and YEARS_AFTER.match(text, end)
    return bool(has_years or AGE_BEFORE.search(before) or AGE_AFTER.match(text, end))


@cache
def _quantity_of_word(language: str) -> dict[str, str]:
    """Return what a single word of quantities.toml says: "killed" for "dead" and "died"."""
    language = SAME_WORDS.get(language, language)
    return {
        fold(word): quantity
        for quantity, places in load_toml("digests.summarise", "quantities.toml").items()
        for place in QUANTITY_PLACES
        for word in places.get(place, {}).get(language, "").split()
        if "-" not in word
    }
