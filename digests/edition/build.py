"""Builds one edition, in order: claim it, group its articles, load, compose, publish, save."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine

from digests.analysis.corrections import (
    Citation,
    apply_revisions,
    collect_citations,
    find_corrections,
    pages_to_recheck,
)
from digests.analysis.coverage import with_owners
from digests.analysis.gazetteer import LEAD_CHARS
from digests.analysis.preferences import LEAD_CHARS as PHRASE_CHARS
from digests.analysis.select import LoadFullTexts, select_articles
from digests.cluster.item import ClusterItem
from digests.compose.context import ComposeContext, TextTranslator
from digests.compose.edition import compose_edition
from digests.delivery.file import write_files
from digests.edition.llm_summary import add_llm_summaries
from digests.edition.publish import build_messages, render_files
from digests.edition.schedule import NOT_LATE, window_of
from digests.model import Edition, FailingSource, Intake, LeftOut, LeftOutKind, OutboundMessage, Story
from digests.settings.digests import DigestSettings
from digests.settings.translate import TranslateSettings
from digests.store import editions, outbox
from digests.store.editions import EditionKey
from digests.store.stories import save_headlines
from digests.stories.window import Grouped, cluster_and_save, cluster_preview
from digests.translate.translator import Translator
from watcher.errors import StoreError
from watcher.feeds.health import feed_health, is_read_up_to
from watcher.model import Article, Feed, Revision, Source
from watcher.store.articles import article_leads_between, articles_by_id, decompress
from watcher.store.feeds import FeedState, feed_states
from watcher.store.hosts import network_down_since
from watcher.store.pages import revisions_between, schedule_rechecks
from watcher.store.stats import IntakeCounts, count_intake
from watcher.store.writer import read, write, write_with_retry

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
    translate: TranslateSettings = field(default_factory=TranslateSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionInputs:
    """The data that an edition is composed of: one state of the store. Mappings are by article id."""

    digest: DigestSettings
    request: EditionRequest
    now: datetime
    number: int
    stories: tuple[Story, ...]
    items: Mapping[str, ClusterItem]  # of the window and the days before it
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
    network_down_since: datetime | None


def load(
    connection: Connection, digest: DigestSettings, request: EditionRequest, grouped: Grouped, *, now: datetime
) -> EditionInputs:
    """Return what an edition is made of: articles, changes, ledger, last edition. Run it in one read transaction."""
    start, end = request.window_start, request.window_end
    feeds = tuple(state for state in feed_states(connection) if matches_source_filter(state, digest.sources))
    feed_ids = [state.feed.id for state in feeds] if digest.sources else None
    articles, texts = article_leads_between(
        connection, start=start - LOOKBACK, end=end, feed_ids=feed_ids, chars=TEXT_LEAD_CHARS
    )
    revisions = revisions_between(connection, start=start - REVISIONS_BACK, end=end)
    before = request.local_date
    claimed = EditionKey(digest=digest.name, local_date=before, slot=request.slot) if request.slot else None
    seen = editions.recent_editions(connection, digest.name, before=before, limit=REMEMBERED_EDITIONS, delivered=True)
    cited_ids = [key for edition in seen for story in edition.stories for key in story.article_ids]
    changed = {key: cited for key, cited in collect_citations(seen).items() if key in revisions}
    return EditionInputs(
        digest=digest,
        request=request,
        now=now,
        number=editions.next_number(connection, digest.name, now=now, claimed=claimed),
        stories=grouped[0],
        items=grouped[1],
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
        network_down_since=network_down_since(connection),
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
    full texts that replace these. An article of `complete` has its full text already and is returned as it is.
    """

    def with_whole_text(article: Article) -> Article:
        if article.id in revised:
            return replace(article, text=revised[article.id])
        if article.id in compressed:
            return replace(article, text=decompress(compressed[article.id]))
        return article

    return lambda ids: {key: complete.get(key) or with_whole_text(leads[key]) for key in ids}


LATE_ARTICLES = timedelta(days=1)  # before the window: articles too late for the last edition are in this one
SAVE_PATIENCE_S = 180.0  # how long to retry while the store cannot be written


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEdition:
    """A stored edition, its slot, and the files written for it. `is_new`: it was built now."""

    edition: Edition
    slot: str
    files: tuple[Path, ...] = ()
    is_new: bool = True

    @property
    def key(self) -> EditionKey:
        return EditionKey(digest=self.edition.digest, local_date=self.edition.local_date, slot=self.slot)


def edition_window(
    engine: Engine, digest: DigestSettings, *, end: datetime, length: timedelta | None = None
) -> tuple[datetime, datetime]:
    """Return the window of an edition: `length` if given, else the digest's, longer after a gap (`window_of`)."""
    if length is not None:
        return end - length, end
    covered = read(engine, editions.covered_up_to, digest.name, by=end, window=digest.window)
    return window_of(end, digest.window, previous_end=covered)


def build_edition(
    engine: Engine,
    digest: DigestSettings,
    request: EditionRequest,
    *,
    now: datetime,
    held_for: timedelta | None = None,
) -> BuiltEdition | None:
    """
    Build the requested edition and store it; None if another process has built it, or is building it.

    Its files are written before it is stored: after a crash in between, it is built again and the files are replaced.
    Its messages go into the outbox in the transaction that stores it. `held_for` is how long the claim of another
    process is respected; None for the default (`store.editions.claim`).

    Errors: StoreError; DigestError, if a template or an address is wrong; DeliveryError, if a file cannot be written.
    """
    assert request.slot is not None, "an edition without a slot is not stored: build_unsaved_edition"
    key = EditionKey(digest=digest.name, local_date=request.local_date, slot=request.slot)
    window = (request.window_start, request.window_end)
    if not write(engine, editions.claim, key, window=window, now=now, held_for=held_for):
        return None
    try:
        edition = build_unsaved_edition(engine, digest, request, now=now)
        files: tuple[Path, ...] = ()
        if request.folder is not None:
            forms = render_files(engine, edition, digest, digest.formats, suffix=request.suffix)
            files = write_files(forms, request.folder)
        messages = build_messages(engine, edition, digest, suffix=request.suffix) if request.deliver else ()
        is_saved = write_with_retry(engine, SAVE_PATIENCE_S, save, key, edition, messages, now=now)
    except BaseException as error:
        # Other processes may build it now; if the store cannot be written, the claim expires.
        patience_s = SAVE_PATIENCE_S if isinstance(error, StoreError) and error.transient else 0.0
        release = partial(editions.release_claim, key=key)
        with suppress(StoreError):
            write_with_retry(engine, patience_s, release)
        raise
    return BuiltEdition(edition=edition, slot=request.slot, files=files) if is_saved else None


def build_unsaved_edition(engine: Engine, digest: DigestSettings, request: EditionRequest, *, now: datetime) -> Edition:
    """Return the requested edition; stories and translations are saved, the edition is not. Errors: StoreError."""
    grouped = cluster_and_save(engine, start=request.window_start, end=request.window_end, now=now)
    edition, translator = compose_translated(engine, read(engine, load, digest, request, grouped, now=now))
    if translator is not None:
        translator.save(now)
    return edition if digest.prose is None else add_llm_summaries(engine, edition, grouped[0], digest.prose)


def preview_edition(engine: Engine, digest: DigestSettings, request: EditionRequest, *, now: datetime) -> Edition:
    """Return the edition that would be built now, without summaries by a model; nothing is saved."""
    grouped = cluster_preview(engine, start=request.window_start, end=request.window_end)
    return compose_translated(engine, read(engine, load, digest, request, grouped, now=now))[0]


def compose_translated(engine: Engine, inputs: EditionInputs) -> tuple[Edition, Translator | None]:
    """Return the edition composed of `inputs`, and what has translated it; None if the request says nothing of it."""
    settings = inputs.request.translate
    if settings.engine == "none":
        return compose(inputs), None
    translator = Translator(settings, inputs.digest.read_languages[0], engine)
    return translator.with_outcome(compose(inputs, translator)), translator


def save(
    connection: Connection, key: EditionKey, edition: Edition, messages: Sequence[OutboundMessage], *, now: datetime
) -> bool:
    """Store an edition with its messages and schedule rechecks of its pages; False if another process has its claim."""
    if not editions.save_edition(connection, key, edition):
        return False
    briefs = [*edition.briefs, *(brief for story in edition.stories for brief in story.related)]
    headlines = {brief.id: brief.title for brief in briefs} | {story.id: story.title for story in edition.stories}
    save_headlines(connection, headlines)
    outbox.enqueue(connection, key, messages, now=now)
    schedule_rechecks(connection, pages_to_recheck(edition), now=now)
    return True


def compose(inputs: EditionInputs, translator: TextTranslator | None = None) -> Edition:
    """Return the edition composed of `inputs`; the same inputs and translations give the same edition."""
    digest, request = inputs.digest, inputs.request
    start, end = request.window_start, request.window_end
    sources = [state.feed.source for state in inputs.feeds]
    revised = apply_revisions(inputs.articles, inputs.revisions)
    revised_texts = {article.id: article.text for article in revised if article.id in inputs.revisions}
    leads = {
        article.id: replace(article, text=article.text[:TEXT_LEAD_CHARS]) if article.id in revised_texts else article
        for article in revised
    }
    candidates = [each for each in leads.values() if each.published_at >= start or arrived_late(each, inputs)]
    chosen = select_articles(
        candidates,
        start=start - LATE_ARTICLES,
        end=end,
        muted_phrases=digest.mute,
        languages=[tag.split("-")[0] for tag in digest.languages],
        load_full_texts=text_loader(leads, inputs.texts, revised_texts, {}),
    )
    articles = {article.id: article for article in with_owners(chosen.articles, owners_of(sources))}
    taken = {article.id for article in candidates}
    before = {key: article for key, article in leads.items() if key not in taken}
    cited = {key: article for key, article in inputs.cited.items() if key not in articles}
    withdrawn = sum(article.published_at >= start for article in inputs.articles)
    withdrawn -= sum(article.published_at >= start for article in revised)
    late_articles = sum(article.published_at < start for article in candidates)
    context = ComposeContext(
        digest=digest,
        articles=articles,
        local_date=request.local_date,
        window_start=start,
        window_end=end,
        earlier_articles=before | dict(inputs.cited),
        earlier_editions=inputs.seen,
        owner_kinds={source.name: source.owner_kind for source in sources if source.owner_kind},
        outlets_read=find_outlets_read([state.feed for state in inputs.feeds], articles.values(), end=end),
        items=inputs.items,
        translator=translator,
        load_full_texts=text_loader(before | articles, inputs.texts, revised_texts, cited),
    )
    since = context.previous.window_end if context.previous else start
    return compose_edition(
        inputs.stories,
        context,
        intake=measure_intake(inputs, chosen.left_out, withdrawn=withdrawn, late_articles=late_articles),
        number=inputs.number,
        made_at=inputs.now,
        corrections=find_corrections(inputs.citations, inputs.corrected, inputs.revisions, since=since),
    )


def arrived_late(article: Article, inputs: EditionInputs) -> bool:
    """Whether an article was published before the window, but arrived after the time that earlier editions covered."""
    start = inputs.request.window_start
    if inputs.covered_until is None or not start - LATE_ARTICLES <= article.published_at < start:
        return False
    return article.fetched_at >= max(inputs.covered_until, start)


def owners_of(sources: Iterable[Source]) -> dict[str, str | None]:
    """Return the owner that the settings declare for each outlet, by its name; None if they declare none."""
    owners: dict[str, str | None] = {}
    for source in sources:
        owners[source.name] = owners.get(source.name) or source.owner
    return owners


def find_outlets_read(feeds: Collection[Feed], articles: Iterable[Article], *, end: datetime) -> frozenset[str]:
    """Return the outlets whose feeds were all read up to `end`, and those of which articles were imported."""
    found = {article.outlet for article in articles}
    unread = {
        feed.source.name
        for feed in feeds
        if not is_read_up_to(feed, end) and (feed.last_polled_at is not None or feed.source.name not in found)
    }
    return frozenset(found.union(feed.source.name for feed in feeds) - unread)


def measure_intake(
    inputs: EditionInputs, left_out: tuple[LeftOut, ...], *, withdrawn: int, late_articles: int
) -> Intake:
    """
    Return the counts of entries, articles and sources for the ledger.

    `left_out` counts articles of the window that are not used; `withdrawn` is the number of the window's articles whose
    page is gone, and `late_articles` that of articles used although they were published before the window.
    """
    request, counts, down = inputs.request, inputs.counts, inputs.network_down_since
    failing, unread = [], 0
    for state in inputs.feeds:
        health = feed_health(state.feed, reason=state.reason, held_until=state.blocked_until, now=inputs.now)
        if not health.is_ok:
            failing.append(FailingSource(name=state.feed.source.name, reason=health.reason))
        elif state.feed.last_read_at is None or state.feed.last_read_at < request.window_start:
            unread += 1
    left_out = (
        LeftOut(kind=LeftOutKind.DUPLICATE_ENTRY, count=counts.duplicates),
        LeftOut(kind=LeftOutKind.OUT_OF_WINDOW, count=counts.out_of_window - late_articles),
        *left_out,
        LeftOut(kind=LeftOutKind.WITHDRAWN, count=withdrawn),
        *(LeftOut(kind=LeftOutKind.PAGE_FAILED, count=n, reason=reason) for reason, n in counts.failed),
        LeftOut(kind=LeftOutKind.PAGE_WAITING, count=counts.waiting),
    )
    late = inputs.now - request.due_at if request.due_at is not None else timedelta()
    length = request.window_end - request.window_start
    return Intake(
        entries_seen=counts.entries,
        left_out=tuple(each for each in left_out if each.count > 0),
        sources_total=len(inputs.feeds),
        sources_ok=len(inputs.feeds) - unread - len(failing),
        sources_unread=unread,
        failing=tuple(failing),
        network_down_since=down if down is not None and down < request.window_end else None,
        late_s=late.total_seconds() if late > NOT_LATE else 0.0,
        longer_window=not request.is_exact and length > inputs.digest.window + NOT_LATE,
    )
