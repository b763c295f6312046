"""
Precision and recall of "independent" on texts of one event: copied, revised lightly and heavily, and own ones.

    python -m bench.text_reuse

Each event of `reuse/` has an agency's text, what desks made of it, and two texts of reporters who were there and have
the same quotation: a feature ("own"), and news as sober as the agency's ("rival"). Those of "fresh" are also printed
above the agency's paragraphs of background ("own+", "rival+"), which make a quarter of the text or more.
A heavily revised text counts as independent if less than a quarter of its wording is the agency's. Each version is
judged beside the agency's text, which came first or half an hour later, beside the same text as an outlet's own, and
among all versions. Each one judged wrong is printed. Thresholds are chosen on "tuned"; "held" and "fresh", in other
languages and written after the rules, are only counted.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.report_pairs import figures
from digests.analysis.story_coverage import measure_coverage
from digests.cluster.constraints import Constraints
from digests.cluster.item import make_item
from digests.cluster.stories import cluster_stories
from watcher.features.extract import extract_features, split_quotes
from watcher.model import Article

TEXTS = Path(__file__).parent / "reuse"
PARTS = ("tuned", "held", "fresh")
CLASSES = ("copied", "light", "heavy", "rival", "own")
WITH_BACKGROUND = ("rival+", "own+")
WRITTEN_OUT = ("heavy", "rival", "own")
AGENCY = "AFP"
START = datetime(2026, 2, 3, 6, tzinfo=UTC)
HOURS = {"wire": 0.0, "copied": 1.0, "rival": 1.5, "light": 2.0, "own": 2.5, "heavy": 3.0}
RUN = 4  # words in a row that two texts must share for these to be shared wording
OWN = 0.25  # of a text's wording: one that shares less is independent
DATELINE = re.compile(r"^.{3,60}?\)\.?\s*[-–]\s*")


def versions(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of an event: the agency's, and by class what others printed."""
    wire = event["wire"].strip()
    light = wire
    for old, new in event["light"]:
        assert wire.count(old) == 1, f"{old!r} stands {wire.count(old)} times in {event['headlines'][0]!r}"
        light = light.replace(old, new)
    copied = "\n".join(DATELINE.sub("", wire).split("\n")[:-1])
    texts = {"wire": wire, "copied": copied, "light": light, **{key: event[key].strip() for key in WRITTEN_OUT}}
    if count := event.get("background", 0):
        texts |= {key: "\n".join([texts[key[:-1]], *wire.split("\n")[-count:]]) for key in WITH_BACKGROUND}
    return texts


def shared_wording(text: str, source: str) -> float:
    """Return the share of a text's words, outside quotations, in runs of `RUN` words that `source` has too."""
    runs = set(told_runs(source).values())
    shared = {at + n for at, run in told_runs(text).items() if run in runs for n in range(RUN)}
    return len(shared) / split_quotes(text)[1].count(False)


def told_runs(text: str) -> dict[int, tuple[str, ...]]:
    """Return the runs of `RUN` words outside quotations, by the place of their first word."""
    words, cited = split_quotes(text)
    places = range(len(words) - RUN + 1)
    return {at: tuple(words[at : at + RUN]) for at in places if not any(cited[at : at + RUN])}


def article(
    event: Mapping[str, Any], key: str, text: str, language: str, *, hours: float, agency: str | None
) -> Article:
    at = START + timedelta(hours=hours)
    return Article(
        id=key,
        url=f"https://{key}.example/{key}",
        host=f"{key}.example",
        outlet=agency or key,
        title=event["headlines"][{"wire": 0, "copied": 0, "own": 2, "own+": 2}.get(key, 1)],
        text=text,
        language=language,
        country=None,
        published_at=at,
        fetched_at=at,
        agency=agency,
    )


def independent_outlets(articles: Sequence[Article]) -> tuple[str, ...]:
    """Return the outlets that count as independent if `articles` are one story."""
    items = [
        make_item(each, extract_features(each.id, title=each.title, text=each.text, language=each.language))
        for each in articles
    ]
    ids = tuple(each.id for each in articles)
    (story,) = cluster_stories(items, rules=Constraints(together=(ids,)))
    return measure_coverage(story, {each.id: each for each in articles}).independent


def stories(event: Mapping[str, Any], language: str) -> Iterator[tuple[str, list[Article]]]:
    """Yield stories of an event, each with what it is made of."""
    texts = versions(event)

    def printed(key: str, *, hours: float = 0.0, agency: str | None = None) -> Article:
        return article(event, key, texts[key], language, hours=HOURS[key.rstrip("+")] + hours, agency=agency)

    with_background = [key for key in WITH_BACKGROUND if key in texts]
    yield "all versions", [printed("wire", agency=AGENCY), *map(printed, CLASSES)]
    if with_background:
        yield "all with background", [printed("wire", agency=AGENCY), *map(printed, with_background)]
    for key in (*CLASSES, *with_background):
        yield "after the agency", [printed("wire", agency=AGENCY), printed(key)]
        yield "before the agency", [printed("wire", hours=HOURS[key.rstrip("+")] + 0.5, agency=AGENCY), printed(key)]
        yield "after another outlet", [printed("wire"), printed(key)]


def count(half: str, wrong: Callable[[str], object] = str) -> dict[tuple[str, str], Counter[tuple[bool, bool]]]:
    """Return by language and class how many texts are (independent, counted as such); `wrong` is told of faults."""
    found: dict[tuple[str, str], Counter[tuple[bool, bool]]] = {}
    for path in sorted((TEXTS / half).glob("*.toml")):
        for event in tomllib.loads(path.read_text(encoding="utf-8"))["events"]:
            texts = versions(event)
            shares = {key: shared_wording(text, texts["wire"]) for key, text in texts.items()}
            for kind, articles in stories(event, path.stem):
                independent = independent_outlets(articles)
                for key in {each.id for each in articles} - {"wire"}:
                    is_own = key.startswith(("rival", "own")) or (key == "heavy" and shares[key] < OWN)
                    found.setdefault((path.stem, key), Counter())[is_own, key in independent] += 1
                    if is_own != (key in independent):
                        fault = f"{'not ' if is_own else ''}counted as independent, shares {shares[key]:.0%}"
                        wrong(f"{half}, {path.stem}, {kind}, {event['headlines'][0]!r}, {key}: {fault}")
    return found


def measure(half: str) -> dict[str, float]:
    """Return precision and recall of "independent" on one part."""
    _, _, precision, recall = figures(sum(count(half).values(), Counter()))
    return {"precision": precision, "recall": recall}


def print_figures(name: str, counts: Counter[tuple[bool, bool]]) -> None:
    judged, own, precision, recall = figures(counts)
    counted = counts[True, True] + counts[False, True]
    print(f"{name:20}{judged:4} judged, {own:3} independent, {counted:3} counted as such", end="")
    print(f": precision {precision:.4f}, recall {recall:.4f}" if own else "")


def main() -> None:
    for half in PARTS:
        found = count(half, print)
        for (language, kind), counts in found.items():
            print_figures(f"{half} {language} {kind}", counts)
        for kind in dict.fromkeys(kind for _, kind in found):
            print_figures(f"{half} {kind}", sum((each for (_, key), each in found.items() if key == kind), Counter()))
        print_figures(half, sum(found.values(), Counter()))


if __name__ == "__main__":
    main()
