"""Embedders of a third party as the docs show them, around models that stand in for the libraries' own."""

from __future__ import annotations

import hashlib


class Model:
    """Gives rows of floats, as such libraries do: not of unit length."""

    def encode(self, texts):
        return [[1.0 + byte for byte in hashlib.sha256(text.encode()).digest()] for text in texts]


class Words:
    name = "words/1"

    def __init__(self) -> None:
        self.model = Model()

    def embed(self, texts):
        from watcher.features.embedders import sanitize_text, unit_vectors

        return unit_vectors(self.model.encode([sanitize_text(text) for text in texts]))


class Moody(Words):
    """Fails for a text with "poison" in it."""

    name = "moody/1"

    def embed(self, texts):
        if any("poison" in text for text in texts):
            raise RuntimeError("cannot read that")
        return super().embed(texts)


class Broken(Words):
    """Takes no text at all."""

    name = "broken/1"

    def embed(self, texts):
        raise RuntimeError("out of order")


class Short(Words):
    """Forgets a vector."""

    name = "short/1"

    def embed(self, texts):
        return super().embed(texts)[1:]


class Longer(Words):
    """Another model under the name of the first."""

    def embed(self, texts):
        from watcher.features.embedders import unit_vectors

        return unit_vectors([row * 2 for row in self.model.encode(texts)])


class Newer(Words):
    name = "words/2"
