"""The one place that knows the HTTP library: one request, no redirects, no cookies, raw body; swap it here."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING

import httpcore

from watcher.net.exchange import Exchange
from watcher.net.guard import Allowed, GuardedBackend
from watcher.net.redirects import DEFAULT_PORTS

if TYPE_CHECKING:
    import httpx

KEEP_ALIVE_S = 15.0
POOL_CONNECTIONS = 64
PLAIN = re.compile(r"(https?)://([A-Za-z0-9][A-Za-z0-9.-]{0,252})(?::([0-9]{1,5}))?(?=[/?#]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """The head of one answer, and its raw body to come."""

    status: int
    headers: tuple[tuple[str, str], ...]  # names in lower case
    raw: AsyncIterator[bytes]

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)


class BadUrl(ValueError):
    """A URL that cannot be asked for."""


class Transport:
    """
    Sends single requests.

    httpx's client is left out: it would add cookies, a proxy from the environment, its own spelling of the URL and an
    unbounded decoder. Its pool is quadratic in open requests, so that a request without `keep_alive` gets a
    connection of its own.

    Args:
        substitute: takes the place of the network in tests (`httpx.MockTransport`).
    """

    def __init__(
        self, allowed: Allowed, *, timeout_s: float, substitute: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._backend = GuardedBackend(allowed)
        self._timeout = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        self._substitute = substitute
        self._tls: ssl.SSLContext | None = None
        self._pool: httpcore.AsyncConnectionPool | None = None

    def get(
        self, url: str, target: bytes, headers: list[tuple[str, str]], *, keep_alive: bool
    ) -> AbstractAsyncContextManager[Hop]:
        """
        Ask for `target` (path and query as they go on the wire) at the origin of `url`.

        Raises httpcore's errors, `guard.PrivateAddress`, and `BadUrl`.
        """
        if self._substitute is not None:
            return self._through_substitute(self._substitute, url, headers)
        raw = [(key.encode("ascii"), value.encode("latin-1")) for key, value in headers]
        if keep_alive:
            return self._over_pool(url, target, raw)
        return Alone(lambda: self._connect(place_of(url)[0]), target, raw, timeout_s=self._timeout["read"])

    async def reaches(self, url: str) -> bool:
        """Open a connection to the host of `url` and close it; True, or the error that `get` would raise."""
        if self._substitute is not None:
            async with self._through_substitute(self._substitute, url, []):
                return True
        origin, _ = place_of(url)
        stream = await self._backend.connect_tcp(origin.host.decode("ascii"), origin.port, self._timeout["connect"])
        await stream.aclose()
        return True

    async def aclose(self) -> None:
        """Close what is kept open."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None
        self._backend.close()

    @asynccontextmanager
    async def _over_pool(self, url: str, target: bytes, headers: list[tuple[bytes, bytes]]) -> AsyncIterator[Hop]:
        origin, _ = place_of(url)
        request = httpcore.Request(
            "GET",
            httpcore.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target),
            headers=headers,
            extensions={"timeout": self._timeout},
        )
        response = await self._kept().handle_async_request(request)
        try:
            yield Hop(status=response.status, headers=lowered(response.headers), raw=response.aiter_stream())
        finally:
            await response.aclose()

    async def _connect(self, origin: httpcore.Origin) -> httpcore.AsyncNetworkStream:
        """Return a connection of its own."""
        host = origin.host.decode("ascii")
        timeout_s = self._timeout["connect"]
        stream = await self._backend.connect_tcp(host, origin.port, timeout_s)
        if origin.scheme == b"https":
            stream = await stream.start_tls(self._trust(), host, timeout_s)
        return stream

    def _trust(self) -> ssl.SSLContext:
        if self._tls is None:
            import httpx

            self._tls = httpx.create_ssl_context(trust_env=True)
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _kept(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._trust(),
                max_connections=POOL_CONNECTIONS,
                max_keepalive_connections=POOL_CONNECTIONS // 4,
                keepalive_expiry=KEEP_ALIVE_S,
                network_backend=self._backend,
            )
        return self._pool

    @asynccontextmanager
    async def _through_substitute(
        self, substitute: httpx.AsyncBaseTransport, url: str, headers: list[tuple[str, str]]
    ) -> AsyncIterator[Hop]:
        import httpx

        try:
            response = await substitute.handle_async_request(httpx.Request("GET", url, headers=headers))
            assert isinstance(response.stream, httpx.AsyncByteStream)
            yield Hop(status=response.status_code, headers=lowered(response.headers.raw), raw=aiter(response.stream))
            await response.stream.aclose()
        except httpx.TransportError as error:  # httpcore has an error of the same name for each
            raise getattr(httpcore, type(error).__name__)(str(error)) from error


class Alone(AbstractAsyncContextManager[Hop]):
    """
    One request over a connection of its own, closed at the end.

    A class, since a generator costs the event loop as much again as its frame: it keeps a list of those that are open.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[httpcore.AsyncNetworkStream]],
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        *,
        timeout_s: float,
    ) -> None:
        self._connect, self._target, self._headers, self._timeout_s = connect, target, headers, timeout_s
        self._exchange: Exchange | None = None

    async def __aenter__(self) -> Hop:
        exchange = self._exchange = Exchange(await self._connect(), timeout_s=self._timeout_s)
        try:
            head = await exchange.get(self._target, self._headers)
        except BaseException:
            await exchange.aclose()
            raise
        return Hop(status=head.status_code, headers=lowered(head.headers), raw=exchange.body())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exchange is not None:
            await self._exchange.aclose()


@lru_cache(maxsize=256)  # each fetch asks twice, and each page of a host
def place_of(url: str) -> tuple[httpcore.Origin, str]:
    """
    Return the origin of a URL, and how the Host header spells it: without its default port, IDNA in ASCII.

    Errors: BadUrl.
    """
    found = PLAIN.match(url)
    if found is None:
        import httpx  # late: 80 ms, which https and odd URLs alone should pay

        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise BadUrl(str(error)) from error
        scheme, host, port, name = parts.raw_scheme, parts.raw_host, parts.port, parts.netloc.decode("ascii")
    else:  # nearly all of them, at a tenth of the cost
        scheme, name = found.group(1).encode("ascii"), found.group(2).lower()
        host, port = name.encode("ascii"), int(found.group(3) or DEFAULT_PORTS[found.group(1)])
        if port > 65_535:
            raise BadUrl(f"no port: {port}")
        name = name if port == DEFAULT_PORTS[found.group(1)] else f"{name}:{port}"
    return httpcore.Origin(scheme, host, port or DEFAULT_PORTS[scheme.decode("ascii")]), name


def lowered(raw: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return header pairs as text, one character a byte: what is echoed later goes out as it came in."""
    return tuple((key.decode("ascii", "replace").lower(), value.decode("latin-1")) for key, value in raw)
