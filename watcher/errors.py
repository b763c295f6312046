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
  MachineError .reason
    BrokenPool    (in worker.process_pool)
  WorkerFailed    (in worker.process_pool)
"""

from dataclasses import dataclass
from http import HTTPStatus

from watcher.failure_messages import FetchKind, Reason, ReasonKind, TaskKind
from watcher.text.urls import hide_secrets

MACHINE_HINTS: dict[ReasonKind, str] = {
    TaskKind.NO_DESCRIPTORS: "raise the limit of open files: LimitNOFILE= of the service, or ulimit -n",
    TaskKind.NO_PROCESSES: "raise the limits of processes and memory: TasksMax= and MemoryMax= of the service",
}


class WatcherError(Exception):
    """
    An error with a message for the user: `str(error)` says what happened and where; `hint` says what to do about it.

    Messages never contain the password or the key in a URL, wherever they are printed, logged or stored.
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
    """A settings file cannot be used. The error has all problems of the file."""

    def __init__(self, problems: tuple[Problem, ...], message: str | None = None, *, hint: str | None = None) -> None:
        self.problems = problems
        super().__init__(message or "\n".join(str(problem) for problem in problems), hint=hint)


class ReasonedError(WatcherError):
    """An error with a URL and a reason, which is a kind with values; `str(error)` is both in English."""

    def __init__(self, url: str, reason: Reason) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"{url}: {reason}")

    @property
    def kind(self) -> ReasonKind:
        return self.reason.kind


class HopError(WatcherError):
    """One request failed. The error has only the reason; `net.errors` turns it into a FetchError, which has the URL."""

    def __init__(self, kind: FetchKind, **values: str | int) -> None:
        self.reason = Reason(kind, **values)
        super().__init__(str(self.reason))


class FetchError(ReasonedError):
    """
    A request got no usable response. `answered_by` is the URL of the hop that failed, the last of the redirects.

    `permanent` means that a later request will not help, `no_connection` that the host could not be reached at all.
    """

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
        """Keep whether a retry can help, and when; `answered_by` is the URL that failed after redirects."""
        self.answered_by, self.no_connection = answered_by or url, no_connection
        self.permanent, self.retry_after_s = permanent, retry_after_s
        super().__init__(url, reason)


class Unreachable(FetchError):
    """The host could not be reached, the connection broke, or the response could not be read."""


class TimedOut(FetchError):
    """The time for connecting, reading or the whole fetch ran out."""


class TooLarge(FetchError):
    """The response has more bytes than allowed, before or after decompression."""


class RequestRefused(FetchError):
    """The request is not made: the URL is not valid, the address is private, or there are too many redirects."""


class HttpStatusError(FetchError):
    """The response has an error status; 410 is permanent. `wall` is the name of the bot wall that sent it."""

    def __init__(
        self,
        url: str,
        status: int,
        *,
        wall: str | None = None,
        retry_after_s: float | None = None,
        answered_by: str | None = None,
    ) -> None:
        """Keep the status; `wall` names a service that keeps programs out, if the response is its page."""
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
    """The response is not a feed that can be read."""


class CleanError(ReasonedError):
    """The page has no article in it."""


class OpmlError(WatcherError):
    """The file is not a list of feeds, or it is not accepted."""


class StoreError(WatcherError):
    """The store cannot be opened, read or written. `transient`: the reason may go away, such as a full disk."""

    transient = False


class MachineError(WatcherError):
    """This machine lacks what all work needs, such as file descriptors or processes. No source is to blame."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(str(reason), hint=MACHINE_HINTS.get(reason.kind))


class PluginError(WatcherError):
    """A plug-in (an embedder, a command, a job) cannot be loaded."""


class EmbedderError(WatcherError):
    """The embedder made no vectors. `permanent`: it fails until you act. `caused_by_input`: other texts may work."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        caused_by_input: bool = False,
    ) -> None:
        """Keep whether a retry can help; `caused_by_input` if another text could succeed."""
        self.permanent, self.retry_after_s, self.caused_by_input = permanent, retry_after_s, caused_by_input
        super().__init__(message)


class ModelError(WatcherError):
    """The language model wrote no text: it cannot be reached, refuses, or answers with something other than text."""
