"""
Prints how editors mark the headlines and first sentences that stories are told by.

    python -m bench.telling --stores FOLDER

`telling_marks.tsv` has, for a story of an edition (the article with its headline then), titles of its reports and
sentences (with their offset) as two editors marked them: 3 for the best kind, 2 for what can be printed, 1 for what is
weak, 0 for what is wrong there. Sentences were marked as the first one under that headline. FOLDER is as for
`bench/fit_ranking.py`. Only stories with a choice count.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bench.fit_ranking import load_edition
from digests.analysis.titles import title_without_outlet
from digests.compose.rank import rank
from digests.compose.story import compose_story

MARKS = Path(__file__).with_name("telling_marks.tsv")
FAULT = 1.0  # a mean mark below it


def judge_edition(store: Path, at: str, rows: Sequence[dict[str, str]]) -> dict[str, list[tuple[float, float]]]:
    """Return for headlines and sentences the mark of what is chosen and that of the best, for each story."""
    inputs = load_edition(store, datetime.fromisoformat(at))
    context = inputs.context
    by_story: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_story[row["headline"]].append(row)
    found: dict[str, list[tuple[float, float]]] = {"headlines": [], "sentences": []}
    for ranked in rank(inputs.stories, context):
        marked = [row for key in ranked.story.articles for row in by_story.pop(key, ())]
        if not marked or (shown := compose_story(ranked, context, taken=set())) is None:
            continue
        texts = context.load_full_texts(row["article"] for row in marked)
        titles: dict[str, float] = {}
        sentences: dict[str, float] = {}
        for row in marked:
            mark = (int(row["first"]) + int(row["second"])) / 2
            if row["offset"]:
                sentences[f"{row['article']}:{row['offset']}"] = mark
            elif row["article"] in texts:
                titles[title_without_outlet(texts[row["article"]]).lower()] = mark
        first = next((f"{each.article_id}:{each.offset}" for each in shown.summary), "")
        for name, chosen, marks in (("headlines", shown.title.lower(), titles), ("sentences", first, sentences)):
            if len(marks) > 1 and chosen in marks:
                found[name].append((marks[chosen], max(marks.values())))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, required=True)
    folder = parser.parse_args().stores
    editions: defaultdict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with MARKS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            editions[row["edition"], row["at"]].append(row)
    total: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for (edition, at), rows in editions.items():
        for name, pairs in judge_edition(folder / edition, at, rows).items():
            total[name] += pairs
    for name, pairs in total.items():
        chosen, best = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        faults = sum(mark < FAULT for mark, _ in pairs)
        print(f"{name}: {len(pairs)}, mean mark {chosen:.2f} (best {best:.2f}), {faults} with less than {FAULT:.0f}")


if __name__ == "__main__":
    main()
