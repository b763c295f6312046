"""Pair scores: what is sharpened, and what is not."""

from dataclasses import replace

import pytest

from digests.cluster.similarity import edges, sharpened
from digests.cluster.stories import THRESHOLD, WEIGHTS
from watcher.features.embed import unit_vectors, with_vector

LINEAR = replace(WEIGHTS, sharpness=1.0)
WORDS = "harbour ferry strike pilots union ministry talks wages night crossing island captain crew quay notice"
OTHERS = "orchard cider harvest press barrels frost growers village market autumn apples cellar tasting fair weekend"


def text_of(words, count):
    return ". ".join(f"On day {number} the {a} met the {b}" for number, (a, b) in enumerate(words[:count]))


@pytest.fixture
def pair(item):
    """Two articles whose vectors lie so far apart, and the score of the two."""

    def made(cosine, weights, *, language="en", texts=True):
        rows = [[1.0, 0.0, 0.0], [cosine, (1 - cosine**2) ** 0.5, 0.0]]
        words = (list(zip(each.split(), each.split()[1:], strict=False)) for each in (WORDS, OTHERS))
        items = [
            item(f"a{number}", title, text_of(told, 14) if texts else "", language=each)
            for number, (title, told, each) in enumerate(
                zip(("Ferries stay in port", "Cider fair opens"), words, ("en", language), strict=True)
            )
        ]
        embedded = [
            replace(each, features=with_vector(each.features, vector, "made/1"))
            for each, vector in zip(items, unit_vectors(rows), strict=True)
        ]
        found = edges(embedded, replace(weights, floor=0.001))
        return float(found.score[0]) if len(found.score) else 0.0

    return made


def test_a_score_of_the_middle_stays_what_is_over_it_grows_and_what_is_under_it_falls():
    low, middle, high, below_zero = sharpened([0.1, 0.2, 0.4, -0.1], 2.0, about=0.2)

    assert (low, middle, high, below_zero) == pytest.approx((0.05, 0.2, 0.8, 0.0))


@pytest.mark.parametrize(("cosine", "is_over"), [(-0.3, False), (0.9, True)])
def test_two_texts_of_one_language_are_sharpened_about_the_threshold(pair, cosine, is_over):
    linear, sharp = pair(cosine, LINEAR), pair(cosine, WEIGHTS)

    assert linear > 0.1
    assert (linear > THRESHOLD) == is_over
    assert sharp == pytest.approx(THRESHOLD * (linear / THRESHOLD) ** WEIGHTS.sharpness, abs=2e-4)
    assert (sharp > linear) == is_over


@pytest.mark.parametrize(("language", "texts"), [("fr", True), ("en", False), ("fr", False)])
def test_titles_and_texts_in_two_languages_are_scored_as_they_are(pair, language, texts):
    linear = pair(0.9, LINEAR, language=language, texts=texts)

    assert linear > 0.0
    assert pair(0.9, WEIGHTS, language=language, texts=texts) == linear
