"""The redirects of a fetch: the next URL, the target of permanent redirects, and who may get the credentials."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from watcher.errors import RequestRefused
from watcher.failure_messages import FetchKind, Reason
from watcher.text.urls import DEFAULT_PORTS, PLAIN_PAGE

MAX_HOPS = 10
MAX_REDIRECT_CHARS = 8_000  # characters of a redirect's target: RFC 9110 §4.1 asks servers to support that
FOLLOWED = frozenset((301, 302, 303, 307, 308))
PERMANENT = frozenset((301, 308))
PRINTABLE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"  # not escaped: a URL is requested in the form in which it was given


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectChain:
    """The state of a fetch that follows redirects."""

    first_url: str  # as it was asked for, with its credentials
    url: str  # the current URL, without credentials and fragment
    authorization: str | None = None
    own_headers: tuple[tuple[str, str], ...] = ()  # of the source; dropped at a redirect to another host
    moved_to: str | None = None  # the last target that was reached by 301 and 308 only
    is_permanent: bool = True  # whether all redirects so far were 301 or 308
    seen: tuple[str, ...] = ()

    @classmethod
    def start(cls, url: str) -> RedirectChain:
        """Return the chain that begins at `url`. Errors: RequestRefused if it is no http(s) URL."""
        if PLAIN_PAGE.fullmatch(url) is not None and "#" not in url:  # nearly all of them, at a third of the cost
            return cls(first_url=url, url=url, seen=(url,))
        bare, userinfo = _split_userinfo(_validate_url(url, first_url=url))
        if not userinfo:
            return cls(first_url=url, url=bare, seen=(bare,))
        token = unquote_to_bytes(userinfo if ":" in userinfo else f"{userinfo}:")
        authorization = f"Basic {base64.b64encode(token).decode('ascii')}"
        return cls(first_url=url, url=bare, authorization=authorization, seen=(bare,))

    def follow(self, status: int, location: str) -> RedirectChain:
        """Return the chain after a redirect. Errors: RequestRefused for too many, a loop, or a target not http(s)."""
        try:
            joined = urljoin(self.url, location.strip())
        except ValueError as error:
            raise RequestRefused(self.first_url, Reason(FetchKind.REDIRECT_INVALID, detail=str(error))) from error
        if len(joined) > MAX_REDIRECT_CHARS:
            raise RequestRefused(self.first_url, Reason(FetchKind.REDIRECT_TOO_LONG, n=MAX_REDIRECT_CHARS))
        target, _ = _split_userinfo(_validate_url(joined, first_url=self.first_url))
        if target in self.seen:
            raise RequestRefused(self.first_url, Reason(FetchKind.REDIRECT_LOOP, url=target))
        if len(self.seen) > MAX_HOPS:
            raise RequestRefused(self.first_url, Reason(FetchKind.TOO_MANY_REDIRECTS, n=MAX_HOPS))
        is_same_host = may_forward_credentials(self.url, target)
        authorization, own_headers = (self.authorization, self.own_headers) if is_same_host else (None, ())
        seen = (*self.seen, target)
        chain = replace(self, url=target, authorization=authorization, own_headers=own_headers, seen=seen)
        if not (self.is_permanent and status in PERMANENT):
            return replace(chain, is_permanent=False)
        userinfo = _split_userinfo(self.first_url)[1] if authorization else ""
        return replace(chain, moved_to=target.replace("://", f"://{userinfo}@", 1) if userinfo else target)


def _validate_url(url: str, *, first_url: str) -> str:
    """Return `url` without its fragment. Errors: RequestRefused if it is no http(s) URL with a host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RequestRefused(first_url, Reason(FetchKind.INVALID_URL, detail=str(error))) from error
    if parts.scheme.lower() not in DEFAULT_PORTS:
        scheme = parts.scheme or "a URL without a scheme"
        raise RequestRefused(first_url, Reason(FetchKind.WRONG_SCHEME, scheme=scheme, url=url[:200]))
    if not parts.hostname or port == 0:
        raise RequestRefused(first_url, Reason(FetchKind.URL_WITHOUT_HOST, url=url[:200]))
    return url.partition("#")[0]


def split_target(url: str) -> tuple[str, str]:
    """Return the origin of a URL, and its path and query as given; only characters that HTTP forbids are escaped."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    slash, query = rest.find("/"), rest.find("?")
    end = min((at for at in (slash, query) if at >= 0), default=len(rest))
    target = rest[end:] if slash == end else "/" + rest[end:]
    if not (target.isascii() and target.isprintable() and " " not in target):
        target = quote(target, safe=PRINTABLE, errors="replace")
    return f"{scheme}://{rest[:end]}", target


def _split_userinfo(url: str) -> tuple[str, str]:
    """Return `url` without its `user:password@`, and that part."""
    netloc = urlsplit(url).netloc
    userinfo, at, place = netloc.rpartition("@")
    return url.replace(f"//{netloc}", f"//{place}", 1) if at else url, userinfo


def may_forward_credentials(url: str, target: str) -> bool:
    """Whether credentials for `url` may go to `target`: the same origin, or the same host stepping up to https."""
    here, there = _url_origin(url), _url_origin(target)
    return here == there or (here[1] == there[1] and here[::2] == ("http", 80) and there[::2] == ("https", 443))


def _url_origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or DEFAULT_PORTS[scheme]
