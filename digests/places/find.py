"""Which countries a story is about: those that its independent reports name, above all in titles and first lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from digests.coverage import coverage
from digests.model import Story
from digests.places.gazetteer import Found, gazetteer
from digests.select import is_flagged
from watcher.model import Article

REPORTS = 16  # that are read
MOST = 3  # countries of a story
FIRST_CHARS, LEAD_CHARS = 200, 600  # of a text: the first sentence says where it happened, the next ones mostly
TITLE, FIRST, LEAD, DATELINE = 2.0, 1.2, 0.6, 0.6  # what a mention there counts
EARLIEST = 0.25  # more for the first one named
NAME, CITY = 1.0, 0.8  # what a country's name and a city in it count
SHARE_OF_FIRST = 0.45  # of the first country's weight that a further one must reach
LEAST = 1.0  # weight a report of the first country; below, the story has no place


def countries(story: Story, articles: Mapping[str, Article]) -> tuple[str, ...]:
    """
    Return the ISO codes of the one to three countries that `story` is about, most named first; empty if none stands
    out.

    Each independent report has the same voice. Where the outlet sits does not count: a paper at home in a country
    writes about all.
    """
    origins = [articles[key] for key in coverage(story, articles).origins]
    reports = ([a for a in origins if not is_flagged(a)] or origins)[:REPORTS]
    weights: dict[str, float] = defaultdict(float)
    for article in reports:
        for code, weight in of_article(article).items():
            weights[code] += weight / len(reports)
    order = sorted(weights, key=lambda code: (-weights[code], code))
    if not order or weights[order[0]] < LEAST:
        return ()
    return tuple(code for code in order[:MOST] if weights[code] >= max(LEAST, SHARE_OF_FIRST * weights[order[0]]))


def of_article(article: Article) -> dict[str, float]:
    """Return the weight of each country that an article's title and lead name."""
    names = gazetteer(article.language)
    parts = (
        (TITLE, names.find(article.title)),
        (FIRST, names.find(article.text[:FIRST_CHARS])),
        (LEAD, names.find(article.text[FIRST_CHARS:LEAD_CHARS])),
        (DATELINE, names.find((article.dateline or "").title())),
    )
    certain = frozenset(found.code for _, part in parts for found in part if not found.needs_company)
    weights: dict[str, float] = defaultdict(float)
    for value, part in parts:
        best: dict[str, float] = {}
        for found in part:
            if found.code in certain:
                best[found.code] = max(best.get(found.code, 0.0), _weight(found))
        for at, (code, weight) in enumerate(best.items()):
            weights[code] += value * (weight + (EARLIEST if at == 0 else 0.0))
    return weights


def _weight(found: Found) -> float:
    return CITY if found.is_city else NAME
