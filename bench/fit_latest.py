"""
Fits by which headline of a later report stands under a story to the marks of editors, and writes
`digests/summarise/latest.json`.

    python -m bench.fit_latest --stores FOLDER            # fit and write
    python -m bench.fit_latest --stores FOLDER --judge    # print what is chosen by weights fitted on other months

`latest_marks.tsv` has, for a story of an edition (the article with its headline, and its sentences as
article:offset:length), the later reports that two editors saw below it, in the order of time, with their marks: 3 where
the story is out of date without it, 2 for a lesser development, 1 for what says again what is told or is no news, 0 for
what is wrong there: another event, an older state. FOLDER is as for `bench/fit_ranking.py`.

Two questions are fitted, each by a logistic regression: is the report on the story's event, which 1 and more say, and
if so, is it newer, which 2 and more say? A report that is no longer near the story is left out, as is a story whose
headline or sentences the store lacks.
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from bench.fit_grouping import fit_logistic
from bench.fit_ranking import load_edition
from digests.analysis.titles import title_without_outlet
from digests.compose.context import ComposeContext
from digests.compose.rank import NO_NEIGHBOURS
from digests.summarise.latest import (
    IS_NEWER,
    ON_EVENT,
    Told,
    choose_latest,
    describe_report,
    may_be_later,
    measure_worth,
)

MARKS = Path(__file__).with_name("latest_marks.tsv")
OUT = Path(__file__).parents[1] / "digests" / "summarise" / "latest.json"
RIDGE = 1.0
FOR_EVENT, FOR_NEWER = 0.75, 1.5  # mean mark of two editors from which on the answer is yes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A later report of a story with the mean of its marks."""

    edition: str
    story: tuple[str, str, str]
    mark: float
    values: dict[str, float]
    may_be_later: bool
    is_shipped: bool  # chosen by the weights that the package carries


def load_reports(folder: Path) -> list[Report]:
    """Return the marked reports of all editions."""
    rows: defaultdict[tuple[str, str], defaultdict[tuple[str, str], list[dict[str, str]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    with MARKS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            rows[row["edition"], row["at"]][row["headline"], row["sentences"]].append(row)
    found: list[Report] = []
    for (edition, at), stories in rows.items():
        inputs = load_edition(folder / edition, datetime.fromisoformat(at))
        context = inputs.context
        homes = {key: story for story in inputs.stories for key in story.articles}
        for (headline, sentences), marked in stories.items():
            story, quoted = homes.get(headline), {each.partition(":")[0] for each in sentences.split()}
            if story is None or not quoted <= context.articles.keys():
                continue
            near = context.neighbours.get(story.id, NO_NEIGHBOURS).articles
            told = _make_told(headline, sentences.split(), len(context.present(story)), near, context)
            texts = context.load_full_texts(
                row["article"] for row in marked if row["article"] in near or homes.get(row["article"]) is story
            )
            chosen = choose_latest(texts.values(), told, context.can_read, context.frequencies)
            for row in marked:
                if row["article"] not in texts:
                    continue
                article = texts[row["article"]]
                found.append(
                    Report(
                        edition=edition,
                        story=(edition, headline, sentences),
                        mark=(int(row["first"]) + int(row["second"])) / 2,
                        values=describe_report(article, told, context.frequencies),
                        may_be_later=may_be_later(article, told, context.can_read),
                        is_shipped=chosen is article,
                    )
                )
    return found


def _make_told(
    headline: str, sentences: Iterable[str], reports: int, near: Mapping[str, float], context: ComposeContext
) -> Told:
    """Return what told a story; `sentences` as in the file."""
    spans = [(key, int(start), int(length)) for key, start, length in (each.split(":") for each in sentences)]
    texts = context.load_full_texts([headline, *(key for key, _, _ in spans)])
    title = texts[headline]
    shown = [(title_without_outlet(title), title.language)]
    shown += [(texts[key].text[start : start + length], texts[key].language) for key, start, length in spans]
    since = max(texts[key].published_at for key in (headline, *(key for key, _, _ in spans)))
    return Told(shown=shown, since=since, reports=reports, near=near, news_values=context.news_values)


def fit(reports: Sequence[Report]) -> dict[str, dict[str, float]]:
    """Return the weights of both questions."""
    on_event = [report for report in reports if report.mark >= FOR_EVENT]
    return {
        "on event": _fit_question(reports, ON_EVENT, lambda report: report.mark >= FOR_EVENT),
        "newer": _fit_question(on_event, IS_NEWER, lambda report: report.mark >= FOR_NEWER),
    }


def _fit_question(
    reports: Sequence[Report], names: Sequence[str], answer: Callable[[Report], bool]
) -> dict[str, float]:
    table = np.array([[report.values[name] for name in names] for report in reports], np.float32)
    answers = np.array([float(answer(report)) for report in reports])
    weights, bias = fit_logistic(table, answers, np.ones(len(reports)), RIDGE, np.zeros((0, len(names))))
    return {"bias": round(bias, 4)} | {name: round(float(x), 4) for name, x in zip(names, weights, strict=True)}


def _measure_worth(report: Report, weights: dict[str, dict[str, float]]) -> float:
    return measure_worth(report.values, weights)


def print_judgement(reports: Sequence[Report]) -> None:
    """Print the marks of what is chosen by weights fitted without an edition's month, and by the shipped ones."""
    by_story: defaultdict[tuple[str, str, str], list[Report]] = defaultdict(list)
    for report in reports:
        by_story[report.story].append(report)
    chosen: dict[str, list[float]] = {"fitted on other months": [], "shipped": []}
    for month in sorted({report.edition[:7] for report in reports}):
        weights = fit([report for report in reports if report.edition[:7] != month])
        worth = partial(_measure_worth, weights=weights)
        for story, those in by_story.items():
            if not story[0].startswith(month):
                continue
            best = max((report for report in those if report.may_be_later), key=worth, default=None)
            if best is not None and worth(best) > 0:
                chosen["fitted on other months"].append(best.mark)
            chosen["shipped"] += [report.mark for report in those if report.is_shipped]
    needed = sum(max(report.mark for report in those) >= 2 for those in by_story.values())
    print(f"{len(by_story)} stories with {len(reports)} later reports; {needed} of them have one with 2 or more")
    for name, marks in chosen.items():
        wrong, good = sum(mark < FOR_EVENT for mark in marks), sum(mark >= FOR_NEWER for mark in marks)
        print(
            f"{name}: {len(marks)} shown, mean mark {np.mean(marks):.2f}, "
            f"wrong {wrong}, nothing new {len(marks) - wrong - good}, newer {good}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, required=True)
    parser.add_argument("--judge", action="store_true")
    args = parser.parse_args()
    reports = load_reports(args.stores)
    if args.judge:
        print_judgement(reports)
    else:
        OUT.write_text(json.dumps(fit(reports), indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
