"""Groups of a past window, with what is known kept as it is: looking back changes no story."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from digests.cluster.item import Item, in_order
from digests.model import Report, Story


def settled(groups: Sequence[Story], known: Mapping[str, str], items: Mapping[str, Item]) -> tuple[Story, ...]:
    """
    Return `groups` with known articles in the stories that they are known in, and each new one with those of its group.

    Args:
        known: The story that an article is in, by article.
        items: The articles of the groups, by id.
    """
    reports: defaultdict[str, list[Report]] = defaultdict(list)
    for group in groups:
        counts = Counter(known[article] for article in group.articles if article in known)
        main = min(counts, key=lambda story: (-counts[story], story), default=f"new {group.id}")
        for report in group.reports:
            for story, part in parted(report, known, main).items():
                reports[story].append(part)
    return tuple(story_of(story, found, items) for story, found in sorted(reports.items()))


def story_of(story: str, reports: Sequence[Report], items: Mapping[str, Item]) -> Story:
    """Return reports as one story, in time order."""
    ordered = in_order([items[article] for report in reports for article in report.articles])
    place = {item.article_id: number for number, item in enumerate(ordered)}
    found = sorted(reports, key=lambda report: min(place[article] for article in report.articles))
    return Story(id=story, articles=tuple(place), reports=tuple(found))


def parted(report: Report, known: Mapping[str, str], main: str) -> dict[str, Report]:
    """Return the parts of a report by the story that their articles are known in, new articles in `main`."""
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for article in report.articles:
        parts[known.get(article, main)].append(article)
    if len(parts) == 1:
        return dict.fromkeys(parts, report)
    return {story: replace(report, articles=tuple(articles)) for story, articles in parts.items()}
