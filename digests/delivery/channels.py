"""The protocol of a delivery channel, and the table of all channels: one file each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from digests.model import OutboundMessage
from digests.settings.delivery import DeliverSettings, SmtpSettings

BeforeCommit = Callable[[], None]


class Channel(Protocol):
    """An open delivery channel. Not thread-safe, except for `abort`."""

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        """
        Send `message` and return what the other side answered, in one line.

        Args:
            before_commit: Called once, right before the step after which the other side may have the message. If it
                raises, that step is not taken.

        Raises:
            DeliveryError: `maybe_arrived` only if that step was taken and its outcome cannot be known.
        """

    def abort(self) -> None:
        """Make a running `send` fail, and each later one; called from another thread."""

    def close(self) -> None:
        """Close what is open. Raises nothing."""


Open = Callable[[DeliverSettings, SmtpSettings, str], Channel]  # the sender's address last; opens no connection


def open_channel(way: DeliverSettings, server: SmtpSettings, *, sender: str) -> Channel:
    """
    Return the channel of a way in the settings, not connected yet: that of the module beside this one of its name.

    Errors: WatcherError, if a secret that it needs cannot be had.
    """
    make: Open = import_module(f"digests.delivery.{way.channel}").channel
    return make(way, server, sender)
