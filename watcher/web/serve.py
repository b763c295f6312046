"""Serves an app with uvicorn in the running event loop, with `AuthMiddleware`, at the address in the settings."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from watcher.errors import WatcherError
from watcher.settings.models import MetricsSettings, WebSettings, parse_host_port, read_token
from watcher.web.auth import PEER, AuthMiddleware

MAX_CONNECTIONS = 400  # a browser opens up to six
HEAD_LIMIT_S = 10  # to receive the head of a request, and between two requests of a connection
STALLED_S = 60  # for a client to read on, until of the 64 kB that wait for it 16 kB are left
SHUTDOWN_S = 2  # to finish the current responses
TOO_MANY_CONNECTIONS = PlainTextResponse(
    "too many connections\n", 503, headers={"Retry-After": "2", "Connection": "close"}
)


class BoundedProtocol(asyncio.Protocol):
    """
    A connection that uvicorn's protocol `http` serves, with time limits for sending a request and reading a response.

    `BoundedApp` says when a request has been received and when it has been answered.
    """

    def __init__(self, http: asyncio.Protocol, connections: set["BoundedProtocol"]) -> None:
        """Wrap uvicorn's protocol; `connections` are those that are open."""
        self._http = http
        self._connections = connections
        self._transport: asyncio.Transport
        self._waiting: asyncio.TimerHandle | None = None  # for a request
        self._stalled: asyncio.TimerHandle | None = None  # for the client to read on
        self._answering = 0  # requests: of two that came together, the second may begin before the first has ended
        self.is_surplus = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection; above the limit it is answered with an error, above twice the limit it is closed."""
        self._transport = transport
        self.peer = transport.get_extra_info("peername")
        self._connections.add(self)
        self.is_surplus = len(self._connections) > MAX_CONNECTIONS
        self._http.connection_made(transport)
        if len(self._connections) > 2 * MAX_CONNECTIONS:
            transport.abort()
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        CONNECTION.set(self)  # the task of a request starts in this context
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        return self._http.eof_received()

    def pause_writing(self) -> None:
        self._http.pause_writing()
        self._stalled = asyncio.get_running_loop().call_later(STALLED_S, self._transport.abort)

    def resume_writing(self) -> None:
        self._http.resume_writing()
        self._stop(self._stalled)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._http.connection_lost(exc)
        self._stop(self._stalled, self._waiting)

    def begin_answer(self) -> None:
        self._answering += 1
        self._stop(self._waiting)

    def end_answer(self) -> None:
        self._answering -= 1
        if not self._answering:
            self._wait_for_request()

    def _wait_for_request(self) -> None:
        if not self._transport.is_closing():
            self._waiting = asyncio.get_running_loop().call_later(HEAD_LIMIT_S, self._transport.close)

    def _stop(self, *timers: asyncio.TimerHandle | None) -> None:
        for timer in timers:
            if timer is not None:
                timer.cancel()


CONNECTION: ContextVar[BoundedProtocol] = ContextVar("CONNECTION")  # of the request that is answered


class BoundedApp:
    """Calls an app and tells the connection of the request; a surplus connection gets `TOO_MANY_CONNECTIONS`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell its connection when that begins and ends."""
        connection = CONNECTION.get()
        scope[PEER] = connection.peer
        connection.begin_answer()
        try:
            await (TOO_MANY_CONNECTIONS if connection.is_surplus else self._app)(scope, receive, send)
        finally:
            connection.end_answer()


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
        self._guard.token = read_token(self.settings.token, f"[{self.section}] token")
        if isinstance(self.settings, WebSettings):
            self._guard.guest_token = read_token(self.settings.guest_token, "[web] guest_token")
            self._guard.user_header = self.settings.trust_user_header
            self._guard.proxies = self.settings.trusted_proxies
        if self._task is not None and not self._task.done():
            return False
        listener = _bind_socket(self.settings.listen, section=self.section)
        self._server = Server(_uvicorn_config(self._guard))
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


def _bind_socket(listen: str, *, section: str) -> socket.socket:
    """Return a listening socket at host:port. Errors: WatcherError."""
    address = parse_host_port(listen)
    assert address is not None, listen  # the settings have checked it
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # lets asyncio disable Nagle's algorithm
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(MAX_CONNECTIONS)  # from now on, clients can connect and wait
    except OSError as error:
        listener.close()
        hint = f"set another address as [{section}] listen, or stop the program that listens there"
        message = f"[{section}] listen {listen} cannot be used: {error.strerror or error}"
        raise WatcherError(message, hint=hint) from error
    listener.setblocking(False)
    return listener


def _uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    """
    Return the configuration of uvicorn: without log and Server header, with short time limits.

    X-Forwarded-For and X-Forwarded-Proto count only from the proxies in uvicorn's own variable, by default from nobody:
    otherwise any program on this machine, or a client of a proxy that passes the header on, could choose its address.
    """
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    config = uvicorn.Config(
        BoundedApp(app),
        http="h11",
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
    config.load()
    http, connections = config.http_protocol_class, set[BoundedProtocol]()

    def make_protocol(**options: Any) -> BoundedProtocol:  # noqa: ANN401 - uvicorn's own
        return BoundedProtocol(http(**options), connections)

    config.http_protocol_class = make_protocol  # type: ignore[assignment]
    return config
