"""Loads what an edition is made of in one transaction: articles, earlier editions, the state of the feeds."""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain

from sqlalchemy import Connection

from digests.analysis.corrections import apply_revisions, changed_pages, collect_citations, find_corrections
from digests.analysis.notices import withhold_reports
from digests.analysis.preferences import PHRASE_LEAD_CHARS, active_mute_rules
from digests.analysis.select import Cause, LoadFullTexts, count_left_out, leave_out_apart, select_articles
from digests.analysis.story_countries import LEAD_CHARS
from digests.analysis.story_coverage import with_owners
from digests.cluster.neighbours import find_neighbours
from digests.cluster.stories import separate_parts
from digests.compose.context import ComposeContext, EditionInputs
from digests.edition.schedule import NOT_LATE, EditionRequest, usual_length
from digests.model.edition import Correction, Edition
from digests.model.edition_story import Brief
from digests.model.ledger import FailingSource, Intake, LeftOut, LeftOutKind
from digests.model.story import Story
from digests.settings.digests import DigestSettings
from digests.store import editions
from digests.store.maintenance import load_owners
from digests.store.stories import story_starts
from digests.stories.follows import followed_threads
from digests.stories.window import GroupedStories
from watcher.failure_messages import HealthKind, Reason
from watcher.feeds.health import Health, feed_health, find_paused, is_read_up_to
from watcher.model import Article, Feed, Revision
from watcher.store.articles import article_leads_between, articles_by_id, decompress
from watcher.store.feeds import FeedState, feed_states
from watcher.store.outages import load_polling_stop, network_down_since
from watcher.store.pages import revisions_between
from watcher.store.stats import count_intake, feeds_with_waiting_pages
from watcher.text.page_kind import COUNTED_OPINION, OPINION
from watcher.text.urls import host_of

LATE_ARTICLES = timedelta(days=1)  # before the window: articles too late for the last edition are in this one
LOOKBACK = timedelta(days=2)  # before the window: articles that the reader may know
REVISIONS_BACK = timedelta(days=10)  # before the window: revisions of pages that remembered editions cited
REMEMBERED_DATES = 7  # with editions, in which a story is known to have been seen
MAX_OTHER_EDITIONS = 50  # editions of other digests whose citations a weekly one checks for corrections
MAX_UNPACKED = 2_048  # full texts that are kept, some 10 MB
TEXT_LEAD_CHARS = max(LEAD_CHARS, PHRASE_LEAD_CHARS)  # of a text: enough to choose, rank and classify stories


def load_edition_inputs(
    connection: Connection, digest: DigestSettings, request: EditionRequest, grouped: GroupedStories, *, now: datetime
) -> EditionInputs:
    """Return what the requested edition of `grouped` stories is made of."""
    feeds = _load_feeds(connection, digest)
    loaded = load_window(connection, digest, request, feeds)
    followed = _load_followed(connection, digest, request, feeds)
    chosen, left_out, apart = _choose_articles(digest, request, loaded, feeds, grouped.stories, followed)
    owners = load_owners(connection, {article.outlet for article in chosen})
    articles = {article.id: article for article in with_owners(chosen, owners)}
    # A story is as old as its own first article, not as its running story: the dead of today are no "Day 3" of a war.
    starts = story_starts(connection, {story.id for story in grouped.stories})
    parted = separate_parts(grouped.stories, grouped.parts, articles)
    stories = tuple(replace(story, began_at=starts.get(story.id)) for story in parted)
    articles, notices = withhold_reports(stories, articles, changed_pages(loaded.revisions))
    context = _load_context(connection, digest, request, loaded, articles, feeds, grouped, followed)
    neighbours = find_neighbours(stories, grouped.scores, {key: each.outlet for key, each in articles.items()})
    return EditionInputs(
        stories=stories,
        context=replace(context, notices=notices, neighbours=neighbours),
        intake=_measure_intake(
            connection,
            digest,
            request,
            feeds,
            (*count_left_out(left_out.values()), *count_left_out(apart.values())),
            withdrawn=loaded.withdrawn,
            late_articles=len(loaded.late),
            now=now,
        ),
        number=request.number or editions.next_number(connection, digest.name, now=now),
        at=request.at,
        made_at=now,
        corrections=load_corrections(connection, context, loaded.revisions),
    )


def load_excluded_articles(
    connection: Connection, digest: DigestSettings, request: EditionRequest, grouped: GroupedStories
) -> list[tuple[Article, Cause]]:
    """Return the articles of the window and of `LOOKBACK` before it that take no part in the edition, by time."""
    feeds = _load_feeds(connection, digest)
    loaded = load_window(connection, digest, request, feeds)
    followed = _load_followed(connection, digest, request, feeds)
    _, left_out, apart = _choose_articles(digest, request, loaded, feeds, grouped.stories, followed)
    return [(loaded.articles[key], cause) for key, cause in (left_out | apart).items()]


def _load_followed(
    connection: Connection, digest: DigestSettings, request: EditionRequest, feeds: Sequence[FeedState]
) -> Mapping[str, tuple[Brief, datetime]]:
    """Return the threads that the reader follows, as in `ComposeContext`."""
    outlets = {state.feed.source.name for state in feeds} if digest.sources else None
    rules = active_mute_rules(digest.mute, [state.feed.source for state in feeds], day=request.local_date)
    return followed_threads(connection, before=request.window_end, outlets=outlets, only=digest.only, mute_rules=rules)


def _load_feeds(connection: Connection, digest: DigestSettings) -> list[FeedState]:
    """Return the feeds of a digest: those of the sources that it names by name or tag, else all."""
    wanted = set(digest.sources)
    states = ((state, state.feed.source) for state in feed_states(connection, counted=False))
    return [state for state, source in states if not wanted or wanted.intersection((source.name, *source.tags))]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedArticles:
    """
    The articles of a window and of `LOOKBACK` before it by id, as the revisions of their pages left them.

    They have the beginnings of their texts, except those with a revision.
    """

    start: datetime  # of the window
    articles: Mapping[str, Article]
    texts: Mapping[str, bytes]  # packed full texts of those with a beginning only
    revisions: Mapping[str, tuple[Revision, ...]]
    late: Collection[str]  # of articles from before the window that are used (`_find_late_articles`)
    withdrawn: int  # articles of the window whose page is gone

    @property
    def candidates(self) -> list[Article]:
        """The articles that may be in the edition."""
        return [
            article for key, article in self.articles.items() if article.published_at >= self.start or key in self.late
        ]

    @property
    def earlier(self) -> dict[str, Article]:
        """The articles that the reader may know."""
        candidate_ids = {article.id for article in self.candidates}
        return {key: article for key, article in self.articles.items() if key not in candidate_ids}


def load_window(
    connection: Connection, digest: DigestSettings, request: EditionRequest, feeds: Sequence[FeedState]
) -> LoadedArticles:
    """Load the articles of an edition's window, and those before it that its stories may go back to."""
    start, end = request.window_start, request.window_end
    feed_ids = [state.feed.id for state in feeds] if digest.sources else None
    stored, texts = article_leads_between(
        connection, start=start - LOOKBACK, end=end, feed_ids=feed_ids, chars=TEXT_LEAD_CHARS
    )
    revisions = revisions_between(connection, start=start - REVISIONS_BACK, end=end)
    articles = {article.id: article for article in apply_revisions(stored, revisions)}
    if digest.opinion == "count":
        of_opinion = (article for article in articles.values() if article.kind == OPINION)
        articles |= {article.id: replace(article, kind=COUNTED_OPINION) for article in of_opinion}
    before = sum(article.published_at >= start for article in stored)
    return LoadedArticles(
        start=start,
        articles=articles,
        texts={key: text for key, text in texts.items() if key not in revisions},
        revisions=revisions,
        late=_find_late_articles(connection, digest, request, articles.values()),
        withdrawn=before - sum(article.published_at >= start for article in articles.values()),
    )


def _choose_articles(
    digest: DigestSettings,
    request: EditionRequest,
    loaded: LoadedArticles,
    feeds: Sequence[FeedState],
    stories: Sequence[Story],
    followed: Container[str],
) -> tuple[tuple[Article, ...], dict[str, Cause], dict[str, Cause]]:
    """
    Return the articles that take part in the edition, and by id why others do not.

    The last of the three are opinion pieces and galleries on whose story there is no report.
    """
    sources = [state.feed.source for state in feeds]
    of_followed = (story.articles for story in stories if story.thread in followed)
    chosen, left_out = select_articles(
        loaded.candidates,
        start=request.window_start - LATE_ARTICLES,
        end=request.window_end,
        mute_rules=active_mute_rules(digest.mute, sources, day=request.local_date),
        followed=frozenset(chain.from_iterable(of_followed)),
        languages=[tag.split("-")[0] for tag in digest.languages],
        load_full_texts=_text_loader(loaded.articles, loaded.texts),
        omits_opinion=digest.opinion == "leave-out",
    )
    chosen, apart = leave_out_apart(chosen, stories)
    return chosen, left_out, apart


def _load_context(
    connection: Connection,
    digest: DigestSettings,
    request: EditionRequest,
    loaded: LoadedArticles,
    articles: Mapping[str, Article],
    feeds: Sequence[FeedState],
    grouped: GroupedStories,
    followed: Mapping[str, tuple[Brief, datetime]],
) -> ComposeContext:
    """Return what all stories of the edition share; `articles` are those that take part in it."""
    seen = editions.recent_editions(
        connection,
        digest.name,
        before=request.local_date,
        until=request.window_end if request.is_scheduled else None,
        limit=REMEMBERED_DATES,
        delivered=True,
    )
    cited = articles_by_id(connection, _cited_by_stories(seen))  # with full texts
    earlier = loaded.earlier | cited
    texts = {key: text for key, text in loaded.texts.items() if key in articles or key not in cited}
    sources = [state.feed.source for state in feeds]
    return ComposeContext(
        digest=digest,
        articles=articles,
        local_date=request.local_date,
        window_start=request.window_start,
        window_end=request.window_end,
        earlier_articles=earlier,
        earlier_editions=seen,
        owner_kinds={source.name: source.owner_kind for source in sources if source.owner_kind},
        outlets_read=_find_outlets_read(
            [state.feed for state in feeds],
            articles.values(),
            waiting=feeds_with_waiting_pages(connection, start=request.window_start, end=request.window_end),
            end=request.window_end,
        ),
        items=grouped.items,
        followed=followed,
        load_full_texts=_text_loader({**earlier, **articles}, texts),
    )


def _cited_by_stories(seen: Iterable[Edition]) -> list[str]:
    return [key for edition in seen for story in edition.stories for key in story.article_ids]


def load_corrections(
    connection: Connection, context: ComposeContext, revisions: Mapping[str, tuple[Revision, ...]]
) -> tuple[Correction, ...]:
    """Return what outlets have corrected in reports that the digest's earlier editions cited."""
    digest, seen_editions = context.digest, context.earlier_editions
    if digest.kind == "week":  # its reader has read the other digests
        seen_editions += editions.editions_of_others(
            connection, digest.name, start=context.window_start, end=context.window_end, limit=MAX_OTHER_EDITIONS
        )
    citations = {key: citation for key, citation in collect_citations(seen_editions).items() if key in revisions}
    since = context.previous.window_end if context.previous else context.window_start
    return find_corrections(citations, articles_by_id(connection, citations), revisions, since=since)


def _text_loader(articles: Mapping[str, Article], compressed: Mapping[str, bytes]) -> LoadFullTexts:
    """Return a function that returns articles by id with full texts; it unpacks those in `compressed` on demand."""

    @lru_cache(MAX_UNPACKED)  # the articles of a story are asked for again and again
    def with_full_text(key: str) -> Article:
        packed = compressed.get(key)
        return replace(articles[key], text=decompress(packed)) if packed is not None else articles[key]

    return lambda ids: {key: with_full_text(key) for key in ids}


def _find_late_articles(
    connection: Connection, digest: DigestSettings, request: EditionRequest, articles: Iterable[Article]
) -> set[str]:
    """Return the ids of the articles from before the window that came after the time that earlier editions covered."""
    start, covered = request.window_start, None
    if not request.is_exact:
        window, day = (None, None) if request.is_scheduled else (digest.window, request.local_date)
        covered = editions.covered_up_to(connection, digest.name, by=request.window_end, window=window, before=day)
    if covered is None:
        return set()
    before = (article for article in articles if start - LATE_ARTICLES <= article.published_at < start)
    return {article.id for article in before if article.fetched_at >= max(covered, start)}


def _find_outlets_read(
    feeds: Collection[Feed], articles: Iterable[Article], *, waiting: Set[int], end: datetime
) -> frozenset[str]:
    """
    Return the outlets whose feeds were all read up to `end`, and those of which articles were imported.

    The feeds `waiting` have listed pages that are not fetched yet: an article among them may be a report. A feed that
    has paused may be an old copy, which says nothing of what the outlet reports.

    Of an outlet that is no source, only what others link is known: nothing says what it does not report.
    """
    outlets = {article.outlet for article in articles if article.via is None}
    unread = {
        feed.source.name
        for feed in feeds
        if feed.id in waiting
        or (not is_read_up_to(feed, end) and (feed.last_polled_at is not None or feed.source.name not in outlets))
    }
    return frozenset(outlets.union(feed.source.name for feed in feeds) - unread - find_paused(feeds, end))


def _measure_intake(
    connection: Connection,
    digest: DigestSettings,
    request: EditionRequest,
    feeds: Sequence[FeedState],
    left_out: Sequence[LeftOut],
    *,
    withdrawn: int,
    late_articles: int,
    now: datetime,
) -> Intake:
    """
    Return the counts of entries, articles and sources for the ledger.

    `left_out` counts articles of the window that are not used; `withdrawn` is the number of the window's articles whose
    page is gone, and `late_articles` that of articles used although they were published before the window.
    """
    start, end = request.window_start, request.window_end
    feed_ids = [state.feed.id for state in feeds] if digest.sources else None
    counts = count_intake(connection, start=start, end=end, feed_ids=feed_ids)
    down, stop = network_down_since(connection), load_polling_stop(connection)
    if stop is not None and stop.since >= end:
        stop = None
    healths = [
        (state, feed_health(state.feed, reason=state.reason, held_until=state.blocked_until, now=now))
        for state in feeds
    ]
    failing = _find_failing(healths)
    unread = sum(
        health.is_ok and (state.feed.last_read_at is None or state.feed.last_read_at < start)
        for state, health in healths
    )
    rows = (
        LeftOut(kind=LeftOutKind.DUPLICATE_ENTRY, count=counts.duplicates),
        LeftOut(kind=LeftOutKind.OUT_OF_WINDOW, count=counts.out_of_window - late_articles),
        *left_out,
        LeftOut(kind=LeftOutKind.WITHDRAWN, count=withdrawn),
        *(LeftOut(kind=LeftOutKind.PAGE_FAILED, count=n, reason=reason) for reason, n in counts.failed),
        LeftOut(kind=LeftOutKind.PAGE_WAITING, count=counts.waiting),
        LeftOut(kind=LeftOutKind.NO_ARTICLE, count=counts.without_article),
    )
    late = now - request.due_at if request.due_at is not None else timedelta()
    usual = usual_length(digest, request.due_at or end) if request.is_scheduled else digest.window
    return Intake(
        entries_seen=counts.entries,
        left_out=tuple(row for row in rows if row.count > 0),
        sources_total=len(feeds),
        sources_ok=len(feeds) - unread - len(failing),
        sources_unread=unread,
        failing=failing,
        paused=tuple(sorted(find_paused((state.feed for state, health in healths if health.is_ok), end))),
        network_down_since=down if down is not None and down < end else None,
        polling_stopped_since=stop.since if stop else None,
        polling_stop_reason=stop.reason if stop else None,
        late_articles=late_articles,
        late_s=late.total_seconds() if late > NOT_LATE else 0.0,
        longer_window=not request.is_exact and end - start > usual + NOT_LATE,
    )


def _find_failing(healths: Sequence[tuple[FeedState, Health]]) -> tuple[FailingSource, ...]:
    """Return the sources whose feed is not well, each with the reason; of two feeds of one name the host is said."""
    names = Counter(state.feed.source.name for state, _ in healths)
    heard = {state.feed.source.name for state, health in healths if health.is_ok}
    failing = []
    for state, health in healths:
        source = state.feed.source
        is_empty = isinstance(health.reason, Reason) and health.reason.kind == HealthKind.NEVER_AN_ENTRY
        if health.is_ok or (is_empty and source.name in heard):  # nothing is missing of such an outlet
            continue
        # Of two feeds of one name, the other may be read well.
        name = source.name if names[source.name] == 1 else f"{source.name}, {host_of(source.url)}"
        failing.append(FailingSource(name=name, reason=health.reason))
    return tuple(failing)
