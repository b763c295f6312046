"""The channel `maildir`: each edition as a new mail in a Maildir of this machine, without a mail server."""

import itertools
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from digests.delivery.file import check_writable, write_files
from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.channel import BeforeCommit, Channel, Content, DeliverSettings
from watcher.settings.models import Settings
from watcher.settings.types import LocalPath

RECIPIENT = "you@localhost"  # in the header To if the digest names no recipient: the mail stays on this machine
FOLDERS = ("cur", "new", "tmp")
_numbers = itertools.count()


class MaildirChannel(Channel):
    """
    Writes a mail into `tmp` of the Maildir that a message names, and moves it into `new` under a unique name.

    Source: https://cr.yp.to/proto/maildir.html
    """

    name = "maildir"

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        self.peer = message.recipient
        if self.is_aborted:
            raise self.fault("interrupted")
        folder, (form,) = Path(message.recipient), message.forms
        host = socket.gethostname().replace("/", "\\057").replace(":", "\\072")
        seconds, rest = divmod(time.time_ns(), 1_000_000_000)
        name = f"{seconds}.M{rest // 1_000}P{os.getpid()}Q{next(_numbers)}.{host}"
        mail = replace(form, name=name, body=form.body.replace(b"\r\n", b"\n"))
        for part in FOLDERS:
            write_files((), folder / part, channel=self.name)
        before_commit()
        (path,) = write_files((mail,), folder / "tmp", channel=self.name)
        try:
            path.rename(folder / "new" / name)
        except OSError as error:
            raise DeliveryError(self.name, f"{folder}: {error.strerror}") from error
        return name


class MaildirDeliverSettings(DeliverSettings):
    """Puts each edition as a new mail into a Maildir, which mail programs and IMAP servers of this machine read."""

    what = "Maildir"
    unique: ClassVar = {"directory": "folder"}

    channel: Literal["maildir"]
    directory: LocalPath = Field(description="The Maildir; if it is missing, it is made.")

    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        return (str(self.directory),)

    def forms(self, content: Content, recipient: str) -> tuple[Rendered, ...]:
        return (content.mail(next(iter(content.mail_to), RECIPIENT)),)

    def open(self, settings: Settings, *, sender: str) -> MaildirChannel:
        return MaildirChannel()

    def check(self, settings: Settings) -> None:
        check_writable(self.directory)
