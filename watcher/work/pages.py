"""One article page: fetched, cleaned in a worker process and stored; or the feed's own text in its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection

from watcher.errors import BadStatus, CleanError, FetchError, Refused, TooLarge
from watcher.model import Article, Cleaned, NotModified, Response
from watcher.net.client import ACCEPT_PAGE
from watcher.store.articles import Packed, add_article, has_article, site_blocks
from watcher.store.hosts import block
from watcher.store.pages import Page, page_done, page_failed
from watcher.text.urls import article_id, host_of, normal
from watcher.work import tasks
from watcher.work.events import Event, PageFailed, PageKnown, PageStored
from watcher.work.pool import WorkerFailed
from watcher.work.tools import Tools

CLEAN_LIMIT_S = 15.0
MAX_TRIES = 5
MAX_FAULTS = 2  # tries of a page whose cleaning hung or took its process down
FIRST_RETRY = timedelta(minutes=10)  # then doubled
FEED_TEXT_MIN = 80  # characters of the feed's own text that are worth an article where the page is not to be had


async def get_page(page: Page, tools: Tools, *, allowed: bool = True) -> bool:
    """
    Bring the article of `page` into the store, or write down why not; return whether its host was asked.

    Args:
        allowed: False if robots.txt forbids the page: then the feed's own text has to do.
    """
    started = tools.now()
    source = page.feed.source
    if not page.url or not tools.fetch.articles or (source.full_text and page.entry.content):
        reason = "the feed carries no text and pages are not fetched"
        await store_entry(page, tools, reason=reason, at=started, asked=False)
        return False
    if not allowed:
        await store_entry(page, tools, reason="robots.txt forbids the page", at=started)
        return False
    try:
        answer = await tools.client.get(page.url, accept=ACCEPT_PAGE, keep_alive=True)
        if isinstance(answer, NotModified):
            raise FetchError(page.url, "answered 304 to a first request")
        await store_page(page, answer, tools, at=started)
    except FetchError as error:
        await page_missed(page, error, tools, at=started)
    except CleanError as error:
        await store_entry(page, tools, reason=error.reason, at=started)
    except WorkerFailed as error:
        if page.tries + 1 < MAX_FAULTS:  # a process may have been ended from outside: a page is blamed the second time
            await later(page, tools, reason=f"cleaning it {error}", at=started + FIRST_RETRY)
        else:
            await store_entry(page, tools, reason=f"cleaning it {error}", at=started)
    return True


async def store_page(page: Page, answer: Response, tools: Tools, *, at: datetime) -> None:
    """Clean the page that came and store its article. Errors: CleanError, WorkerFailed."""
    key = identity(page, answer)
    if key != page.article_id and await tools.writer.read(lambda c: has_article(c, key)):
        await tools.writer.do(lambda c: page_done(c, page.article_id))
        tools.tell(PageKnown(url=answer.url, outlet=page.feed.source.name))
        return
    site = await tools.writer.read(lambda c: site_blocks(c, host_of(answer.url)))
    task = tasks.PageTask(
        body=answer.body,
        content_type=answer.header("content-type"),
        url=answer.url,
        entry=page.entry,
        language=page.feed.source.language,
        site=site,
        now=at,
    )
    made = await tools.pool.run(tasks.clean_page, task, limit_s=CLEAN_LIMIT_S)
    longer = await longer_in_feed(page, made, tools)
    why = None if longer is None else "the feed carries more of the text than the page"
    host = host_of(answer.url)
    await store(page, longer or made, key, tools, at=at, from_feed=longer is not None, host=host, feed_reason=why)


def identity(page: Page, answer: Response) -> str:
    """Return the id of the article that came: where redirects led is what it is, unless they led to a front page."""
    return page.article_id if urlsplit(answer.url).path in ("", "/") else article_id(normal(answer.url))


async def longer_in_feed(page: Page, made: tasks.Made, tools: Tools) -> tasks.Made | None:
    """Return the feed's own text if it says clearly more than the page: a paywall's teaser, say."""
    if len(page.entry.content) <= 2 * len(made.cleaned.text):
        return None
    other = await from_entry(page, tools)
    if len(other.cleaned.text) <= 1.5 * len(made.cleaned.text):
        return None
    keep = made.cleaned
    merged = replace(
        other.cleaned, title=keep.title, agency=keep.agency, dateline=keep.dateline, published_at=keep.published_at
    )
    return replace(other, cleaned=replace(merged, language=keep.language or merged.language))


async def from_entry(page: Page, tools: Tools) -> tasks.Made:
    """Return the article as the feed carries it."""
    url = page.url or page.feed.source.url
    args = (page.entry, url, page.feed.source.language)
    return await tools.pool.run(tasks.clean_entry, *args, limit_s=CLEAN_LIMIT_S)


async def store_entry(page: Page, tools: Tools, *, reason: str, at: datetime, asked: bool = True) -> None:
    """
    Store the feed's own text as the article; if there is too little of it, give the page up with `reason`.

    Args:
        asked: The page should have been had, so that `reason` is kept beside the article.
    """
    try:
        made = await from_entry(page, tools)
    except WorkerFailed as error:
        reason, made = f"reading the feed's text {error}", None
    if made is None or len(made.cleaned.text) < FEED_TEXT_MIN or not made.cleaned.title:
        await tools.writer.do(lambda c: page_failed(c, page.article_id, reason=reason, next_try_at=None))
        tools.tell(PageFailed(url=page.url, outlet=page.feed.source.name, reason=reason, final=True))
        return
    why = reason if asked else None
    await store(page, made, page.article_id, tools, at=at, from_feed=True, host=page.host, feed_reason=why)


async def page_missed(page: Page, error: FetchError, tools: Tools, *, at: datetime) -> None:
    """Try a failed page again later, or make do with the feed's own text if it is gone for good."""
    if error.retry_after_s is not None:
        until = at + timedelta(seconds=error.retry_after_s)
        await tools.writer.do(lambda c: block(c, page.host, until=until))
    if is_final(error) or page.tries + 1 >= MAX_TRIES:
        await store_entry(page, tools, reason=error.reason, at=at)
        return
    again = at + max(FIRST_RETRY * 2**page.tries, timedelta(seconds=error.retry_after_s or 0))
    await later(page, tools, reason=error.reason, at=again)


async def later(page: Page, tools: Tools, *, reason: str, at: datetime) -> None:
    """Try a page again at a time."""
    await tools.writer.do(lambda c: page_failed(c, page.article_id, reason=reason, next_try_at=at))
    tools.tell(PageFailed(url=page.url, outlet=page.feed.source.name, reason=reason, final=False))


def is_final(error: FetchError) -> bool:
    """Whether asking again would bring the same: gone, refused, forbidden."""
    if isinstance(error, BadStatus):
        return error.permanent or (400 <= error.status < 500 and error.status not in (408, 425, 429))
    return error.permanent or isinstance(error, Refused | TooLarge)


async def store(
    page: Page,
    made: tasks.Made,
    key: str,
    tools: Tools,
    *,
    at: datetime,
    from_feed: bool,
    host: str,
    feed_reason: str | None,
) -> None:
    """Write the article down and forget the page, in one transaction."""
    article = replace(
        article_of(page, made.cleaned, key, at=at, host=host), from_feed=from_feed, feed_reason=feed_reason
    )
    packed = Packed(version=made.version, payload=made.payload)
    hashes = () if from_feed else made.cleaned.block_hashes
    event: Event = PageStored(
        url=article.url, outlet=article.outlet, from_feed=from_feed, took_s=(tools.now() - at).total_seconds()
    )

    def write(connection: Connection) -> bool:
        added = add_article(connection, article, feed_id=page.feed.id, packed=packed, block_hashes=hashes)
        page_done(connection, page.article_id)
        return added

    if not await tools.writer.do(write):
        event = PageKnown(url=article.url, outlet=article.outlet)
    tools.tell(event)


def article_of(page: Page, cleaned: Cleaned, key: str, *, at: datetime, host: str) -> Article:
    """Return the article to store: dated by the feed, else the page, else by when it was first seen; never ahead."""
    source = page.feed.source
    published = page.entry.published_at or cleaned.published_at or page.noted_at
    return Article(
        id=key,
        url=cleaned.url,
        host=host,
        outlet=source.name,
        title=cleaned.title,
        text=cleaned.text,
        language=cleaned.language or source.language or "und",
        country=source.country,
        section=source.section,
        owner=source.owner,
        authors=cleaned.authors or page.entry.authors,
        agency=cleaned.agency,
        dateline=cleaned.dateline,
        image=cleaned.image or page.entry.image,
        kind=cleaned.kind,
        published_at=min(published, at),
        fetched_at=at,
        removed=cleaned.removed,
    )
