"""A story in detail: its reports, how each copy differs, its thread, and its changes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from digests.analysis.story_countries import find_countries
from digests.analysis.story_coverage import Coverage, measure_coverage, with_owners
from digests.cluster import explain
from digests.cluster.item import sort_by_time
from digests.cluster.likeness import measure_pairs
from digests.cluster.pair_model import models_for
from digests.cluster.telling_keys import TellingKeys
from digests.cluster.tracking import start_of_thread
from digests.errors import AmbiguousStory, DigestError
from digests.model.story import Story, WireGroup
from digests.store import stories as store
from digests.store import story_rows
from digests.store.maintenance import load_owners
from digests.store.stories import StoryChangeRow
from digests.store.story_rows import StoryMember, StoryRow
from digests.stories.window import MAX_LOOKBACK, items_between, load_items
from digests.summarise.agreement import measure_agreement
from digests.summarise.headline import choose_headline
from watcher.model import Article
from watcher.store.articles import article_by_url, article_leads, articles_by_id, nth_last_published_at
from watcher.text.format import format_count
from watcher.text.urls import is_web

Reports = tuple[WireGroup, ...]
HISTORY_LEAD_CHARS = 2_000  # of the texts of all reports: headline, places and agreement read no more
ARTICLES_AROUND = 500  # that tell which words are common, when a link is explained


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryDetails:
    """Everything that is stored about a story; of reports that were not selected, `HISTORY_LEAD_CHARS` of the text."""

    asked: StoryRow  # of the requested id, which may be a story that was merged into this one
    row: StoryRow
    story: Story
    articles: Mapping[str, Article]
    members: Mapping[str, StoryMember]
    copies: Mapping[str, explain.CopyDifference]  # by article
    coverage: Coverage
    places: tuple[str, ...]  # ISO codes of the countries that it is about
    thread: tuple[StoryRow, ...]
    changes: tuple[StoryChangeRow, ...]

    @property
    def thread_began_at(self) -> datetime:
        """When its thread began, as in an edition."""
        return start_of_thread((row.first_at, row.size) for row in self.thread) if self.thread else self.row.began_at


def load_story_details(
    connection: Connection, story: str, *, compare: Callable[[Reports], Reports] = lambda reports: reports
) -> StoryDetails:
    """Return the details of a story. `compare` selects the reports to explain. Errors: as `resolve_story`."""
    requested, row = resolve_story(connection, story)
    members = {member.article_id: member for member in story_rows.story_members(connection, row.id)}
    stored = article_leads(connection, members, chars=HISTORY_LEAD_CHARS)
    owners = load_owners(connection, {article.outlet for article in stored.values()})
    articles = {article.id: article for article in with_owners(stored.values(), owners)}
    whole = story_of(row, members.values(), articles)
    row = _with_headline(row, whole, articles)
    shown = compare(whole.wire_groups)
    # A story may have a thousand reports of a hundred kilobytes: whole are the texts that are compared.
    compared = {key for report in shown for key in report.articles}
    compared |= {members[key].nearest or key for key in compared}
    texts = articles_by_id(connection, compared & articles.keys())
    articles |= {article.id: article for article in with_owners(texts.values(), owners)}
    evident = [members[key] for report in shown for key in report.articles if members[key].evidence]
    members |= {member.article_id: member for member in _load_evidence(connection, evident, articles)}
    covered = measure_coverage(whole, articles)
    return StoryDetails(
        asked=requested,
        row=row,
        story=whole,
        articles=articles,
        members=members,
        copies={copy.article_id: copy for report in shown for copy in explain.diff_copies(report, articles)},
        coverage=covered,
        places=find_countries(whole, articles, covered),
        thread=store.thread_rows(connection, row.thread),
        changes=store.load_story_changes(connection, {requested.id, row.id}),
    )


def _with_headline(row: StoryRow, story: Story, articles: Mapping[str, Article]) -> StoryRow:
    """Return a story's row with its headline's language: the headline of the last edition, if its report is there."""
    known = next((article for article in articles.values() if row.title and row.title in article.title), None)
    if known is not None:
        return replace(row, language=known.language)
    chosen = choose_headline(story, articles, measure_agreement(story, articles, {}), languages=[row.language])
    return replace(row, title=chosen.text, language=chosen.article.language) if chosen else row


def resolve_story(connection: Connection, story: str) -> tuple[StoryRow, StoryRow]:
    """
    Return the row of a story, given its id or the beginning of it, its link in an edition or the site, or its thread.

    The second row is that of the story that has its articles now: itself, or the one that it was merged into.

    Errors: DigestError if no story matches, AmbiguousStory if several do.
    """
    wanted = story.strip().rpartition("/")[2].rpartition("-")[2]
    if wanted.startswith("t") and (thread := store.thread_rows(connection, wanted)):
        return thread[0], thread[0]
    rows = [row] if (row := story_rows.load_story(connection, wanted)) else store.rows_by_prefix(connection, wanted)
    if len(rows) == 1:
        return rows[0], story_rows.resolve_merged(connection, rows[0].id) or rows[0]
    if rows:
        raise AmbiguousStory(wanted, {row.id: row.title for row in rows})
    hint = "watcher story list  # shows the stories of the last edition"
    raise DigestError(f"there is no story {story.strip()!r}; an id looks like s1f2e3d4c5b", hint=hint)


def _load_evidence(
    connection: Connection, linked: Sequence[StoryMember], articles: Mapping[str, Article]
) -> Iterator[StoryMember]:
    """Yield the members of `linked` with the evidence for their link, if the features of both articles are stored."""
    # The store has only a link's score: the rest is computed again, for the few links shown.
    wanted = {key for link in linked for key in (link.article_id, link.nearest or "")} & articles.keys()
    known = load_items(connection, (articles[key] for key in sorted(wanted)))
    if not known:
        return
    end = max(articles[key].published_at for key in known)
    start = nth_last_published_at(connection, end, place=ARTICLES_AROUND) or end - MAX_LOOKBACK
    others = [item for key, item in items_between(connection, start=start, end=end).items() if key not in articles]
    items = sort_by_time([*known.values(), *others])
    pairs, answer, telling = measure_pairs(items), models_for(items).event, TellingKeys(others)
    node = {item.article_id: number for number, item in enumerate(items)}
    for link in linked:
        ours, theirs = known.get(link.article_id), known.get(link.nearest or "")
        if ours and theirs:
            decided = explain.weigh_evidence(pairs, answer, node[ours.article_id], node[theirs.article_id])
            evidence = replace(explain.collect_evidence(ours, theirs, telling), decided=decided)
            yield replace(link, evidence={**asdict(evidence), **(link.evidence or {})})


def story_of(row: StoryRow, members: Iterable[StoryMember], articles: Mapping[str, Article]) -> Story:
    """Return a story built from its stored rows; articles that are no longer stored are left out."""

    def place(key: str) -> tuple[datetime, str]:
        return articles[key].published_at, key

    groups: defaultdict[str, list[StoryMember]] = defaultdict(list)
    known = [member for member in members if member.article_id in articles]
    for member in sorted(known, key=lambda each: (each.article_id != each.report, place(each.article_id))):
        groups[member.report].append(member)
    reports = (WireGroup(articles=tuple(m.article_id for m in rows), agency=rows[0].agency) for rows in groups.values())
    return Story(
        id=row.id,
        articles=tuple(sorted((member.article_id for member in known), key=place)),
        wire_groups=tuple(sorted(reports, key=lambda report: place(report.origin))),
        thread=row.thread,
        began_at=row.began_at,
        merged_ids=row.merged_ids,
    )


def link_reasons(details: StoryDetails, report: WireGroup) -> Iterator[str]:
    """Yield the reasons why a report is in the story: its nearest article, and what the two have in common."""
    for member in [details.members[key] for key in report.articles]:
        theirs = details.articles.get(member.nearest or "")
        if theirs and member.evidence:
            ours = details.articles[member.article_id]
            yield f"most probably on one event with {theirs.outlet}, “{theirs.title}”: {member.evidence['score']:.2f}"
            if "names" in member.evidence:  # else the features of one are no longer stored
                spelling = explain.SurfaceForms(
                    (f"{article.title}\n{article.text}", article.language) for article in (ours, theirs)
                )
                evidence = explain.Evidence(**{name: member.evidence[name] for name in explain.Evidence.__slots__})
                yield from explain.describe_common_ground(evidence, spelling)
            return
    if len(details.story.wire_groups) > 1:
        yield "a user correction joined it, or the article that links it is no longer stored"


def describe_change(change: StoryChangeRow) -> str:
    """Return a change of a story as a phrase with its reason."""
    articles, their = format_count(len(change.articles), "article"), "its" if len(change.articles) == 1 else "their"
    return {
        "merged": f"{change.story} was merged into {change.other} ({articles})",
        "split": f"{articles} of {change.story} became a story of {their} own, {change.other}",
        "moved": f"{articles} of {change.story} moved to {change.other}",
        "follows": f"{change.story} follows {change.other}",
        "left": f"{change.story} left the running story of {change.other}",
    }[change.kind] + (f": {change.reason}" if change.reason else "")


def find_article(connection: Connection, wanted: str) -> Article:
    """Return an article by its id or URL. Errors: DigestError, if it is not stored."""
    article = look_up_article(connection, wanted)
    if article is None:
        raise DigestError(
            f"article {wanted} is not stored",
            hint="watcher story STORY  # shows the ids and URLs of a story's articles",
        )
    return article


def look_up_article(connection: Connection, wanted: str) -> Article | None:
    """Return an article by its id or URL; None if it is not stored."""
    key = wanted.strip()
    return article_by_url(connection, key) if is_web(key) else articles_by_id(connection, [key]).get(key)
