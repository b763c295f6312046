"""What a case is: answers of a publisher to one feed reader, and what its operator would complain about."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import ClassVar

from tests.manners.publisher import Answer, Request

EVERY_S = 1.0  # the reader's interval and its floor
TIMEOUT_S = 5.0  # on a busy machine the publisher itself takes seconds
DEADLINE_S = 6.0
MAX_BYTES = 1024 * 1024
CONTACT = "mailto:editor@reader.example"
CANARY = "127.67.0.1"  # private, and not allowed: nobody may come here
LOCAL = "127.0.0.1"  # as CANARY, but known by a name too
RSS = ("Content-Type", "application/rss+xml; charset=utf-8")
HTML = ("Content-Type", "text/html; charset=utf-8")
TEXT = (
    "The ferry between the two towns runs again, the harbour office said, after a winter of repairs to its engine.",
    "Its engine was taken apart over the winter, and two of its four pistons are new.",
    "Tickets cost as much as last year, and children under six travel without one.",
)


class TooLittle(str):
    """A complaint that more time may settle: there is not enough to judge by yet."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a case is served: two addresses of its own, and the forbidden ones, told apart by path."""

    number: int
    port: int

    @property
    def home(self) -> str:
        """The base of the feed's URL."""
        return f"http://{self.address(1)}:{self.port}"

    @property
    def other(self) -> str:
        """The base of URLs on another host."""
        return f"http://{self.address(2)}:{self.port}"

    def address(self, which: int) -> str:
        """Return the first or second address."""
        return f"127.66.{self.number}.{which}"

    def forbidden(self, host: str) -> str:
        """Return a URL at `host` whose request would be known as this case's."""
        return f"http://{host}:{self.port}/{self.number}/feed.xml"

    def has(self, request: Request) -> bool:
        """Whether a request was made for this case."""
        own = request.host in (self.address(1), self.address(2))
        return own or (request.host in (CANARY, LOCAL) and request.path.startswith(f"/{self.number}/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was asked in a run, in the order it came; `requests` are the case's own."""

    place: Place
    requests: tuple[Request, ...]
    everything: tuple[Request, ...]
    restarted_at: float  # the reader was stopped before, and started after
    ended_at: float

    def at(self, path: str, which: int = 1) -> list[Request]:
        """Return the requests for `path` at the first or second address."""
        return [r for r in self.requests if r.path == path and r.host == self.place.address(which)]

    @property
    def feed(self) -> list[Request]:
        """The requests for the usual feed."""
        return self.at("/feed.xml")

    @property
    def articles(self) -> list[str]:
        """The paths of articles that were asked for, in order."""
        return [r.path for r in self.requests if r.path.startswith("/news/")]


class Case(ABC):
    """One thing that the operator of a publisher's server minds. Subclasses are frozen dataclasses."""

    __slots__ = ()
    feeds: ClassVar[tuple[str, ...]] = ("/feed.xml",)  # paths
    credentials: ClassVar[str] = ""  # in the feed's URL
    due_at_restart: ClassVar[bool] = False  # somebody makes it due then, whatever it said

    @property
    def name(self) -> str:
        """What the case is about."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])", " ", type(self).__name__).lower()

    @abstractmethod
    def answer(self, place: Place, request: Request, nth: int) -> Answer:
        """Return the answer to the `nth` request (from 0) for this path at this address."""

    def page(self, request: Request, nth: int) -> Answer:
        """Return the answer to the `nth` request for this article."""
        return article(request)

    def robots(self) -> Answer:
        """Return the answer for robots.txt."""
        return Answer(status=404)

    @abstractmethod
    def judge(self, run: Run) -> str | None:
        """Return the complaint, None if there is none."""


def feed(place: Place, items: Sequence[str] = (), *, etag: str = "", more: str = "", **headers: str) -> Answer:
    """Return a good answer with a feed. Headers are named as in `Cache_Control`; `more` goes into the channel."""
    told = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    entity = (("ETag", etag),) if etag else ()
    head = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Case {place.number}</title>'
    body = f"{head}<link>{place.home}/</link>{more}{''.join(items)}</channel></rss>"
    return Answer(headers=(RSS, *entity, *told), body=body.encode())


def item(link: str, *, guid: str = "", hours_old: float = 1.0) -> str:
    """Return one entry of a feed."""
    at = format_datetime(datetime.now(UTC).replace(minute=0, second=0) - timedelta(hours=hours_old), usegmt=True)
    title = f"The ferry runs again: {guid or link}"
    return f"<item><title>{title}</title><link>{link}</link><guid>{guid or link}</guid><pubDate>{at}</pubDate></item>"


def article(request: Request) -> Answer:
    """Return an article page."""
    text = "".join(f"<p>{sentence} ({request.path})</p>" for sentence in TEXT)
    title = f"The ferry runs again {request.path}"
    page = f"<html lang=en><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}</article></body>"
    return Answer(headers=(HTML,), body=page.encode())


def gaps(requests: Sequence[Request]) -> list[float]:
    """Return the seconds between requests."""
    return [round(later.at - earlier.at, 2) for earlier, later in pairwise(requests)]


def too_few(requests: Sequence[Request], needed: int) -> TooLittle | None:
    """Return a complaint if there is too little to judge."""
    return None if len(requests) >= needed else TooLittle(f"asked {len(requests)} times, at least {needed} are needed")


def hurried(requests: Sequence[Request], least_s: float) -> str | None:
    """Return a complaint if two requests came within less than `least_s`."""
    return f"came back too soon: after {gaps(requests)} s" if any(g < least_s for g in gaps(requests)) else None


def stubborn(requests: Sequence[Request], needed: int = 3) -> str | None:
    """Return a complaint unless each wait after a failure is twice the one before."""
    if any(gap < EVERY_S * 2 ** (n + 1) for n, gap in enumerate(gaps(requests))):
        return f"does not wait longer after each failure: {gaps(requests)} s"
    return too_few(requests, needed)
