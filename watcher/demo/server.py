"""Serves the demo outlets on loopback, each at its own address, and returns settings for them."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watcher.demo.model import PrintedOutlet, library
from watcher.demo.pages import answer_path
from watcher.settings.edit import row_lines, source_row, to_toml
from watcher.settings.models import SourceSettings

NETWORK = "127.9.0"  # one address per outlet, so that each is a host; Linux and Windows have all of 127.0.0.0/8
LOOPBACK = "127.0.0.1"  # if these are missing (macOS): one address, one port per outlet


class DemoServer(uvicorn.Server):
    """A server of the demo outlets, used as an async context manager; `now` is the end of day number `day`."""

    def __init__(self, *, now: datetime) -> None:
        app = Starlette(routes=[Route("/{path:path}", self.answer)], middleware=[Middleware(GZipMiddleware)])
        quiet: dict[str, Any] = {"log_config": None, "log_level": "critical", "access_log": False}
        super().__init__(uvicorn.Config(app, ws="none", lifespan="off", timeout_graceful_shutdown=1, **quiet))
        self.port = 0  # while serving, that of the first outlet: a server started there again has the same URLs
        self.now, self.day = now, 1
        self.sites: dict[str, PrintedOutlet] = {}  # by host:port

    @property
    def sources(self) -> tuple[SourceSettings, ...]:
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
            for site in self.sites.values()
        )

    @property
    def allow_private(self) -> tuple[str, ...]:
        return tuple(self.sites)

    def settings_toml(self, *, host_delay: str) -> str:
        """Return `[fetch]` and `[[sources]]` for the running server, as TOML."""
        fetch = ["[fetch]", f"allow_private = {to_toml(self.allow_private)}", f"host_delay = {to_toml(host_delay)}"]
        return "\n".join([*fetch, *(line for source in self.sources for line in ("", *row_lines(source))), ""])

    async def __aenter__(self) -> Self:
        sockets = []
        for number, outlet in enumerate(library().outlets):
            listener = self._bind(number)
            sockets.append(listener)
            host, port = listener.getsockname()
            self.port = self.port or port
            base = f"http://{host}:{port}"
            self.sites[f"{host}:{port}"] = library().print_outlet(outlet, base=base, now=self.now, day=self.day)
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
        """Return a socket at an address of its own, else at a port of its own."""
        # With the protocol given, asyncio disables Nagle's algorithm, which delays the body after the head.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((f"{NETWORK}.{number + 1}", self.port))
        except OSError:
            listener.bind((LOOPBACK, 0))
        return listener

    async def answer(self, request: Request) -> Response:
        host, port = request.scope["server"]
        return answer_path(self.sites[f"{host}:{port}"], request.url.path)
