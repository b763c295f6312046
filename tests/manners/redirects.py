"""Redirects: what is remembered, what is refused, and what another host must not see."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import ClassVar

from tests.manners.case import CANARY, HTML, LOCAL, Case, Place, Run, feed, stubborn, too_few
from tests.manners.publisher import Answer, Request

TRUSTED_AFTER = 2  # polls through a permanent redirect whose target parsed as a feed
MOST_HOPS = 10


def to(url: str, status: int = 302) -> Answer:
    """Return a redirect."""
    return Answer(status=status, headers=(("Location", url),))


def is_second(place: Place, request: Request) -> bool:
    """Whether a request came to the case's second address."""
    return request.host == place.address(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedForGood(Case):
    """A permanent redirect is remembered, once its target has proved to be a feed twice."""

    status: int

    @property
    def name(self) -> str:
        return f"moved for good by {self.status}"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if is_second(place, request):
            return feed(place, etag=f'"{nth}"')
        return to(f"{place.other}/feed.xml", self.status)

    def judge(self, run: Run) -> str | None:
        old, new = run.feed, run.at("/feed.xml", 2)
        if len(old) > TRUSTED_AFTER:
            return f"still asks the old address: {len(old)} times"
        if few := too_few(new, TRUSTED_AFTER + 1):
            return few
        return None if len(old) == TRUSTED_AFTER else f"trusted the new address after {len(old)} answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedForNow(Case):
    """A temporary redirect is followed, and never remembered."""

    status: int

    @property
    def name(self) -> str:
        return f"moved for now by {self.status}"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if is_second(place, request):
            return feed(place, etag=f'"{nth}"')
        return to(f"{place.other}/feed.xml", self.status)

    def judge(self, run: Run) -> str | None:
        return never_remembered(run, TRUSTED_AFTER + 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedForGoodToAPage(Case):
    """A permanent redirect to a page is a lapsed domain; the feed may come back where it was."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if is_second(place, request):
            return Answer(headers=(HTML,), body=b"<html><body><h1>This domain is for sale</h1></body></html>")
        return to(f"{place.other}/feed.xml", 301)

    def judge(self, run: Run) -> str | None:
        return never_remembered(run, TRUSTED_AFTER + 1)


def never_remembered(run: Run, needed: int) -> str | None:
    """Return a complaint if the second address was asked without the first."""
    old, new = run.feed, run.at("/feed.xml", 2)
    if len(new) > len(old):
        return f"remembered the new address: asked {len(new)} times, the old one {len(old)}"
    return too_few(new, needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectsInACircle(Case):
    """A circle is left at once, and is a failure like another."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return to(f"{place.home if is_second(place, request) else place.other}/feed.xml")

    def judge(self, run: Run) -> str | None:
        here, there = run.feed, run.at("/feed.xml", 2)
        return stubborn(here) or (f"went round: {len(there)} times for {len(here)}" if len(there) > len(here) else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectsWithoutEnd(Case):
    """A chain of redirects is given up after a few, and is a failure like another."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        hop = 0 if request.path == "/feed.xml" else int(request.path.removeprefix("/hop/"))
        return to(f"{place.home}/hop/{hop + 1}")

    def judge(self, run: Run) -> str | None:
        longest = max((int(r.path.removeprefix("/hop/")) for r in run.requests if r.path != "/feed.xml"), default=0)
        return stubborn(run.feed) or (f"followed {longest} redirects" if longest > MOST_HOPS else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials(Case):
    """Name and password are for the host they were given for."""

    credentials: ClassVar[str] = "ann:s3cret"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if is_second(place, request):
            return feed(place, etag=f'"{nth}"')
        return to(f"{place.other}/feed.xml")

    def judge(self, run: Run) -> str | None:
        right = f"Basic {base64.b64encode(self.credentials.encode()).decode()}"
        if any(r.header("authorization") != right for r in run.feed):
            return f"did not send the credentials: {[r.header('authorization') for r in run.feed]}"
        there = run.at("/feed.xml", 2)
        if any(r.header("authorization") or "@" in (r.header("host") or "") for r in there):
            return "sent them to another host"
        return too_few(there, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectInside(Case):
    """A redirect must not open the reader's own network."""

    host: str
    spelling: str

    @property
    def name(self) -> str:
        return f"redirect inside, to {self.spelling}"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if request.host == self.host:
            return feed(place)
        return to(place.forbidden(self.spelling))

    def judge(self, run: Run) -> str | None:
        inside = [r for r in run.requests if r.host == self.host]
        return f"went there {len(inside)} times" if inside else stubborn(run.feed, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectToAFile(Case):
    """A redirect to a file is refused, and is a failure like another."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return to("file:///etc/hostname")

    def judge(self, run: Run) -> str | None:
        return stubborn(run.feed)


REDIRECTS = (
    MovedForGood(status=301),
    MovedForGood(status=308),
    MovedForNow(status=302),
    MovedForNow(status=307),
    MovedForGoodToAPage(),
    RedirectsInACircle(),
    RedirectsWithoutEnd(),
    Credentials(),
    RedirectInside(host=CANARY, spelling=CANARY),
    RedirectInside(host=LOCAL, spelling="localhost"),
    RedirectInside(host=LOCAL, spelling="[::ffff:7f00:1]"),
    RedirectToAFile(),
)
