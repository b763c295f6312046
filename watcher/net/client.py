"""Fetching one URL: conditional, bounded in time and bytes, over redirects that are followed by hand."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from watcher.errors import FetchError, TimedOut, TooLarge
from watcher.model import Elsewhere, NotModified, Response, Validators
from watcher.net.faults import HOPS_FAULTS, bad_status, in_words
from watcher.net.guard import Allowed
from watcher.net.hop import Hop
from watcher.net.inflate import ACCEPT_ENCODING, Damaged, Inflate, Overflow
from watcher.net.redirects import FOLLOWED, Chain, target_of
from watcher.net.transport import Transport, place_of
from watcher.net.within import Within
from watcher.text.urls import host_key

if TYPE_CHECKING:
    import httpx

ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
ACCEPT_PAGE = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5"
NONE_KEPT = Validators()
GOOD = frozenset((200, 203, 226))
HEADER_BYTES = 64 * 1024
MAX_PIECES = 20_000  # of a body, and one more for each `PIECE_BYTES`: each costs a fixed time, however small it is
PIECE_BYTES = 64
MAX_VALIDATOR = 4_096  # characters: servers refuse a request whose head is longer than 8 kB
AGENT = re.compile(r"[!#$%&'*+.^_`|~\w-]+(?:/[!#$%&'*+.^_`|~\w-]+)?(?: [\x20-\x7e]*)?", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Fetch:
    """One fetch under way: what is wanted, and the hop where it stands."""

    url: str
    headers: list[tuple[str, str]]
    limit: int  # bytes
    keep_alive: bool = False
    stay: bool = False  # stop at a redirect that leads to another host
    on_hop: Callable[[int, str, str], None] | None = None
    started: float = 0.0
    at: str = ""


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

    async def reaches(self, url: str) -> bool:
        """Whether a connection to the host of `url` can be opened; nothing is sent over it."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._transport.reaches(url)
        except HOPS_FAULTS:
            return False

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
        answer = await self._ask(Fetch(url=url, headers=headers, limit=limit, keep_alive=keep_alive, on_hop=on_hop))
        if isinstance(answer, Elsewhere):
            raise FetchError(url, "redirected, and not followed")
        return answer

    async def get_here(self, url: str, *, accept: str | None = None) -> Response | Elsewhere:
        """Return the answer for a page, as `get` does, but stop at a redirect that leads to another host."""
        headers = self._headers(Validators(), accept, delta=False)
        answer = await self._ask(Fetch(url=url, headers=headers, limit=self._max_bytes, keep_alive=True, stay=True))
        if isinstance(answer, NotModified):
            raise FetchError(url, "answered 304 to a first request")
        return answer

    async def _ask(self, fetch: Fetch) -> Response | NotModified | Elsewhere:
        async with self._slots:
            fetch.started = time.monotonic()
            try:
                with Within(self._deadline_s):
                    return await self._follow(fetch)
            except FetchError:
                raise
            except TimeoutError as error:
                reason = f"no whole answer within {self._deadline_s:g} s"
                raise TimedOut(fetch.url, reason, answered_by=fetch.at) from error
            except Overflow as error:
                raise TooLarge(fetch.url, f"more than {fetch.limit:,} bytes", answered_by=fetch.at) from error
            except HOPS_FAULTS as error:
                raise in_words(error, fetch.url, at=fetch.at, timeout_s=self._timeout_s) from error

    def _headers(self, validators: Validators, accept: str | None, delta: bool) -> list[tuple[str, str]]:
        headers = [
            ("User-Agent", self._user_agent),
            ("Accept", accept or "*/*"),
            ("Accept-Encoding", ACCEPT_ENCODING),
        ]
        if validators.etag is not None and len(validators.etag) <= MAX_VALIDATOR:
            headers.append(("If-None-Match", validators.etag))
            if delta:
                headers.append(("A-IM", "feed"))
        if validators.last_modified is not None and len(validators.last_modified) <= MAX_VALIDATOR:
            headers.append(("If-Modified-Since", validators.last_modified))
        return headers

    async def _follow(self, fetch: Fetch) -> Response | NotModified | Elsewhere:
        chain = Chain.start(fetch.url)
        while True:
            fetch.at = chain.url
            sent = [("Host", place_of(chain.url).name), *fetch.headers]
            if chain.authorization:
                sent.append(("Authorization", chain.authorization))
            if not fetch.keep_alive:
                sent.append(("Connection", "close"))
            async with self._transport.get(chain.url, target_of(chain.url), sent, keep_alive=fetch.keep_alive) as hop:
                check_headers(fetch.url, hop)
                if hop.status in FOLLOWED and (location := hop.header("location")):
                    chain = chain.follow(hop.status, as_text(location))
                    if fetch.on_hop is not None:
                        fetch.on_hop(hop.status, fetch.at, chain.url)
                    if fetch.stay and host_key(chain.url) != host_key(fetch.at):
                        return Elsewhere(url=chain.url)
                    continue
                if hop.status == 304 and any(name.startswith("If-") for name, _ in fetch.headers):
                    return NotModified(
                        url=chain.url,
                        moved_to=chain.moved_to,
                        headers=hop.headers,
                        validators=renewed(hop),
                        took_s=time.monotonic() - fetch.started,
                    )
                if hop.status not in GOOD:
                    raise await bad_status(fetch.url, hop, answered_by=chain.url)
                body = await read(hop, fetch.limit)
                return Response(
                    url=chain.url,
                    moved_to=chain.moved_to,
                    status=hop.status,
                    headers=hop.headers,
                    body=body,
                    took_s=time.monotonic() - fetch.started,
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
    left = MAX_PIECES * PIECE_BYTES
    async for chunk in hop.raw:
        left += len(chunk) - PIECE_BYTES
        if left < 0:
            raise Damaged("the body comes in too many pieces")
        inflate.feed(chunk)
    return inflate.finish()


def renewed(hop: Hop) -> Validators:
    """Return the validators that a 304 carries."""
    said = dict(reversed(hop.headers))  # the first of each
    return Validators(etag=said.get("etag") or None, last_modified=said.get("last-modified") or None)


def as_text(header: str) -> str:
    """Return a header value whose bytes may be UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
