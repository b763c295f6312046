"""Connections that are kept for the next request to the same host, in httpcore's pool: for pages."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpcore

from watcher.net.guard import Guard
from watcher.net.hop import Hop, Place
from watcher.net.streams import Stream
from watcher.net.strict import lowered
from watcher.net.wire import WireError, ours

KEEP_ALIVE_S = 15.0
POOL_CONNECTIONS = 64


class Kept:
    """
    Asks over connections that stay open for a while. Raises the errors of `wire`.

    Args:
        trust: for https.
    """

    def __init__(self, guard: Guard, *, trust: ssl.SSLContext, timeout_s: float) -> None:
        self._timeout = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=POOL_CONNECTIONS,
            max_keepalive_connections=POOL_CONNECTIONS // 4,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=Guarded(guard),
        )

    @asynccontextmanager
    async def get(self, place: Place, target: bytes, headers: Iterable[tuple[str, str]]) -> AsyncIterator[Hop]:
        """Ask for `target` at `place`, and yield the head of the answer."""
        url = httpcore.URL(
            scheme=place.scheme.encode("ascii"), host=place.host.encode("ascii"), port=place.port, target=target
        )
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        request = httpcore.Request("GET", url, headers=raw, extensions={"timeout": self._timeout})
        try:
            response = await self._pool.handle_async_request(request)
            try:
                yield Hop(status=response.status, headers=lowered(response.headers), raw=response.aiter_stream())
            finally:
                await response.aclose()
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise ours(error) from error

    async def aclose(self) -> None:
        """Close all."""
        await self._pool.aclose()


class Guarded(httpcore.AsyncNetworkBackend):
    """The guard in the shape that httpcore asks for."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        with theirs():
            return Line(await self._guard.connect(host, port, timeout))


class Line(httpcore.AsyncNetworkStream):
    """A stream in the shape that httpcore asks for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with theirs():
            return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with theirs():
            await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        with theirs():
            return Line(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        return self._stream.get_extra_info(info)


@contextmanager
def theirs() -> Iterator[None]:
    """Raise our errors as httpcore's of the same name, which it knows how to meet."""
    try:
        yield
    except WireError as error:
        raise getattr(httpcore, type(error).__name__)(str(error)) from error
