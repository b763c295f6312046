"""One edition, in order: claim, group, compose, hand over, keep. The shell of the digest; each step has a room."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from digests.analysis import corrections
from digests.analysis.corrections import apply_revisions, pages_to_recheck
from digests.analysis.gazetteer import LEAD_CHARS, countries
from digests.analysis.preferences import LEAD_CHARS as WORDS_IN
from digests.analysis.preferences import Preferences, SectionRule
from digests.analysis.select import select
from digests.compose.edition import DigestOptions, compose_edition
from digests.compose.ledger import LedgerInput
from digests.compose.rank import rank
from digests.edition.schedule import NOT_LATE, window_of
from digests.model import Correction, Edition, FailingSource, Parcel, Story
from digests.store import editions, outbox
from digests.store.maintenance import with_owners
from digests.stories.window import cluster_and_save, cluster_preview
from watcher.errors import StoreError
from watcher.feeds.health import health
from watcher.model import Article, Revision
from watcher.store.articles import articles_between, articles_by_id, texts_by_id
from watcher.store.feeds import FeedState, feed_states
from watcher.store.pages import count_waiting, failed_page_counts, revisions_between, schedule_rechecks
from watcher.store.stats import count_duplicate_entries, count_entries, count_out_of_window
from watcher.store.writer import read, write, write_patiently

if TYPE_CHECKING:
    from digests.settings.digests import DigestSettings

PATIENCE_S = 180.0  # for a store that cannot be written just now: an edition that is made is not thrown away


def edition_window(
    engine: Engine, digest: DigestSettings, *, end: datetime, length: timedelta | None = None
) -> tuple[datetime, datetime]:
    """Return the window of an edition: `length` if the reader says so, else the digest's, longer after a gap."""
    if length is not None:
        return end - length, end
    covered = read(engine, editions.covered_up_to, digest.name, by=end, window=digest.window)
    return window_of(end, digest.window, previous_end=covered)


def make_edition(
    engine: Engine,
    digest: DigestSettings,
    order: EditionRequest,
    *,
    now: datetime,
    hand_over: Callable[[Edition], object] = lambda edition: None,
    pack: Callable[[Edition], Sequence[Parcel]] = lambda edition: (),
    held_for: timedelta | None = None,
) -> Edition | None:
    """
    Make the edition that `order` asks for, and keep it; None if it is made, or being made, by somebody else.

    Args:
        hand_over: Writes the edition's files. It comes before the edition counts as made: after a crash between
            the two, the edition is made again and its files written over.
        pack: Returns what is to be delivered. It goes into the outbox in the transaction that keeps the edition.
        held_for: How long the claim of another process stands; None: as long as an edition may take.

    Errors: StoreError, and what `hand_over` and `pack` raise.
    """
    number = read(engine, editions.next_number, digest.name, local_date=order.local_date)
    slot = order.slot
    window = (order.window_start, order.window_end)
    if slot is None:
        stories = cluster_and_save(engine, start=window[0], end=window[1], now=now)
        edition = build_edition(engine, digest, order, stories, number=number, now=now)
        hand_over(edition)
        return edition

    def claimed(connection: Connection) -> bool:
        return editions.claim(
            connection,
            digest.name,
            local_date=order.local_date,
            slot=slot,
            number=number,
            window=window,
            now=now,
            held_for=held_for,
        )

    if not write(engine, claimed):
        return None
    try:
        stories = cluster_and_save(engine, start=window[0], end=window[1], now=now)
        edition = build_edition(engine, digest, order, stories, number=number, now=now)
        hand_over(edition)
        parcels = pack(edition)
        kept = write_patiently(engine, PATIENCE_S, save_edition, edition, slot, parcels, now=now)
    except BaseException as error:
        release_claim(engine, digest, order, slot, error)
        raise
    return edition if kept else None


def release_claim(
    engine: Engine, digest: DigestSettings, order: EditionRequest, slot: str, error: BaseException
) -> None:
    """Let others make the edition that an error has ended; where the store cannot be written, the claim runs out."""
    patience_s = PATIENCE_S if isinstance(error, StoreError) and error.passing else 0.0
    with suppress(StoreError):
        write_patiently(engine, patience_s, editions.release_claim, digest.name, local_date=order.local_date, slot=slot)


def build_edition(
    engine: Engine,
    digest: DigestSettings,
    order: EditionRequest,
    stories: Sequence[Story],
    *,
    number: int,
    now: datetime,
) -> Edition:
    """Return the edition of `stories`, written by a model where the settings name one."""
    edition = read(engine, load_and_compose, digest, order, stories, number=number, now=now)
    if digest.prose is None:
        return edition
    from digests.edition.llm_summary import add_llm_summaries  # late: it brings an HTTP client

    return add_llm_summaries(engine, edition, stories, digest.prose)


def preview_edition(engine: Engine, digest: DigestSettings, order: EditionRequest, *, now: datetime) -> Edition:
    """Return the edition that `make_edition` would make now; nothing is written. Errors: StoreError."""
    number = read(engine, editions.next_number, digest.name, local_date=order.local_date)
    stories = cluster_preview(engine, start=order.window_start, end=order.window_end)
    return read(engine, load_and_compose, digest, order, stories, number=number, now=now)


def save_edition(
    connection: Connection, edition: Edition, slot: str, parcels: Sequence[Parcel], *, now: datetime
) -> bool:
    """
    Keep an edition and what is owed of it to its readers, and have the pages that it cites looked at again.

    False if somebody else has made it.
    """
    if not editions.save_edition(connection, edition, slot=slot):
        return False
    place = outbox.EditionKey(digest=edition.digest, local_date=edition.local_date, slot=slot)
    outbox.enqueue(connection, place, parcels, now=now)
    schedule_rechecks(connection, pages_to_recheck(edition), now=now)
    return True


LOOKBACK = timedelta(days=2)  # before the window: what the reader may know of a story
LATE = timedelta(days=1)  # before the window: what came in too late for the last edition is in this one
REMEMBERED = 7  # editions in which a story that comes back was seen
BEGINNING = max(LEAD_CHARS, WORDS_IN)  # characters of a text by which stories are chosen, ranked and filed
REVISED = timedelta(days=10)  # before the window: what pages have said since the remembered editions cited them


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRequest:
    """Which edition is wanted. `slot` is its place in the store; None keeps it out of the store."""

    local_date: date
    window_start: datetime
    window_end: datetime
    slot: str | None
    due_at: datetime | None = None  # for an edition of the clock: when it should have been made
    is_exact: bool = False  # the reader chose how far back it looks: nothing from before


def load_and_compose(
    connection: Connection,
    digest: DigestSettings,
    order: EditionRequest,
    stories: Sequence[Story],
    *,
    number: int,
    now: datetime,
) -> Edition:
    """Return the edition of `stories` as one state of the store gives it; the same state gives the same edition."""
    start, end = order.window_start, order.window_end
    states = [state for state in feed_states(connection) if matches_source_filter(state, digest.sources)]
    feed_ids = [state.feed.id for state in states] if digest.sources else None
    found = articles_between(connection, start=start - LOOKBACK, end=end, feed_ids=feed_ids, chars=BEGINNING)
    revisions = revisions_between(connection, start=start - REVISED, end=end)
    originals = found
    found = apply_revisions(originals, revisions)
    texts = LazyTexts(connection, found, revisions.keys())
    found = tuple(truncate_text(article) for article in found)
    missed = partial(arrived_late, order=order, seen_until=seen_until(connection, digest, order))
    inside = [article for article in found if article.published_at >= start or missed(article)]
    wishes = preferences(digest)
    withdrawn = withdrawn_count(originals, found, since=start)
    chosen = select(
        inside, start=start - LATE, end=end, mute=wishes.mute, languages=wishes.languages, whole=texts.whole
    )
    taken = {article.id for article in inside}
    before = [article for article in found if article.id not in taken]
    seen = editions.seen_editions(connection, digest.name, before=order.local_date, most=REMEMBERED)
    previous = next(iter(seen), None)
    articles = {article.id: article for article in with_owners(chosen.articles, owners_of(states))}
    told = cited_articles(connection, seen)
    texts.known = {article.id: article for article in before} | articles
    texts.told = {key: article for key, article in told.items() if key not in articles}
    ranked = rank(
        stories,
        articles,
        now=end,
        previous=previous,
        language=digest.language,
        wishes=wishes,
        about=partial(countries, articles=articles),
    )
    return compose_edition(
        shape=digest_options(digest),
        ranked=ranked,
        articles=articles,
        intake=ledger_input(
            connection,
            states,
            (*chosen.left_out, *withdrawn),
            sum(article.published_at < start for article in inside),
            order,
            digest,
            now=now,
        ),
        previous=previous,
        seen=seen,
        number=number,
        local_date=order.local_date,
        window_start=start,
        window_end=end,
        made_at=now,
        earlier={article.id: article for article in before} | told,
        kinds={
            state.feed.source.name: state.feed.source.owner_kind for state in states if state.feed.source.owner_kind
        },
        corrections=corrections_since(connection, seen, revisions, since=previous.window_end) if previous else (),
        whole=texts.whole,
    )


def withdrawn_count(
    before: Sequence[Article], after: Sequence[Article], *, since: datetime
) -> tuple[tuple[str, int], ...]:
    """Return of how many articles of the window nothing is left once what their outlets say now holds, with words."""
    count = sum(article.published_at >= since for article in before)
    count -= sum(article.published_at >= since for article in after)
    return (("withdrawn by their outlets", count),) if count else ()


def truncate_text(article: Article) -> Article:
    """Return an article with the beginning of its text."""
    return article if len(article.text) <= BEGINNING else replace(article, text=article.text[:BEGINNING])


class LazyTexts:
    """
    Articles with all of their text, read when they are asked for: of a large window most stories are never shown.

    `known` are articles by id with the beginnings of their texts; `told` are those that are at hand as they were cited.
    """

    def __init__(self, connection: Connection, found: Sequence[Article], revisions: Collection[str]) -> None:
        self._connection = connection
        self._revised = {article.id: article.text for article in found if article.id in revisions}
        self.known: Mapping[str, Article] = {article.id: article for article in found}
        self.told: Mapping[str, Article] = {}

    def whole(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return articles in the order of `ids`."""
        wanted = list(ids)
        begun = [key for key in wanted if key not in self.told and len(self.known[key].text) >= BEGINNING]
        texts = texts_by_id(self._connection, begun) | {
            key: self._revised[key] for key in begun if key in self._revised
        }
        return {
            key: self.told.get(key) or (replace(self.known[key], text=texts[key]) if key in texts else self.known[key])
            for key in wanted
        }


def seen_until(connection: Connection, digest: DigestSettings, order: EditionRequest) -> datetime | None:
    """Return when the last edition stopped to look; None if there is none, or the reader chose the window."""
    if order.is_exact:
        return None
    day, end = order.local_date, order.window_end
    return editions.covered_up_to(connection, digest.name, by=end, window=digest.window, before=day)


def arrived_late(article: Article, *, order: EditionRequest, seen_until: datetime | None) -> bool:
    """Whether an article was published before the window, but came in when the last edition had stopped to look."""
    start = order.window_start
    if seen_until is None or not start - LATE <= article.published_at < start:
        return False
    return article.fetched_at >= max(seen_until, start)


def matches_source_filter(state: FeedState, words: tuple[str, ...]) -> bool:
    """Whether a source takes part in a digest that names its sources by name or tag."""
    source = state.feed.source
    return not words or source.name in words or any(tag in words for tag in source.tags)


def owners_of(states: Iterable[FeedState]) -> dict[str, str | None]:
    """Return the owners that the settings declare now, by the outlet's name."""
    owners: dict[str, str | None] = {}
    for state in states:
        source = state.feed.source
        owners[source.name] = owners.get(source.name) or source.owner
    return owners


def corrections_since(
    connection: Connection,
    seen: Sequence[Edition],
    revisions: Mapping[str, Sequence[Revision]],
    *,
    since: datetime,
) -> tuple[Correction, ...]:
    """Return what outlets have changed since a time in reports that the last editions cited."""
    citations = corrections.citations(seen)
    articles = articles_by_id(connection, citations.keys() & revisions.keys())
    return corrections.find_corrections(citations, articles, revisions, since=since)


def cited_articles(connection: Connection, seen: Sequence[Edition]) -> dict[str, Article]:
    """Return the articles that the last editions told of: what their reader knows."""
    return articles_by_id(connection, [key for each in seen for story in each.stories for key in story.article_ids])


def digest_options(digest: DigestSettings) -> DigestOptions:
    """Return what the settings say of a digest's editions."""
    return DigestOptions(
        name=digest.name,
        title=digest.title,
        language=digest.language,
        timezone=digest.timezone,
        stories=digest.stories,
        briefs=digest.briefs,
        sections=digest.sections,
        note=digest.note,
        wishes=preferences(digest),
    )


def preferences(digest: DigestSettings) -> Preferences:
    """Return what the settings choose for a digest."""
    weights = digest.weights
    return Preferences(
        must=digest.must,
        watch=digest.watch,
        mute=digest.mute,
        languages=tuple(tag.split("-")[0] for tag in digest.languages),
        regions=digest.regions,
        rules=tuple(
            SectionRule(section=rule.section, words=rule.words, countries=rule.countries, sources=rule.sources)
            for rule in digest.section_rules
        ),
        words=tuple(weights.words.items()),
        countries=tuple(weights.countries.items()),
        sections=tuple(weights.sections.items()),
        sources=tuple(weights.sources.items()),
    )


def ledger_input(
    connection: Connection,
    states: list[FeedState],
    left_out: tuple[tuple[str, int], ...],
    late_news: int,
    order: EditionRequest,
    digest: DigestSettings,
    *,
    now: datetime,
) -> LedgerInput:
    """
    Return what came in and what did not, for the ledger.

    Args:
        left_out: Articles of the window that take no part, by reason.
        late_news: Articles that take part though they were published before the window.
    """
    start, end = order.window_start, order.window_end
    told = [
        (state, health(state.feed, reason=state.reason, failure=state.failure, held_until=state.held_until, now=now))
        for state in states
    ]
    feed_ids = [state.feed.id for state in states] if digest.sources else None
    lost = failed_page_counts(connection, start=start, end=end, feed_ids=feed_ids)
    missed = [(f"pages not to be had: {reason}", n) for reason, n in lost]
    missed.append(("pages still to be had", count_waiting(connection, start=start, end=end, feed_ids=feed_ids)))
    repeats = count_duplicate_entries(connection, start=start, end=end, feed_ids=feed_ids)
    older = count_out_of_window(connection, start=start, end=end, feed_ids=feed_ids) - late_news
    before = (("further entries of the same articles", repeats), ("published outside the window", older))
    late = now - order.due_at if order.due_at is not None else timedelta()
    return LedgerInput(
        entries_seen=count_entries(connection, start=start, end=end, feed_ids=feed_ids),
        left_out=tuple((why, n) for why, n in (*before, *left_out, *missed) if n > 0),
        sources_total=len(states),
        sources_ok=sum(state.is_ok for _, state in told),
        failing=tuple(
            FailingSource(name=state.feed.source.name, why=words.why) for state, words in told if not words.is_ok
        ),
        late_s=late.total_seconds() if late > NOT_LATE else 0.0,
        longer_window=not order.is_exact and end - start > digest.window + NOT_LATE,
    )
