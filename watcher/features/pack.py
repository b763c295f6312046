"""Features as bytes for the store, and back. The vector is kept beside them: another embedder may make it anew."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from sys import intern
from typing import TypeAlias

from watcher.model import Features

Shared: TypeAlias = dict[tuple[str, float], tuple[str, float]]

FORMAT = 1
HEAD = struct.Struct("<BH")  # format, number of shingles
SHINGLE_BYTES = 4


def pack(features: Features) -> bytes:
    """Return the sparse part of `features` in a compact form: about 2.5 kB for a long article."""
    words = json.dumps(
        [features.version, features.terms, features.names, features.numbers], ensure_ascii=False, separators=(",", ":")
    )
    count = len(features.shingles) // SHINGLE_BYTES
    return HEAD.pack(FORMAT, count) + features.shingles + zlib.compress(words.encode("utf-8", "surrogatepass"), 6)


def unpack(
    article_id: str, packed: bytes, vector: bytes | None, vector_model: str | None, *, shared: Shared | None = None
) -> Features:
    """
    Return the features that `pack` packed.

    Args:
        shared: Terms with their weights that were unpacked before: many articles have the same, and hold one then.

    Raises:
        ValueError: The bytes are of another format, or damaged.
    """
    try:
        form, count = HEAD.unpack_from(packed)
        if form != FORMAT:
            raise ValueError(f"features of article {article_id} are in format {form}, not {FORMAT}")
        end = HEAD.size + SHINGLE_BYTES * count
        shingles = packed[HEAD.size : end]
        words = zlib.decompress(packed[end:]).decode("utf-8", "surrogatepass")
        version, terms, names, numbers = json.loads(words)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"features of article {article_id} are damaged: {error}") from error
    pairs: Iterable[tuple[str, float]] = map(tuple, terms)
    if shared is not None:
        pairs = [shared.setdefault(pair, pair) for pair in pairs]
    return Features(
        article_id=article_id,
        version=version,
        shingles=shingles,
        terms=tuple(pairs),
        names=tuple(map(intern, names)),
        numbers=tuple(map(intern, numbers)),
        vector=vector,
        vector_model=vector_model,
    )
