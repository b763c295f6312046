"""The page of a story: its thread over days, timeline, coverage, and all reports with their copies; and corrections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import Connection

from digests.analysis.country_names import country_name
from digests.cluster.copy_diff import describe as differs
from digests.errors import DigestError
from digests.model import Edition, EditionStory, Report
from digests.render import safe
from digests.render.edition import story_view
from digests.render.view import StoryView
from digests.render.words import words_for
from digests.store.stories import StoryRow
from digests.stories.corrections import join, split
from digests.stories.history import StoryDetails, describe_change, history_of, link_reasons
from digests.web.shelf import Shelf
from digests.web.tongues import dir_of, plain_words
from watcher.model import Article
from watcher.store.writer import read
from watcher.web.site import Ask, Missing, Reply, Site
from watcher.web.templating import page_of

ON_A_PAGE = 40  # articles
TIMELINE = 12  # moments
THREAD = 30  # stories
BARS = 8
TITLE_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An article of a story. `differs`: how a copy differs from its report's origin."""

    id: str
    title: str
    lang: str
    dir: str
    outlet: str
    about: str
    at: datetime
    differs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A report: its origin, its copies, and why it is in the story."""

    origin: Line
    agency: str
    copies: tuple[Line, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Articles of a stretch of time; `height` from 0 to 80."""

    start: str
    count: int
    height: int


class Stories:
    """Answers for stories, with what the editions on a shelf tell of them."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def show(self, site: Site, ask: Ask) -> Reply:
        """Answer a page of a story."""
        at = ask.page()
        wanted = ask.params["story"][:200]
        found, told, more = read(site.engine, gathered, site, wanted, at)
        last = self._shelf.last_told(found.row.id)
        return page_of(
            site,
            "story.html.j2",
            package="digests.web",
            has_form=True,
            f=found,
            row=found.row,
            title=safe.inert(found.row.title, limit=TITLE_CHARS) or "Untitled",
            lang=safe.language_tag(found.row.language),
            dir=dir_of(found.row.language, found.row.title),
            places=" · ".join(country_name(code, "en") for code in found.places),
            languages=", ".join(names_of(found.coverage.languages, site.zone)),
            day=(found.row.last_at.astimezone(site.zone).date() - found.row.began_at.astimezone(site.zone).date()).days
            + 1,
            view=view_of(*last) if last else None,
            edition=last[0] if last else None,
            timeline=tuple(timeline(found, site.zone)),
            bars=bars(found, site.zone),
            thread=beside(found),
            changes=[(change.at, describe_change(change)) for change in found.changes],
            reports=told,
            at=at,
            more=more,
        )

    def split(self, site: Site, ask: Ask) -> Reply:
        """Take the articles of a form out of a story, and go to what is left of it."""
        articles = ask.form.get("article", "").split()
        done = split(site.engine, ask.params["story"], articles, now=site.now())
        return Reply(see=f"/story/{done.stories[0].id}")

    def join(self, site: Site, ask: Ask) -> Reply:
        """Make one story of two, and go to it."""
        other = ask.form.get("other", "").strip().rpartition("/")[2]
        done = join(site.engine, ask.params["story"], other, now=site.now())
        return Reply(see=f"/story/{done.stories[0].id}")


def gathered(connection: Connection, site: Site, wanted: str, at: int) -> tuple[StoryDetails, tuple[Told, ...], bool]:
    """Return all about a story, a page of its reports, and whether there are more. Errors: Missing."""

    def part(reports: tuple[Report, ...]) -> tuple[Report, ...]:
        return tuple(page_of_reports(reports, at))

    try:
        found = history_of(connection, wanted, compare=part)
    except DigestError as error:
        raise Missing(str(error)) from error
    shown = part(found.story.reports)
    if not shown and at > 1:
        raise Missing("This story has fewer pages.")
    behind = sum(len(report.articles) for report in found.story.reports)
    return found, tuple(told(found, report, site.zone) for report in shown), at * ON_A_PAGE < behind


def page_of_reports(reports: tuple[Report, ...], at: int) -> Iterator[Report]:
    """Yield the reports of a page, each with those of its articles that are on it."""
    first, last, place = (at - 1) * ON_A_PAGE, at * ON_A_PAGE, 0
    for report in reports:
        start, end = max(first - place, 0), min(last - place, len(report.articles))
        place += len(report.articles)
        if start < end:
            ids = report.articles[start:end]
            yield Report(articles=ids if start == 0 else (report.origin, *ids), agency=report.agency)


def told(found: StoryDetails, report: Report, zone: tzinfo) -> Told:
    """Return a report as the page shows it."""
    copies = [
        line(found.articles[key], zone, differs(found.copies[key]) if key in found.copies else "")
        for key in report.articles[1:]
    ]
    return Told(
        origin=line(found.articles[report.origin], zone),
        agency=safe.inert(report.agency or "", limit=80),
        copies=tuple(copies),
        why=tuple(safe.inert(each) for each in link_reasons(found, report)),
    )


def line(article: Article, zone: tzinfo, differs: str = "") -> Line:
    """Return an article as a line."""
    words = plain_words(zone)
    title = safe.inert(article.title, limit=TITLE_CHARS) or "Untitled"
    about = (words.country(article.country), words.in_language(article.language))
    return Line(
        id=article.id,
        title=title,
        lang=safe.language_tag(article.language),
        dir=dir_of(article.language, title),
        outlet=safe.inert(article.outlet, limit=100),
        about=", ".join(part for part in about if part),
        at=article.published_at,
        differs=differs,
    )


def timeline(found: StoryDetails, zone: tzinfo) -> Iterator[Line]:
    """Yield the reports that a story grew by, spread over its time: the first, the last, and some between."""
    lines = [line(found.articles[report.origin], zone) for report in found.story.reports]
    if len(lines) > TIMELINE:
        lines = [lines[round(n * (len(lines) - 1) / (TIMELINE - 1))] for n in range(TIMELINE)]
    yield from lines


def bars(found: StoryDetails, zone: tzinfo) -> tuple[Bar, ...]:
    """Return how many articles each eighth of a story's time brought; none for a story of a few."""
    times = sorted(article.published_at for article in found.articles.values())
    if len(times) < 3 or times[-1] - times[0] < timedelta(hours=1):
        return ()
    length = (times[-1] - times[0]) / BARS
    counts = [0] * BARS
    for at in times:
        counts[min(BARS - 1, int((at - times[0]) / length))] += 1
    names = [(times[0] + length * n).astimezone(zone) for n in range(BARS)]
    is_long = times[-1] - times[0] > timedelta(days=2)
    top = max(counts)
    return tuple(
        Bar(start=f"{at.day} {at:%b}" if is_long else f"{at:%H:%M}", count=n, height=round(80 * n / top))
        for at, n in zip(names, counts, strict=True)
    )


def beside(found: StoryDetails) -> tuple[StoryRow, ...]:
    """Return the stories of a thread around this one."""
    if len(found.thread) < 2:
        return ()
    at = next((n for n, row in enumerate(found.thread) if row.id == found.row.id), 0)
    start = max(0, min(at - THREAD // 2, len(found.thread) - THREAD))
    return found.thread[start : start + THREAD]


def view_of(edition: Edition, story: EditionStory) -> StoryView:
    """Return a story as its edition shows it."""
    return story_view(story, edition, words_for(edition))


def names_of(languages: tuple[str, ...], zone: tzinfo) -> list[str]:
    """Return languages by name."""
    words = plain_words(zone)
    return [words.language_name(tag) or ("English" if tag == "en" else tag) for tag in languages]
