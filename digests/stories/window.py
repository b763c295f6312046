"""The stories of a store up to a moment: grouped, under the ids that readers know, and kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, Engine

from digests.cluster.constraints import keep_known_stories, resolve_corrections
from digests.cluster.follow_ups import story_profile
from digests.cluster.item import ClusterItem, make_item
from digests.cluster.near_duplicates import group_wire_copies
from digests.cluster.similarity import MIN_BODY_BYTES
from digests.cluster.stories import ClusteringResult, cluster_with_links
from digests.cluster.tracking import SPLIT, ExistingStory, MergedStory, StoryEvent, TrackedStories, track_stories
from digests.errors import DigestError
from digests.model import Story
from digests.store import stories as store
from digests.store.corrections import StoredCorrection, active_corrections, load_corrections
from digests.store.stories import KnownStories, StoryMember, merged_into
from watcher.features.codec import decode, decode_shingles, upgrade
from watcher.model import FEATURES_VERSION, Article
from watcher.store.articles import articles_by_id, nth_last_published_at, outlines_between, packed_features
from watcher.store.writer import read, write

MIN_LOOKBACK = timedelta(days=2)  # before a window: stories of yesterday are recognised, wire copy finds its origin
MAX_LOOKBACK = timedelta(days=20)  # before the end of a window, where few articles come in
ENOUGH_ARTICLES = 5_000  # articles: with so many, what is rare and what is alike is known (docs/decisions/0011)
THREAD_IDLE = timedelta(days=30)  # a thread idle for so long is over: what is like it begins another
STAND_IN = bytes(MIN_BODY_BYTES)  # for the shingles of articles whose copies are found: it says that they have a text
ATTEMPTS = 5  # when others keep stories at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterWindow:
    """
    What grouping reads: the articles of a stretch of time, and what is known of them.

    Items have a stand-in for their shingles; these are in `shingles`, until the window is grouped.
    """

    items: Mapping[str, ClusterItem]
    shingles: dict[str, bytes]
    kept: KnownStories
    corrections: tuple[StoredCorrection, ...]
    absorbed: tuple[MergedStory, ...] = ()  # stories that have gone into those of the window


def cluster_and_save(engine: Engine, *, start: datetime, end: datetime, now: datetime) -> tuple[Story, ...]:
    """
    Return the stories of all articles published in [start, end) and for some days before, and keep them.

    All digests of a store share them, whatever sources and words each chooses. Where the stories were kept up to a
    later moment, those articles that were known then stay in the stories that they are in.

    Errors: StoreError; DigestError, if others keep stories all the while.
    """
    for _ in range(ATTEMPTS):
        window = read(engine, load_window, start=start, end=end)
        found = cluster_window(window)
        groups = keep_known_assignments(window, found, end=end)
        if (carried := save_window(engine, window, found, groups, end=end, now=now)) is not None:
            return carried.stories
    raise DigestError("the stories are being kept by others all the while; try again")


def cluster_preview(engine: Engine, *, start: datetime, end: datetime) -> tuple[Story, ...]:
    """Return the same stories as `stories_until`, and keep nothing: those that are new have an id for this once."""
    window = read(engine, load_window, start=start, end=end)
    groups = keep_known_assignments(window, cluster_window(window), end=end)
    return assign_free_ids(engine, window, groups, end=end).stories


def is_past_window(window: ClusterWindow, end: datetime) -> bool:
    """Whether stories were kept up to `end` or a later moment: then nothing becomes of those that are known."""
    return window.kept.version.until is not None and end <= window.kept.version.until


def keep_known_assignments(window: ClusterWindow, found: ClusteringResult, *, end: datetime) -> Sequence[Story]:
    """Return the groups; where stories were kept up to a later moment, what was known then stays where it is."""
    if not is_past_window(window, end):
        return found.stories
    known = {key: member.story for key, member in window.kept.members.items()}
    return keep_known_stories(found.stories, known, window.items)


def load_window(connection: Connection, *, start: datetime, end: datetime) -> ClusterWindow:
    """Return the articles of a window and before it: two days at least, more where there are few."""
    enough = nth_last_published_at(connection, end, place=ENOUGH_ARTICLES)
    first = min(start - MIN_LOOKBACK, max(end - MAX_LOOKBACK, enough or end - MAX_LOOKBACK))
    shingles: dict[str, bytes] = {}
    found = {item.article_id: item for item in items_between(connection, start=first, end=end, shingles=shingles)}
    kept = store.load_known_stories(connection, found, since=end - THREAD_IDLE)
    return ClusterWindow(
        items=found,
        shingles=shingles,
        kept=kept,
        corrections=load_corrections(connection),
        absorbed=merged_into(connection, {old for story in kept.stories if story.articles for old in story.merged_ids}),
    )


def items_between(
    connection: Connection, *, start: datetime, end: datetime, shingles: dict[str, bytes]
) -> Iterator[ClusterItem]:
    """
    Yield what grouping reads of the articles published in [start, end) that have features, without their texts.

    Their shingles are put into `shingles`; in the items one stand-in for all says that an article has a text.
    """
    outdated = []
    for article, kept in outlines_between(connection, start=start, end=end):
        if kept.version == FEATURES_VERSION:
            features = decode(article.id, kept.payload, kept.vector, kept.vector_model, stand_in=STAND_IN)
            shingles[article.id] = decode_shingles(kept.payload)
            yield make_item(article, features)
        else:
            outdated.append(article.id)
    for item in load_items(connection, articles_by_id(connection, outdated).values()):
        shingles[item.article_id] = item.features.shingles
        yield with_wording(item, STAND_IN if len(item.features.shingles) >= len(STAND_IN) else item.features.shingles)


def load_items(connection: Connection, articles: Iterable[Article]) -> list[ClusterItem]:
    """Return what grouping reads of each article."""
    given = list(articles)
    packed = packed_features(connection, [article.id for article in given])
    found = []
    for article in given:
        if kept := packed.get(article.id):
            features = decode(article.id, kept.payload, kept.vector, kept.vector_model)
            found.append(make_item(article, upgrade(features, article)))
    return found


def cluster_window(window: ClusterWindow) -> ClusteringResult:
    """
    Return the window's articles in groups, which rather are the stories that are known and keep to corrections.

    What the window holds of their wording is given back before they are compared, which takes the most memory.
    """
    kept = window.kept
    free = revoked_articles(window.corrections, since=kept.version.made_at)
    known = {key: member.story for key, member in kept.members.items() if key not in free}
    rules, given = resolve_corrections(active_corrections(window.corrections)), list(window.items.values())
    copies = group_wire_copies(given, window.shingles)
    window.shingles.clear()
    return cluster_with_links(given, rules=rules, known=known, copies=copies)


def with_wording(item: ClusterItem, shingles: bytes) -> ClusterItem:
    """Return an item with these shingles."""
    return replace(item, features=replace(item.features, shingles=shingles))


def revoked_articles(corrections: Sequence[StoredCorrection], *, since: datetime | None) -> set[str]:
    """Return the articles of corrections that were forgotten since: nothing holds them where they are."""
    return {
        article
        for each in revoked_corrections(corrections, since=since)
        for article in (*each.correction.articles, *each.correction.others)
    }


def revoked_corrections(corrections: Sequence[StoredCorrection], *, since: datetime | None) -> list[StoredCorrection]:
    """Return the corrections that were forgotten since stories were grouped last."""
    return [each for each in corrections if each.revoked_at and (since is None or each.revoked_at >= since)]


def save_window(
    engine: Engine,
    window: ClusterWindow,
    found: ClusteringResult,
    groups: Sequence[Story],
    *,
    end: datetime,
    now: datetime,
) -> TrackedStories | None:
    """Give the groups their ids and keep them; None if somebody else has kept stories since the window was read."""
    carried = assign_free_ids(engine, window, groups, end=end)
    members = member_diff(window, found, carried.stories)
    profiles = changed_profiles(window, carried, {member.story for member in members})
    times = {key: item.published_at for key, item in window.items.items() if item.published_at}

    step = window.kept.version
    made_at = step.made_at or now if is_past_window(window, end) else now  # what was forgotten is still to be told

    def write_down(connection: Connection) -> bool:
        if not store.bump_version(connection, step, until=end, now=made_at):
            return False
        store.save_changes(connection, carried, members, profiles, times, now=now)
        return True

    return carried if write(engine, write_down) else None


def assign_free_ids(engine: Engine, window: ClusterWindow, groups: Sequence[Story], *, end: datetime) -> TrackedStories:
    """Return the groups as the stories that they are, under ids that no other story ever had."""
    stories, undone = (window.kept.stories, ()) if is_past_window(window, end) else undo_revoked_joins(window)
    known = {story.id for story in stories} | {story.id for story in window.absorbed}
    taken: set[str] = set()
    while True:
        carried = track_stories(stories, groups, window.items, taken_ids=taken, merged=window.absorbed)
        here = {story.id for story in carried.stories}
        clash = read(engine, partial(store.existing_ids, ids=here - known))
        if not clash:
            return replace(carried, events=(*(each for each in undone if each.other in here), *carried.events))
        taken |= clash


def undo_revoked_joins(window: ClusterWindow) -> tuple[tuple[ExistingStory, ...], tuple[StoryEvent, ...]]:
    """
    Return the known stories as they were before the joins that have been forgotten since, and what becomes of them.

    Of a story that had gone into an older one the window may have all that it holds of the two: what most of its
    articles are in says nothing then.
    """
    known = {story.id: story for story in window.kept.stories}
    joins = {
        frozenset(side): each.number
        for each in revoked_corrections(window.corrections, since=window.kept.version.made_at)
        for side in (each.correction.articles, each.correction.others)
        if each.correction.kind == "join"
    }
    changes = []
    for old in window.absorbed:
        number = joins.get(frozenset(old.articles))
        here = {key for key in old.articles if key in window.items and key in window.kept.members}
        homes = {window.kept.members[key].story for key in here}
        if number is None or len(homes) != 1:
            continue
        whole = known[homes.pop()]
        rest = tuple(key for key in whole.articles if key not in here)
        was = tuple(each for each in whole.merged_ids if each not in (old.id, *old.merged_ids))
        known[whole.id] = replace(whole, articles=rest, size=whole.size - len(here), merged_ids=was)
        known[old.id] = ExistingStory(
            id=old.id, thread=old.thread, began_at=old.began_at, first_at=old.began_at, size=len(here),
            articles=tuple(sorted(here)), merged_ids=old.merged_ids,
        )  # fmt: skip
        why = f"the correction that joined them, number {number}, was forgotten"
        changes.append(StoryEvent(kind=SPLIT, story=whole.id, other=old.id, articles=tuple(sorted(here)), why=why))
    return tuple(known.values()), tuple(changes)


def member_diff(window: ClusterWindow, found: ClusteringResult, stories: Iterable[Story]) -> list[StoryMember]:
    """Return the articles whose row in the store is not what it should be, with the score of their link."""
    linked = {link.article: link for link in found.links}
    changed = []
    for story in stories:
        ids = set(story.articles)
        for report in story.reports:
            for article in report.articles:
                link = linked.get(article)
                link = link if link and link.nearest in ids else None
                row = StoryMember(
                    article=article,
                    story=story.id,
                    report=report.origin,
                    agency=report.agency,
                    nearest=link.nearest if link else None,
                )
                was = window.kept.members.get(article)
                if was is None or replace(was, evidence=None) != row:
                    same = was is not None and was.nearest == row.nearest and was.evidence
                    changed.append(replace(row, evidence=same or ({"score": link.score} if link else None)))
    return changed


def changed_profiles(window: ClusterWindow, carried: TrackedStories, grown: Collection[str]) -> dict[str, ClusterItem]:
    """Return what the stories that are new or have changed are about."""
    touched = {*grown, *(id for change in carried.events for id in (change.story, change.other))}
    return {
        story.id: carried.profiles.get(story.id)
        or story_profile(story.id, [window.items[article] for article in story.articles])
        for story in carried.stories
        if story.id in touched
    }
