"""
What a delivery channel is: a table of the settings that says what it sends to whom, and an open connection.

A channel is one file with both classes; `CHANNELS` in `digests.settings.channels` lists them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal, Protocol, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered
from watcher.errors import status_reason
from watcher.net.freshness import parse_retry_after
from watcher.settings.base import SettingsModel
from watcher.settings.models import Settings
from watcher.settings.types import Secret, SecretRef, check_web, parse_secret, quote_value

RETRY_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
GATEWAY_STATUSES = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)  # a gateway does not know the outcome
BeforeCommit = Callable[[], None]


def _parse_place(value: object, info: ValidationInfo) -> Secret | str:
    """Return a URL as it is, or the place of a secret one. Errors: ValueError."""
    if isinstance(value, Secret) or (isinstance(value, str) and value.startswith(("env:", "file:"))):
        return parse_secret(value, info)
    if not isinstance(value, str):
        raise ValueError(f'got {quote_value(value)}, expected an http or https URL, "env:NAME" or "file:PATH"')
    return check_web(value)


Place = Annotated[str | SecretRef, BeforeValidator(_parse_place)]  # a URL
Format = Literal["markdown", "html", "text", "eml", "json", "atom", "epub", "ics"]
FORMAT_NAMES: tuple[Format, ...] = get_args(Format)
Formats = Annotated[tuple[Format, ...], AfterValidator(lambda forms: tuple(dict.fromkeys(forms)))]


class Content(Protocol):
    """An edition or an alert, rendered in the form that a channel asks for."""

    @property
    def mail_to(self) -> tuple[str, ...]:
        """The addresses of `mail.to` of the digest; empty for an alert on a failure."""

    def files(self, formats: Sequence[str] = ()) -> tuple[Rendered, ...]:
        """Return an edition in `formats`, by default those of its digest; an alert as a text."""

    def mail(self, recipient: str, attach: Sequence[str] = ()) -> Rendered:
        """Return a mail to one address, with an edition's formats `attach` attached."""

    def payload(self, shape: str) -> Rendered:
        """Return a short message in JSON: "json" for programs, "ntfy", "slack", "discord" or "apprise"."""


class DeliverSettings(SettingsModel, ABC):
    """A table `deliver` of a digest or of the alerts; a channel's subclass adds its settings."""

    what: ClassVar[str]  # what the channel reaches, for the results of checks: "mail server"
    # A setting that two tables may not have in common, and its name in messages.
    unique: ClassVar[Mapping[str, str]] = {}
    # Whether alerts on stories are sent by the channel if their rule names no channel.
    sends_story_alerts: ClassVar[bool] = True

    channel: str
    alerts: bool = Field(
        default=True, description="Send alerts on stories by this delivery too, if it is one of their channels."
    )

    @classmethod
    def find_missing(
        cls, table: Mapping[str, object], mail: Mapping[str, object], document: Mapping[str, object]
    ) -> Iterator[str]:
        """
        Yield what is missing outside of the raw `table`, with what is expected: "a sender; expected mail = …".

        `mail` has `from` and `to` of its digest or of the alerts, `document` is the whole file. All of it is as
        written, before any check.
        """
        yield from ()

    @abstractmethod
    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        """Return the recipients, `mail_to` if none are named, under names that may be stored and logged."""

    @abstractmethod
    def forms(self, content: Content, recipient: str) -> tuple[Rendered, ...]:
        """Return the forms of an edition or an alert that one recipient gets."""

    @abstractmethod
    def open(self, settings: Settings, *, sender: str) -> "Channel":
        """Return the channel, not connected yet. Errors: WatcherError, if a secret cannot be read."""

    @abstractmethod
    def check(self, settings: Settings) -> None:
        """Connect as for a message, but send nothing. Errors: WatcherError, if a message could not be sent."""

    def check_installed(self) -> None:
        """Errors: WatcherError, if the channel needs a package that is not installed."""

    def target(self, settings: Settings) -> str:
        """Return the name of what a check connects to."""
        return self.recipients(())[0]


class Channel(ABC):
    """An open delivery channel. Not thread-safe, except for `abort`."""

    name: ClassVar[str]
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

    def status_fault(self, status: int, reply: str = "", *, retry_after: str) -> DeliveryError:
        """Return the error for an HTTP status that is no success; `reply` is the reply, `retry_after` its header."""
        is_passing = status >= 500 or status in RETRY_STATUSES
        return self.fault(
            f"answered {status_reason(status)}" + (f": {reply}" if reply else ""),
            permanent=not is_passing,
            maybe_arrived=status in GATEWAY_STATUSES,
            retry_after_s=parse_retry_after(retry_after, datetime.now(UTC)) if is_passing else None,
        )

    def fault(self, words: str, *, affects_all_recipients: bool = True, **kind: Any) -> DeliveryError:  # noqa: ANN401 - its own
        return DeliveryError(self.name, f"{self.peer} {words}", affects_all_recipients=affects_all_recipients, **kind)
