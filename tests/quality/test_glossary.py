"""The glossary (docs/reference/glossary.md) stays short, and the code uses none of the words it says not to use."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| term ")
]
UNUSED = sorted(word for row in ROWS for word in row[-1].split(", ") if word and " " not in word)


def names_in_code() -> dict[str, str]:
    """Return each word in the names of modules, classes, functions and fields, and a place where it stands."""
    found = {}
    for path in [*(ROOT / "watcher").rglob("*.py"), *(ROOT / "digests").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [(path.stem, 1)]
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.append((node.name, node.lineno))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.append((node.target.id, node.lineno))
        for name, line in names:
            for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name):
                found[word.lower()] = f"{path.relative_to(ROOT)}:{line}"
    return found


def test_the_glossary_has_each_term_once():
    terms = [row[0] for row in ROWS]

    assert len(set(terms)) == len(terms)


@pytest.mark.slow
def test_a_word_that_the_glossary_replaces_is_in_no_name():
    names = names_in_code()

    assert {word: names[form] for word in UNUSED for form in (word, word + "s", word + "es") if form in names} == {}
