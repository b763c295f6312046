"""What every embedder promises; a subclass of a few lines for each (`test_embedders.py`)."""

from __future__ import annotations

import struct

import pytest

from watcher.features.embedders import validate_vectors

ODD = ["", " ", "a\0b", "half a \ud83d sign", "停電", "زلزال يضرب الساحل", "x" * 5_000, "🌊" * 300]


class EmbedderContract:
    """A subclass has a fixture `embedder`."""

    def test_its_name_says_model_and_version(self, embedder):
        assert "/" in embedder.name
        assert embedder.name == embedder.name.strip()

    def test_each_text_has_a_vector_of_unit_length(self, embedder):
        vectors = embedder.embed(["Quake in Tarvola", "Ferry runs again", "Quake in Tarvola"])

        assert validate_vectors(vectors, count=3, name=embedder.name) == vectors
        assert len({len(vector) for vector in vectors}) == 1

    def test_any_text_has_one(self, embedder):
        vectors = embedder.embed(ODD)

        for vector in validate_vectors(vectors, count=len(ODD), name=embedder.name):
            values = struct.unpack(f"<{len(vector) // 2}e", vector)
            assert sum(value * value for value in values) == pytest.approx(1.0, abs=0.01)

    def test_each_vector_belongs_to_its_text_however_many_are_given(self, embedder):
        texts = [f"Story {n} of the day" for n in range(70)]

        together = embedder.embed(texts)

        assert embedder.embed([texts[37]])[0] == together[37]
        assert together[37] != together[38]

    def test_no_text_has_no_vector(self, embedder):
        assert embedder.embed([]) == []
