"""The one place that knows how a request is sent: one hop, no redirects, no cookies, raw body; swap it here."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING

from watcher.net.exchange import Exchange, Headers
from watcher.net.guard import Allowed, Guard
from watcher.net.hop import Hop, Place
from watcher.net.redirects import DEFAULT_PORTS
from watcher.net.streams import Stream
from watcher.net.wire import ours

if TYPE_CHECKING:
    import httpx

    from watcher.net.kept import Kept

PLAIN = re.compile(r"(https?)://([A-Za-z0-9][A-Za-z0-9.-]{0,252})(?::([0-9]{1,5}))?(?=[/?#]|$)")


class BadUrl(ValueError):
    """A URL that cannot be asked for."""


class Transport:
    """
    Sends single requests.

    httpx's client is left out: it would add cookies, a proxy from the environment, its own spelling of the URL and an
    unbounded decoder. httpcore's pool is quadratic in open requests, so that a request without `keep_alive` gets a
    connection of its own; both libraries are loaded for what needs them alone.

    Args:
        substitute: takes the place of the network in tests (`httpx.MockTransport`).
    """

    def __init__(
        self, allowed: Allowed, *, timeout_s: float, substitute: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._guard = Guard(allowed)
        self._timeout_s = timeout_s
        self._substitute = substitute
        self._tls: ssl.SSLContext | None = None
        self._pool: Kept | None = None

    def get(self, url: str, target: bytes, headers: Headers, *, keep_alive: bool) -> AbstractAsyncContextManager[Hop]:
        """
        Ask for `target` (path and query as they go on the wire) at the place of `url`.

        Raises the errors of `wire`, `guard.PrivateAddress`, and `BadUrl`.
        """
        if self._substitute is not None:
            return through(self._substitute, url, headers)
        if keep_alive:
            return self._kept().get(place_of(url), target, headers)
        return Alone(self, place_of(url), target, headers)

    async def reaches(self, url: str) -> bool:
        """Open a connection to the host of `url` and close it; True, or the error that `get` would raise."""
        if self._substitute is not None:
            async with through(self._substitute, url, []):
                return True
        place = place_of(url)
        stream = await self._guard.connect(place.host, place.port, self._timeout_s)
        await stream.aclose()
        return True

    async def aclose(self) -> None:
        """Close what is kept open."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None
        self._guard.close()

    async def exchange(self, place: Place) -> Exchange:
        """Return one request's worth of a connection of its own."""
        stream: Stream = await self._guard.connect(place.host, place.port, self._timeout_s)
        if place.scheme == "https":
            stream = await stream.start_tls(self._trust(), place.host, self._timeout_s)
        return Exchange(stream, timeout_s=self._timeout_s)

    def _trust(self) -> ssl.SSLContext:
        if self._tls is None:
            import httpx

            self._tls = httpx.create_ssl_context(trust_env=True)
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _kept(self) -> Kept:
        if self._pool is None:
            from watcher.net.kept import Kept

            self._pool = Kept(self._guard, trust=self._trust(), timeout_s=self._timeout_s)
        return self._pool


class Alone(AbstractAsyncContextManager[Hop]):
    """
    One request over a connection of its own, closed at the end.

    A class, since a generator costs the event loop as much again as its frame: it keeps a list of those that are open.
    """

    __slots__ = ("_exchange", "_headers", "_place", "_target", "_transport")

    def __init__(self, transport: Transport, place: Place, target: bytes, headers: Headers) -> None:
        self._transport, self._place, self._target, self._headers = transport, place, target, headers
        self._exchange: Exchange | None = None

    async def __aenter__(self) -> Hop:
        exchange = self._exchange = await self._transport.exchange(self._place)
        try:
            head = await exchange.get(self._target, self._headers)
        except BaseException:
            await exchange.aclose()
            raise
        return Hop(status=head.status, headers=head.headers, raw=exchange.body())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exchange is not None:
            await self._exchange.aclose()


@asynccontextmanager
async def through(substitute: httpx.AsyncBaseTransport, url: str, headers: Headers) -> AsyncIterator[Hop]:
    """Ask what takes the place of the network."""
    import httpx

    from watcher.net.strict import lowered

    try:
        response = await substitute.handle_async_request(httpx.Request("GET", url, headers=list(headers)))
        assert isinstance(response.stream, httpx.AsyncByteStream)
        yield Hop(status=response.status_code, headers=lowered(response.headers.raw), raw=aiter(response.stream))
        await response.stream.aclose()
    except httpx.TransportError as error:
        raise ours(error) from error


@lru_cache(maxsize=256)  # each fetch asks twice, and each page of a host
def place_of(url: str) -> Place:
    """
    Return the place of a URL: its Host header without the scheme's own port, IDNA in ASCII.

    Errors: BadUrl.
    """
    found = PLAIN.match(url)
    if found is not None:  # nearly all of them, at a tenth of the cost
        scheme, host, digits = found.groups()
        host, own = host.lower(), DEFAULT_PORTS[scheme]
        port = own if digits is None else int(digits)
        if port > 65_535:
            raise BadUrl(f"no port: {port}")
        return Place(scheme, host, port, host if port == own else f"{host}:{port}")
    import httpx  # late: 80 ms, which odd URLs alone should pay

    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise BadUrl(str(error)) from error
    scheme, host = parts.scheme, parts.raw_host.decode("ascii")
    return Place(scheme, host, parts.port or DEFAULT_PORTS[scheme], parts.netloc.decode("ascii"))
