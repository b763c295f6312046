"""
The errors of watcher. The tree:

WatcherError
  SettingsError .problems
  FetchError .url .permanent .retry_after_s .word .no_connection
    Unreachable  TimedOut  TooLarge  Refused  BadStatus(.status)
  FeedError .url
  CleanError .url .reason
  StoreError .passing
  PluginError
  EmbedderError .permanent .retry_after_s .about_texts
  ModelError
  WorkerFailed  PoolBroken    (in work.pool)
"""

from __future__ import annotations

from dataclasses import dataclass

from watcher.text.urls import hide_secrets


class WatcherError(Exception):
    """
    Something a person can be told: `str(error)` says what happened and where; `mend` what to do about it.

    No message shows the password or the key in a URL, whoever prints, logs or stores it.
    """

    mend: str | None = None

    def __init__(self, message: str = "") -> None:
        super().__init__(hide_secrets(message))

    def __reduce__(self) -> tuple[object, ...]:
        """Let an error pass between processes whole, whatever its constructor takes."""
        return rebuild, (type(self), self.args, self.__dict__)


def rebuild(kind: type[WatcherError], args: tuple[object, ...], attributes: dict[str, object]) -> WatcherError:
    """Return the error that was taken apart by `WatcherError.__reduce__`."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(attributes)
    return error


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault of a settings file. `line` and `column` count from 1."""

    path: str
    line: int
    column: int
    key: str
    message: str  # what is wrong, what was expected, "did you mean"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.key}: {self.message}"


class SettingsError(WatcherError):
    """A settings file that cannot be used; all its faults at once."""

    def __init__(self, problems: tuple[Problem, ...], message: str | None = None) -> None:
        self.problems = problems
        super().__init__(message or "\n".join(str(problem) for problem in problems))


class FetchError(WatcherError):
    """
    A request that brought no usable answer. `permanent`: asking again later will not help.

    `answered_by` is the URL of the hop that failed, the last of a chain of redirects; `no_connection`: its host could
    not be reached at all. `word` is the health that it makes of a feed.
    """

    word = "failing"

    def __init__(
        self,
        url: str,
        reason: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        answered_by: str | None = None,
        no_connection: bool = False,
    ) -> None:
        self.url = url
        self.no_connection = no_connection
        self.answered_by = answered_by or url
        self.reason = hide_secrets(reason)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        super().__init__(f"{url}: {reason}")


class Unreachable(FetchError):
    """No connection: the name, the address or the other side."""


class TimedOut(FetchError):
    """The time for connecting, reading or the whole fetch ran out."""


class TooLarge(FetchError):
    """More bytes than allowed, before or after decompression."""


class Refused(FetchError):
    """We do not ask this: a private address, a scheme, robots.txt, too many redirects."""


class BadStatus(FetchError):
    """An answer with an error status."""

    def __init__(
        self,
        url: str,
        status: int,
        reason: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        answered_by: str | None = None,
        word: str = "failing",
    ) -> None:
        self.status = status
        self.word = word
        super().__init__(url, reason, permanent=permanent, retry_after_s=retry_after_s, answered_by=answered_by)


class FeedError(WatcherError):
    """Bytes that are no feed we can read."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = hide_secrets(reason)
        super().__init__(f"{url}: {reason}")


class CleanError(WatcherError):
    """A page without an article in it."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = hide_secrets(reason)
        super().__init__(f"{url}: {reason}")


class StoreError(WatcherError):
    """The store cannot be opened, read or written. `passing`: for a reason that may pass, as a full disk."""

    passing = False


class PluginError(WatcherError):
    """A plug-in (an embedder, a command, a job) cannot be loaded."""


class EmbedderError(WatcherError):
    """
    An embedder that made no vectors. `permanent`: asking again will not help until somebody mends it.

    `about_texts`: the fault may lie in the texts that were given, and others would do.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after_s: float | None = None, about_texts: bool = False
    ) -> None:
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.about_texts = about_texts
        super().__init__(message)


class ModelError(WatcherError):
    """A language model that wrote nothing: it cannot be reached, refuses, or answers with something else."""
