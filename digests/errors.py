"""
The errors of digests. The tree:

DigestError(WatcherError)
  AmbiguousStory .ids
  TranslationError
  DeliveryError .channel .permanent .maybe_arrived .affects_all_recipients .retry_after_s
"""

from collections.abc import Mapping

from watcher.errors import WatcherError


class DigestError(WatcherError):
    """An edition that cannot be made."""


class AmbiguousStory(DigestError):
    """Several stories have ids that begin as the one asked for: `ids`. The message has their headlines too."""

    def __init__(self, beginning: str, titles: Mapping[str, str]) -> None:
        self.ids = tuple(titles)
        matches = ", ".join(f"{key} ({title})" for key, title in titles.items())
        super().__init__(f"several story ids begin with {beginning}: {matches}")


class TranslationError(DigestError):
    """A text that cannot be translated, or a model that cannot be used."""


class DeliveryError(DigestError):
    """
    An edition that could not be delivered. `permanent`: trying again will not help.

    `maybe_arrived`: the other side had all of it when the connection broke, and nobody can know.
    `affects_all_recipients`: the others need not be tried now. `retry_after_s`: what the other side asks.
    """

    def __init__(
        self,
        channel: str,
        reason: str,
        *,
        permanent: bool = False,
        maybe_arrived: bool = False,
        affects_all_recipients: bool = False,
        retry_after_s: float | None = None,
        hint: str | None = None,
    ) -> None:
        """
        Keep what the outbox decides by: `permanent` means no retry, `maybe_arrived` that a retry could be a second
        copy.
        """
        self.channel, self.reason = channel, reason
        self.permanent, self.maybe_arrived = permanent, maybe_arrived
        self.affects_all_recipients, self.retry_after_s = affects_all_recipients, retry_after_s
        super().__init__(f"{channel}: {reason}", hint=hint)
