"""The channel `file`: an edition's files in a folder, each complete or absent."""

import contextlib
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.channel import BeforeCommit, Channel, Content, DeliverSettings, Formats
from watcher.errors import WatcherError
from watcher.settings.models import Settings
from watcher.settings.types import LocalPath

ERRNO_TEXTS = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "no permission to write there",
    errno.EPERM: "no permission to write there",
    errno.EROFS: "the disk is read-only",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.EEXIST: "it is a file, not a folder",
    errno.EISDIR: "there is a folder with the name of the file",
    errno.ENAMETOOLONG: "the path is too long",
}
# File modes; the umask restricts the second. A mail names its recipient, so only the owner may read it.
PRIVATE, PUBLIC = 0o600, 0o666
TRANSIENT_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EINTR, errno.EMFILE, errno.ENFILE})


def write_files(rendered: Sequence[Rendered], directory: Path, *, channel: str = "file") -> tuple[Path, ...]:
    """
    Write each form into `directory`, created if needed, and return the paths in order.

    All forms are on the disk under temporary names before the first is renamed: if the disk is full, the last edition
    stays, and no reader sees half a file. Errors: DeliveryError, permanent unless the cause may pass.
    """
    from watcher.store.backup import flush_names  # late: loads SQLAlchemy, which the settings do without

    waiting: list[tuple[Path, Path]] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for form in rendered:
            if form.name in ("", ".", "..") or Path(form.name).name != form.name or "\0" in form.name:
                raise DeliveryError(channel, f"{form.name!r} is not a file name", permanent=True)
            target = directory / form.name
            waiting.append((directory / f".{target.name}.{os.getpid()}.tmp", target))
            _write_through(waiting[-1][0], form.body, PRIVATE if form.format == "eml" else PUBLIC)
        for temporary, target in waiting:
            temporary.replace(target)
        flush_names(directory)
    except OSError as error:
        reason = ERRNO_TEXTS.get(error.errno or 0, error.strerror or str(error))
        raise DeliveryError(channel, f"{directory}: {reason}", permanent=error.errno not in TRANSIENT_ERRNOS) from error
    finally:
        for temporary, _ in waiting:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return tuple(target for _, target in waiting)


def _write_through(path: Path, body: bytes, mode: int) -> None:
    """Write `body` and flush it to the disk; a full disk raises an error here at the latest."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def check_writable(folder: Path) -> None:
    """Errors: WatcherError if a folder can be neither written to nor made."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise WatcherError("cannot write to this folder")


class FileChannel(Channel):
    """Writes into the folder that a message names. Writing twice does no harm, so no outcome is ever unknown."""

    name = "file"

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        if self.is_aborted:
            raise DeliveryError("file", f"{message.recipient}: interrupted")
        before_commit()
        return f"{len(write_files(message.forms, Path(message.recipient)))} files"


class FileDeliverSettings(DeliverSettings):
    """Writes the files of each edition into one more folder."""

    what = "folder"
    unique: ClassVar = {"directory": "folder"}
    sends_story_alerts = False

    channel: Literal["file"]
    directory: LocalPath = Field(description="Another folder for the files of each edition.")
    formats: Formats = Field(default=(), description="Formats to write; by default, those of the digest.")

    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        return (str(self.directory),)

    def forms(self, content: Content, recipient: str) -> tuple[Rendered, ...]:
        return content.files(self.formats)

    def open(self, settings: Settings, *, sender: str) -> FileChannel:
        return FileChannel()

    def check(self, settings: Settings) -> None:
        check_writable(self.directory)
