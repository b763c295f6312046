"""`watcher check-claim`: who reports a claim, who reports it otherwise, and which sources were read."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from typer import Argument, BadParameter, Option

from digests.cli.search import fill_index, parse_language
from digests.mcp.claims import describe_claim
from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from digests.stories.claims import DEFAULT_WINDOW, NOT_FOUND, ClaimAnswer, ClaimStory, check_claim
from digests.stories.meaning import MeaningSearch
from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, closing_store, load_settings, parse_time_option
from watcher.cli.output import MINUTE, print_result
from watcher.store.writer import read
from watcher.text.format import format_count
from watcher.text.plain_text import to_one_line

MAX_REPORTS_SHOWN = 5  # of each kind


def check(
    claim: Annotated[list[str], Argument(help="A sentence, such as a headline, in any language.", metavar="CLAIM")],
    since: Annotated[str, Option(help='How far back: an age such as "7d", or a date.', metavar="T")] = DEFAULT_WINDOW,
    language: Annotated[str | None, Option("--language", help='Language of the claim, such as "fr".')] = None,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Show who reports a claim: how many outlets independently, and which reports have another figure, name or negation.

    It never says whether a claim is true. The exit code is 1 if the claim is not in your sources. If articles are not
    indexed yet, or too few sources could be read, that is an error instead.
    """
    settings = load_settings(config)
    zone = ZoneInfo(digests_of(settings)[0].timezone)
    now = datetime.now(UTC)
    start = parse_time_option(since, option="--since", now=now, zone=zone)
    if start is None or start >= now:
        raise BadParameter(f'got "{since}", expected a time in the past', param_hint="--since")
    tag = parse_language(language, settings)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        fill_index(engine, by_meaning=True)
        answer = read(
            engine, check_claim, " ".join(claim), MeaningSearch(settings), since=start, until=now, language=tag
        )
    print_result(describe_claim(answer), _format_answer(answer, zone), json=json, links=True)
    return FAILED if answer.answer == NOT_FOUND else DONE


def _format_answer(answer: ClaimAnswer, zone: tzinfo) -> Iterator[str]:
    yield answer.description
    yield f"read since {answer.since.astimezone(zone):{MINUTE}}: {answer.sources.description}"
    for story in answer.stories:
        yield ""
        yield from _format_story(story, zone)


def _format_story(story: ClaimStory, zone: tzinfo) -> Iterator[str]:
    """Yield the lines on one story: who reports the claim as it stands, who otherwise, and what was changed since."""
    words = f"{story.id or 'not grouped yet'}  {to_one_line(story.title, 200)}"
    yield words if story.is_match else f"{words}  (may be on something else)"
    if story.agreeing:
        first = story.first
        at = f"{first.published_at.astimezone(zone):{MINUTE}}"
        places = ", ".join((*story.coverage.countries, *story.coverage.languages))
        independent = len(story.coverage.independent)
        yield f"  {independent} of {format_count(len(story.coverage.outlets), 'outlet')} independent; {places}"
        yield f"  first {at}, {to_one_line(first.outlet, 60)}"
    for name, reports in (("as it stands", story.agreeing), ("otherwise", story.others)):
        for each in reports[:MAX_REPORTS_SHOWN]:
            is_sure = story.is_match and (each.differences or each in story.agreeing)
            label = name if is_sure else "perhaps on something else"
            yield f"  {label}: {to_one_line(each.article.outlet, 60)}: “{to_one_line(each.nearest.text, 300)}”"
            if story.is_match:
                yield from (f"    {difference.description}" for difference in each.differences)
            yield f"    {to_one_line(each.article.url, 300)}"
        if len(reports) > MAX_REPORTS_SHOWN:
            yield f"  and {len(reports) - MAX_REPORTS_SHOWN} more {name}"
    for change in story.corrections:
        yield f"  changed since, {to_one_line(change.outlet, 60)}: {change.kind}, “{to_one_line(change.after, 200)}”"
