"""How long texts take to read; apart from the stories, whose modules take a third of a second to load."""

import math
import re
from collections.abc import Iterable

from watcher.text.words import words

WORDS_PER_MINUTE = 230
UNSPACED_CHARS_PER_WORD = 2.2  # characters of a script without spaces that are read in the time of a word
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def reading_time(texts: Iterable[str]) -> int:
    """Return how long it takes to read `texts`, in minutes, at least 1."""
    total = 0.0
    for text in texts:
        unspaced = len(UNSPACED.findall(text))
        total += unspaced / UNSPACED_CHARS_PER_WORD + len(words(UNSPACED.sub(" ", text)))
    return max(1, math.ceil(total / WORDS_PER_MINUTE))
