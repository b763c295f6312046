"""The headline of a story's later report: what has happened since the reports that tell the story."""

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from digests.analysis.gazetteer import countries_in
from digests.analysis.news_value import usual_mark
from digests.analysis.select import is_flagged
from digests.analysis.titles import title_without_outlet
from digests.summarise.agreement import DocumentFrequencies, rarity
from digests.summarise.headline import is_informative
from digests.summarise.readable import OPENING_QUOTE
from digests.summarise.repetition import compare_numbers, is_obituary, repeats_headline
from watcher.model import Article
from watcher.text.page_kind import NEWS, is_address_of
from watcher.text.words import stems

Weights: TypeAlias = Mapping[str, Mapping[str, float]]  # of each question, the bias and the values
MIN_LATER = timedelta(minutes=30)  # of the report after those that tell the story
ON_EVENT = ("nearness", "other country", "hours", "told words", "share of headline", "reports", "news value")
IS_NEWER = ("share told", "hours", "quotation", "news", "number", "new number", "news value")
MIN_NEWER = 0.5  # chance that a report on the event tells more: "Later" over what is probably told says what is not so


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    What tells a story: texts with their languages, the headline first, and the time of their newest report.

    `reports` is how many the story has. `near` has how probable it is that a report outside of it is on its event, by
    id (`Neighbours.articles`). `news_values` has what an editor would give a report for what it speaks of, by id.
    """

    shown: Sequence[tuple[str, str]]
    since: datetime
    reports: int
    near: Mapping[str, float]
    news_values: Mapping[str, float] = field(default_factory=dict)

    def in_language(self, language: str) -> str:
        return "\n".join(text for text, other in self.shown if other == language)


def choose_latest(
    reports: Iterable[Article], told: Told, can_read: Callable[[str], bool], frequencies: DocumentFrequencies
) -> Article | None:
    """
    Return the report whose headline tells best what has happened since the state of a story that is told.

    Only what is probably worth more than nothing is told (`measure_worth`). None if there is no such report.
    """
    best = max(
        (
            (measure_worth(describe_report(article, told, frequencies)), article.published_at, article.id, article)
            for article in reports
            if may_be_later(article, told, can_read)
        ),
        key=lambda row: row[:3],
        default=None,
    )
    return best[-1] if best is not None and best[0] > 0 else None


def measure_worth(values: Mapping[str, float], weights: Weights | None = None) -> float:
    """
    Return what a reader probably has of a later headline with the `values` of `describe_report`, -1 to 1.

    One with news is worth 1, and one on another event costs 1. One that probably tells nothing new is worth nothing.
    `weights`: the answers to "on event" and "newer", if not those of the package (`bench/fit_latest.py`).
    """
    known = weights or _load_weights()
    on_event, newer = (_find_probability(known[question], values) for question in ("on event", "newer"))
    return on_event * newer - (1 - on_event) if newer >= MIN_NEWER else 0.0


def may_be_later(article: Article, told: Told, can_read: Callable[[str], bool]) -> bool:
    """
    Whether a report's headline can be read, says what happened, and is later than what is told, and not the same.

    It is in a language of what is told, as another's words cannot be compared.
    """
    if article.published_at < told.since + MIN_LATER or not can_read(article.language):
        return False
    if all(article.language != language for _, language in told.shown):  # it may say the same
        return False
    if is_flagged(article) or is_address_of("live_page", article.url):
        return False
    title = title_without_outlet(article)
    if not is_informative(title, article.language):
        return False
    if is_obituary(title, article.language, told.in_language(article.language)):
        return False
    return not any(repeats_headline(title, article.language, *above) for above in told.shown)


def describe_report(article: Article, told: Told, frequencies: DocumentFrequencies) -> dict[str, float]:
    """
    Return the values of `ON_EVENT` and `IS_NEWER` for a later report.

    Words count by how rare they are among the day's reports; those of another language than what is told count nothing.
    """
    title, language = title_without_outlet(article), article.language
    above, shares = told.in_language(language), frequencies.get(language, {})

    def weigh(words: Collection[str]) -> float:
        return sum(rarity(shares.get(word, 0.0)) for word in sorted(words))

    own, known = set(stems(title, language)), set(stems(above, language))
    headline, headline_language = told.shown[0]
    wanted = set(stems(headline, headline_language)) if headline_language == language else set()
    has_number, adds_number = compare_numbers(title, above, language)
    countries = {code for text, other in told.shown for code in countries_in(text, other)}
    probability = told.near.get(article.id)
    return {
        "nearness": math.log(probability) if probability else 0.0,
        "other country": float(bool(countries_in(title, language) - countries)),
        "hours": math.log1p((article.published_at - told.since) / timedelta(hours=1)),
        "told words": weigh(own & known),
        "share of headline": weigh(own & wanted) / max(weigh(wanted), 0.1),
        "reports": math.log(told.reports),
        "news value": told.news_values.get(article.id, usual_mark()),
        "share told": len(own & known) / max(1, len(own)),
        "quotation": float(title.startswith(tuple(OPENING_QUOTE))),
        "news": float(article.kind == NEWS),
        "number": float(has_number),
        "new number": float(adds_number),
    }


def _find_probability(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    odds = weights["bias"] + sum(values[name] * weight for name, weight in weights.items() if name != "bias")
    return 1 / (1 + math.exp(-odds))


@cache
def _load_weights() -> Weights:
    return dict(json.loads((files("digests.summarise") / "latest.json").read_text("ascii")))
