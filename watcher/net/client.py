"""Fetching one URL: conditional, bounded in time and bytes, over redirects that are followed by hand."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpcore
import httpx

from watcher.errors import BadStatus, FetchError, Refused, TimedOut, TooLarge, Unreachable
from watcher.feeds.freshness import freshness
from watcher.feeds.walls import bot_wall
from watcher.model import Elsewhere, NotModified, Response, Validators
from watcher.net.guard import Allowed, PrivateAddress
from watcher.net.inflate import ACCEPT_ENCODING, Damaged, Inflate, Overflow
from watcher.net.redirects import FOLLOWED, Chain, target_of
from watcher.net.transport import Hop, Transport, place_of
from watcher.text.urls import host_of

ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
ACCEPT_PAGE = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5"
NONE_KEPT = Validators()
NETWORK_ERRORS = frozenset(
    (errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EPIPE)
)
MAX_CAUSES = 12  # behind one error
GOOD = frozenset((200, 203, 226))
ERROR_BODY_BYTES = 16_384  # of an error page: enough to know a bot wall
HEADER_BYTES = 64 * 1024
AGENT = re.compile(r"[!#$%&'*+.^_`|~\w-]+(?:/[!#$%&'*+.^_`|~\w-]+)?(?: [\x20-\x7e]*)?", re.ASCII)


class Client:
    """
    Gets URLs for feeds and pages. Use as `async with`.

    Args:
        user_agent: product/version and a contact, sent as it is to everybody.
        timeout_s: for connecting and for each read or write.
        deadline_s: for a whole fetch, over all hops.
        max_bytes: of a body, as received and as decoded.
        allow_private: CIDR ranges or host:port that may be asked though they are private.
        concurrency: fetches at the same time; more of them wait.
        substitute: takes the place of the network in tests (`httpx.MockTransport`).
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout_s: float = 10.0,
        deadline_s: float = 30.0,
        max_bytes: int = 10 * 1024 * 1024,
        allow_private: Sequence[str] = (),
        concurrency: int = 64,
        substitute: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not AGENT.fullmatch(user_agent):
            raise ValueError(f"not a User-Agent of product/version (contact) in ASCII: {user_agent!r}")
        self._user_agent = user_agent
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._slots = asyncio.Semaphore(concurrency)
        self._transport = Transport(Allowed.parse(allow_private), timeout_s=timeout_s, substitute=substitute)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        await self._transport.aclose()

    async def get(
        self,
        url: str,
        *,
        validators: Validators = NONE_KEPT,
        accept: str | None = None,
        max_bytes: int | None = None,
        keep_alive: bool = False,
        delta: bool = False,
        on_hop: Callable[[int, str, str], None] | None = None,
    ) -> Response | NotModified:
        """
        Return the answer to one conditional request for `url`, asked for exactly as given.

        Args:
            accept: what is wanted (`ACCEPT_FEED`, `ACCEPT_PAGE`); anything if None.
            keep_alive: keep the connection for the next request to the same host.
            delta: with an ETag, take a feed's new entries alone (226, RFC 3229).
            on_hop: hears of each redirect that is followed: its status, who sent it, where it leads.

        Raises:
            Unreachable: no connection, or one that broke before the end of the answer.
            TimedOut: `timeout_s` or `deadline_s` ran out.
            TooLarge: more than `max_bytes`, as received or as decoded.
            Refused: a private address, not http(s), too many redirects.
            BadStatus: an error status; `permanent` for 410.
        """
        headers = self._headers(validators, accept, delta)
        limit = self._max_bytes if max_bytes is None else max_bytes
        answer = await self._ask(url, headers, limit, keep_alive=keep_alive, stay=False, on_hop=on_hop)
        if isinstance(answer, Elsewhere):
            raise FetchError(url, "redirected, and not followed")
        return answer

    async def get_here(self, url: str, *, accept: str | None = None) -> Response | Elsewhere:
        """Return the answer for a page, as `get` does, but stop at a redirect that leads to another host."""
        headers = self._headers(Validators(), accept, delta=False)
        answer = await self._ask(url, headers, self._max_bytes, keep_alive=True, stay=True)
        if isinstance(answer, NotModified):
            raise FetchError(url, "answered 304 to a first request")
        return answer

    async def _ask(
        self,
        url: str,
        headers: list[tuple[str, str]],
        limit: int,
        *,
        keep_alive: bool,
        stay: bool,
        on_hop: Callable[[int, str, str], None] | None = None,
    ) -> Response | NotModified | Elsewhere:
        async with self._slots:
            started = time.monotonic()
            try:
                async with asyncio.timeout(self._deadline_s):
                    return await self._follow(url, headers, limit, keep_alive, stay, started, on_hop)
            except FetchError:
                raise
            except TimeoutError as error:
                raise TimedOut(url, f"no whole answer within {self._deadline_s:g} s") from error
            except PrivateAddress as error:
                raise Refused(url, str(error)) from error
            except Overflow as error:
                raise TooLarge(url, f"more than {limit:,} bytes") from error
            except Damaged as error:
                raise Unreachable(url, str(error)) from error
            except (httpcore.TimeoutException, httpx.TimeoutException) as error:
                raise TimedOut(url, f"no answer within {self._timeout_s:g} s") from error
            except (httpcore.NetworkError, httpx.NetworkError, ssl.SSLError, OSError) as error:
                raise Unreachable(url, broken(error)) from error
            except (httpcore.ProtocolError, httpx.ProtocolError) as error:
                raise Unreachable(url, f"the answer is not HTTP, or was cut ({error})") from error
            except (httpx.InvalidURL, UnicodeError) as error:
                raise Refused(url, str(error) or "a URL that cannot be asked") from error

    def _headers(self, validators: Validators, accept: str | None, delta: bool) -> list[tuple[str, str]]:
        headers = [
            ("User-Agent", self._user_agent),
            ("Accept", accept or "*/*"),
            ("Accept-Encoding", ACCEPT_ENCODING),
        ]
        if validators.etag is not None:
            headers.append(("If-None-Match", validators.etag))
            if delta:
                headers.append(("A-IM", "feed"))
        if validators.last_modified is not None:
            headers.append(("If-Modified-Since", validators.last_modified))
        return headers

    async def _follow(
        self,
        url: str,
        headers: list[tuple[str, str]],
        limit: int,
        keep_alive: bool,
        stay: bool,
        started: float,
        on_hop: Callable[[int, str, str], None] | None,
    ) -> Response | NotModified | Elsewhere:
        chain = Chain.start(url)
        asked_conditionally = any(name.startswith("If-") for name, _ in headers)
        while True:
            sent = [("Host", place_of(chain.url)[1]), *headers]
            if chain.authorization:
                sent.append(("Authorization", chain.authorization))
            if not keep_alive:
                sent.append(("Connection", "close"))
            async with self._transport.get(chain.url, target_of(chain.url), sent, keep_alive=keep_alive) as hop:
                check_headers(url, hop)
                location = hop.header("location")
                if hop.status in FOLLOWED and location:
                    before = chain.url
                    chain = chain.follow(hop.status, as_text(location))
                    if on_hop is not None:
                        on_hop(hop.status, before, chain.url)
                    if stay and host_of(chain.url) != host_of(before):
                        return Elsewhere(url=chain.url)
                    continue
                took_s = time.monotonic() - started
                if hop.status == 304 and asked_conditionally:
                    return NotModified(
                        url=chain.url,
                        moved_to=chain.moved_to,
                        headers=hop.headers,
                        validators=renewed(hop),
                        took_s=took_s,
                    )
                if hop.status not in GOOD:
                    raise await bad_status(url, hop, answered_by=chain.url)
                body = await read(hop, limit)
                return Response(
                    url=chain.url,
                    moved_to=chain.moved_to,
                    status=hop.status,
                    headers=hop.headers,
                    body=body,
                    took_s=time.monotonic() - started,
                )


def check_headers(url: str, hop: Hop) -> None:
    """Raise TooLarge where the head of an answer is out of all proportion."""
    if sum(len(name) + len(value) for name, value in hop.headers) > HEADER_BYTES:
        raise TooLarge(url, f"more than {HEADER_BYTES:,} bytes of headers")


async def read(hop: Hop, limit: int) -> bytes:
    """Return the decoded body, at most `limit` bytes."""
    length = hop.header("content-length") or ""
    if length.isdecimal() and length.isascii() and int(length[:18]) > limit:
        raise Overflow
    inflate = Inflate(hop.header("content-encoding"), max_bytes=limit)
    async for chunk in hop.raw:
        inflate.feed(chunk)
    return inflate.finish()


async def bad_status(url: str, hop: Hop, *, answered_by: str) -> BadStatus:
    """Return the error for an answer without a usable body, in words."""
    try:
        phrase = HTTPStatus(hop.status).phrase
    except ValueError:
        phrase = "not a known status"
    reason = f"{hop.status} {phrase}"
    wall = hop.header("cf-mitigated")
    if wall:
        reason += f", a bot wall (Cloudflare: {wall[:40]})"
    elif hop.status in (401, 403, 429, 503) and (name := bot_wall(await beginning(hop))):
        reason += f", a bot wall ({name})"
    wait_s = freshness(hop.headers, datetime.now(UTC)).retry_after_s if hop.status >= 400 else None
    return BadStatus(
        url, hop.status, reason, permanent=hop.status == 410, retry_after_s=wait_s, answered_by=answered_by
    )


async def beginning(hop: Hop) -> bytes:
    """Return the first bytes of an error page, as far as they can be had."""
    try:
        inflate = Inflate(hop.header("content-encoding"), max_bytes=ERROR_BODY_BYTES)
    except Damaged:
        return b""
    try:
        async for chunk in hop.raw:
            inflate.feed(chunk[:ERROR_BODY_BYTES])
    except (Overflow, Damaged, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        pass  # the status is the error; the page only explains it
    return inflate.so_far()


def renewed(hop: Hop) -> Validators:
    """Return the validators that a 304 carries."""
    return Validators(etag=hop.header("etag"), last_modified=hop.header("last-modified"))


def as_text(header: str) -> str:
    """Return a header value whose bytes may be UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def broken(error: Exception) -> str:
    """Return a connection's failure in words."""
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS connection ({cause.reason or cause})"
    text = str(error) or str(cause) or type(cause).__name__
    if "does not resolve" in text:
        return text
    if found := system_error(error):
        return f"no connection: {os.strerror(found).lower()}"
    return f"no connection, or it broke ({text})"


def system_error(error: BaseException | None) -> int | None:
    """Return the system's number for what went wrong, from the chain and the groups of causes behind `error`."""
    for _ in range(MAX_CAUSES):
        if error is None:
            return None
        if isinstance(error, OSError) and error.errno in NETWORK_ERRORS:
            return error.errno
        error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__
    return None
