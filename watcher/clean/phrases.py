"""What sites write around an article, in many languages, and what they call its elements; the lists are TOML files."""

import re
from collections.abc import Callable
from functools import lru_cache

from watcher.text.toml_data import load_toml

KNOWN_NAMES = 16_384  # class names and ids that are remembered with what they say: a site uses the same on each page


def _load_patterns(name: str) -> dict[str, str]:
    return {key: "|".join(alternatives) for key, alternatives in load_toml("watcher.clean", name).items()}


PHRASE_LISTS: dict[str, list[str]] = load_toml("watcher.clean", "phrases.toml")
PHRASES = _load_patterns("phrases.toml")
CLASS_NAMES = _load_patterns("class_names.toml")
REJECTION = _load_patterns("rejection.toml")
ELEMENTS = {name: frozenset(words.split()) for name, words in load_toml("watcher.clean", "elements.toml").items()}
DATA_NAMES = load_toml("watcher.clean", "data_names.toml")


def name_test(pattern: str, *, ignore_case: bool = True) -> Callable[[str], bool]:
    """
    Return a function that says whether class names or an id have what `pattern` looks for, and remembers it.

    `ignore_case`: the pattern is in small letters. In a long list of alternatives, a search in a text in lower case
    takes a quarter of the time that it takes with `re.IGNORECASE`.
    """
    search = re.compile(pattern).search
    return lru_cache(maxsize=KNOWN_NAMES)(lambda names: search(names.lower() if ignore_case else names) is not None)
