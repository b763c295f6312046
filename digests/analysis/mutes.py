"""Mute rules: which articles a reader does not want, by words, a regular expression or authors."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from digests.analysis.preferences import LEAD_CHARS, phrase_pattern
from digests.settings.digests import MuteSettings
from watcher.model import Article, Source
from watcher.text.linear_regex import LinearRegex, compile_linear, is_found
from watcher.text.words import fold

TITLE_CHARS = 400  # of a title, in which a regular expression is searched; no real title is longer
fold_part = lru_cache(maxsize=32)(fold)  # each rule folds the same parts of an article


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteRule:
    """A mute rule that is ready for use. `label`: its name in the ledger; `outlets`: None for all."""

    label: str = ""
    phrases: re.Pattern[str] | None
    expression: LinearRegex | None = None
    authors: re.Pattern[str] | None = None
    exceptions: re.Pattern[str] | None = None
    in_title: bool = True
    in_text: bool = False
    outlets: frozenset[str] | None = None

    def matches(self, article: Article) -> bool:
        if self.outlets is not None and fold(article.outlet) not in self.outlets:
            return False
        whole = (article.title, article.text[:LEAD_CHARS])
        parts = whole if self.in_title and self.in_text else whole[:1] if self.in_title else whole[1:]
        is_match = (
            search_any(self.phrases, parts)
            or search_any(self.authors, article.authors)
            or (self.expression and any(is_found(self.expression, part[:TITLE_CHARS]) for part in parts))
        )
        return bool(is_match) and not search_any(self.exceptions, whole)


def search_any(pattern: re.Pattern[str] | None, parts: Iterable[str]) -> bool:
    return pattern is not None and any(pattern.search(fold_part(part)) for part in parts)


def active_mute_rules(
    mute: Sequence[str] | Sequence[MuteSettings], sources: Collection[Source], *, day: date
) -> tuple[MuteRule, ...]:
    """Return the rules of the settings that have not ended before `day`; a list of phrases is one rule."""
    phrases = tuple(each for each in mute if isinstance(each, str))
    tables = (each for each in mute if isinstance(each, MuteSettings))
    rules = tuple(make_mute_rule(each, sources) for each in tables if each.until is None or day <= each.until)
    return (MuteRule(phrases=phrase_pattern(phrases)), *rules) if phrases else rules


def make_mute_rule(settings: MuteSettings, sources: Iterable[Source]) -> MuteRule:
    outlets = {*settings.sources, *(each.name for each in sources if set(settings.tags).intersection(each.tags))}
    return MuteRule(
        label=settings.label,
        phrases=phrase_pattern(settings.words),
        expression=compile_linear(settings.regex) if settings.regex else None,
        authors=phrase_pattern(settings.authors),
        exceptions=phrase_pattern(settings.unless),
        in_title=settings.place != "text",
        in_text=settings.place != "title",
        outlets=frozenset(map(fold, outlets)) if settings.sources or settings.tags else None,
    )
