"""
The errors of watcher. The tree:

WatcherError
  SettingsError .problems
  ReasonedError .url .reason .kind
    FetchError .permanent .retry_after_s .answered_by .no_connection
      Unreachable  TimedOut  TooLarge  RequestRefused  HttpStatusError(.status)
    FeedError
    CleanError
  HopError .reason    (in net alone)
  OpmlError
  StoreError .transient
  PluginError
  EmbedderError .permanent .retry_after_s .caused_by_input
  ModelError
  WorkerFailed  BrokenPool    (in worker.process_pool)
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from watcher.failure_reasons import FetchKind, Reason, ReasonKind
from watcher.text.urls import hide_secrets


class WatcherError(Exception):
    """
    Something a person can be told: `str(error)` says what happened and where; `hint` what to do about it.

    No message shows the password or the key in a URL, whoever prints, logs or stores it.
    """

    hint: str | None = None

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(hide_secrets(message))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the message and all attributes, so that an error passes between processes unchanged."""
        return Exception.__new__, (type(self), *self.args), self.__dict__


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

    def __init__(self, problems: tuple[Problem, ...], message: str | None = None, *, hint: str | None = None) -> None:
        self.problems = problems
        super().__init__(message or "\n".join(str(problem) for problem in problems), hint=hint)


class ReasonedError(WatcherError):
    """Something that is known by its reason: a kind with values. `str(error)` is the URL and the English sentence."""

    def __init__(self, url: str, reason: Reason) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{url}: {reason}")

    @property
    def kind(self) -> ReasonKind:
        return self.reason.kind


class HopError(WatcherError):
    """A fault of one request, known by its reason; `net.errors` makes it a FetchError with the URL."""

    def __init__(self, kind: FetchKind, **values: str | int) -> None:
        self.reason = Reason(kind, **values)
        super().__init__(str(self.reason))


class FetchError(ReasonedError):
    """No answer from the last hop, `answered_by`. `permanent`: asking again will not help; `no_connection`: no host."""

    def __init__(
        self,
        url: str,
        reason: Reason,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        answered_by: str | None = None,
        no_connection: bool = False,
    ) -> None:
        self.no_connection = no_connection
        self.answered_by = answered_by or url
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        super().__init__(url, reason)


class Unreachable(FetchError):
    """No connection: the name, the address or the other side."""


class TimedOut(FetchError):
    """The time for connecting, reading or the whole fetch ran out."""


class TooLarge(FetchError):
    """More bytes than allowed, before or after decompression."""


class RequestRefused(FetchError):
    """We do not ask this: a private address, a scheme, robots.txt, too many redirects."""


class HttpStatusError(FetchError):
    """An answer with an error status; 410 is permanent. `wall`: the name of the bot wall that gave it."""

    def __init__(
        self,
        url: str,
        status: int,
        *,
        wall: str | None = None,
        retry_after_s: float | None = None,
        answered_by: str | None = None,
    ) -> None:
        self.status = status
        reason, is_gone = status_reason(status, wall), status == HTTPStatus.GONE
        super().__init__(url, reason, permanent=is_gone, retry_after_s=retry_after_s, answered_by=answered_by)


def status_reason(status: int, wall: str | None = None) -> Reason:
    """Return the reason for an error status; `wall` is the name of the bot wall that sent it."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "not a known status"
    if wall is None:
        return Reason(FetchKind.STATUS, status=status, phrase=phrase)
    return Reason(FetchKind.STATUS_BOT_WALL, status=status, phrase=phrase, wall=wall)


class FeedError(ReasonedError):
    """Bytes that are no feed we can read."""


class CleanError(ReasonedError):
    """A page without an article in it."""


class OpmlError(WatcherError):
    """A file that is no list of feeds, or one that is refused."""


class StoreError(WatcherError):
    """The store cannot be opened, read or written. `transient`: for a reason that may pass, as a full disk."""

    transient = False


class PluginError(WatcherError):
    """A plug-in (an embedder, a command, a job) cannot be loaded."""


class EmbedderError(WatcherError):
    """No vectors. `permanent`: until somebody mends it. `caused_by_input`: the texts may be at fault, and others do."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        caused_by_input: bool = False,
    ) -> None:
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.caused_by_input = caused_by_input
        super().__init__(message)


class ModelError(WatcherError):
    """A language model that wrote nothing: it cannot be reached, refuses, or answers with something else."""
