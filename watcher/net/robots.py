"""robots.txt (RFC 9309): what we may ask of a host's pages, and how slowly."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

MAX_BYTES = 500 * 1024  # RFC 9309 §2.5: at least 500 KiB are read
MAX_AGE_S = 24 * 3600.0  # RFC 9309 §2.4: not cached longer
LONGEST_DELAY_S = 300.0  # a longer crawl-delay means "hardly ever", not hours between two pages


def robots_url(url: str) -> str:
    """Return where the robots.txt for `url` lies: one for each scheme, host and port."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/robots.txt", "", ""))


class Robots:
    """The rules of one host for one crawler."""

    def __init__(
        self,
        may_ask: Callable[[str], bool],
        *,
        delay_s: float | None = None,
        why: str = "robots.txt forbids the page",
        is_passing: bool = False,
    ) -> None:
        self._may_ask = may_ask
        self.delay_s = delay_s  # between two requests; None: not said
        self.why = why
        self.is_passing = is_passing  # nobody knows the rules now, and everything waits until they can be had

    def allowed(self, url: str) -> bool:
        """Whether `url` may be asked for. robots.txt itself always may."""
        return urlsplit(url).path == "/robots.txt" or self._may_ask(url)

    @classmethod
    def from_answer(cls, status: int | None, body: bytes = b"", *, agent: str) -> Robots:
        """
        Return the rules that an answer for /robots.txt stands for.

        2xx: as written. 4xx, or a redirect that led nowhere: no rules. 429, 5xx, or no answer at all (None):
        everything is forbidden until it is asked again. Source: RFC 9309 §2.3.1.

        Args:
            agent: our product token, or the whole User-Agent that begins with it.
        """
        if status is None:
            return cls(lambda url: False, why="robots.txt cannot be reached", is_passing=True)
        if status == 429 or status >= 500:
            return cls(lambda url: False, why=f"robots.txt answered {status}", is_passing=True)
        if status >= 300:
            return cls(lambda url: True, why=f"robots.txt answered {status}")
        return cls.parse(body, agent=agent)

    @classmethod
    def parse(cls, body: bytes, *, agent: str) -> Robots:
        """Return the rules written in `body` for the product token of `agent`. What is not robots.txt has no rules."""
        token = agent.partition("/")[0].partition(" ")[0]
        text = body[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
        rules = Protego.parse(text)
        delay_s = rules.crawl_delay(token)
        if delay_s is not None:
            delay_s = min(max(float(delay_s), 0.0), LONGEST_DELAY_S)
        return cls(lambda url: bool(rules.can_fetch(url, token)), delay_s=delay_s)
