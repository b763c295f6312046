"""robots.txt (RFC 9309): which pages of a host may be fetched, and with what delay."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from watcher.failure_messages import FetchKind, Reason

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309 §2.5: at least 500 KiB are read
MAX_AGE_S = 24 * 3600.0  # RFC 9309 §2.4: not cached longer
LONGEST_DELAY_S = 300.0  # a longer crawl-delay means "hardly ever", not hours between two pages
NO_ANSWER, UNREADABLE = 0, -1  # instead of a status: no answer; an answer that cannot be parsed within our limits
AGENT, ALLOW, DISALLOW, CRAWL_DELAY = "user-agent", "allow", "disallow", "crawl-delay"
SITEWIDE, OTHER = "of the whole site", "other"  # a line outside all groups; a line that we do not need
# All spellings of fields that protego knows.
FIELD_SPELLINGS = (
    dict.fromkeys((AGENT, "useragent", "user agent"), AGENT)
    | dict.fromkeys((DISALLOW, "dissallow", "dissalow", "disalow", "diasllow", "disallaw"), DISALLOW)
    | {ALLOW: ALLOW}
    | dict.fromkeys((CRAWL_DELAY, "crawl delay"), CRAWL_DELAY)
    | dict.fromkeys(("sitemap", "sitemaps", "site-map", "host"), SITEWIDE)
    | dict.fromkeys(("request-rate", "request rate", "visit-time", "visit time"), OTHER)
)
RULE_FIELDS = (ALLOW, DISALLOW, CRAWL_DELAY)
FORBIDDEN = Reason(FetchKind.ROBOTS_FORBID)
PRODUCT = re.compile(r"[a-z_-]+")  # of a User-agent line in lower case (RFC 9309 §2.2.1)
EVERYBODY = 1  # match length of "*": less than that of any name


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsVerdict:
    """What a host's robots.txt, or the failure to fetch it, means for some pages."""

    allowed: frozenset[str] = frozenset()  # URLs
    delay_s: float | None = None  # between two requests; None if not given
    reason: Reason = FORBIDDEN  # why the other pages are not allowed
    is_transient: bool = False  # the rules cannot be fetched now: all pages wait


def robots_url(url: str) -> str:
    """Return the URL of the robots.txt for `url`, without credentials."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/robots.txt", "", ""))


def evaluate(status: int, rules: str, urls: Sequence[str]) -> RobotsVerdict:
    """Return what a response for /robots.txt says of `urls` (RFC 9309 §2.3.1). It may take seconds, so use a worker."""
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
    Return the rules of the group in `body` that applies to `agent`, one per line, without duplicates.

    Groups and lines are parsed as protego does. Protego itself gets only the result: it adds each rule of a group to
    each of its agents, so that a group of 65 kB with 3,000 agents took 12 s and 700 MiB.
    """
    token = agent.partition("/")[0].partition(" ")[0].lower()
    lines = body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    if len(body) > MAX_ROBOTS_BYTES:  # the last line is cut
        del lines[-1:]
    rules: dict[str, None] = {}
    closest = ours = 0  # match lengths of the best group so far, and of the current one
    is_open = False  # the line before named an agent: another agent belongs to the same group
    for line in lines:
        field, value = _split_line(line.partition("#")[0].strip())
        if field == AGENT:
            ours = max(ours if is_open else 0, _agent_match_length(value.lower(), token))
            is_open = True
            if ours > closest:  # the rules so far are for others
                closest = ours
                rules.clear()
        elif field and field != SITEWIDE:
            is_open = False
            if field in RULE_FIELDS and value and ours and ours == closest:
                rule = f"{field}:{value}"
                rules.pop(rule, None)  # of two crawl-delays the last one counts
                rules[rule] = None
    return "\n".join(rules)


def _split_line(line: str) -> tuple[str, str]:
    """Return the field ("" for none) and the value of a line without its comment, as protego reads it."""
    name, colon, rest = line.partition(":")
    if colon:
        field = FIELD_SPELLINGS.get(name.strip().lower())
        if field or not rest or rest[0].isspace():
            return field or OTHER, rest.strip()
    words = line.split()
    for count in (1, 2):  # "Disallow /x", "User agent x", and "Sitemap https://..."
        if field := FIELD_SPELLINGS.get(" ".join(words[:count]).lower()):
            return field, " ".join(words[count:])
    return (OTHER if colon else ""), ""


def _agent_match_length(name: str, token: str) -> int:
    """Return how specifically the name in a User-agent line matches our product token; 0 if it does not match."""
    # The beginning of our token matches, as in protego; so does the token before a version or more words
    # ("Watcher/1.0", "Watcher bot"), as Google does it.
    if name == "*":
        return EVERYBODY
    product = PRODUCT.match(name)
    names = (name, name.replace("*", ""), token if product and product[0] == token else "")
    return max((EVERYBODY + len(name) for name in names if name and token.startswith(name)), default=0)
