"""Serves the site by uvicorn: alone, or in the process that the daemon has for it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import uvicorn
from sqlalchemy import Engine
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from watcher.errors import WatcherError
from watcher.settings.model import Settings
from watcher.web.address import bound
from watcher.web.app import Extra, make_app
from watcher.web.patience import Patient
from watcher.web.site import Site, wings_of

CONNECTIONS = 400  # more are turned away; a browser keeps up to six
KEEP_ALIVE_S = 15
ENDS_S = 2  # that answers under way get at the end


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Lazy:
    """An app that is made when somebody asks for it, anew after `forget`. `asked_at`: when somebody last did."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self.asked_at = time.monotonic()
        self._app: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked_at = time.monotonic()
        try:
            async with self._lock:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._make)
                app = self._app
        except WatcherError as error:
            mend = f"try: {error.mend}\n" if error.mend else ""
            await PlainTextResponse(f"{error}\n{mend}", 503)(scope, receive, send)
            return
        await app(scope, receive, send)

    def forget(self) -> None:
        """Make the app anew for the next who asks."""
        self._app = None


class Served:
    """
    The site while it is served: `listen` until `close`; `change` takes new settings.

    Args:
        extra: As `make_app` takes it.
        on_settings: As `Site` has it.
        form_token: As `Site` has it; None: one of its own for each change of the settings.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        extra: Extra | None = None,
        on_settings: Callable[[], object] = lambda: None,
        form_token: str | None = None,
        protocol: type[Patient] = Patient,
    ) -> None:
        self._settings = settings
        self._protocol = protocol
        more = {"form_token": form_token} if form_token else {}
        self._app = Lazy(
            lambda: make_app(site_of(self._settings, engine, on_settings=on_settings, **more), extra=extra)
        )
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is served."""
        return self._task is not None and not self._task.done()

    @property
    def idle_s(self) -> float:
        """How long nobody has asked for anything."""
        return time.monotonic() - self._app.asked_at

    async def listen(self, listener: socket.socket | None = None) -> bool:
        """
        Serve where the settings say; False if it is served already, or nowhere.

        Args:
            listener: The socket of that address, if it is there already.

        Errors: WatcherError if the address or the token cannot be had.
        """
        wanted = self._settings.web
        if not wanted.listen or self.is_on:
            return False
        if wanted.token is not None:
            wanted.token.reveal()
        listener = listener or bound(wanted.listen)
        self._server = Server(config(self._app, self._protocol))
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        return True

    async def change(self, settings: Settings) -> None:
        """Take new settings; `listen` serves where they say."""
        moved = settings.web != self._settings.web
        self._settings = settings
        self._app.forget()
        if moved:
            await self.close()

    async def close(self) -> None:
        """Stop serving."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, ENDS_S + 2)
        self._server = self._task = None


def site_of(settings: Settings, engine: Engine, **more: Any) -> Site:  # noqa: ANN401 - as `Site` has them
    """Return the site of a store, its clock the system's. Errors: PluginError, StoreError."""
    wings = wings_of(settings, engine)
    return Site(settings=settings, engine=engine, wings=wings, now=lambda: datetime.now(UTC), **more)


def config(app: ASGIApp, protocol: type[Patient]) -> uvicorn.Config:
    """Return how uvicorn serves: it says nothing of itself, and waits for nobody long."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=ENDS_S,
    )
