"""robots.txt (RFC 9309): what we may ask of a host's pages, and how slowly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from watcher.failure_reasons import FetchKind, Reason

MAX_BYTES = 500 * 1024  # RFC 9309 §2.5: at least 500 KiB are read
MAX_AGE_S = 24 * 3600.0  # RFC 9309 §2.4: not cached longer
LONGEST_DELAY_S = 300.0  # a longer crawl-delay means "hardly ever", not hours between two pages
NO_ANSWER, UNREADABLE = 0, -1  # in the place of a status: nothing came; what came cannot be parsed within our limits
AGENT, ALLOW, DISALLOW, CRAWL_DELAY = "user-agent", "allow", "disallow", "crawl-delay"
SITEWIDE, OTHER = "of the whole site", "other"  # a line that belongs to no group; one that we do not need
# Every spelling that protego knows, by the field that it stands for.
FIELDS = (
    dict.fromkeys((AGENT, "useragent", "user agent"), AGENT)
    | dict.fromkeys((DISALLOW, "dissallow", "dissalow", "disalow", "diasllow", "disallaw"), DISALLOW)
    | {ALLOW: ALLOW}
    | dict.fromkeys((CRAWL_DELAY, "crawl delay"), CRAWL_DELAY)
    | dict.fromkeys(("sitemap", "sitemaps", "site-map", "host"), SITEWIDE)
    | dict.fromkeys(("request-rate", "request rate", "visit-time", "visit time"), OTHER)
)
RULES = (ALLOW, DISALLOW, CRAWL_DELAY)
FORBIDDEN = Reason(FetchKind.ROBOTS_FORBID)
PRODUCT = re.compile(r"[a-z_-]+")  # of a User-agent line in lower case (RFC 9309 §2.2.1)
EVERYBODY = 1  # how close "*" is to us: less than any name


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsVerdict:
    """What a host's robots.txt, or what came in its place, says of some pages."""

    allowed: frozenset[str] = frozenset()  # URLs
    delay_s: float | None = None  # between two requests; None: not said
    reason: Reason = FORBIDDEN  # of those that are not allowed
    is_transient: bool = False  # nobody knows the rules now, and everything waits until they can be had


def robots_url(url: str) -> str:
    """Return where the robots.txt for `url` lies: one for each scheme, host and port."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/robots.txt", "", ""))


def evaluate(status: int, rules: str, urls: Sequence[str]) -> RobotsVerdict:
    """
    Return what an answer for /robots.txt says of `urls`. Source: RFC 9309 §2.3.1.

    `status` is HTTP's, or `NO_ANSWER`, or `UNREADABLE`. The rules may take seconds: others wrote them, and the URLs.
    """
    if status in (NO_ANSWER, UNREADABLE):
        kind = FetchKind.ROBOTS_UNREACHABLE if status == NO_ANSWER else FetchKind.ROBOTS_UNREADABLE
        return RobotsVerdict(reason=Reason(kind), is_transient=True)
    if status == 429 or status >= 500:
        return RobotsVerdict(reason=Reason(FetchKind.ROBOTS_STATUS, status=status), is_transient=True)
    if not rules or status >= 300:
        return RobotsVerdict(allowed=frozenset(urls))
    parsed = Protego.parse(f"{AGENT}:*\n{rules}")
    delay_s = parsed.crawl_delay("*")
    if delay_s is not None:
        delay_s = min(max(float(delay_s), 0.0), LONGEST_DELAY_S)
    return RobotsVerdict(allowed=frozenset(url for url in urls if parsed.can_fetch(url, "*")), delay_s=delay_s)


def extract_rules(body: bytes, agent: str) -> str:
    """
    Return the rules of the group in `body` that is for `agent`, one a line, none twice.

    Groups and lines are told apart as protego does it. Protego itself reads only what comes out here: it adds each
    rule of a group to each agent of it, so that 65 kB of a group with 3,000 agents took 12 s and 700 MiB.
    """
    token = agent.partition("/")[0].partition(" ")[0].lower()
    lines = body[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    if len(body) > MAX_BYTES:  # the last line is cut
        del lines[-1:]
    rules: dict[str, None] = {}
    closest = ours = 0  # how close to us the closest group so far is, and the one that is read
    is_open = False  # the line before named an agent: the next one is of the same group
    for line in lines:
        field, value = split_line(line.partition("#")[0].strip())
        if field == AGENT:
            ours = max(ours if is_open else 0, agent_match_length(value.lower(), token))
            is_open = True
            if ours > closest:  # what was kept is for others
                closest = ours
                rules.clear()
        elif field and field != SITEWIDE:
            is_open = False
            if field in RULES and value and ours and ours == closest:
                rule = f"{field}:{value}"
                rules.pop(rule, None)  # of two crawl-delays the last one counts
                rules[rule] = None
    return "\n".join(rules)


def split_line(line: str) -> tuple[str, str]:
    """Return which field a line without its comment has, "" for none, and its value; as protego reads it."""
    name, colon, rest = line.partition(":")
    if colon:
        field = FIELDS.get(name.strip().lower())
        if field or not rest or rest[0].isspace():
            return field or OTHER, rest.strip()
    words = line.split()
    for count in (1, 2):  # "Disallow /x", "User agent x", and "Sitemap https://..."
        if field := FIELDS.get(" ".join(words[:count]).lower()):
            return field, " ".join(words[count:])
    return (OTHER if colon else ""), ""


def agent_match_length(name: str, token: str) -> int:
    """Return how close to our product token the name of a User-agent line is; 0: another's."""
    # The beginning of a token stands for it, as protego has it, and so does the token before a version or more words
    # ("Watcher/1.0", "Watcher bot"), as Google has it.
    if name == "*":
        return EVERYBODY
    product = PRODUCT.match(name)
    names = (name, name.replace("*", ""), token if product and product[0] == token else "")
    return max((EVERYBODY + len(each) for each in names if each and token.startswith(each)), default=0)
