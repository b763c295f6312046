"""A language model behind an OpenAI-compatible endpoint: `POST …/chat/completions`, bounded, asked once."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import httpx

from watcher.errors import ModelError
from watcher.feeds.html_text import one_line
from watcher.settings.secrets import Secret

MOST_BYTES = 1 << 20  # of an answer
SAID = 200  # characters of what the endpoint says itself
CHARS_A_TOKEN = 3  # where the endpoint does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: str  # system, user
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the model wrote, and what it cost: tokens of question and answer together."""

    text: str
    tokens: int


class Chat:
    """Asks one endpoint, one request at a time. Redirects are not followed: the key is for this address only."""

    def __init__(self, *, url: str, model: str, key: Secret | None = None) -> None:
        """Errors: WatcherError if the key cannot be had."""
        self.model = model
        self._url = address(url)
        self._key = key.reveal() if key else ""
        if not (self._key.isascii() and self._key.isprintable()):
            raise ModelError(f"the key in {key} has signs in it that no key has")
        self._headers = {"User-Agent": f"Watcher/{version('watcher-digests')}", "Accept-Encoding": "identity"}
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"
        self._tls = ssl.create_default_context() if self._url.startswith("https:") else False

    def complete(self, messages: Sequence[Message], *, most_tokens: int, timeout_s: float) -> Completion:
        """
        Return the model's answer.

        Args:
            most_tokens: Of the answer.
            timeout_s: For the whole request.

        Errors: ModelError, which says what the endpoint answered.
        """
        asked = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.text} for message in messages],
            "max_tokens": most_tokens,
            "temperature": 0,
            "stream": False,
        }
        until = time.monotonic() + timeout_s
        try:
            with (
                httpx.Client(timeout=timeout_s, headers=self._headers, verify=self._tls, trust_env=False) as http,
                http.stream("POST", self._url, json=asked) as answer,
            ):
                body = self._read(answer, until=until)
        except httpx.TimeoutException as error:
            raise self._fault(f"did not answer within {timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._fault(f"cannot be asked: {str(error) or type(error).__name__}") from error
        if answer.status_code != HTTPStatus.OK:
            raise self._refusal(answer.status_code, body)
        return self._completion(body, asked=sum(len(message.text) for message in messages))

    def _read(self, answer: httpx.Response, *, until: float) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise self._fault(f"answered with more than {MOST_BYTES} bytes")
            if time.monotonic() > until:
                raise self._fault("did not end its answer in time")
        return bytes(body)

    def _completion(self, body: bytes, *, asked: int) -> Completion:
        try:
            told: Any = json.loads(body)
            text = told["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise self._fault("answered with something else than a completion") from error
        if not isinstance(text, str):
            raise self._fault("answered with something else than a text")
        usage = told.get("usage")
        tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
            tokens = (asked + len(text)) // CHARS_A_TOKEN
        return Completion(text=text, tokens=tokens)

    def _refusal(self, status: int, body: bytes) -> ModelError:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "not a known status"
        text = body[:4_000].decode("utf-8", "replace")
        said = one_line(text.replace(self._key, "…") if self._key else text, SAID)
        fault = self._fault(f"answered {status} {phrase}" + (f": {said}" if said else ""))
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            fault.mend = "put the right key where [digests.prose] key says"
        elif status == HTTPStatus.NOT_FOUND:
            fault.mend = "check [digests.prose] url and model"
        return fault

    def _fault(self, words: str) -> ModelError:
        host = urlsplit(self._url).netloc.rpartition("@")[2]
        return ModelError(f"the model {self.model} at {host} {words}")


def address(url: str) -> str:
    """Return where completions are asked for: `url`, with "/chat/completions" behind its path unless it is there."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith("/chat/completions") else f"{path}/chat/completions").geturl()
