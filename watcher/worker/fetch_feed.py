"""Fetches and parses what a source has new, by the scheme of its URL: a document over HTTP, or mails of a folder."""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from watcher.errors import FetchError
from watcher.feeds.mail import describe_fault, parse_mails
from watcher.feeds.parse import Parts, parse_feed
from watcher.model import Entry, Feed, FolderMails, NotModified, PageSelectors, ParsedFeed, Response, Validators
from watcher.net.client import ACCEPT_FEED, ACCEPT_PAGE
from watcher.net.freshness import Freshness, parse_freshness
from watcher.net.mailbox import fetch_mails
from watcher.text.format import fields
from watcher.worker.context import WorkerContext
from watcher.worker.host_session import HostSession, block_host
from watcher.worker.process_pool import WorkerFailed

log = logging.getLogger("watcher.worker")
PARSE_LIMIT_S = 10.0
MAIL_LIMIT_S = 2.0  # of one mail, if all mails of a poll together took too long; 512 kB take 0.2 s
HASH_CHARS = 32  # of a body; the rest is the hash of the selectors that it was read with


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFeed(ABC):
    """What a source answered to a poll, whatever its scheme: nothing new, or content to parse."""

    url: str
    took_s: float
    validators: Validators  # to be stored, and sent with the next request
    freshness: Freshness
    moved_to: str | None = None
    content_hash: str | None = None  # None if the source says that it has nothing new

    def is_new_to(self, feed: Feed) -> bool:
        """Whether there is content that was not parsed for `feed` before."""
        return self.content_hash is not None and (self.moved_to is not None or self.content_hash != feed.body_hash)

    @abstractmethod
    async def parse(
        self, feed: Feed, context: WorkerContext, session: HostSession, known: Mapping[str, str]
    ) -> tuple[ParsedFeed, bool]:
        """
        Return the parsed content, and whether that is all; `known` as in `parse_feed`.

        Errors: FeedError, WorkerFailed.
        """


async def fetch_feed(feed: Feed, context: WorkerContext, session: HostSession) -> FetchedFeed:
    """Return what the source of a feed has new. Errors: FetchError, MachineError."""
    return await FETCHERS[feed.url.partition(":")[0].lower()](feed, context, session)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedDocument(FetchedFeed):
    """The answer of a server to a request for a feed, or for a page that is a source."""

    answer: Response | NotModified
    page: PageSelectors | None

    async def parse(
        self, feed: Feed, context: WorkerContext, session: HostSession, known: Mapping[str, str]
    ) -> tuple[ParsedFeed, bool]:
        """
        Parse the feed in a worker process, and its parts (such as a sitemap's files); also return if all were read.
        """
        assert isinstance(self.answer, Response)
        body, kind = self.answer.body, self.answer.header("content-type")
        parse = partial(parse_feed, url=self.url, content_type=kind, now=context.now(), known=known, page=self.page)
        parsed = await context.feed_pool.run(parse, body, limit_s=PARSE_LIMIT_S)
        is_complete = all(part.changed_at for part in parsed.parts)
        if not parsed.parts:
            return parsed, is_complete
        parts = await get_parts(parsed, partial(session.get, source=feed.source.url, accept=ACCEPT_FEED))
        if isinstance(error := parts[-1][1], FetchError):
            await block_host(error, context, implied=context.poll.min_every)
        parsed = await context.feed_pool.run(partial(parse, parts=parts), body, limit_s=PARSE_LIMIT_S)
        return parsed, is_complete and not parsed.parts


async def _fetch_document(feed: Feed, context: WorkerContext, session: HostSession) -> FetchedDocument:
    """Return the answer to a conditional request for a feed, or for a page that is a source."""
    options = context.request_options.get(feed.source.url)
    page = options.page if options else None
    # With other selectors than last time, the same page has other entries.
    is_same_page = (feed.body_hash or "")[HASH_CHARS:] == _hash_selectors(page)
    answer = await session.get(
        feed.url,
        source=feed.source.url,
        validators=feed.validators if is_same_page else Validators(),
        accept=ACCEPT_PAGE if page else ACCEPT_FEED,
        delta=page is None,
    )
    validators, max_age_s, content_hash = answer.validators, None, None
    if isinstance(answer, Response):
        content_hash = hashlib.sha256(answer.body).hexdigest()[:HASH_CHARS] + _hash_selectors(page)
    else:
        # A 304 can update validators and freshness, but removes none.
        max_age_s = feed.max_age_s
        validators = Validators(
            etag=validators.etag or feed.validators.etag,
            last_modified=validators.last_modified or feed.validators.last_modified,
        )
    return FetchedDocument(
        url=answer.url,
        took_s=answer.took_s,
        validators=validators,
        freshness=parse_freshness(answer.headers, context.now(), stored_max_age_s=max_age_s),
        moved_to=answer.moved_to,
        content_hash=content_hash,
        answer=answer,
        page=page,
    )


def _hash_selectors(page: PageSelectors | None) -> str:
    return hashlib.sha256(repr(page).encode()).hexdigest()[:16] if page else ""


async def get_parts(index: ParsedFeed, get: Callable[[str], Awaitable[Response | NotModified]]) -> Parts:
    """Return the sitemaps of an index for `parse_feed`, up to the first that cannot be fetched."""
    parts_read = list[tuple[str, bytes | FetchError]]()
    for part in index.parts:
        try:
            answer = await get(part.url)
        except FetchError as error:
            return [*parts_read, (part.url, error)]
        assert isinstance(answer, Response)  # nothing was conditional
        parts_read.append((part.url, answer.body))
    return parts_read


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedMails(FetchedFeed):
    """The new mails of a folder."""

    folder: FolderMails

    async def parse(
        self, feed: Feed, context: WorkerContext, session: HostSession, known: Mapping[str, str]
    ) -> tuple[ParsedFeed, bool]:
        """Parse the mails in a worker process, one by one if that fails; they are always complete."""
        parse = partial(parse_mails, now=context.now(), known=known)
        try:
            parsed = await context.feed_pool.run(parse, self.folder, limit_s=PARSE_LIMIT_S)
        except WorkerFailed:
            parsed = await _parse_each_mail(self.folder, parse, context)
        for fault in parsed.faults:  # the next poll does not read these mails
            log.warning("mail_fault %s", fields(feed=feed.url, reason=fault))
        return parsed, True


async def _fetch_folder(feed: Feed, context: WorkerContext, session: HostSession) -> FetchedMails:
    """Return the mails of a folder that are new since the last poll; the store keeps its state as its ETag."""
    options = context.request_options.get(feed.source.url)
    timeout_s, deadline_s = context.fetch.timeout.total_seconds(), context.fetch.deadline.total_seconds()
    async with session:
        folder = await fetch_mails(
            feed.url, feed.validators.etag or "", options, timeout_s=timeout_s, deadline_s=deadline_s
        )
    has_news = folder.mails or not feed.validators.etag
    content = b"".join(hashlib.sha256(mail).digest() for mail in folder.mails) + repr(folder.faults).encode()
    return FetchedMails(
        url=folder.url,
        took_s=folder.took_s,
        validators=Validators(etag=folder.state),
        freshness=Freshness(),
        content_hash=hashlib.sha256(content).hexdigest()[:HASH_CHARS] if has_news else None,
        folder=folder,
    )


async def _parse_each_mail(
    folder: FolderMails, parse: Callable[[FolderMails], ParsedFeed], context: WorkerContext
) -> ParsedFeed:
    """Parse the mails of a folder one by one: one that takes too much time or memory is a fault, and is passed."""
    parsed = await context.feed_pool.run(parse, replace(folder, mails=()), limit_s=PARSE_LIMIT_S)
    entries, faults = dict[str, Entry](), list(parsed.faults)
    for mail in folder.mails:
        try:
            one = await context.feed_pool.run(parse, replace(folder, mails=(mail,), faults=()), limit_s=MAIL_LIMIT_S)
        except WorkerFailed as error:
            faults.append(describe_fault(mail, f"it {error.reason}"))
        else:
            entries |= {entry.guid: entry for entry in one.entries if entry.guid not in entries}
            faults += one.faults
    return replace(parsed, entries=tuple(entries.values()), faults=tuple(faults))


# By the scheme of the URL of a source.
FETCHERS: Mapping[str, Callable[[Feed, WorkerContext, HostSession], Awaitable[FetchedFeed]]] = {
    "http": _fetch_document,
    "https": _fetch_document,
    "maildir": _fetch_folder,
    "imap": _fetch_folder,
    "imaps": _fetch_folder,
}
