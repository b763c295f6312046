"""`watcher sources discover`: finds and reads the feeds of a site; `--add` adds the feed if there is only one."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from watcher.cli.commands import DONE, FAILED, USAGE
from watcher.cli.inspect import candidate_urls, failure_reason, find_hint, find_problems, newest_entry_age
from watcher.cli.options import Config, Json, settings_or_defaults, settings_path, with_examples
from watcher.cli.output import print_err, print_progress, print_result, select_fields
from watcher.cli.sources import add_row, sources_by_key
from watcher.failure_reasons import FeedKind
from watcher.feeds.inspect import FeedReport, NotAFeed
from watcher.settings.edit import source_row
from watcher.settings.models import Settings, SourceSettings
from watcher.settings.types import language_tag
from watcher.text.format import format_count
from watcher.text.language import UNKNOWN, primary_tag
from watcher.text.urls import normalize_url
from watcher.worker.inspect import Discovery, FeedCandidate, discover, open_prober

WAYS = {
    "itself": "the address itself is a feed",
    "declared": "declared by the page",
    "linked": "linked by the page",
    "guessed": "at a usual place",
}


@with_examples(
    "watcher sources discover example.org",
    "watcher sources discover https://example.org/blog/ --add",
    "watcher sources discover example.org --json",
)
def discover_feeds(
    url: Annotated[str, typer.Argument(help="Address of the site, or of a page of it.")],
    add: Annotated[bool, typer.Option("--add", help="Add the feed to the settings if it is the only one.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Find the feeds of a site and read each: what its page links, else what stands where feeds usually are.

    One request at a time, with the pause of [fetch] host_delay between two. Exit code 1 if none is found.
    """
    path = settings_path(config) if add else None
    settings = settings_or_defaults(config)
    found = asyncio.run(discover_with_progress(candidate_urls(url), settings))
    known = sources_by_key(settings)
    print_result(discovery_to_json(found, known), format_discovery(found, known), json=json)
    if path is not None and found.feeds:
        return add_single_feed(found, path)
    return DONE if found.feeds else FAILED


async def discover_with_progress(urls: tuple[str, ...], settings: Settings) -> Discovery:
    async with open_prober(settings, print_progress) as looker:
        return await discover(urls, looker)


def add_single_feed(found: Discovery, path: Path) -> int:
    """Add the only feed found to the settings file at `path`; return exit code `USAGE` if there are several."""
    if len(found.feeds) > 1:
        print_err(f"{len(found.feeds)} feeds were found, and --add adds one: choose by a command above", label="error")
        return USAGE
    (feed,) = found.feeds
    assert feed.report
    name, tag = default_name_and_language(feed.report)
    print_err(add_row(path, source_row(url=feed.url, name=name, language=language_tag(tag))))
    return DONE


def default_name_and_language(report: FeedReport) -> tuple[str, str]:
    """Return name and language for a source with this feed, each "" if unknown."""
    said, read = report.feed.language, report.language
    tag = said if said and primary_tag(said) in (read, None) else read
    return report.feed.title[:200].strip(), "" if tag == UNKNOWN else tag


def format_discovery(found: Discovery, known: Mapping[str, SourceSettings]) -> Iterator[str]:
    feeds, page = found.feeds, found.page
    yield f"{format_count(len(feeds), 'feed')} at {page.asked}" if feeds else no_feed_message(found)
    for one in feeds:
        yield from ("", one.url, *(f"  {line}" for line in describe_feed(one, found, known)))
    others = [one for one in found.candidates if not one.report]
    failed = [(one.url, one.probe) for one in others if one.probe and (one.found_by != "guessed" or not feeds)]
    if failed:
        yield from ("", "no feeds:", *(f"  {url}: {failure_reason(probe)}" for url, probe in failed))
    unread = [f"  {one.url}" for one in others if not one.probe]
    if unread:
        yield from ("", "linked as well, and not read:", *unread)
    if not feeds and page.error and (hint := find_hint(page)):
        yield from ("", f"try: {hint}")


def no_feed_message(found: Discovery) -> str:
    page = found.page
    if page.response is None or (isinstance(page.found, NotAFeed) and page.found.reason.kind is FeedKind.BOT_WALL):
        return f"no feed found at {page.asked}: {failure_reason(page)}"
    linked = [one for one in found.candidates if one.found_by != "guessed"]
    words = "none that its page links can be read" if linked else "its page links none"
    guessed = any(one.found_by == "guessed" for one in found.candidates)
    return f"no feed found at {page.asked}: {words}" + (", and none is at the usual places" if guessed else "")


def describe_feed(one: FeedCandidate, found: Discovery, known: Mapping[str, SourceSettings]) -> Iterator[str]:
    report, probe = one.report, one.probe
    assert report and probe
    title = report.feed.title or one.title or "without a title"
    yield f"{title} ({WAYS[one.found_by]})"
    entries = format_count(len(report.feed.entries), "entry", "entries")
    yield f"{report.format}, {entries}, newest {newest_entry_age(report, probe.at)}, language {report.language}"
    yield from (f"note: {concern}" for concern in find_problems(report, probe.at))
    same = [other.url for other in found.candidates if other.same_as == one.url and other.url != one.url]
    if same:
        yield f"the same as {', '.join(same)}"
    if there := known.get(normalize_url(one.url)):
        yield f"in the settings as {there.source().name}"
    else:
        name, tag = default_name_and_language(report)
        options = [f" --name {quote(name)}"] if name else []
        options += [f" --language {quote(tag)}"] if tag else []
        yield f"add it: watcher sources add {quote(one.url)}{''.join(options)}"


def discovery_to_json(found: Discovery, known: Mapping[str, SourceSettings]) -> dict[str, Any]:
    page = found.page
    return {
        "url": page.asked,
        "page": {
            "url": page.response.url if page.response else None,
            "status": page.response.status if page.response else getattr(page.error, "status", None),
            "reason": failure_reason(page) if not page.report and not page.response else None,
        },
        "feeds": [
            {
                **select_fields(one, "url", "found_by", "same_as"),
                "title": report.feed.title,
                "entries": len(report.feed.entries),
                **select_fields(report, "format", "newest", "language"),
                "source": known[key].source().name if (key := normalize_url(one.url)) in known else None,
            }
            for one in found.candidates
            if (report := one.report)
        ],
        "others": [
            {"url": one.url, "found_by": one.found_by, "reason": failure_reason(one.probe) if one.probe else "not read"}
            for one in found.candidates
            if not one.report
        ],
    }
