"""Fetches one URL: conditional requests, limits of time and size, redirects followed one by one."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import Self

from watcher.errors import HopError, RequestRefused, TooLarge, WatcherError
from watcher.failure_messages import FetchKind, Reason
from watcher.model import CrossHostRedirect, NotModified, Response, Validators
from watcher.net import redirects
from watcher.net.address_guard import ANYWHERE, AddressGuard, PrivateAllowlist
from watcher.net.decoding import ACCEPT_ENCODING, BodyDecoder
from watcher.net.errors import WALLED, WIRE_ERRORS, fetch_failure, status_error
from watcher.net.transport import GuardedBackend, GuardedTransport, addresses_of, can_connect, httpx, open_response
from watcher.settings.request_options import RequestOptions
from watcher.text.urls import DEFAULT_PORTS, host_key

ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
ACCEPT_PAGE = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5"
NONE_KEPT = Validators()
GOOD = frozenset((200, 203, 226))
HEADER_BYTES = 64 * 1024
MAX_PIECES = 20_000  # of a body, plus one per `PIECE_BYTES`: each takes a fixed time, however small it is
PIECE_BYTES = 64
ERROR_BODY_BYTES = 16_384  # of an error page: enough to recognize a bot wall
ERROR_BODY_S = 3.0  # for an error page: a slow body must not lose us the headers, such as Retry-After
MAX_VALIDATOR = 4_096  # characters: servers refuse requests with more than 8 kB of headers
AGENT = re.compile(r"[!#$%&'*+.^_`|~\w-]+(?:/[!#$%&'*+.^_`|~\w-]+)?(?: [\x20-\x7e]*)?", re.ASCII)

Headers = tuple[tuple[str, str], ...]  # lower-case names; values with one character per byte


class Client:
    """
    An HTTP client for feeds and pages; use it with `async with`.

    `timeout_s` limits connecting and each read or write, `deadline_s` a fetch over all hops, `max_bytes` a body, as
    received and as decoded. `allow_private` are the private addresses that may be requested: CIDR ranges or host:port.
    `substitute` replaces the network in tests.
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
        """
        Prepare the client; `allow_private` are private addresses that may be requested, `substitute` a test's
        transport.
        """
        if not AGENT.fullmatch(user_agent):
            raise ValueError(f"not a User-Agent of product/version (contact) in ASCII: {user_agent!r}")
        self.timeout_s = timeout_s
        self.deadline_s = deadline_s
        self._limits = {"timeout_s": timeout_s, "deadline_s": deadline_s}
        self._max_bytes = max_bytes
        self._slots = asyncio.Semaphore(concurrency)
        self._guard = AddressGuard(PrivateAllowlist.parse(allow_private))
        self._headers = (("User-Agent", user_agent), ("Accept-Encoding", ACCEPT_ENCODING))
        self._substitute = substitute
        self._direct = substitute or GuardedTransport(GuardedBackend(self._guard))
        self._proxy_guard = AddressGuard(ANYWHERE)
        self._proxied: dict[str, httpx.AsyncBaseTransport] = {}  # by the proxy's URL

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        for transport in (self._direct, *self._proxied.values()):
            await transport.aclose()
        for guard in (self._guard, self._proxy_guard):
            guard.close()

    async def can_connect(self, url: str) -> bool:
        """Whether a connection to the host of `url` can be opened; nothing is sent over it. Errors: MachineError."""
        return await can_connect(self._guard, url, timeout_s=self.timeout_s)

    async def addresses(self, url: str) -> frozenset[str] | None:
        """Return the addresses of the host of `url`, as `addresses_of`."""
        return await addresses_of(self._guard, url, timeout_s=self.timeout_s)

    async def get(
        self,
        url: str,
        *,
        validators: Validators = NONE_KEPT,
        accept: str | None = None,
        max_bytes: int | None = None,
        delta: bool = False,
        options: RequestOptions | None = None,
        on_hop: Callable[[int, str, str], None] | None = None,
    ) -> Response | NotModified:
        """
        Return the response to a conditional request for `url`, which is sent exactly as given.

        Errors: FetchError, MachineError.

        `delta`: with an ETag, accept only new entries (226, RFC 3229). `options` are those of the source.
        `on_hop` is called for each redirect that is followed, with its status, the URL that sent it, and its target.
        """
        headers = request_headers(validators, accept, delta=delta)
        answer = await self._follow(url, headers, options, max_bytes=max_bytes, on_hop=on_hop)
        assert not isinstance(answer, CrossHostRedirect)  # redirects are followed
        return answer

    async def get_same_host(self, url: str, *, options: RequestOptions | None = None) -> Response | CrossHostRedirect:
        """Return the response for a page, or the redirect to another host; keep the connection for the next page."""
        answer = await self._follow(url, request_headers(NONE_KEPT, ACCEPT_PAGE), options, stay=True)
        assert not isinstance(answer, NotModified)  # nothing was conditional
        return answer

    async def _follow(
        self,
        url: str,
        headers: list[tuple[str, str]],
        options: RequestOptions | None,
        *,
        max_bytes: int | None = None,
        stay: bool = False,
        on_hop: Callable[[int, str, str], None] | None = None,
    ) -> Response | NotModified | CrossHostRedirect:
        """Return the response after all redirects; `stay`: keep the connection, and stop at one to another host."""
        async with self._slots:
            started, chain = time.monotonic(), _start_chain(url, options)
            proxy = options.proxy if options else None
            try:
                async with asyncio.timeout(self.deadline_s):
                    while isinstance(answer := await self._hop(chain, headers, proxy, max_bytes, stay, started), tuple):
                        here, (status, location) = chain.url, answer
                        chain = chain.follow(status, location)
                        if on_hop is not None:
                            on_hop(status, here, chain.url)
                        if stay and host_key(chain.url) != host_key(here):
                            return CrossHostRedirect(url=chain.url)
                    return answer
            except WIRE_ERRORS as error:
                raise fetch_failure(error, url, at=chain.url, proxy=proxy or "", **self._limits) from error

    async def _hop(
        self,
        chain: redirects.RedirectChain,
        headers: list[tuple[str, str]],
        proxy: str | None,
        max_bytes: int | None,
        stay: bool,
        started_s: float,
    ) -> Response | NotModified | tuple[int, str]:
        """Return the response to one request, or the status and the target of a redirect."""
        async with self._send(chain, headers, proxy, stay) as response:
            response_head = response_headers(chain.first_url, response)
            status = response.status_code
            if status in redirects.FOLLOWED and (location := _raw_location(response)):
                return status, decode_header(location)
            if status == 304 and any(name.startswith("If-") for name, _ in headers):
                took_s = time.monotonic() - started_s
                return NotModified(url=chain.url, moved_to=chain.moved_to, headers=response_head, took_s=took_s)
            if status not in GOOD:
                beginning = await read_error_body(response) if status in WALLED else b""
                raise status_error(chain.first_url, status, response_head, beginning, answered_by=chain.url)
            return Response(
                url=chain.url,
                moved_to=chain.moved_to,
                status=status,
                headers=response_head,
                body=await read_body(response, self._max_bytes if max_bytes is None else max_bytes),
                took_s=time.monotonic() - started_s,
            )

    def _send(
        self, chain: redirects.RedirectChain, headers: list[tuple[str, str]], proxy: str | None, stay: bool
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """
        Send the request of a redirect chain's current URL; `stay` if the connection is to be kept open for the next
        one.
        """
        origin, target = redirects.split_target(chain.url)
        url = httpx.URL(origin + target)
        # Host is set here, since httpx would decode the name for it, which fails for names with emoji.
        sent = [("Host", url.netloc.decode("ascii")), *self._headers, *headers]
        if chain.own_headers:
            replaced = {name.lower() for name, _ in chain.own_headers}
            sent = [*((name, value) for name, value in sent if name.lower() not in replaced), *chain.own_headers]
        sent.append(("Connection", "keep-alive" if stay else "close"))
        if chain.authorization:
            sent.append(("Authorization", chain.authorization))
        transport, extensions = self._direct, {"target": target.encode("ascii"), "keep_alive": stay}
        if proxy is not None:  # the request line has the whole URL then, or CONNECT
            self._guard.check_proxied(url.host, url.port or DEFAULT_PORTS[url.scheme])
            transport, extensions = self._through(proxy), {"keep_alive": stay}
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in sent]
        request = httpx.Request("GET", url, headers=raw, stream=httpx.ByteStream(b""), extensions=extensions)
        return open_response(transport, request, timeout_s=self.timeout_s)

    def _through(self, proxy: str) -> httpx.AsyncBaseTransport:
        """Return the transport for the proxy with a URL. It may have a private address, as the user has set it."""
        if proxy not in self._proxied:
            network = GuardedBackend(self._proxy_guard, to_proxy=True)
            self._proxied[proxy] = self._substitute or GuardedTransport(network, proxy)
        return self._proxied[proxy]


def _start_chain(url: str, options: RequestOptions | None) -> redirects.RedirectChain:
    """Return the chain that begins at `url`, with a source's own headers only if `url` has the source's origin."""
    chain = redirects.RedirectChain.start(url)
    if options is None or not options.headers or not redirects.may_forward_credentials(options.url, chain.url):
        return chain
    try:
        return replace(chain, own_headers=options.reveal_headers())
    except WatcherError as error:
        raise RequestRefused(url, Reason(FetchKind.SECRET_UNREADABLE, detail=str(error))) from error


def request_headers(validators: Validators, accept: str | None, *, delta: bool = False) -> list[tuple[str, str]]:
    """Return the headers of a request besides those that all requests have."""
    headers = [("Accept", accept or "*/*")]
    if validators.etag is not None and len(validators.etag) <= MAX_VALIDATOR:
        headers.append(("If-None-Match", validators.etag))
        if delta:
            headers.append(("A-IM", "feed"))
    if validators.last_modified is not None and len(validators.last_modified) <= MAX_VALIDATOR:
        headers.append(("If-Modified-Since", validators.last_modified))
    return headers


def response_headers(url: str, response: httpx.Response) -> Headers:
    """Return a response's headers in order, names in lower case. Errors: TooLarge over `HEADER_BYTES`."""
    raw = response.headers.raw
    if sum(len(name) + len(value) for name, value in raw) > HEADER_BYTES:
        raise TooLarge(url, Reason(FetchKind.HEADERS_TOO_LARGE, n=HEADER_BYTES))
    return tuple((name.decode("ascii", "replace").lower(), value.decode("latin-1")) for name, value in raw)


def _raw_location(response: httpx.Response) -> bytes | None:
    """Return the target of a redirect as it was sent."""
    return next((value for name, value in response.headers.raw if name.lower() == b"location"), None)


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """
    Return the decoded body, at most `limit` bytes. Errors: HopError, and those of httpx.

    A server may send its body in chunks of a few bytes, each of which costs time: each chunk shorter than `PIECE_BYTES`
    uses up a part of an allowance, longer ones give it back.
    """
    length = response.headers.get("content-length", "")
    if length.isdecimal() and length.isascii() and int(length[:18]) > limit:  # a longer number is too large anyway
        raise HopError(FetchKind.TOO_LARGE, n=limit)
    decoder = BodyDecoder(response.headers.get("content-encoding"), max_bytes=limit)
    allowance = MAX_PIECES * PIECE_BYTES
    async for chunk in response.aiter_raw():
        allowance += len(chunk) - PIECE_BYTES
        if allowance < 0:
            raise HopError(FetchKind.BODY_IN_PIECES)
        decoder.feed(chunk)
    return decoder.finish()


async def read_error_body(response: httpx.Response) -> bytes:
    """Return the first bytes of an error page; errors while reading it are ignored, as the status is the error."""
    try:
        decoder = BodyDecoder(response.headers.get("content-encoding"), max_bytes=ERROR_BODY_BYTES)
    except HopError:
        return b""
    with suppress(*WIRE_ERRORS):
        async with asyncio.timeout(ERROR_BODY_S):
            async for chunk in response.aiter_raw():
                decoder.feed(chunk[:ERROR_BODY_BYTES])
    return decoder.decoded_bytes()


def decode_header(header: bytes) -> str:
    """Return a header value decoded as UTF-8, else as Latin-1."""
    try:
        return header.decode("utf-8")
    except UnicodeError:
        return header.decode("latin-1")
