"""A story in detail: its reports and how each copy differs, its thread, and its changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from digests.analysis.coverage import Coverage, measure_coverage
from digests.analysis.gazetteer import find_countries
from digests.cluster.explain import Evidence, SurfaceForms, collect_evidence, describe_common_ground, diff_copies
from digests.errors import DigestError
from digests.model import CopyDifference, Story, WireGroup
from digests.store.maintenance import load_owners, with_owners
from digests.store.stories import (
    StoryChangeRow,
    StoryMember,
    StoryRow,
    load_story,
    load_story_changes,
    resolve_merged,
    rows_by_prefix,
    story_members,
    thread_rows,
)
from digests.stories.window import load_items
from watcher.model import Article
from watcher.store.articles import articles_by_id
from watcher.text.format import format_count

Reports = tuple[WireGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryDetails:
    """
    All that is known of a story.

    `asked` is the id that was asked for, which may be of a story that was merged into this one.
    """

    asked: StoryRow
    row: StoryRow
    story: Story
    articles: Mapping[str, Article]
    members: Mapping[str, StoryMember]
    copies: Mapping[str, CopyDifference]  # by article
    coverage: Coverage
    places: tuple[str, ...]  # ISO codes of the countries that it is about
    thread: tuple[StoryRow, ...]
    changes: tuple[StoryChangeRow, ...]


def load_story_details(
    connection: Connection, story: str, *, compare: Callable[[Reports], Reports] = lambda reports: reports
) -> StoryDetails:
    """
    Return all about a story, or about the one that it was merged into.

    Args:
        story: As `resolve_story` takes it.
        compare: Returns the reports whose copies are compared with their origins, and whose links are explained:
            comparing takes a while.

    Errors: DigestError, if there never was one.
    """
    asked = resolve_story(connection, story)
    row = resolve_merged(connection, asked.id) or asked
    members = {member.article: member for member in story_members(connection, row.id)}
    stored = articles_by_id(connection, members)
    owners = load_owners(connection, {article.outlet for article in stored.values()})
    articles = {article.id: article for article in with_owners(stored.values(), owners)}
    whole = story_of(row, members.values(), articles)
    shown = compare(whole.reports)
    members |= members_with_evidence(
        connection, [members[key] for report in shown for key in report.articles], articles
    )
    return StoryDetails(
        asked=asked,
        row=row,
        story=whole,
        articles=articles,
        members=members,
        copies={copy.article_id: copy for report in shown for copy in diff_copies(report, articles)},
        coverage=measure_coverage(whole, articles),
        places=find_countries(whole, articles),
        thread=thread_rows(connection, row.thread),
        changes=load_story_changes(connection, {asked.id, row.id}),
    )


def resolve_story(connection: Connection, story: str) -> StoryRow:
    """
    Return the row of a story: by its id, the beginning of it, an edition's anchor, or the id of its thread.

    Errors: DigestError, if there is none, or several begin so.
    """
    wanted = story.strip().rpartition("-")[2]
    if wanted.startswith("t") and (thread := thread_rows(connection, wanted)):
        return thread[0]
    rows = [row] if (row := load_story(connection, wanted)) else rows_by_prefix(connection, wanted)
    if len(rows) == 1:
        return rows[0]
    if rows:
        titles = ", ".join(f"{row.id} ({row.title})" for row in rows)
        raise DigestError(f"several stories begin with {wanted}: {titles}")
    error = DigestError(f"no story {story.strip()!r}: an id looks like s1f2e3d4c5b")
    error.hint = "watcher story list  # shows the stories of the last edition"
    raise error


def members_with_evidence(
    connection: Connection, members: Iterable[StoryMember], articles: Mapping[str, Article]
) -> dict[str, StoryMember]:
    """
    Return `members`, by article, each that is linked with what speaks for its link.

    Only a link's score is stored: the rest is computed again from the features, for the few links that are shown.
    """
    given = {member.article: member for member in members}
    asked = [each for each in given.values() if each.evidence]
    wanted = {key for each in asked for key in (each.article, each.nearest) if key}
    known = {
        item.article_id: item
        for item in load_items(connection, (articles[key] for key in sorted(wanted & articles.keys())))
    }
    for each in asked:
        ours, theirs = known.get(each.article), known.get(each.nearest or "")
        if ours and theirs and each.evidence:
            given[each.article] = replace(each, evidence={**asdict(collect_evidence(ours, theirs)), **each.evidence})
    return given


def story_of(row: StoryRow, members: Iterable[StoryMember], articles: Mapping[str, Article]) -> Story:
    """Return the stored rows as a story; articles that are no longer stored are left out."""
    groups: defaultdict[str, list[StoryMember]] = defaultdict(list)
    for member in members:
        if member.article in articles:
            groups[member.report].append(member)

    def place(key: str) -> tuple[datetime, str]:
        return articles[key].published_at, key

    reports = []
    for origin, rows in groups.items():
        own = sorted((member.article for member in rows), key=lambda key: (key != origin, place(key)))
        reports.append(WireGroup(articles=tuple(own), agency=rows[0].agency))
    reports.sort(key=lambda report: place(report.origin))
    ids = sorted((key for report in reports for key in report.articles), key=place)
    return Story(
        id=row.id,
        articles=tuple(ids),
        reports=tuple(reports),
        thread=row.thread,
        began_at=row.began_at,
        merged_ids=row.merged_ids,
    )


def link_reasons(found: StoryDetails, report: WireGroup) -> Iterator[str]:
    """Yield what links a report to the story: the nearest article, and what the two have in common."""
    linked = [found.members[key] for key in report.articles]
    for member in linked:
        theirs = found.articles.get(member.nearest or "")
        if theirs and member.evidence:
            ours = found.articles[member.article]
            yield f"nearest to {theirs.outlet}, “{theirs.title}”: score {member.evidence['score']:.2f}"
            if "names" in member.evidence:  # else the features of one are no longer stored
                spelling = SurfaceForms((f"{each.title}\n{each.text}", each.language) for each in (ours, theirs))
                yield from describe_common_ground(evidence_of(member.evidence), spelling)
            return
    if len(found.story.reports) > 1:
        yield "a reader joined it, or what it was linked by is no longer stored"


def evidence_of(kept: Mapping[str, Any]) -> Evidence:
    """Return stored evidence: JSON has lists for its tuples."""
    values: dict[str, Any] = {
        name: tuple(kept[name]) if isinstance(kept[name], list) else kept[name] for name in Evidence.__slots__
    }
    return Evidence(**values)


def describe_change(change: StoryChangeRow) -> str:
    """Return a change of a story as a sentence."""
    articles, their = format_count(len(change.articles), "article"), "its" if len(change.articles) == 1 else "their"
    return {
        "merged": f"{change.story} went into {change.other} ({articles})",
        "split": f"{articles} of {change.story} became a story of {their} own, {change.other}",
        "moved": f"{articles} of {change.story} moved to {change.other}",
        "follows": f"{change.story} follows {change.other}",
    }[change.kind] + (f": {change.reason}" if change.reason else "")


def format_minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
