"""`watcher story`: a story with its reports, its thread and what became of it; `--why` says what links each report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from sqlalchemy import Connection
from typer import Argument, Option

from digests.analysis.country_names import country_name
from digests.cli.lookup import digest_named, kept_edition
from digests.cluster.copy_diff import describe_copy as differs
from digests.errors import DigestError
from digests.model import Edition, EditionStory, WireGroup
from digests.settings.digests import digests_of
from digests.store.editions import last_edition, open_digests
from digests.stories.history import StoryDetails, describe_change, history_of, link_reasons, moment
from watcher.cli.app import DONE, Config, Json, examples, load_settings
from watcher.cli.output import print_json, print_lines
from watcher.settings.model import Settings
from watcher.store.writer import read
from watcher.text.format import format_count

STORY = Annotated[
    str, Argument(metavar="STORY", help="Its id, an edition's link to it, or its number in the last one.")
]


@examples("watcher story list", "watcher story 1", "watcher story s1f2e3d4c5b --why", "watcher story 1 --json")
def command(
    story: STORY,
    why: Annotated[bool, Option("--why", help="Show what each report is in the story for.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Show a story: its reports with their copies, who carries it, its thread over days, and what became of it.

    An id that has gone into another story leads to it, and says when and why. With --why it also says what its place
    in the last edition is made of, term by term.
    """
    settings = load_settings(config)
    engine = open_digests(settings.store.url, make=False)
    try:
        found = read(engine, lambda c: history_of(c, story_id(c, settings, story)))
        placed = read(engine, last_place, settings, found.row.id) if why or json else None
    finally:
        engine.dispose()
    if json:
        print_json(as_json(found) | place_json(placed), links=True)
    else:
        print_lines([*lines(found, why=why), *(score_lines(*placed) if placed else ())], links=True)
    return DONE


@examples("watcher story list", "watcher story list world")
def list_stories(
    name: Annotated[str | None, Argument(help="Which digest; the first of the settings if not given.")] = None,
    config: Config = None,
    json: Json = False,
) -> int:
    """List the stories of a digest's last edition with their ids."""
    settings = load_settings(config)
    engine = open_digests(settings.store.url, make=False)
    try:
        edition = kept_edition(engine, digest_named(settings, name).name, None)
    finally:
        engine.dispose()
    rows = [(str(story.number), story.id, story.title) for story in edition.stories]
    rows += [("-", brief.id, brief.title) for brief in edition.briefs]
    if json:
        print_json([{"number": number, "id": key, "title": title} for number, key, title in rows])
    else:
        print_lines(
            [f"{edition.title}, {edition.local_date}", *(f"{number:>3}  {key}  {title}" for number, key, title in rows)]
        )
    return DONE


def story_id(connection: Connection, settings: Settings, story: str) -> str:
    """Return the id that is meant: a number is a story of the last edition. Errors: DigestError."""

    if not story.isdecimal():
        return story
    edition: Edition | None = last_edition(connection, digest_named(settings, None).name)
    ids = {each.number: each.id for each in edition.stories} if edition else {}
    if int(story) not in ids:
        raise DigestError(
            f"the last edition has no story {story}" if edition else "no edition is kept; watcher digest makes one"
        )
    return ids[int(story)]


def last_place(connection: Connection, settings: Settings, story: str) -> tuple[Edition, EditionStory] | None:
    """
    Return a story as the last edition of a digest tells it in full, with that edition; None if no last edition does.

    The digests are asked in the order of the settings: a number is a story of the first one's.
    """
    editions = filter(None, (last_edition(connection, digest.name) for digest in digests_of(settings)))
    return next(((edition, each) for edition in editions for each in edition.stories if each.id == story), None)


def score_lines(edition: Edition, placed: EditionStory) -> Iterator[str]:
    """Yield what a story's place in an edition is made of."""
    yield ""
    where = f"{edition.title}, {edition.local_date}"
    yield f"Its place in the last edition ({where}), {placed.number}, by a score of {placed.score:.2f}:"
    for term in sorted(placed.score_terms, key=lambda term: -abs(term.value * term.weight)):
        yield f"  {term.value * term.weight:+6.2f}  {term.name}: {term.words} ({term.value:g} × {term.weight:g})"


def place_json(placed: tuple[Edition, EditionStory] | None) -> dict[str, Any]:
    """Return a story's place in the last edition as JSON; its score is the sum of value × weight."""
    if placed is None:
        return {"digest": None, "number": None, "score": None, "terms": []}
    edition, story = placed
    terms = [asdict(term) for term in story.score_terms]
    return {"digest": edition.digest, "number": story.number, "score": story.score, "terms": terms}


def lines(found: StoryDetails, *, why: bool) -> Iterator[str]:
    """Yield what a reader is told of a story."""
    row, covered = found.row, found.coverage
    if found.asked.id != row.id:
        yield f"{found.asked.id} “{found.asked.title}” is no more: its articles are in {row.id}."
        yield ""
    yield f"{row.id}  {row.title}"
    articles, outlets = format_count(row.size, "article"), format_count(len(covered.outlets), "outlet")
    yield f"  {moment(row.first_at)} to {moment(row.last_at)}, {articles} in {', '.join(covered.languages)}"
    yield f"  {outlets}, {len(covered.independent)} independent: {', '.join(covered.outlets)}"
    if found.places:
        yield f"  about {', '.join(country_name(code, 'en') for code in found.places)}"
    yield ""
    yield f"{format_count(len(found.story.reports), 'report')}:"
    for report in found.story.reports:
        yield from report_lines(found, report, why=why)
    yield from thread_lines(found)
    if found.changes:
        yield ""
        yield "What became of it:"
        yield from (f"  {moment(change.at)}  {describe_change(change)}" for change in found.changes)


def report_lines(found: StoryDetails, report: WireGroup, *, why: bool) -> Iterator[str]:
    """Yield a report: its origin, its copies with how each differs, and why it is in the story."""
    origin = found.articles[report.origin]
    credit = f" ({report.agency})" if report.agency else ""
    yield f"  {moment(origin.published_at)}  {origin.outlet}{credit}, {origin.language}: {origin.title}"
    yield f"      {origin.id}  {origin.url}"
    for key in report.articles[1:]:
        copy, article = found.copies.get(key), found.articles[key]
        yield f"    = {article.outlet}, {moment(article.published_at)}: {differs(copy) if copy else 'copy'}"
        yield f"      {article.id}  {article.url}"
    if why:
        yield from (f"      why: {each}" for each in link_reasons(found, report))


def thread_lines(found: StoryDetails) -> Iterator[str]:
    """Yield the thread of a story, if there is more to it."""
    if len(found.thread) < 2:
        return
    yield ""
    yield f"Its thread, {found.row.thread}, since {moment(found.row.began_at)}:"
    for row in found.thread:
        mark = "*" if row.id == found.row.id else " "
        yield f" {mark} {moment(row.first_at)}  {row.id}  {row.title} ({format_count(row.size, 'article')})"


def as_json(found: StoryDetails) -> dict[str, Any]:
    """Return a story as JSON."""

    def told(key: str) -> dict[str, Any]:
        article, member, copy = found.articles[key], found.members[key], found.copies.get(key)
        same = ("id", "url", "outlet", "title", "language", "country", "published_at")
        row: dict[str, Any] = {name: getattr(article, name) for name in same}
        row |= {"nearest": member.nearest, "evidence": member.evidence}
        return row | ({"differs": differs(copy)} if copy else {})

    return {
        "asked": found.asked.id,
        **asdict(found.row),
        "languages": found.coverage.languages,
        "outlets": found.coverage.outlets,
        "independent": found.coverage.independent,
        "countries": found.places,
        "reports": [
            {"agency": report.agency, "articles": [told(key) for key in report.articles]}
            for report in found.story.reports
        ],
        "thread_stories": [asdict(row) for row in found.thread],
        "changes": [asdict(change) for change in found.changes],
    }
