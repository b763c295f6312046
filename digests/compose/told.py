"""What an edition told of each story, in a form with which sentences and titles are compared."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digests.analysis.numbers import significant_numbers
from digests.model.edition import Edition
from digests.model.edition_story import Brief, EditionStory
from digests.summarise.repetition import is_repetition
from watcher.text.words import stems


@dataclass(frozen=True, slots=True)
class ToldStory:
    """Stems and numbers of what an edition told of a story in one language."""

    stems: frozenset[str]
    numbers: frozenset[str]


def read_told(edition: Edition) -> tuple[ToldStory, ...]:
    """Return what an edition told, story by story and language by language, lines below other stories among them."""
    return tuple(
        ToldStory(frozenset(stems(text, language)), frozenset(significant_numbers(text)))
        for shown in edition.told
        for text, language in _texts_by_language(shown)
    )


def was_told(text: str, language: str, told: Sequence[ToldStory]) -> bool:
    """Whether a text says what was told of whatever story: grouping may have kept that apart."""
    about, numbers = set(stems(text, language)), set(significant_numbers(text))
    return any(numbers <= each.numbers and is_repetition(about, each.stems) for each in told)


def has_new_number(text: str, told: Sequence[ToldStory]) -> bool:
    """Whether a text has a number that was told of no story."""
    return not set(significant_numbers(text)) <= {number for each in told for number in each.numbers}


def texts_of(shown: EditionStory | Brief) -> Iterator[tuple[str, str]]:
    """Yield what an edition told of a story, each with its language: headline, sentences, and what was later."""
    if isinstance(shown, Brief):
        yield shown.title, shown.language
        return
    yield shown.title, shown.title_language
    yield from ((each.text, each.language) for each in (*shown.summary, *shown.updates))
    if shown.latest:
        yield shown.latest.title, shown.latest.language


def _texts_by_language(shown: EditionStory | Brief) -> Iterator[tuple[str, str]]:
    by_language: defaultdict[str, list[str]] = defaultdict(list)
    for text, language in texts_of(shown):
        by_language[language].append(text)
    yield from (("\n".join(texts), language) for language, texts in by_language.items())
