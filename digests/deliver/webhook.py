"""The channel `webhook`: one bounded POST of JSON to a web address of the reader's own choice."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from digests.errors import DeliveryError
from watcher.feeds.html_text import one_line
from watcher.feeds.schedule import retry_after
from watcher.settings.secrets import Secret
from watcher.settings.values import check_web

if TYPE_CHECKING:
    from digests.deliver.channel import AtTheBrink
    from digests.delivery_settings import DeliverSettings, SmtpSettings
    from digests.model import Parcel, Rendered

TIMEOUT_S = 15.0  # for connecting, and for each read and write
DEADLINE_S = 60.0  # for one message
ANSWER_BYTES = 64 * 1024  # of an answer that are read: they only explain an error
SAID = 200  # characters of it that are told
FOR_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
BETWEEN = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)  # a machine in between has lost sight of it


class Webhook:
    """
    Sends to one web address. It may be a private one, since the reader wrote it into the settings.

    Redirects are not followed: what is in the address and the token is for this host only.
    """

    def __init__(
        self, url: str, *, name: str, token: str = "", timeout_s: float = TIMEOUT_S, deadline_s: float = DEADLINE_S
    ) -> None:
        self._url = url
        self._name = name
        self._token = token
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._socket: socket.socket | None = None
        self._ended = ""

    def send(self, parcel: Parcel, *, at_the_brink: AtTheBrink) -> str:
        (form,) = parcel.forms
        url, body = self._addressed(form)
        under_way = False

        def trace(event: str, info: dict[str, Any]) -> None:
            nonlocal under_way
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self._take(info["return_value"])
            elif event.endswith("send_request_headers.started"):
                at_the_brink()
                under_way = True

        timer = threading.Timer(self._deadline_s, self._end, [f"did not answer within {self._deadline_s:g} s"])
        timer.daemon = True
        timer.start()
        try:
            if self._ended:
                raise self._fault(self._ended)
            status, said, wait_s = self._post(url, body, trace)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            words = self._ended or in_words(error)
            raise self._fault(f"cannot be reached: {words}", maybe_arrived=under_way) from error
        finally:
            timer.cancel()
            self._socket = None
        if not 200 <= status < 300:
            raise self._refusal(status, said, wait_s)
        return f"{status} {self._told(said)}".rstrip()

    def break_off(self) -> None:
        self._end("broken off")

    def close(self) -> None:
        pass  # each message has a connection of its own

    def _addressed(self, form: Rendered) -> tuple[str, bytes]:
        """Return the address and the body; of ntfy, the topic goes from the one into the other."""
        if form.format != "ntfy":
            return self._url, form.body
        base, _, topic = self._url.partition("?")[0].rstrip("/").rpartition("/")
        body = json.dumps({"topic": topic} | json.loads(form.body), ensure_ascii=False, separators=(",", ":"))
        return f"{base}/", body.encode()

    def _post(self, url: str, body: bytes, trace: object) -> tuple[int, bytes, float | None]:
        """Return the status, the beginning of the body and the Retry-After in seconds."""
        headers = {"User-Agent": f"Watcher/{version('watcher-digests')}", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        tls = ssl.create_default_context() if url.startswith("https:") else False
        with (
            httpx.Client(timeout=self._timeout_s, headers=headers, verify=tls, trust_env=False) as http,
            http.stream("POST", url, content=body, extensions={"trace": trace}) as answer,
        ):
            said = bytearray()
            with contextlib.suppress(httpx.HTTPError, httpx.StreamError):  # the status says all that counts
                for chunk in answer.iter_raw():
                    said += chunk[:ANSWER_BYTES]
                    if len(said) >= ANSWER_BYTES or self._ended:
                        break
            wait_s = retry_after(answer.headers.get("Retry-After", ""), datetime.now(UTC))
            return answer.status_code, bytes(said), wait_s

    def _take(self, stream: Any) -> None:  # noqa: ANN401 - httpcore's stream
        found = stream.get_extra_info("socket")
        self._socket = found if isinstance(found, socket.socket) else None

    def _end(self, why: str) -> None:
        self._ended = self._ended or why
        taken = self._socket
        if taken is not None:
            with contextlib.suppress(OSError):
                taken.shutdown(socket.SHUT_RDWR)

    def _refusal(self, status: int, said: bytes, wait_s: float | None) -> DeliveryError:
        """Return what an answer with another status than 2xx means."""
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "not a known status"
        told = self._told(said)
        later = status >= 500 or status in FOR_LATER
        return self._fault(
            f"answered {status} {phrase}" + (f": {told}" if told else ""),
            permanent=not later,
            maybe_arrived=status in BETWEEN,
            retry_after_s=wait_s if later else None,
        )

    def _told(self, said: bytes) -> str:
        """Return what was answered, in one line and never with the address or the token."""
        text = said.decode("utf-8", "replace")
        for secret in (self._token, self._url, urlsplit(self._url).path.strip("/")):
            text = text.replace(secret, "…") if secret else text
        return one_line(text, SAID)

    def _fault(self, words: str, **kind: Any) -> DeliveryError:  # noqa: ANN401 - its own
        return DeliveryError("webhook", f"{self._name} {words}", **kind)


def channel(way: DeliverSettings, server: SmtpSettings, sender: str) -> Webhook:
    """Return the channel. Errors: WatcherError if a secret cannot be had, or is no web address or token."""
    del server, sender
    (name,) = way.recipients(())
    url = way.url.reveal() if isinstance(way.url, Secret) else str(way.url)
    token = way.token.reveal() if way.token else ""
    try:
        url = check_web(url)
    except ValueError:
        raise DeliveryError("webhook", f"{name} is no http or https URL", mend="write the whole URL there") from None
    if not (token.isascii() and token.isprintable()):
        raise DeliveryError("webhook", f"the token in {way.token} has signs in it that no token has")
    return Webhook(url, name=name, token=token)


def in_words(error: Exception) -> str:
    """Return what broke a request, in one line and without its address."""
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return "no answer in time"
    if isinstance(error, httpx.InvalidURL):
        return "its URL cannot be asked for"
    return one_line(str(error) or type(error).__name__, SAID)
