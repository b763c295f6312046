"""The feed's title and summary as an anchor: a page whose text shares no word with them is not the article's."""

from __future__ import annotations

from watcher.text.words import stems, word_overlap

FEW = 5  # different words of the feed: fewer say nothing
SHARED = 0.1  # of them that the text must hold; of 208 own texts one holds less, of 207 others' most do
LOOKED_AT_CHARS = 600  # of the feed's words: a long summary may go beyond a short page


def is_about(text: str, *, title: str, summary: str, language: str) -> bool:
    """Whether `text` may be the article that a feed announced by `title` and `summary`."""
    told = f"{title} {summary}"[:LOOKED_AT_CHARS]
    return len(set(stems(told, language))) < FEW or word_overlap(told, text, language) >= SHARED
