"""The channel `webhook`: sends a message in one POST of JSON, limited in time, to a URL from the settings."""

import json
from urllib.parse import urlsplit

from digests.delivery.channels import BeforeCommit, Channel
from digests.errors import DeliveryError
from digests.model import OutboundMessage, Rendered
from digests.settings.delivery import DeliverSettings, SmtpSettings
from watcher.errors import FetchError, RequestRefused, TimedOut
from watcher.net.post import HttpPost
from watcher.settings.types import Secret, check_web
from watcher.text.plain_text import to_one_line

TIMEOUT_S = 15.0  # for connecting, and for each read and write
DEADLINE_S = 60.0  # for one message
MAX_REPLY_CHARS = 200  # characters of a reply that are shown


class WebhookChannel(Channel):
    """Posts each message over a connection of its own, maybe into a private network: the reader has set the URL."""

    name = "webhook"

    def __init__(
        self, url: str, *, name: str, token: str = "", timeout_s: float = TIMEOUT_S, deadline_s: float = DEADLINE_S
    ) -> None:
        self._url, self.peer, self._token = url, name, token
        self._timeout_s, self._deadline_s = timeout_s, deadline_s
        self._post: HttpPost | None = None

    def send(self, message: OutboundMessage, *, before_commit: BeforeCommit) -> str:
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
            token=self._token,
            timeout_s=self._timeout_s,
            deadline_s=self._deadline_s,
            before_send=before_send,
        )
        if self.is_aborted:
            raise self.fault("interrupted")
        try:
            response = self._post.run()
        except FetchError as error:
            raise self.fault(f"cannot be reached: {describe_error(error)}", maybe_arrived=is_sent) from error
        status, told = response.status, self._reply_text(response.body)
        if 200 <= status < 300:
            return f"{status} {told}".rstrip()
        raise self.status_fault(status, told, retry_after=response.headers.get("Retry-After", ""))

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


def make_channel(delivery: DeliverSettings, server: SmtpSettings, sender: str) -> WebhookChannel:
    """Return the channel. Errors: WatcherError, if a secret cannot be read, or the URL or token is not valid."""
    (name,) = delivery.recipients(())
    url = delivery.url.reveal() if isinstance(delivery.url, Secret) else str(delivery.url)
    token = delivery.token.reveal() if delivery.token else ""
    try:
        url = check_web(url)
    except ValueError:
        raise DeliveryError("webhook", f"{name} is not an http or https URL", hint="write the full URL there") from None
    if not (token.isascii() and token.isprintable()):
        raise DeliveryError("webhook", f"the token in {delivery.token} has characters that a token cannot have")
    return WebhookChannel(url, name=name, token=token)


def describe_error(error: FetchError) -> str:
    if isinstance(error, TimedOut):
        return "no answer in time"
    if isinstance(error, RequestRefused):
        return "its URL cannot be requested"
    return to_one_line(str(error.reason), MAX_REPLY_CHARS)
