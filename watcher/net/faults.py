"""What went wrong with a fetch, in words: errors of the network and statuses."""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from datetime import UTC, datetime
from http import HTTPStatus

from watcher.errors import BadStatus, FetchError, Refused, TimedOut, Unreachable
from watcher.feeds.parse import WALL, bot_wall
from watcher.feeds.schedule import freshness
from watcher.net import wire
from watcher.net.guard import PrivateAddress
from watcher.net.hop import Hop
from watcher.net.inflate import Damaged, Inflate, Overflow
from watcher.net.transport import BadUrl

NETWORK_ERRORS = frozenset(
    (errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EPIPE)
)
MAX_CAUSES = 12  # behind one error
ERROR_BODY_BYTES = 16_384  # of an error page: enough to know a bot wall
ERROR_BODY_S = 3.0  # for it: a page that drips must not cost what the head said, a Retry-After say
WALLED = frozenset((202, 401, 403, 405, 429, 503))  # statuses of bot walls, AWS' among them
WALL_HEADERS = {"cf-mitigated": "Cloudflare", "x-amzn-waf-action": "AWS WAF"}
HOPS_FAULTS = (wire.WireError, ssl.SSLError, OSError, PrivateAddress, Damaged, BadUrl, UnicodeError)


def in_words(error: Exception, url: str, *, at: str, timeout_s: float) -> FetchError:
    """
    Return the FetchError that one of `HOPS_FAULTS` makes.

    Args:
        at: The hop where it happened.
    """
    if isinstance(error, wire.TimedOut):
        far = isinstance(error, wire.ConnectTimeout)
        return TimedOut(url, f"no answer within {timeout_s:g} s", answered_by=at, no_connection=far)
    if isinstance(error, wire.NotHttp):
        return Unreachable(url, f"the answer is not HTTP, or was cut ({error})", answered_by=at)
    if isinstance(error, Damaged):
        return Unreachable(url, str(error), answered_by=at)
    if isinstance(error, PrivateAddress):
        return Refused(url, str(error), answered_by=at)
    if isinstance(error, BadUrl | UnicodeError):
        return Refused(url, str(error) or "a URL that cannot be asked", answered_by=at)
    far = isinstance(error, wire.ConnectError) and not is_tls(error)
    return Unreachable(url, broken(error), answered_by=at, no_connection=far)


async def bad_status(url: str, hop: Hop, *, answered_by: str) -> BadStatus:
    """Return the error for an answer without a usable body, in words."""
    try:
        phrase = HTTPStatus(hop.status).phrase
    except ValueError:
        phrase = "not a known status"
    reason, word = f"{hop.status} {phrase}", "failing"
    said = ((maker, hop.header(name)) for name, maker in WALL_HEADERS.items())
    name = next((f"{maker}: {action[:40]}" for maker, action in said if action), None)
    if name is None and hop.status in WALLED:
        name = bot_wall(await beginning(hop))
    if name:
        reason, word = f"{reason}, {WALL} ({name})", "bot wall"
    wait_s = freshness(hop.headers, datetime.now(UTC)).retry_after_s if hop.status >= 400 else None
    return BadStatus(
        url, hop.status, reason, permanent=hop.status == 410, retry_after_s=wait_s, answered_by=answered_by, word=word
    )


async def beginning(hop: Hop) -> bytes:
    """Return the first bytes of an error page, as far as they can be had."""
    try:
        inflate = Inflate(hop.header("content-encoding"), max_bytes=ERROR_BODY_BYTES)
    except Damaged:
        return b""
    try:
        async with asyncio.timeout(ERROR_BODY_S):
            async for chunk in hop.raw:
                inflate.feed(chunk[:ERROR_BODY_BYTES])
    except (Overflow, Damaged, TimeoutError, wire.WireError):
        pass  # the status is the error; the page only explains it
    return inflate.so_far()


def is_tls(error: Exception) -> bool:
    """Whether a host was reached, and no agreement on TLS."""
    return isinstance(error.__cause__, ssl.SSLError)


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
