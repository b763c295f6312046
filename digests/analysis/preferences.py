"""Preferences of a digest: which articles and stories its settings mute, and which are watched."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from digests.settings.digests import MuteSettings, SectionRuleSettings, WeightSettings
from watcher.model import Article, Source
from watcher.text.linear_regex import LinearRegex, compile_linear, is_found
from watcher.text.words import UNSPACED_RUN, fold

PHRASE_LEAD_CHARS = 400  # of a text, in which phrases are looked for: the rest names much that a story is not about
EXPRESSION_TITLE_CHARS = 400  # of a title, in which a regular expression is searched; no real title is longer
fold_part = lru_cache(maxsize=32)(fold)  # each rule folds the same parts of an article


def matching_phrases(phrases: Sequence[str], articles: Iterable[Article]) -> tuple[str, ...]:
    """Return which of `phrases` occur in the title or in `PHRASE_LEAD_CHARS` of one of `articles`, in their order."""
    if not phrases:
        return ()
    texts = [fold(f"{article.title}\n{article.text[:PHRASE_LEAD_CHARS]}") for article in articles]
    return tuple(
        phrase for phrase in phrases if (pattern := phrase_pattern((phrase,))) and any(map(pattern.search, texts))
    )


@lru_cache(maxsize=512)
def phrase_pattern(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern that finds any of `phrases` in folded text; None if all are empty."""
    parts = [part for phrase in phrases if (part := _part(phrase))]
    return re.compile("|".join(parts)) if parts else None


def _part(phrase: str) -> str:
    """Return the pattern of one phrase, between word borders except in scripts without spaces; "" for no words."""
    folded = fold(" ".join(phrase.split()))
    begins = folded.endswith("*")
    bare = folded.rstrip("*").strip()
    if not bare:
        return ""
    body = re.escape(bare).replace(r"\ ", r"\s+")
    if UNSPACED_RUN.search(bare):
        return body
    return rf"(?<!\w){body}" if begins else rf"(?<!\w){body}(?!\w)"


def score_weights(
    weights: WeightSettings, articles: Sequence[Article], places: Sequence[str], topic: str
) -> list[tuple[str, float]]:
    """Return the weights that apply to a story, each with its reason: ("country UA", 1.5)."""
    outlets = {name for article in articles for name in _source_names(article)}
    sections = {fold(article.section) for article in articles if article.section}
    spoken = matching_phrases(list(weights.words), articles)
    terms = [(f"“{word}”", weight) for word, weight in weights.words.items() if word in spoken]
    terms += [(f"country {code}", weight) for code, weight in weights.countries.items() if code in places]
    terms += [(f"topic {name}", weight) for name, weight in weights.topics.items() if name == topic]
    terms += [(f"section {name}", weight) for name, weight in weights.sections.items() if fold(name) in sections]
    terms += [(f"source {name}", weight) for name, weight in weights.sources.items() if fold(name) in outlets]
    return terms


def _source_names(article: Article) -> set[str]:
    """Return the folded names of the sources whose article it is: of its outlet, and of the feed that had its link."""
    return {fold(name) for name in (article.outlet, article.via) if name}


def match_section_rule(
    rules: Sequence[SectionRuleSettings], articles: Sequence[Article], places: Sequence[str], topic: str
) -> SectionRuleSettings | None:
    """Return the first rule that matches a story; None if none does."""
    for rule in rules:
        outlets = {fold(name) for name in rule.sources}
        if (
            set(rule.countries) & set(places[:1])
            or topic in rule.topics
            or not outlets.isdisjoint(name for article in articles for name in _source_names(article))
            or matching_phrases(rule.words, articles)
        ):
            return rule
    return None


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
    outlets: frozenset[str] | None = None  # None for all
    is_of_outlets_alone: bool = False  # it matches all articles of `outlets`

    def matches(self, article: Article) -> bool:
        """Whether the rule leaves out this article."""
        if self.outlets is not None and self.outlets.isdisjoint(_source_names(article)):
            return False
        whole = (article.title, article.text[:PHRASE_LEAD_CHARS])
        parts = whole if self.in_title and self.in_text else whole[:1] if self.in_title else whole[1:]
        is_match = (
            self.is_of_outlets_alone
            or _search_any(self.phrases, parts)
            or _search_any(self.authors, article.authors)
            or (self.expression and any(is_found(self.expression, part[:EXPRESSION_TITLE_CHARS]) for part in parts))
        )
        return bool(is_match) and not _search_any(self.exceptions, whole)


def find_mute_rule(rules: Iterable[MuteRule], article: Article) -> MuteRule | None:
    """Return the first rule that leaves out an article; None if none does."""
    return next((rule for rule in rules if rule.matches(article)), None)


def _search_any(pattern: re.Pattern[str] | None, parts: Iterable[str]) -> bool:
    return pattern is not None and any(pattern.search(fold_part(part)) for part in parts)


def active_mute_rules(
    mute: Sequence[str] | Sequence[MuteSettings], sources: Collection[Source], *, day: date
) -> tuple[MuteRule, ...]:
    """Return the rules of the settings that have not ended before `day`; a list of phrases is one rule."""
    phrases = tuple(rule for rule in mute if isinstance(rule, str))
    tables = (rule for rule in mute if isinstance(rule, MuteSettings))
    rules = tuple(_make_mute_rule(rule, sources) for rule in tables if rule.until is None or day <= rule.until)
    return (MuteRule(phrases=phrase_pattern(phrases)), *rules) if phrases else rules


def _make_mute_rule(settings: MuteSettings, sources: Iterable[Source]) -> MuteRule:
    """Return the rule of a [[digests.mute]] table; `sources` are those that its tags may name."""
    outlets = {*settings.sources, *(source.name for source in sources if set(settings.tags).intersection(source.tags))}
    return MuteRule(
        label=settings.label,
        phrases=phrase_pattern(settings.words),
        expression=compile_linear(settings.regex) if settings.regex else None,
        authors=phrase_pattern(settings.authors),
        exceptions=phrase_pattern(settings.unless),
        in_title=settings.place != "text",
        in_text=settings.place != "title",
        is_of_outlets_alone=not (settings.words or settings.regex or settings.authors),
        outlets=frozenset(map(fold, outlets)) if settings.sources or settings.tags else None,
    )
