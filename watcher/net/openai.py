"""Clients for OpenAI-compatible endpoints: chat completions of a language model, and vectors of an embedder."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from watcher.errors import EmbedderError, FetchError, ModelError, TimedOut, TooLarge, WatcherError, status_reason
from watcher.features.embedders import sanitize_text, unit_vectors
from watcher.feeds.schedule import parse_retry_after
from watcher.net.post import HttpPost, PostResponse
from watcher.settings.models import EndpointSettings
from watcher.settings.types import Secret
from watcher.text.plain_text import to_one_line

COMPLETION_BYTES = 1 << 20  # of an answer
CHARS_A_TOKEN = 3  # an estimate if the endpoint reports no usage
PAUSES_S = (1.0, 5.0)  # before the second and the third attempt to get vectors
LONGEST_PAUSE_S = 30.0  # longest Retry-After to wait for here; a longer one is left to the caller
HEAD_BYTES, TEXT_BYTES = 1 << 20, 256 << 10  # limit of a response with vectors: so much, plus so much per text
MESSAGE_CHARS = 200  # of the endpoint's own error message
ABOUT_TEXTS = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
FOR_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class JsonEndpoint:
    """An endpoint for JSON, set in `table` of the settings. Errors: WatcherError if the key cannot be read."""

    def __init__(self, url: str, path: str, *, key: Secret | None, table: str) -> None:
        self._url = endpoint_url(url, path)
        self._host = urlsplit(self._url).netloc.rpartition("@")[2]
        self._table = table
        self._key = key.reveal() if key else ""
        if not (self._key.isascii() and self._key.isprintable()):
            raise self.make_error(f"cannot be used: the key in {key} has characters that no key has", permanent=True)

    def post_json(self, question: Mapping[str, object], *, timeout_s: float, max_bytes: int) -> bytes:
        """Post `question` and return the response's body; `timeout_s` limits all. Errors: those of `make_error`."""
        post = HttpPost(
            url=self._url,
            body=json.dumps(question).encode(),
            token=self._key,
            timeout_s=timeout_s,
            deadline_s=timeout_s,
            max_bytes=max_bytes,
        )
        try:
            response = post.run()
        except TimedOut as error:
            raise self.make_error(f"did not answer within {timeout_s:g} s") from error
        except TooLarge as error:
            raise self.make_error(f"answered with more than {max_bytes} bytes", permanent=True) from error
        except FetchError as error:
            raise self.make_error(f"cannot be reached: {error.reason}") from error
        if response.status != HTTPStatus.OK:
            raise self._refusal(response)
        return response.body

    def make_error(self, words: str, **kind: Any) -> WatcherError:  # noqa: ANN401 - EmbedderError's own
        """Return the error with the message `words`. `kind`: keyword arguments of EmbedderError."""
        raise NotImplementedError

    def _refusal(self, response: PostResponse) -> WatcherError:
        status = response.status
        message = self._message(response.body)
        is_passing = status >= 500 or status in FOR_LATER
        wait_s = parse_retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
        fault = self.make_error(
            f"answered {status_reason(status)}" + (f": {message}" if message else ""),
            permanent=not is_passing and status not in ABOUT_TEXTS,
            caused_by_input=status in ABOUT_TEXTS,
            retry_after_s=wait_s if is_passing else None,
        )
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            fault.hint = f"check the key that [{self._table}] key refers to"
        elif status == HTTPStatus.NOT_FOUND:
            fault.hint = f"check [{self._table}] url and model"
        return fault

    def _message(self, body: bytes) -> str:
        """Return the message of an endpoint's error in one line, with the key hidden."""
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            parsed = None
        inner = parsed.get("error", parsed) if isinstance(parsed, dict) else None
        message = inner.get("message") if isinstance(inner, dict) else inner
        text = message if isinstance(message, str) else body[:4_000].decode("utf-8", "replace")
        return to_one_line(text.replace(self._key, "…") if self._key else text, MESSAGE_CHARS)


class Chat(JsonEndpoint):
    """A language model: `POST …/chat/completions`, without retries."""

    def __init__(self, *, url: str, model: str, key: Secret | None = None) -> None:
        self.model = model
        super().__init__(url, "/chat/completions", key=key, table="digests.prose")

    def complete(self, system: str, user: str, *, most_tokens: int, timeout_s: float) -> tuple[str, int]:
        """Return the answer and the tokens of question and answer. Errors: ModelError with the endpoint's message."""
        question = {
            "model": self.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "max_tokens": most_tokens,
            "temperature": 0,
            "stream": False,
        }
        body = self.post_json(question, timeout_s=timeout_s, max_bytes=COMPLETION_BYTES)
        try:
            answer: Any = json.loads(body)
            text = answer["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise self.make_error("answered with something other than a completion") from error
        if not isinstance(text, str):
            raise self.make_error("answered with something other than a text")
        usage = answer.get("usage")
        tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
            tokens = (len(system) + len(user) + len(text)) // CHARS_A_TOKEN
        return text, tokens

    def make_error(self, words: str, **kind: Any) -> ModelError:  # noqa: ANN401
        return ModelError(f"the model {self.model} at {self._host} {words}")


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
        question: dict[str, object] = {"model": self._endpoint.model, "input": texts}
        if self._endpoint.dimensions:
            question["dimensions"] = self._endpoint.dimensions
        max_bytes = HEAD_BYTES + TEXT_BYTES * len(texts)
        body = self.post_json(question, timeout_s=self._endpoint.timeout.total_seconds(), max_bytes=max_bytes)
        try:
            rows = parse_vectors(json.loads(body))
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


def endpoint_url(url: str, path: str) -> str:
    """Return `url` with `path` appended to its own path, unless that already ends with it."""
    parts = urlsplit(url)
    own = parts.path.rstrip("/")
    return parts._replace(path=own if own.endswith(path) else f"{own}{path}").geturl()


def parse_vectors(answer: Any) -> list[Any]:  # noqa: ANN401 - what came
    """Return the vectors of a response in the order of the texts. Errors: ValueError unless there is one per index."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or not all(isinstance(row, dict) and "embedding" in row for row in data):
        raise ValueError('expected {"data": [{"index": 0, "embedding": […]}, …]}')
    places = [row.get("index", at) for at, row in enumerate(data)]
    if sorted(places) != list(range(len(data))):
        raise ValueError("the indexes are not 0, 1, 2, …")
    return [row["embedding"] for _, row in sorted(zip(places, data, strict=True), key=lambda pair: pair[0])]
