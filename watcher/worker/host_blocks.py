"""Blocks a host that asked for a pause, or that cannot be reached."""

from datetime import timedelta
from http import HTTPStatus

from watcher.errors import FetchError, HttpStatusError
from watcher.feeds.schedule import LONGEST_HOLD_S
from watcher.store.hosts import set_blocked_until
from watcher.text.urls import host_of
from watcher.worker.context import WorkerContext

MAX_FEED_BLOCK = timedelta(seconds=LONGEST_HOLD_S)  # that a feed's Retry-After can ask for
MAX_PAGE_BLOCK = timedelta(hours=1)  # that a page or a robots.txt can ask for: no page stops the host's feeds for days


async def block_host(
    error: FetchError, context: WorkerContext, *, implied: timedelta, longest: timedelta = MAX_FEED_BLOCK
) -> None:
    """
    Block a host for its Retry-After, at most `longest`, or for `implied` if it was unreachable or answered 429 without.

    Of a shared platform, only the site that answered is blocked, not the others, which have other owners.
    """
    status = error.status if isinstance(error, HttpStatusError) else None
    if error.retry_after_s is not None:
        rest = min(timedelta(seconds=error.retry_after_s), longest)
    elif error.no_connection or status == HTTPStatus.TOO_MANY_REQUESTS:
        rest = implied
    else:
        return
    await context.writer.do(set_blocked_until, host_of(error.answered_by), until=context.now() + rest)
