"""The press on loopback: a server with an address an outlet, started and stopped as an async context; its settings."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watcher.demo.site import OutletSite
from watcher.demo.texts import library
from watcher.settings.edit import row_lines, source_row, to_toml
from watcher.settings.models import SourceSettings

NETWORK = "127.9.0"  # an address an outlet, as its own host; Linux and Windows have all of 127.0.0.0/8
LOOPBACK = "127.0.0.1"  # where they are missing (macOS): one address, a port an outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """One request that was answered, for tests of manners. Names of `headers` are in lower case."""

    at: datetime
    host: str
    path: str
    headers: Mapping[str, str]
    status: int


class DemoServer(uvicorn.Server):
    """
    The sample press, serving while the context is entered.

    Args:
        now: The hour of printing: articles appeared so and so long before it.
        port: Of every outlet's address; 0 takes a free one.
        day: How many days have been printed; `now` is the end of the last.
    """

    def __init__(self, *, now: datetime, port: int = 0, day: int = 1) -> None:
        app = Starlette(routes=[Route("/{path:path}", self._answer)], middleware=[Middleware(GZipMiddleware)])
        quiet: dict[str, Any] = {"log_config": None, "log_level": "critical", "access_log": False}
        super().__init__(uvicorn.Config(app, ws="none", lifespan="off", timeout_graceful_shutdown=1, **quiet))
        self.requests: list[DemoRequest] = []
        self.port = port  # once it serves, the first outlet's: a press started there again has the same URLs
        self._now, self._day = now, day
        self._sites: dict[str, OutletSite] = {}  # by host:port

    @property
    def sources(self) -> tuple[SourceSettings, ...]:
        """The press as rows of settings, one an outlet, the broken ones among them."""
        return tuple(
            source_row(
                url=site.base + site.outlet.feed_path,
                name=site.outlet.name,
                language=site.outlet.language,
                country=site.outlet.country,
                section=site.outlet.section,
                owner=site.outlet.owner,
                full_text=site.outlet.summaries == "full",
            )
            for site in self._sites.values()
        )

    @property
    def allow_private(self) -> tuple[str, ...]:
        """What a client must be allowed to reach: host:port, one an outlet."""
        return tuple(self._sites)

    def key(self, url: str) -> str:
        """Return the label's key of the page that `url` comes down to; KeyError if no outlet of ours is there."""
        parts = urlsplit(url)
        site = self._sites[parts.netloc]
        return site.outlet.key + site.canonical(parts.path)

    def settings_toml(self, *, host_delay: str | None = None) -> str:
        """Return `[fetch]` and `[[sources]]` for the press that is being served, as TOML."""
        fetch = ["[fetch]", f"allow_private = {to_toml(self.allow_private)}"]
        if host_delay is not None:
            fetch.append(f"host_delay = {to_toml(host_delay)}")
        return "\n".join([*fetch, *(line for source in self.sources for line in ("", *row_lines(source))), ""])

    async def __aenter__(self) -> Self:
        sockets = []
        for number, outlet in enumerate(library().outlets):
            listener = self._bind(number)
            sockets.append(listener)
            host, port = listener.getsockname()
            self.port = self.port or port
            base = f"http://{host}:{port}"
            self._sites[f"{host}:{port}"] = OutletSite(outlet, base=base, now=self._now, day=self._day)
        self._task = asyncio.create_task(self.serve(sockets))
        while not self.started:
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.should_exit = True
        await self._task

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def _bind(self, number: int) -> socket.socket:
        """Return a socket at the first address to be had: its own host, one host's next port, any port of it."""
        # With the protocol named, asyncio turns off Nagle's delay of the body behind its head.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        beside = self.port + number if self.port else 0
        for address in ((f"{NETWORK}.{number + 1}", self.port), (LOOPBACK, beside)):
            with suppress(OSError):
                listener.bind(address)
                return listener
        listener.bind((LOOPBACK, 0))
        return listener

    async def _answer(self, request: Request) -> Response:
        host, port = request.scope["server"]
        response = self._sites[f"{host}:{port}"].answer(request.url.path)
        if is_current(request.headers, response.headers):
            known = {name: value for name, value in response.headers.items() if name in ("etag", "last-modified")}
            response = Response(status_code=304, headers=known)
        asked = DemoRequest(
            at=datetime.now(UTC),
            host=request.headers["host"],
            path=request.url.path,
            headers=request.headers,
            status=response.status_code,
        )
        self.requests.append(asked)
        return response


def is_current(asked: Mapping[str, str], answer: Mapping[str, str]) -> bool:
    """Whether a request gives back the validators of an answer (RFC 9110 §13.2.2: an ETag goes before a date)."""
    if "etag" in answer and "if-none-match" in asked:
        return asked["if-none-match"] == answer["etag"]
    return "last-modified" in answer and asked.get("if-modified-since") == answer["last-modified"]
