"""What a reader may cost, and what it may say of itself: on every host of the run."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import ClassVar

from tests.manners.case import (
    CONTACT,
    DEADLINE_S,
    HTML,
    MAX_BYTES,
    RSS,
    TIMEOUT_S,
    Case,
    Place,
    Run,
    article,
    feed,
    item,
    stubborn,
    too_few,
)
from tests.manners.publisher import Answer, Request

GRACE_S = 6.0  # to notice on both sides that a connection is gone
IN_FLIGHT_BYTES = 48 * MAX_BYTES  # Linux lets a receiver's buffer grow to 32 MiB and a sender's to 4, unread
UNWANTED = ("cookie", "referer", "range", "from", "cache-control", "pragma", "upgrade-insecure-requests")
COOKIE = "seen=1; Path=/; Max-Age=99999"
AGENT = re.compile(r"[\w.-]+/\d[\w.]* \(.*\)")


@cache
def bomb() -> bytes:
    """Return a few kB of gzip that are 64 MiB of spaces in a feed."""
    head = b'<?xml version="1.0"?><rss version="2.0"><channel><title>Bomb</title>'
    return gzip.compress(head + b" " * (64 * MAX_BYTES) + b"</channel></rss>", 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class GzipBomb(Case):
    """A body is measured as decoded; one that is too large is a failure, and its ETag is not kept."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return Answer(headers=(RSS, ("Content-Encoding", "gzip"), ("ETag", '"bomb"')), body=bomb())

    def judge(self, run: Run) -> str | None:
        if any(r.header("if-none-match") for r in run.feed):
            return "took it for a feed"
        return stubborn(run.feed)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyWithoutEnd(Case):
    """A body that does not end is cut, and is a failure like another."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return Answer(headers=(RSS, ("ETag", '"endless"')), body=b"<rss>", more=b" " * 65_536)

    def judge(self, run: Run) -> str | None:
        most = max((r.sent_bytes for r in run.feed), default=0)
        return f"took {most:,} bytes" if most > IN_FLIGHT_BYTES else stubborn(run.feed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowBody(Case):
    """A body that drips has a deadline as a whole, however lively each read is."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return Answer(headers=(RSS,), body=b"<rss>", more=b" ", pause_s=0.25)

    def judge(self, run: Run) -> str | None:
        held = [(r.answered_at or run.ended_at) - r.at for r in run.feed]
        if any(seconds > DEADLINE_S + GRACE_S for seconds in held):
            return f"held on for {[round(seconds, 1) for seconds in held]} s"
        return stubborn(run.feed, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneAtATime(Case):
    """No host has two requests to answer at once: here, with slow feeds and slow articles; and on every other."""

    feeds: ClassVar[tuple[str, ...]] = ("/feed.xml", "/b/feed.xml", "/c/feed.xml", "/d/feed.xml")

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        entries = [item(f"{place.home}/news{request.path}-{nth}-{n}.html") for n in range(2)]
        return replace(feed(place, entries, etag=f'"{nth}"'), delay_s=0.2)

    def page(self, request: Request, nth: int) -> Answer:
        return replace(article(request), delay_s=0.2)

    def judge(self, run: Run) -> str | None:
        by_host: dict[str, list[Request]] = defaultdict(list)
        for request in run.everything:
            by_host[request.host].append(request)
        for host, requests in by_host.items():
            for earlier, later in pairwise(requests):
                # On a busy machine the reader may have given up before the answer.
                is_waiting = later.at - earlier.at < TIMEOUT_S
                if is_waiting and (earlier.answered_at is None or later.at < earlier.answered_at):
                    return f"{later.path} was asked of {host} while {earlier.path} was being answered"
        return too_few(run.requests, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class OddUrl(Case):
    """A URL is asked for as it was given, to the last byte."""

    feeds: ClassVar[tuple[str, ...]] = ("/feed.xml?b=2&a=%7Ex&c=%20y&&q=<|>",)

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, etag=f'"{nth}"')

    def judge(self, run: Run) -> str | None:
        other = {r.target for r in run.requests if r.path != "/robots.txt"} - set(self.feeds)
        return f"asked for {other}" if other else too_few(run.feed, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAsks(Case):
    """On every host: a reader says who it is, keeps no cookie, and tells nothing else of its user."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, [item(f"{place.home}/news/{nth}.html")], etag=f'"{nth}"', Set_Cookie=COOKIE)

    def page(self, request: Request, nth: int) -> Answer:
        return replace(article(request), headers=(HTML, ("Set-Cookie", COOKIE)))

    def judge(self, run: Run) -> str | None:
        for request in run.everything:
            if request.method != "GET":
                return f"{request.method} {request.target}"
            if told := [name for name, _ in request.headers if name in UNWANTED]:
                return f"sent {told} with {request.target}"
            if "gzip" not in (request.header("accept-encoding") or ""):
                return f"does not take gzip for {request.target}"
        agents = {r.header("user-agent") or "" for r in run.everything}
        if len(agents) != 1 or not all(AGENT.fullmatch(agent) and CONTACT in agent for agent in agents):
            return f"called itself {agents}"
        return too_few(run.feed, 3) or too_few(run.requests, 7)


BOUNDS = (GzipBomb(), BodyWithoutEnd(), SlowBody(), OneAtATime(), OddUrl(), WhoAsks())
