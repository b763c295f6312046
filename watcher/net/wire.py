"""
What may go wrong between us and a server, under the names that httpcore and httpx have for it.

Our own classes: those libraries take 20 ms to load, which only what uses them should pay.

    WireError
      TimedOut    ConnectTimeout ReadTimeout WriteTimeout PoolTimeout
      Broken      ConnectError ReadError WriteError
      NotHttp     RemoteProtocolError LocalProtocolError
"""

from __future__ import annotations


class WireError(Exception):
    """Whatever goes wrong below a fetch."""


class TimedOut(WireError):
    """A wait that was too long."""


class Broken(WireError):
    """No connection, or one that broke."""


class NotHttp(WireError):
    """What one side says is not HTTP."""


class ConnectTimeout(TimedOut):
    """No connection in time."""


class ReadTimeout(TimedOut):
    """Nothing came in time."""


class WriteTimeout(TimedOut):
    """Nothing went out in time."""


class PoolTimeout(TimedOut):
    """No connection became free in time."""


class ConnectError(Broken):
    """No connection."""


class ReadError(Broken):
    """The connection broke while it was read."""


class WriteError(Broken):
    """The connection broke while it was written."""


class RemoteProtocolError(NotHttp):
    """The server's fault."""


class LocalProtocolError(NotHttp):
    """Ours."""


BY_NAME: dict[str, type[WireError]] = {
    kind.__name__: kind
    for kind in (
        ConnectTimeout, ReadTimeout, WriteTimeout, PoolTimeout, ConnectError, ReadError, WriteError,
        RemoteProtocolError, LocalProtocolError,
    )
}  # fmt: skip


def ours(error: Exception) -> WireError:
    """
    Return the error that a library's error of the same name stands for; one that has no name here broke it.

    One of ours on its way through a library comes out as it was.
    """
    if isinstance(error.__cause__, WireError):
        return error.__cause__
    return BY_NAME.get(type(error).__name__, Broken)(str(error))
