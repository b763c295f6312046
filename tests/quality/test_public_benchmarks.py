"""The scripts behind docs/project/benchmarks.md: what they count, on examples that are counted by hand."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.grouping import b_cubed, pair_f1

ROOT = Path(__file__).parents[2]
LABELS = {"a": "quake", "b": "quake", "c": "vote", "d": "vote"}
STORIES = {"a": "s1", "b": "s1", "c": "s1", "d": "s2"}
SCORER = """
import json
for name in ("trafilatura", "watcher"):
    print(name, json.load(open(f"output/{name}.json")).keys() == json.load(open("ground-truth.json")).keys())
"""


def test_b_cubed_is_the_mean_over_articles():
    precision, recall = b_cubed(STORIES, LABELS)

    assert precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert recall == pytest.approx((1 + 1 + 1 / 2 + 1 / 2) / 4)


def test_pairs_in_different_languages_are_counted_apart():
    languages = {"a": "en", "b": "fr", "c": "en", "d": "fr"}

    assert pair_f1(STORIES, LABELS, languages) == pytest.approx(2 / 4)  # a-b is right, b-c is wrong, c-d is missed
    assert pair_f1(STORIES, LABELS, dict.fromkeys("abcd", "en")) is None


@pytest.mark.slow  # cleans a page in a process
def test_both_cleaners_are_handed_to_the_benchmarks_own_script(tmp_path):
    (tmp_path / "html").mkdir()
    words = "<p>The ferry of Tarvola runs again after its engine was repaired in the yard of the town.</p>" * 5
    page = f"<html lang=en><title>Ferry</title><article><h1>Ferry runs again</h1>{words}</article></html>"
    (tmp_path / "html" / "1a.html.gz").write_bytes(gzip.compress(page.encode()))
    (tmp_path / "ground-truth.json").write_text(
        json.dumps({"1a": {"articleBody": "The ferry", "url": "https://a.example/1"}})
    )
    (tmp_path / "evaluate.py").write_text(SCORER)

    command = [sys.executable, str(ROOT / "bench" / "public_pages.py"), str(tmp_path), "--all"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    assert run.stdout.startswith("1 pages, trafilatura ")
    assert run.stdout.endswith("trafilatura True\nwatcher True\n")
