"""The press on loopback: an HTTP/1.1 server with an address an outlet, started and stopped as an async context."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import urlsplit

from watcher.demo.model import Outlet
from watcher.demo.site import HttpResponse, OutletSite
from watcher.demo.texts import library
from watcher.model import Source

NETWORK = "127.9.0"  # an address an outlet, as its own host; Linux and Windows have all of 127.0.0.0/8
LOOPBACK = "127.0.0.1"  # where they are missing (macOS): one address, a port an outlet
HEAD_BYTES = 16 * 1024  # of a request, at most
IDLE_S = 60.0  # a connection without a request is closed
GZIP_BYTES = 512  # shorter bodies go as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that was answered, for tests of manners. Names of `headers` are in lower case."""

    at: datetime
    outlet: str
    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    status: int


class DemoServer:
    """
    The sample press, serving while the context is entered.

    Args:
        now: The hour of printing: articles appeared so and so long before it.
        port: Of every outlet's address; 0 takes a free one.
        day: How many days have been printed; `now` is the end of the last.
    """

    def __init__(self, *, now: datetime, port: int = 0, day: int = 1) -> None:
        self.requests: list[Request] = []
        self.port = port  # once it serves, the first outlet's: a press started there again has the same URLs
        self._now, self._day = now, day
        self._sites: dict[str, OutletSite] = {}  # by host:port
        self._servers: list[asyncio.Server] = []
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def sources(self) -> tuple[Source, ...]:
        """The press as rows of settings, one an outlet, the broken ones among them."""
        return tuple(_source(site.outlet, site.base) for site in self._sites.values())

    @property
    def allow_private(self) -> tuple[str, ...]:
        """What a client must be allowed to reach: host:port, one an outlet."""
        return tuple(self._sites)

    def key(self, url: str) -> str:
        """Return the label's key of the page that `url` comes down to; KeyError if no outlet of ours is there."""
        parts = urlsplit(url)
        site = self._sites[parts.netloc]
        return site.outlet.key + site.canonical(parts.path)

    async def __aenter__(self) -> Self:
        try:
            for number, outlet in enumerate(library().outlets):
                await self._start_outlet(number, outlet)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _start_outlet(self, number: int, outlet: Outlet) -> None:
        host, server = await self._start_server(number)
        self._servers.append(server)
        port = server.sockets[0].getsockname()[1]
        self.port = self.port or port
        netloc = f"{host}:{port}"
        self._sites[netloc] = OutletSite(outlet, library(), base=f"http://{netloc}", now=self._now, day=self._day)

    async def _start_server(self, number: int) -> tuple[str, asyncio.Server]:
        """Return the first address that is to be had: its own host, one host's next port, any port of it."""
        beside = self.port + number if self.port else 0
        for host, port in ((f"{NETWORK}.{number + 1}", self.port), (LOOPBACK, beside)):
            with suppress(OSError):
                return host, await asyncio.start_server(self._accept, host, port, limit=HEAD_BYTES)
        return LOOPBACK, await asyncio.start_server(self._accept, LOOPBACK, 0, limit=HEAD_BYTES)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for writer in self._connections.values():
            writer.close()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        host, port = writer.get_extra_info("sockname")[:2]
        try:
            with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while await self._serve(self._sites[f"{host}:{port}"], reader, writer):
                    pass
        finally:
            del self._connections[task]
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, site: OutletSite, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays open."""
        async with asyncio.timeout(IDLE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.split("\r\n")
        method, target, version = [*line.split(" "), "", "", ""][:3]
        pairs = (header.partition(":") for header in rest if ":" in header)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if not target.startswith("/") or not version.startswith("HTTP/1.") or "host" not in headers:
            answer = HttpResponse(status=400)
        elif method not in ("GET", "HEAD"):
            answer = HttpResponse(status=405, headers=(("Allow", "GET, HEAD"),))
        else:
            answer = _conditional(site.answer(target), headers)
        keep = answer.status not in (400, 405) and headers.get("connection", "").lower() != "close"
        self.requests.append(
            Request(
                at=datetime.now(UTC),
                outlet=site.outlet.key,
                host=headers.get("host", ""),
                method=method,
                path=target,
                headers=MappingProxyType(headers),
                status=answer.status,
            )
        )
        writer.write(_message(answer, headers, body=method != "HEAD", keep=keep))
        await writer.drain()
        return keep


def _source(outlet: Outlet, base: str) -> Source:
    return Source(
        url=base + outlet.feed_path,
        name=outlet.name,
        language=outlet.language,
        country=outlet.country,
        section=outlet.section,
        owner=outlet.owner,
        full_text=outlet.summaries == "full",
    )


def _conditional(answer: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    """Return `answer`, or 304 where the client has it already (RFC 9110 §13.2.2: an ETag is asked before a date)."""
    if answer.status != 200:
        return answer
    if "if-none-match" in headers and answer.etag:
        known = {tag.strip().removeprefix("W/") for tag in headers["if-none-match"].split(",")}
        fresh = answer.etag in known or "*" in known
    else:
        fresh = answer.modified_at is not None and _is_since(headers.get("if-modified-since"), answer.modified_at)
    if not fresh:
        return answer
    return HttpResponse(status=304, etag=answer.etag, modified_at=answer.modified_at)


def _is_since(value: str | None, modified_at: datetime) -> bool:
    """Whether an If-Modified-Since names a time at or after `modified_at`."""
    try:
        return value is not None and parsedate_to_datetime(value) >= modified_at
    except (ValueError, TypeError):
        return False


def _message(answer: HttpResponse, asked: Mapping[str, str], *, body: bool, keep: bool) -> bytes:
    """Return the bytes of an answer, gzipped where the client takes it."""
    payload, headers = answer.body, list(answer.headers)
    packed = len(payload) >= GZIP_BYTES and "gzip" in asked.get("accept-encoding", "")
    if packed:
        payload = gzip.compress(payload, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    if answer.etag:
        headers.append(("ETag", f"W/{answer.etag}" if packed else answer.etag))
    if answer.modified_at:
        headers.append(("Last-Modified", format_datetime(answer.modified_at.astimezone(UTC), usegmt=True)))
    headers += [
        ("Date", format_datetime(datetime.now(UTC), usegmt=True)),
        ("Vary", "Accept-Encoding"),
        ("Connection", "keep-alive" if keep else "close"),
    ]
    if answer.status != 304:
        headers.append(("Content-Length", str(len(payload))))
    reason = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (payload if body else b"")
