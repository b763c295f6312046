"""Numbers of other things than `figures` knows that have changed since an earlier report: "59 → 78 homes"."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from digests.analysis.numbers import NUMBER_IN_TEXT, YEAR_VALUE, normalize
from digests.model.edition_story import NumberChange, Sentence
from digests.summarise.figures import (
    MAX_FACTOR,
    find_lower_bound,
    is_exact,
    is_of_earlier_year,
    near_words,
    read_figures,
)
from watcher.text.words import WORD, fold, stem, stop_words

CONTEXT_WORDS = 7  # words before and after a number that are compared
MIN_COMMON_WORDS = 3  # words around two numbers, units included, that must be the same for them to count the same thing
MAX_NUMBER_CHANGES = 2  # of a story


@dataclass(frozen=True, slots=True)
class _CountedNumber:
    """A number of a sentence, its unit, and the words around it."""

    text: str  # as written, with the words for a lower bound
    value: str  # normalized
    what: str  # the unit, as written
    unit: str  # the stem of the unit, or "%"
    around: frozenset[str]  # stems
    sentence: Sentence


def changed_numbers(new: Sequence[Sentence], old: Iterable[Sentence]) -> tuple[NumberChange, ...]:
    """
    Return up to `MAX_NUMBER_CHANGES` numbers of `new` that differ from those `old` had for the same thing, in order.

    Only numbers that are directly before a known unit are compared: what follows any other number may be half a phrase.
    Two numbers count the same thing if they are in one language, have the same unit, and share `MIN_COMMON_WORDS` words
    around them; of equally close ones in `old`, the first is compared. A number that `old` has too is not a change.
    """
    before = [number for sentence in old for number in _counted_numbers(sentence)]
    changes: dict[str, NumberChange] = {}
    for sentence in new:
        for number in _counted_numbers(sentence):
            alike = [
                b
                for b in before
                if (b.unit, b.sentence.language) == (number.unit, sentence.language)
                and len(b.around & number.around) >= MIN_COMMON_WORDS
            ]
            if not alike or number.unit in changes or any(b.value == number.value for b in alike):
                continue
            best = max(alike, key=lambda b: len(b.around & number.around))
            if 1 / MAX_FACTOR <= float(number.value) / max(float(best.value), 1e-9) <= MAX_FACTOR:
                changes[number.unit] = NumberChange(
                    before=best.text,
                    after=number.text,
                    what=number.what,
                    sentence_before=best.sentence,
                    sentence_after=sentence,
                )
    return tuple(changes.values())[:MAX_NUMBER_CHANGES]


def _counted_numbers(sentence: Sentence) -> list[_CountedNumber]:
    """Return the exact numbers of a sentence whose unit no other number of it has; those of `figures` are left out."""
    if is_of_earlier_year(sentence):
        return []
    numbers = list(_numbers_with_unit(sentence))
    units = Counter(number.unit for number in numbers)
    return [number for number in numbers if units[number.unit] == 1]


def _numbers_with_unit(sentence: Sentence) -> Iterator[_CountedNumber]:
    """Yield the exact numbers of a sentence that count something ("1,200 homes"), but not years and known figures."""
    text, language = sentence.text, sentence.language
    stop = stop_words(language)
    known = {figure.start for figure in read_figures(sentence)}
    for match in NUMBER_IN_TEXT.finditer(text):
        value, unit = normalize(match.group()), _find_unit(text, match, language)
        is_skipped = (
            YEAR_VALUE.match(value) or match.start() in known or text[match.start() - 1 : match.start()].isalpha()
        )
        if is_skipped or unit is None:
            continue
        what, stemmed = unit
        if not is_exact(text, (match.start(), text.index(what, match.end()) + len(what)), language):
            continue
        start = find_lower_bound(text, match.start(), language)
        before = [word.group() for word in WORD.finditer(text, 0, match.start())][-CONTEXT_WORDS:]
        near = [*before, *(word.group() for word in WORD.finditer(text, match.end()))][: len(before) + CONTEXT_WORDS]
        around = frozenset(stem(f) for word in near if (f := fold(word)) not in stop and not f[:1].isdigit())
        written = text[start if start >= 0 else match.start() : match.end()]
        yield _CountedNumber(written, value, what, stemmed, around, sentence)


def _find_unit(text: str, match: re.Match[str], language: str) -> tuple[str, str] | None:
    """Return the unit directly behind a number, as written, and its stem; None if it is not known."""
    if text[match.end() : match.end() + 2].strip().startswith("%"):
        return "%", "%"
    following = list(WORD.finditer(text, match.end()))[:2]
    for length in (2, 1):
        phrase = following[:length]
        if len(phrase) == length and text[match.end() : phrase[0].start()].isspace():
            written = text[phrase[0].start() : phrase[-1].end()]
            entry = "-".join(fold(word.group()) for word in phrase)
            if entry in near_words("percent", language):
                return written, "%"
            if entry in near_words("people", language) | near_words("units", language):
                return written, stem(entry)
    return None
