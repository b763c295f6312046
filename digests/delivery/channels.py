"""
What the delivery channels share. A name of `settings.delivery.ChannelName` is the name of its module here.

For a new one, the type checker names each `match` on the channel that lacks it.
"""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from importlib import import_module
from typing import Any, ClassVar

from digests.errors import DeliveryError
from digests.model import OutboundMessage
from digests.settings.delivery import ChannelName, DeliverSettings, SmtpSettings
from watcher.errors import status_reason
from watcher.net.freshness import parse_retry_after

RETRY_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
GATEWAY_STATUSES = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)  # a gateway does not know the outcome
BeforeCommit = Callable[[], None]


class Channel(ABC):
    """An open delivery channel. Not thread-safe, except for `abort`."""

    name: ClassVar[ChannelName]
    peer: str  # the other side, for messages
    is_aborted = False

    @abstractmethod
    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        """
        Send `message` and return the answer of the other side, in one line.

        `before_commit` is called once, right before the step after which the other side may have the message; if it
        raises, that step is not taken. Errors: DeliveryError, with `maybe_arrived` only if that step was taken and its
        outcome cannot be known.
        """

    def abort(self) -> None:
        """Make a running `send`, and each later one, fail. Called from another thread."""
        self.is_aborted = True

    def close(self) -> None:  # noqa: B027 - most have none
        """Close the connection, if one is open. Never raises."""

    def status_fault(self, status: int, told: str = "", *, retry_after: str) -> DeliveryError:
        """Return the error for an HTTP status that is no success; `told` is the reply, `retry_after` its header."""
        is_passing = status >= 500 or status in RETRY_STATUSES
        return self.fault(
            f"answered {status_reason(status)}" + (f": {told}" if told else ""),
            permanent=not is_passing,
            maybe_arrived=status in GATEWAY_STATUSES,
            retry_after_s=parse_retry_after(retry_after, datetime.now(UTC)) if is_passing else None,
        )

    def fault(self, words: str, *, affects_all_recipients: bool = True, **kind: Any) -> DeliveryError:  # noqa: ANN401 - its own
        return DeliveryError(self.name, f"{self.peer} {words}", affects_all_recipients=affects_all_recipients, **kind)


class ProcessChannel(Channel):
    """A channel that runs a program, in a session of its own."""

    _process: subprocess.Popen[Any] | None = None

    def abort(self) -> None:
        super().abort()
        self.close()

    def close(self) -> None:
        """Kill the program and its children, if it is still running."""
        if (process := self._process) is not None and process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def open_channel(delivery: DeliverSettings, server: SmtpSettings, *, sender: str) -> Channel:
    """Return the channel that `delivery` names, not connected yet. Errors: WatcherError if its secret is unreadable."""
    channel: Channel = import_module(f"digests.delivery.{delivery.channel}").make_channel(delivery, server, sender)
    return channel
