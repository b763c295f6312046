"""Turns errors of the HTTP library, of sockets and of bodies into FetchErrors; no other module does."""

import errno
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from watcher.errors import (
    FetchError,
    HopError,
    HttpStatusError,
    MachineError,
    RequestRefused,
    TimedOut,
    TooLarge,
    Unreachable,
)
from watcher.failure_messages import FetchKind, Reason, ReasonKind, TaskKind
from watcher.machine import cause_chain, lacks_descriptors
from watcher.net.bot_walls import find_bot_wall
from watcher.net.freshness import parse_freshness
from watcher.net.transport import httpx

WIRE_ERRORS = (httpx.TransportError, httpx.StreamError, httpx.InvalidURL, OSError, HopError, UnicodeError)
# The errors for a HopError; other kinds are Unreachable.
HOP_ERRORS: dict[ReasonKind, type[FetchError]] = {
    FetchKind.TOO_LARGE: TooLarge, FetchKind.PRIVATE_ADDRESS: RequestRefused
}  # fmt: skip
WALLED = frozenset((202, 401, 403, 405, 429, 503))  # statuses of bot walls, including AWS's
WALL_HEADERS = {"cf-mitigated": "Cloudflare", "x-amzn-waf-action": "AWS WAF"}
NETWORK_ERRORS = {
    errno.ECONNREFUSED: FetchKind.CONNECTION_REFUSED,
    errno.ECONNRESET: FetchKind.CONNECTION_RESET,
    errno.EHOSTUNREACH: FetchKind.NO_ROUTE,
    errno.ENETUNREACH: FetchKind.NETWORK_UNREACHABLE,
    errno.ENETDOWN: FetchKind.NETWORK_DOWN,
    errno.EPIPE: FetchKind.BROKEN_PIPE,
}


def fetch_failure(
    error: Exception, url: str, *, at: str, timeout_s: float, deadline_s: float, proxy: str = ""
) -> FetchError | MachineError:
    """Return the error for one of `WIRE_ERRORS`; arguments as `fetch_error`."""
    if lacks_descriptors(error):
        return MachineError(Reason(TaskKind.NO_DESCRIPTORS))
    return fetch_error(error, url, at=at, timeout_s=timeout_s, deadline_s=deadline_s, proxy=proxy)


def fetch_error(error: Exception, url: str, *, at: str, timeout_s: float, deadline_s: float, proxy: str) -> FetchError:
    """
    Return the FetchError for one of `WIRE_ERRORS`; `at` is the URL of the hop where it happened.

    Over a `proxy` ("" for none), no failure means that the host cannot be reached.
    `timeout_s` is the limit of one read, which raises httpx's timeout; `deadline_s` is the limit of the whole fetch,
    which raises a plain TimeoutError.
    """
    match error:
        case httpx.TimeoutException():
            reason, is_far = Reason(FetchKind.TIMED_OUT, time=f"{timeout_s:g}"), isinstance(error, httpx.ConnectTimeout)
            return TimedOut(url, reason, answered_by=at, no_connection=is_far and not proxy)
        case httpx.ProxyError() if proxy:
            why = _connection_reason(error, proxy, timeout_s)
            return Unreachable(url, Reason(FetchKind.PROXY, proxy=urlsplit(proxy).netloc, why=why), answered_by=at)
        case TimeoutError():
            return TimedOut(url, Reason(FetchKind.DEADLINE, time=f"{deadline_s:g}"), answered_by=at)
        case httpx.ProtocolError():
            return Unreachable(url, Reason(FetchKind.NOT_HTTP, detail=str(error)), answered_by=at)
        case HopError():
            return HOP_ERRORS.get(error.reason.kind, Unreachable)(url, error.reason, answered_by=at)
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | UnicodeError():
            return RequestRefused(url, Reason(FetchKind.UNUSABLE_URL, detail=str(error)), answered_by=at)
        case _:
            reason = _connection_reason(error, at, timeout_s)
            is_far = isinstance(error, httpx.ConnectError) and reason.kind not in (FetchKind.CERTIFICATE, FetchKind.TLS)
            return Unreachable(url, reason, answered_by=at, no_connection=is_far and not proxy)


def _connection_reason(error: Exception, url: str, timeout_s: float) -> Reason:
    """Return why the host of `url` could not be connected to, or why the connection broke."""
    for cause in cause_chain(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return Reason(FetchKind.CERTIFICATE, detail=cause.verify_message)
            case ssl.SSLError():
                return Reason(FetchKind.TLS, detail=str(cause.reason or cause))
            case socket.gaierror(errno=socket.EAI_AGAIN):
                return Reason(FetchKind.NAME_LOOKUP_FAILED, host=urlsplit(url).hostname or "")
            case socket.gaierror() | UnicodeError():
                return Reason(FetchKind.UNRESOLVED, host=urlsplit(url).hostname or "")
            case TimeoutError():
                return Reason(FetchKind.TIMED_OUT, time=f"{timeout_s:g}")
            case OSError(errno=number) if number in NETWORK_ERRORS:
                return Reason(NETWORK_ERRORS[number])
    text = next((str(cause) for cause in cause_chain(error) if str(cause)), type(error).__name__)
    return Reason(FetchKind.CONNECTION_BROKEN, detail=text)


def status_error(
    url: str, status: int, headers: Sequence[tuple[str, str]], beginning: bytes, *, answered_by: str
) -> HttpStatusError:
    """Return the error for a status that is no success; a bot wall is detected by headers or the body's `beginning`."""
    wall = next((f"{WALL_HEADERS[key]}: {value[:40]}" for key, value in headers if value and key in WALL_HEADERS), None)
    if wall is None and status in WALLED:
        wall = find_bot_wall(beginning)
    wait_s = parse_freshness(headers, datetime.now(UTC)).retry_after_s if status >= 400 else None
    return HttpStatusError(url, status, wall=wall, retry_after_s=wait_s, answered_by=answered_by)
