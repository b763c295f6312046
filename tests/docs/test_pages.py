"""The docs name what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from bench.make_docs import command_pages, manual_page
from watcher.cli.commands import load_commands
from watcher.feeds.health import HEALTH_STATUSES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MARKDOWN_LINK = re.compile(r"\[([^]]+)\]\(([^)]+)\)")
REFERENCE = DOCS / "reference"


def names() -> list[str]:
    rows = load_commands().values()
    return [f"{row.name} {inner.name}" for row in rows for inner in row.rows] + [r.name for r in rows if not r.rows]


def test_each_command_has_its_page_made_from_it():
    made = command_pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in (REFERENCE / "commands").glob("*.md")}
    headings = {line.lstrip("# ") for page in there.values() for line in page.splitlines() if line.startswith("#")}

    assert there == made
    assert [name for name in names() if f"watcher {name}" not in headings] == []


def test_the_manual_page_is_that_of_the_commands():
    assert (DOCS / "watcher.1").read_text(encoding="utf-8") == manual_page()


def test_the_shell_completes_commands_and_options(capsys, monkeypatch):
    from watcher.cli.main import run_command_line

    monkeypatch.setenv("_WATCHER_COMPLETE", "complete_bash")
    found = []
    for words in ("watcher ser", "watcher settings sh", "watcher run --on"):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        run_command_line([])
        found.append(capsys.readouterr().out.split())

    assert found == [["service"], ["show"], ["--once"]]


def test_the_docs_explain_each_word_for_a_sources_health_worst_first():
    page = (REFERENCE / "source-health.md").read_text(encoding="utf-8")
    table = page.partition("| word | ")[2].partition("\n\n")[0]

    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == list(HEALTH_STATUSES)


def test_what_people_do_first_is_listed_with_links_to_sections_that_are_there():
    listed = []
    for page, base in (
        (ROOT / "README.md", "https://github.com/watcher-digests/watcher/blob/main/docs/"),
        (DOCS / "index.md", ""),
    ):
        part = (
            page.read_text(encoding="utf-8").partition("## Fifteen things people do first\n")[2].partition("\n## ")[0]
        )
        rows = [line for line in part.splitlines() if line[:1].isdigit()]
        listed.append([(title, link.removeprefix(base)) for row in rows for title, link in MARKDOWN_LINK.findall(row)])

    assert listed[0] == listed[1]
    assert len({link for _, link in listed[0]}) >= 15
    for _, link in listed[0]:
        path, _, anchor = link.partition("#")
        titles = re.findall(r"(?m)^#+ (.+)$", (DOCS / path).read_text(encoding="utf-8"))
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_each_script_of_bench_is_named():
    told = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")

    assert [path.name for path in (ROOT / "bench").glob("*.py") if f"`{path.name}`" not in told] == []


def test_each_command_of_the_benchmarks_is_a_script_of_bench():
    page = (DOCS / "project" / "benchmarks.md").read_text(encoding="utf-8")
    named = re.findall(r"python (?:-m bench\.|bench/)([a-z_]+)", page)

    assert len(named) > 8
    assert [name for name in named if not (ROOT / "bench" / f"{name}.py").is_file()] == []


def test_each_metric_is_in_the_docs_and_the_panel_asks_for_no_other():
    made = re.compile(r'"((?:watcher|digests)_[a-z_]+)"')
    sources = [*(ROOT / "watcher" / "daemon").glob("*.py"), ROOT / "digests" / "metrics.py"]
    names = {name for path in sources for name in made.findall(path.read_text(encoding="utf-8"))}
    page = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"(?:watcher|digests)_[a-z_]+", (DOCS / "grafana.json").read_text(encoding="utf-8")))

    assert len(names) > 12
    assert [name for name in names if f"| `{name}" not in page] == []
    assert {name.removesuffix("_bucket") for name in asked} <= names


@pytest.mark.slow
def test_each_event_of_the_log_is_in_the_docs_and_the_docs_name_no_other():
    names: set[str] = set()
    for path in [*(ROOT / "watcher").rglob("*.py"), *(ROOT / "digests").rglob("*.py")]:
        names |= log_events(ast.parse(path.read_text(encoding="utf-8")))
    table = (REFERENCE / "log-events.md").read_text(encoding="utf-8").partition("## Start and stop")[2]
    documented = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }

    assert len(names) > 40
    assert names == documented


def log_events(tree: ast.AST) -> set[str]:
    """Return the names of the events that a module logs; `f"{event} …"` and `f"source_{word} …"` by their values."""
    found: set[str] = set()
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "log"):
            continue
        for message in call.args[:2]:
            if isinstance(message, ast.Constant) and isinstance(message.value, str):
                found.add(message.value.partition(" ")[0])
            elif isinstance(message, ast.JoinedStr):
                before = message.values[0].value if isinstance(message.values[0], ast.Constant) else ""
                variable = next(part.value.id for part in message.values if isinstance(part, ast.FormattedValue))
                found |= {before + value for value in values_of(variable, tree)}
    return found


def values_of(variable: str, tree: ast.AST) -> set[str]:
    """Return the words that a module assigns to a variable, by `=` or by a loop over a variable."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable:
            found |= {part.value for part in ast.walk(node.value) if is_word(part)}
        elif isinstance(node, ast.For) and variable in ast.unparse(node.target):
            for name in [part.id for part in ast.walk(node.iter) if isinstance(part, ast.Name)]:
                found |= values_of(name, tree)
    return found


def is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
