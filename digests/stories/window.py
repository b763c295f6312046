"""The stories of a time window: loaded, clustered, given their known ids, and saved."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digests.cluster.constraints import keep_known_stories, resolve_corrections
from digests.cluster.item import ClusterItem, make_item
from digests.cluster.likeness import MIN_LONG_BYTES
from digests.cluster.near_duplicates import group_wire_copies
from digests.cluster.neighbours import PairScores
from digests.cluster.stories import Grouping, Links, Parts, group_articles
from digests.cluster.tracking import ExistingStory, StoryEvent, TrackedStories, story_profile, track_stories
from digests.errors import DigestError
from digests.model.story import SPLIT, Story
from digests.store import stories as store
from digests.store import story_rows
from digests.store.stories import ClusteringVersion, StoredCorrection
from digests.store.story_rows import StoryMember
from watcher.features.extract import decode, upgrade
from watcher.model import FEATURES_VERSION, Article
from watcher.store.articles import articles_by_id, nth_last_published_at, outlines_between, packed_features
from watcher.store.writer import read, write

MIN_LOOKBACK = timedelta(days=2)  # before a window: to recognise yesterday's stories and the origins of wire copies
MAX_LOOKBACK = timedelta(days=20)  # before the end of a window, if there are few articles
ENOUGH_ARTICLES = 5_000  # enough to show what is rare and what is similar (docs/decisions/0011)
THREAD_IDLE = timedelta(days=30)  # a thread idle for so long is over: a similar story starts another one
STAND_IN = bytes(MIN_LONG_BYTES)  # replaces the shingles of an item that has as many: tells that its text is long
ATTEMPTS = 5  # when other processes save stories at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedStories:
    """The stories of a time window, and what they were grouped from."""

    stories: tuple[Story, ...]
    items: Mapping[str, ClusterItem]  # by article id
    parts: Parts
    scores: PairScores


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterWindow:
    """The articles of a time window up to `end`, with their stored stories and the corrections."""

    end: datetime
    items: dict[str, ClusterItem]  # by article id
    version: ClusteringVersion
    members: Mapping[str, StoryMember]  # by article id
    known: tuple[ExistingStory, ...]  # also older ones that may go on
    corrections: tuple[StoredCorrection, ...]
    merged: tuple[ExistingStory, ...]  # stories that were merged into those of the window

    @property
    def revoked(self) -> list[StoredCorrection]:
        """The corrections that were revoked since the last clustering."""
        since = self.version.made_at
        return [
            correction
            for correction in self.corrections
            if correction.revoked_at and (since is None or correction.revoked_at >= since)
        ]


def cluster_and_save(engine: Engine, *, start: datetime, end: datetime, now: datetime) -> GroupedStories:
    """
    Save the stories of all articles published in [start, end) and some days before; return them.

    All digests of a store share them, whatever sources and words they select. If stories were saved for a later time,
    articles stay in their known stories.

    Errors: StoreError; DigestError, if other processes save stories during each of `ATTEMPTS` attempts.
    """
    for _ in range(ATTEMPTS):
        window = read(engine, load_window, start=start, end=end)
        grouping = cluster_window(window)
        tracked = assign_ids(engine, window, grouping.stories)
        members = _changed_members(window, grouping.links, tracked.stories)
        profiles = _changed_profiles(window, tracked, {member.story_id for member in members})
        times = {key: item.published_at for key, item in window.items.items() if item.published_at}
        changes = (window.version, tracked, members, profiles, times)
        if write(engine, store.save_changes, *changes, until=window.end, now=now):
            return _grouped_stories(window, tracked, grouping)
    raise DigestError("other processes keep saving stories; try again later")


def cluster_preview(engine: Engine, *, start: datetime, end: datetime) -> GroupedStories:
    """Return what `cluster_and_save` returns without saving it; new stories have provisional ids."""
    window = read(engine, load_window, start=start, end=end)
    grouping = cluster_window(window)
    return _grouped_stories(window, assign_ids(engine, window, grouping.stories), grouping)


def _grouped_stories(window: ClusterWindow, tracked: TrackedStories, grouping: Grouping) -> GroupedStories:
    return GroupedStories(stories=tracked.stories, items=window.items, parts=grouping.parts, scores=grouping.scores)


def load_window(connection: Connection, *, start: datetime, end: datetime) -> ClusterWindow:
    """Return the articles of a window and of two days before it, or up to `MAX_LOOKBACK` if few, with their stories."""
    enough_since = nth_last_published_at(connection, end, place=ENOUGH_ARTICLES)
    first = min(start - MIN_LOOKBACK, max(end - MAX_LOOKBACK, enough_since or end - MAX_LOOKBACK))
    items = items_between(connection, start=first, end=end)
    members = story_rows.load_members(connection, items)
    known = store.load_known_stories(connection, members.values(), since=end - THREAD_IDLE)
    merged_ids = {old for story in known if story.articles for old in story.merged_ids}
    return ClusterWindow(
        end=end,
        items=items,
        version=store.current_version(connection),
        members=members,
        known=known,
        corrections=store.load_corrections(connection),
        merged=store.merged_into(connection, merged_ids),
    )


def items_between(connection: Connection, *, start: datetime, end: datetime) -> dict[str, ClusterItem]:
    """Return the items of the articles published in [start, end) that have features, by article id."""
    items, outdated = {}, []
    for article, packed in outlines_between(connection, start=start, end=end):
        if packed.version == FEATURES_VERSION:
            features = decode(article.id, packed.payload, packed.vector, packed.vector_model)
            items[article.id] = make_item(article, features)
        else:
            outdated.append(article.id)
    return items | load_items(connection, articles_by_id(connection, outdated).values())


def load_items(connection: Connection, articles: Iterable[Article]) -> dict[str, ClusterItem]:
    """Return the items of those articles that have features, by article id."""
    by_id = {article.id: article for article in articles}
    return {
        key: make_item(by_id[key], upgrade(decode(key, packed.payload, packed.vector, packed.vector_model), by_id[key]))
        for key, packed in packed_features(connection, by_id).items()
    }


def cluster_window(window: ClusterWindow) -> Grouping:
    """Return the grouping of a window; known stories get a bonus, and corrections are respected."""
    assignments = {key: member.story_id for key, member in window.members.items()}
    revoked = {key for each in window.revoked for key in (*each.correction.articles, *each.correction.others)}
    copies = group_wire_copies(list(window.items.values()))
    for key, item in window.items.items():
        if len(item.features.shingles) >= len(STAND_IN):
            # Freed now, because comparing stories takes the most memory.
            window.items[key] = replace(item, features=replace(item.features, shingles=STAND_IN))
    grouping = group_articles(
        list(window.items.values()),
        rules=resolve_corrections(store.active_corrections(window.corrections)),
        known={key: story for key, story in assignments.items() if key not in revoked},
        copies=copies,
    )
    if window.version.covers(window.end):
        return replace(grouping, stories=keep_known_stories(grouping.stories, assignments, window.items))
    return grouping


def assign_ids(engine: Engine, window: ClusterWindow, groups: Sequence[Story]) -> TrackedStories:
    """Return the groups with the ids of the known stories that they continue, or with new, unused ids."""
    stories, splits = (window.known, ()) if window.version.covers(window.end) else _split_revoked_joins(window)
    known = {story.id for story in stories} | {story.id for story in window.merged}
    taken: set[str] = set()
    while True:
        tracked = track_stories(stories, groups, window.items, taken_ids=taken, merged=window.merged)
        ids = {story.id for story in tracked.stories}
        clash = read(engine, store.existing_ids, ids=ids - known)
        if not clash:
            return replace(tracked, events=(*(split for split in splits if split.other in ids), *tracked.events))
        taken |= clash


def _split_revoked_joins(window: ClusterWindow) -> tuple[tuple[ExistingStory, ...], tuple[StoryEvent, ...]]:
    """Return the known stories, with those split that a revoked correction had joined, and an event for each split."""
    known = {story.id: story for story in window.known}
    joins = {
        frozenset(side): each.number
        for each in window.revoked
        for side in (each.correction.articles, each.correction.others)
        if each.correction.kind == "join"
    }
    events = []
    for old in window.merged:
        number = joins.get(frozenset(old.articles))
        here = tuple(sorted(key for key in old.articles if key in window.items and key in window.members))
        homes = {window.members[key].story_id for key in here}
        if number is None or len(homes) != 1:
            continue
        whole = known[homes.pop()]
        known[whole.id] = replace(
            whole,
            articles=tuple(key for key in whole.articles if key not in here),
            size=whole.size - len(here),
            merged_ids=tuple(each for each in whole.merged_ids if each not in (old.id, *old.merged_ids)),
        )
        known[old.id] = replace(old, articles=here, size=len(here))
        why = f"user correction {number}, which joined them, was revoked"
        events.append(StoryEvent(kind=SPLIT, story=whole.id, other=old.id, articles=here, why=why))
    return tuple(known.values()), tuple(events)


def _changed_members(window: ClusterWindow, links: Links, stories: Iterable[Story]) -> list[StoryMember]:
    """Return the articles whose stored rows change, each with its link and the link's score."""
    changed = []
    for story in stories:
        ids = set(story.articles)
        for report, article in (
            (wire_group, article) for wire_group in story.wire_groups for article in wire_group.articles
        ):
            row = StoryMember(article_id=article, story_id=story.id, report=report.origin, agency=report.agency)
            before = window.members.get(article)
            nearest, score = links.get(article, ("", 0.0))
            if nearest in ids:
                known = before.evidence if before and before.nearest == nearest else None
                row = replace(row, nearest=nearest, evidence=known or {"score": score})
            if row != before:
                changed.append(row)
    return changed


def _changed_profiles(
    window: ClusterWindow, tracked: TrackedStories, changed: Collection[str]
) -> dict[str, ClusterItem]:
    """Return the profiles of stories that are new or have changed; `changed`: ids of those with changed members."""
    touched = {*changed, *(key for event in tracked.events for key in (event.story, event.other))}
    return {
        story.id: tracked.profiles.get(story.id)
        or story_profile(story.id, [window.items[key] for key in story.articles])
        for story in tracked.stories
        if story.id in touched
    }
