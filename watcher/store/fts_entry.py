"""What a full-text index takes of an article, and from where and when a search wants articles to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from watcher.text.search_query import Token, index_words, normalize

MARK = "\ue000"  # before the words that say where an article is from; of no text


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the index takes of an article."""

    article_id: str
    published_at: datetime
    title: str
    text: str
    language: str
    country: str | None
    outlet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Where an article must be from, and when it was published: [since, until)."""

    since: datetime | None = None
    until: datetime | None = None
    language: str | None = None
    country: str | None = None
    outlet: str | None = None  # words of its name

    def holds(self, published_at: datetime) -> bool:
        """Whether an article was published in time: the index knows it to some hours."""
        return (self.since is None or published_at >= self.since) and (self.until is None or published_at < self.until)


def words_of(entry: Entry, text: str) -> str:
    """Return the words that an index keeps of an article that begins with `text`."""
    plain = index_words(f"{entry.title}\n{text}").replace(MARK, " ")
    return " ".join([plain, *(token.text for token in marks(entry.language, entry.country, entry.outlet))])


def marks(language: str | None, country: str | None, outlet: str | None) -> Iterator[Token]:
    """Yield the words that say where an article is from."""
    for kind, value in (("l", language), ("c", country)):
        if value is not None:
            yield Token(text=f"{MARK}{kind}{normalize(value).replace(' ', '')}")
    if outlet is not None:
        yield from (Token(text=f"{MARK}o{word}") for word in normalize(outlet).split() or ("",))
