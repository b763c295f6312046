"""What the sample press is made of: outlets, the pieces that they print, and what one of them has printed by a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

DAY_HOURS = 24.0
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One invented outlet: who it is, and how its feed and its pages are made."""

    key: str
    name: str
    domain: str  # under .example, so that nothing real is meant (RFC 2606)
    language: str
    country: str
    section: str
    words: Mapping[str, Any] = field(repr=False, compare=False)  # of its furniture, in its language
    owner: str | None = None
    utc_hours: int = 0  # of its local time
    feed: str = "rss2"  # rss2, rss1, atom, json; or a fault: html, error
    summaries: str = "plain"  # plain, html, truncated, full (the whole text beside the summary)
    dates: bool = True  # whether its feed carries any
    layout: str = "classic"  # a template: classic, blocks, radio, table
    metadata: str = "full"  # in a page's head: full (JSON-LD and OpenGraph), og, meta, none
    furniture: tuple[str, ...] = ("share", "teasers")  # also consent, schedule, newsletter, latest
    declared: str = "utf-8"  # the charset that it says
    charset: str = ""  # the charset that it sends, where that is another
    validators: str = "both"  # etag, last-modified, both

    @property
    def encoding(self) -> str:
        return self.charset or self.declared

    @property
    def feed_path(self) -> str:
        return "/feed.json" if self.feed == "json" else "/feed.xml"

    @property
    def is_broken(self) -> bool:
        """Whether its feed is a fault, so that nothing of it can be had."""
        return self.feed in ("html", "error")

    def local(self, at: datetime) -> datetime:
        return at.astimezone(timezone(timedelta(hours=self.utc_hours)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoArticle:
    """
    An article as one outlet prints it, with the truth about it: pieces of one `story` tell of one event.

    `body` is complete: the report's text with this outlet's edits, cut, lead and end credit.
    """

    story: str
    report: str  # unique over all stories: pieces of one report carry the same text
    agency: str | None
    outlet: Outlet
    path: str
    title: str
    hours: float  # before the end of its day
    day: int
    body: tuple[str, ...]  # paragraphs; "## " opens a heading
    summary: str
    byline: str
    kind: str  # article, live, gallery, roundup
    traps: frozenset[str]
    corrections: tuple[tuple[str, str], ...]  # what the outlet says otherwise from the next day on: old, new

    @property
    def key(self) -> str:
        """The piece's name in the labels: outlet and path, which hold whatever address and port it is served at."""
        return f"{self.outlet.key}{self.path}"

    @property
    def link(self) -> str:
        """The path that the feed gives, which need not be the page's own."""
        return f"/go{self.path}" if "redirect" in self.traps else self.path

    @property
    def language(self) -> str:
        return self.outlet.language

    @property
    def text(self) -> str:
        """What cleaning should find, one paragraph a line, with dateline and end credit."""
        return "\n".join(paragraph.removeprefix("## ") for paragraph in self.body)

    @property
    def page(self) -> str:
        """How it answers: missing (404: the feed has the text), redirect, paywall (the feed has more), or ok."""
        return next((answer for answer in ("missing", "redirect", "paywall") if answer in self.traps), "ok")

    def as_of(self, day: int) -> DemoArticle:
        """Return the piece as it reads on `day`: from the day after it appeared, with its corrections."""
        if day <= self.day or not self.corrections:
            return self
        texts = (self.title, self.summary, *self.body)
        for old, new in self.corrections:
            texts = tuple(text.replace(old, new) for text in texts)
        return replace(self, title=texts[0], summary=texts[1], body=texts[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedOutlet:
    """An outlet at `base`, "http://host:port", with what it has printed by `now`, the end of day `day`."""

    outlet: Outlet
    pieces: tuple[DemoArticle, ...]  # newest first
    base: str
    now: datetime
    day: int

    def published_at(self, piece: DemoArticle) -> datetime:
        return (self.now - timedelta(hours=piece.hours + DAY_HOURS * (self.day - piece.day))).replace(microsecond=0)
