"""A language model at an OpenAI-compatible endpoint: chat completions."""

import json
from typing import Any

from watcher.endpoints.json_endpoint import JsonEndpoint
from watcher.errors import ModelError
from watcher.settings.types import Secret

COMPLETION_BYTES = 1 << 20  # of an answer
CHARS_A_TOKEN = 3  # an estimate if the endpoint reports no usage


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
