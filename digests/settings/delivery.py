"""The settings of delivery: the channels of a digest, `[[digests.deliver]]`, and the mail server, `[smtp]`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from email.utils import getaddresses
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, ValidationInfo

from watcher.settings.base import SettingsModel, ValidationIssue, find_duplicates, raw_rows
from watcher.settings.models import is_loopback
from watcher.settings.types import (
    LocalPath,
    OptionalSecret,
    PositiveDuration,
    Secret,
    SecretRef,
    check_web,
    parse_secret,
    quote_value,
)
from watcher.text.urls import host_of

ChannelName = Literal["file", "smtp", "sendmail", "webhook", "apprise"]
Shape = Literal["json", "ntfy", "slack", "discord"]
Security = Literal["starttls", "tls", "plain"]
PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465, "plain": 25}
MAILS = ("smtp", "sendmail")
# The channels that each key belongs to, and the key that a channel requires.
KEYS: dict[str, tuple[str, ...]] = {"directory": ("file",), "to": MAILS, "attach": MAILS, "program": ("sendmail",)}
KEYS |= {"url": ("webhook", "apprise"), "shape": ("webhook",), "token": ("webhook",)}
NEEDED: Mapping[str, str] = {"file": "directory", "webhook": "url", "apprise": "url"}
LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5322 dot-atom
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
MAX_ADDRESS = 254  # characters (RFC 5321 §4.5.3.1.3, without the brackets)


def check_mailbox(value: str) -> str:
    try:
        parse_mailbox(value)
    except ValueError:
        words = "" if value.rpartition("@")[0].isascii() else ", in ASCII before the @"
        expected = f'a mail address such as "you@example.org"{words}'
        raise ValueError(f"got {quote_value(value)}, expected {expected}") from None
    return value.strip()


def parse_place(value: object, info: ValidationInfo) -> Secret | str | None:
    """Return a URL as it is, or the place of a secret one. Errors: ValueError."""
    if value is None or isinstance(value, Secret):
        return value
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        return parse_secret(value, info)
    if info.data.get("channel") == "apprise":  # the value is not shown: such a URL has a password or a token in it
        raise ValueError('got a URL that is not secret, expected "env:NAME" or "file:PATH"')
    if not isinstance(value, str):
        raise ValueError(f'got {quote_value(value)}, expected an http or https URL, "env:NAME" or "file:PATH"')
    return check_web(value)


Mailbox = Annotated[str, AfterValidator(check_mailbox)]
WebPlace = Annotated[str | SecretRef | None, BeforeValidator(parse_place)]


class DeliverSettings(SettingsModel):
    """A channel by which an edition is sent. Without one, only its files are written (docs/guides/delivery.md)."""

    channel: ChannelName = Field(
        description="`file` (a folder), `smtp` (see `[smtp]`), `sendmail` (a mail program), `webhook` (a URL) or "
        "`apprise` (a service of Apprise)."
    )
    to: tuple[Mailbox, ...] = Field(
        default=(),
        description="Recipients; each one gets a separate mail. By default, those of `mail`.",
        max_length=1_000,
    )
    attach: tuple[Literal["epub"], ...] = Field(
        default=(),
        description='Formats to attach to each mail: "epub", such as for a Kindle (docs/guides/e-readers.md).',
        max_length=1,
    )
    directory: LocalPath | None = Field(default=None, description="Another folder for the files of each edition.")
    program: tuple[Annotated[str, Field(min_length=1, max_length=1_000)], ...] = Field(
        default=("/usr/sbin/sendmail", "-i"),
        description="Mail program; it gets `-f SENDER -- RECIPIENT` as last arguments, and the mail as its input.",
        min_length=1,
        max_length=50,
    )
    url: WebPlace = Field(
        default=None,
        description='URL of the webhook; "env:NAME" or "file:PATH" if it is secret, as for `apprise`.',
        repr=False,
    )
    shape: Shape = Field(default="json", description="Format that the webhook expects.")
    token: OptionalSecret = Field(default=None, description='Token for "Authorization: Bearer"; by default, none.')

    @property
    def message_shape(self) -> str:
        """The name of the function in `digests.render.webhook` that renders for this channel."""
        return "apprise" if self.channel == "apprise" else self.shape

    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        """Return the recipients, `mail_to` if none are named, under names that may be stored and logged."""
        if self.channel in MAILS:
            return tuple(dict.fromkeys(parse_mailbox(one)[1] for one in self.to or mail_to))
        if self.channel == "file":
            return (str(self.directory),)
        url = str(self.url)  # not shown, because its path may be a secret
        return (url if isinstance(self.url, Secret) else f"{host_of(url)} ({sha256(url.encode()).hexdigest()[:8]})",)


def cross_field_issues(rows: object, mail: object, document: Mapping[str, object]) -> Iterator[ValidationIssue]:
    """Yield the faults between the fields of a digest's channels, and between them and `mail` and `[smtp]`."""
    yield from find_duplicates(rows, "url", what="URL")
    yield from find_duplicates(rows, "directory", what="folder")
    head = mail if isinstance(mail, Mapping) else {}
    server = document.get("smtp")
    has_server = isinstance(server, Mapping) and bool(server.get("host"))
    for n, row in raw_rows(rows):
        channel = row.get("channel")
        for key, channels in KEYS.items():
            if key in row and isinstance(channel, str) and channel not in channels:
                words = f'belongs to channel = "{channels[0]}"' + (f' or "{channels[1]}"' if len(channels) > 1 else "")
                yield ValidationIssue(loc=(n, key), message=f"{words}, not {quote_value(channel)}", at_key=True)
        is_mail, needed = channel in MAILS, NEEDED.get(str(channel), "")
        for is_absent, words in (
            (needed and needed not in row, f"{needed}; expected one"),
            (is_mail and "from" not in head, "a sender; expected mail = { from = … } in its digest"),
            (is_mail and not row.get("to") and not head.get("to"), "recipients; expected to = […]"),
            (channel == "smtp" and not has_server, "a mail server; expected a table [smtp] with host"),
        ):
            if is_absent:
                message = f"got {quote_value(channel)} without {words}"
                yield ValidationIssue(loc=(n, "channel"), message=message, missing=True)


class SmtpSettings(SettingsModel):
    """The mail server for the channel `smtp`, the same for all digests."""

    host: str = Field(default="", description="Host name of your mail server.", max_length=253)
    port: Annotated[StrictInt, Field(ge=1, le=65_535)] | None = Field(
        default=None, description='Port of the server; by default 587, with "tls" 465, with "plain" 25.'
    )
    security: Security = Field(
        default="starttls", description='How the connection is encrypted; "plain" is only for a server on this machine.'
    )
    user: str = Field(default="", description="User name; without one, there is no login.", max_length=500)
    password: OptionalSecret = Field(default=None, description='Password, as "env:NAME" or "file:PATH".')
    timeout: PositiveDuration = Field(default=timedelta(seconds=30), description="How long to wait for each answer.")

    @property
    def at(self) -> tuple[str, int]:
        return self.host, self.port or PORTS[self.security]

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield the faults between the fields: a plain connection to another machine, or half a login."""
        rows = data if isinstance(data, Mapping) else {}
        host = rows.get("host")
        if rows.get("security") == "plain" and isinstance(host, str) and not is_loopback(host.strip("[]")):
            words = 'got "plain" for another machine, expected "starttls" or "tls": others could read mail and password'
            yield ValidationIssue(loc=("security",), message=words)
        for one, other in (("user", "password"), ("password", "user")):
            if rows.get(one) and not rows.get(other):
                words = f"got {one} without {other}, expected both or neither"
                yield ValidationIssue(loc=(one,), message=words, missing=True)


def parse_mailbox(value: str) -> tuple[str, str]:
    """Return the name or "", and the address with its domain in ASCII. Errors: ValueError, if it is not one address."""
    found = getaddresses([value])
    name, address = found[0] if len(found) == 1 else ("", "")
    local, at, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower() if domain else ""
    except UnicodeError:
        ascii_domain = ""
    sound = value.isprintable() and at and LOCAL.fullmatch(local) and len(local) <= 64
    if not sound or not all(LABEL.fullmatch(label) for label in ascii_domain.split(".")):
        raise ValueError("expected name@domain, the name in ASCII")
    if len(local) + 1 + len(ascii_domain) > MAX_ADDRESS:
        raise ValueError(f"expected at most {MAX_ADDRESS} characters")
    return name, f"{local}@{ascii_domain}"
