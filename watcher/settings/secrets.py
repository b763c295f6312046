"""
Secrets: where one is kept (`env:NAME`, `file:PATH`), read when it is used and shown nowhere.

A file of that name among the credentials that systemd hands to a service (`LoadCredential=`) goes before the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from watcher.errors import WatcherError

MAX_BYTES = 64 * 1024  # a longer file is no password


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """The place of a secret: `kind` is "env" or "file", `name` a variable or a path (relative to `folder`)."""

    kind: str
    name: str
    folder: Path = field(default=Path(), repr=False)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    def reveal(self) -> str:
        """
        Return the secret, without the line end that editors leave.

        Errors: WatcherError if the variable is not set or the file cannot be read; never with the secret in it.
        """
        value = os.environ.get(self.name, "") if self.kind == "env" else read_text(self._path(), str(self))
        if not value:
            error = WatcherError(f"the secret {self} is empty or not set")
            error.mend = f"set the variable {self.name}" if self.kind == "env" else f"write the secret into {self.name}"
            raise error
        return value

    def _path(self) -> Path:
        handed = os.environ.get("CREDENTIALS_DIRECTORY")
        given = Path(handed) / Path(self.name).name if handed else None
        return given if given and given.is_file() else self.folder / Path(self.name).expanduser()


def read_text(path: Path, shown: str) -> str:
    """Return the text of a secret's file without its trailing line end."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise WatcherError(f"the secret {shown} cannot be read: {reason}") from None
