"""Reads the site at an address for the page that adds a source: which feeds it has, and what they would bring."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from threading import Lock
from typing import Any

from watcher.errors import SettingsError, WatcherError
from watcher.settings.edit import sources_by_key
from watcher.settings.models import Settings
from watcher.text.format import format_count
from watcher.text.urls import hide_secrets, is_web, normalize_url
from watcher.worker import proposals
from watcher.worker.inspect import Discovery, discover, open_prober

LAST_REQUEST_S, LOOK_S = 10.0, 17.0  # no request is made after the first; a page may take 20 s in all
SHOWN_ENTRIES = 5  # of a feed
_looking = Lock()  # one site at a time, so that the other pages are made meanwhile


def look_for_sources(typed: str, settings: Settings) -> dict[str, Any]:
    """Return what the site at an address has, for the template. Errors: SettingsError, WatcherError."""
    urls = proposals.candidate_urls(typed)
    command = f"watcher sources discover {urls[0]}"
    if not is_web(urls[0]):
        raise SettingsError((), "only a feed or a site on the web can be added here", hint=command)
    if not _looking.acquire(blocking=False):
        raise WatcherError("another address is being read: wait a few seconds, then try again")
    try:
        discovery = asyncio.run(_discover(urls, settings))
    except TimeoutError:
        raise WatcherError(f"{urls[0]} did not answer within {LOOK_S:.0f} s", hint=command) from None
    finally:
        _looking.release()
    sources = list(_propose(discovery, settings))
    notes = [] if sources else [proposals.no_feed_message(discovery)]
    if unread := sum(not one.report and one.found_by != "guessed" for one in discovery.candidates):
        notes.append(f"{format_count(unread, 'link')} of the site could not be read in this time: {command} reads more")
    return {"sources": sources, "notes": notes}


async def _discover(urls: tuple[str, ...], settings: Settings) -> Discovery:
    async with asyncio.timeout(LOOK_S), open_prober(settings, lambda _url: None) as prober:
        prober.last_request_at = prober.now() + timedelta(seconds=LAST_REQUEST_S)
        return await discover(urls, prober)


def _propose(discovery: Discovery, settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield what the page shows of each source that can be added. `known`: the name of the source that has its URL."""
    feeds = proposals.feeds_of_articles(discovery)
    found = [(proposals.feed_row(feed), feed.report, feed.probe, proposals.WAYS[feed.found_by]) for feed in feeds]
    if discovery.items:
        row, way = proposals.list_row(discovery), "the list of articles on the page"
        found.append((row, discovery.items[1], discovery.page, way))
    sources_by_url = sources_by_key(settings)
    for row, report, probe, way in found:
        assert report and probe
        existing, entries = sources_by_url.get(normalize_url(row.url)), report.feed.entries
        yield {
            "row": row,
            "name": row.name or hide_secrets(row.url),
            "facts": [
                ("Address", f"{hide_secrets(row.url)} ({way})"),
                ("Has", proposals.describe_entries(report, probe.at)),
                *([("Texts", proposals.describe_texts(report, wants_full_text=row.full_text))] if entries else []),
                *(("Problem", problem) for problem in proposals.find_problems(report, probe.at)),
            ],
            "entries": entries[:SHOWN_ENTRIES],
            "known": existing.source().name if existing else "",
        }
