"""An embedder at an OpenAI-compatible endpoint."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from watcher.endpoints.json_endpoint import JsonEndpoint
from watcher.errors import EmbedderError
from watcher.features.embedders import sanitize_text, unit_vectors
from watcher.settings.models import EndpointSettings

PAUSES_S = (1.0, 5.0)  # before the second and the third attempt to get vectors
LONGEST_PAUSE_S = 30.0  # longest Retry-After to wait for here; a longer one is left to the caller
HEAD_BYTES, TEXT_BYTES = 1 << 20, 256 << 10  # limit of a response with vectors: so much, plus so much per text


class EndpointEmbedder(JsonEndpoint):
    """An embedder: `POST …/embeddings`, retried after errors that may pass."""

    def __init__(self, endpoint: EndpointSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name = f"endpoint/{endpoint.model}" + (f"/{endpoint.dimensions}" if endpoint.dimensions else "")
        self._endpoint = endpoint
        self._sleep = sleep
        super().__init__(endpoint.url, "/embeddings", key=endpoint.key, table="semantic.endpoint")

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector for each text. Errors: EmbedderError with the endpoint's message."""
        size = self._endpoint.batch
        vectors: list[bytes] = []
        for start in range(0, len(texts), size):
            vectors += self._embed_batch([sanitize_text(text) for text in texts[start : start + size]])
        return vectors

    def make_error(self, words: str, **kind: Any) -> EmbedderError:  # noqa: ANN401
        return EmbedderError(f"the embedding endpoint {self._host} {words}", **kind)

    def _embed_batch(self, texts: list[str]) -> list[bytes]:
        """Return a vector for each text, as bytes; an error that may pass is waited for and tried again."""
        for usual_s in PAUSES_S:
            try:
                return self._ask_for_vectors(texts)
            except EmbedderError as error:
                wait_s = usual_s if error.retry_after_s is None else error.retry_after_s
                if error.permanent or error.caused_by_input or wait_s > LONGEST_PAUSE_S:
                    raise
                self._sleep(wait_s)
        return self._ask_for_vectors(texts)

    def _ask_for_vectors(self, texts: list[str]) -> list[bytes]:
        """Return a vector for each text from one request. Errors: EmbedderError."""
        question: dict[str, object] = {"model": self._endpoint.model, "input": texts}
        if self._endpoint.dimensions:
            question["dimensions"] = self._endpoint.dimensions
        max_bytes = HEAD_BYTES + TEXT_BYTES * len(texts)
        body = self.post_json(question, timeout_s=self._endpoint.timeout.total_seconds(), max_bytes=max_bytes)
        try:
            rows = _parse_vectors(json.loads(body))
        except (ValueError, RecursionError, TypeError) as error:
            raise self.make_error(f"answered with something other than embeddings ({error})") from error
        if len(rows) != len(texts):
            raise self.make_error(f"answered with {len(rows)} vectors for {len(texts)} texts")
        try:
            vectors = unit_vectors(rows)
        except ValueError as error:
            raise self.make_error(f"returned vectors that cannot be used: {error}", caused_by_input=True) from error
        expected = self._endpoint.dimensions or len(vectors[0]) // 2
        other = next((len(vector) // 2 for vector in vectors if len(vector) // 2 != expected), None)
        if other is not None:
            fault = self.make_error(f"answered with {other} dimensions, expected {expected}", permanent=True)
            fault.hint = "set [semantic.endpoint] dimensions to that number, or leave it out"
            raise fault
        return vectors


def _parse_vectors(answer: Any) -> list[Any]:  # noqa: ANN401 - what came
    """Return the vectors of a response in the order of the texts. Errors: ValueError unless there is one per index."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or not all(isinstance(row, dict) and "embedding" in row for row in data):
        raise ValueError('expected {"data": [{"index": 0, "embedding": […]}, …]}')
    places = [row.get("index", index) for index, row in enumerate(data)]
    if sorted(places) != list(range(len(data))):
        raise ValueError("the indexes are not 0, 1, 2, …")
    return [row["embedding"] for _, row in sorted(zip(places, data, strict=True), key=lambda pair: pair[0])]
