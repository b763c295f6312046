"""The settings of mail: addresses, and the mail server, `[smtp]`."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from email.utils import getaddresses
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt

from watcher.settings.base import SettingsModel, ValidationIssue
from watcher.settings.models import is_loopback
from watcher.settings.types import OptionalSecret, PositiveDuration, quote_value

Security = Literal["starttls", "tls", "plain"]
PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465, "plain": 25}
LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5322 dot-atom
DOMAIN_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
MAX_ADDRESS = 254  # characters (RFC 5321 §4.5.3.1.3, without the brackets)


def check_mailbox(value: str) -> str:
    """Return a mail address without blanks around it. Errors: ValueError."""
    try:
        parse_mailbox(value)
    except ValueError:
        words = "" if value.rpartition("@")[0].isascii() else ", in ASCII before the @"
        expected = f'a mail address such as "you@example.org"{words}'
        raise ValueError(f"got {quote_value(value)}, expected {expected}") from None
    return value.strip()


Mailbox = Annotated[str, AfterValidator(check_mailbox)]


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
    mailboxes = getaddresses([value])
    name, address = mailboxes[0] if len(mailboxes) == 1 else ("", "")
    local, at, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower() if domain else ""
    except UnicodeError:
        ascii_domain = ""
    sound = value.isprintable() and at and LOCAL.fullmatch(local) and len(local) <= 64
    if not sound or not all(DOMAIN_LABEL.fullmatch(label) for label in ascii_domain.split(".")):
        raise ValueError("expected name@domain, the name in ASCII")
    if len(local) + 1 + len(ascii_domain) > MAX_ADDRESS:
        raise ValueError(f"expected at most {MAX_ADDRESS} characters")
    return name, f"{local}@{ascii_domain}"
