"""Serves an app with uvicorn in the running event loop, with `AuthMiddleware`, at the address in the settings."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from watcher.errors import WatcherError
from watcher.settings.models import MetricsSettings, WebSettings, parse_host_port, token_of
from watcher.web.auth import AuthMiddleware

CONNECTIONS = 400  # maximum; a browser opens up to six
HEAD_LIMIT_S = 10  # to receive the head of a request, and between two requests of a connection
STALLED_S = 60  # for a client to read on, until of the 64 kB that wait for it 16 kB are left
SHUTDOWN_S = 2  # to finish the current responses
FULL = PlainTextResponse("too many connections\n", 503, headers={"Retry-After": "2", "Connection": "close"})


class TimeoutProtocol(H11Protocol):
    """uvicorn's protocol with a limit of connections, and time limits for sending a request and reading a response."""

    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > 2 * CONNECTIONS:
            transport.abort()
        elif len(self.connections) > CONNECTIONS:
            self.app = FULL
        self._wait_until(self.loop.time() + self.timeout_keep_alive)

    def data_received(self, data: bytes) -> None:
        timer = self.timeout_keep_alive_task
        deadline = timer.when() if timer else self.loop.time() + self.timeout_keep_alive
        super().data_received(data)
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if self.timeout_keep_alive_task is None and not is_answering:
            self._wait_until(deadline)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()

    def _wait_until(self, deadline: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_at(deadline, self.timeout_keep_alive_handler)


class Server(uvicorn.Server):
    """A uvicorn server that does not install signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """Serves `app` at the address in a settings section ("web" or "metrics"), from `listen` until `close`."""

    def __init__(self, section: str, wanted: WebSettings | MetricsSettings, app: ASGIApp) -> None:
        self.section = section
        self.settings = wanted
        self._guard = AuthMiddleware(app)
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def listen(self) -> bool:
        """Read the token and start serving; False if already serving or without address. Errors: WatcherError."""
        if not self.settings.listen:
            return False
        self._guard.token = token_of(self.settings, section=self.section)
        if self._task is not None and not self._task.done():
            return False
        listener = bind_socket(self.settings.listen, section=self.section)
        self._server = Server(uvicorn_config(self._guard))
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        return True

    async def apply_settings(self, wanted: WebSettings | MetricsSettings, app: ASGIApp | None = None) -> None:
        """Apply new settings, and a new app if given; after a change of the address, call `listen` to serve again."""
        if wanted.listen != self.settings.listen:
            await self.close()
        self.settings = wanted
        self._guard.app = app or self._guard.app

    async def close(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, SHUTDOWN_S + 2)
        self._server = self._task = None


def bind_socket(listen: str, *, section: str) -> socket.socket:
    """Return a listening socket at host:port. Errors: WatcherError."""
    found = parse_host_port(listen)
    assert found is not None, listen  # the settings have checked it
    family = socket.AF_INET6 if ":" in found[0] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # lets asyncio disable Nagle's algorithm
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found)
        listener.listen(CONNECTIONS)  # from now on, clients can connect and wait
    except OSError as error:
        listener.close()
        hint = f"set another address as [{section}] listen, or stop the program that listens there"
        message = f"[{section}] listen {listen} cannot be used: {error.strerror or error}"
        raise WatcherError(message, hint=hint) from error
    listener.setblocking(False)
    return listener


def uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    """
    Return the configuration of uvicorn: without log and Server header, with short time limits.

    X-Forwarded-For and X-Forwarded-Proto count only from the proxies in uvicorn's own variable, by default from nobody:
    otherwise any program on this machine, or a client of a proxy that passes the header on, could choose its address.
    """
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    return uvicorn.Config(
        app,
        http=TimeoutProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # do not log invalid HTTP
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_keep_alive=HEAD_LIMIT_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
