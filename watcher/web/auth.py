"""
Access control of the site: token, requests of other sites, rate limits.

Without a token, only requests with a loopback name in Host are accepted, against DNS rebinding. With a token, each
request must have it as password or bearer token, except for paths with a signature (`SIGNED`); there is no cookie that
another site could use. A client that sends wrong tokens is blocked for a minute. A proxy that the settings name can
sign users in instead. A page of another site can do no more than lead its visitor to a page of this one.
"""

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.settings.models import is_loopback, parse_host_port

POLICY = (
    "default-src 'none'; style-src {style}; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY.format(style="'self'"),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
SIGNED = "/signed/"  # pages below this path check a signature in it, and need no token
PEER = "watcher.peer"  # in the scope: the address of the connection itself, which no header changes
MAX_GUESSES = 10  # wrong tokens until a client is blocked, each less than HOLD_S after the last
HOLD_S = 60.0
MAX_CLIENTS = 1_000  # clients whose wrong tokens and requests are counted
RATE_LIMITS = {  # requests per minute of a client, and size of a burst
    "search": (60, 30),  # a search may read thousands of texts
    "poll": (6, 6),  # it makes a request to another server
    "correct": (30, 30),
    "group": (12, 6),  # it groups the articles of a period again, in seconds
}
Clock = Callable[[], float]  # monotonic, in seconds


class RateLimiter:
    """A token bucket for each client and kind of `RATE_LIMITS`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[tuple[str, str], tuple[float, float]] = {}  # the least recent first

    def take(self, kind: str, client: str) -> bool:
        """Return whether a request of a client is allowed; if so, count it."""
        (a_minute, at_once), now = RATE_LIMITS[kind], self._clock()
        left, at = self._left.pop((kind, client), (float(at_once), now))
        left = min(at_once, left + (now - at) * a_minute / 60)
        self._left[kind, client] = (left - (left >= 1), now)
        if len(self._left) > MAX_CLIENTS:
            del self._left[next(iter(self._left))]
        return left >= 1


class AuthMiddleware:
    """
    Passes allowed requests to `app`, adds `SECURITY_HEADERS`; its public attributes may be replaced while it serves.

    A request with `guest_token` can only read. `user_header` comes from a proxy in `proxies` that has signed a user in.
    """

    def __init__(self, app: ASGIApp, *, token: str | None = None, clock: Clock = time.monotonic) -> None:
        """Keep the token; the listener sets the other attributes from the settings."""
        self.app, self.token, self._clock = app, token, clock
        self.guest_token: str | None = None
        self.user_header: str | None = None
        self.proxies: tuple[str, ...] = ()
        # By client: the count of wrong tokens, and the time of the last one.
        self.guesses: dict[str, tuple[int, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request if it may pass, with the security headers in any case."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refusal(scope, Headers(scope=scope)) or self.app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        """Return the response to a refused request, None if the request is allowed."""
        host = headers.get("host")
        # First, so that a page of another site cannot guess tokens in the name of its visitor.
        if _is_from_other_site(headers, host or "") and not _is_navigation(scope["method"], headers):
            return refuse(403, "the request comes from another site")
        users = headers.getlist(self.user_header) if self.user_header else []
        if users:
            is_signed_in = len(users) == 1 and users[0].strip() and _is_from_proxy(scope, self.proxies)
            return None if is_signed_in else refuse(403, f"{self.user_header} is accepted from trusted_proxies only")
        if self.token is not None or self.user_header:
            if scope["path"].startswith(SIGNED):
                return None
            is_read = scope["method"] in ("GET", "HEAD")
            authorization = headers.get("authorization", "")
            if refusal := self.token_refusal(_client_address(scope), authorization, is_read=is_read):
                return refusal
        elif host is not None and not _is_this_machine(host):  # browsers always send Host, health checks may not
            return refuse(421, "this host name is not allowed for this address")
        return None

    def token_refusal(self, peer: str, authorization: str, *, is_read: bool = False) -> PlainTextResponse | None:
        """Return the response to a wrong or missing token, None for the right one; that of guests is for reading."""
        now, (count, at) = self._clock(), self.guesses.get(peer, (0, 0.0))
        count = count if now - at < HOLD_S else 0
        if count >= MAX_GUESSES:
            return refuse(429, "too many wrong tokens: wait a minute", {"Retry-After": f"{HOLD_S:.0f}"})
        credentials = _parse_token(authorization)
        if credentials and hmac.compare_digest(credentials.encode(), (self.token or "").encode()):
            self.guesses.pop(peer, None)
            return None
        # That of guests ends no block: a guest must not get more guesses at the other one.
        if credentials and hmac.compare_digest(credentials.encode(), (self.guest_token or "").encode()):
            return None if is_read else refuse(403, "the token of guests changes nothing")
        if credentials:
            self.guesses.pop(peer, None)  # move to the end, so that the least recent client is removed first
            self.guesses[peer] = count + 1, now
            if len(self.guesses) > MAX_CLIENTS:
                del self.guesses[next(iter(self.guesses))]
        challenge = {"WWW-Authenticate": 'Basic realm="Watcher", charset="UTF-8"'}
        return refuse(401, "the token from the settings is required, as a password or a bearer token", challenge)


def refuse(status: int, words: str, headers: Mapping[str, str] | None = None) -> PlainTextResponse:
    """Return an error response that closes the connection, as the request body is not read."""
    return PlainTextResponse(f"{words}\n", status, headers={"Connection": "close", **(headers or {})})


def _client_address(scope: Scope) -> str:
    """Return the client's IP address; for IPv6 its /64 network, which usually belongs to one customer; one loopback."""
    client = scope.get("client")
    text = str(client[0])[:64] if client else ""
    try:
        address = ip_address(text)
    except ValueError:  # a proxy may send another name
        return text
    if address.is_loopback:  # a program on this machine can use any of 16 million
        return "127.0.0.1"
    return str(address.ipv4_mapped or int(address) >> 64) if isinstance(address, IPv6Address) else text


def _is_from_proxy(scope: Scope, proxies: tuple[str, ...]) -> bool:
    """Whether the other end of the connection, not whom it names in X-Forwarded-For, is in one of `proxies`."""
    peer = scope[PEER] if PEER in scope else scope.get("client")
    try:
        address = ip_address(peer[0] if peer else "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in ip_network(proxy) for proxy in proxies)


def client_key(scope: Scope) -> str:
    """Return for whom a request is counted: its address, apart from what pages of other sites open there."""
    headers, address = Headers(scope=scope), _client_address(scope)
    return f"{address}, another site" if _is_from_other_site(headers, headers.get("host", "")) else address


def _parse_token(authorization: str) -> str:
    """Return the token in an Authorization header (Bearer, or Basic password), "" if there is none."""
    kind, _, credentials = authorization.partition(" ")
    if kind.lower() == "bearer":
        return credentials.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8", "replace").partition(":")[2]
    except ValueError:
        return ""


def _is_this_machine(host: str) -> bool:
    address = parse_host_port(host) or parse_host_port(f"{host}:1")
    return address is not None and is_loopback(address[0])


def _is_from_other_site(headers: Headers, host: str) -> bool:
    """
    Whether a page of another origin made a browser send the request.

    Browsers say so to HTTPS and to loopback addresses only (Sec-Fetch-Site); programs say nothing. Where that header is
    missing, Origin tells it for forms, scripts that want the answer, and WebSockets, but not for images.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        # A page can have pages of other sites loaded in advance; Chromium then says "none", as if a person had asked.
        return site not in ("same-origin", "none") or (site == "none" and "sec-purpose" in headers)
    try:
        return origin is not None and (origin == "null" or urlsplit(origin).netloc.lower() != host.lower())
    except ValueError:
        return True


def _is_navigation(method: str, headers: Headers) -> bool:
    """Whether a browser opens a page in a tab of its own: neither in a frame, nor in advance."""
    into = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest", "document")
    return method == "GET" and into == ("navigate", "document") and "sec-purpose" not in headers
