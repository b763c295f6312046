"""Sketches of vectors, one bit a dimension: those of a whole store can be compared with a text in little memory."""

from collections.abc import Collection, Iterable
from datetime import datetime

import numpy as np
import numpy.typing as npt

from watcher.features.language_means import embedder_mean

Bits = npt.NDArray[np.uint64]
Sketches = npt.NDArray[np.void]  # rows of `sketch_type`
ARTICLE_ID_BYTES = 32  # at most; one that Watcher makes has 16


def sketch_type(dimensions: int) -> np.dtype[np.void]:
    """Return the type of a sketch: the article's id, the hour of its publication, a bit for each dimension."""
    return np.dtype([("article", f"S{ARTICLE_ID_BYTES}"), ("hour", "<f8"), ("bits", "<u8", (-(-dimensions // 64),))])


def make_sketches(rows: Iterable[tuple[str, str, datetime, bytes]], model: str, dimensions: int) -> Sketches:
    """Return the sketches of articles, given by id, language, time of publication and vector of `model`."""
    ids, languages, times, vectors = zip(*rows, strict=True)
    sketches = np.zeros(len(ids), sketch_type(dimensions))
    sketches["article"], sketches["hour"] = np.array(ids, "S"), [at.timestamp() / 3600 for at in times]
    means = np.stack([embedder_mean(model, language, dimensions) for language in languages])
    sketches["bits"] = sketch_bits(np.frombuffer(b"".join(vectors), "<f2").reshape(len(ids), dimensions) - means)
    return sketches


def list_articles(data: bytes, dimensions: int) -> list[str]:
    """Return the ids of the articles of packed sketches."""
    return [key.decode() for key in np.frombuffer(data, sketch_type(dimensions))["article"].tolist()]


def keep_articles(data: bytes, dimensions: int, ids: Collection[str]) -> bytes:
    """Return the packed sketches of those articles that are in `ids`."""
    sketches = np.frombuffer(data, sketch_type(dimensions))
    return sketches[np.isin(sketches["article"], np.array([*ids], f"S{ARTICLE_ID_BYTES}"))].tobytes()


def sketch_bits(centered: npt.NDArray[np.float32]) -> Bits:
    """Return a row of bits for each vector: whether a dimension is above its mean."""
    bits = np.packbits(centered > 0, axis=1)
    return np.ascontiguousarray(np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))).view("<u8")
