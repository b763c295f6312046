"""`watcher check-claim`: one of four answers in words and as JSON, with its exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from digests.stories.window import cluster_and_save
from tests.kinds import on
from watcher.cli.main import run_command_line

NOW = datetime.now(UTC)  # the command counts back from the time of its call
SETTINGS = '[store]\nurl = "sqlite:///watcher.db"\n[semantic]\nembedder = "none"\n'
QUAKE = "Quake kills 12 in Tarvola. A quake of magnitude 5.4 killed 12 people in Tarvola, mayor Henrik Oster said."
CHESS = "Chess club of Brindle wins the Varga cup. The club of Brindle won the Varga cup, captain Petra Moll said."


@pytest.fixture
def check(tmp_path, store_url, engine, put, capsys):
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))
    put("Alpha", QUAKE, NOW - timedelta(hours=3))
    put("Gamma", CHESS, NOW - timedelta(hours=1), country="FR")

    def call(*arguments: str):
        code = run_command_line(["check-claim", *arguments, "--config", str(path)])
        return code, *capsys.readouterr()

    return call


def test_the_answer_has_the_report_its_sentence_and_the_sources_that_were_read(check):
    code, told, _ = check("Quake", "kills 12 people in Tarvola")

    assert code == 0
    assert told.startswith("reported by one\n") and ": 2 outlets of 2 countries\n" in told
    assert "  as it stands: Alpha: “Quake kills 12 in Tarvola”\n" in told


def test_of_many_reports_five_are_shown_and_the_others_counted(check, put, engine):
    for number in range(7):
        put(f"Paper{number}", f"{QUAKE} The bridge {number} is closed.", NOW - timedelta(hours=4 + number))
    cluster_and_save(engine, start=NOW - timedelta(days=2), end=NOW, now=NOW)

    _, told, _ = check("Quake kills 12 people in Tarvola")

    assert told.count("  as it stands: ") == 5
    assert "  and 3 more as it stands\n" in told


def test_a_figure_that_differs_is_shown(check):
    code, told, _ = check("Quake kills 40 people in Tarvola")

    assert code == 0
    assert told.startswith("reported otherwise\n") and "    figure 12, in the claim 40\n" in told


def test_the_json_has_the_answer_and_each_reports_differences(check):
    code, told, _ = check("Quake kills 40 people in Tarvola", "--json")

    answer = json.loads(told)
    (report,) = answer["stories"][0]["otherwise"]
    assert (code, answer["answer"], answer["independent"]) == (0, "otherwise", 0)
    assert report["differences"] == [{"kind": "figure", "claim": "40", "report": "12"}]
    assert answer["sources_read"] == {"outlets": 2, "countries": 2, "not_read": []}
    assert (report["quote"]["outlet"], report["quote"]["text"]) == ("Alpha", "Quake kills 12 in Tarvola")


def test_a_claim_that_no_source_has_ends_with_exit_code_1(check):
    code, told, _ = check("Volcano on Hrafnfell closes airports")

    assert code == 1
    assert told.startswith("not in your sources\n")


@pytest.mark.parametrize("option", [("--since", "2999-01-01"), ("--language", "Klingonese")])
def test_a_wrong_option_is_named(check, option):
    code, _, told = check("Quake in Tarvola", *option)

    assert code == 2 and option[1] in told
