"""An endpoint of the user's choice that answers JSON with JSON; what each of its failures means."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from watcher.errors import FetchError, TimedOut, TooLarge, WatcherError, status_reason
from watcher.net.freshness import parse_retry_after
from watcher.net.post import HttpPost, PostResponse
from watcher.settings.types import Secret
from watcher.text.plain_text import to_one_line

MESSAGE_CHARS = 200  # of the endpoint's own error message
ABOUT_TEXTS = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
FOR_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class JsonEndpoint:
    """An endpoint for JSON, set in `table` of the settings. Errors: WatcherError if the key cannot be read."""

    def __init__(self, url: str, path: str, *, key: Secret | None, table: str) -> None:
        """Keep address and key; `table` is the settings table that error messages name. Errors: WatcherError."""
        self._url = _endpoint_url(url, path)
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
        """Return the error for a response that is no success; whether a retry can help is decided by its status."""
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


def _endpoint_url(url: str, path: str) -> str:
    """Return `url` with `path` appended to its own path, unless that already ends with it."""
    parts = urlsplit(url)
    own_path = parts.path.rstrip("/")
    return parts._replace(path=own_path if own_path.endswith(path) else f"{own_path}{path}").geturl()
