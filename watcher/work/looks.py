"""A page that was cited, looked at again: unchanged, changed, or gone."""

from __future__ import annotations

import logging
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from watcher.errors import BadStatus, CleanError, FetchError, StoreError
from watcher.model import Elsewhere, Response, Revision
from watcher.net.client import ACCEPT_PAGE
from watcher.store.pages import Page, page_moved
from watcher.store.revisions import last_version, looked, missed
from watcher.text.fields import fields
from watcher.text.urls import host_key
from watcher.text.wellformed import well_formed
from watcher.work.events import PageLookedAt
from watcher.work.pages import cleaned_page, is_our_line
from watcher.work.pool import PoolBroken, WorkerFailed
from watcher.work.tools import Tools

log = logging.getLogger("watcher.work")
MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})


async def look_again(page: Page, tools: Tools) -> None:
    """
    Look at the page of a stored article and write down what it says otherwise; the article itself stays as it is.

    Errors: StoreError, PoolBroken: what is no fault of the page.
    """
    at = tools.now()
    try:
        answer = await tools.client.get_here(page.url, accept=ACCEPT_PAGE)
        tools.line.worked(page.url)
        if isinstance(answer, Elsewhere):
            await send_on(page, answer.url, tools, at=at)
        elif _is_front(answer.url) and not _is_front(page.url):
            await not_there(page, tools, at=at, reason="it leads to the front page")
        else:
            await compare(page, answer, tools, at=at)
    except BadStatus as error:
        if error.status in MISSING:
            await not_there(page, tools, at=at, reason=error.reason)
        else:
            await not_to_be_had(page, error, tools, at=at)
    except FetchError as error:
        await not_to_be_had(page, error, tools, at=at)
    except (CleanError, WorkerFailed):  # a wall, or something else altogether: it says nothing of the article
        await tools.writer.do(looked, page.article_id, now=at, found=None)
    except (StoreError, PoolBroken):
        raise
    except Exception as error:
        log.error("look_fault %s", fields(page=page.url, error=repr(error)), exc_info=log.isEnabledFor(logging.DEBUG))
        await tools.writer.do(looked, page.article_id, now=at, found=None)


async def leave_be(page: Page, tools: Tools) -> None:
    """Pass over a page that may not be asked for."""
    await tools.writer.do(looked, page.article_id, now=tools.now(), found=None)


async def send_on(page: Page, url: str, tools: Tools, *, at: datetime) -> None:
    """Hand a page that is at another host to that host's visits; one that goes on moving is let be."""
    if page.url != page.entry.guid:
        await tools.writer.do(looked, page.article_id, now=at, found=None)
        return
    await tools.writer.do(page_moved, page.article_id, url=url, host=host_key(url))


async def compare(page: Page, answer: Response, tools: Tools, *, at: datetime) -> None:
    """Clean the page that came, and keep it if title or text are others than before. Errors: CleanError."""
    made = await cleaned_page(page, answer, tools, at=at)
    title, text = well_formed(made.cleaned.title), well_formed(made.cleaned.text)
    before = await tools.writer.read(last_version, page.article_id)
    found = None
    if before is not None and text and (title, text) != before:
        found = Revision(article_id=page.article_id, at=at, kind="changed", title=title, text=text)
    await tools.writer.do(looked, page.article_id, now=at, found=found)
    tools.tell(PageLookedAt(url=page.url, outlet=page.feed.source.name, outcome=found.kind if found else "same"))


async def not_there(page: Page, tools: Tools, *, at: datetime, reason: str) -> None:
    """Note a page that is missing; the second time in a row it is gone."""
    if not await tools.writer.do(missed, page.article_id, now=at, reason=reason):
        return
    found = Revision(article_id=page.article_id, at=at, kind="gone")
    await tools.writer.do(looked, page.article_id, now=at, found=found)
    tools.tell(PageLookedAt(url=page.url, outlet=page.feed.source.name, outcome="gone"))


async def not_to_be_had(page: Page, error: FetchError, tools: Tools, *, at: datetime) -> None:
    """Let a page be that cannot be had now: it says nothing of the article. A host that asks for a rest has it."""
    if await is_our_line(page, error, tools, at=at):
        return
    await tools.writer.do(looked, page.article_id, now=at, found=None)


def _is_front(url: str) -> bool:
    return urlsplit(url).path in ("", "/")
