"""What went wrong with a fetch, in words: errors of the network and statuses."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus

NETWORK_ERRORS = frozenset(
    (errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EPIPE)
)
MAX_CAUSES = 12  # behind one error


def describe_status(status: int) -> str:
    """Return a status with its phrase."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} not a known status"


def describe_broken_connection(error: Exception) -> str:
    """Return why there is no connection, or why it broke."""
    for cause in causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not to be trusted ({cause.verify_message})"
            case ssl.SSLError():
                return f"no TLS connection ({cause.reason or cause})"
            case socket.gaierror() | UnicodeError():
                return str(error)
            case OSError(errno=number) if number in NETWORK_ERRORS:
                return f"no connection: {os.strerror(number).lower()}"
    text = str(error) or next((str(cause) for cause in causes(error) if str(cause)), type(error).__name__)
    return f"no connection, or it broke ({text})"


def is_tls_error(error: Exception) -> bool:
    """Whether a host was reached, and no agreement on TLS."""
    return any(isinstance(cause, ssl.SSLError) for cause in causes(error))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors behind it."""
    for _ in range(MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__
