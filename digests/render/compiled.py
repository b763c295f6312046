"""The templates of this package as Jinja has compiled them: kept where Python keeps what it compiles."""

from __future__ import annotations

import marshal
import os
import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

TEMPLATES = Path(__file__).parent / "templates"
JINJA = "".join(filter(str.isalnum, jinja2.__version__))


class Compiled(BytecodeCache):
    """
    Code of templates, in a file for each, with the checksum of the source that it was made of.

    Compiling them takes half the time of an edition's forms. As with Python's own files, one that is out of date or
    damaged is made anew, and where nothing can be written nothing is kept.

    Args:
        kind: Of the environment, in letters: another one makes other code of the same template.
        folder: Of the templates.
        keep: Whether anything is kept; else as Python does with what it compiles.
    """

    def __init__(self, kind: str, folder: Path = TEMPLATES, *, keep: bool | None = None) -> None:
        self._kind, self._folder = kind, folder
        self._keep = not sys.dont_write_bytecode if keep is None else keep

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the name of a template: the folder is known."""
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the code of a template, if it was made of this source."""
        head = f"{bucket.checksum}\n".encode()
        with suppress(OSError, EOFError, ValueError, TypeError):
            data = self._place(bucket).read_bytes()
            if data.startswith(head):
                bucket.code = marshal.loads(data[len(head) :])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template, if that can be done."""
        if not self._keep:
            return
        place = self._place(bucket)
        new = place.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(f"{bucket.checksum}\n".encode() + marshal.dumps(bucket.code))
            new.replace(place)

    def _place(self, bucket: Bucket) -> Path:
        """Return the file of a template: of this Python, this Jinja and this kind."""
        return Path(cache_from_source(str(self._folder / bucket.key), optimization=f"{self._kind}{JINJA}"))
