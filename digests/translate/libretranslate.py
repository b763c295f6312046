"""The engine of a LibreTranslate server that the settings name: texts are sent there, and nowhere else."""

import json
from typing import Any

from digests.errors import TranslationError
from watcher.net.openai import JsonEndpoint
from watcher.settings.types import Secret

TIMEOUT_S = 15.0  # for one text
MAX_BYTES = 256 << 10  # of an answer


class LibreTranslateEngine(JsonEndpoint):
    """
    A LibreTranslate server: `POST …/translate`, without retries.

    Source: docs.libretranslate.com, API; the key goes into the question, not into a header.
    """

    name = "libretranslate"

    def __init__(self, url: str, key: Secret | None) -> None:
        self._api_key = {"api_key": key.reveal()} if key else {}
        super().__init__(url, "/translate", key=None, table="translate")

    def find_model(self, source: str, target: str) -> str | None:
        """Return the name under which its translations are kept: a server does not say which model it has."""
        return f"{self._host}/{source}-{target}"

    def translate(self, text: str, source: str, target: str) -> str:
        """Return a text translated. Errors: TranslationError with the server's message."""
        question = {"q": text, "source": source, "target": target, "format": "text"} | self._api_key
        body = self.post_json(question, timeout_s=TIMEOUT_S, max_bytes=MAX_BYTES)
        try:
            answer: Any = json.loads(body)
            return str(answer["translatedText"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.make_error("answered with something else than a translation") from error

    def make_error(self, words: str, **kind: Any) -> TranslationError:  # noqa: ANN401
        return TranslationError(f"the server {self._host} {words}")
