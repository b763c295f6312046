"""Bounded decoding of a content coding: never more output than allowed, several gzip members, cut trailers seen."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

STEP_BYTES = 65_536  # output of one call of zlib: bounds memory whatever the ratio
GZIP_MAGIC = b"\x1f\x8b"
ACCEPT_ENCODING = "gzip, deflate"  # what `Inflate` reads; br and zstd are not offered


class Overflow(Exception):
    """More output than allowed."""


class Damaged(Exception):
    """The coded stream ends too early, is broken, or is in a coding that we did not offer."""


class Inflate:
    """
    Decode a body piece by piece: `feed` each raw chunk, then `finish`.

    Codings: gzip (several members, padding after the last one ignored), deflate (with or without zlib header),
    identity. A body that claims gzip and is not, is passed on as it is: servers that label twice exist, and the bytes
    are readable.

    Raises:
        Overflow: the raw or the decoded bytes exceed `max_bytes`.
        Damaged: see there; an unknown coding at construction already.
    """

    def __init__(self, coding: str | None, *, max_bytes: int) -> None:
        self._coding = coding_of(coding)
        self._max = max_bytes
        self._raw_bytes = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._head = b""
        self._zlib: zlib._Decompress | None = None
        self._plain = self._coding == "identity"

    def feed(self, chunk: bytes) -> None:
        """Take the next raw bytes."""
        self._raw_bytes += len(chunk)
        if self._raw_bytes > self._max:
            raise Overflow
        if self._plain:
            self._keep(chunk)
            return
        while chunk:
            chunk = self._feed_coded(chunk)

    def finish(self) -> bytes:
        """Return the whole decoded body."""
        if not self._plain and self._zlib is not None and not self._zlib.eof:
            raise Damaged("the compressed body is cut")
        if not self._plain and self._head and self._zlib is None and not self._size:
            self._keep(self._head)  # one byte: too short to be coded
        return self.so_far()

    def so_far(self) -> bytes:
        """Return what is decoded by now."""
        return b"".join(self._pieces)

    def _feed_coded(self, chunk: bytes) -> bytes:
        """Decode `chunk` up to the end of a member and return what follows it."""
        if self._zlib is None:
            self._head += chunk
            if len(self._head) < 2:
                return b""
            chunk, self._head = self._head, b""
            if not self._open(chunk):
                return b""
        if self._zlib is None:  # plain after all, or padding behind the last member
            if self._plain:
                self._keep(chunk)
            return b""
        for piece in self._inflate(self._zlib, chunk):
            self._keep(piece)
        if not self._zlib.eof:
            return b""
        rest, self._zlib = self._zlib.unused_data, None
        return rest if self._coding == "gzip" else b""

    def _open(self, head: bytes) -> bool:
        """Start a member; False where the rest is padding."""
        if self._coding == "gzip":
            if head.startswith(GZIP_MAGIC):
                self._zlib = zlib.decompressobj(wbits=31)
            elif self._size:
                return False  # bytes after the last member: gzip itself ignores them
            else:
                self._plain = True
        elif self._size:
            return False
        else:
            has_header = head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0
            self._zlib = zlib.decompressobj(wbits=15 if has_header else -15)
        return True

    @staticmethod
    def _inflate(stream: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
        try:
            while True:
                piece = stream.decompress(chunk, STEP_BYTES)
                if piece:
                    yield piece
                chunk = stream.unconsumed_tail
                if stream.eof or (not chunk and len(piece) < STEP_BYTES):
                    return
        except zlib.error as error:
            raise Damaged(f"the compressed body is damaged ({error})") from error

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max:
            raise Overflow
        self._pieces.append(piece)


def coding_of(header: str | None) -> str:
    """Return `gzip`, `deflate` or `identity` for a Content-Encoding; Damaged for what we did not offer."""
    names = [name.strip().lower() for name in (header or "").split(",") if name.strip()]
    names = [name.removeprefix("x-") for name in names if name not in ("identity", "none", "utf-8", "binary")]
    if not names:
        return "identity"
    if len(names) > 1 or names[0] not in ("gzip", "deflate"):
        raise Damaged(f"a content coding we did not offer: {header}")
    return names[0]
