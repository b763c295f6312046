"""Which countries a story is about: those that its independent reports name, above all in titles and first lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from digests.coverage import coverage
from digests.model import Story
from digests.places.gazetteer import Found, gazetteer
from digests.select import is_flagged
from watcher.model import Article

LEAD_CHARS = 500  # of a text: the first paragraphs say where it happened
REPORTS = 16  # that are read
MOST = 3  # countries of a story
TITLE, LEAD = 2.0, 1.0  # what a mention in the title or the lead counts
NAME, CITY = 1.0, 0.8  # what a country's name and a city in it count
SHARE_OF_FIRST = 0.45  # of the first country's weight that a further one must reach
LEAST = 0.5  # weight a report of the first country; below, the story has no place


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
    title, lead = names.find(article.title), names.find(article.text[:LEAD_CHARS])
    together = frozenset(found.code for found in (*title, *lead) if not found.needs_company)
    weights: dict[str, float] = defaultdict(float)
    for part, value in ((title, TITLE), (lead, LEAD)):
        best: dict[str, float] = {}
        for found in part:
            if found.needs_company and found.code not in together:
                continue
            best[found.code] = max(best.get(found.code, 0.0), _weight(found))
        for code, weight in best.items():
            weights[code] += value * weight
        if part:  # what is named first is what it is about, a little
            first = next((found.code for found in part if found.code in best), None)
            if first:
                weights[first] += 0.25 * value
    return weights


def _weight(found: Found) -> float:
    return CITY if found.is_city else NAME
