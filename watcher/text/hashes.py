"""Hashes that are the same in every process and on every machine."""

from __future__ import annotations

from hashlib import blake2b


def hash64(text: str) -> int:
    """Return the unsigned 64-bit hash of `text`."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
