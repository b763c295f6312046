"""Verifies an edition with what the store has: articles, groups, owners, translations and earlier editions."""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import Connection

from digests.edition.load import REMEMBERED_DATES
from digests.edition.verify import Evidence, Fault, find_impossible_times, verify
from digests.model.edition import Edition
from digests.model.edition_story import EditionStory
from digests.store.editions import cited_ids, known_translations, recent_editions
from digests.store.maintenance import load_owners
from digests.store.stories import times_of_threads
from digests.store.story_rows import load_members
from digests.summarise.checks import translations_of
from watcher.store.articles import articles_by_id, known_times
from watcher.store.pages import revisions_of


def verify_with_store(connection: Connection, edition: Edition, *, is_original: bool) -> tuple[Fault, ...]:
    """Return the faults of an edition; `is_original` is explained in `Evidence`."""
    if faults := find_impossible_times(edition):
        return faults
    ids = cited_ids(edition)
    articles = articles_by_id(connection, ids)
    began = {story.first_seen_at for story in edition.stories}
    threads = {story.thread for story in edition.stories if story.thread}

    @cache
    def load_earlier() -> Mapping[str, EditionStory]:
        known = recent_editions(
            connection, edition.digest, before=edition.local_date, until=edition.window_end, limit=REMEMBERED_DATES
        )
        return {story.id: story for earlier in reversed(known) for story in earlier.stories}

    evidence = Evidence(
        reports={key: (member.report, member.agency) for key, member in load_members(connection, ids).items()},
        owners=load_owners(connection, {article.outlet for article in articles.values()}),
        began_at=known_times(connection, began) | times_of_threads(connection, threads),
        translations=known_translations(connection, {sentence.text for sentence in translations_of(edition)}),
        load_earlier=load_earlier,
        is_original=is_original,
    )
    return verify(edition, articles, revisions_of(connection, ids), evidence)
