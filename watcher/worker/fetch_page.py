"""Fetches one article page, for the first time or to recheck it: decides the outcome, then applies that outcome."""

import logging
from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from http import HTTPStatus
from urllib.parse import urlsplit

from watcher.errors import CleanError, FetchError, HttpStatusError, MachineError, RequestRefused, StoreError, TooLarge
from watcher.failure_messages import PageKind, Reason, TaskKind
from watcher.feeds.ownership import is_on_site, owns_page
from watcher.model import Article, CrossHostRedirect, Entry, Feed, Response, Revision
from watcher.store import pages
from watcher.store.articles import (
    NewArticle,
    article_title,
    articles_by_id,
    count_languages,
    headlines_among,
    load_site_blocks,
)
from watcher.store.ownership import find_owner
from watcher.store.pages import StoredPage
from watcher.store.polls import feed_text_id
from watcher.text.encoding import replace_surrogates
from watcher.text.format import fields
from watcher.text.urls import article_id, hide_secrets, host_key, host_of, normalize_url
from watcher.text.words import word_overlap
from watcher.worker import tasks
from watcher.worker.connectivity import RETRY_AFTER_OUTAGE
from watcher.worker.context import PageDone, WorkerContext
from watcher.worker.host_session import MAX_PAGE_BLOCK, HostSession, block_host
from watcher.worker.process_pool import WorkerFailed

log = logging.getLogger("watcher.worker")
CLEAN_LIMIT_S = 15.0
MAX_TRIES = 5
MAX_CLEANING_TRIES = 2  # of a page whose cleaning hung or killed its process
FIRST_PAGE_RETRY = timedelta(minutes=10)  # doubled after each further failure
TRANSIENT_STATUSES = frozenset((408, 425, 429))
MISSING_STATUSES = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS))
MIN_TITLE_OVERLAP = 0.25  # share of the shorter title's words that two titles of one article have in common, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDuplicate:
    """The page redirects to an article that is already stored."""

    url: str
    article_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveToHost:
    """The page has moved to another host; a visit to that host fetches it."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForNetwork:
    """Our own network is down; that is not counted as a failure of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailPage:
    """The page failed. It is given up if `retry_at` is None."""

    reason: Reason
    retry_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRecheck:
    """A recheck is over. `outcome` is "same" or "changed"; None if it showed nothing about the article."""

    outcome: str | None = None
    revision: Revision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMissing:
    """The page of a stored article is missing; the second time in a row, it counts as gone."""

    reason: Reason


PageOutcome = NewArticle | DropDuplicate | MoveToHost | WaitForNetwork | FailPage | EndRecheck | PageMissing


async def process_page(
    page: StoredPage, context: WorkerContext, session: HostSession, *, forbidden: Reason | None = None
) -> None:
    """
    Fetch a page and store its article, or recheck the page of a stored article. Errors: StoreError, MachineError.

    `forbidden`: why the page must not be fetched; the feed's own text is used then. None if it may be fetched.
    """
    started = context.now()
    try:
        if page.is_recheck:
            outcome = await _decide_recheck(page, context, session, started, is_allowed=forbidden is None)
        else:
            outcome = await _fetch_or_use_feed_text(page, context, session, started, forbidden=forbidden)
    except (StoreError, MachineError):
        raise
    except Exception as error:
        event = "recheck_error" if page.is_recheck else "page_fault"
        trace = log.isEnabledFor(logging.DEBUG)
        log.error(f"{event} %s", fields(page=page.url, error=repr(error)), exc_info=trace)
        reason = Reason(TaskKind.INTERNAL_ERROR, detail=type(error).__name__)
        retry_at = started + FIRST_PAGE_RETRY if page.tries + 1 < MAX_CLEANING_TRIES else None
        outcome = EndRecheck() if page.is_recheck else FailPage(reason=reason, retry_at=retry_at)
    if done := await apply(page, outcome, context, started):
        context.on_event(done)


async def apply(page: StoredPage, outcome: PageOutcome, context: WorkerContext, started: datetime) -> PageDone | None:
    """Save the outcome of a page; return its event, or None if there is nothing to report."""
    writer, key = context.writer, page.article_id
    done = PageDone(url=page.url, outcome="known")
    match outcome:
        case NewArticle(article=article):
            if await writer.add(pages.store_pages, (outcome, key)):
                done = replace(done, outcome=_describe_stored(article))
            return replace(done, url=article.url, took_s=(context.now() - started).total_seconds())
        case DropDuplicate(url=url, article_id=stored):
            await writer.do(pages.remove_page, key, redirected_to=stored)
            return replace(done, url=url)
        case MoveToHost(url=url):
            await writer.do(pages.record_redirect, key, url=url, host=host_key(url))
        case WaitForNetwork():
            await writer.do(pages.defer, [key], until=context.now() + RETRY_AFTER_OUTAGE)
        case FailPage(reason=reason, retry_at=retry_at):
            await writer.do(pages.record_failure, key, reason=reason, next_try_at=retry_at)
            return replace(done, outcome="put_off" if retry_at else "lost", reason=reason)
        case EndRecheck(outcome=word, revision=revision):
            await writer.do(pages.record_recheck, key, now=started, revision=revision)
            return replace(done, outcome=word) if word else None
        case PageMissing(reason=reason):
            if await writer.do(pages.record_missing, key, now=started, reason=reason):
                gone = Revision(article_id=key, at=started, kind="gone")
                await writer.do(pages.record_recheck, key, now=started, revision=gone)
                return replace(done, outcome="gone")
    return None


def _describe_stored(article: Article) -> str:
    if article.is_headline_only:
        return "stored_headline"
    return "stored_from_feed" if article.from_feed else "stored"


def should_fetch_page(page: StoredPage, context: WorkerContext) -> bool:
    """Whether to fetch the page, rather than use the feed's text; never one that a mail links."""
    source = page.feed.source
    has_full_text = source.full_text and page.entry.text
    return bool(page.url) and source.has_pages and context.fetch.articles and not has_full_text


async def _fetch_or_use_feed_text(
    page: StoredPage, context: WorkerContext, session: HostSession, now: datetime, *, forbidden: Reason | None
) -> PageOutcome:
    """Fetch a page whose article is not stored, and return its outcome."""
    if not should_fetch_page(page, context):
        reason = Reason(PageKind.NOT_FETCHED if page.url else PageKind.NO_LINK)
        return await _use_feed_text(page, context, reason, now, is_fallback=False)
    if forbidden is not None:
        return await _use_feed_text(page, context, forbidden, now)
    try:
        response = await session.get_page(page.url, source=page.feed.source.url)
        context.connectivity.record_success(page.url)
        if not isinstance(response, CrossHostRedirect):
            return await _use_response(page, response, context, now)
        if page.tries + 1 < MAX_TRIES:
            return MoveToHost(url=response.url)
        reason = Reason(PageKind.TOO_MANY_HOSTS)
    except FetchError as error:
        if await context.connectivity.is_to_blame(error, since=now):
            return WaitForNetwork()
        # First: the Retry-After must not be lost.
        await block_host(error, context, implied=FIRST_PAGE_RETRY, longest=MAX_PAGE_BLOCK)
        reason = error.reason
        if _is_worth_retry(page, error):
            wait = max(FIRST_PAGE_RETRY * 2**page.tries, timedelta(seconds=error.retry_after_s or 0))
            return FailPage(reason=reason, retry_at=now + wait)
    except CleanError as error:
        reason = error.reason
    except WorkerFailed as error:
        reason = Reason(TaskKind.CLEANING, why=error.reason)
        if page.tries + 1 < MAX_CLEANING_TRIES:  # its process may have been ended from outside
            return FailPage(reason=reason, retry_at=now + FIRST_PAGE_RETRY)
    return await _use_feed_text(page, context, reason, now)


def _is_worth_retry(page: StoredPage, error: FetchError) -> bool:
    """Whether to fetch a failed page again; not if it was refused and the feed has enough text of its own."""
    if page.tries + 1 >= MAX_TRIES or error.permanent or isinstance(error, TooLarge):
        return False
    status = error.status if isinstance(error, HttpStatusError) else None
    if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        return False
    # New pages are sometimes not found yet, and some rate limits answer 403.
    has_refused = status is not None and 400 <= status < 500 and status not in TRANSIENT_STATUSES
    return not (page.entry.has_enough_text and (has_refused or isinstance(error, RequestRefused)))


async def _use_response(page: StoredPage, response: Response, context: WorkerContext, now: datetime) -> PageOutcome:
    """Return the outcome of a page that was fetched. Errors: CleanError, WorkerFailed."""
    # The final URL identifies the article, unless it is a front page.
    key = page.article_id if _is_front_page(response.url) else article_id(normalize_url(response.url))
    if key != page.article_id:
        title = await context.writer.read(article_title, key)
        if title is not None and not await context.writer.read(headlines_among, [key]):
            ours, language = page.entry.title, page.feed.source.language or "und"
            if ours and word_overlap(ours, title, language) < MIN_TITLE_OVERLAP:  # another article, or a wall
                return await _use_feed_text(page, context, Reason(PageKind.OTHER_PAGE, url=response.url), now)
            return DropDuplicate(url=response.url, article_id=key)
    host = host_of(response.url)
    is_own = await _is_own_page(page.feed, host, context)
    processed = await _clean_in_worker(page, response, context, now, is_own=is_own)
    if not is_own:  # what the feed says of another outlet's article is not that outlet's word
        page = replace(page, entry=Entry(guid=page.entry.guid, url=page.entry.url, title=""))
    longer = await _feed_text_if_longer(page, processed, context)
    if longer is None:
        return _new_article(page, processed, key, host, context, now)
    reason = Reason(PageKind.FEED_TEXT_LONGER)
    return _new_article(page, longer, key, host, context, now, from_feed=True, feed_reason=reason)


async def _is_own_page(feed: Feed, host: str, context: WorkerContext) -> bool:
    """Whether a page of `host` belongs to the source of the feed that lists it."""
    if is_on_site(feed, host) or not owns_page(feed, host):
        return is_on_site(feed, host)
    owner = await context.writer.read(find_owner, host, [feed])
    return owner is not None and owner.id == feed.id


async def _use_feed_text(
    page: StoredPage, context: WorkerContext, reason: Reason, now: datetime, *, is_fallback: bool = True
) -> PageOutcome:
    """
    Return the feed's own text as the article, with `reason` as its `feed_reason` if `is_fallback`.

    If the feed has too little text, the article is its headline alone, for that reason: under the name of the page's
    outlet, which a feed of another neither dates nor signs. Without a title, the page is given up. So is a mail with
    too little text: it has no page, and its subject is often no news ("Confirm your mail").
    """
    try:
        processed = await _article_from_entry(page, context)
    except WorkerFailed as error:
        return FailPage(reason=Reason(TaskKind.READING_FEED_TEXT, why=error.reason), retry_at=None)
    if not processed.cleaned.title or not (processed.cleaned.text or page.feed.source.has_pages):
        return FailPage(reason=reason, retry_at=None)
    fallback_reason = reason if is_fallback or not processed.cleaned.text else None
    if not processed.cleaned.text and page.url and not await _is_own_page(page.feed, host_of(page.url), context):
        page = replace(page, entry=Entry(guid=page.entry.guid, url=page.entry.url, title=""))
        cleaned = replace(processed.cleaned, authors=(), image=None)
        processed = replace(processed, cleaned=cleaned)
    return _new_article(
        page, processed, page.article_id, page.host, context, now, from_feed=True, feed_reason=fallback_reason
    )


async def _decide_recheck(
    page: StoredPage, context: WorkerContext, session: HostSession, now: datetime, *, is_allowed: bool
) -> PageOutcome:
    """
    Fetch the page of a stored article again, and return the outcome.

    The article itself is not changed, unless only its headline is known: then it becomes what the page has.
    """
    if not is_allowed or not should_fetch_page(page, context):
        return EndRecheck()
    # Its page could not be fetched before: that it still cannot says nothing about the article.
    stored = (await context.writer.read(articles_by_id, [page.article_id])).get(page.article_id)
    is_headline = stored is not None and stored.from_feed and stored.is_headline_only
    try:
        response = await session.get_page(page.url, source=page.feed.source.url)
        context.connectivity.record_success(page.url)
        if isinstance(response, CrossHostRedirect):  # a page that moves a second time is not followed
            return MoveToHost(url=response.url) if page.url == page.entry.guid else EndRecheck()
        if _is_front_page(response.url) and not _is_front_page(page.url):
            return EndRecheck() if is_headline else PageMissing(reason=Reason(PageKind.FRONT_PAGE))
        if is_headline:
            host = host_of(response.url)
            is_own = await _is_own_page(page.feed, host, context)
            processed = await _clean_in_worker(page, response, context, now, is_own=is_own)
            return _new_article(page, processed, page.article_id, host, context, now)
        return await _compare_versions(page, response, context, now)
    except FetchError as error:
        if isinstance(error, HttpStatusError) and error.status in MISSING_STATUSES and not is_headline:
            return PageMissing(reason=error.reason)
        if await context.connectivity.is_to_blame(error, since=now):
            return WaitForNetwork()
        await block_host(error, context, implied=FIRST_PAGE_RETRY, longest=MAX_PAGE_BLOCK)
        return EndRecheck()
    except (CleanError, WorkerFailed):  # a wall or another page: it shows nothing about the article
        return EndRecheck()


async def _compare_versions(page: StoredPage, response: Response, context: WorkerContext, now: datetime) -> EndRecheck:
    """Clean a page anew; return that it is the same, or its revision. Errors: CleanError, WorkerFailed."""
    cleaned = (await _clean_in_worker(page, response, context, now)).cleaned
    title, text = replace_surrogates(cleaned.title), replace_surrogates(cleaned.text)
    before = await context.writer.read(pages.latest_version, page.article_id)
    if before is None or not text:
        return EndRecheck(outcome="same")
    old_title, old_text, cut = before
    text = _undo_new_cuts(old_text, text, cut, {replace_surrogates(block.text) for block in cleaned.removed})
    if (title, text) == (old_title, old_text):
        return EndRecheck(outcome="same")
    revision = Revision(article_id=page.article_id, at=now, kind="changed", title=title, text=text)
    return EndRecheck(outcome="changed", revision=revision)


def _undo_new_cuts(old: str, new: str, old_cuts: Container[str], new_cuts: Container[str]) -> str:
    """
    Return the new text of a page as if the same lines had been cut from it as from the old one.

    What is cut depends on the site's other pages, so a line that is cut from one version only is no change of the page.
    """
    before, after = old.split("\n"), new.split("\n")
    lines: list[str] = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal":
            lines += before[start:end]
        else:
            lines += [line for line in before[start:end] if line in new_cuts]
            lines += [line for line in after[new_start:new_end] if line not in old_cuts]
    return "\n".join(lines)


async def _clean_in_worker(
    page: StoredPage, response: Response, context: WorkerContext, now: datetime, *, is_own: bool = True
) -> tasks.ProcessedPage:
    """Return the cleaned article of a fetched page; `is_own` as `_is_own_page`. Errors: CleanError, WorkerFailed."""
    site = await context.writer.read(load_site_blocks, host_of(response.url))
    # Of a page that is not its own, the languages of the feed say nothing.
    languages = await context.writer.read(count_languages, page.feed.id) if is_own else {}
    args = (response, page.entry, page.feed.source.language, languages, site, context.site_rules, now, is_own)
    keeps_page = context.store.pages == "cited"
    return await context.pool.run(tasks.clean_page, *args, keeps_page, limit_s=CLEAN_LIMIT_S)


async def _article_from_entry(page: StoredPage, context: WorkerContext) -> tasks.ProcessedPage:
    """Return the article made from the entry's own text in the feed. Errors: WorkerFailed."""
    url = page.url or (page.entry.guid if page.entry.guid.startswith("mid:") else hide_secrets(page.feed.source.url))
    languages = await context.writer.read(count_languages, page.feed.id)
    args = (page.entry, url, page.feed.source.language, languages)
    return await context.pool.run(tasks.clean_entry, *args, limit_s=CLEAN_LIMIT_S)


async def _feed_text_if_longer(
    page: StoredPage, processed: tasks.ProcessedPage, context: WorkerContext
) -> tasks.ProcessedPage | None:
    """Return the feed's text if it is clearly longer than the page's (a paywall's teaser, for example), else None."""
    cleaned = processed.cleaned
    min_chars = (1.1 if cleaned.is_truncated else 1.5) * len(cleaned.text)
    if len(page.entry.text) <= min_chars:
        return None
    try:
        other = await _article_from_entry(page, context)
    except WorkerFailed:
        return None  # the page's text is good, even if the feed's cannot be parsed
    merged = replace(
        other.cleaned,
        title=cleaned.title,
        agency=cleaned.agency,
        dateline=cleaned.dateline,
        published_at=cleaned.published_at,
        language=cleaned.language or other.cleaned.language,
    )
    return replace(other, cleaned=merged, page_record=processed.page_record)


def _is_front_page(url: str) -> bool:
    return urlsplit(url).path in ("", "/")


def _new_article(
    page: StoredPage,
    processed: tasks.ProcessedPage,
    key: str,
    host: str,
    context: WorkerContext,
    now: datetime,
    *,
    from_feed: bool = False,
    feed_reason: Reason | None = None,
) -> NewArticle:
    """
    Return the article of a page.

    A text of a feed about a page of another site is an article apart: that page may still be stored as its outlet's.
    """
    source, cleaned = page.feed.source, processed.cleaned
    if from_feed and cleaned.text and page.url and not is_on_site(page.feed, host_of(page.url)):
        key = feed_text_id(page.feed, page.entry)
    article = Article(
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
        published_at=min(_choose_published_at(page, cleaned.published_at, context), now),
        fetched_at=context.now(),
        from_feed=from_feed,
        feed_reason=feed_reason,
        removed=cleaned.removed,
    )
    return NewArticle(
        article=article,
        feed_id=page.feed.id,
        packed=processed.packed,
        block_hashes=() if from_feed else cleaned.block_hashes,
        page_record=processed.page_record,
    )


def _choose_published_at(page: StoredPage, on_page: datetime | None, context: WorkerContext) -> datetime:
    """Return when an article was published: as its feed says, else as its page says, else when it was first seen."""
    in_feed = page.entry.published_at
    options = context.request_options.get(page.feed.source.url)
    if options is not None and options.page is not None:
        # The entry is an item in the list of a page: its date often has no time of day, or no zone.
        return on_page or in_feed or page.added_at
    return in_feed or on_page or page.added_at
