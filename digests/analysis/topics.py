"""What a story is about: one of eight topics, from the vectors, addresses and sections of its reports."""

import json
from base64 import b64decode
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from digests.cluster.item import ClusterItem
from digests.cluster.pair_model import WITHOUT_VECTORS
from digests.cluster.vectorize import stack_vectors
from digests.settings.topics import LIGHT_TOPICS, TOPICS, WORLD_TOPICS
from watcher.model import Article
from watcher.text.toml_data import load_toml
from watcher.text.words import fold

Chances = npt.NDArray[np.float32]  # of each of `TOPICS`; they add up to 1
MIN_CHANCE = 0.5  # of the topic of a story; else no topic is named
# The same of a light topic, which puts a story behind the others: the topics have no crime. Of 18 stories of two
# outlets or more with .5 to .6, 11 were not light (a murder, a court, a lawsuit), of 27 with .6 to .7 five.
MIN_LIGHT_CHANCE = 0.6
MAX_FOLDERS = 3  # of an address, that are read


def find_topic(articles: Iterable[Article], chances: Mapping[str, Chances]) -> str:
    """
    Return the topic of a story, one of `TOPICS`, from the `chances` of its articles by id; "" if none is likely.

    World news and politics are hard to tell apart: together, they must be likely.
    """
    known = [chances[article.id] for article in articles if article.id in chances]
    if not known:
        return ""
    mean = np.mean(known, axis=0)
    best = TOPICS[int(mean.argmax())]
    alike = WORLD_TOPICS if best in WORLD_TOPICS else (best,)
    least = MIN_LIGHT_CHANCE if best in LIGHT_TOPICS else MIN_CHANCE
    return best if sum(mean[TOPICS.index(topic)] for topic in alike) >= least else ""


def topic_chances(items: Sequence[ClusterItem], sections: Mapping[str, str]) -> dict[str, Chances]:
    """
    Return the probability of each topic for each item, by article id; `sections` are by article id too.

    They are those of a logistic regression (softmax) on the vector less the mean of its language, scaled to length 1,
    and on the topics that address and section name (`bench/fit_topics.py`).
    """
    if not items:
        return {}
    named = np.stack([name_topics(item.url, sections.get(item.article_id, "")) for item in items])
    model, vectors, has_vector = stack_directions(items)
    without, bias_without = load_weights(WITHOUT_VECTORS)
    scores = named @ without + bias_without
    weights, bias = load_weights(model)
    if len(weights) == vectors.shape[1] + len(TOPICS):
        scores = np.where(has_vector[:, None], np.hstack([vectors, named]) @ weights + bias, scores)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    rows = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return {item.article_id: row for item, row in zip(items, rows, strict=True)}


def stack_directions(items: Sequence[ClusterItem]) -> tuple[str, npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return (embedder, vectors, has) as `stack_vectors` does, each vector of length 1; without columns if none has."""
    if (stacked := stack_vectors(items)) is None:
        return "", np.zeros((len(items), 0), np.float32), np.zeros(len(items), bool)
    model, vectors, has_vector = stacked
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return model.partition("/")[0], vectors, has_vector > 0


def name_topics(url: str, section: str) -> npt.NDArray[np.float32]:
    """Return 1 for each of `TOPICS` that an address or a section names, else 0."""
    known, shares = _topic_words(), np.zeros(len(TOPICS), np.float32)
    parts = _parts_of(url)
    words = {fold(word) for part in parts for word in (part, *part.split("-"))}
    words |= {fold(word) for word in (section, *section.replace("/", " ").split())}
    for word in words & known.keys():
        shares[known[word]] = 1.0
    return shares


def _parts_of(url: str) -> Collection[str]:
    """Return the subdomains and the first folders of an address, in lower case."""
    try:
        split = urlsplit(url)
        host = (split.hostname or "").split(".")[:-2]
    except ValueError:
        return ()
    folders = [part for part in split.path.lower().split("/")[1:-1] if part and not part.isdigit()]
    return [*host, *folders[:MAX_FOLDERS]]


@cache
def _topic_words() -> dict[str, int]:
    """Return the place in `TOPICS` of the topic of each word of addresses and sections."""
    rows: Mapping[str, str] = _load_names()["words"]
    return {word: TOPICS.index(topic) for topic, words in rows.items() for word in words.split()}


@cache
def _load_names() -> dict[str, Any]:
    return load_toml("digests.analysis", "topics.toml")


def topic_title(topic: str, language: str) -> str:
    """Return the title of a topic in `language`, else in English; "" for world news, which has none, and for none."""
    titles: Mapping[str, str] = _load_names()["titles"].get(topic, {})
    return titles.get(language.partition("-")[0], titles.get("en", ""))


@cache
def load_weights(embedder: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the weights (a row for each dimension, then for each topic named) and biases; empty if none are known."""
    row = json.loads((files("digests.analysis") / "topics.json").read_text("ascii")).get(embedder)
    if row is None:
        return np.zeros((0, len(TOPICS)), np.float32), np.zeros(len(TOPICS), np.float32)
    weights = np.frombuffer(b64decode(row["weights"]), "<f2").astype(np.float32).reshape(-1, len(TOPICS))
    return weights, np.array(row["bias"], np.float32)
