"""
Measures the house: how large it is, how its files import each other, and how its names read.

    python bench/house_size.py            # a line a measure, with the goal and what was reached before
    python bench/house_size.py --write    # write what has become better to tests/quality/house.json

`tests/quality/test_house.py` fails where a measure with a goal is worse than what was reached.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
REACHED = ROOT / "tests" / "quality" / "house.json"
# Sizes are printed alone: a limit of lines or files shapes code instead of describing it.
GOALS = {
    "loose files in digests": 5,
    "layers of digests": 11,
    "import circles": 0,
    "imports inside functions": 60,
    "vague function names": 0,
    "class names used twice": 6,
    "lambdas to the store": 0,
    "public but used in one file": 0,
    "constants of one name": 10,
    "functions over 60 lines": 3,
}
MAX_FUNCTION_LINES = 60
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")
# Words that say that something happened, not what a function does.
VAGUE = frozenset(
    "begun drawn found given gone heard held kept known lacking left lines made met moment put said seen sent shown "
    "taken told wanted written".split()
)
PARTICIPLE = re.compile(r"[a-z]+(?:ed|en)")
NO_PARTICIPLES = frozenset("children embed exceed feed listen need open proceed seed speed token".split())
SLACK = 1.01  # a mend may cost a few lines
STORE_CALLS = frozenset(("add", "do", "read", "write"))


def measure() -> dict[str, int]:
    """Return each measure of the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "watcher/*.py", "digests/*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    texts = {Path(name): (ROOT / name).read_text(encoding="utf-8") for name in listed.stdout.split()}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    lengths = {
        path: text.count("\n")
        for path, text in texts.items()
        if path.name != "__init__.py" and "migrations" not in path.parts
    }
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    classes = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))
    return {
        "lines of product Python": sum(text.count("\n") for text in texts.values()),
        "files": len(lengths),
        "loose files in digests": sum(path.parent == Path("digests") for path in lengths),
        "layers of digests": count_layers(),
        "import circles": len(find_circles()),
        "imports inside functions": sum(map(count_late_imports, trees.values())),
        "vague function names": sum(map(is_vague, functions)),
        "class names used twice": sum(count > 1 for count in classes.values()),
        "lambdas to the store": sum(map(count_lambdas, nodes)),
        "public but used in one file": len(find_hidden(texts, trees)),
        "constants of one name": len(find_shared_constants(trees)),
        "functions over 60 lines": sum(
            (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES for node in functions
        ),
    }


def find_hidden(texts: Mapping[Path, str], trees: Mapping[Path, ast.Module]) -> list[str]:
    """Return the public top-level functions that no other file names: of the product, of `bench`, or of commands."""
    outside = [
        path.read_text(encoding="utf-8")
        for path in (*(ROOT / "bench").glob("*.py"), ROOT / "pyproject.toml", *ROOT.glob("*/cli/commands.toml"))
    ]
    words = Counter(word for text in (*texts.values(), *outside) for word in set(re.findall(r"\w+", text)))
    return [
        f"{path}: {node.name}"
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not (node.name.startswith("_") or node.decorator_list or "migrations" in path.parts)
        and words[node.name] == 1
    ]


def find_shared_constants(trees: Mapping[Path, ast.Module]) -> list[str]:
    """Return the names of constants that several modules define."""
    names = Counter(
        name
        for tree in trees.values()
        for name in {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and CONSTANT.fullmatch(target.id)
        }
    )
    return [name for name, count in names.items() if count > 1]


def count_layers() -> int:
    """Return how many layers the import contract of `digests` has."""
    contract = ConfigParser()
    contract.read(ROOT / ".importlinter", encoding="utf-8")
    return len(contract["importlinter:contract:digests-floors"]["layers"].split("\n")) - 1


def find_circles() -> set[frozenset[str]]:
    """Return the sets of modules that import each other, imports inside functions counted."""
    graph = grimp.build_graph("watcher", "digests", exclude_type_checking_imports=False, cache_dir=None)
    circles = {
        frozenset(graph.find_downstream_modules(module) & graph.find_upstream_modules(module) | {module})
        for module in graph.modules
    }
    return {circle for circle in circles if len(circle) > 1}


def count_late_imports(tree: ast.Module) -> int:
    """Return how many imports stand inside functions."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    late = {
        id(node)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    return len(late)


def is_vague(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function, which is no property, is named by a bare participle or a vague word."""
    decorators = {node.id for node in function.decorator_list if isinstance(node, ast.Name)}
    name = function.name.strip("_")
    if decorators & {"property", "cached_property"} or function.name in NO_PARTICIPLES:
        return False
    return name in VAGUE or PARTICIPLE.fullmatch(name) is not None


def count_lambdas(node: ast.AST) -> int:
    """Return how many lambdas a call hands to the store."""
    if not isinstance(node, ast.Call):
        return 0
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return sum(isinstance(argument, ast.Lambda) for argument in node.args) if called in STORE_CALLS else 0


def lost(found: dict[str, int], reached: dict[str, int]) -> Iterator[str]:
    """Yield a sentence for each measure that is worse than what was reached, unless it is within its goal."""
    for name, best in reached.items():
        if found[name] > max(best * SLACK, GOALS[name]):
            yield f"{name}: {found[name]:,}, and {best:,} was reached"


def main() -> None:
    """Print a line a measure; write what was reached if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    found = measure()
    reached = json.loads(REACHED.read_text(encoding="utf-8")) if REACHED.exists() else found
    print(f"{'':28}{'now':>8}{'reached':>9}{'goal':>8}")
    for name, value in found.items():
        limits = f"{reached[name]:9,}{GOALS[name]:8,}" if name in GOALS else ""
        print(f"{name:28}{value:8,}{limits}")
    for circle in sorted(map(sorted, find_circles())):
        print("circle:", ", ".join(circle))
    if given.write:
        best = {name: min(found[name], reached[name]) for name in GOALS}
        REACHED.write_text(json.dumps(best, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
