"""
Draws functions and files at random, for somebody who has not seen the code to read.

    python bench/reading_sample.py SEED             # twelve functions with their text, and the paths of twelve files
    python bench/reading_sample.py SEED --number 5

The same seed draws the same of a checkout. The reader says of each what it does, and where the first reading failed:
that name or docstring is then changed. The goal is ten of twelve functions and ten of twelve files.
"""

from __future__ import annotations

import argparse
import ast
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIN_FUNCTION_LINES = 6  # shorter ones say what they do


def main() -> None:
    """Print what is drawn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", type=int)
    parser.add_argument("--number", type=int, default=12, help="how many of each")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    files = product_files()
    functions = [function for path in files for function in functions_in(path)]
    for path, line, text in chance.sample(functions, given.number):
        print(f"--- {path.relative_to(ROOT)}:{line}\n{text}\n")
    for path in chance.sample([path for path in files if path.name != "__init__.py"], given.number):
        print(path.relative_to(ROOT))


def product_files() -> list[Path]:
    """Return the Python files of the product, without migrations, in a fixed order."""
    files = [path for package in ("watcher", "digests") for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in files if "migrations" not in path.parts)


def functions_in(path: Path) -> list[tuple[Path, int, str]]:
    """Return path, line and text of each function and method of a file that has enough lines."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    spans = sorted((node.lineno, node.end_lineno or node.lineno) for node in found)
    return [
        (path, first, "\n".join(lines[first - 1 : last])) for first, last in spans if last - first >= MIN_FUNCTION_LINES
    ]


if __name__ == "__main__":
    main()
