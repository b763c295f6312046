"""Mail folders: new mails are read once and stay as they are; what is wrong with a folder is named."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import socket
import subprocess
import threading
from base64 import b64encode
from itertools import count
from pathlib import Path

import pytest

from tests.imap_server import DOVECOT, PASSWORD, REASON, USER, ImapServer, imap_server
from tests.patience import PATIENCE_S
from watcher.errors import FetchError, Unreachable
from watcher.failure_messages import FetchKind
from watcher.model import MAX_MAIL_BYTES, FolderMails
from watcher.net import mailbox
from watcher.net.mailbox import _encode_folder, fetch_mails
from watcher.net.transport import tls_context
from watcher.settings.request_options import RequestOptions
from watcher.settings.types import Secret

pytestmark = pytest.mark.slow

NUMBERS = count()
needs_dovecot = pytest.mark.skipif(DOVECOT is None, reason=REASON)


def letter(number: int, size: int = 0) -> bytes:
    head = f"From: news@example.org\r\nSubject: Number {number}\r\nMessage-ID: <{number}@x>\r\n\r\nText\r\n"
    return head.encode() + b"x" * size


def subjects(folder: FolderMails) -> list[str]:
    return [mail.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode() for mail in folder.mails]


async def read(
    url: str,
    state: str = "",
    options: RequestOptions | None = None,
    *,
    timeout_s: float = 2.0,
    deadline_s: float = 5.0,
) -> FolderMails:
    return await fetch_mails(url, state, options, timeout_s=timeout_s, deadline_s=deadline_s)


@pytest.fixture
def maildir(tmp_path):
    folder = tmp_path / "news box"
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    return folder


def put(maildir, name: str, mail: bytes) -> None:
    (maildir / "tmp" / name).write_bytes(mail)
    (maildir / "tmp" / name).rename(maildir / "new" / name)


@pytest.fixture
def settled(monkeypatch):
    """Files count as settled at once."""
    monkeypatch.setattr(mailbox, "SETTLED_NS", 0)


async def test_mails_in_a_maildir_are_read_once_and_stay_where_they_are(maildir, settled):
    url = f"maildir://{str(maildir).replace(' ', '%20')}"
    put(maildir, "1", letter(1))
    (maildir / "tmp" / "half").write_bytes(b"Subject: ")
    (maildir / "new" / "link").symlink_to("/etc/passwd")

    first = await read(url)
    same = await read(url, first.state)
    put(maildir, "2", letter(2))
    second = await read(url, first.state)
    (maildir / "new" / "1").rename(maildir / "cur" / "1:2,S")
    read_by_its_owner = await read(url, second.state)

    assert subjects(first) == ["Number 1"] and same.mails == ()
    assert subjects(second) == ["Number 2"]
    assert subjects(read_by_its_owner) == ["Number 1"]  # its entry is known
    assert sorted(path.name for path in (maildir / "new").iterdir()) == ["2", "link"]


async def test_a_full_maildir_is_read_in_parts_the_newest_first(maildir, settled, monkeypatch):
    monkeypatch.setattr(mailbox, "MAX_MAILS", 2)
    url = f"maildir://{maildir}"
    for number in range(4):
        put(maildir, f"{number}", letter(number))
        os.utime(maildir / "new" / f"{number}", (number, number))

    first = await read(url)
    for number in range(4, 9):
        put(maildir, f"{number}", letter(number))
    second = await read(url, first.state)
    third = await read(url, second.state)
    later = [*subjects(second), *subjects(third)]

    assert subjects(first) == ["Number 3", "Number 2"]
    assert later[0] == "Number 4" and set(later) >= {"Number 4", "Number 5", "Number 6"}


async def test_only_the_beginning_of_a_large_mail_is_read(maildir):
    put(maildir, "1", letter(1, MAX_MAIL_BYTES))

    answer = await read(f"maildir://{maildir}")

    assert [len(mail) for mail in answer.mails] == [MAX_MAIL_BYTES]


async def test_a_file_that_cannot_be_read_blocks_no_other(maildir, settled, monkeypatch):
    url = f"maildir://{maildir}"
    put(maildir, "1", letter(1))
    open_file = Path.open

    def open_or_fail(path: Path, mode: str, *args):
        if (path.parent.name, path.name) == ("new", "bad"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_file(path, mode, *args)

    monkeypatch.setattr(Path, "open", open_or_fail)
    first = await read(url)
    put(maildir, "bad", letter(2))
    with pytest.raises(Unreachable, match="Permission denied"):  # for all that is known, the whole folder
        await read(url, first.state)
    put(maildir, "3", letter(3))
    second = await read(url, first.state)
    same = await read(url, second.state)

    assert subjects(second) == ["Number 3"] and same.mails == ()
    assert second.faults == ("the mail in the file bad is left out: Permission denied",)


async def test_a_folder_that_is_no_maildir_is_named(tmp_path):
    for path, why in ((tmp_path, "has the folders new and cur"), (tmp_path / "none", "has the folders new and cur")):
        with pytest.raises(Unreachable, match=why) as caught:
            await read(f"maildir://{path}")
        assert caught.value.kind is FetchKind.NO_MAIL_FOLDER and not caught.value.no_connection


@pytest.fixture(scope="module")
def dovecot():
    with imap_server() as server:
        yield server


@pytest.fixture
def name() -> str:
    """The name of a new folder."""
    return f"Box{next(NUMBERS)}"


@pytest.fixture
def options(monkeypatch):
    monkeypatch.setenv("IMAP_PASSWORD", PASSWORD)
    return RequestOptions(url="", password=Secret(kind="env", name="IMAP_PASSWORD"))


@needs_dovecot
async def test_mails_of_an_imap_folder_are_read_once_and_stay_unseen(dovecot: ImapServer, name, options):
    url = dovecot.url(name)
    dovecot.deliver(letter(1), name)
    dovecot.deliver(letter(2, MAX_MAIL_BYTES), name)

    first = await read(url, options=options)
    same = await read(url, first.state, options)
    dovecot.deliver(letter(3), name)
    second = await read(url, same.state, options)

    assert subjects(first) == ["Number 2", "Number 1"] and same.mails == ()
    assert len(first.mails[0]) == MAX_MAIL_BYTES
    assert subjects(second) == ["Number 3"]
    assert dovecot.flags(name) == set()


@needs_dovecot
async def test_more_mails_than_fit_in_a_poll_are_read_with_the_next(dovecot: ImapServer, name, options, monkeypatch):
    monkeypatch.setattr(mailbox, "MAX_MAILS", 2)
    monkeypatch.setattr(mailbox, "FIRST_MAILS", 3)
    dovecot.deliver(letter(0), name)

    first = await read(dovecot.url(name), options=options)
    for number in range(1, 4):
        dovecot.deliver(letter(number), name)
    second = await read(dovecot.url(name), first.state, options)
    third = await read(dovecot.url(name), second.state, options)
    renumbered = await read(dovecot.url(name), "1:99", options)

    assert [subjects(second), subjects(third)] == [["Number 1", "Number 2"], ["Number 3"]]
    assert subjects(renumbered) == ["Number 3", "Number 2"]  # the newest first


@needs_dovecot
async def test_the_first_poll_looks_among_the_newest_mails(dovecot: ImapServer, name, options, monkeypatch):
    monkeypatch.setattr(mailbox, "FIRST_MAILS", 2)
    dovecot.deliver(b"Subject: x\r\n\r\n", name).unlink()
    empty = await read(dovecot.url(name), options=options)
    for number in range(3):
        dovecot.deliver(letter(number), name)

    first = await read(dovecot.url(name), options=options)
    of_sender = await read(dovecot.url(name) + "?from=@example.org", options=options)

    assert subjects(empty) == []
    assert subjects(first) == subjects(of_sender) == ["Number 2", "Number 1"]


@needs_dovecot
async def test_mails_of_other_senders_are_not_transferred(dovecot: ImapServer, name, options):
    dovecot.deliver(letter(1), name)
    dovecot.deliver(letter(2).replace(b"example.org", b"private.example"), name)

    answer = await read(dovecot.url(name) + "?from=@example.org&from=none@x.example", options=options)

    assert subjects(answer) == ["Number 1"]


@needs_dovecot
async def test_folders_with_names_beyond_ascii_are_found(dovecot: ImapServer, name, options):
    name = f"Новости & «{name}»"
    dovecot.deliver(letter(1), _encode_folder(name))

    answer = await read(dovecot.url(name.replace(" ", "%20")), options=options)

    assert subjects(answer) == ["Number 1"]


async def refusal(url: str, options: RequestOptions | None, **limits: float) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await read(url, options=options, **limits)
    return caught.value


@needs_dovecot
async def test_what_is_wrong_with_an_account_is_named(dovecot: ImapServer, name, options, monkeypatch):
    monkeypatch.setenv("BAD", "marked-password")
    bad = RequestOptions(url="", password=Secret(kind="env", name="BAD"))

    wrong = await refusal(dovecot.url(), bad)
    no_folder = await refusal(dovecot.url("None"), options)
    no_password = await refusal(dovecot.url(), None)

    assert wrong.kind is FetchKind.MAIL_LOGIN and "marked-password" not in str(wrong)
    assert no_folder.kind is FetchKind.NO_MAIL_FOLDER and "None" in str(no_folder)
    assert no_password.kind is FetchKind.SECRET_UNREADABLE and 'password = "file:PATH"' in str(no_password)
    assert USER not in f"{wrong} {no_folder} {no_password}"


@pytest.mark.slow
@needs_dovecot
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
async def test_a_server_over_tls_needs_a_valid_certificate(options, tmp_path, monkeypatch):
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)

    with imap_server((made, key)) as server:
        server.deliver(letter(1))
        url = server.url(tls=True)
        tls_context.cache_clear()
        unknown = await refusal(url, options)
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
        tls_context.cache_clear()
        answer = await read(url, options=options)
        other_name = await refusal(url.replace("localhost", "127.0.0.1"), options)
    tls_context.cache_clear()

    assert {unknown.kind, other_name.kind} == {FetchKind.CERTIFICATE}
    assert subjects(answer) == ["Number 1"]


class Script:
    """A server on loopback that sends what it is given, and notes what it gets."""

    def __init__(self, *lines: bytes) -> None:
        self.lines, self.got = lines, b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"imap://me@127.0.0.1:{self.listening.getsockname()[1]}/INBOX"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        line, _ = self.listening.accept()
        with self.listening, line:
            line.sendall(b"* OK hello\r\n")
            for each in self.lines:
                got = line.recv(4096)
                self.got += got
                try:
                    line.sendall(each.replace(b"TAG", got.split(b" ")[0]))
                except OSError:
                    return
            while got := line.recv(4096):
                self.got += got


CAPABLE = b"* CAPABILITY IMAP4rev1\r\nTAG OK x\r\n"
LOGGED_IN = b"TAG OK in\r\n"
OPENED = b"* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 9] x\r\nTAG OK [READ-ONLY] x\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), FetchKind.CONNECTION_BROKEN),
        ((CAPABLE, b"TAG NO the password IMAP-SECRET is wrong\r\n"), FetchKind.MAIL_LOGIN),
        ((CAPABLE, LOGGED_IN, b"* BYE\r\n"), FetchKind.CONNECTION_BROKEN),
        ((CAPABLE, LOGGED_IN, OPENED, b"* SEARCH one two\r\nTAG OK x\r\n"), FetchKind.CONNECTION_BROKEN),
        ((CAPABLE, LOGGED_IN, OPENED, b"* SEARCH 1\r\nTAG OK x\r\n", b"TAG NO later\r\n"), FetchKind.CONNECTION_BROKEN),
        (
            (CAPABLE, LOGGED_IN, OPENED, b"* SEARCH 1\r\nTAG OK x\r\n", b"* 1 FETCH (BODY[] {999999999999}\r\n"),
            FetchKind.TOO_LARGE,
        ),
        ((CAPABLE, LOGGED_IN, (b"* FLAGS (%b)\r\n" % (b"x" * 9_000)) * 2_000), FetchKind.TOO_LARGE),
    ],
)
async def test_a_bad_server_is_named_and_cannot_send_without_end(monkeypatch, lines, kind):
    monkeypatch.setenv("PASSWORD", "IMAP-SECRET")
    server = Script(*lines)

    error = await refusal(server.url, RequestOptions(url="", password=Secret(kind="env", name="PASSWORD")))

    assert error.kind is kind
    assert "IMAP-SECRET" not in str(error)


@pytest.mark.slow
async def test_a_mail_that_the_server_does_not_give_blocks_no_other(options):
    mail = letter(1, MAX_MAIL_BYTES)
    given = b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n%b)\r\nTAG OK x\r\n" % (len(mail), mail)
    server = Script(CAPABLE, LOGGED_IN, OPENED, b"* SEARCH 1 2\r\nTAG OK x\r\n", b"TAG NO corrupt\r\n", given)

    answer = await read(server.url, options=options)

    assert subjects(answer) == ["Number 1"] and answer.state == "1:9"
    assert [len(mail) for mail in answer.mails] == [MAX_MAIL_BYTES]  # not what the server sent
    assert answer.faults == ("the mail with UID 2 is left out: corrupt",)


SECRET = r'Ab 1"c\d'
FORMS = {
    "as it is": SECRET.encode(),
    "quoted, as it is sent": rb"Ab 1\"c\\d",
    "in small letters": SECRET.lower().encode(),
    "as base64": b64encode(SECRET.encode()),
    "as base64 of SASL PLAIN": b64encode(f"\0me\0{SECRET}".encode()),
    "with controls": b'Ab\x01 1"\x7fc\\d',
    "where the words are cut": b"x" * 194 + b" " + SECRET.encode(),
}
ECHOES = {
    "LOGIN NO": (CAPABLE, b"TAG NO wrong: %b\r\n"),
    "LOGIN BAD": (CAPABLE, b"TAG BAD wrong: %b\r\n"),
    "LOGIN BYE": (CAPABLE, b"* BYE wrong: %b\r\n"),
    "EXAMINE NO": (CAPABLE, LOGGED_IN, b"TAG NO not for %b\r\n"),
    "EXAMINE BAD": (CAPABLE, LOGGED_IN, b"TAG BAD not for %b\r\n"),
    "EXAMINE with another number": (CAPABLE, LOGGED_IN, b"* %b EXISTS\r\nTAG OK x\r\n"),
    "UIDVALIDITY": (CAPABLE, LOGGED_IN, b"* OK [UIDVALIDITY %b] x\r\nTAG OK x\r\n"),
    "SEARCH BAD": (CAPABLE, LOGGED_IN, OPENED, b"TAG BAD not for %b\r\n"),
    "SEARCH with other words": (CAPABLE, LOGGED_IN, OPENED, b"* SEARCH %b\r\nTAG OK x\r\n"),
    "FETCH NO": (CAPABLE, LOGGED_IN, OPENED, b"* SEARCH 1\r\nTAG OK x\r\n", b"TAG NO not for %b\r\n"),
    "FETCH BYE": (CAPABLE, LOGGED_IN, OPENED, b"* SEARCH 1\r\nTAG OK x\r\n", b"* BYE not for %b\r\n"),
    "no IMAP": (CAPABLE, LOGGED_IN, b"wrong: %b\r\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("echo", ECHOES)
async def test_a_server_that_repeats_the_password_is_quoted_without_it(monkeypatch, echo, form):
    monkeypatch.setenv("PASSWORD", SECRET)
    *before, last = ECHOES[echo]
    server = Script(*before, last % FORMS[form])

    error = await refusal(server.url, RequestOptions(url="", password=Secret(kind="env", name="PASSWORD")))

    shown = str(error).lower()
    assert b64encode(SECRET.encode()).decode().lower()[:8] not in shown
    assert b64encode(f"\0me\0{SECRET}".encode()).decode().lower()[8:] not in shown
    assert not re.search(r"ab[\s\\]*1|1[\s\\]*\"[\s\\]*c", shown)


@pytest.mark.slow
async def test_a_slow_server_is_given_up_after_the_deadline(monkeypatch):
    monkeypatch.setenv("PASSWORD", "secret")
    server = Script(CAPABLE, b"")

    options = RequestOptions(url="", password=Secret(kind="env", name="PASSWORD"))
    error = await refusal(server.url, options, timeout_s=5.0, deadline_s=0.3)

    assert error.kind is FetchKind.DEADLINE


async def test_no_thread_is_left_with_a_server_that_says_nothing(monkeypatch):
    monkeypatch.setenv("PASSWORD", "secret")
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"imap://me@127.0.0.1:{silent.getsockname()[1]}/INBOX"
        options = RequestOptions(url="", password=Secret(kind="env", name="PASSWORD"))
        error = await refusal(url, options, timeout_s=PATIENCE_S, deadline_s=0.2)

        assert error.kind is FetchKind.DEADLINE
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), PATIENCE_S / 2)
    assert threading.active_count() <= before


async def test_no_password_is_sent_unencrypted_to_a_public_address(options, monkeypatch):
    monkeypatch.setattr(mailbox, "is_public", lambda address: True)
    server = Script(CAPABLE, LOGGED_IN)

    error = await refusal(server.url, options)

    assert "use imaps://" in str(error)
    assert PASSWORD.encode() not in server.got and b"LOGIN" not in server.got
