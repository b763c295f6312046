"""Mail addresses: what a person writes, "Ann <ann@example.org>", as a name and an address in ASCII."""

from __future__ import annotations

import re
from email.utils import getaddresses

LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5322 dot-atom
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
MAX_ADDRESS = 254  # characters (RFC 5321 §4.5.3.1.3, without the brackets)


def mailbox(value: str) -> tuple[str, str]:
    """
    Return the name, "" if there is none, and the address, its domain in small letters and ASCII.

    Errors: ValueError if `value` is not one address.
    """
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
