"""The docs name what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from watcher.cli.commands import load_commands
from watcher.feeds.health import STATUSES

ROOT = Path(__file__).parents[2]


def names() -> list[str]:
    rows = load_commands().values()
    return [f"{row.name} {inner.name}" for row in rows for inner in row.rows] + [r.name for r in rows if not r.rows]


@pytest.mark.parametrize("name", names())
def test_each_command_is_in_the_docs(name):
    assert f"`watcher {name}" in (ROOT / "docs" / "reference" / "commands" / "index.md").read_text(encoding="utf-8")


def test_the_manual_page_is_that_of_the_commands():
    from bench.make_docs import manual_page as page

    assert (ROOT / "docs" / "watcher.1").read_text(encoding="utf-8") == page()


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
    told = (ROOT / "docs" / "reference" / "commands" / "index.md").read_text(encoding="utf-8")
    table = told.partition("## Health of a source")[2].partition("| word | ")[2].partition("\n\n")[0]

    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == list(STATUSES)


def test_each_script_of_bench_is_named():
    told = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")

    assert [path.name for path in (ROOT / "bench").glob("*.py") if f"`{path.name}`" not in told] == []


def test_each_metric_is_in_the_docs_and_the_panel_asks_for_no_other():
    import re

    made = re.compile(r'"((?:watcher|digests)_[a-z_]+)"')
    sources = [*(ROOT / "watcher" / "daemon").glob("*.py"), ROOT / "digests" / "metrics.py"]
    names = {name for path in sources for name in made.findall(path.read_text(encoding="utf-8"))}
    told = (ROOT / "docs" / "guides" / "daemon.md").read_text(encoding="utf-8")
    asked = set(
        re.findall(r"(?:watcher|digests)_[a-z_]+", (ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    )

    assert len(names) > 12
    assert [name for name in names if f"`{name}" not in told] == []
    assert {name.removesuffix("_bucket") for name in asked} <= names


def test_each_event_of_the_log_is_in_the_docs():
    import re

    event = re.compile(r'log\.(?:info|warning|error|exception)\(\s*"([a-z_]+)')
    sources = [
        *(ROOT / "watcher" / "daemon").glob("*.py"),
        ROOT / "digests" / "jobs.py",
        ROOT / "digests" / "alerts" / "alerts.py",
    ]
    names = {name for path in sources for name in event.findall(path.read_text(encoding="utf-8"))}
    told = (ROOT / "docs" / "guides" / "daemon.md").read_text(encoding="utf-8")

    assert len(names) > 12
    assert [name for name in names if f"`{name}`" not in told] == []


def test_each_file_that_the_readme_links_is_there():
    import re

    told = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", told) if "://" not in link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
