"""User corrections: applied to the store at once, and respected whenever stories are grouped again."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from digests.cluster import tracking
from digests.cluster.constraints import UserCorrection
from digests.errors import DigestError
from digests.model.story import MERGED, SPLIT, Story
from digests.store import stories as store
from digests.store import story_rows
from digests.store.story_rows import StoryMember
from digests.stories.history import resolve_story, story_of
from digests.stories.window import load_items
from watcher.store.articles import articles_by_id


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionResult:
    """The result of a correction: its number, and the stories as they are now."""

    number: int
    stories: tuple[Story, ...]


def split(connection: Connection, story: str, articles: Collection[str], *, now: datetime) -> CorrectionResult:
    """
    Split articles from a story: from now on, none of them is in a story with one of its others. Errors: DigestError.

    The others keep the id. Those split off become a story of their own in the same thread, or again the story that they
    were before it was merged into this one.
    """
    whole = _load_story_now(connection, story)
    _check_parts(whole, articles)
    rest, own = _subset_story(whole, set(whole.articles) - set(articles)), _subset_story(whole, articles)
    if back := tracking.restored_story(
        own.articles, len(own.articles), store.merged_into(connection, whole.merged_ids)
    ):
        own = replace(own, id=back.id, thread=back.thread, began_at=back.began_at, merged_ids=back.merged_ids)
        kept_ids = tuple(old for old in rest.merged_ids if old not in (back.id, *back.merged_ids))
        rest = replace(rest, merged_ids=kept_ids)
    else:
        own = replace(own, id=_free_id(connection, own.articles[0]), merged_ids=())
    correction = UserCorrection(kind="split", articles=own.articles, others=rest.articles)
    event = tracking.StoryEvent(kind=SPLIT, story=whole.id, other=own.id, articles=own.articles, why="")
    description = f"split {whole.id} {' '.join(own.articles)}"
    return _save_correction(connection, correction, description, (rest, own), event, now=now)


def join(connection: Connection, one: str, other: str, *, now: datetime) -> CorrectionResult:
    """Join two stories into one, now and in future; the larger one keeps its id. Errors: DigestError."""
    first, second = (_load_story_now(connection, each) for each in (one, other))
    if first.id == second.id:
        raise DigestError(f"{one} and {other} are already one story: {first.id}")
    into, gone = sorted((first, second), key=lambda each: (-len(each.articles), each.began_at, each.id))
    correction = UserCorrection(kind="join", articles=first.articles, others=second.articles)
    event = tracking.StoryEvent(kind=MERGED, story=gone.id, other=into.id, articles=gone.articles, why="")
    description = f"join {first.id} {second.id}"
    return _save_correction(connection, correction, description, (_merge_stories(into, gone),), event, now=now)


def _load_story_now(connection: Connection, story: str) -> Story:
    """Return a story, or the one that it was merged into, as it is stored. Errors: DigestError."""
    _, now = resolve_story(connection, story)
    members = story_rows.story_members(connection, now.id)
    whole = story_of(now, members, articles_by_id(connection, [member.article_id for member in members]))
    if not whole.articles:
        raise DigestError(f"the articles of story {now.id} are no longer stored")
    return whole


def _check_parts(whole: Story, gone: Collection[str]) -> None:
    """Check that `gone` are some articles of a story, but not all. Errors: DigestError."""
    missing = sorted(set(gone) - set(whole.articles))
    if missing:
        hint = f"watcher story {whole.id}  # shows its articles with their ids"
        raise DigestError(f"story {whole.id} has no article {', '.join(missing)}", hint=hint)
    if not gone or len(gone) == len(whole.articles):
        raise DigestError(f"story {whole.id} has {len(whole.articles)} articles; name some of them, but not all")


def _subset_story(whole: Story, ids: Collection[str]) -> Story:
    """Return a story with only those of its articles that are in `ids`."""
    parts = [(report, tuple(key for key in report.articles if key in ids)) for report in whole.wire_groups]
    reports = tuple(replace(report, articles=articles) for report, articles in parts if articles)
    return replace(whole, articles=tuple(key for key in whole.articles if key in ids), wire_groups=reports)


def _merge_stories(into: Story, gone: Story) -> Story:
    """Return two stories as one, with the id of `into`."""
    return replace(
        into,
        articles=(*into.articles, *gone.articles),
        wire_groups=(*into.wire_groups, *gone.wire_groups),
        began_at=tracking.earliest_time(into.began_at, gone.began_at) if into.thread == gone.thread else into.began_at,
        merged_ids=tuple(sorted({*into.merged_ids, gone.id, *gone.merged_ids})),
    )


def _free_id(connection: Connection, earliest: str) -> str:
    taken: set[str] = set()
    while clash := store.existing_ids(connection, [tracking.new_id(earliest, taken)]):
        taken |= clash
    return tracking.new_id(earliest, taken)


def _save_correction(
    connection: Connection,
    correction: UserCorrection,
    description: str,
    stories: tuple[Story, ...],
    event: tracking.StoryEvent,
    *,
    now: datetime,
) -> CorrectionResult:
    """Save a correction and the changed stories. Errors: DigestError, if another process saves stories."""
    number = store.add_correction(connection, correction, description=description, now=now)
    event = replace(event, why=f"user correction {number}")
    version = store.current_version(connection)
    articles = articles_by_id(connection, [key for story in stories for key in story.articles])
    items = load_items(connection, articles.values())
    rows = story_rows.load_members(connection, articles)
    items_of_story = {story.id: [items[key] for key in story.articles if key in items] for story in stories}
    profiles = {story: tracking.story_profile(story, members) for story, members in items_of_story.items() if members}
    times = {key: article.published_at for key, article in articles.items()}
    members = [row for story in stories for row in _member_rows(story, rows)]
    tracked, end = tracking.TrackedStories(stories=stories, events=(event,)), version.until
    if not end or not store.save_changes(connection, version, tracked, members, profiles, times, until=end, now=now):
        raise DigestError("another process is saving stories; try again")
    return CorrectionResult(number=number, stories=stories)


def _member_rows(story: Story, rows: dict[str, StoryMember]) -> list[StoryMember]:
    """Return the rows of a story's articles; a link to an article that is no longer in the story is removed."""
    members = []
    for report in story.wire_groups:
        for article in report.articles:
            row = replace(rows[article], story_id=story.id, report=report.origin)
            members.append(row if row.nearest in story.articles else replace(row, nearest=None, evidence=None))
    return members
