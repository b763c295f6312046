"""The largest story's share of a window's reports: a metric, and an alarm where stories seem to have run together."""

from __future__ import annotations

from collections.abc import Container, Iterable

from digests.model import Largest, Story

# A quarter of what came in is seldom one event. In labelled news of single days, chosen for their large events, the
# largest true story holds a sixth to a tenth in the middle; stories that ran together hold a third and more.
GIANT_SHARE = 0.25
GIANT_LEAST = 100  # reports of a window: among fewer, one large event is much


def largest(stories: Iterable[Story], inside: Container[str]) -> Largest | None:
    """
    Return the story with the most reports and its share; None without a report.

    Reports are counted, not articles: one agency's text in sixty papers is one report, and no sign of a fault. Of two
    stories with as many, the one with more articles, then the one with the smaller id.

    Args:
        inside: Ids of the window's articles; a report without one of them is of an earlier day.
    """
    total = 0
    best: tuple[int, int, str] | None = None
    for story in stories:
        reports = sum(any(key in inside for key in report.articles) for report in story.reports)
        total += reports
        counts = (-reports, -sum(key in inside for key in story.articles), story.id)
        if reports and (best is None or counts < best):
            best = counts
    if best is None:
        return None
    reports = -best[0]
    share = round(reports / total, 4)
    return Largest(
        id=best[2],
        articles=-best[1],
        reports=reports,
        of_reports=total,
        share=share,
        alarm=total >= GIANT_LEAST and share > GIANT_SHARE,
    )
