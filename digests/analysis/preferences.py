"""Reader preferences: phrases to look for in articles, weights, and section rules."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from digests.settings.digests import SectionRuleSettings, WeightSettings
from watcher.model import Article
from watcher.text.words import UNSPACED_RUN, fold

LEAD_CHARS = 400  # of a text, in which phrases are looked for: the rest names much that a story is not about


def matching_phrases(phrases: Sequence[str], articles: Iterable[Article]) -> tuple[str, ...]:
    """Return which of `phrases` occur in the title or the first `LEAD_CHARS` of one of `articles`, in their order."""
    if not phrases:
        return ()
    texts = [fold(f"{article.title}\n{article.text[:LEAD_CHARS]}") for article in articles]
    return tuple(phrase for phrase in phrases if (each := phrase_pattern((phrase,))) and any(map(each.search, texts)))


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
    weights: WeightSettings, articles: Sequence[Article], places: Sequence[str]
) -> list[tuple[str, float]]:
    """Return the weights that apply to a story, each with its reason: ("country UA", 1.5)."""
    outlets = {fold(article.outlet) for article in articles}
    sections = {fold(article.section) for article in articles if article.section}
    spoken = matching_phrases(list(weights.words), articles)
    found = [(f"“{word}”", weight) for word, weight in weights.words.items() if word in spoken]
    found += [(f"country {code}", weight) for code, weight in weights.countries.items() if code in places]
    found += [(f"section {name}", weight) for name, weight in weights.sections.items() if fold(name) in sections]
    found += [(f"source {name}", weight) for name, weight in weights.sources.items() if fold(name) in outlets]
    return found


def match_section_rule(
    rules: Sequence[SectionRuleSettings], articles: Sequence[Article], places: Sequence[str]
) -> str | None:
    """Return the section of the first rule that matches a story; None if none does."""
    for rule in rules:
        outlets = {fold(name) for name in rule.sources}
        if (
            set(rule.countries) & set(places[:1])
            or any(fold(article.outlet) in outlets for article in articles)
            or matching_phrases(rule.words, articles)
        ):
            return rule.section
    return None
