"""The likenesses of pairs: what each means, and that they are those of a plain computation, whatever the blocks."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from digests.cluster.item import sort_by_time
from digests.cluster.likeness import (
    BLOCK_CELLS,
    CIRCLES,
    CONTEXT,
    FINDERS,
    IDLE_HOURS,
    MAX_HOURS,
    MEASURES,
    MIN_LIKENESS,
    NEAREST,
    Window,
    measure_pairs,
)
from digests.cluster.pair_model import models_for
from digests.cluster.vectorize import center_by_language, load_term_rows, name_vectors, ngram_vectors, term_vectors
from watcher.features.embedders import unit_vectors, with_vector

WORDS = (
    "harbour ferry strike pilots union ministry talks wages night crossing island captain crew quay orchard cider "
    "harvest press barrels frost growers village market autumn Tarvola Brindle Oster Marnitz Lunden Varga 1200 3400"
).split()


class RowByRow(Window):
    """A window that is compared in blocks of one row."""

    def blocks(self, start: int) -> Iterator[tuple[int, int]]:
        for row in range(start, len(self.items)):
            yield row, row + 1


@pytest.fixture
def press(item):
    """Sixty invented headlines over ten days, some undated, some without a vector."""
    rng = np.random.default_rng(7)
    made = []
    for number in range(60):
        title = " ".join(rng.choice(WORDS, 5, replace=False))
        hours = None if number % 20 == 19 else float(rng.integers(0, 240))
        one = item(f"a{number:02}", title, language="de" if number % 3 == 0 else "en", hours=hours)
        if number % 7:
            vector = unit_vectors([rng.normal(size=8).tolist()])[0]
            one = replace(one, features=with_vector(one.features, vector, "made/1"))
        made.append(one)
    return sort_by_time(made)


def by_pair(pairs):
    """Return the likenesses of each pair, by its two rows."""
    names = sorted(pairs.likenesses)
    columns = np.stack([pairs.likenesses[name] for name in names], axis=1)
    rows = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    return {pair: dict(zip(names, values.tolist(), strict=True)) for pair, values in zip(rows, columns, strict=True)}


def dense(found, rows):
    starts, keys, weights = found
    table = np.zeros((rows, int(keys.max(initial=0)) + 1), np.float32)
    table[np.repeat(np.arange(rows), np.diff(starts)), keys] = weights
    return table @ table.T


def plain_likenesses(items):
    """Return the measured likenesses of each pair that is near enough, computed over the whole window at once."""
    count, rows = len(items), load_term_rows(items)
    tables = {
        "words": dense(term_vectors(rows), count),
        "letters": dense(ngram_vectors(rows), count),
        "names": dense(name_vectors(items), count),
    }
    _, vectors, _ = center_by_language(items)
    tables["meaning"] = vectors @ vectors.T
    latest = max(each.published_at for each in items if each.published_at)
    hours = np.array([(each.published_at or latest).timestamp() / 3600 for each in items])
    within = np.abs(hours[:, None] - hours[None, :]) <= IDLE_HOURS
    others = within & ~np.eye(count, dtype=bool)
    ranked = {name: -np.sort(-np.where(others, tables[name], -1), axis=1) for name in FINDERS}
    least = {name: np.maximum(ranked[name][:, NEAREST - 1 : NEAREST], MIN_LIKENESS) for name in FINDERS}
    found = np.any([others & (tables[name] >= least[name]) for name in FINDERS], axis=0)
    answer = {}
    for a, b in zip(*np.nonzero(np.triu(found | found.T)), strict=True):
        own = {name: tables[name][a, b] for name in MEASURES}
        for name in CONTEXT:
            for circle, size in CIRCLES.items():
                ours, theirs = (
                    np.maximum(ranked[name][row, :size], 0).sum() / min(size, within[row].sum()) for row in (a, b)
                )
                own[f"{name} over {circle}, at least"] = own[name] - max(ours, theirs)
                own[f"{name} over {circle}, at most"] = own[name] - min(ours, theirs)
        answer[int(a), int(b)] = own
    return answer


@pytest.mark.parametrize("make_window", [Window, RowByRow])
def test_likenesses_are_those_of_a_plain_computation_whatever_the_blocks(press, make_window):
    found, expected = by_pair(make_window(press).measure()), plain_likenesses(press)

    assert found.keys() == expected.keys()
    for pair, likenesses in expected.items():
        assert {name: found[pair][name] for name in likenesses} == pytest.approx(likenesses, abs=1e-4)


def test_of_later_rows_the_same_pairs_are_measured_as_of_all(press):
    start = 40

    later, every = by_pair(Window(press).measure(start)), by_pair(Window(press).measure())

    assert later
    assert all(second >= start for _, second in later)
    for pair, likenesses in later.items():
        assert {name: likenesses[name] for name in MEASURES} == pytest.approx(
            {name: every[pair][name] for name in MEASURES}, abs=1e-4
        )


def test_a_block_is_small_also_where_a_few_early_articles_are_alone(item):
    early = [item("early", "Quince", hours=0)]
    items = [*early, *(item(f"a{number:04}", f"word{number}", hours=200) for number in range(1_500))]

    window = Window(items)

    found = list(window.blocks(0))
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == len(items)
    for start, stop in found:
        low, high = window.bounds(start, stop)
        assert (stop - start) * (high - low) <= BLOCK_CELLS


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_window_and_one_of_one_article_have_no_pairs(item, count):
    pairs = measure_pairs([item("a", "Quake in Tarvola")][:count])

    assert len(pairs.first) == 0
    assert len(models_for([]).event.probabilities(pairs)) == 0


def test_articles_farther_apart_than_a_story_lasts_are_not_compared(item):
    items = [item(f"a{n}", "Quake in Tarvola", hours=hours) for n, hours in enumerate((0, IDLE_HOURS, IDLE_HOURS + 1))]

    assert set(by_pair(measure_pairs(items))) == {(0, 1), (1, 2)}


def test_undated_articles_are_compared_with_the_latest_and_no_time_is_between_them(item):
    items = sort_by_time(
        [
            item("old", "Quake in Tarvola", hours=0),
            item("new", "Quake in Tarvola", hours=500),
            item("u1", "Quake in Tarvola", hours=None),
            item("u2", "Quake in Tarvola", hours=None),
        ]
    )

    found = by_pair(measure_pairs(items))

    assert set(found) == {(1, 2), (1, 3), (2, 3)}
    assert [each["hours"] for each in found.values()] == [0.0] * 3
    assert set(by_pair(measure_pairs(items[2:]))) == {(0, 1)}


QUAKE = "Quake shakes {}, mayor {} says {} houses fell"
BACKGROUND = (
    "Ferries stay in port as pilots strike",
    "Cider fair opens in Lunden",
    "Central bank of Norrland holds its rate",
    "Chess club of Brindle wins the Varga cup",
    "Court hears the case of a stolen violin",
    "Glacier in the Alps loses its tongue",
    "Parliament of Ostrau debates bus fares",
    "Actress Petra Moll returns to the stage",
)


@pytest.fixture
def compare(item):
    """Return the likenesses and the probability of two articles amid an invented press."""

    def compared(one, other, *, hours=0.0, outlets=("one", "two")):
        pair = [item("one", one, outlet=outlets[0]), item("other", other, hours=hours, outlet=outlets[1])]
        rest = [item(f"r{n}", title, hours=n) for n, title in enumerate(BACKGROUND)]
        items = sort_by_time([*pair, *rest])
        pairs = measure_pairs(items)
        a, b = sorted(n for n, each in enumerate(items) if each.article_id in ("one", "other"))
        (place,) = np.flatnonzero((pairs.first == a) & (pairs.second == b))
        likenesses = {name: float(values[place]) for name, values in pairs.likenesses.items()}
        return likenesses, float(models_for(items).event.probabilities(pairs)[place])

    return compared


def test_a_shared_rare_name_raises_the_probability(compare):
    same, same_probability = compare(QUAKE.format("Tarvola", "Oster", 212), "In Tarvola rescuers dig after the quake")
    other, other_probability = compare(QUAKE.format("Tarvola", "Oster", 212), "In Marnitz rescuers dig after the quake")

    assert (same["shared names"], other["shared names"]) == (1, 0)
    assert same["names"] > other["names"]
    assert same["letters"] > other["letters"]
    assert same_probability > other_probability


def test_other_names_and_other_numbers_lower_the_probability(compare):
    first = QUAKE.format("Tarvola", "Oster", 212)
    same, same_probability = compare(first, QUAKE.format("Tarvola", "Oster", 212))
    numbers, number_probability = compare(first, QUAKE.format("Tarvola", "Oster", 571))
    both, least_probability = compare(first, QUAKE.format("Peñalta", "Arenas", 571))

    assert (same["other numbers"], numbers["other numbers"], both["other numbers"]) == (0, 1, 1)
    assert (same["shared numbers"], numbers["shared numbers"]) == (1, 0)
    assert (same["other names"], numbers["other names"], both["other names"]) == (0, 0, 1)
    assert same_probability > number_probability > least_probability


def test_hours_lower_the_probability_and_level_off(compare):
    texts = QUAKE.format("Tarvola", "Oster", 212), "Tarvola counts 212 houses after its quake"
    soon, day, three_days, four_days = (compare(*texts, hours=hours) for hours in (0, 24, MAX_HOURS, 96))

    assert soon[0]["hours"] == 0 < day[0]["hours"] < three_days[0]["hours"] == four_days[0]["hours"]
    assert day[0]["hours"] > three_days[0]["hours"] / 2
    assert soon[1] > day[1] > three_days[1]


def test_two_articles_of_one_outlet_are_known(compare):
    texts = QUAKE.format("Tarvola", "Oster", 212), "Tarvola counts 212 houses after its quake"

    assert compare(*texts)[0]["one outlet"] == 0
    assert compare(*texts, outlets=("one", "one"))[0]["one outlet"] == 1
