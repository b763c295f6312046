"""Telling keys: the names, terms and numbers of an article that are evidence of an event; not those of any article."""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import chain

from digests.cluster.item import ClusterItem
from watcher.features.extract import term_weights
from watcher.text.words import fold, stem, stop_words, to_latin

NOUNS_HAVE_CAPITALS = frozenset({"de", "lb"})  # languages in which a capital letter alone does not make a name
MAX_SHARE = 0.05  # of the other articles of a language that may have a telling key
MIN_COMMON = 8  # articles that must have a key for it to be common, in a window of any size
MIN_NUMBER_CHARS, MIN_NUMBER_DIGITS = 3, 2  # of a telling number; trailing zeros do not count as digits
YEAR = re.compile(r"(?:19|20)\d\d")


@cache
def weak_words(language: str) -> frozenset[str]:
    """Return the words of a language that are no evidence, in Latin letters where possible, and their stems."""
    tables = tomllib.loads((files("digests.cluster") / "weak_words.toml").read_text("utf-8")).values()
    weak = {fold(word) for table in tables for word in table.get(language, "").split()} | stop_words(language)
    return frozenset(key for word in weak for key in (to_latin(word), word, stem(word)))


def is_telling_number(number: str) -> bool:
    """Whether a number is evidence ("5.8", "1250"): it is not small or round, and no year ("24", "200", "2026")."""
    digits = number.replace(".", "").strip("0")
    return len(number) >= MIN_NUMBER_CHARS and len(digits) >= MIN_NUMBER_DIGITS and not YEAR.fullmatch(number)


class TellingKeys:
    """
    Tells which keys of an article are evidence. `others` are articles around it that are not of its story.

    A key that many of them have is none. Of a German text, a word counts as a name only if an article in a language
    without capitals for nouns has it as a name.
    """

    def __init__(self, others: Sequence[ClusterItem] = ()) -> None:
        self.articles = Counter(item.language for item in others)
        keys_of = ((item.language, {*item.keys(), *term_weights(item.features)}) for item in others)
        self.counts = Counter((language, key) for language, keys in keys_of for key in keys)
        named = (item.features.names for item in others if item.language not in NOUNS_HAVE_CAPITALS)
        self.known_names = frozenset(chain.from_iterable(named))

    def is_common(self, key: str, language: str) -> bool:
        return self.counts[language, key] >= max(MIN_COMMON, MAX_SHARE * self.articles[language])

    def names_of(self, item: ClusterItem, other: ClusterItem) -> tuple[str, ...]:
        """Return the telling names of an article that is compared with `other`."""
        weak = weak_words(item.language) | weak_words(other.language)
        names = [name for name in item.features.names if name not in weak and not self.is_common(name, item.language)]
        if item.language in NOUNS_HAVE_CAPITALS:
            theirs = () if other.language in NOUNS_HAVE_CAPITALS else other.features.names
            names = [name for name in names if name in self.known_names or name in theirs]
        return tuple(names)

    def numbers_of(self, item: ClusterItem) -> tuple[str, ...]:
        numbers = filter(is_telling_number, item.features.numbers)
        return tuple(number for number in numbers if not self.is_common(f"#{number}", item.language))

    def terms_of(self, item: ClusterItem) -> dict[str, float]:
        """Return the telling stems of an article with their weights, higher for rare ones."""
        weak, total = weak_words(item.language), self.articles[item.language] + MIN_COMMON
        return {
            term: weight * math.log(1 + total / (1 + self.counts[item.language, term]))
            for term, weight in term_weights(item.features).items()
            if term not in weak and not self.is_common(term, item.language)
        }
