"""What can go wrong on the wire: the one place where errors of the HTTP library and of the net become FetchErrors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from watcher.errors import BadStatus, FetchError, Refused, TimedOut, TooLarge, Unreachable
from watcher.feeds.parse import WALL, bot_wall
from watcher.feeds.schedule import freshness
from watcher.net.address_guard import PrivateAddress
from watcher.net.decoding import Damaged, Overflow
from watcher.net.error_text import describe_broken_connection, describe_status, is_tls_error
from watcher.net.transport import httpx

WIRE_ERRORS = (
    httpx.TransportError, httpx.StreamError, httpx.InvalidURL, OSError, PrivateAddress, Damaged, Overflow, UnicodeError
)  # fmt: skip
WALLED = frozenset((202, 401, 403, 405, 429, 503))  # statuses of bot walls, AWS' among them
WALL_HEADERS = {"cf-mitigated": "Cloudflare", "x-amzn-waf-action": "AWS WAF"}


def fetch_error(error: Exception, url: str, *, at: str, timeout_s: float, deadline_s: float) -> FetchError:
    """
    Return the FetchError that one of `WIRE_ERRORS` makes.

    Args:
        at: The hop where it happened.
        timeout_s: The time for each read, which an error of httpx stands for.
        deadline_s: The time for the whole fetch, which a plain TimeoutError stands for.
    """
    match error:
        case httpx.TimeoutException():
            far = isinstance(error, httpx.ConnectTimeout)
            return TimedOut(url, f"no answer within {timeout_s:g} s", answered_by=at, no_connection=far)
        case TimeoutError():
            return TimedOut(url, f"no whole answer within {deadline_s:g} s", answered_by=at)
        case Overflow():
            return TooLarge(url, str(error), answered_by=at)
        case httpx.ProtocolError():
            return Unreachable(url, f"the answer is not HTTP, or was cut ({error})", answered_by=at)
        case Damaged():
            return Unreachable(url, str(error), answered_by=at)
        case PrivateAddress() | httpx.InvalidURL() | httpx.UnsupportedProtocol() | UnicodeError():
            return Refused(url, str(error) or "a URL that cannot be asked", answered_by=at)
    far = isinstance(error, httpx.ConnectError) and not is_tls_error(error)
    return Unreachable(url, describe_broken_connection(error), answered_by=at, no_connection=far)


def bad_status(
    url: str, status: int, headers: Sequence[tuple[str, str]], beginning: bytes, *, answered_by: str
) -> BadStatus:
    """
    Return the error for an answer without a usable body.

    Args:
        beginning: Of its body: a bot wall is known by it.
    """
    reason, word = describe_status(status), "failing"
    name = next((f"{WALL_HEADERS[key]}: {value[:40]}" for key, value in headers if value and key in WALL_HEADERS), None)
    if name := name or (bot_wall(beginning) if status in WALLED else None):
        reason, word = f"{reason}, {WALL} ({name})", "bot wall"
    wait_s = freshness(headers, datetime.now(UTC)).retry_after_s if status >= 400 else None
    return BadStatus(
        url, status, reason, permanent=status == 410, retry_after_s=wait_s, answered_by=answered_by, word=word
    )
