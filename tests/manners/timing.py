"""When a reader may come back: what the answer, the feed and the host ask for, and what failures ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar

from tests.manners.case import EVERY_S, Case, Place, Run, article, feed, gaps, hurried, item, stubborn, too_few
from tests.manners.publisher import Answer, Request

HOLD_S = 5.0
ACROSS_RESTART_S = 14.0


def this_hour_and_the_next() -> str:
    """Return a skipHours that forbids the next hours, whatever the time of day."""
    now = datetime.now(UTC)
    hours = "".join(f"<hour>{(now + timedelta(hours=n)).hour}</hour>" for n in range(3))
    return f"<skipHours>{hours}</skipHours>"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthyFeed(Case):
    """A feed that asks for nothing is polled at the reader's interval, and not faster."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, etag='"1"') if nth == 0 else Answer(status=304)

    def judge(self, run: Run) -> str | None:
        return hurried(run.feed, EVERY_S) or too_few(run.feed, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxAge(Case):
    """An answer says how long it stays fresh."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, etag=f'"{nth}"', Cache_Control="public, max-age=6")

    def judge(self, run: Run) -> str | None:
        return hurried(run.feed, 6.0) or too_few(run.feed, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxAgeRenewedBy304(Case):
    """A 304 without a Cache-Control of its own renews the one of the answer that it is about (RFC 9111 §4.3.4)."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, etag='"1"', Cache_Control="max-age=4") if nth == 0 else Answer(status=304)

    def judge(self, run: Run) -> str | None:
        return hurried(run.feed, 4.0) or too_few(run.feed, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ttl(Case):
    """A feed says for how many minutes it stays as it is, and a 304 does not take that back."""

    due_at_restart: ClassVar[bool] = True

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, etag='"1"', more="<ttl>1</ttl>") if nth == 0 else Answer(status=304)

    def judge(self, run: Run) -> str | None:
        return only_when_made_due(run)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipHours(Case):
    """A feed says in which hours nobody need come, and a 304 does not take that back."""

    due_at_restart: ClassVar[bool] = True

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, etag='"1"', more=this_hour_and_the_next()) if nth == 0 else Answer(status=304)

    def judge(self, run: Run) -> str | None:
        return only_when_made_due(run)


def only_when_made_due(run: Run) -> str | None:
    """Return a complaint unless the feed was asked for once, and once more when somebody made it due."""
    if len(run.feed) > 2:
        return f"came again before the time that the feed asked for: after {gaps(run.feed)} s"
    return too_few(run.feed, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfterOfAFeed(Case):
    """Retry-After holds the host as a whole: its other feed and its articles too."""

    feeds: ClassVar[tuple[str, ...]] = ("/feed.xml", "/busy.xml")
    status: int
    as_date: bool = False

    @property
    def name(self) -> str:
        return f"retry after {self.status}, {'a date' if self.as_date else 'seconds'}"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if request.path == "/busy.xml" and nth == 0:
            return Answer(status=self.status, headers=(("Retry-After", self.wait()),), body=b"busy")
        return feed(place, [item(f"{place.home}/news/{n}.html") for n in range(2)], etag=f'"{nth}"')

    def wait(self) -> str:
        if not self.as_date:
            return str(int(HOLD_S))
        return format_datetime(datetime.now(UTC) + timedelta(seconds=HOLD_S + 1), usegmt=True)

    def judge(self, run: Run) -> str | None:
        busy = run.at("/busy.xml")
        return too_few(busy, 2) or disturbed(run, busy[0]) or too_few(run.at("/news/0.html"), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfterOfAnArticle(Case):
    """Retry-After on an article's page holds the feed as well."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, [item(f"{place.home}/news/busy.html")], etag=f'"{nth}"')

    def page(self, request: Request, nth: int) -> Answer:
        if nth == 0:
            return Answer(status=503, headers=(("Retry-After", str(int(HOLD_S))),), body=b"busy")
        return article(request)

    def judge(self, run: Run) -> str | None:
        busy = run.at("/news/busy.html")
        return too_few(busy, 1) or disturbed(run, busy[0]) or too_few(run.feed, 2)


def disturbed(run: Run, asked_to_wait: Request) -> str | None:
    """Return a complaint if anything was asked of the host while it wished to be left alone."""
    since = [round(r.at - asked_to_wait.at, 1) for r in run.requests if r.at > asked_to_wait.at]
    return f"asked for more after {since[0]} s, not {HOLD_S:g}" if since and since[0] < HOLD_S else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing(Case):
    """Who gets errors comes less and less often, also over a restart."""

    status: int

    @property
    def name(self) -> str:
        return f"always {self.status}"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return Answer(status=self.status, headers=(("Content-Type", "text/plain"),), body=b"no")

    def judge(self, run: Run) -> str | None:
        return stubborn(run.feed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone(Case):
    """410 means that nobody need come again."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return Answer(status=410)

    def judge(self, run: Run) -> str | None:
        return f"asked {len(run.feed)} times" if len(run.feed) > 1 else too_few(run.feed, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart(Case):
    """A reader that is restarted still knows what it has, and when it may come again."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        return feed(place, etag='"kept"', Cache_Control=f"max-age={ACROSS_RESTART_S:.0f}")

    def judge(self, run: Run) -> str | None:
        before = [r for r in run.feed if r.at < run.restarted_at]
        after = [r for r in run.feed if r.at >= run.restarted_at]
        if few := too_few(before, 1) or too_few(after, 1):
            return few
        if after[0].header("if-none-match") != '"kept"':
            return f"the first request after the restart carries {after[0].header('if-none-match')}"
        return hurried(run.feed, ACROSS_RESTART_S)


TIMING = (
    HealthyFeed(),
    MaxAge(),
    MaxAgeRenewedBy304(),
    Ttl(),
    SkipHours(),
    RetryAfterOfAFeed(status=429),
    RetryAfterOfAFeed(status=503),
    RetryAfterOfAFeed(status=503, as_date=True),
    RetryAfterOfAnArticle(),
    Failing(status=500),
    Failing(status=404),
    Failing(status=403),
    Gone(),
    Restart(),
)
