"""Builds one edition, in order: claim it, group its articles, load, compose, publish, save."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, Engine

from digests.analysis.corrections import apply_revisions, collect_citations, find_corrections, pages_to_recheck
from digests.analysis.coverage import with_owners
from digests.analysis.gazetteer import LEAD_CHARS
from digests.analysis.preferences import LEAD_CHARS as PHRASE_CHARS
from digests.analysis.preferences import active_mute_rules
from digests.analysis.select import LoadFullTexts, select_articles
from digests.cluster.stories import separate_parts
from digests.compose.context import ComposeContext, TextTranslator
from digests.compose.edition import compose_edition
from digests.delivery.file import write_files
from digests.edition.llm_summary import add_llm_summaries
from digests.edition.publish import build_messages, render_files
from digests.edition.schedule import NOT_LATE, EditionRequest, usual_length
from digests.keys import EditionKey
from digests.model import Edition, FailingSource, Intake, LeftOut, LeftOutKind, OutboundMessage, Rendered
from digests.settings.digests import DigestSettings
from digests.store import editions, outbox
from digests.store.maintenance import load_owners
from digests.store.stories import save_headlines
from digests.stories.follows import followed_threads
from digests.stories.window import Grouped, cluster_and_save, cluster_preview
from digests.translate.translator import Translator
from watcher.errors import StoreError
from watcher.feeds.health import feed_health, is_read_up_to
from watcher.model import Article, Feed
from watcher.store.articles import article_leads_between, articles_by_id, decompress
from watcher.store.feeds import FeedState, feed_states
from watcher.store.hosts import load_polling_stop, network_down_since
from watcher.store.pages import revisions_between, schedule_rechecks
from watcher.store.stats import count_intake
from watcher.store.writer import read, write, write_with_retry

LOOKBACK = timedelta(days=2)  # before the window: articles that the reader may know
REVISIONS_BACK = timedelta(days=10)  # before the window: revisions of pages that remembered editions cited
REMEMBERED_DATES = 7  # with editions, in which a story is known to have been seen
MAX_OTHERS = 50  # editions of other digests whose citations a weekly one checks for corrections
TEXT_LEAD_CHARS = max(LEAD_CHARS, PHRASE_CHARS)  # of a text: enough to choose, rank and classify stories


def prepare_edition(
    connection: Connection,
    digest: DigestSettings,
    request: EditionRequest,
    grouped: Grouped,
    *,
    now: datetime,
    translator: TextTranslator | None = None,
) -> partial[Edition]:
    """Load what an edition is made of; return a call that composes it, with the stories and context as arguments."""
    start, end = request.window_start, request.window_end
    wanted = set(digest.sources)  # names and tags of sources; empty for all
    found = ((state, state.feed.source) for state in feed_states(connection, counted=False))
    feeds = [state for state, source in found if not wanted or wanted.intersection((source.name, *source.tags))]
    feed_ids = [state.feed.id for state in feeds] if digest.sources else None
    stored, texts = article_leads_between(
        connection, start=start - LOOKBACK, end=end, feed_ids=feed_ids, chars=TEXT_LEAD_CHARS
    )
    revisions = revisions_between(connection, start=start - REVISIONS_BACK, end=end)
    leads = {article.id: article for article in apply_revisions(stored, revisions)}
    texts = {key: text for key, text in texts.items() if key not in revisions}  # a revised article has its full text
    late = find_late_articles(connection, digest, request, leads.values())
    candidates = {key: article for key, article in leads.items() if article.published_at >= start or key in late}
    day, sources = request.local_date, [state.feed.source for state in feeds]
    outlets = {source.name for source in sources} if digest.sources else None
    followed = followed_threads(connection, before=end, outlets=outlets)
    of_followed = (story.articles for story in grouped[0] if story.thread in followed)
    chosen, left_out = select_articles(
        list(candidates.values()),
        start=start - LATE_ARTICLES,
        end=end,
        mute_rules=active_mute_rules(digest.mute, sources, day=day),
        never_muted=frozenset(chain.from_iterable(of_followed)),
        languages=[tag.split("-")[0] for tag in digest.languages],
        load_full_texts=text_loader(leads, texts),
    )
    owners = load_owners(connection, {article.outlet for article in chosen})
    articles = {article.id: article for article in with_owners(chosen, owners)}
    before = {key: article for key, article in leads.items() if key not in candidates}
    until = request.window_end if request.is_scheduled else None
    seen = editions.recent_editions(
        connection, digest.name, before=day, until=until, limit=REMEMBERED_DATES, delivered=True
    )
    cited_ids = [key for edition in seen for story in edition.stories for key in story.article_ids]
    cited = articles_by_id(connection, cited_ids)  # with full texts
    earlier = before | cited
    context = ComposeContext(
        digest=digest,
        articles=articles,
        local_date=day,
        window_start=start,
        window_end=end,
        earlier_articles=earlier,
        earlier_editions=seen,
        owner_kinds={source.name: source.owner_kind for source in sources if source.owner_kind},
        outlets_read=find_outlets_read([state.feed for state in feeds], articles.values(), end=end),
        items=grouped[1],
        translator=translator,
        followed=followed,
        load_full_texts=text_loader(
            earlier | articles, {key: text for key, text in texts.items() if key in articles or key not in cited}
        ),
    )
    if digest.kind == "week":  # its reader has read the other digests
        seen += editions.editions_of_others(connection, digest.name, start=start, end=end, limit=MAX_OTHERS)
    citations = {key: citation for key, citation in collect_citations(seen).items() if key in revisions}
    since = context.previous.window_end if context.previous else start
    withdrawn = sum(article.published_at >= start for article in stored)
    withdrawn -= sum(article.published_at >= start for article in leads.values())
    return partial(
        compose_edition,
        separate_parts(grouped[0], grouped[2], articles),
        context,
        intake=measure_intake(
            connection, digest, request, feeds, left_out, withdrawn=withdrawn, late_articles=len(late), now=now
        ),
        number=request.number or editions.next_number(connection, digest.name, now=now),
        at=request.at,
        made_at=now,
        corrections=find_corrections(citations, articles_by_id(connection, citations), revisions, since=since),
    )


def text_loader(articles: Mapping[str, Article], compressed: Mapping[str, bytes]) -> LoadFullTexts:
    """Return a function that returns articles by id with full texts; it unpacks those in `compressed` on demand."""

    def with_full_text(article: Article) -> Article:
        packed = compressed.get(article.id)
        return replace(article, text=decompress(packed)) if packed is not None else article

    return lambda ids: {key: with_full_text(articles[key]) for key in ids}


LATE_ARTICLES = timedelta(days=1)  # before the window: articles too late for the last edition are in this one
SAVE_PATIENCE_S = 180.0  # how long to retry while the store cannot be written


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEdition:
    """A stored edition with its key, and the files written for it. `is_new`: it was built now."""

    edition: Edition
    key: EditionKey
    files: tuple[Path, ...] = ()
    is_new: bool = True


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
    number = write(engine, editions.claim, key, window=window, now=now, held_for=held_for)
    if number is None:
        return None
    request = replace(request, number=number)
    try:
        edition = build_unsaved_edition(engine, digest, request, now=now)
        forms: tuple[Rendered, ...] = ()
        files: tuple[Path, ...] = ()
        if request.folder is not None:
            forms = render_files(engine, edition, digest, digest.formats, suffix=request.suffix)
            files = write_files(forms, request.folder)
        messages = build_messages(engine, edition, digest, suffix=request.suffix) if request.deliver else ()
        is_saved = write_with_retry(engine, SAVE_PATIENCE_S, save, key, edition, messages, forms, now=now)
    except BaseException as error:
        # Other processes may build it now; if the store cannot be written, the claim expires.
        patience_s = SAVE_PATIENCE_S if isinstance(error, StoreError) and error.transient else 0.0
        with suppress(StoreError):
            write_with_retry(engine, patience_s, editions.release_claim, key)
        raise
    return BuiltEdition(edition=edition, key=key, files=files) if is_saved else None


def build_unsaved_edition(engine: Engine, digest: DigestSettings, request: EditionRequest, *, now: datetime) -> Edition:
    """Return the requested edition; stories and translations are saved, the edition is not. Errors: StoreError."""
    grouped = cluster_and_save(engine, start=request.window_start, end=request.window_end, now=now)
    edition, translator = compose_translated(engine, digest, request, grouped, now=now)
    if translator is not None:
        translator.save(now)
    return edition if digest.prose is None else add_llm_summaries(engine, edition, grouped[0], digest.prose)


def preview_edition(engine: Engine, digest: DigestSettings, request: EditionRequest, *, now: datetime) -> Edition:
    """Return the edition that would be built now, without summaries by a model; nothing is saved."""
    grouped = cluster_preview(engine, start=request.window_start, end=request.window_end)
    return compose_translated(engine, digest, request, grouped, now=now)[0]


def compose_translated(
    engine: Engine, digest: DigestSettings, request: EditionRequest, grouped: Grouped, *, now: datetime
) -> tuple[Edition, Translator | None]:
    """Return the edition of `grouped` stories, and what has translated it; None if the request says nothing of it."""
    settings = request.translate
    translator = None if settings.engine == "none" else Translator(settings, digest.read_languages[0], engine)
    edition = read(engine, prepare_edition, digest, request, grouped, now=now, translator=translator)()
    return translator.with_outcome(edition) if translator else edition, translator


def save(
    connection: Connection,
    key: EditionKey,
    edition: Edition,
    messages: Sequence[OutboundMessage],
    files: Sequence[Rendered] = (),
    *,
    now: datetime,
) -> bool:
    """Store an edition with its messages and schedule rechecks of its pages; False if another process has its claim."""
    if not editions.save_edition(connection, key, edition, files):
        return False
    briefs = [*edition.briefs, *(brief for story in edition.stories for brief in story.related)]
    headlines = {brief.id: brief.title for brief in briefs} | {story.id: story.title for story in edition.stories}
    save_headlines(connection, headlines)
    outbox.enqueue(connection, key, messages, now=now)
    schedule_rechecks(connection, pages_to_recheck(edition), now=now)
    return True


def find_late_articles(
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


def find_outlets_read(feeds: Collection[Feed], articles: Iterable[Article], *, end: datetime) -> frozenset[str]:
    """
    Return the outlets whose feeds were all read up to `end`, and those of which articles were imported.

    Of an outlet that is no source, only what others link is known: nothing says what it does not report.
    """
    found = {article.outlet for article in articles if article.via is None}
    unread = {
        feed.source.name
        for feed in feeds
        if not is_read_up_to(feed, end) and (feed.last_polled_at is not None or feed.source.name not in found)
    }
    return frozenset(found.union(feed.source.name for feed in feeds) - unread)


def measure_intake(
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
    failing, unread = [], 0
    for state in feeds:
        health = feed_health(state.feed, reason=state.reason, held_until=state.blocked_until, now=now)
        if not health.is_ok:
            failing.append(FailingSource(name=state.feed.source.name, reason=health.reason))
        elif state.feed.last_read_at is None or state.feed.last_read_at < start:
            unread += 1
    rows = (
        LeftOut(kind=LeftOutKind.DUPLICATE_ENTRY, count=counts.duplicates),
        LeftOut(kind=LeftOutKind.OUT_OF_WINDOW, count=counts.out_of_window - late_articles),
        *left_out,
        LeftOut(kind=LeftOutKind.WITHDRAWN, count=withdrawn),
        *(LeftOut(kind=LeftOutKind.PAGE_FAILED, count=n, reason=reason) for reason, n in counts.failed),
        LeftOut(kind=LeftOutKind.PAGE_WAITING, count=counts.waiting),
    )
    late = now - request.due_at if request.due_at is not None else timedelta()
    usual = usual_length(digest, request.due_at or end) if request.is_scheduled else digest.window
    return Intake(
        entries_seen=counts.entries,
        left_out=tuple(each for each in rows if each.count > 0),
        sources_total=len(feeds),
        sources_ok=len(feeds) - unread - len(failing),
        sources_unread=unread,
        failing=tuple(failing),
        network_down_since=down if down is not None and down < end else None,
        polling_stopped_since=stop.since if stop else None,
        polling_stop_reason=stop.reason if stop else None,
        late_s=late.total_seconds() if late > NOT_LATE else 0.0,
        longer_window=not request.is_exact and end - start > usual + NOT_LATE,
    )
