"""A faked network and clock for host visits: answers by URL, and what was asked, with its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import select

from tests.patience import PATIENCE_S
from tests.tools import articles_between
from watcher.model import Source
from watcher.net.client import Client
from watcher.store.feeds import sync_sources
from watcher.store.schema import pages
from watcher.store.writer import read, write
from watcher.worker.context import WorkerContext
from watcher.worker.scheduler import Scheduler

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
FACTS = (
    "The ferry between the two towns runs again, the harbour office said on Monday.",
    "Its engine was taken apart over the winter, and two of its four pistons are new.",
    "Tickets cost as much as last year, and children under six travel without one.",
    "The first boat leaves at six in the morning, the last one shortly before midnight.",
)
LONG_SUMMARY = " ".join(FACTS[:2])


def page_html(title: str) -> str:
    body = "".join(f"<p>{fact} {title}.</p>" for fact in FACTS)
    head = f"<html lang=en><head><title>{title}</title></head>"
    return f"{head}<body><article><h1>{title}</h1>{body}</article></body></html>"


def feed_xml(host: str, titles: list[str], summary: str = "") -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://{host}/{n}</link><guid>{n}</guid><description>{summary}</description>"
        f"<pubDate>Tue, 24 Nov 2026 05:0{n}:00 GMT</pubDate></item>"
        for n, title in enumerate(titles)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><link>https://{host}/</link>{items}</channel></rss>'


@dataclass
class Net:
    """The faked network: answers by URL; all that was asked, with its time."""

    clock: list[datetime]
    answers: dict[str, Callable[[], httpx.Response]] = field(default_factory=dict)
    asked: list[tuple[datetime, str]] = field(default_factory=list)
    everything: Callable[[], httpx.Response] | None = None  # answers in the place of all the rest

    def __call__(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if self.everything is not None:
            return self.everything()
        self.asked.append((self.clock[0], url))
        made = self.answers.get(url)
        if made is None:
            return httpx.Response(404)
        return made()

    def serve(self, url: str, text: str = "", status: int = 200, **headers: str) -> None:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[url] = lambda: httpx.Response(status, text=text, headers=fields)

    def urls(self) -> list[str]:
        return [url for _, url in self.asked]


class FakedNetwork(httpx.MockTransport):
    """Gives answers out as a server does: their bodies are still to be read."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        made = await super().handle_async_request(request)
        return httpx.Response(made.status_code, headers=made.headers, stream=httpx.ByteStream(made.content))


class FakedClient(Client):
    """A client of the faked network, which can connect to all that answers there."""

    def __init__(self, net: Net) -> None:
        self.network = FakedNetwork(net)
        super().__init__(user_agent="Watcher/0", substitute=self.network)

    async def can_connect(self, url: str) -> bool:
        try:
            await self.network.handle_async_request(httpx.Request("GET", url))
        except httpx.TransportError:
            return False
        return True

    async def addresses(self, url: str) -> frozenset[str]:
        return frozenset((str(httpx.URL(url).host),))


@dataclass
class World:
    net: Net
    tools: WorkerContext
    clock: list[datetime]

    def source(self, *hosts: str) -> None:
        rows = [Source(url=f"https://{host}/feed", name=host, language="en") for host in hosts]
        write(self.tools.writer.engine, sync_sources, rows, now=self.clock[0])

    async def drain(self) -> None:
        await asyncio.wait_for(Scheduler(self.tools).drain(), PATIENCE_S)

    def stored(self) -> dict[str, tuple[str, bool]]:
        end = self.clock[0] + timedelta(days=9)
        found = read(self.tools.writer.engine, articles_between, start=START - timedelta(days=9), end=end)
        return {article.title: (article.url, article.from_feed) for article in found}

    def headlines(self) -> dict[str, str]:
        """Return why each headline without a text has none, by headline."""
        end = self.clock[0] + timedelta(days=9)
        found = read(self.tools.writer.engine, articles_between, start=START - timedelta(days=9), end=end)
        return {article.title: str(article.feed_reason) for article in found if not article.text}

    def reasons(self) -> list[tuple[str, bool]]:
        query = select(pages.c.reason, pages.c.next_try_at.is_(None)).order_by(pages.c.url)
        return [
            (str(why), is_final) for why, is_final in read(self.tools.writer.engine, lambda c: c.execute(query).all())
        ]
