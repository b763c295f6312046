"""The channel `smtp`: sends a mail to each recipient over one connection, each in its own transaction (RFC 5321)."""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Literal

from digests.delivery.mail import MailDeliverSettings
from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage
from digests.settings.channel import BeforeCommit, Channel
from digests.settings.mail import SmtpSettings
from watcher.settings.models import Settings
from watcher.text.plain_text import MAX_REPLY_CHARS, to_one_line

MAIL_DEADLINE_S = 240.0  # for one mail with all its steps, however slowly each is answered
QUIT_S = 5.0  # for QUIT, whose answer does not matter
MAX_REPLY_LINES = 200  # of one answer
AT_LINE_START = re.compile(rb"^\.", re.MULTILINE)


class BoundedSmtp(smtplib.SMTP):
    """smtplib's client on a given socket; it limits the number of lines in a reply."""

    def __init__(self, taken: socket.socket, *, name: str, timeout_s: float) -> None:
        super().__init__(local_hostname=name, timeout=timeout_s)
        self.sock = taken

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = LineLimitedReader(self.sock)
        if isinstance(self.file, LineLimitedReader):
            self.file.left = MAX_REPLY_LINES
        return super().getreply()


class LineLimitedReader:
    def __init__(self, taken: socket.socket) -> None:
        self._file = taken.makefile("rb")
        self.left = MAX_REPLY_LINES

    def readline(self, size: int) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("its answer is too long")
        return self._file.readline(size)

    def close(self) -> None:
        self._file.close()


class SmtpChannel(Channel):
    """Sends through one server. The connection is opened for the first mail and kept for the others."""

    name = "smtp"

    def __init__(
        self, server: SmtpSettings, *, sender: str, password: str = "", deadline_s: float = MAIL_DEADLINE_S
    ) -> None:
        """Keep the account and the limits; the first message connects."""
        self._server, self.peer = server, f"{server.at[0]}:{server.at[1]}"
        self._sender, self._password, self._deadline_s = sender, password, deadline_s
        self._timeout_s = min(server.timeout.total_seconds(), deadline_s)
        self._client: BoundedSmtp | None = None
        self._socket: socket.socket | None = None
        self._ended = ""  # why nothing can be sent any more

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        """Send a mail, over the open connection if there is one; return the server's answer. Errors: DeliveryError."""
        (form,) = message.forms
        with self._time_limit():
            reused = self._client is not None
            try:
                self._begin(message.recipient, len(form.body))
            except DeliveryError as error:
                if not (reused and self._client is None and not error.permanent) or self._ended:
                    raise
                self._begin(message.recipient, len(form.body))  # the server had closed the connection meanwhile
            return self._hand_over(form.body, before_commit)

    def log_in(self) -> None:
        """Connect, encrypt and log in, without sending a mail. Raises as `send`."""
        with self._time_limit(), self._delivery_errors("cannot be reached"):
            self._connect()

    def abort(self) -> None:
        self._end("interrupted")

    def close(self) -> None:
        """Take leave of the server, and close the connection."""
        if self._client is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                if self._client.sock is not None:
                    self._client.sock.settimeout(QUIT_S)
                self._client.quit()
        self._drop()

    def _end(self, why: str) -> None:
        self._ended = self._ended or why
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """End the connection if the block takes longer than the deadline; one that was broken off stays so."""
        timer = threading.Timer(self._deadline_s, self._end, [f"took more than {self._deadline_s:g} s"])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if self._ended != "interrupted":
                self._ended = ""

    def _begin(self, recipient: str, size: int) -> None:
        with self._delivery_errors("cannot be reached"):
            client = self._client or self._connect()
            options = [f"SIZE={size}"] if client.has_extn("size") else []
            self._check(client.mail(self._sender, options), "MAIL FROM", client)
            self._check(client.rcpt(recipient), "RCPT TO", client)

    def _hand_over(self, message: bytes, before_commit: BeforeCommit) -> str:
        """Send the mail without its end, call `before_commit`, then send the end, which commits the mail."""
        over = False
        client = self._client
        assert client is not None
        with self._delivery_errors("did not take the whole mail", was_sent=lambda: over):
            self._check(client.docmd("DATA"), "DATA", client, good=354)
            client.send(AT_LINE_START.sub(b"..", message if message.endswith(b"\r\n") else message + b"\r\n"))
            try:
                before_commit()
            except BaseException:
                self._drop()  # the server still waits for the end of the mail
                raise
            over = True
            client.send(b".\r\n")
            code, reply = client.getreply()
            over = not 200 <= code < 600  # after a valid reply, the outcome is known
            self._check((code, reply), "the end of DATA", client)
        return f"{code} {self._reply_text(reply)}"

    def _connect(self) -> BoundedSmtp:
        """Connect, greet, encrypt and log in, as the settings say. Errors: DeliveryError, OSError."""
        self._socket = socket.create_connection(self._server.at, timeout=self._timeout_s)
        if self._ended:
            raise OSError(self._ended)
        if self._server.security == "tls":
            self._wrap(self._socket)
        # Our address on this connection as the EHLO name (RFC 5321 §4.1.3): this needs no name server.
        address = str(self._socket.getsockname()[0]).partition("%")[0]
        name = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        client = BoundedSmtp(self._socket, name=name, timeout_s=self._timeout_s)
        self._client = client
        self._check(client.getreply(), "the connection", client, affects_all_recipients=True)
        self._greet(client)
        if self._server.security == "starttls":
            self._encrypt(client)
        if self._server.user:
            self._log_in(client)
        return client

    def _greet(self, client: BoundedSmtp) -> None:
        answer = client.ehlo()
        if answer[0] >= 500 and self._server.security == "plain" and not self._server.user:
            answer = client.helo()
        self._check(answer, "EHLO", client, affects_all_recipients=True)

    def _encrypt(self, client: BoundedSmtp) -> None:
        """Switch to TLS and discard what the server sent before it, as RFC 3207 §4.2 requires."""
        if not client.has_extn("starttls"):
            raise self.fault("does not offer STARTTLS", hint='if it supports TLS, set security = "tls" in [smtp]')
        self._check(client.docmd("STARTTLS"), "STARTTLS", client, affects_all_recipients=True)
        assert client.sock is not None and client.file is not None
        client.file.close()
        client.sock = self._wrap(client.sock)
        client.file, client.ehlo_resp, client.esmtp_features, client.does_esmtp = None, None, {}, False
        self._greet(client)

    def _wrap(self, taken: socket.socket) -> ssl.SSLSocket:
        """Return the connection with TLS on it; `abort` can end the handshake."""
        context = ssl.create_default_context()
        self._socket = context.wrap_socket(taken, server_hostname=self._server.host, do_handshake_on_connect=False)
        self._socket.do_handshake()
        return self._socket

    def _log_in(self, client: BoundedSmtp) -> None:
        """Log in with the first method that the server offers and we support. Errors: DeliveryError."""
        hint = "check user and password in [smtp], then run: watcher digest --send"
        offered = client.esmtp_features.get("auth", "").upper().split()
        methods: dict[str, Any]
        methods = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login, "CRAM-MD5": client.auth_cram_md5}
        chosen = next((name for name in methods if name in offered), None)
        if chosen is None:
            raise self.fault("offers no login method that Watcher supports", permanent=True, hint=hint)
        client.user, client.password = self._server.user, self._password
        try:
            client.auth(chosen, methods[chosen])  # once: servers count failed logins and may block the client
        except UnicodeEncodeError as error:
            raise self.fault("takes only ASCII in user and password", permanent=True, hint=hint) from error
        except smtplib.SMTPAuthenticationError as error:
            raise self._refusal(error.smtp_code, error.smtp_error, "AUTH", hint=hint) from error

    def _check(
        self,
        answer: tuple[int, bytes],
        step: str,
        client: BoundedSmtp,
        *,
        good: int = 0,
        affects_all_recipients: bool = False,
    ) -> None:
        """Raise an error for an error reply; the connection is then ready for the next mail, or closed."""
        code, reply = answer
        if code == good or (not good and 200 <= code < 300):
            return
        is_leaving = code == 421 or not 400 <= code < 600
        if affects_all_recipients or is_leaving:
            self._drop()
        else:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.rset()
        raise self._refusal(
            code, reply, step, affects_all_recipients=affects_all_recipients or step == "MAIL FROM" or is_leaving
        )

    def _refusal(self, code: int, reply: bytes | str, step: str, **kind: Any) -> DeliveryError:  # noqa: ANN401 - of `fault`
        words = f"answered {step} with {code} {self._reply_text(reply)}".rstrip()
        return self.fault(words, permanent=500 <= code < 600, **kind)

    def _reply_text(self, reply: bytes | str) -> str:
        """Return a reply in one line, without the password."""
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        return to_one_line(text.replace(self._password, "…") if self._password else text, MAX_REPLY_CHARS)

    @contextmanager
    def _delivery_errors(self, what: str, *, was_sent: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Raise a connection error as a DeliveryError with `what`. If `was_sent()`, the mail may have arrived."""
        try:
            yield
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise self.fault(f"{what}: {self._ended or _describe_error(error)}", maybe_arrived=was_sent()) from error
        except DeliveryError as error:
            error.maybe_arrived = was_sent()
            if error.affects_all_recipients:
                self._drop()
            raise
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        """Close the connection without QUIT: a mail whose end was not sent does not count."""
        opened, self._client, self._socket = (self._client, self._socket), None, None
        for each in opened:
            with contextlib.suppress(OSError):
                if each is not None:
                    each.close()


class SmtpDeliverSettings(MailDeliverSettings):
    """Sends each mail by the server in `[smtp]`."""

    what = "mail server"

    channel: Literal["smtp"]

    @classmethod
    def find_missing(
        cls, table: Mapping[str, object], mail: Mapping[str, object], document: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield what a mail delivery lacks in the settings: a sender, recipients or a mail server."""
        yield from super().find_missing(table, mail, document)
        server = document.get("smtp")
        if not (isinstance(server, Mapping) and server.get("host")):
            yield "a mail server; expected a table [smtp] with host"

    def open(self, settings: Settings, *, sender: str) -> SmtpChannel:
        server = settings.section(SmtpSettings)
        return SmtpChannel(server, sender=sender, password=server.password.reveal() if server.password else "")

    def check(self, settings: Settings) -> None:
        with closing(self.open(settings, sender="")) as channel:
            channel.log_in()

    def target(self, settings: Settings) -> str:
        server = settings.section(SmtpSettings)
        return f"{server.at[0]}:{server.at[1]}" + (f" as {server.user}" if server.user else "")


def _describe_error(error: Exception) -> str:
    """Return in words why a connection to a mail server failed."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "its host name does not resolve"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "it closed the connection"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return to_one_line(text or type(error).__name__, MAX_REPLY_CHARS)
