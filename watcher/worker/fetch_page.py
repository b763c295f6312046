"""One article page: fetched, cleaned in a worker process and stored; or the feed's own text in its place."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from watcher.errors import CleanError, FetchError, HttpStatusError, RequestRefused, StoreError, TooLarge
from watcher.feeds.schedule import LONGEST_HOLD_S
from watcher.model import Article, CrossHostRedirect, ExtractedArticle, Response, Revision
from watcher.net.client import ACCEPT_PAGE
from watcher.reasons import PageKind, Reason, TaskKind
from watcher.store.articles import NewArticle, PackedFeatures, article_title, load_site_blocks
from watcher.store.hosts import set_blocked_until
from watcher.store.pages import (
    StoredPage,
    defer,
    latest_version,
    record_failure,
    record_missing,
    record_recheck,
    record_redirect,
    remove_page,
    store_pages,
)
from watcher.text.format import fields, replace_surrogates
from watcher.text.urls import article_id, hide_secrets, host_key, host_of, normalize_url
from watcher.text.words import word_overlap
from watcher.worker import tasks
from watcher.worker.connectivity import RETRY_AFTER
from watcher.worker.context import WorkerContext
from watcher.worker.events import DuplicatePage, Event, PageFailed, PageRechecked, PageStored
from watcher.worker.process_pool import BrokenPool, WorkerFailed

log = logging.getLogger("watcher.worker")
CLEAN_LIMIT_S = 15.0
MAX_TRIES = 5
MAX_FAULTS = 2  # tries of a page whose cleaning hung or took its process down
FIRST_RETRY = timedelta(minutes=10)  # then doubled
PASSING = frozenset((408, 425, 429))
SAME_ARTICLE = 0.25  # of the shorter title's words that two titles of one article share, 0 to 1
FEED_TEXT_MIN = 80  # characters of the feed's own text that are worth an article where the page is not to be had


async def process_page(page: StoredPage, context: WorkerContext, *, forbidden: Reason | None = None) -> None:
    """
    Bring the article of `page` into the store, or write down why not.

    Args:
        forbidden: Why the page may not be asked for, if so: then the feed's own text has to do.

    Errors: StoreError, BrokenPool: what is no fault of the page.
    """
    started = context.now()
    try:
        if not should_fetch_page(page, context):
            reason = Reason(PageKind.NOT_FETCHED if page.url else PageKind.NO_LINK)
            await store_entry(page, context, reason=reason, at=started, asked=False)
        elif forbidden is not None:
            await store_entry(page, context, reason=forbidden, at=started)
        else:
            await fetch_page(page, context, at=started)
    except (StoreError, BrokenPool):
        raise
    except Exception as error:
        log.error("page_fault %s", fields(page=page.url, error=repr(error)), exc_info=log.isEnabledFor(logging.DEBUG))
        await handle_internal_error(
            page, context, reason=Reason(TaskKind.INTERNAL_ERROR, detail=type(error).__name__), at=started
        )


def should_fetch_page(page: StoredPage, context: WorkerContext) -> bool:
    """Whether the page itself is to be asked for, and not only the feed's text taken."""
    full = page.feed.source.full_text and page.entry.content
    return bool(page.url) and context.fetch.articles and not full


async def fetch_page(page: StoredPage, context: WorkerContext, *, at: datetime) -> None:
    """Ask for the page and store its article; on a fault that has a name, do what fits it."""
    try:
        answer = await context.client.get_same_host(page.url, accept=ACCEPT_PAGE)
        context.connectivity.record_success(page.url)
        if isinstance(answer, CrossHostRedirect):
            await defer_to_host(page, answer.url, context, at=at)
        else:
            await store_page(page, answer, context, at=at)
    except FetchError as error:
        await handle_fetch_error(page, error, context, at=at)
    except CleanError as error:
        await store_entry(page, context, reason=error.reason, at=at)
    except WorkerFailed as error:
        reason = Reason(TaskKind.CLEANING, why=error.reason)
        if page.tries + 1 < MAX_FAULTS:  # its process may have been ended from outside
            await schedule_retry(page, context, reason=reason, at=at + FIRST_RETRY)
        else:
            await store_entry(page, context, reason=reason, at=at)


async def defer_to_host(page: StoredPage, url: str, context: WorkerContext, *, at: datetime) -> None:
    """Hand a page that is elsewhere to the visits of its own host, where its pace and robots.txt hold."""
    if page.tries + 1 >= MAX_TRIES:
        await store_entry(page, context, reason=Reason(PageKind.TOO_MANY_HOSTS), at=at)
        return
    await context.writer.do(record_redirect, page.article_id, url=url, host=host_key(url))


async def handle_internal_error(page: StoredPage, context: WorkerContext, *, reason: Reason, at: datetime) -> None:
    """Try a page again that met a fault of ours; the second time, give it up."""
    if page.tries + 1 < MAX_FAULTS:
        await schedule_retry(page, context, reason=reason, at=at + FIRST_RETRY)
        return
    await context.writer.do(record_failure, page.article_id, reason=reason, next_try_at=None)
    context.on_event(PageFailed(url=page.url, outlet=page.feed.source.name, reason=reason, final=True))


async def store_page(page: StoredPage, answer: Response, context: WorkerContext, *, at: datetime) -> None:
    """Clean the page that came and store its article. Errors: CleanError, WorkerFailed."""
    key = identity(page, answer)
    if key != page.article_id:
        stored = await context.writer.read(article_title, key)
        if stored is not None:
            await record_duplicate(page, answer.url, key, stored, context, at=at)
            return
    host = host_of(answer.url)
    made = await clean_in_worker(page, answer, context, at=at)
    longer = await feed_text_if_longer(page, made, context)
    why = None if longer is None else Reason(PageKind.FEED_TEXT_LONGER)
    await save_article(
        page, longer or made, key, context, at=at, from_feed=longer is not None, host=host, feed_reason=why
    )


async def clean_in_worker(
    page: StoredPage, answer: Response, context: WorkerContext, *, at: datetime
) -> tasks.ProcessedPage:
    """Return the article of a page that came. Errors: CleanError, WorkerFailed."""
    site = await context.writer.read(load_site_blocks, host_of(answer.url))
    task = tasks.PageTask(
        body=answer.body,
        content_type=answer.header("content-type"),
        url=answer.url,
        entry=page.entry,
        language=page.feed.source.language,
        site=site,
        rules=context.site_rules,
        now=at,
    )
    return await context.pool.run(tasks.clean_page, task, limit_s=CLEAN_LIMIT_S)


async def record_duplicate(
    page: StoredPage, url: str, key: str, title: str, context: WorkerContext, *, at: datetime
) -> None:
    """Forget a page that led to the article `key`, which is stored; unless that is another one, as a wall is."""
    if page.entry.title and word_overlap(page.entry.title, title, page.feed.source.language or "und") < SAME_ARTICLE:
        await store_entry(page, context, reason=Reason(PageKind.OTHER_PAGE, url=url), at=at)
        return
    await context.writer.do(remove_page, page.article_id, redirected_to=key)
    context.on_event(DuplicatePage(url=url, outlet=page.feed.source.name))


def identity(page: StoredPage, answer: Response) -> str:
    """Return the id of the article that came: where redirects led is what it is, unless they led to a front page."""
    return page.article_id if urlsplit(answer.url).path in ("", "/") else article_id(normalize_url(answer.url))


async def feed_text_if_longer(
    page: StoredPage, made: tasks.ProcessedPage, context: WorkerContext
) -> tasks.ProcessedPage | None:
    """Return the feed's own text if it says clearly more than the page: a paywall's teaser, say."""
    clearly = 1.1 if made.cleaned.is_truncated else 1.5
    if len(page.entry.content) <= clearly * len(made.cleaned.text):
        return None
    try:
        other = await article_from_entry(page, context)
    except WorkerFailed:
        return None  # the page is good, whatever the feed's text does to its reader
    if len(other.cleaned.text) <= clearly * len(made.cleaned.text):
        return None
    keep = made.cleaned
    merged = replace(
        other.cleaned, title=keep.title, agency=keep.agency, dateline=keep.dateline, published_at=keep.published_at
    )
    return replace(other, cleaned=replace(merged, language=keep.language or merged.language))


async def article_from_entry(page: StoredPage, context: WorkerContext) -> tasks.ProcessedPage:
    """Return the article as the feed carries it."""
    url = page.url or hide_secrets(page.feed.source.url)
    args = (page.entry, url, page.feed.source.language)
    return await context.pool.run(tasks.clean_entry, *args, limit_s=CLEAN_LIMIT_S)


async def store_entry(
    page: StoredPage, context: WorkerContext, *, reason: Reason, at: datetime, asked: bool = True
) -> None:
    """
    Store the feed's own text as the article; if there is too little of it, give the page up with `reason`.

    Args:
        asked: The page should have been had, so that `reason` is kept beside the article.
    """
    try:
        made = await article_from_entry(page, context)
    except WorkerFailed as error:
        reason, made = Reason(TaskKind.READING_FEED_TEXT, why=error.reason), None
    if made is None or len(made.cleaned.text) < FEED_TEXT_MIN or not made.cleaned.title:
        await context.writer.do(record_failure, page.article_id, reason=reason, next_try_at=None)
        context.on_event(PageFailed(url=page.url, outlet=page.feed.source.name, reason=reason, final=True))
        return
    why = reason if asked else None
    await save_article(page, made, page.article_id, context, at=at, from_feed=True, host=page.host, feed_reason=why)


async def handle_fetch_error(page: StoredPage, error: FetchError, context: WorkerContext, *, at: datetime) -> None:
    """Try a failed page again later, or make do with the feed's own text where that is all there will be."""
    if await defer_if_network_down(page, error, context, at=at):
        return
    if is_final(error) or page.tries + 1 >= MAX_TRIES or (is_refusal(error) and has_text(page)):
        await store_entry(page, context, reason=error.reason, at=at)
        return
    again = at + max(FIRST_RETRY * 2**page.tries, timedelta(seconds=error.retry_after_s or 0))
    await schedule_retry(page, context, reason=error.reason, at=again)


async def defer_if_network_down(page: StoredPage, error: FetchError, context: WorkerContext, *, at: datetime) -> bool:
    """Whether our own line is down, and the page put off; else a host that asks for a rest, or is away, has it."""
    context.connectivity.record_failure(error)
    if error.no_connection and await context.connectivity.is_down(error.answered_by, since=at):
        await context.writer.do(defer, [page.article_id], until=context.now() + RETRY_AFTER)
        return True
    too_many = isinstance(error, HttpStatusError) and error.status == HTTPStatus.TOO_MANY_REQUESTS
    hold = timedelta(seconds=error.retry_after_s or 0)
    if error.no_connection or (too_many and error.retry_after_s is None):
        hold = FIRST_RETRY
    if hold:
        until = context.now() + min(hold, timedelta(seconds=LONGEST_HOLD_S))
        await context.writer.do(set_blocked_until, host_key(error.answered_by), until=until)
    return False


async def schedule_retry(page: StoredPage, context: WorkerContext, *, reason: Reason, at: datetime) -> None:
    """Try a page again at a time."""
    await context.writer.do(record_failure, page.article_id, reason=reason, next_try_at=at)
    context.on_event(PageFailed(url=page.url, outlet=page.feed.source.name, reason=reason, final=False))


def is_final(error: FetchError) -> bool:
    """Whether asking again would bring the same: gone, closed by law, too large."""
    closed = isinstance(error, HttpStatusError) and error.status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS
    return error.permanent or closed or isinstance(error, TooLarge)


def is_refusal(error: FetchError) -> bool:
    """Whether the page is refused for now: what is fresh is sometimes not found yet, and a rate limit says 403."""
    if isinstance(error, HttpStatusError):
        return 400 <= error.status < 500 and error.status not in PASSING
    return isinstance(error, RequestRefused)


def has_text(page: StoredPage) -> bool:
    """Whether the feed has enough of a text to stand for the page."""
    return len(page.entry.content or page.entry.summary) >= FEED_TEXT_MIN


async def save_article(
    page: StoredPage,
    made: tasks.ProcessedPage,
    key: str,
    context: WorkerContext,
    *,
    at: datetime,
    from_feed: bool,
    host: str,
    feed_reason: Reason | None,
) -> None:
    """Write the article down and forget the page, in one transaction."""
    article = replace(
        build_article(page, made.cleaned, key, at=at, host=host), from_feed=from_feed, feed_reason=feed_reason
    )
    packed = PackedFeatures(version=made.version, payload=made.payload)
    hashes = () if from_feed else made.cleaned.block_hashes
    stored = replace(article, fetched_at=context.now())
    event: Event = PageStored(
        url=article.url, outlet=article.outlet, from_feed=from_feed, took_s=(context.now() - at).total_seconds()
    )

    arrival = NewArticle(article=stored, feed_id=page.feed.id, packed=packed, block_hashes=hashes)
    if not await context.writer.add(store_pages, (arrival, page.article_id)):
        event = DuplicatePage(url=article.url, outlet=article.outlet)
    context.on_event(event)


def build_article(page: StoredPage, cleaned: ExtractedArticle, key: str, *, at: datetime, host: str) -> Article:
    """Return the article to store: dated by the feed, else the page, else by when it was first seen; never ahead."""
    source = page.feed.source
    published = page.entry.published_at or cleaned.published_at or page.added_at
    return Article(
        id=key,
        url=cleaned.url,
        host=host,
        outlet=source.name,
        title=replace_surrogates(cleaned.title),
        text=replace_surrogates(cleaned.text),
        language=cleaned.language or source.language or "und",
        country=source.country,
        section=source.section,
        owner=source.owner,
        authors=tuple(map(replace_surrogates, cleaned.authors or page.entry.authors)),
        agency=cleaned.agency,
        dateline=cleaned.dateline,
        image=cleaned.image or page.entry.image,
        kind=cleaned.kind,
        is_truncated=cleaned.is_truncated,
        published_at=min(published, at),
        fetched_at=at,
        removed=cleaned.removed,
    )


MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})


async def recheck_page(page: StoredPage, context: WorkerContext) -> None:
    """
    Look at the page of a stored article and write down what it says otherwise; the article itself stays as it is.

    Errors: StoreError, BrokenPool: what is no fault of the page.
    """
    at = context.now()
    try:
        answer = await context.client.get_same_host(page.url, accept=ACCEPT_PAGE)
        context.connectivity.record_success(page.url)
        if isinstance(answer, CrossHostRedirect):
            await recheck_elsewhere(page, answer.url, context, at=at)
        elif _is_front(answer.url) and not _is_front(page.url):
            await note_missing(page, context, at=at, reason=Reason(PageKind.FRONT_PAGE))
        else:
            await store_revision_if_changed(page, answer, context, at=at)
    except HttpStatusError as error:
        if error.status in MISSING:
            await note_missing(page, context, at=at, reason=error.reason)
        else:
            await record_fetch_failure(page, error, context, at=at)
    except FetchError as error:
        await record_fetch_failure(page, error, context, at=at)
    except (CleanError, WorkerFailed):  # a wall, or something else altogether: it says nothing of the article
        await context.writer.do(record_recheck, page.article_id, now=at, found=None)
    except (StoreError, BrokenPool):
        raise
    except Exception as error:
        log.error("look_fault %s", fields(page=page.url, error=repr(error)), exc_info=log.isEnabledFor(logging.DEBUG))
        await context.writer.do(record_recheck, page.article_id, now=at, found=None)


async def skip_recheck(page: StoredPage, context: WorkerContext) -> None:
    """Pass over a page that may not be asked for."""
    await context.writer.do(record_recheck, page.article_id, now=context.now(), found=None)


async def recheck_elsewhere(page: StoredPage, url: str, context: WorkerContext, *, at: datetime) -> None:
    """Hand a page that is at another host to that host's visits; one that goes on moving is let be."""
    if page.url != page.entry.guid:
        await context.writer.do(record_recheck, page.article_id, now=at, found=None)
        return
    await context.writer.do(record_redirect, page.article_id, url=url, host=host_key(url))


async def store_revision_if_changed(
    page: StoredPage, answer: Response, context: WorkerContext, *, at: datetime
) -> None:
    """Clean the page that came, and keep it if title or text are others than before. Errors: CleanError."""
    made = await clean_in_worker(page, answer, context, at=at)
    title, text = replace_surrogates(made.cleaned.title), replace_surrogates(made.cleaned.text)
    before = await context.writer.read(latest_version, page.article_id)
    found = None
    if before is not None and text and (title, text) != before:
        found = Revision(article_id=page.article_id, at=at, kind="changed", title=title, text=text)
    await context.writer.do(record_recheck, page.article_id, now=at, found=found)
    context.on_event(PageRechecked(url=page.url, outlet=page.feed.source.name, outcome=found.kind if found else "same"))


async def note_missing(page: StoredPage, context: WorkerContext, *, at: datetime, reason: Reason) -> None:
    """Note a page that is missing; the second time in a row it is gone."""
    if not await context.writer.do(record_missing, page.article_id, now=at, reason=reason):
        return
    found = Revision(article_id=page.article_id, at=at, kind="gone")
    await context.writer.do(record_recheck, page.article_id, now=at, found=found)
    context.on_event(PageRechecked(url=page.url, outlet=page.feed.source.name, outcome="gone"))


async def record_fetch_failure(page: StoredPage, error: FetchError, context: WorkerContext, *, at: datetime) -> None:
    """Let a page be that cannot be had now: it says nothing of the article. A host that asks for a rest has it."""
    if await defer_if_network_down(page, error, context, at=at):
        return
    await context.writer.do(record_recheck, page.article_id, now=at, found=None)


def _is_front(url: str) -> bool:
    return urlsplit(url).path in ("", "/")
