"""The channel `apprise`: sends a message by any service that Apprise knows, in a process that can be stopped."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from digests.delivery.connect import try_connect
from digests.delivery.process import ProcessChannel
from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.channel import BeforeCommit, Content, DeliverSettings
from watcher.plugins import install_command
from watcher.settings.models import Settings
from watcher.settings.types import Secret, SecretRef, parse_secret

UNKNOWN_REASON = "did not take the message, and Apprise does not say why"
SHOW_REASON = "to see the reason, run: apprise -vv -b test URL"


class AppriseChannel(ProcessChannel):
    """
    One service. Its URL goes to the process by a pipe, and no output of Apprise is shown: both may hold secrets.

    What is known of an outcome is the status of the last HTTP response; of a service without HTTP, only "sent" or not.
    """

    name = "apprise"

    def __init__(self, url: str, *, name: str) -> None:
        self._url, self.peer = url, name

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        """Send a message with Apprise in a process of its own; return the service's answer. Errors: DeliveryError."""
        (form,) = message.forms
        if self.is_aborted:
            raise self.fault("interrupted")
        before_commit()
        outcome = self.run_apprise(json.loads(form.body))
        status, is_reached = outcome["status"], outcome["is_reached"]
        if outcome["is_sent"]:
            return "accepted" if status is None else f"{status} accepted"
        if is_reached is not None:
            raise self.fault("gave no answer" if is_reached else "cannot be reached", maybe_arrived=is_reached)
        if status is None or 200 <= status < 300:
            raise self.fault(UNKNOWN_REASON, hint=SHOW_REASON)
        raise self.status_fault(status, retry_after=outcome["retry_after"])

    def find_server(self) -> str | None:
        """Return the server of the first HTTP request, None without HTTP. Nothing is sent. Errors: DeliveryError."""
        outcome = self.run_apprise({"title": "", "text": ["check"]}, "--check")
        server: str | None = outcome["server"]
        if server is None and outcome["is_sent"] is not None:
            raise self.fault(UNKNOWN_REASON, hint=SHOW_REASON)
        return server

    def run_apprise(self, message: dict[str, Any], *options: str) -> dict[str, Any]:
        """Return the answer of the process. Errors: DeliveryError, if there is none, or the URL cannot be used."""
        if re.search(r"[\s,][a-z][a-z0-9+.-]{0,30}://", self._url):  # Apprise would take it for a part of the first
            raise self.fault("has several URLs; expected one, and a delivery for each", permanent=True)
        command = [sys.executable, "-P", "-m", "digests.delivery.apprise_process", *options]
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, text=True, stdin=pipe, stdout=pipe, stderr=nothing, start_new_session=True
        )
        try:
            if self.is_aborted:  # before there was a process to kill
                self._process.kill()
            answer, _ = self._process.communicate(json.dumps({"url": self._url, "message": message}))
        finally:
            self.close()
        if not answer:
            words = "interrupted" if self.is_aborted else "gave no answer in time, or Apprise stopped"
            raise self.fault(words, maybe_arrived=True)
        outcome: dict[str, Any] = json.loads(answer)
        if outcome["recipients"] is None:
            words = "is not a URL that Apprise can use: it is wrong, or its service needs another Python package"
            raise self.fault(words, permanent=True, hint=SHOW_REASON)
        if outcome["recipients"] > 1:
            words = f"names {outcome['recipients']} recipients; expected one, and a delivery for each"
            raise self.fault(words, permanent=True)
        return outcome


def _parse_place(value: object, info: ValidationInfo) -> Secret:
    """Return the place of a URL. Errors: ValueError; the value is not shown, because it has a password or a token."""
    if isinstance(value, Secret) or (isinstance(value, str) and value.startswith(("env:", "file:"))):
        return parse_secret(value, info)
    raise ValueError('got a URL that is not secret, expected "env:NAME" or "file:PATH"')


class AppriseDeliverSettings(DeliverSettings):
    """Sends the headlines by a service of Apprise, such as Telegram, Matrix or Signal."""

    what = "Apprise service"
    unique: ClassVar = {"url": "URL"}

    channel: Literal["apprise"]
    url: Annotated[SecretRef, BeforeValidator(_parse_place)] = Field(
        description='URL of the service, as "env:NAME" or "file:PATH".', repr=False
    )

    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        return (str(self.url),)

    def forms(self, content: Content, recipient: str) -> tuple[Rendered, ...]:
        return (content.payload("apprise"),)

    def open(self, settings: Settings, *, sender: str) -> AppriseChannel:
        self.check_installed()
        return AppriseChannel(self.url.reveal().strip(), name=str(self.url))

    def check(self, settings: Settings) -> None:
        if server := self.open(settings, sender="").find_server():
            try_connect(server)

    def check_installed(self) -> None:
        if find_spec("apprise") is None:
            raise DeliveryError("apprise", "Apprise is not installed", hint=install_command("apprise"))
