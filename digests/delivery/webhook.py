"""The channel `webhook`: sends a message in one POST of JSON, limited in time, to a URL from the settings."""

import json
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from digests.delivery.connect import try_connect
from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.channel import BeforeCommit, Channel, Content, DeliverSettings, Place
from watcher.errors import FetchError, RequestRefused, TimedOut
from watcher.settings.models import Settings
from watcher.settings.types import OptionalSecret, Secret, check_web
from watcher.text.plain_text import MAX_REPLY_CHARS, to_one_line
from watcher.text.urls import host_of

if TYPE_CHECKING:
    from watcher.net.post import HttpPost

WEBHOOK_TIMEOUT_S = 15.0  # for connecting, and for each read and write
WEBHOOK_DEADLINE_S = 60.0  # for one message


class WebhookChannel(Channel):
    """Posts each message over a connection of its own, maybe into a private network: the reader has set the URL."""

    name = "webhook"

    def __init__(
        self,
        url: str,
        *,
        name: str,
        token: str = "",
        header: str = "Authorization: Bearer {token}",
        timeout_s: float = WEBHOOK_TIMEOUT_S,
        deadline_s: float = WEBHOOK_DEADLINE_S,
    ) -> None:
        """
        Keep address, token and limits.

        `name` is how errors call the receiver; `header` is sent if there is a token, which is hidden in answers.
        """
        self._url, self.peer, self._token = url, name, token
        header_name, _, value = header.partition(": ")
        self._headers = {header_name: value.replace("{token}", token)} if token else {}
        self._timeout_s, self._deadline_s = timeout_s, deadline_s
        self._post: HttpPost | None = None

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
        """Post a message; return status and answer of the receiver. Errors: DeliveryError."""
        from watcher.net.post import (
            HttpPost,  # late: loads httpx, a fifth of a second for each command that reads settings
        )

        (form,) = message.forms
        url, body = self._url_and_body(form)
        is_sent = False

        def before_send() -> None:
            nonlocal is_sent
            before_commit()
            is_sent = True

        self._post = HttpPost(
            url=url,
            body=body,
            headers=self._headers,
            timeout_s=self._timeout_s,
            deadline_s=self._deadline_s,
            before_send=before_send,
        )
        if self.is_aborted:
            raise self.fault("interrupted")
        try:
            response = self._post.run()
        except FetchError as error:
            raise self.fault(f"cannot be reached: {_describe_error(error)}", maybe_arrived=is_sent) from error
        status, reply = response.status, self._reply_text(response.body)
        if 200 <= status < 300 and self.refuses(response.body):
            raise self.fault(f"refused it: {reply}", permanent=True)
        if 200 <= status < 300:
            return f"{status} {reply}".rstrip()
        raise self.status_fault(status, reply, retry_after=response.headers.get("Retry-After", ""))

    def refuses(self, body: bytes) -> bool:
        """Whether the reply to a status of success says that the message was not taken."""
        return False

    def abort(self) -> None:
        super().abort()
        if self._post is not None:
            self._post.abort()

    def _url_and_body(self, form: Rendered) -> tuple[str, bytes]:
        """Return the URL and the body; for ntfy, the topic moves from the URL's path into the body."""
        if form.format != "ntfy":
            return self._url, form.body
        base, _, topic = self._url.partition("?")[0].rstrip("/").rpartition("/")
        body = json.dumps({"topic": topic} | json.loads(form.body), ensure_ascii=False, separators=(",", ":"))
        return f"{base}/", body.encode()

    def _reply_text(self, reply: bytes) -> str:
        """Return a reply in one line, without the URL or the token."""
        text = reply.decode("utf-8", "replace")
        for secret in (self._token, self._url, urlsplit(self._url).path.strip("/")):
            text = text.replace(secret, "…") if secret else text
        return to_one_line(text, MAX_REPLY_CHARS)


def _describe_error(error: FetchError) -> str:
    if isinstance(error, TimedOut):
        return "no answer in time"
    if isinstance(error, RequestRefused):
        return "its URL cannot be requested"
    return to_one_line(str(error.reason), MAX_REPLY_CHARS)


def reveal_target(url: str | Secret, token: Secret | None, *, name: str) -> tuple[str, str]:
    """Return a URL and a token from the settings. Errors: WatcherError, if one cannot be read or is not valid."""
    shown, revealed = url.reveal() if isinstance(url, Secret) else url, token.reveal() if token else ""
    try:
        shown = check_web(shown)
    except ValueError:
        hint = "write the full URL there"
        raise DeliveryError("webhook", f"{name} is not an http or https URL", hint=hint) from None
    if not (revealed.isascii() and revealed.isprintable()):
        raise DeliveryError("webhook", f"the token in {token} has characters that a token cannot have")
    return shown, revealed


class WebhookDeliverSettings(DeliverSettings):
    """Posts a short message as JSON to a URL."""

    what = "webhook"
    unique: ClassVar = {"url": "URL"}

    channel: Literal["webhook"]
    url: Place = Field(description='URL of the webhook; "env:NAME" or "file:PATH" if it is secret.', repr=False)
    shape: Literal["json", "ntfy", "slack", "discord"] = Field(
        default="json", description="Format that the webhook expects."
    )
    token: OptionalSecret = Field(default=None, description='Token for "Authorization: Bearer"; by default, none.')

    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        url = str(self.url)  # not shown, because its path may be a secret
        # The digest of the address tells two addresses of one host apart in the store.
        return (url if isinstance(self.url, Secret) else f"{host_of(url)} ({sha256(url.encode()).hexdigest()[:8]})",)

    def forms(self, content: Content, recipient: str) -> tuple[Rendered, ...]:
        return (content.payload(self.shape),)

    def open(self, settings: Settings, *, sender: str) -> WebhookChannel:
        """Return the channel. Errors: WatcherError, if a secret cannot be read, or the URL or token is not valid."""
        name = self.target(settings)
        url, token = reveal_target(self.url, self.token, name=name)
        return WebhookChannel(url, name=name, token=token)

    def check(self, settings: Settings) -> None:
        if self.token is not None:
            self.token.reveal()
        try_connect(self.url.reveal() if isinstance(self.url, Secret) else self.url)
