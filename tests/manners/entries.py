"""Which articles a reader asks for: each once, few at first, and none that robots.txt forbids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.manners.case import Case, Place, Run, feed, item, too_few
from tests.manners.publisher import Answer, Request

AT_FIRST = 20  # entries of a first poll


def once(run: Run, wanted: int, polls: int = 3) -> str | None:
    """Return a complaint unless `wanted` articles were asked for once each, over some polls."""
    again = {path: n for path, n in Counter(run.articles).items() if n > 1}
    if again or len(run.articles) > wanted:
        return f"asked for {len(run.articles)} articles, not {wanted}; more than once: {again}"
    return too_few(run.feed, polls) or too_few([r for r in run.requests if r.path in run.articles], wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWithTracking(Case):
    """One GUID whose link is marked anew in each answer is one article."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        link = f"{place.home}/news/1.html?utm_source=feed&amp;utm_content={nth}"
        return feed(place, [item(link, guid="story-1")], etag=f'"{nth}"')

    def judge(self, run: Run) -> str | None:
        return once(run, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodOfGuids(Case):
    """New GUIDs over known links are no news: a publisher changed its software."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        entries = [item(f"{place.home}/news/{n}.html", guid=f"{nth}-{n}") for n in range(5)]
        return feed(place, entries, etag=f'"{nth}"')

    def judge(self, run: Run) -> str | None:
        return once(run, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShorterThenLonger(Case):
    """A feed that is short for once has deleted nothing, and brings nothing new when it is whole again."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        shown = range(1) if nth % 2 else range(4)
        entries = [item(f"{place.home}/news/{n}.html") for n in shown]
        return feed(place, entries[::-1] if nth % 4 else entries, etag=f'"{nth}"')

    def judge(self, run: Run) -> str | None:
        return once(run, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPoll(Case):
    """A reader that comes for the first time takes the newest entries, and not the archive."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        oldest_first = [item(f"{place.home}/news/{hours}.html", hours_old=hours) for hours in range(40, 0, -1)]
        return feed(place, oldest_first, etag=f'"{nth}"')

    def judge(self, run: Run) -> str | None:
        old = [path for path in run.articles if int(path.removeprefix("/news/").removesuffix(".html")) > AT_FIRST]
        return f"asked for old entries: {old}" if old else once(run, AT_FIRST)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsTxt(Case):
    """robots.txt is asked for once, and what it forbids is not asked for."""

    status: int
    body: bytes = b""

    @property
    def name(self) -> str:
        return f"robots.txt with {self.status}"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, [item(f"{place.home}/news/{nth}.html")], etag=f'"{nth}"')

    def robots(self) -> Answer:
        return Answer(status=self.status, headers=(("Content-Type", "text/plain"),), body=self.body)

    def judge(self, run: Run) -> str | None:
        if run.articles:
            return f"asked for {run.articles}"
        rules = run.at("/robots.txt")
        return f"asked {len(rules)} times for robots.txt" if len(rules) > 1 else too_few([*rules, *run.feed], 4)


ENTRIES = (
    LinkWithTracking(),
    FloodOfGuids(),
    ShorterThenLonger(),
    FirstPoll(),
    RobotsTxt(status=200, body=b"User-agent: *\nDisallow: /news/\n"),
    RobotsTxt(status=500),
)
