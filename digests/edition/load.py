"""Loads the data that an edition is made from, in one read transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from digests.analysis.corrections import Citation, collect_citations
from digests.analysis.gazetteer import LEAD_CHARS
from digests.analysis.preferences import LEAD_CHARS as PHRASE_CHARS
from digests.analysis.select import LoadFullTexts
from digests.model import Edition, Story
from digests.settings.digests import DigestSettings
from digests.store import editions
from watcher.model import Article, Revision
from watcher.store.articles import article_leads_between, articles_by_id, decompress
from watcher.store.feeds import FeedState, feed_states
from watcher.store.pages import revisions_between
from watcher.store.stats import IntakeCounts, count_intake

LOOKBACK = timedelta(days=2)  # before the window: articles that the reader may know
REVISIONS_BACK = timedelta(days=10)  # before the window: revisions of pages that remembered editions cited
REMEMBERED_EDITIONS = 7  # in which a story is known to have been seen
TEXT_LEAD_CHARS = max(LEAD_CHARS, PHRASE_CHARS)  # of a text: enough to choose, rank and classify stories


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRequest:
    """Which edition to build, and what to do with it."""

    local_date: date
    window_start: datetime
    window_end: datetime
    slot: str | None  # distinguishes the editions of one date in the store; None for one that is not stored
    due_at: datetime | None = None  # when a scheduled edition was due
    is_exact: bool = False  # the reader chose the window: no earlier article is used
    folder: Path | None = None  # where to write its files; None for no files
    suffix: str = ""  # follows the date in the names of its files, if the date has another edition
    deliver: bool = False  # whether to put its messages into the outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionInputs:
    """The data that an edition is composed of: one state of the store. Mappings are by article id."""

    digest: DigestSettings
    request: EditionRequest
    now: datetime
    number: int
    stories: tuple[Story, ...]
    feeds: tuple[FeedState, ...]
    articles: tuple[Article, ...]  # of the window and the days before it, with the first `TEXT_LEAD_CHARS` of each text
    texts: Mapping[str, bytes]  # compressed full texts of the longer articles; most are never decompressed
    revisions: Mapping[str, tuple[Revision, ...]]  # later versions of pages, the earliest first
    seen: tuple[Edition, ...]  # the last editions that reached the reader, the latest first
    cited: Mapping[str, Article]  # of these editions' stories, with full texts
    citations: Mapping[str, Citation]  # what these editions cited of articles whose pages have changed
    corrected: Mapping[str, Article]  # those articles, with full texts
    covered_until: datetime | None  # by earlier editions; None if no late article may be used
    counts: IntakeCounts


def load(
    connection: Connection, digest: DigestSettings, request: EditionRequest, stories: Sequence[Story], *, now: datetime
) -> EditionInputs:
    """Return the inputs of the edition; run it in one read transaction."""
    start, end = request.window_start, request.window_end
    feeds = tuple(state for state in feed_states(connection) if matches_source_filter(state, digest.sources))
    feed_ids = [state.feed.id for state in feeds] if digest.sources else None
    articles, texts = article_leads_between(
        connection, start=start - LOOKBACK, end=end, feed_ids=feed_ids, chars=TEXT_LEAD_CHARS
    )
    revisions = revisions_between(connection, start=start - REVISIONS_BACK, end=end)
    before = request.local_date
    seen = editions.recent_editions(connection, digest.name, before=before, most=REMEMBERED_EDITIONS, delivered=True)
    cited_ids = [key for edition in seen for story in edition.stories for key in story.article_ids]
    changed = {key: cited for key, cited in collect_citations(seen).items() if key in revisions}
    return EditionInputs(
        digest=digest,
        request=request,
        now=now,
        number=editions.next_number(connection, digest.name, local_date=request.local_date),
        stories=tuple(stories),
        feeds=feeds,
        articles=articles,
        texts=texts,
        revisions=revisions,
        seen=seen,
        cited=articles_by_id(connection, cited_ids),
        citations=changed,
        corrected=articles_by_id(connection, changed),
        covered_until=None
        if request.is_exact
        else editions.covered_up_to(connection, digest.name, by=end, window=digest.window, before=request.local_date),
        counts=count_intake(connection, start=start, end=end, feed_ids=feed_ids),
    )


def matches_source_filter(state: FeedState, words: tuple[str, ...]) -> bool:
    """Whether `words` has the name or a tag of a source; True if it is empty."""
    source = state.feed.source
    return not words or source.name in words or any(tag in words for tag in source.tags)


def text_loader(
    leads: Mapping[str, Article],
    compressed: Mapping[str, bytes],
    revised: Mapping[str, str],
    complete: Mapping[str, Article],
) -> LoadFullTexts:
    """
    Return a function that returns articles by id with full texts, which it decompresses on demand.

    `leads` have the first `TEXT_LEAD_CHARS` of their texts, `compressed` the full texts of the longer ones, `revised`
    those that replace them. Articles that are `complete` already go first.
    """

    def with_whole_text(article: Article) -> Article:
        if article.id in revised:
            return replace(article, text=revised[article.id])
        if article.id in compressed:
            return replace(article, text=decompress(compressed[article.id]))
        return article

    return lambda ids: {key: complete.get(key) or with_whole_text(leads[key]) for key in ids}
