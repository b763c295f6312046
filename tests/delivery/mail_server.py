"""A mail server of the tests' own: it takes mail, and drops, refuses, hangs or kills at any step of the protocol."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

# The steps in their order. At "in DATA" half of the mail is there; at "dot" all of it, and no answer yet.
STEPS = ("connect", "EHLO", "STARTTLS", "EHLO again", "AUTH", "MAIL", "RCPT", "DATA", "in DATA", "dot", "QUIT")
# The steps at which the client can know that the server has no mail, or that it has it.
KNOWN = tuple(step for step in STEPS if step != "dot")
HALF = 2_000  # bytes of a mail: less than half of it, however short the edition
HANG_S = 120.0


class Gone(Exception):
    """The connection is no more."""


@dataclass
class Mail:
    sender: str
    recipient: str
    body: bytes


@dataclass
class MailServer:
    """
    Listens on loopback from `start` to `stop`.

    Attributes:
        at: What happens at a step instead of its good answer: "drop", "hang", an answer ("450 later"), or a function;
            where that returns true, the connection is dropped. A mail counts as taken once its dot has come, whatever
            is answered, but for an answer that refuses it.
        times: How often that happens before all is well again; None: always.
        taken: The mails, in the order in which they came.
    """

    at: dict[str, str | Callable[[], object]] = field(default_factory=dict)
    times: int | None = None
    password: str = ""
    tls: ssl.SSLContext | None = None
    tls_at_once: bool = False
    features: tuple[str, ...] = ("SIZE 1000000",)
    refuses: dict[str, str] = field(default_factory=dict)  # an answer to a recipient
    taken: list[Mail] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # commands
    connections: int = 0

    def start(self) -> MailServer:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._stopped = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> MailServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def bodies(self, recipient: str) -> list[bytes]:
        return [mail.body for mail in self.taken if mail.recipient == recipient]

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        session = Session(self, connection)
        with suppress(Gone, OSError):
            if self.tls_at_once:
                session.wrap()
            session.serve()
        session.connection.close()
        connection.close()

    def happens(self, step: str) -> str | None:
        """Do what happens at a step; return the answer for it, None for the good one. Errors: Gone."""
        if step not in self.at or self.times == 0:
            return None
        if self.times is not None:
            self.times -= 1
        what = self.at[step]
        if callable(what):
            if what():
                raise Gone
            return None
        if what == "drop":
            raise Gone
        if what == "hang":
            self._stopped.wait(HANG_S)
            raise Gone
        return what


class Session:
    """One connection."""

    def __init__(self, server: MailServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.left = b""
        self.greeted = False
        self.sender = self.recipient = ""

    def serve(self) -> None:
        self.say(self.server.happens("connect") or "220 mail.example at your service")
        while True:
            line = self.line()
            self.server.seen.append(line)
            verb = line.split(" ")[0].upper().partition(":")[0]
            if verb == "QUIT":
                self.say(self.server.happens("QUIT") or "221 bye")
                raise Gone
            if verb == "DATA":
                self.data()
            elif verb == "STARTTLS":
                self.encrypt()
            else:
                self.say(self.answer(verb, line))

    def answer(self, verb: str, line: str) -> str:
        server = self.server
        argument = line.partition(":")[2].strip().partition(">")[0].lstrip("<")
        match verb:
            case "EHLO" | "HELO":
                step, self.greeted = "EHLO again" if self.greeted else "EHLO", True
                told = ["mail.example", *server.features, *self.offers()]
                lines = [f"250{'-' if n + 1 < len(told) else ' '}{word}" for n, word in enumerate(told)]
                return server.happens(step) or "\r\n".join(lines)
            case "AUTH":
                right = base64.b64encode(f"\0user\0{server.password}".encode()).decode()
                good = "235 welcome" if line.split(" ")[-1] == right else "535 5.7.8 who are you?"
                return server.happens("AUTH") or good
            case "MAIL":
                self.sender = argument
                return server.happens("MAIL") or "250 ok"
            case "RCPT":
                self.recipient = argument
                return server.happens("RCPT") or server.refuses.get(argument) or "250 ok"
            case "RSET":
                return "250 ok"
        return "500 what?"

    def offers(self) -> list[str]:
        is_secret = isinstance(self.connection, ssl.SSLSocket)
        starttls = ["STARTTLS"] if self.server.tls and not is_secret else []
        return starttls + (["AUTH PLAIN"] if self.server.password and (is_secret or not self.server.tls) else [])

    def encrypt(self) -> None:
        answer = self.server.happens("STARTTLS")
        self.say(answer or "220 go on")
        if answer is None:
            self.wrap()

    def wrap(self) -> None:
        assert self.server.tls is not None
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)

    def data(self) -> None:
        answer = self.server.happens("DATA")
        self.say(answer or "354 go on")
        if answer is not None:
            return
        body, self.left = self.left, b""
        while not body.endswith(b"\r\n.\r\n"):
            body += self.more()
            if len(body) > HALF and (answer := self.server.happens("in DATA")):
                self.say(answer)
                raise Gone
        mail = Mail(self.sender, self.recipient, body[:-3].replace(b"\r\n..", b"\r\n."))
        refused = self.server.at.get("dot") if self.server.times != 0 else None
        if not (isinstance(refused, str) and refused[:1] in "45"):
            self.server.taken.append(mail)
        self.say(self.server.happens("dot") or "250 2.0.0 taken as 1A2B")

    def say(self, line: str) -> None:
        self.connection.sendall(line.encode() + b"\r\n")

    def line(self) -> str:
        while b"\r\n" not in self.left:
            self.left += self.more()
        line, _, self.left = self.left.partition(b"\r\n")
        return line.decode()

    def more(self) -> bytes:
        found = self.connection.recv(4_096)
        if not found:
            raise Gone
        return found
