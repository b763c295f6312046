"""Features as bytes for the store, and back. The vector is kept beside them: another embedder may make it anew."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from sys import intern

from watcher.features.extract import extract_features, packed_terms
from watcher.model import FEATURES_VERSION, Article, Features

FORMAT = 2
FIRST_FORMAT = 1  # with the terms as JSON: as it is still read, no store has to be written anew
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
    Return the features that `pack` packed.

    Args:
        stand_in: Comes in place of shingles that are as long or longer, where nobody asks more than how long they are.

    Raises:
        ValueError: The bytes are of another format, or damaged.
    """
    try:
        form, count = HEAD.unpack_from(packed)
        if form not in (FORMAT, FIRST_FORMAT):
            raise ValueError(f"features of article {article_id} are in format {form}, not {FORMAT}")
        end = HEAD.size + SHINGLE_BYTES * count
        body = zlib.decompress(packed[end:])
        version, stems, weights, names, numbers = decode_parts(body) if form == FORMAT else decode_parts_v1(body)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"features of article {article_id} are damaged: {error}") from error
    return Features(
        article_id=article_id,
        version=version,
        shingles=packed[HEAD.size : end] if stand_in is None or end - HEAD.size < len(stand_in) else stand_in,
        stems=stems,
        weights=weights,
        names=tuple(map(intern, names)),
        numbers=tuple(map(intern, numbers)),
        vector=vector,
        vector_model=vector_model,
    )


def decode_shingles(packed: bytes) -> bytes:
    """Return the shingles of the features that `pack` packed, which `unpack` can read."""
    _, count = HEAD.unpack_from(packed)
    return packed[HEAD.size : HEAD.size + SHINGLE_BYTES * count]


def decode_parts(body: bytes) -> tuple[str, str, bytes, list[str], list[str]]:
    """Return version, stems, weights, names and numbers of what was compressed."""
    (count,) = TERMS.unpack_from(body)
    end = TERMS.size + WEIGHT_BYTES * count
    words, _, stems = body[end:].decode("utf-8", "surrogatepass").partition("\n")
    version, names, numbers = json.loads(words)
    return version, stems, body[TERMS.size : end], names, numbers


def decode_parts_v1(body: bytes) -> tuple[str, str, bytes, list[str], list[str]]:
    """Return the same of the first format."""
    version, terms, names, numbers = json.loads(body.decode("utf-8", "surrogatepass"))
    return version, *packed_terms(terms), names, numbers


def upgrade(features: Features, article: Article) -> Features:
    """Return `features` as this version makes them of `article`; the vector, which has its own version, is kept."""
    if features.version == FEATURES_VERSION:
        return features
    made = extract_features(article.id, title=article.title, text=article.text, language=article.language)
    return replace(made, vector=features.vector, vector_model=features.vector_model)
