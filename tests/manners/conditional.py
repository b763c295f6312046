"""Conditional requests: validators are opaque, echoed byte for byte, and only a good answer changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.manners.case import HTML, Case, Place, Run, feed, item, too_few
from tests.manners.publisher import Answer, Request

FIRST_DATE = "Tue, 24 Nov 2026 06:00:00 GMT"
WALL = (
    b"<!doctype html><html><head><title>Just a moment...</title></head>"
    b'<body>Please enable scripts. <a href="/news/trap.html">Go on</a></body></html>'
)


def validators(request: Request) -> tuple[str | None, str | None]:
    """Return the ETag and the date that a request sends back."""
    return request.header("if-none-match"), request.header("if-modified-since")


def echoed(requests: Sequence[Request], wanted: Sequence[tuple[str | None, str | None]]) -> str | None:
    """Return a complaint unless the requests carry `wanted`, one after the other, and its last from there on."""
    for n, request in enumerate(requests):
        right = wanted[min(n, len(wanted) - 1)]
        if validators(request) != right:
            return f"request {n + 1} carries {validators(request)}, not {right}"
    return too_few(requests, len(wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(Case):
    """Validators come back as they were given."""

    about: str
    etag: str | None = None
    last_modified: str | None = None

    @property
    def name(self) -> str:
        return f"echo of {self.about}"

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if (self.etag or self.last_modified) and validators(request) == (self.etag, self.last_modified):
            return Answer(status=304)
        headers = {"Last_Modified": self.last_modified} if self.last_modified else {}
        return feed(place, [item(f"{place.home}/news/1.html")], etag=self.etag or "", **headers)

    def judge(self, run: Run) -> str | None:
        return echoed(run.feed, [(None, None), *2 * [(self.etag, self.last_modified)]])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestValidators(Case):
    """The newest ETag is the one to send, and a date that is no longer given is forgotten."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        headers = {"Last_Modified": FIRST_DATE} if nth == 0 else {}
        return feed(place, etag=f'"edition {nth}"', **headers)

    def judge(self, run: Run) -> str | None:
        later = [(f'"edition {n}"', FIRST_DATE if n == 0 else None) for n in range(len(run.feed) - 1)]
        return too_few(run.feed, 3) or echoed(run.feed, [(None, None), *later])


@dataclass(frozen=True, slots=True, kw_only=True)
class EtagRenewedBy304(Case):
    """A 304 may carry a new ETag; what it does not repeat stays (RFC 9111 §4.3.4)."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if nth == 0:
            return feed(place, etag='"old"', Last_Modified=FIRST_DATE)
        return Answer(status=304, headers=(("ETag", '"new"'),) if nth == 1 else ())

    def judge(self, run: Run) -> str | None:
        return echoed(run.feed, [(None, None), ('"old"', FIRST_DATE), ('"new"', FIRST_DATE)])


@dataclass(frozen=True, slots=True, kw_only=True)
class CutBody(Case):
    """A body that was cut is no answer: its ETag would hide the rest for ever."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if nth != 1:
            return feed(place, etag='"whole"')
        whole = feed(place, [item(f"{place.home}/news/{n}.html") for n in range(20)], etag='"cut"')
        return Answer(headers=whole.headers, body=whole.body[: len(whole.body) // 2], length=len(whole.body))

    def judge(self, run: Run) -> str | None:
        return too_few(run.feed, 3) or echoed(run.feed, [(None, None), ('"whole"', None)])


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlInPlaceOfTheFeed(Case):
    """A challenge page is not the feed: the feed's ETag stays, and no link of the page is followed."""

    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        if nth == 1:
            return Answer(headers=(HTML, ("ETag", '"wall"')), body=WALL)
        if request.header("if-none-match") == '"feed"':
            return Answer(status=304)
        return feed(place, etag='"feed"')

    def judge(self, run: Run) -> str | None:
        if run.articles:
            return f"followed a link of the page: {run.articles}"
        return too_few(run.feed, 3) or echoed(run.feed, [(None, None), ('"feed"', None)])


CONDITIONAL = (
    Echo(about="a strong ETag", etag='"abc-1"'),
    Echo(about="a weak ETag", etag='W/"abc-2"'),
    Echo(about="an ETag with -gzip", etag='"5f3a-gzip"'),
    Echo(about="an ETag of odd characters", etag='"a, b\\c~{é}"'),
    Echo(about="an ETag without quotes", etag="v1.2-beta"),
    Echo(about="a date alone", last_modified=FIRST_DATE),
    Echo(about="a date that is none", last_modified="yesterday, about noon"),
    Echo(about="both validators", etag='"abc-3"', last_modified="Fri, 01 Jan 2100 00:00:00 GMT"),
    Echo(about="nothing"),
    NewestValidators(),
    EtagRenewedBy304(),
    CutBody(),
    HtmlInPlaceOfTheFeed(),
)
