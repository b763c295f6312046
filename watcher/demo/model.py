"""The data of the demo, from `texts/`: outlets, their articles, and those that an outlet has published by a day."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
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

    @property
    def link(self) -> str:
        """The path in the feed, which may redirect to the page."""
        return f"/go{self.path}" if "redirect" in self.traps else self.path


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    outlets: tuple[Outlet, ...]
    pieces: tuple[DemoArticle, ...]

    def print_outlet(self, outlet: Outlet, *, base: str, now: datetime, day: int) -> PrintedOutlet:
        """Return `outlet` at `base` with its articles published by the end of `day`, newest first."""
        mine = [piece for piece in self.pieces if piece.outlet is outlet and piece.day <= day]
        mine.sort(key=lambda piece: (piece.hours - DAY_HOURS * piece.day, piece.path))
        return PrintedOutlet(outlet=outlet, pieces=tuple(mine), base=base, now=now, day=day)


@cache
def library() -> Library:
    """Load the demo texts. Errors: ValueError for an edit whose text is missing, KeyError for an unknown outlet."""
    folder = files(__package__) / "texts"
    words = _read_toml(folder / "furniture.toml")
    rows = _read_toml(folder / "outlets.toml")["outlets"]
    given: list[dict[str, Any]] = [
        {key: tuple(each) if isinstance(each, list) else each for key, each in row.items()} for row in rows
    ]
    outlets = {row["key"]: Outlet(**row, words=words[row["language"]]) for row in given}
    stories = [_read_toml(file) for file in sorted((folder / "stories").iterdir(), key=lambda file: file.name)]
    pieces = [
        _edit_report(outlets[row["outlet"]], story["story"], report, row)
        for story in stories
        for report in story["reports"]
        for row in report["pieces"]
    ]
    return Library(outlets=tuple(outlets.values()), pieces=tuple(pieces))


def _read_toml(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _edit_report(outlet: Outlet, story: str, report: dict[str, Any], row: dict[str, Any]) -> DemoArticle:
    """Return one outlet's version of a report, changed as `row` says: `edits`, `keep` paragraphs, `lead`, `end`."""
    text = report["text"].strip()
    for old, new in row.get("edits", ()):
        if old not in text:
            raise ValueError(f"{outlet.key}{row['path']}: the text has no {old!r} to edit")
        text = text.replace(old, new)
    body = tuple(" ".join(part.split()) for part in text.split("\n\n"))[: row.get("keep")]
    own_fields: dict[str, Any] = {
        key: row[key] for key in ("path", "title", "hours", "day", "byline", "kind") if key in row
    }
    return DemoArticle(
        **own_fields | {"summary": row.get("summary") or body[0].removeprefix("## ")},
        story=story,
        report=f"{story}/{report['report']}",
        agency=report.get("agency"),
        outlet=outlet,
        body=(row.get("lead", "") + body[0], *body[1:], *([row["end"]] if "end" in row else [])),
        traps=frozenset(row.get("traps", ())),
    )
