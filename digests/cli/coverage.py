"""`watcher coverage`: outlets, last articles and first reports by country and language."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from typer import BadParameter, Option

from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from digests.stories.world_coverage import GroupCoverage, WorldCoverage, measure_world_coverage
from watcher.cli.options import Config, Json, closing_store, load_settings, parse_time_option
from watcher.cli.output import MINUTE, print_result
from watcher.store.writer import read
from watcher.text.format import format_count

GROUP_NAME_CHARS = 28


def show_coverage(
    since: Annotated[str, Option("--since", help='An age ("7d") or a date; 30 days by default.', metavar="T")] = "30d",
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Show for each country and language the outlets, their last article, and the stories that they were first to report.

    A story counts if it began after --since and two or more outlets report it. The last part lists the countries that
    only news agencies report on, with outlets that you could add. Times are in the time zone of the first digest in the
    settings.
    """
    settings = load_settings(config)
    zone = ZoneInfo(digests_of(settings)[0].timezone)
    now = datetime.now(UTC)
    start = parse_time_option(since, option="--since", now=now, zone=zone) or now
    if start >= now:
        raise BadParameter(f'got "{since}", expected a time in the past', param_hint="--since")
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        coverage = read(engine, measure_world_coverage, since=start, until=now)
    print_result(coverage, _format_coverage(coverage, zone), json=json)


def _format_coverage(coverage: WorldCoverage, zone: tzinfo) -> Iterator[str]:
    """Yield the lines on all countries and languages, then those on the countries that only agencies report on."""
    counts = format_count(coverage.articles, "article"), format_count(coverage.stories, "story", "stories")
    yield f"since {coverage.since.astimezone(zone):{MINUTE}}: {counts[0]}, {counts[1]} of several outlets"
    if not coverage.countries:
        yield "there are no sources and no articles yet; watcher sources add URL adds a source"
        return
    for title, groups in (("country", coverage.countries), ("language", coverage.languages)):
        yield from ("", *_format_groups(title, groups, coverage.stories, zone))
    if coverage.agency_countries:
        yield from ("", "Only agencies report on these countries:")
    for country in coverage.agency_countries:
        known = ", ".join(f"{row.host}{f' ({row.language})' if row.language else ''}" for row in country.known_outlets)
        more = f"; outlets there: {known}" if known else ""
        yield f"  {country.name}: {format_count(country.reports, 'text')} of {', '.join(country.agencies)}{more}"
    if coverage.read_since > coverage.since:
        yield f"Countries were looked for in the articles since {coverage.read_since.astimezone(zone):{MINUTE}}."


def _format_groups(title: str, groups: Sequence[GroupCoverage], stories: int, zone: tzinfo) -> Iterator[str]:
    """
    Yield a table with a row for each group; `title` heads its first column, `stories` is the number of all stories.
    """
    yield f"{title:{GROUP_NAME_CHARS}}  outlets  last article      first to report"
    for group in groups:
        last = f"{group.last_article_at.astimezone(zone):{MINUTE}}" if group.last_article_at else "none"
        share = f"{group.stories_first} of {stories} ({group.stories_first / stories:.0%})" if stories else "-"
        name = (group.name or "not known")[:GROUP_NAME_CHARS]
        yield f"{name:{GROUP_NAME_CHARS}}  {group.outlets:7}  {last:16}  {share}"
