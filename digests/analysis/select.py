"""Selects the articles of the window that take part in an edition, and counts the others by reason."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from digests.analysis.preferences import phrase_pattern
from digests.model import LeftOut, LeftOutKind, count_left_out
from watcher.model import Article
from watcher.text.words import fold

MIN_TEXT = 30  # width of title and text together; less cannot be grouped
FLAGGED_KINDS = frozenset({"live", "roundup", "gallery", "video"})
# By id; other articles may have only the beginnings of their texts.
LoadFullTexts: TypeAlias = Callable[[Iterable[str]], Mapping[str, Article]]
DENSE = re.compile("[\u1100-\ud7ff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The articles that take part in an edition, and the number of others by reason."""

    articles: tuple[Article, ...]  # in order of time, then id
    left_out: tuple[LeftOut, ...]  # most first


def select_articles(
    articles: Sequence[Article],
    *,
    start: datetime,
    end: datetime,
    muted_phrases: Sequence[str] = (),
    languages: Sequence[str] = (),  # primary tags; empty for all
    load_full_texts: LoadFullTexts | None = None,
) -> Selection:
    """Return the articles published in [start, end) that can be grouped and read; each other one has one reason."""
    again = DuplicateFilter(load_full_texts)
    muted = phrase_pattern(tuple(muted_phrases))
    kept: list[Article] = []
    left_out: list[LeftOutKind] = []
    for article in sorted(articles, key=lambda a: (a.published_at, a.id)):
        kind = _exclusion(article, start, end, muted) or again.exclusion(article)
        if not kind and languages and article.language not in languages:
            kind = LeftOutKind.LANGUAGE
        if kind:
            left_out.append(kind)
        else:
            kept.append(article)
    return Selection(articles=tuple(kept), left_out=count_left_out(left_out))


def is_flagged(article: Article) -> bool:
    """Whether an article is a live blog, a round-up, a gallery or a video: on many events, or without a text."""
    return article.kind in FLAGGED_KINDS


def _exclusion(article: Article, start: datetime, end: datetime, muted: re.Pattern[str] | None) -> LeftOutKind | None:
    if not start <= article.published_at < end:
        return LeftOutKind.OUT_OF_WINDOW
    if not article.title.strip():
        return LeftOutKind.NO_TITLE
    if display_length(article.title) + display_length(article.text[:MIN_TEXT]) < MIN_TEXT:
        return LeftOutKind.LITTLE_TEXT
    if muted and muted.search(fold(article.title)):
        return LeftOutKind.MUTED
    return None


class DuplicateFilter:
    """Finds articles that occur twice: with the same id, or the same outlet, title and text."""

    def __init__(self, whole: LoadFullTexts | None) -> None:
        self._whole = whole
        self._ids: set[str] = set()
        self._first: dict[tuple[str, ...], str] = {}
        self._texts: dict[tuple[str, ...], set[str]] = {}

    def exclusion(self, article: Article) -> LeftOutKind | None:
        """Return `DUPLICATE_ARTICLE` if the article is known by id, or by outlet, title and text; else remember it."""
        key = (article.outlet, fold(article.title), article.text)
        if article.id in self._ids or (key in self._first and self._is_known(article, key)):
            return LeftOutKind.DUPLICATE_ARTICLE
        self._ids.add(article.id)
        self._first.setdefault(key, article.id)
        return None

    def _is_known(self, article: Article, key: tuple[str, ...]) -> bool:
        """Whether an earlier article with the same beginning has the same full text."""
        if self._whole is None:
            return True
        if key not in self._texts:
            first = self._first[key]
            self._texts[key] = {self._whole([first])[first].text}
        text = self._whole([article.id])[article.id].text
        known = text in self._texts[key]
        self._texts[key].add(text)
        return known


def display_length(text: str) -> int:
    """Return the display width of `text`: characters of scripts such as Chinese and Korean count two."""
    return len(text) if text.isascii() else len(text) + len(DENSE.findall(text))
