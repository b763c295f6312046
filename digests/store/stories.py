"""Stories in the store: members, dates, merges, events, the corrections of readers, and what they follow."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, update

from digests.cluster.constraints import UserCorrection
from digests.cluster.item import ClusterItem
from digests.cluster.tracking import MOVED, ExistingStory, StoryEvent, TrackedStories
from digests.model.story import MERGED, SPLIT, Story
from digests.store.schema import clustering_runs, corrections, follows, stories, story_articles, story_changes
from digests.store.story_rows import SELECT_STORIES, StoryMember, StoryRow, articles_when_merged
from watcher.features.extract import decode, encode
from watcher.store.schema import articles
from watcher.store.sql import execute_each, insert, load_records, rows_in

MAX_PROFILES = 2_000  # latest stories outside the window that a new one may follow
MIN_PREFIX_CHARS = 4  # characters of an id's beginning that may be given for it
MAX_ID_MATCHES = 9
MAX_EARLIER_STORIES = 50_000  # latest ones in which precedents are looked for: about half a second
MAX_STORY_CHANGES = 200  # latest changes of a story


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringVersion:
    number: int  # how often the stories were saved
    until: datetime | None  # up to which time their articles are grouped
    made_at: datetime | None

    def covers(self, end: datetime) -> bool:
        """Whether stories were saved up to `end` or later: then articles stay in their known stories."""
        return self.until is not None and end <= self.until


def current_version(connection: Connection) -> ClusteringVersion:
    query = select(clustering_runs.c.version.label("number"), clustering_runs.c.until, clustering_runs.c.made_at)
    return load_records(connection, query, ClusteringVersion)[0]


def load_known_stories(
    connection: Connection, members: Iterable[StoryMember], *, since: datetime
) -> tuple[ExistingStory, ...]:
    """Return the stories of `members`, and the others that may go on: their last article is not before `since`."""
    articles_by_story: defaultdict[str, list[str]] = defaultdict(list)
    for member in members:
        articles_by_story[member.story_id].append(member.article_id)
    rows = {row.id: row for row in rows_in(connection, select(stories), stories.c.id, articles_by_story)}
    known = [_existing_story(rows[story], tuple(sorted(keys))) for story, keys in sorted(articles_by_story.items())]
    query = select(stories).order_by(stories.c.last_at.desc(), stories.c.id).limit(MAX_PROFILES)
    may_go_on = (stories.c.last_at >= since, stories.c.profile.is_not(None), stories.c.merged_into.is_(None))
    known += [_existing_story(row) for row in connection.execute(query.where(*may_go_on)) if row.id not in rows]
    return tuple(known)


def stories_of_feeds(connection: Connection, ids: Collection[int], *, since: datetime) -> dict[int, int]:
    """Return by feed the number of stories of several articles that its articles since `since` are in."""
    query = select(articles.c.id, articles.c.feed_id).where(articles.c.published_at >= since)
    query = query.with_hint(articles, "INDEXED BY ix_articles_published_at", "sqlite")  # not all that a feed ever had
    of_feed = {key: feed for key, feed in connection.execute(query) if feed in ids}
    stories_by_feed: defaultdict[int, set[str]] = defaultdict(set)
    story_query = select(story_articles.c.article_id, story_articles.c.story_id).where(stories.c.size > 1)
    story_query = story_query.join(stories, stories.c.id == story_articles.c.story_id)
    for row in rows_in(connection, story_query, story_articles.c.article_id, of_feed):
        stories_by_feed[of_feed[row.article_id]].add(row.story_id)
    return {feed: len(told_in) for feed, told_in in stories_by_feed.items()}


def _existing_story(row: Row[*tuple[Any, ...]], articles: tuple[str, ...] = ()) -> ExistingStory:
    """Return a row of `stories`; with its profile only if `articles`, those in the window, is empty."""
    profile = None
    if row.profile is not None and not articles:
        profile = ClusterItem(
            article_id=row.id,
            title=row.title,
            language=row.language,
            features=decode(row.id, row.profile, row.vector, row.vector_model),
        )
    same = {name: row._mapping[name] for name in ("id", "thread", "began_at", "first_at", "size", "merged_ids")}
    return ExistingStory(articles=articles, profile=profile, **same)


def existing_ids(connection: Connection, ids: Iterable[str]) -> set[str]:
    return {row.id for row in rows_in(connection, select(stories.c.id), stories.c.id, ids)}


def save_changes(
    connection: Connection,
    version: ClusteringVersion,
    carried: TrackedStories,
    members: Sequence[StoryMember],
    profiles: Mapping[str, ClusterItem],
    times: Mapping[str, datetime],
    *,
    until: datetime,
    now: datetime,
) -> bool:
    """
    Save the stories of a window that ends at `until`, and what happened to them, as the next version of the clustering.

    `members` and `profiles` are those new or changed. Return False, without saving, if another process has saved
    stories since `version` was read.
    """
    row: dict[str, Any] = {"version": version.number + 1}
    # For a past window the time stays: corrections revoked since then must still be undone.
    row |= {"made_at": version.made_at or now} if version.covers(until) else {"made_at": now, "until": until}
    query = update(clustering_runs).where(clustering_runs.c.version == version.number)
    if connection.execute(query.values(row)).rowcount != 1:
        return False
    for change in carried.events:
        if change.kind == MERGED:
            _redirect_merged(connection, change.story, change.other)
    _upsert_rows(connection, story_articles, [asdict(member) for member in members], key="article_id")
    counts = select(story_articles.c.story_id, func.count()).group_by(story_articles.c.story_id)
    sizes: dict[str, int] = dict(rows_in(connection, counts, story_articles.c.story_id, profiles))
    changed = [
        _story_values(story, profiles[story.id], times, sizes.get(story.id, 0))
        for story in carried.stories
        if story.id in profiles
    ]
    _upsert_rows(connection, stories, changed, key="id")
    _shrink_story_dates(connection, carried.events, times)
    _record_events(connection, carried.events, now=now)
    return True


def _redirect_merged(connection: Connection, story: str, other: str) -> None:
    connection.execute(update(story_articles).where(story_articles.c.story_id == story).values(story_id=other))
    gone = {"merged_into": other, "size": 0, "profile": None, "vector": None, "vector_model": None}
    connection.execute(update(stories).where(stories.c.id == story).values(gone))


def _story_values(story: Story, profile: ClusterItem, times: Mapping[str, datetime], size: int) -> dict[str, object]:
    """Return a story as a row; its profile is stored only if it has more than one article."""
    features = profile.features if size > 1 else None
    at = [times[article] for article in story.articles]
    return {
        "id": story.id,
        "thread": story.thread,
        "title": profile.title,
        "language": profile.language,
        "size": size,
        "first_at": min(at),
        "last_at": max(at),
        "began_at": story.began_at or min(at),
        "merged_ids": story.merged_ids,
        "merged_into": None,
        "profile": encode(features) if features else None,
        "vector": features.vector if features else None,
        "vector_model": features.vector_model if features else None,
    }


def _upsert_rows(connection: Connection, table: object, rows: Sequence[dict[str, object]], *, key: str) -> None:
    """Insert rows, or update those with the same `key`; the times of a story only widen."""
    if not rows:
        return
    statement = insert(connection, table)
    written: dict[str, Any] = {name: statement.excluded[name] for name in rows[0] if name != key}
    if table is stories:  # the articles of a story that are out of the window count too
        is_sqlite = connection.dialect.name == "sqlite"
        least, most = (func.min, func.max) if is_sqlite else (func.least, func.greatest)
        written |= {name: least(stories.c[name], written[name]) for name in ("first_at", "began_at")}
        written["last_at"] = most(stories.c.last_at, written["last_at"])
        del written["title"]  # it may be the headline that an edition chose
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=written), rows)


def save_headlines(connection: Connection, headlines: Mapping[str, str]) -> None:
    """Save the headlines under which an edition shows stories, by id, as the titles of these stories."""
    query = update(stories).where(stories.c.id == bindparam("story")).values(title=bindparam("headline"))
    execute_each(connection, query, [{"story": key, "headline": title} for key, title in headlines.items()])


def _record_events(connection: Connection, changes: Sequence[StoryEvent], *, now: datetime) -> None:
    """Store what happened to stories, such as a merge, with the time `now`."""
    rows = [
        {
            "at": now, "kind": change.kind, "story_id": change.story, "other_id": change.other,
            "articles": change.articles, "reason": change.why,
        }
        for change in changes
    ]  # fmt: skip
    execute_each(connection, story_changes.insert(), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryChangeRow:
    at: datetime
    kind: str
    story: str
    other: str
    articles: tuple[str, ...]
    reason: str


def story_vector(connection: Connection, story: str) -> tuple[bytes, str] | None:
    """Return the vector of a story of several articles and its embedder; None if there is none."""
    row = connection.execute(
        select(stories.c.vector, stories.c.vector_model).where(stories.c.id == story)
    ).one_or_none()
    return (row.vector, row.vector_model) if row and row.vector and row.vector_model else None


def vectors_of_earlier(
    connection: Connection, model: str, *, before: datetime, thread: str
) -> Iterator[tuple[str, str, bytes]]:
    """Yield id, language and vector of the stories of other threads that ended before `before`, newest first."""
    query = select(stories.c.id, stories.c.language, stories.c.vector).order_by(stories.c.last_at.desc())
    query = query.where(stories.c.vector_model == model, stories.c.vector.is_not(None), stories.c.last_at < before)
    query = query.where(stories.c.thread != thread, stories.c.merged_into.is_(None)).limit(MAX_EARLIER_STORIES)
    for row in connection.execute(query.execution_options(yield_per=1_000)):
        yield row.id, row.language, row.vector


def rows_by_prefix(connection: Connection, beginning: str) -> tuple[StoryRow, ...]:
    """Return up to `MAX_ID_MATCHES` stories whose id begins with `beginning`; none if it is too short."""
    if len(beginning) < MIN_PREFIX_CHARS:
        return ()
    query = SELECT_STORIES.where(stories.c.id.startswith(beginning, autoescape=True)).order_by(stories.c.id)
    return load_records(connection, query.limit(MAX_ID_MATCHES), StoryRow)


def stories_of_articles(connection: Connection, articles: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return by article the id and the headline of its story."""
    query = select(story_articles.c.article_id, stories.c.id, stories.c.title)
    query = query.join(stories, stories.c.id == story_articles.c.story_id)
    rows = rows_in(connection, query, story_articles.c.article_id, articles)
    return {article: (story, title) for article, story, title in rows}


def thread_rows(connection: Connection, thread: str) -> tuple[StoryRow, ...]:
    query = SELECT_STORIES.where(stories.c.thread == thread, stories.c.merged_into.is_(None))
    return load_records(connection, query.order_by(stories.c.first_at, stories.c.id), StoryRow)


def times_of_threads(connection: Connection, threads: Iterable[str]) -> set[datetime]:
    """Return when the stories of `threads`, and the threads themselves, began."""
    columns = select(stories.c.first_at, stories.c.began_at)
    return {at for row in rows_in(connection, columns, stories.c.thread, threads) for at in row}


def story_starts(connection: Connection, ids: Iterable[str]) -> dict[str, datetime]:
    """Return when the first article of each of the stories `ids` was published."""
    columns = select(stories.c.id, stories.c.first_at)
    return {row.id: row.first_at for row in rows_in(connection, columns, stories.c.id, ids)}


def load_story_changes(connection: Connection, ids: Collection[str]) -> tuple[StoryChangeRow, ...]:
    """Return the latest changes from or to the stories `ids`, oldest first."""
    c = story_changes.c
    columns = (c.at, c.kind, c.story_id.label("story"), c.other_id.label("other"), c.articles, c.reason)
    query = select(*columns).where(or_(c.story_id.in_(sorted(ids)), c.other_id.in_(sorted(ids))))
    return load_records(connection, query.order_by(c.id.desc()).limit(MAX_STORY_CHANGES), StoryChangeRow)[::-1]


def merged_into(connection: Connection, ids: Collection[str]) -> tuple[ExistingStory, ...]:
    """Return those of the stories `ids` that were merged into others, ordered by id."""
    had = articles_when_merged(connection, ids)
    query = select(stories).where(stories.c.merged_into.is_not(None)).order_by(stories.c.id)
    rows = rows_in(connection, query, stories.c.id, had)
    return tuple(replace(_existing_story(row, had[row.id]), size=len(had[row.id])) for row in rows)


def _shrink_story_dates(connection: Connection, changes: Sequence[StoryEvent], times: Mapping[str, datetime]) -> None:
    """Narrow the times of stories to the articles that they still have; `times` are those of articles, by id."""
    for change in changes:
        times_left = [times[key] for key in change.articles if key in times]
        if change.kind in (SPLIT, MOVED) and times_left:
            _correct_story_dates(connection, change.story, times_left)
        if change.kind == SPLIT:  # `other` may be a restored story, with only some of its articles
            _correct_story_dates(connection, change.other)


def _correct_story_dates(connection: Connection, story: str, left: Sequence[datetime] = ()) -> None:
    """
    Correct the size and the dates of a story from its stored articles.

    `left` has the times of the articles that have left it. If it is given, only dates that were theirs change, because
    articles that are no longer stored count too.
    """
    was = connection.execute(select(stories).where(stories.c.id == story)).one_or_none()
    times = (func.min(articles.c.published_at).label("first"), func.max(articles.c.published_at).label("last"))
    query = select(*times, func.count().label("size"))
    query = query.join_from(articles, story_articles, articles.c.id == story_articles.c.article_id)
    rest = connection.execute(query.where(story_articles.c.story_id == story)).one()
    if was is None or rest.first is None:  # nothing of it is stored
        return
    first, last = min(left, default=was.first_at), max(left, default=was.last_at)
    values = {"size": rest.size}
    values |= {"first_at": rest.first} if first <= was.first_at else {}
    values |= {"last_at": rest.last} if last >= was.last_at else {}
    connection.execute(update(stories).where(stories.c.id == story).values(values))
    if first <= was.began_at:
        its = (stories.c.thread == was.thread, stories.c.merged_into.is_(None))
        began = select(func.min(stories.c.first_at)).where(*its).scalar_subquery()
        connection.execute(update(stories).where(stories.c.id == story).values(began_at=began))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCorrection:
    number: int
    made_at: datetime
    correction: UserCorrection
    description: str  # the reader's request in words
    revoked_at: datetime | None


def add_correction(connection: Connection, correction: UserCorrection, *, description: str, now: datetime) -> int:
    values = asdict(correction) | {"made_at": now, "description": description}
    number: int = connection.execute(corrections.insert().values(values).returning(corrections.c.id)).scalar_one()
    return number


def revoke(connection: Connection, number: int, *, now: datetime) -> bool:
    """Revoke a correction; False if there is none with this number, or it is revoked already."""
    statement = update(corrections).where(corrections.c.id == number, corrections.c.revoked_at.is_(None))
    return connection.execute(statement.values(revoked_at=now)).rowcount == 1


def load_corrections(connection: Connection) -> tuple[StoredCorrection, ...]:
    """Return all corrections, oldest first, including revoked ones."""
    rows = connection.execute(select(corrections).order_by(corrections.c.id))
    plain_columns = ("made_at", "description", "revoked_at")
    return tuple(
        StoredCorrection(
            number=row.id,
            correction=UserCorrection(kind=row.kind, articles=row.articles, others=row.others),
            **{name: row._mapping[name] for name in plain_columns},
        )
        for row in rows
    )


def active_corrections(corrections: Sequence[StoredCorrection]) -> tuple[UserCorrection, ...]:
    return tuple(correction.correction for correction in corrections if correction.revoked_at is None)


def add_follow(connection: Connection, story: str, *, now: datetime) -> None:
    connection.execute(insert(connection, follows).values(story_id=story, since=now).on_conflict_do_nothing())


def remove_follows(connection: Connection, ids: Collection[str]) -> None:
    connection.execute(delete(follows).where(follows.c.story_id.in_(ids)))


def load_follows(connection: Connection) -> dict[str, datetime]:
    """Return since when stories are followed, by the id that they had then, oldest first."""
    rows = connection.execute(select(follows).order_by(follows.c.since, follows.c.story_id))
    return {row.story_id: row.since for row in rows}
