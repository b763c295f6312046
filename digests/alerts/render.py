"""Renders an alert for each channel: a mail, a webhook message or a file, all in plain text."""

import json
from email.message import EmailMessage
from email.utils import format_datetime

from digests.alerts.conditions import Alert
from digests.model import OutboundMessage, Rendered
from digests.render.mail import MAIL, encode_header_text, encode_mailbox
from digests.render.webhook import escape_slack
from digests.settings.delivery import DeliverSettings, parse_mailbox


def render_message(alert: Alert, delivery: DeliverSettings, sender: str, recipient: str) -> OutboundMessage:
    match delivery.channel:
        case "smtp" | "sendmail":
            form, ending, body = "eml", "eml", render_mail(alert, sender=sender, recipient=recipient)
        case "webhook":
            form, ending, body = delivery.shape, "json", render_webhook(alert, shape=delivery.shape)
        case "file":
            form, ending, body = "text", "txt", f"{alert.subject}\n\n{alert.text}".encode()
    rendered = Rendered(format=form, name=f"{alert.at:%Y-%m-%d-%H%M%S}-alert.{ending}", body=body)
    return OutboundMessage(channel=delivery.channel, recipient=recipient, forms=(rendered,))


def render_mail(alert: Alert, *, sender: str, recipient: str) -> bytes:
    name, address = parse_mailbox(sender)
    kind = "over" if alert.is_over else "alert"
    label = "".join(c if c.isascii() and c.isalnum() else "-" for c in alert.name)[:60]
    message = EmailMessage(policy=MAIL)
    message["From"] = encode_mailbox("From", name or "Watcher", address)
    message["To"] = recipient
    message["Subject"] = encode_header_text("Subject", alert.subject)
    message["Date"] = format_datetime(alert.at)
    message["Message-ID"] = f"<{kind}.{alert.since:%Y%m%d%H%M%S}.{label}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(alert.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


def render_webhook(alert: Alert, *, shape: str) -> bytes:
    told: dict[str, object]
    match shape:
        case "ntfy":
            told = {"title": alert.subject, "message": alert.text, "priority": 3 if alert.is_over else 4}
        case "slack":
            told = {"text": f"*{escape_slack(alert.subject)}*\n{escape_slack(alert.text)}"}
        case "discord":
            told = {"content": alert.text, "allowed_mentions": {"parse": []}}
        case _:
            told = {
                "kind": "over" if alert.is_over else "alert", "name": alert.name, "machine": alert.machine,
                "since": alert.since.isoformat(), "at": alert.at.isoformat(), "subject": alert.subject,
                "text": alert.text,
            }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
