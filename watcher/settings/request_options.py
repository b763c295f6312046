"""What one source has of its own: headers, cookie, User-Agent, proxy, selectors of a page; and checks of these."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationInfo

from watcher.errors import WatcherError
from watcher.model import PageSelectors
from watcher.settings.types import Secret, matching, quote_value, resolve_path, secret_of
from watcher.text.urls import is_web

MAX_HEADERS = 20
MAX_REQUEST_HEADER_CHARS = 4_000  # of one value: servers refuse requests with more than 8 kB of headers
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~\w-]{1,100}", re.ASCII)
HEADER_VALUE = re.compile(rf"[\x21-\x7e](?:[\x20-\x7e]{{0,{MAX_REQUEST_HEADER_CHARS - 2}}}[\x21-\x7e])?", re.ASCII)
# Headers that Watcher sets itself, or that belong to one connection.
RESERVED = frozenset(
    "a-im accept-encoding connection content-length content-type expect host if-modified-since if-none-match "
    "keep-alive proxy-authorization proxy-connection range te trailer transfer-encoding upgrade".split()
)
OTHER_SETTING = {"cookie": "cookie", "user-agent": "user_agent"}
SECRET_NAME = re.compile(r"auth|key|token|secret|session|passw|signature|credential|cookie", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """
    What the requests of one source have of their own, and how their responses are read.

    `proxy` is used for all of them. The headers are sent to the origin of `url` only, not to other hosts.
    `password` is that of a mail folder.
    """

    url: str  # of the source
    headers: tuple[tuple[str, str | Secret], ...] = ()  # with Cookie and User-Agent
    proxy: str | None = None
    password: Secret | None = None
    page: PageSelectors | None = None  # the response is a page; None: a feed

    def reveal_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers with their secrets read. Errors: WatcherError, whose message never has a secret."""
        return tuple((name, reveal_value(value)) for name, value in self.headers)


def reveal_value(value: str | Secret) -> str:
    """Return a header's value; a secret is read now. Errors: WatcherError."""
    if not isinstance(value, Secret):
        return value
    text = value.reveal().strip()
    if HEADER_VALUE.fullmatch(text) is None:
        raise WatcherError(
            f"the secret {value} is not one line of ASCII of at most {MAX_REQUEST_HEADER_CHARS:,} characters"
        )
    return text


def request_headers(
    headers: Mapping[str, str], *, user_agent: str | None, cookie: Secret | None
) -> tuple[tuple[str, str | Secret], ...]:
    """Return the headers of a source's requests; references to secrets are not read."""
    own: dict[str, str | Secret | None] = {"User-Agent": user_agent, "Cookie": cookie}
    own |= {name: secret_of(value) or value for name, value in headers.items()}
    return tuple((name, value) for name, value in own.items() if value is not None)


def _check_headers(headers: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """
    Return the headers of a source; the path of a secret in a file is absolute.

    Errors: ValueError, which never has the value of a header.
    """
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"got {len(headers)} headers, expected at most {MAX_HEADERS}")
    for name, value in headers.items():
        low = name.lower()
        if low in OTHER_SETTING:
            raise ValueError(f'got a header {name}, expected the setting "{OTHER_SETTING[low]}" of the source instead')
        if HEADER_NAME.fullmatch(name) is None or low in RESERVED:
            raise ValueError(f"got the header {quote_value(name)}, which cannot be set")
        if HEADER_VALUE.fullmatch(value) is None:
            raise ValueError(f"{name}: expected one line of ASCII of at most {MAX_REQUEST_HEADER_CHARS:,} characters")
        if SECRET_NAME.search(name) and not secret_of(value):
            raise ValueError(f'{name}: expected "env:NAME" or "file:PATH"; do not write the secret itself here')
    files = {name: value[5:] for name, value in headers.items() if value.startswith("file:") and secret_of(value)}
    return headers | {name: f"file:{resolve_path(path, info)}" for name, path in files.items()}


def _check_proxy(value: str) -> str:
    """Return the URL of a proxy. Errors: ValueError."""
    text = value.strip()
    parts = urlsplit(text) if is_web(text) else None
    if parts is None or parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        expected = 'expected the address of an HTTP proxy without a password, such as "http://127.0.0.1:3128"'
        raise ValueError(f"got {quote_value(value)}, {expected}")
    return text.rstrip("/")


Headers = Annotated[dict[str, str], AfterValidator(_check_headers)]
UserAgent = Annotated[str, matching(HEADER_VALUE, "one line of ASCII")]
ProxyUrl = Annotated[str, AfterValidator(_check_proxy)]
