"""Kinds of articles, told from invented titles, addresses and texts in many languages, stay as good as they are."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench.page_kinds import KINDS, measure

MIN_PRECISION, MIN_RECALL = 0.9, 0.7  # a report that is taken for a comment is lost to the count of independent ones


def labelled():
    with Path("tests/data/piece_kinds.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        {
            "kind": row["kind"],
            "title": row["title"],
            "url": f"https://news.example{row['path']}",
            "body": (row["text"] or "").replace("\\n", "\n"),
        }
        for row in rows
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_found_and_seldom_given_to_news(kind):
    precision, recall, count = measure(labelled())[kind]

    assert count > 1
    assert precision >= MIN_PRECISION
    assert recall >= MIN_RECALL
