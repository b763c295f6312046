"""An alert as the channels need it: a mail, a webhook message or a file, all in plain text."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Literal

from digests.model.delivery import OutboundMessage, Rendered
from digests.render.mail import MAIL_POLICY, encode_header_text, encode_mailbox
from digests.render.webhook import escape_slack, hide_mentions
from digests.settings.channel import DeliverSettings
from digests.settings.mail import parse_mailbox

SUBJECT_CHARS, WORDS_CHARS = 150, 600
DISCORD_SIGNS = re.compile(r"([\\`*_~|>#\[\]()<])")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """What a recipient is told of a failure (`alert`), of its end (`over`), or of a story or correction (`story`)."""

    kind: Literal["alert", "over", "story"]
    name: str  # of the failure, or of the story and the digest
    machine: str
    since: datetime
    at: datetime
    subject: str
    text: str
    title: str = ""  # the whole headline of a story, where the subject has its beginning
    url: str = ""  # one of the lines of `text`


def render_message(
    alert: AlertMessage, delivery: DeliverSettings, sender: str, recipient: str, *, readers: Sequence[str] = ()
) -> OutboundMessage:
    """Return an alert for a channel; `readers` are the recipients that its digest names for mails."""
    mail_to = tuple(parse_mailbox(reader)[1] for reader in readers)
    forms = delivery.forms(AlertContent(alert=alert, sender=sender, mail_to=mail_to), recipient)
    return OutboundMessage(channel=delivery.channel, recipient=recipient, forms=forms)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContent:
    """An alert in each form that a channel may ask for."""

    alert: AlertMessage
    sender: str
    mail_to: tuple[str, ...] = ()

    def files(self, formats: Sequence[str] = ()) -> tuple[Rendered, ...]:
        return (self._render("text", "txt", f"{self.alert.subject}\n\n{self.alert.text}".encode()),)

    def mail(self, recipient: str, attach: Sequence[str] = ()) -> Rendered:
        return self._render("eml", "eml", _render_mail(self.alert, sender=self.sender, recipient=recipient))

    def payload(self, shape: str) -> Rendered:
        return self._render(shape, "json", _render_webhook(self.alert, shape=shape))

    def _render(self, form: str, ending: str, body: bytes) -> Rendered:
        # There may be alerts on several stories in one second.
        what = self.alert.name.replace(" ", "-") if self.alert.kind == "story" else "alert"
        return Rendered(format=form, name=f"{self.alert.at:%Y-%m-%d-%H%M%S}-{what}.{ending}", body=body)


def _render_mail(alert: AlertMessage, *, sender: str, recipient: str) -> bytes:
    """Return an alert as a mail, ready to be sent; the Message-ID is the same each time the alert is rendered."""
    name, address = parse_mailbox(sender)
    kind = "over" if alert.kind == "over" else "alert"
    label = "".join(c if c.isascii() and c.isalnum() else "-" for c in alert.name)[:60]
    message = EmailMessage(policy=MAIL_POLICY)
    message["From"] = encode_mailbox("From", name or "Watcher", address)
    message["To"] = recipient
    message["Subject"] = encode_header_text("Subject", alert.subject)
    message["Date"] = format_datetime(alert.at)
    message["Message-ID"] = f"<{kind}.{alert.since:%Y%m%d%H%M%S}.{label}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(alert.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


def _render_webhook(alert: AlertMessage, *, shape: str) -> bytes:
    """
    Return an alert as the JSON body that a service expects; `shape` is the service, or "json" for Watcher's own form.
    """
    body: dict[str, object]
    match shape:
        case "ntfy":
            body = {"title": alert.subject, "message": alert.text, "priority": 3 if alert.kind == "over" else 4}
            body |= {"click": alert.url} if alert.url else {}
        case "slack":
            lines = (f"<{escape(s)}>" if s == alert.url else escape_slack(s) for s in alert.text.split("\n"))
            body = {"text": "\n".join((f"*{escape_slack(alert.subject)}*", *lines))}
        case "discord":
            text = f"{alert.title or alert.subject}\n{alert.text}".strip().split("\n")
            lines = (s if s == alert.url else DISCORD_SIGNS.sub(r"\\\1", s) for s in text)
            body = {"content": "\n".join(lines), "allowed_mentions": {"parse": []}}
        case "apprise":
            lines = (s if s == alert.url else hide_mentions(s) for s in (alert.subject, *alert.text.splitlines()))
            body = {"title": hide_mentions(alert.subject), "text": list(lines)}
        case _:
            body = {
                "kind": alert.kind, "name": alert.name, "machine": alert.machine, "url": alert.url or None,
                "since": alert.since.isoformat(), "at": alert.at.isoformat(), "subject": alert.subject,
                "text": alert.text,
            }  # fmt: skip
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
