"""Reads the new mails of a folder, from an IMAP server or a maildir, and changes nothing there."""

import asyncio
import imaplib
import json
import re
import socket
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote, urlsplit

from watcher.errors import HopError, WatcherError
from watcher.failure_messages import FetchKind
from watcher.model import MAX_MAIL_BYTES, FolderMails
from watcher.net.address_guard import embedded_ipv4, is_public
from watcher.net.errors import WIRE_ERRORS, fetch_failure
from watcher.net.transport import httpx, tls_context, translate_errors
from watcher.settings.request_options import RequestOptions, reveal_value
from watcher.text.plain_text import MAX_REPLY_CHARS, strip_control_chars, to_one_line
from watcher.text.urls import MAIL_PORTS, mail_senders

MAX_MAILS, MAX_BYTES = 200, 5 * 1024 * 1024  # in one poll; the others wait for the next one
FIRST_MAILS = 2_000  # the newest of an IMAP folder, among which the first poll looks
SETTLED_NS = 2_000_000_000  # younger files are read again with the next poll: others may still appear beside them
BEYOND_ASCII = re.compile(r"[^\x20-\x7e]+")
FILLING = r"(?:\\x[0-9a-f]{2}|[\\\s])*"  # between two characters of a secret, if it is quoted or escaped
MAX_REFUSED = 10  # mails that a server does not give, in one poll
FILE_CHARS = 80  # of the name of a file in a fault
# New mails, what is wrong with those that cannot be read, and the state of the folder after them.
Mails = tuple[list[bytes], list[str], str]  # mails, faults, and the state from which the next poll continues


async def fetch_mails(
    url: str, state: str, options: RequestOptions | None, *, timeout_s: float, deadline_s: float
) -> FolderMails:
    """
    Return the mails in the folder `url` that are new since `state`, that of an earlier result; "" for none.

    `options` are those of the source. Errors: FetchError, MachineError.
    """
    started, opened = time.monotonic(), list[socket.socket]()
    read = READERS[url.partition(":")[0]]
    try:
        async with asyncio.timeout(deadline_s):
            task = partial(read, url, state, started + deadline_s / 2, options, opened, timeout_s)
            mails, faults, after = await asyncio.to_thread(task)
    except WIRE_ERRORS as error:
        raise fetch_failure(error, url, at=url, timeout_s=timeout_s, deadline_s=deadline_s) from error
    finally:
        for line in opened:  # if time is up, the thread still reads
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
    took_s = time.monotonic() - started
    return FolderMails(url=url, mails=tuple(mails), faults=tuple(faults), state=after, took_s=took_s)


def _has_room(mails: Sequence[bytes], until_s: float) -> bool:
    """Whether one more mail may be read in this poll."""
    size = sum(map(len, mails)) + MAX_MAIL_BYTES
    return not mails or (len(mails) < MAX_MAILS and size <= MAX_BYTES and time.monotonic() < until_s)


def _read_maildir(
    url: str,
    state: str,
    until_s: float,
    _options: RequestOptions | None,
    _opened: list[socket.socket],
    _timeout_s: float,
) -> Mails:
    """Return the mails whose files have appeared or were renamed since `state`, a time of the file system in ns."""
    now, mails, failed = time.time_ns(), list[bytes](), dict[Path, OSError]()
    files: list[tuple[int, int, Path]] = []  # when it appeared or was renamed, when it was written, and where it is
    folder, since = Path(unquote(urlsplit(url).path)), int(state or 0)
    try:
        for path in (path for name in ("new", "cur") for path in (folder / name).iterdir()):
            with suppress(FileNotFoundError):  # renamed or deleted meanwhile
                stat = path.lstat()
                if S_ISREG(stat.st_mode) and stat.st_ctime_ns > since:
                    files.append((stat.st_ctime_ns, stat.st_mtime_ns, path))
        after = min(now - SETTLED_NS, max((changed for changed, _, _ in files), default=since))
        # The first poll reads the newest mails. Later ones begin with the oldest, so that the next poll reads the rest.
        for changed, _, path in sorted(files, key=lambda file: file[0] if since else -file[1]):
            if not _has_room(mails, until_s):
                after = min(after, changed - 1) if since else after
                break
            try:
                with path.open("rb") as file:
                    mails.append(file.read(MAX_MAIL_BYTES))
            except FileNotFoundError:
                continue
            except OSError as error:
                failed[path] = error
        if failed and not mails:
            raise next(iter(failed.values()))
    except OSError as error:
        is_none = isinstance(error, FileNotFoundError | NotADirectoryError)
        why = "a maildir has the folders new and cur" if is_none else str(error.strerror)
        raise HopError(FetchKind.NO_MAIL_FOLDER, folder=folder.name, detail=why) from error
    words = ((to_one_line(path.name, FILE_CHARS), error.strerror) for path, error in failed.items())
    return mails, [f"the mail in the file {name} is left out: {why}" for name, why in words], str(after)


class BoundedImap(imaplib.IMAP4):
    """imaplib's client with a limit on the bytes that are read; `opened` gets its socket before anything is read."""

    left = 2 * MAX_BYTES

    def __init__(self, opened: list[socket.socket], **given: object) -> None:
        self.opened = opened
        super().__init__(**given)  # type: ignore[arg-type]

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        super().open(host, port, timeout)
        self.opened.append(self.sock)

    def read(self, size: int) -> bytes:
        self.left -= size
        if self.left < 0:
            raise HopError(FetchKind.TOO_LARGE, n=2 * MAX_BYTES)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self.left -= len(line)
        return line + self.read(0)  # which checks the limit


class BoundedImapTls(BoundedImap, imaplib.IMAP4_SSL):  # type: ignore[misc]  # of `open`, whose port may be None
    """The same over TLS."""


def _read_imap(
    url: str, state: str, until_s: float, options: RequestOptions | None, opened: list[socket.socket], timeout_s: float
) -> Mails:
    """
    Connect to the server of a folder, and return its mails that are new since `state`; see `read_folder`.

    `until_s` is a time of the monotonic clock; `opened` gets the socket, which the caller may close to interrupt.
    """
    parts, imap = urlsplit(url), None
    port, is_encrypted = parts.port or MAIL_PORTS[parts.scheme], parts.scheme == "imaps"
    try:
        if options is None or options.password is None:
            raise WatcherError('add the source to the settings, with password = "file:PATH"')
        secret = reveal_value(options.password)
    except WatcherError as error:
        raise HopError(FetchKind.SECRET_UNREADABLE, detail=str(error)) from error
    try:
        with translate_errors(httpx.ConnectTimeout, httpx.ConnectError):
            client = partial(BoundedImapTls, ssl_context=tls_context()) if is_encrypted else BoundedImap
            imap = client(opened, host=parts.hostname or "", port=port, timeout=timeout_s)
        if not is_encrypted and is_public(embedded_ipv4(ip_address(imap.sock.getpeername()[0]))):
            raise HopError(FetchKind.UNUSABLE_URL, detail="imap:// does not encrypt the password; use imaps://")
        with translate_errors(httpx.ReadTimeout, httpx.ReadError):
            mails = read_folder(imap, url, secret, state, until_s)
        with suppress(imaplib.IMAP4.error, OSError):
            imap.logout()
        return mails
    except (imaplib.IMAP4.error, ValueError) as error:
        raise HopError(FetchKind.CONNECTION_BROKEN, detail=_describe_reply(error.args, url, secret)) from error
    finally:
        with suppress(OSError):
            if imap is not None:
                imap.shutdown()


def read_folder(imap: BoundedImap, url: str, secret: str, state: str, until_s: float) -> Mails:
    """
    Return the mails from `state` on, "UIDVALIDITY:UID", oldest first; without it, the newest.

    `until_s` is a time of the monotonic clock. EXAMINE and BODY.PEEK leave the mails unseen.
    """
    parts, mails, uids, refused = urlsplit(url), list[bytes](), set[int](), dict[int, str]()
    try:
        imap.login(json.dumps(unquote(parts.username or "")), secret)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise HopError(FetchKind.MAIL_LOGIN, detail=_describe_reply(error.args, url, secret)) from None
    name = unquote(parts.path[1:])
    status, data = imap.select(json.dumps(_encode_folder(name)), readonly=True)
    if status != "OK":
        raise HopError(FetchKind.NO_MAIL_FOLDER, folder=name, detail=_describe_reply(data, url, secret))
    exists = int(data[0] or 0)
    validity, uid_next = (int((imap.response(key)[1] or [None])[0] or 0) for key in ("UIDVALIDITY", "UIDNEXT"))
    known, _, first = state.partition(":")
    since = int(first) if known == str(validity) else 0
    for sender in mail_senders(url) or ("",):
        search = ("UID", f"{since or 1}:*") if since or exists < FIRST_MAILS else (f"{exists - FIRST_MAILS + 1}:*",)
        _, data = imap.uid("SEARCH", *search, *(("FROM", json.dumps(sender.lstrip("@"))) if sender else ()))
        uids.update(uid for uid in map(int, b" ".join(filter(None, data)).split()) if uid >= since)
    after = max(uid_next, max(uids, default=0) + 1)
    for uid in sorted(uids, reverse=not since):
        if len(refused) == MAX_REFUSED or not _has_room(mails, until_s):
            after = uid if since else after
            break
        status, read = imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAX_MAIL_BYTES}>)")
        if status != "OK":
            refused[uid] = _describe_reply(read, url, secret)
        mails += [part[1][:MAX_MAIL_BYTES] for part in read if isinstance(part, tuple)][:1]
    if refused and not mails:  # it is not the fault of one mail
        raise imaplib.IMAP4.error(*refused.values())
    return mails, [f"the mail with UID {uid} is left out: {why}" for uid, why in refused.items()], f"{validity}:{after}"


READERS = {"maildir": _read_maildir, "imap": _read_imap, "imaps": _read_imap}  # by the scheme of the folder's URL


def _encode_folder(name: str) -> str:
    """Return the name of a folder in modified UTF-7 (RFC 3501 §5.1.3)."""
    return BEYOND_ASCII.sub(
        lambda run: f"&{run[0].encode('utf-7').decode()[1:].removesuffix('-').replace('/', ',')}-",
        name.replace("&", "&-"),
    )


def _describe_reply(data: Sequence[object], url: str, secret: str) -> str:
    """Return what a server said, on one line, with "***" for the password; some servers repeat the commands."""
    texts = (each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in data if each)
    plain = f"\0{unquote(urlsplit(url).username or '')}\0{secret}"  # as SASL PLAIN has it
    forms = [secret, *(b64encode(each.encode()).decode().rstrip("=") for each in (secret, plain))]
    letters = ("".join(form.replace("\\", " ").split()) for form in forms)
    pattern = "|".join(FILLING.join(map(re.escape, letter)) for letter in letters if letter)
    shown = re.sub(pattern, "***", strip_control_chars(" ".join(texts)), flags=re.IGNORECASE)
    return to_one_line(shown, MAX_REPLY_CHARS)
