"""URLs: normal form, article ids, hosts, and removal of secrets."""

import hashlib
import posixpath
import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

TRACKING_PARAMETERS = frozenset(
    "fbclid gclid dclid msclkid yclid igshid mc_cid mc_eid ocid cmpid cmp ncid sref ref_src smid "
    "xtor at_medium at_campaign at_custom1 at_custom2 at_custom3 at_custom4 wt_mc srnd taid spm "
    "guccounter traffic_source".split()
)
TRACKING_PREFIXES = ("utm_", "pk_", "mtm_", "hsa_", "_hs")
DEFAULT_PORTS = {"http": 80, "https": 443}
MAIL_PORTS = {"imap": 143, "imaps": 993}
UNRESERVED = "!$&'()*+,;=:@~-._/"
# Database URLs are excluded: their password may be a reference, see `settings.models.hide_password`.
# "USER@HOST/" in a message is an example, "***@" is hidden already.
USERINFO = re.compile(
    r"\b(?!postgres|sqlite)([a-z][a-z0-9+.-]{0,15}://)(?!USER@HOST/|\*\*\*@[^/?#\s@]*+(?!@))[^/?#\s]*@", re.IGNORECASE
)
# A parameter of a query or a fragment, by the end of its name: "key", "apikey", "access_token", "X-Amz-Signature".
SECRET_PARAMETER = re.compile(
    r"(?<=[?&;#])((?:[\w.~%\[\]-]{0,60}(?:key|token|secret|passwd|password|passphrase|pwd|auth|signature|credentials?"
    r"|session|session_?id)|sig|pass|pw|sid|jwt|hmac)(?:\[\]|%5B%5D)?)=[^&#\s\"<>]*+",
    re.IGNORECASE,
)
# Nearly all URLs are this simple, and these patterns take a fifth of the time of `urlsplit`.
PLACE = r"(https?)://([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}))?"
PLAIN_URL = re.compile(PLACE + r"(?=[/?#]|$)")
PLAIN_PAGE = re.compile(PLACE + r"(/[A-Za-z0-9_.~/-]*)?(?:#[!-~]*)?", re.ASCII)
# Platforms: each subdomain is another user's site, and one company's servers serve all of them.
SHARED_HOSTS = frozenset(
    "blogspot.com wordpress.com substack.com medium.com tumblr.com livejournal.com typepad.com over-blog.com ghost.io "
    "hatenablog.com canalblog.com beehiiv.com weebly.com wixsite.com squarespace.com github.io gitlab.io netlify.app "
    "vercel.app pages.dev web.app herokuapp.com libsyn.com podbean.com simplecast.com bearblog.dev micro.blog write.as "
    "neocities.org".split()
)
# Platforms whose hosts say nothing of who publishes there: the path names the channel, or the link leads elsewhere.
CHANNEL_HOSTS = frozenset(
    "youtube.com youtu.be vimeo.com dailymotion.com rumble.com odysee.com tiktok.com soundcloud.com podcasts.apple.com "
    "open.spotify.com reddit.com redd.it facebook.com fb.com instagram.com threads.net x.com twitter.com t.co bsky.app "
    "linkedin.com t.me telegra.ph patreon.com flipboard.com apple.news github.com news.google.com groups.google.com "
    "docs.google.com sites.google.com feedproxy.google.com feedburner.com feedblitz.com ampproject.org archive.org "
    "archive.is archive.ph archive.today rsshub.app rss.app".split()
)
# Labels before a country code under which names are registered: "example.co.uk". The public suffix list has others,
# such as those of towns; their sites are told apart only as far as each is a source.
SECOND_LEVEL = frozenset("ac co com edu go gob gouv gov govt gv ltd mil ne net nic nom or org plc sch".split())
IP_ADDRESS = re.compile(r"[\d.]+|\[[^\[\]]*\]")  # of IPv4, or of IPv6
PORT_SUFFIX = re.compile(r":[0-9]+$")


def is_web(url: str | None) -> bool:
    """Whether `url` is an absolute http or https URL with a host."""
    if not url:
        return False
    if PLAIN_PAGE.fullmatch(url) is not None:  # nearly all URLs, at a tenth of the cost
        return True
    try:
        parts = urlsplit(url)
        return parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_mail(url: str) -> bool:
    """Whether `url` is that of a mail folder, as the settings have it."""
    return url.startswith(("maildir:", "imap:", "imaps:"))


def mail_senders(url: str) -> tuple[str, ...]:
    """Return the addresses and domains ("@example.org") whose mails the source at `url` takes; empty for all."""
    return tuple(value.lower() for value in parse_qs(urlsplit(url).query.replace("+", "%2B")).get("from", ()))


def outlet_host(url: str) -> str:
    """Return the host in the URL of a source; for a mail folder, the domain of its first sender, "" without one."""
    parts = urlsplit(url)
    host = parts.query.partition("@")[2].partition("&")[0] if is_mail(url) else parts.hostname
    return (host or "").lower()


@lru_cache(maxsize=2048)  # a poll normalizes the URLs of its entries several times
def normalize_url(url: str) -> str:
    """
    Return the normal form of `url`, so that URLs of one page compare equal, or addresses of one maildir.

    The scheme becomes https, the host lower-case IDNA; default port, fragment and tracking parameters are removed; the
    other parameters keep their order; percent-encoding is uniform. Idempotent. An invalid URL is returned unchanged.
    Use the result only to compare: feeds and pages are requested with the URL as given.
    """
    if (plain := PLAIN_PAGE.fullmatch(url)) is not None:
        _, host, port, path = plain.groups()
        return f"https://{host}{'' if port in (None, '80', '443') else f':{port}'}{path or '/'}"
    return _normalize_parts(url)


def _normalize_parts(url: str) -> str:
    """Return the form of a URL under which it is compared: https, without tracking parameters and default port."""
    if url.startswith("maildir:"):
        path, mark, senders = url.removeprefix("maildir:").removeprefix("//").partition("?")
        return f"maildir:{posixpath.normpath(unquote(path))}{mark}{senders}"
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    if parts.scheme not in DEFAULT_PORTS or not host:
        return url
    if not host.isascii():
        with suppress(UnicodeError):
            host = host.encode("idna").decode("ascii")
    netloc = f"[{host}]" if ":" in host else host.rstrip(".")
    if port is not None and port not in DEFAULT_PORTS.values():
        netloc = f"{netloc}:{port}"
    pairs = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _is_tracking(k)]
    path = quote(unquote(parts.path, errors="surrogateescape"), safe=UNRESERVED, errors="surrogateescape") or "/"
    return urlunsplit(("https", netloc, path, urlencode(pairs, errors="surrogatepass"), ""))


def _is_tracking(name: str) -> bool:
    """Whether a query parameter is for tracking and does not select the page."""
    low = name.lower()
    return low in TRACKING_PARAMETERS or low.startswith(TRACKING_PREFIXES)


def article_id(identity: str) -> str:
    """Return the id of an article, 16 hex digits; `identity` is `normalize_url(url)`, or feed URL and GUID."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def host_of(url: str) -> str:
    """Return the host of `url`, with the port if it is not the default; "" if the URL is invalid."""
    if (plain := PLAIN_URL.match(url)) is not None:
        scheme, host, port = plain.groups()
        return host if port is None or int(port) == DEFAULT_PORTS[scheme] else f"{host}:{port}"
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if ":" in host:
        host = f"[{host}]"
    return host if port is None or port == DEFAULT_PORTS.get(parts.scheme) else f"{host}:{port}"


def site_of(host: str) -> str:
    """
    Return the domain of a host that somebody has registered ("bbc.co.uk" for "news.bbc.co.uk").

    On a platform it is the user's subdomain. An IP address, and a name without a dot, stay as they are, with the port.
    """
    name = host.partition(":")[0]
    labels = name.removeprefix("www.").split(".")
    if len(labels) < 2 or IP_ADDRESS.fullmatch(name) or host.startswith("["):
        return host
    is_deep = ".".join(labels[-2:]) in SHARED_HOSTS or (len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL)
    return ".".join(labels[-3:] if is_deep else labels[-2:])


def is_channel_host(host: str) -> bool:
    """Whether a host is that of a platform as a whole, so that it does not say who publishes there."""
    labels = host.partition(":")[0].removeprefix("www.").split(".")
    above = {".".join(labels[n:]) for n in range(len(labels))}
    return not above.isdisjoint(CHANNEL_HOSTS) or ".".join(labels) in SHARED_HOSTS


def hide_secrets(text: str, userinfo: str = "") -> str:
    """
    Return a URL or any text with URLs without its secrets: keys become `key=***`, `user:password@` is `userinfo`.

    Applied to the URL of each source and to each request error before it is stored, logged or shown; not to the links
    that a feed publishes.
    """
    if "://" in text:
        text = USERINFO.sub(rf"\1{userinfo}", text)
    return SECRET_PARAMETER.sub(r"\1=***", text) if "=" in text else text


def host_key(url: str) -> str:
    """Return the host by which requests are limited; for a site on a shared platform, the domain of the platform."""
    host = host_of(url)
    platform = ".".join(host.split(".")[-2:])
    return platform if platform in SHARED_HOSTS else host


def registrable_domain(url: str) -> str:
    """
    Return the domain that the owner of a URL's host has registered: "bbc.co.uk" for news.bbc.co.uk.

    For an address that is the address, for a site on a shared platform the domain of the platform. There is no list of
    all public suffixes here: those of two labels are recognized by the first one.
    """
    host = PORT_SUFFIX.sub("", host_key(url))
    labels = host.split(".")
    if host.startswith("[") or labels[-1].isdigit():
        return host
    return ".".join(labels[-3 if len(labels[-1]) == 2 and labels[-2:-1] and labels[-2] in SECOND_LEVEL else -2 :])
