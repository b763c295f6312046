"""An embedder behind an OpenAI-compatible endpoint: `POST …/embeddings`, bounded, asked again where that can help."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import httpx

from watcher.errors import EmbedderError
from watcher.features.embed import Endpoint, plain, unit_vectors
from watcher.feeds.html_text import one_line
from watcher.feeds.schedule import retry_after

LONGEST_PAUSE_S = 30.0  # that a Retry-After is waited for here; a longer one is left to the caller
HEAD_BYTES, TEXT_BYTES = 1 << 20, 256 << 10  # the longest answer: so much, and so much more for each text
SAID = 200  # characters of what the endpoint says itself
REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
ABOUT_TEXTS = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
FOR_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class EndpointEmbedder:
    """Asks one endpoint, one request at a time. Redirects are not followed: the key is for this address only."""

    def __init__(self, endpoint: Endpoint, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Errors: WatcherError if the key cannot be had."""
        self.name = f"endpoint/{endpoint.model}" + (f"/{endpoint.dimensions}" if endpoint.dimensions else "")
        self._endpoint = endpoint
        self._url = address(endpoint.url)
        self._key = endpoint.key.reveal() if endpoint.key else ""
        self._sleep = sleep
        if not (self._key.isascii() and self._key.isprintable()):
            raise EmbedderError(f"the key in {endpoint.key} has signs in it that no key has", permanent=True)
        self._headers = {"User-Agent": f"Watcher/{version('watcher-digests')}", "Accept-Encoding": "identity"}
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"
        self._tls = ssl.create_default_context() if self._url.startswith("https:") else False

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector for each text. Errors: EmbedderError, which says what the endpoint answered."""
        size, timeout_s = self._endpoint.batch, self._endpoint.timeout_s
        made: list[bytes] = []
        with httpx.Client(timeout=timeout_s, headers=self._headers, verify=self._tls, trust_env=False) as http:
            for start in range(0, len(texts), size):
                made += self._asked(http, [plain(text) for text in texts[start : start + size]])
        return made

    def _asked(self, http: httpx.Client, texts: list[str]) -> list[bytes]:
        for usual_s in self._endpoint.pauses_s:
            try:
                return self._ask(http, texts)
            except EmbedderError as error:
                wait_s = usual_s if error.retry_after_s is None else error.retry_after_s
                if error.permanent or error.about_texts or wait_s > LONGEST_PAUSE_S:
                    raise
                self._sleep(wait_s)
        return self._ask(http, texts)

    def _ask(self, http: httpx.Client, texts: list[str]) -> list[bytes]:
        asked: dict[str, object] = {"model": self._endpoint.model, "input": texts}
        if self._endpoint.dimensions:
            asked["dimensions"] = self._endpoint.dimensions
        most = HEAD_BYTES + TEXT_BYTES * len(texts)
        try:
            with http.stream("POST", self._url, json=asked) as answer:
                body = self._read(answer, most=most)
        except httpx.TimeoutException as error:
            raise self._late() from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._fault(f"cannot be asked: {str(error) or type(error).__name__}") from error
        if answer.status_code != HTTPStatus.OK:
            raise self._refusal(answer, body)
        return self._vectors(body, count=len(texts))

    def _read(self, answer: httpx.Response, *, most: int) -> bytes:
        """Return the body, in the time of one request and within `most` bytes."""
        until = time.monotonic() + self._endpoint.timeout_s
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > most:
                raise self._fault(f"answered with more than {most} bytes", permanent=True)
            if time.monotonic() > until:
                raise self._late()
        return bytes(body)

    def _refusal(self, answer: httpx.Response, body: bytes) -> EmbedderError:
        """Return what an answer with another status than 200 means."""
        status = answer.status_code
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "not a known status"
        said = self._said(body)
        words = f"answered {status} {phrase}" + (f": {said}" if said else "")
        wait_s = retry_after(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        later = status >= 500 or status in FOR_LATER
        fault = self._fault(
            words,
            permanent=not later and status not in ABOUT_TEXTS,
            about_texts=status in ABOUT_TEXTS,
            retry_after_s=wait_s if later else None,
        )
        if status in REFUSED:
            fault.mend = "put the right key where [semantic.endpoint] key says"
        elif status == HTTPStatus.NOT_FOUND:
            fault.mend = "check [semantic.endpoint] url and model"
        return fault

    def _vectors(self, body: bytes, *, count: int) -> list[bytes]:
        try:
            rows = rows_of(json.loads(body))
        except (ValueError, RecursionError, TypeError) as error:
            raise self._fault(f"answered with something else than embeddings ({error})") from error
        if len(rows) != count:
            raise self._fault(f"answered with {len(rows)} vectors for {count} texts")
        try:
            vectors = unit_vectors(rows)
        except ValueError as error:
            raise self._fault(f"cannot be used: {error}", about_texts=True) from error
        wanted = self._endpoint.dimensions or len(vectors[0]) // 2
        other = next((len(vector) // 2 for vector in vectors if len(vector) // 2 != wanted), None)
        if other is not None:
            fault = self._fault(f"answered with {other} dimensions, expected {wanted}", permanent=True)
            fault.mend = "set [semantic.endpoint] dimensions to what the model gives, or leave it out"
            raise fault
        return vectors

    def _late(self) -> EmbedderError:
        return self._fault(f"did not answer within {self._endpoint.timeout_s:g} s")

    def _fault(self, words: str, **kind: Any) -> EmbedderError:  # noqa: ANN401 - EmbedderError's own
        host = urlsplit(self._url).netloc.rpartition("@")[2]
        return EmbedderError(f"the embedding endpoint {host} {words}", **kind)

    def _said(self, body: bytes) -> str:
        """Return what an endpoint's error says, in one line and never with the key."""
        text = body[:4_000].decode("utf-8", "replace")
        try:
            told = json.loads(body[:HEAD_BYTES])
        except (ValueError, RecursionError):
            told = None
        inner = told.get("error", told) if isinstance(told, dict) else None
        message = inner.get("message") if isinstance(inner, dict) else inner
        text = message if isinstance(message, str) else text
        return one_line(text.replace(self._key, "…") if self._key else text, SAID)


def load(endpoint: Endpoint) -> EndpointEmbedder:
    """Return the embedder that asks `endpoint`. Errors: WatcherError if its key cannot be had."""
    return EndpointEmbedder(endpoint)


def address(url: str) -> str:
    """Return where embeddings are asked for: `url`, with "/embeddings" behind its path unless it is there."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith("/embeddings") else f"{path}/embeddings").geturl()


def rows_of(answer: Any) -> list[Any]:  # noqa: ANN401 - what came
    """
    Return the vectors of an answer, in the order of the texts.

    Errors: ValueError if it has none, or not one for each place.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or not all(isinstance(row, dict) and "embedding" in row for row in data):
        raise ValueError('expected {"data": [{"index": 0, "embedding": […]}, …]}')
    places = [row.get("index", at) for at, row in enumerate(data)]
    if sorted(places) != list(range(len(data))):
        raise ValueError("its places are not 0, 1, 2, …")
    return [row["embedding"] for _, row in sorted(zip(places, data, strict=True), key=lambda pair: pair[0])]
