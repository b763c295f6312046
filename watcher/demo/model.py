"""The data classes of the demo: outlets, their articles, and the articles that an outlet has published by a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

DAY_HOURS = 24.0
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    key: str
    name: str
    domain: str  # under .example, so that it is not a real site (RFC 2606)
    language: str
    country: str
    section: str
    words: Mapping[str, Any] = field(repr=False, compare=False)  # the words of its furniture, in its language
    owner: str | None = None
    utc_hours: int = 0  # offset of its local time
    feed: str = "rss2"  # rss2, rss1, atom, json; or a fault: html, error
    summaries: str = "plain"  # plain, html, truncated, full (summary and whole text)
    dates: bool = True  # whether its feed has dates
    layout: str = "classic"  # a template: classic, blocks, radio, table
    metadata: str = "full"  # in a page's head: full (JSON-LD and OpenGraph), og, meta, none
    furniture: tuple[str, ...] = ("share", "teasers")  # also consent, schedule, newsletter, latest
    declared: str = "utf-8"  # the charset in its headers
    charset: str = ""  # the charset that it really uses, if another
    validators: str = "both"  # etag, last-modified, both

    @property
    def encoding(self) -> str:
        return self.charset or self.declared

    @property
    def feed_path(self) -> str:
        return "/feed.json" if self.feed == "json" else "/feed.xml"

    def local(self, at: datetime) -> datetime:
        return at.astimezone(timezone(timedelta(hours=self.utc_hours)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoArticle:
    """An article of one outlet: the report's text with this outlet's edits, cut, lead and end credit."""

    story: str  # articles of one story are about one event
    report: str  # unique over all stories: articles of one report have the same text
    agency: str | None
    outlet: Outlet
    path: str
    title: str
    hours: float  # before the end of its day
    body: tuple[str, ...]  # paragraphs; "## " opens a heading
    summary: str
    day: int = 1
    byline: str = ""
    kind: str = "article"  # article, live, gallery, roundup
    traps: frozenset[str] = frozenset()
    corrections: tuple[tuple[str, str], ...] = ()  # old and new text of corrections, made on the next day

    @property
    def link(self) -> str:
        """The path in the feed, which may redirect to the page."""
        return f"/go{self.path}" if "redirect" in self.traps else self.path

    def as_of(self, day: int) -> DemoArticle:
        """Return the article's version on `day`: after its first day, with its corrections."""
        if day <= self.day or not self.corrections:
            return self
        texts = (self.title, self.summary, *self.body)
        for old, new in self.corrections:
            texts = tuple(text.replace(old, new) for text in texts)
        return replace(self, title=texts[0], summary=texts[1], body=texts[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedOutlet:
    """An outlet at `base` ("http://host:port") with the articles published by `now`, the end of day `day`."""

    outlet: Outlet
    pieces: tuple[DemoArticle, ...]  # newest first
    base: str
    now: datetime
    day: int

    def published_at(self, piece: DemoArticle) -> datetime:
        return (self.now - timedelta(hours=piece.hours + DAY_HOURS * (self.day - piece.day))).replace(microsecond=0)
