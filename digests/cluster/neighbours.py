"""The stories that may be on the event of another one: grouping keeps reports apart unless it is fairly sure."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from digests.cluster.linkage import Edges
from digests.model.story import Story

MIN_PROBABILITY = 0.1  # of a pair of reports that counts
# Probability of the pairs of two stories, or of a report and a story, from which on they may be on one event. Of the
# 125 reports that were so near to a story told in full on three labelled days, 73 were on its event, 118 on it or its
# running story.
MIN_MEAN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairScores:
    """How probable it is that two reports of a window are on one event."""

    reports: Sequence[Sequence[str]]  # the articles of each node of `edges`
    edges: Edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """
    What the reports outside a story say of its event.

    `outlets` is the expected number of other outlets that report it. `stories` has the other stories that may be on the
    event, by id, with the mean probability of their pairs of reports. `articles` has the same for the articles outside,
    which are most often at least on its running story (see `MIN_MEAN`).
    """

    outlets: float = 0.0
    stories: Mapping[str, float] = field(default_factory=dict)
    articles: Mapping[str, float] = field(default_factory=dict)


def find_neighbours(
    stories: Sequence[Story], scores: PairScores, outlet_of: Mapping[str, str]
) -> dict[str, Neighbours]:
    """Return the neighbours of each story that has some, by id; only articles in `outlet_of` count."""
    story_of = {article: story.id for story in stories for article in story.articles if article in outlet_of}
    outlets_in: defaultdict[str, set[str]] = defaultdict(set)
    for article, story in story_of.items():
        outlets_in[story].add(outlet_of[article])
    present = [[article for article in articles if article in story_of] for articles in scores.reports]
    homes = [story_of[articles[0]] if articles else "" for articles in present]
    sizes: defaultdict[str, int] = defaultdict(int)
    for home in homes:
        sizes[home] += 1
    chances: defaultdict[str, dict[str, float]] = defaultdict(dict)  # by story and outlet
    totals: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    by_report: defaultdict[str, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    edges = scores.edges.filter(scores.edges.score >= MIN_PROBABILITY)
    for first, second, score in zip(edges.first.tolist(), edges.second.tolist(), edges.score.tolist(), strict=True):
        for here, there in ((homes[first], second), (homes[second], first)):
            if here and homes[there] and homes[there] != here:
                totals[here][homes[there]] += score
                by_report[here][there] += score
                for outlet in {outlet_of[article] for article in present[there]} - outlets_in[here]:
                    chances[here][outlet] = max(chances[here].get(outlet, 0.0), score)
    return {
        story: Neighbours(
            outlets=round(sum(chances[story].values()), 2),
            stories={
                other: round(mean, 4)
                for other, total in sorted(totals[story].items())
                if (mean := total / (sizes[story] * sizes[other])) >= MIN_MEAN
            },
            articles={
                article: round(mean, 4)
                for report, total in sorted(by_report[story].items())
                if (mean := total / sizes[story]) >= MIN_MEAN
                for article in present[report]
            },
        )
        for story in totals
    }


def find_nearest_reports(
    scores: PairScores, ours: Container[str], theirs: Container[str]
) -> tuple[str, str, float] | None:
    """Return the article of `ours` and the one of `theirs` that are most probably on one event, and how probable."""

    def first_of(node: int, side: Container[str]) -> str | None:
        return next((article for article in scores.reports[node] if article in side), None)

    edges = scores.edges.filter(scores.edges.score >= MIN_PROBABILITY)
    pairs = zip(edges.score.tolist(), edges.first.tolist(), edges.second.tolist(), strict=True)
    for score, one, other in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        for here, there in ((one, other), (other, one)):
            if (our := first_of(here, ours)) and (their := first_of(there, theirs)):
                return our, their, round(score, 2)
    return None
