"""`watcher story` and `watcher follow`: a story, why articles are in it, corrections of the user, followed stories."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, BadParameter, Option

from digests.analysis.country_names import country_name
from digests.cli.lookup import find_digest, parse_story_id
from digests.cli.pack import write_pack
from digests.cli.status import name_edition
from digests.cluster.explain import describe_copy
from digests.errors import DigestError
from digests.model.coming_event import ComingEvent
from digests.model.edition import Edition
from digests.model.edition_story import EditionStory
from digests.model.story import WireGroup
from digests.render.edition_view import describe_event_day
from digests.render.localizer import english
from digests.store.editions import last_places, newest_edition, open_digests
from digests.store.stories import load_corrections
from digests.store.stories import revoke as forget_correction
from digests.stories.agenda import events_of_story
from digests.stories.earlier import EarlierStory, find_earlier
from digests.stories.follows import load_followed, set_followed
from digests.stories.history import (
    StoryDetails,
    describe_change,
    find_article,
    link_reasons,
    load_story_details,
)
from digests.stories.pack import load_pack
from digests.stories.user_corrections import CorrectionResult
from digests.stories.user_corrections import join as join_stories
from digests.stories.user_corrections import split as split_story
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import MINUTE, print_lines, print_result, select_fields
from watcher.store.writer import read, write
from watcher.text.format import format_count
from watcher.text.page_kind import DOUBTFUL, NO_REPORTS
from watcher.text.plain_text import to_one_line

STORY = Annotated[
    str, Argument(metavar="STORY", help="Id of the story, its link in an edition, or its number in the last one.")
]


def show_story(
    story: STORY,
    why: Annotated[bool, Option("--why", help="Show why each report is in the story, and the story's rank.")] = False,
    pack: Annotated[
        Path | None, Option("--pack", help="Write the pack of the story into this new folder.", file_okay=False)
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Show a story: its reports and their copies, its outlets, its thread (stories before and after it), its history,
    and the events to come that it announces.

    Below is what was there before: up to three earlier stories that are clearly near in meaning.

    If the story was merged into another one, that one is shown, with the time of the merge and its reason. With --why,
    it also shows why each report is in the story, and what gave the story its place in the last edition.

    With --pack, the pack of the story is written: a timeline, what each outlet said first, quotations with their places
    and hashes, copies, changed pages, and citations (CSL-JSON, BibTeX, RIS). watcher verify FOLDER checks it anywhere.
    """
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        if pack is not None:
            wanted = read(engine, parse_story_id, settings, story)
            print_lines(write_pack(pack, read(engine, load_pack, settings, wanted, now=datetime.now(UTC))))
            return
        details = read(engine, load_story_details, read(engine, parse_story_id, settings, story))
        earlier = read(engine, find_earlier, details.row)
        placed = next(iter(read(engine, last_places, settings, details.row.id)), None) if why or json else None
        events = read(engine, events_of_story, settings, details.row)
    place = _format_score(*placed) if placed else ()
    lines = [*_format_story(details, why=why), *_format_earlier(earlier), *_format_events(events), *place]
    values = _story_to_json(details) | {"earlier": [_earlier_to_json(each) for each in earlier], "coming_up": events}
    print_result(values | _place_to_json(placed), lines, json=json, links=True)


def list_stories(
    name: Annotated[str | None, Argument(help="Name of the digest; by default, the first in the settings.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """List the stories of a digest's newest edition with their ids."""
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        edition = read(engine, newest_edition, find_digest(settings, name).name)
    rows = [{"number": story.number, "id": story.id, "title": story.headline} for story in edition.stories]
    rows += [{"number": None, "id": brief.id, "title": brief.headline} for brief in edition.briefs]
    lines = (f"{row['number'] or '-':>3}  {row['id']}  {row['title']}" for row in rows)
    print_result(rows, [name_edition(edition), *lines], json=json)


def _format_events(events: Sequence[ComingEvent]) -> Iterator[str]:
    """Yield the lines on the coming events that a story's reports announce."""
    if events:
        yield from ("", "Coming up:")
    for event in events:
        sentence, words = event.last_said, english(UTC)
        yield f"  {describe_event_day(event, words)}: {to_one_line(sentence.text)}"
        yield f"      {sentence.outlet}, {sentence.published_at:{MINUTE}}  {sentence.url}"


def _format_score(edition: Edition, story: EditionStory) -> Iterator[str]:
    yield ""
    yield f"Number {story.number} in the last edition ({name_edition(edition)}), with a score of {story.score:.2f}:"
    for term in sorted(story.score_terms, key=lambda term: -abs(term.value * term.weight)):
        yield f"  {term.value * term.weight:+6.2f}  {term.name}: {term.words} ({term.value:g} × {term.weight:g})"


def _place_to_json(placed: tuple[Edition, EditionStory] | None) -> dict[str, Any]:
    if placed is None:
        return {"digest": None, "number": None, "score": None, "terms": []}
    edition, story = placed
    return {"digest": edition.digest, "number": story.number, "score": story.score, "terms": story.score_terms}


def _format_story(details: StoryDetails, *, why: bool) -> Iterator[str]:
    """
    Yield the lines on a story: times, outlets, reports, thread and history; `why` adds the reasons for each report.
    """
    row, covered = details.row, details.coverage
    if details.asked.id != row.id:
        yield f"{details.asked.id} “{details.asked.title}” no longer exists: its articles are in {row.id}."
        yield ""
    yield f"{row.id}  {row.title}"
    articles, outlets = format_count(row.size, "article"), format_count(len(covered.outlets), "outlet")
    times = f"{row.first_at:{MINUTE}} to {row.last_at:{MINUTE}} UTC"
    yield f"  {times}, {articles} in {', '.join(covered.languages)}"
    bare = f", {len(covered.headline_only)} by headline alone" if covered.headline_only else ""
    yield f"  {outlets}, {len(covered.independent)} independent{bare}: {', '.join(covered.outlets)}"
    if details.places:
        yield f"  about {', '.join(country_name(code, 'en') for code in details.places)}"
    yield ""
    yield f"{format_count(len(details.story.wire_groups), 'report')}:"
    for report in details.story.wire_groups:
        yield from _format_report(details, report, why=why)
    yield from _format_thread(details)
    if details.changes:
        yield ""
        yield "History:"
        yield from (f"  {change.at:{MINUTE}}  {describe_change(change)}" for change in details.changes)


def _format_report(details: StoryDetails, report: WireGroup, *, why: bool) -> Iterator[str]:
    """Yield the lines on one report and its copies; `why` adds what links it to the story."""
    origin = details.articles[report.origin]
    credit = f" ({report.agency})" if report.agency else ""
    credit += f" (by way of {origin.via})" if origin.via else ""
    credit += f" ({origin.kind}, not counted)" if origin.kind in NO_REPORTS else ""
    credit += " (text doubtful, not quoted)" if origin.kind == DOUBTFUL else ""
    credit += " (headline only)" if origin.is_headline_only else ""
    yield f"  {origin.published_at:{MINUTE}}  {origin.outlet}{credit}, {origin.language}: {origin.title}"
    yield f"      {origin.id}  {origin.url}"
    for key in report.articles[1:]:
        copy, article = details.copies.get(key), details.articles[key]
        differs = describe_copy(copy) if copy else "copy"
        yield f"    = {article.outlet}, {article.published_at:{MINUTE}}: {differs}"
        yield f"      {article.id}  {article.url}"
    if why:
        yield from (f"      why: {reason}" for reason in link_reasons(details, report))


def _format_thread(details: StoryDetails) -> Iterator[str]:
    """Yield the lines on the stories of the same thread; nothing if this story is its only one."""
    if len(details.thread) < 2:
        return
    yield ""
    yield f"Thread {details.row.thread}, since {details.thread_began_at:{MINUTE}}:"
    for row in details.thread:
        mark = "*" if row.id == details.row.id else " "
        yield f" {mark} {row.first_at:{MINUTE}}  {row.id}  {row.title} ({format_count(row.size, 'article')})"


def _format_earlier(earlier: Sequence[EarlierStory]) -> Iterator[str]:
    """Yield the lines on earlier stories that are near in meaning, with the last report of each."""
    if earlier:
        yield ""
        yield "What was there before:"
    for each in earlier:
        yield f"  {each.row.last_at:{MINUTE}}  {each.row.id}  {each.row.title}"
        if each.outcome.title != each.row.title:
            yield f"      last report, {each.outcome.outlet}: {each.outcome.title}"


def _earlier_to_json(earlier: EarlierStory) -> dict[str, Any]:
    outcome = select_fields(earlier.outcome, "id", "outlet", "url", "language", "title", "published_at")
    names = ("id", "title", "language", "first_at", "last_at", "size")
    return select_fields(earlier.row, *names) | {"likeness": earlier.likeness, "last_report": outcome}


def _story_to_json(details: StoryDetails) -> dict[str, Any]:
    """Return a story for JSON, with its reports, thread and history."""

    def article_json(key: str) -> dict[str, Any]:
        article, member, copy = details.articles[key], details.members[key], details.copies.get(key)
        row = select_fields(article, "id", "url", "outlet", "via", "title", "language", "country", "published_at")
        row |= select_fields(member, "nearest", "evidence")
        return row | ({"differs": describe_copy(copy)} if copy else {})

    return {
        "asked": details.asked.id,
        **asdict(details.row),
        **select_fields(details.coverage, "languages", "outlets", "independent", "headline_only"),
        "countries": details.places,
        "reports": [
            {"agency": report.agency, "articles": [article_json(key) for key in report.articles]}
            for report in details.story.wire_groups
        ],
        "thread_stories": details.thread,
        "changes": details.changes,
    }


def split(
    story: STORY,
    articles: Annotated[list[str], Argument(metavar="ARTICLE", help="Ids or URLs of the articles to move out.")],
    config: Config = None,
) -> None:
    """
    Move articles out of a story into a story of their own.

    The articles stay apart until `watcher story forget` revokes this correction. `watcher story STORY` shows their ids.
    """
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        wanted = read(engine, parse_story_id, settings, story)
        ids = [read(engine, find_article, article).id for article in articles]
        done = write(engine, split_story, wanted, ids, now=datetime.now(UTC))
    print_lines(_format_result(done))


def join(one: STORY, other: STORY, config: Config = None) -> None:
    """Join two stories; the larger one keeps its id. This is a correction: `watcher story forget` revokes it."""
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        ids = [read(engine, parse_story_id, settings, key) for key in (one, other)]
        done = write(engine, join_stories, *ids, now=datetime.now(UTC))
    print_lines(_format_result(done))


def _format_result(done: CorrectionResult) -> Iterator[str]:
    for story in done.stories:
        yield f"{story.id}  {len(story.articles)} article{'' if len(story.articles) == 1 else 's'}"
    yield f"This correction stays in force until you revoke it: watcher story forget {done.number}"


def follow(
    story: Annotated[
        str | None, Argument(metavar="[STORY]", help="Id, link or number of the story; without it, list your stories.")
    ] = None,
    stop: Annotated[bool, Option("--stop", help="Stop following the story.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Follow a story, or list the stories that you follow.

    Each edition begins with what is new in them. If another story continues one of them on a later day, you follow that
    one too. A rule with `when = "followed"` in `[[digests.alerts]]` also sends a message as soon as there is news.
    """
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        if story is None and not stop:
            followed = {row.id: (row, since) for _, since, row in read(engine, load_followed)}.values()
            rows = [
                {"id": row.id, "title": row.title, "since": at, "last_report_at": row.last_at} for row, at in followed
            ]
            parts = ((row, f"since {at:{MINUTE}}, last report {row.last_at:{MINUTE}} UTC") for row, at in followed)
            lines = [f"{row.id}  {row.title} ({times})" for row, times in parts]
            print_result(rows, lines or ["you follow no story; watcher follow STORY follows one"], json=json)
            return
        if story is None:
            raise BadParameter("needs a story, such as: watcher follow s1f2e3d4c5b --stop", param_hint="--stop")
        wanted = read(engine, parse_story_id, settings, story)
        row, changed = write(engine, set_followed, wanted, followed=not stop, now=datetime.now(UTC))
    verb = ("no longer follow" if changed else "do not follow") if stop else "follow" if changed else "already follow"
    values = {"id": row.id, "title": row.title, "followed": not stop, "changed": changed}
    lines = [f"You {verb} {row.id}: {row.title}"]
    number, _, whole = wanted.partition("-")
    if number.isdecimal() and whole == row.id:
        which = f"number {story} ({wanted})" if story.isdecimal() else wanted
        lines.append(f"{which} is a part of this story; a story is followed as a whole, with all its parts")
    print_result(values, lines, json=json)


def list_corrections(config: Config = None, json: Json = False) -> None:
    """List your corrections, oldest first. With --json, revoked ones are listed too."""
    with closing_store(open_digests(load_settings(config).store.url, make=False)) as engine:
        corrections = read(engine, load_corrections)
    active = [correction for correction in corrections if correction.revoked_at is None]
    lines = [f"{row.number:>4}  {row.made_at:{MINUTE}}  {row.description}" for row in active]
    nothing = "no corrections; watcher story split and watcher story join make one"
    print_result(corrections, lines or [nothing], json=json)


def forget(
    number: Annotated[int, Argument(help="Number of the correction, as `watcher story rules` shows it.")],
    config: Config = None,
) -> None:
    """
    Revoke a correction.

    The articles that the correction moved stay where they are until the next edition, which regroups the recent ones by
    their texts.
    """
    with closing_store(open_digests(load_settings(config).store.url, make=False)) as engine:
        done = write(engine, forget_correction, number, now=datetime.now(UTC))
    if not done:
        raise DigestError(f"there is no active correction {number}", hint="watcher story rules")
    print_lines([f"Correction {number} is revoked. The next edition groups its articles by their text again."])
