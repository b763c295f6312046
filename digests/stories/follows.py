"""The stories that the reader follows: each with its thread, so that its next stories are followed too."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from digests.analysis.preferences import MuteRule, find_mute_rule, matching_phrases
from digests.model.edition_story import Brief
from digests.store import stories as store
from digests.store import story_rows
from digests.store.story_rows import StoryRow
from digests.stories.history import resolve_story
from watcher.model import Article
from watcher.store.articles import articles_by_id

MAX_STORIES = 30  # latest ones of a thread whose reports are read


def set_followed(connection: Connection, story: str, *, followed: bool, now: datetime) -> tuple[StoryRow, bool]:
    """Follow a story or stop it; return it, and whether that changed anything. Errors: as `resolve_story`."""
    _, row = resolve_story(connection, story)
    known = [key for key, _, followed in load_followed(connection) if followed.thread == row.thread]
    if followed and not known:
        store.add_follow(connection, row.id, now=now)
    elif not followed:
        store.remove_follows(connection, known)
    return row, followed is not bool(known)


def load_followed(connection: Connection) -> list[tuple[str, datetime, StoryRow]]:
    """Return each id that was followed, since when, and the newest story of the thread that it is in now."""
    followed = []
    for key, since in store.load_follows(connection).items():
        if row := story_rows.resolve_merged(connection, key):
            thread = store.thread_rows(connection, row.thread) or (row,)
            followed.append((key, since, max(thread, key=lambda each: (each.last_at, each.id))))
    return followed


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedThread:
    """A thread that the reader follows since a time, and its stored reports, with full texts."""

    since: datetime
    reports: tuple[Article, ...]


def load_followed_reports(connection: Connection, threads: Collection[str]) -> dict[str, FollowedThread]:
    """Return those of `threads` that the reader follows, by id, each with the reports of its latest stories."""
    since_of_thread: dict[str, datetime] = {}
    for _, since, row in load_followed(connection):
        since_of_thread.setdefault(row.thread, since)
    followed = {}
    for thread, since in since_of_thread.items():
        if thread in threads:
            rows = store.thread_rows(connection, thread)[-MAX_STORIES:]
            keys = [member.article_id for row in rows for member in story_rows.story_members(connection, row.id)]
            reports = tuple(articles_by_id(connection, keys).values())
            followed[thread] = FollowedThread(since=since, reports=reports)
    return followed


def followed_threads(
    connection: Connection,
    *,
    before: datetime,
    outlets: Collection[str] | None,
    only: Sequence[str] = (),
    mute_rules: Sequence[MuteRule] = (),
) -> dict[str, tuple[Brief, datetime]]:
    """
    Return by thread a brief of its newest story, and when its last report was published.

    Only stored reports from before `before` count, and only those that `outlets` have or link, unless it is None, and
    not those of outlets that one of `mute_rules` mutes as a whole. With the phrases `only`, a thread has one of them in
    a report.
    """
    outlet_rules = [rule for rule in mute_rules if rule.is_of_outlets_alone]
    brief_of_thread: dict[str, tuple[Brief, datetime]] = {}
    for thread in {row.thread: None for _, _, row in load_followed(connection)}:
        rows = store.thread_rows(connection, thread)[-MAX_STORIES:]
        home = {member.article_id: row for row in rows for member in story_rows.story_members(connection, row.id)}
        stored = (
            each for each in articles_by_id(connection, home).values() if each.title and each.published_at < before
        )
        reports = [
            each
            for each in stored
            if (outlets is None or {each.outlet, each.via} & {*outlets}) and not find_mute_rule(outlet_rules, each)
        ]
        if not reports or (only and not matching_phrases(only, reports)):
            continue
        latest = max(reports, key=lambda each: (each.published_at, each.id))
        story = home[latest.id]
        named = (
            report for report in reports if home[report.id] is story and story.title and story.title in report.title
        )
        shown = next(named, latest)  # the report with the headline that the reader knows
        brief = Brief(
            id=story.id,
            title=story.title if story.title and story.title in shown.title else shown.title,
            **{name: getattr(shown, name) for name in ("url", "outlet", "language")},
            outlets=1,
            independent=1,
            article_ids=(shown.id,),
            thread=thread,
            status="quiet",
        )
        brief_of_thread[thread] = brief, latest.published_at
    return brief_of_thread
