"""Numbers in reports: which of them are significant, and which have changed ("59 → 78 people")."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from digests.model.edition_story import NumberChange, Sentence
from watcher.text.words import WORD, fold, stem, stop_words

NUMBER_IN_TEXT = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d{3})*(?:[.,]\d+)?")
MIN_NUMBER = 10  # smaller numbers say little by themselves, and so do years
YEAR_VALUE = re.compile(r"(?:19|20)\d\d$")
CONTEXT_WORDS = 7  # words before and after a number that are compared
MAX_UNIT_DISTANCE = 2  # words after a number in which its unit is searched
MIN_COMMON_WORDS = 3  # words around two numbers, units included, that must be the same for them to count the same thing
MAX_FACTOR = 30.0  # a number that has grown or shrunk more counts something else
MAX_NUMBER_CHANGES = 2  # of a story


def significant_numbers(text: str) -> set[str]:
    """Return the significant numbers of `text`, normalized; years and numbers below `MIN_NUMBER` are left out."""
    values = map(normalize, NUMBER_IN_TEXT.findall(text))
    return {value for value in values if not YEAR_VALUE.match(value) and float(value) >= MIN_NUMBER}


def normalize(number: str) -> str:
    """Return `number` without thousands separators and with a decimal point."""
    return re.sub(r"[.,\u00a0\u202f ](?=\d{3}(?!\d))", "", number).replace(",", ".")


def _unit_words(text: str, match: re.Match[str], stop: Collection[str]) -> str | None:
    """Return the unit of a number, a word or "%" behind it; None if it has none."""
    if text[match.end() : match.end() + 2].strip().startswith("%"):
        return "%"
    for word in islice(WORD.finditer(text, match.end()), MAX_UNIT_DISTANCE):
        if re.search(r"[.,;:()–—\d\n]", text[match.end() : word.end()]):
            return None
        if fold(word.group()) not in stop:
            return text[match.end() : word.end()].strip()
    return None


@dataclass(frozen=True, slots=True)
class CountedNumber:
    """A number of a sentence, its unit, and the words around it."""

    text: str  # as written
    value: str  # normalized
    what: str  # from the number to its unit, as written
    unit: str  # the stem of the unit, or "%"
    around: frozenset[str]  # stems
    sentence: Sentence


def _counted_numbers(sentence: Sentence) -> Iterator[CountedNumber]:
    """Yield the numbers of a sentence that have a unit; years are left out."""
    text = sentence.text
    stop = stop_words(sentence.language)
    for match in NUMBER_IN_TEXT.finditer(text):
        value = normalize(match.group())
        is_skipped = YEAR_VALUE.match(value) or text[match.start() - 1 : match.start()].isalpha()
        if is_skipped or (what := _unit_words(text, match, stop)) is None:
            continue
        unit = stem(fold(WORD.findall(what)[-1])) if what != "%" else what
        before = [word.group() for word in WORD.finditer(text, 0, match.start())][-CONTEXT_WORDS:]
        near = [*before, *(word.group() for word in WORD.finditer(text, match.end()))][: len(before) + CONTEXT_WORDS]
        around = frozenset(stem(f) for word in near if (f := fold(word)) not in stop and not f[:1].isdigit())
        yield CountedNumber(match.group(), value, what, unit, around, sentence)


def changed_numbers(new: Sequence[Sentence], old: Iterable[Sentence]) -> tuple[NumberChange, ...]:
    """
    Return up to `MAX_NUMBER_CHANGES` numbers of `new` that differ from those `old` had for the same thing, in order.

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
