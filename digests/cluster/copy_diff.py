"""How a copy differs from its report's origin: what of it was cut, edited and added, and what stands above it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from digests.cluster.near_duplicates import title_key
from digests.model import CopyDifference, WireGroup
from watcher.text.sentences import sentences
from watcher.text.words import tokens

MAX_CHARACTERS = 40_000
RUN = 3  # words that two sentences are compared by; characters in scripts without spaces
FOUND = 0.5  # of a sentence's runs: enough to know it again
WHOLE = 0.95  # share of the origin from which nothing was cut; the rest are credits and lines of the page
ADDED = 0.05  # share of the copy from which something was added
EDITED = 0.03  # of what is kept: less is a dateline, or another quotation mark


class PreparedArticle(Protocol):
    """What is read of an article."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def language(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceNgrams:
    """The runs of a sentence, and how many words it has."""

    runs: frozenset[tuple[str, ...]]
    words: int

    def is_found(self, runs: frozenset[tuple[str, ...]]) -> bool:
        return len(self.runs & runs) >= FOUND * len(self.runs)


def diff_copies(report: WireGroup, articles: Mapping[str, PreparedArticle]) -> tuple[CopyDifference, ...]:
    """Return how each copy of `report` differs from its origin, in its order; an article that is not there is none."""
    if report.origin not in articles:
        return ()
    origin = articles[report.origin]
    told = split_sentences(origin)
    return tuple(diff_copy(key, articles[key], origin, told) for key in report.articles[1:] if key in articles)


def diff_copy(
    key: str, article: PreparedArticle, origin: PreparedArticle, told: Sequence[SentenceNgrams]
) -> CopyDifference:
    """Return how `article` differs from `origin`, whose sentences are `told`."""
    ours = split_sentences(article)
    known, before = all_runs(ours), all_runs(told)
    same = [sentence for sentence in ours if sentence.is_found(before)]
    again, words, of_origin = length(same), length(ours), length(told)
    kept = max(again, length([sentence for sentence in told if sentence.is_found(known)]))  # the first, of a teaser
    new = sum(len(sentence.runs - before) for sentence in same)
    return CopyDifference(
        article_id=key,
        kept=min(1.0, share(kept, of_origin)) if told else 1.0,
        edited=share(new, sum(len(sentence.runs) for sentence in same)),
        added=share(words - again, words),
        same_title=title_key(article.title) == title_key(origin.title),
    )


def split_sentences(article: PreparedArticle) -> list[SentenceNgrams]:
    """Return the sentences of an article that have words."""
    text = article.text[:MAX_CHARACTERS]
    found = (tokens(text[start:end]) for start, end in sentences(text, article.language))
    return [SentenceNgrams(runs=frozenset(word_ngrams(words)), words=len(words)) for words in found if words]


def word_ngrams(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the runs of `RUN` words, or the words themselves if they are fewer."""
    return (tuple(words[at : at + RUN]) for at in range(max(1, len(words) - RUN + 1)))


def all_runs(told: Sequence[SentenceNgrams]) -> frozenset[tuple[str, ...]]:
    return frozenset().union(*(sentence.runs for sentence in told))


def length(told: Sequence[SentenceNgrams]) -> int:
    """Return how many words there are."""
    return sum(sentence.words for sentence in told)


def share(part: int, whole: int) -> float:
    """Return a part of a whole, 0 to 1; 0 of nothing."""
    return round(part / whole, 3) if whole else 0.0


def describe_copy(copy: CopyDifference) -> str:
    """Return how a copy differs in words for a reader: "whole", "cut to 60 %, edited, other headline"."""
    said = []
    if copy.kept < WHOLE:
        said.append(f"cut to {round_percent(copy.kept)} %" if copy.kept else "headline alone")
    if copy.edited >= EDITED:
        said.append("edited")
    if copy.added >= ADDED:
        said.append(f"{round_percent(copy.added)} % added")
    if not said:
        said.append("whole")
    if not copy.same_title:
        said.append("other headline")
    return ", ".join(said)


def round_percent(part: float) -> int:
    """Return a share in per cent, to the nearest five, at least five."""
    return max(5, round(part * 20) * 5)
