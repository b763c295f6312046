"""The channel of a plug-in: sends the subject of an edition or alert in one line to a pager gateway, over TCP."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import ClassVar, Literal

from pydantic import Field

from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.channel import BeforeCommit, Channel, Content, DeliverSettings
from watcher.errors import WatcherError
from watcher.settings.models import Settings
from watcher.settings.types import OptionalSecret

TIMEOUT_S = 20.0


class PagerChannel(Channel):
    name = "pager"

    def __init__(self, port: int, *, pin: str) -> None:
        self.peer, self._port, self._pin = f"the gateway at port {port}", port, pin
        self._line: socket.socket | None = None

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        (form,) = message.forms
        is_sent = False
        try:
            with socket.create_connection(("127.0.0.1", self._port), TIMEOUT_S) as self._line:
                if self.is_aborted:
                    raise self.fault("interrupted")
                before_commit()
                is_sent = True
                self._line.sendall(form.body)
                self._line.shutdown(socket.SHUT_WR)
                reply = self._line.makefile("rb").readline(200).decode().strip()
        except OSError as error:
            raise self.fault(f"cannot be reached: {error.strerror}", maybe_arrived=is_sent) from error
        if reply.startswith("OK"):
            return reply
        if not reply:
            raise self.fault("gave no answer", maybe_arrived=True)
        raise self.fault(f"answered {reply.replace(self._pin, '…')}", permanent=True)

    def abort(self) -> None:
        super().abort()
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


class PagerDeliverSettings(DeliverSettings):
    """Sends the subject to a pager."""

    what = "pager gateway"
    unique: ClassVar = {"number": "number"}

    channel: Literal["pager"]
    number: str = Field(description="Number of the pager.")
    port: int = Field(description="Port of the gateway on this machine.", ge=1)
    pin: OptionalSecret = Field(default=None, description="PIN of the gateway.")

    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        return (self.number,)

    def forms(self, content: Content, recipient: str) -> tuple[Rendered, ...]:
        about = json.loads(content.payload("json").body)
        mark = "!" if about.get("kind") == "alert" else ""
        return (Rendered(format="pager", name="page", body=f"{recipient} {mark}{about['subject']}\n".encode()),)

    def open(self, settings: Settings, *, sender: str) -> PagerChannel:
        return PagerChannel(self.port, pin=self.pin.reveal() if self.pin else "")

    def check(self, settings: Settings) -> None:
        try:
            socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S).close()
        except OSError as error:
            raise WatcherError(f"cannot connect: {error.strerror}") from error
