"""The ledger of an edition: how many articles came in, how many stories are shown, and why the others are left out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from digests.compose.context import ComposeContext
from digests.compose.edition import StorySelection
from digests.compose.rank import RankedStory
from digests.model import Brief, EditionStory, Intake, LargestStory, Ledger, LeftOutKind, Story, count_left_out
from digests.summarise.agreement import count_document_frequencies, measure_agreement
from digests.summarise.headline import choose_headline


def build_ledger(
    ranked: Sequence[RankedStory],
    among: Sequence[RankedStory],
    intake: Intake,
    selection: StorySelection,
    shown: Sequence[EditionStory],
    briefs: Sequence[Brief],
    context: ComposeContext,
) -> Ledger:
    """Return the ledger of an edition. `among`: the stories of `ranked` admitted by its regions or phrases."""
    taken, wanted = selection.ids, {each.story.id for each in among}
    not_shown = [each for each in ranked if each.story.id not in taken]
    left_out = count_left_out(_why_left_out(each, wanted) for each in not_shown)
    values = context.articles.values()
    stories = {each.story.id: each.story for each in ranked}
    largest = find_largest_story(stories.values(), context.articles)
    came_in: dict[str, Any] = {each.name: getattr(intake, each.name) for each in fields(Intake)}
    return Ledger(
        **came_in | {"left_out": (*intake.left_out, *left_out)},
        articles=len(values),
        outlets=len({article.outlet for article in values}),
        languages=len({article.language for article in values}),
        countries=len({article.country for article in values if article.country}),
        stories_found=len(ranked),
        stories_shown=len(shown),
        briefs_shown=len(briefs) + sum(len(story.related) for story in shown),
        largest=replace(largest, title=_title(stories[largest.id], context)) if largest else None,
    )


def _why_left_out(ranked: RankedStory, wanted: Container[str]) -> LeftOutKind:
    if ranked.story.id not in wanted:
        return LeftOutKind.OTHER_REGION
    if ranked.sibling_of:
        return LeftOutKind.SIBLING
    return LeftOutKind.SINGLE_OUTLET if len(ranked.coverage.outlets) == 1 else LeftOutKind.LOWER_RANK


def _title(story: Story, context: ComposeContext) -> str:
    own = context.full_articles(story)
    agreed = measure_agreement(story, own, count_document_frequencies(list(own.values())))
    title = choose_headline(story, own, agreed, language=context.digest.language)
    return title.text if title else ""


# A quarter of a window's reports is seldom one event. In labelled news of single days that were chosen for their large
# events, the largest true story typically has a sixth to a tenth of them; wrongly merged stories have a third or more.
OVERSIZED_SHARE = 0.25
MIN_REPORTS = 100  # of a window: with fewer, one large event easily has a quarter of them


def find_largest_story(stories: Iterable[Story], inside: Container[str]) -> LargestStory | None:
    """
    Return the story with the most reports that have an article in `inside`, the window; None if no report has one.

    Reports are counted, not articles: an agency's text in sixty papers is one report. On a tie, the story with more
    articles wins, then the smaller id.
    """
    total = 0
    found: list[tuple[int, int, str]] = []
    for story in stories:
        reports = sum(any(key in inside for key in report.articles) for report in story.reports)
        total += reports
        found.append((-reports, -sum(key in inside for key in story.articles), story.id))
    if not total:
        return None
    reports, articles, key = min(found)
    share = round(-reports / total, 4)
    return LargestStory(
        id=key,
        articles=-articles,
        reports=-reports,
        of_reports=total,
        share=share,
        is_oversized=total >= MIN_REPORTS and share > OVERSIZED_SHARE,
    )
