"""The channel `sendmail`: hands a mail for each recipient to a program of this machine, without a shell."""

import shutil
import subprocess
import tempfile
from typing import IO, Annotated, Literal

from pydantic import Field

from digests.delivery.mail import MailDeliverSettings
from digests.delivery.process import ProcessChannel
from digests.model.delivery import OutboundMessage
from digests.settings.channel import BeforeCommit
from watcher.errors import WatcherError
from watcher.settings.models import Settings
from watcher.text.plain_text import MAX_REPLY_CHARS, to_one_line

SENDMAIL_LIMIT_S = 120.0  # for one mail: a program that queues takes a moment, one that talks to a server longer
# sysexits.h: usage, data, no user, no host, not permitted. The others may be transient, as 75 (EX_TEMPFAIL) says.
PERMANENT_CODES = frozenset((64, 65, 67, 68, 77))
RECIPIENT_CODES = frozenset((67, 68))  # the fault is this recipient's


class SendmailChannel(ProcessChannel):
    """Runs the program once for each mail, which it reads from standard input with LF line endings."""

    name = "sendmail"

    def __init__(self, program: tuple[str, ...], *, sender: str) -> None:
        self._program, self.peer = program, program[0]
        self._sender = sender

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        """Hand a mail to the mail program; return what it said. Errors: DeliveryError."""
        (form,) = message.forms
        # A file, not a pipe: if we were killed while writing, the program would send half a mail.
        with tempfile.TemporaryFile() as mail, tempfile.TemporaryFile() as output:
            mail.write(form.body.replace(b"\r\n", b"\n"))
            mail.flush()
            mail.seek(0)
            if self.is_aborted:
                raise self.fault("interrupted")
            before_commit()
            code = self._run(message.recipient, mail, output)
            output.seek(0)
            reply = to_one_line(output.read(4 * MAX_REPLY_CHARS).decode("utf-8", "replace"), MAX_REPLY_CHARS)
        if code:
            words = f"ended with exit code {code}" + (f": {reply}" if reply else "")
            raise self.fault(
                words, permanent=code in PERMANENT_CODES, affects_all_recipients=code not in RECIPIENT_CODES
            )
        return reply or "accepted"

    def _run(self, recipient: str, mail: IO[bytes], output: IO[bytes]) -> int:
        """Run the mail program with `mail` as its input, its output goes to `output`; return the exit code."""
        command = [*self._program, "-f", self._sender, "--", recipient]
        try:
            self._process = subprocess.Popen(command, stdin=mail, stdout=output, stderr=output, start_new_session=True)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            hint = "set your mail program: program = […] in its [[digests.deliver]]"
            raise self.fault(f"cannot be started: {reason}", hint=hint) from error
        try:
            code = self._process.wait(SENDMAIL_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise self.fault(f"did not end within {SENDMAIL_LIMIT_S:g} s", maybe_arrived=True) from error
        finally:
            self.close()
        if code < 0:
            words = "interrupted" if self.is_aborted else f"was killed by signal {-code}"
            raise self.fault(words, maybe_arrived=True)
        return code


class SendmailDeliverSettings(MailDeliverSettings):
    """Gives each mail to a program of this machine, such as sendmail or msmtp."""

    what = "mail program"

    channel: Literal["sendmail"]
    program: tuple[Annotated[str, Field(min_length=1, max_length=1_000)], ...] = Field(
        default=("/usr/sbin/sendmail", "-i"),
        description="Mail program; it gets `-f SENDER -- RECIPIENT` as last arguments, and the mail as its input.",
        min_length=1,
        max_length=50,
    )

    def open(self, settings: Settings, *, sender: str) -> SendmailChannel:
        return SendmailChannel(self.program, sender=sender)

    def check(self, settings: Settings) -> None:
        if shutil.which(self.program[0]) is None:
            raise WatcherError("there is no such program, or it is not executable")

    def target(self, settings: Settings) -> str:
        return self.program[0]
