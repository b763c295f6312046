"""Features as bytes for the store, and back. The vector is kept beside them, as it depends on the embedder."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from sys import intern

from watcher.features.extract import extract_features
from watcher.model import FEATURES_VERSION, Article, Features

FORMAT = 2
HEAD = struct.Struct("<BH")  # format, number of shingles
TERMS = struct.Struct("<H")  # number of terms
SHINGLE_BYTES = 4
WEIGHT_BYTES = 2


def encode(features: Features) -> bytes:
    """Return the sparse part of `features` in a compact form: about 2.3 kB for a long article."""
    words = json.dumps([features.version, features.names, features.numbers], ensure_ascii=False, separators=(",", ":"))
    text = f"{words}\n{features.stems}".encode("utf-8", "surrogatepass")
    count = len(features.shingles) // SHINGLE_BYTES
    head = HEAD.pack(FORMAT, count) + features.shingles
    return head + zlib.compress(TERMS.pack(len(features.weights) // WEIGHT_BYTES) + features.weights + text, 6)


def decode(
    article_id: str, packed: bytes, vector: bytes | None, vector_model: str | None, *, stand_in: bytes | None = None
) -> Features:
    """
    Return the features that `encode` made these bytes of.

    Args:
        stand_in: Comes in place of shingles that are as long or longer, where nobody asks more than how long they are.

    Raises:
        ValueError: The bytes are of another format, or damaged.
    """
    try:
        form, count = HEAD.unpack_from(packed)
        if form != FORMAT:
            raise ValueError(f"features of article {article_id} are in format {form}, not {FORMAT}")
        end = HEAD.size + SHINGLE_BYTES * count
        body = zlib.decompress(packed[end:])
        (terms,) = TERMS.unpack_from(body)
        words_at = TERMS.size + WEIGHT_BYTES * terms
        words, _, stems = body[words_at:].decode("utf-8", "surrogatepass").partition("\n")
        version, names, numbers = json.loads(words)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"features of article {article_id} are damaged: {error}") from error
    return Features(
        article_id=article_id,
        version=version,
        shingles=packed[HEAD.size : end] if stand_in is None or end - HEAD.size < len(stand_in) else stand_in,
        stems=stems,
        weights=body[TERMS.size : words_at],
        names=tuple(map(intern, names)),
        numbers=tuple(map(intern, numbers)),
        vector=vector,
        vector_model=vector_model,
    )


def decode_shingles(packed: bytes) -> bytes:
    """Return the shingles of encoded features, which `decode` can read."""
    _, count = HEAD.unpack_from(packed)
    return packed[HEAD.size : HEAD.size + SHINGLE_BYTES * count]


def upgrade(features: Features, article: Article) -> Features:
    """Return `features` as this version makes them of `article`; the vector, which has its own version, is kept."""
    if features.version == FEATURES_VERSION:
        return features
    made = extract_features(article.id, title=article.title, text=article.text, language=article.language)
    return replace(made, vector=features.vector, vector_model=features.vector_model)
