"""Decodes content codings with a limit on the output; reads several gzip members, and detects cut streams."""

import zlib

import brotli

from watcher.errors import HopError
from watcher.failure_messages import FetchKind

GZIP_MAGIC = b"\x1f\x8b"
ACCEPT_ENCODING = "gzip, deflate, br"  # what `BodyDecoder` supports; not zstd


class BodyDecoder:
    """
    Decodes a body in pieces: call `feed` with each raw chunk, then `finish`.

    Codings: gzip (several members, padding after the last one ignored), deflate (with or without zlib header), br,
    identity. A body labelled gzip that is not gzip is passed on unchanged: some servers add the label twice.

    Errors: HopError for more than `max_bytes`, raw or decoded, a damaged stream, or (at once) an unknown coding.
    """

    def __init__(self, coding: str | None, *, max_bytes: int) -> None:
        """
        Prepare to decode a body; `coding` is the Content-Encoding, `max_bytes` the limit before and after decoding.
        """
        self._coding = _coding_of(coding)
        self._max_bytes = max_bytes
        self._raw_bytes = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._head = b""
        self._zlib: zlib._Decompress | None = None
        self._brotli = brotli.Decompressor() if self._coding == "br" else None

    def feed(self, chunk: bytes) -> None:
        """Decode the next bytes of the body. Errors: HopError if they are damaged or too many."""
        self._raw_bytes += len(chunk)
        self._check(self._raw_bytes)
        if self._coding == "identity":
            self._keep(chunk)
            return
        try:
            if self._brotli is None:
                while chunk:
                    chunk = self._feed_member(chunk)
            elif not self._brotli.is_finished():  # bytes after the end of the stream are ignored
                self._keep(self._brotli.process(chunk, output_buffer_limit=self._room()))
        except (brotli.error, zlib.error) as error:
            raise HopError(FetchKind.BODY_DAMAGED, detail=str(error)) from error

    def finish(self) -> bytes:
        """Return the decoded body. Errors: HopError if it is cut."""
        is_open = self._zlib is not None and not self._zlib.eof
        if is_open or (self._brotli is not None and self._raw_bytes and not self._brotli.is_finished()):
            raise HopError(FetchKind.BODY_CUT)
        if self._head and not self._size:
            self._keep(self._head)  # one byte: too short to be encoded
        return self.decoded_bytes()

    def decoded_bytes(self) -> bytes:
        return b"".join(self._pieces)

    def _feed_member(self, chunk: bytes) -> bytes:
        """Decode `chunk` up to the end of a member; return the bytes after it."""
        if self._zlib is None:
            chunk, self._head = self._head + chunk, b""
            if len(chunk) < 2:
                self._head = chunk
                return b""
            if self._size and not (self._coding == "gzip" and chunk.startswith(GZIP_MAGIC)):
                return b""  # bytes after the last member: gzip itself ignores them
            if self._coding == "gzip" and not chunk.startswith(GZIP_MAGIC):
                self._coding = "identity"
                self._keep(chunk)
                return b""
            self._zlib = zlib.decompressobj(_wbits_of(chunk))
        self._keep(self._zlib.decompress(chunk, self._room()))
        if not self._zlib.eof:
            return b""
        rest, self._zlib = self._zlib.unused_data, None
        return rest if self._coding == "gzip" else b""

    def _room(self) -> int:
        """Return the most bytes that a decoder may return at once: one more than is still allowed."""
        return self._max_bytes - self._size + 1

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        self._check(self._size)
        if piece:
            self._pieces.append(piece)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise HopError(FetchKind.TOO_LARGE, n=self._max_bytes)


def _wbits_of(head: bytes) -> int:
    """Return zlib's `wbits` for a stream that begins with `head`: gzip, zlib, or raw deflate."""
    if head.startswith(GZIP_MAGIC):
        return 31
    return 15 if head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0 else -15


def _coding_of(header: str | None) -> str:
    """Return `gzip`, `deflate`, `br` or `identity` for a Content-Encoding. Errors: HopError for any other."""
    names = [name.strip().lower() for name in (header or "").split(",") if name.strip()]
    names = [name.removeprefix("x-") for name in names if name not in ("identity", "none", "utf-8", "binary")]
    if not names:
        return "identity"
    if len(names) > 1 or names[0] not in ("gzip", "deflate", "br"):
        raise HopError(FetchKind.UNKNOWN_CODING, detail=str(header))
    return names[0]
