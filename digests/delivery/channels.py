"""What a channel is, and the table of all there are: one file each, one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Protocol

from digests.model import OutboundMessage
from digests.settings.delivery import DeliverSettings, SmtpSettings

BeforeCommit = Callable[[], None]


class Channel(Protocol):
    """A way to people that is open; used by one thread, but for `abort`."""

    def send(self, parcel: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        """
        Hand `parcel` over and return what the other side said to it, in one line.

        Args:
            before_commit: Is called once, right before the step after which the other side may have it. What it raises
                keeps that step from being taken.

        Raises:
            DeliveryError: `maybe_arrived` only if that step was taken and its outcome cannot be known.
        """

    def abort(self) -> None:
        """End what `send` is at, from another thread; it fails, and so does each later one."""

    def close(self) -> None:
        """Put away what is kept open. Raises nothing."""


Open = Callable[[DeliverSettings, SmtpSettings, str], Channel]  # the sender's address last; opens no connection

# Channel: the module beside this one that makes it, by its function `channel`.
CHANNELS: Mapping[str, str] = {"file": "file", "smtp": "smtp", "sendmail": "sendmail", "webhook": "webhook"}


def open_channel(way: DeliverSettings, server: SmtpSettings, *, sender: str) -> Channel:
    """
    Return the channel of a way in the settings, not connected yet.

    Errors: WatcherError, if a secret that it needs cannot be had.
    """
    make: Open = import_module(f"digests.delivery.{CHANNELS[way.channel]}").channel
    return make(way, server, sender)
