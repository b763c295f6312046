"""
The errors of digests. The tree:

DigestError(WatcherError)
  DeliveryError .channel .permanent
"""

from __future__ import annotations

from watcher.errors import WatcherError


class DigestError(WatcherError):
    """An edition that cannot be made."""


class DeliveryError(DigestError):
    """An edition that could not be handed over. `permanent`: trying again will not help."""

    def __init__(self, channel: str, reason: str, *, permanent: bool = False) -> None:
        self.channel = channel
        self.permanent = permanent
        super().__init__(f"{channel}: {reason}")
