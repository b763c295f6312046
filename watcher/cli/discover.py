"""`watcher sources discover` and `add`: find the feeds of a site and read them, and add one to the settings."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from shlex import quote
from typing import Annotated, Any

import typer

from watcher.cli.commands import DONE, FAILED, USAGE
from watcher.cli.inspect import candidate_urls, failure_reason, find_hint, find_problems, format_items, newest_entry_age
from watcher.cli.options import Config, Json, load_settings, settings_or_defaults, settings_path
from watcher.cli.output import print_err, print_lines, print_progress, print_result, select_fields
from watcher.cli.sources import add_row, sources_by_key
from watcher.errors import WatcherError
from watcher.failure_messages import FeedKind, HealthKind
from watcher.feeds.discover import is_comment_feed
from watcher.feeds.inspect import FeedReport, NotAFeed
from watcher.feeds.page import MIN_ITEMS, MIN_TITLE_LETTERS
from watcher.settings.edit import row_lines, source_row
from watcher.settings.models import Settings, SourceSettings
from watcher.settings.types import language_tag
from watcher.text.format import format_count
from watcher.text.language import UNKNOWN_LANGUAGE, primary_tag
from watcher.text.urls import normalize_url
from watcher.worker.inspect import Discovery, FeedCandidate, discover, open_prober

UNREADABLE_KINDS = (FeedKind.BOT_WALL, HealthKind.ASKED_AT)  # kinds of responses that are no page to look for links on
WAYS = {
    "itself": "the address itself is a feed",
    "platform": "the feed that the platform has for this address",
    "declared": "declared by the page",
    "linked": "linked from the page",
    "guessed": "at a common address",
    "sitemap": "a news sitemap that robots.txt names",
}


def discover_feeds(
    url: Annotated[str, typer.Argument(help="Address of the site, or of one of its pages.")],
    add: Annotated[bool, typer.Option("--add", help="Add the feed to the settings if exactly one is found.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Find and read the feeds of a site: those that the page links to or, if there are none, those at common addresses.

    Watcher makes one request at a time, with the pause of `[fetch] host_delay` between two requests.
    If there is no feed, Watcher suggests CSS selectors for the list of articles on the page. With these selectors in
    the settings, the page itself can be a source.
    Exit code 1 if nothing is found, 2 if `--add` finds several feeds.
    """
    path = settings_path(config) if add else None
    settings = settings_or_defaults(config)
    discovery = asyncio.run(_discover_with_progress(candidate_urls(url), settings))
    known = sources_by_key(settings)
    print_result(_discovery_to_json(discovery, known), _format_discovery(discovery, known, is_added=add), json=json)
    if path is not None and discovery.items:
        print_err(add_row(path, _list_row(discovery)))
    elif path is not None and discovery.feeds:
        if (row := _choose_only_feed(discovery, {})) is None:
            return USAGE
        print_err(add_row(path, row))
    return DONE if discovery.feeds or discovery.items else FAILED


def add_source(
    url: Annotated[str, typer.Argument(help="Address of the feed, or of its site.")],
    name: Annotated[str, typer.Option(help="Name of the outlet; by default the feed's title.")] = "",
    language: Annotated[str, typer.Option(help='Language of its articles, such as "fr"; by default detected.')] = "",
    country: Annotated[str, typer.Option(help='Country of the outlet, such as "FR".')] = "",
    section: Annotated[str, typer.Option(help="Section for its articles.")] = "",
    owner: Annotated[str, typer.Option(help="Owner of the outlet.")] = "",
    owner_kind: Annotated[str, typer.Option(help='Kind of owner, such as "public".')] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; can be given several times.")] = None,
    every: Annotated[str, typer.Option(help='Time between two polls, such as "1h".')] = "",
    full_text: Annotated[bool, typer.Option("--full-text", help="The feed contains full articles.")] = False,
    test: Annotated[bool, typer.Option(help="Read the feed first; --no-test skips this.")] = True,
    config: Config = None,
) -> int:
    """
    Read a feed and add it to the settings file as a source; comments in the file are kept.

    The address of a site works too if the site has one feed. If no feed is found, nothing is added: exit code 1.
    """
    path = settings_path(config)
    settings = load_settings(path)
    urls = candidate_urls(url)
    given: dict[str, Any] = {
        "name": name, "language": language, "country": country, "section": section, "owner": owner,
        "owner_kind": owner_kind, "tags": tuple(tag or ()), "every": every, "full_text": full_text,
    }  # fmt: skip
    row = source_row(**given | {"url": urls[0]})
    if not test or normalize_url(row.url) in sources_by_key(settings):
        print_lines([add_row(path, row)])
        return DONE
    discovery = asyncio.run(_discover_with_progress(urls, settings, as_page=False))
    if not discovery.feeds or not (discovery.page.response or discovery.page.report):
        message = f"{_no_feed_message(discovery)}; nothing was added (--no-test adds it without reading it)"
        command = f"watcher sources discover {quote(discovery.page.asked)} --add"
        hint = (
            f"{command} adds the page itself: it has a list of articles"
            if discovery.items
            else find_hint(discovery.page)
        )
        raise WatcherError(message, hint=hint)
    if (chosen := _choose_only_feed(discovery, given)) is None:
        print_lines(_format_discovery(discovery, sources_by_key(settings)))
        return USAGE
    print_lines([add_row(path, chosen)])
    return DONE


async def _discover_with_progress(urls: tuple[str, ...], settings: Settings, *, as_page: bool = True) -> Discovery:
    async with open_prober(settings, print_progress) as looker:
        return await discover(urls, looker, as_page=as_page)


def _choose_only_feed(found: Discovery, given: Mapping[str, Any]) -> SourceSettings | None:
    """Return a source of the one feed found, not of comments, with the fields `given`; say so and None for several."""
    feeds = [one for one in found.feeds if not is_comment_feed(one.url)] or found.feeds
    if len(feeds) > 1:
        print_err(f"found {len(feeds)} feeds and added none: choose one with a command shown here", label="error")
        return None
    report, probe = feeds[0].report, feeds[0].probe
    assert report and probe
    for problem in find_problems(report, probe.at):
        print_err(f"note: {problem}")
    name, tag = _default_name_and_language(report)
    fields = {"name": name, "language": language_tag(tag)} | {key: value for key, value in given.items() if value}
    return source_row(**fields | {"url": feeds[0].url})


def _default_name_and_language(report: FeedReport) -> tuple[str, str]:
    """Return name and language for a source with this feed, each "" if unknown."""
    stated, read = report.feed.language, report.language
    tag = stated if stated and primary_tag(stated) in (read, None) else read
    return report.feed.title[:200].strip(), "" if tag == UNKNOWN_LANGUAGE else tag


def _format_discovery(
    found: Discovery, known: Mapping[str, SourceSettings], *, is_added: bool = False
) -> Iterator[str]:
    """Yield the lines on what was found; with `is_added`, the list of articles is added next."""
    feeds, page = found.feeds, found.page
    yield f"{format_count(len(feeds), 'feed')} at {page.asked}" if feeds else _no_feed_message(found)
    for one in feeds:
        yield from ("", one.url, *(f"  {line}" for line in _describe_feed(one, found, known)))
    others = [one for one in found.candidates if not one.report]
    failed = [(one.url, one.probe) for one in others if one.probe and (one.found_by != "guessed" or not feeds)]
    if failed:
        yield from ("", "not feeds:", *(f"  {url}: {failure_reason(probe)}" for url, probe in failed))
    unread = [f"  {one.url}" for one in others if not one.probe]
    if unread:
        yield from ("", "also linked, but not read:", *unread)
    yield from format_list(found, known, is_added=is_added) if found.items else ()
    if not feeds and not found.items and page.response is not None:
        yield from _describe_missing_list(found)
    if not feeds and page.error and (hint := find_hint(page)):
        yield from ("", f"try: {hint}")


def _list_row(found: Discovery) -> SourceSettings:
    """Return a source of the page itself and its list of articles."""
    assert found.items
    name, tag = _default_name_and_language(found.items[1])
    return source_row(url=found.page.asked, name=name, language=language_tag(tag), **asdict(found.items[0]))


def _describe_missing_list(found: Discovery) -> Iterator[str]:
    """Yield what was looked for on the page itself, how much of it was seen, and how to name its list of articles."""
    yield ""
    yield (
        f"looked on the page itself for a list of articles: {MIN_ITEMS} elements or more with a selector in common,"
        f" each with a link to one article, whose title has {MIN_TITLE_LETTERS} letters or more"
    )
    count = format_count(found.listed, "item")
    yield f"the longest list that was seen has {count}" if found.listed else "no link to an article was seen"
    yield "if you see a list, name its items with a CSS selector in the settings, such as:"
    yield from ("", *row_lines(source_row(url=found.page.asked, items="article.card")), "")
    yield f"then see what it finds: watcher sources test {quote(found.page.asked)}"
    yield 'how to write selectors: docs/guides/sources.md, "An outlet without a feed"'


def format_list(found: Discovery, known: Mapping[str, SourceSettings], *, is_added: bool = False) -> Iterator[str]:
    """Yield the lines on the page itself as a source."""
    assert found.items
    is_known = normalize_url(found.page.asked) in known
    yield from ("", "the page has a list of articles, so it can be a source itself:", "", *row_lines(_list_row(found)))
    yield from ("", f"the first of {len(found.items[1].feed.entries)} items:")
    yield from (f"  {line}" for line in format_items(found.items[1]))
    if is_known:
        yield from ("", "it is a source already: put these selectors into its table")
    elif not is_added:
        yield from ("", "add it: repeat this with --add")


def _no_feed_message(found: Discovery) -> str:
    page = found.page
    if page.response is None or (isinstance(page.found, NotAFeed) and page.found.reason.kind in UNREADABLE_KINDS):
        return f"no feed found at {page.asked}: {failure_reason(page)}"
    linked = [one for one in found.candidates if one.found_by != "guessed"]
    words = "no feed that its page links to can be read" if linked else "its page links to none"
    guessed = any(one.found_by == "guessed" for one in found.candidates)
    return f"no feed found at {page.asked}: {words}" + (", and none is at a common address" if guessed else "")


def _describe_feed(one: FeedCandidate, found: Discovery, known: Mapping[str, SourceSettings]) -> Iterator[str]:
    report, probe = one.report, one.probe
    assert report and probe
    yield f"{report.feed.title or one.title or 'without a title'} ({WAYS[one.found_by]})"
    entries = format_count(len(report.feed.entries), "entry", "entries")
    yield f"{report.format}, {entries}, newest {newest_entry_age(report, probe.at)}, language {report.language}"
    yield from (f"note: {concern}" for concern in find_problems(report, probe.at))
    same = [other.url for other in found.candidates if other.same_as == one.url and other.url != one.url]
    if same:
        yield f"the same as {', '.join(same)}"
    if there := known.get(normalize_url(one.url)):
        yield f"in the settings as {there.source().name}"
    else:
        name, tag = _default_name_and_language(report)
        options = [f" --name {quote(name)}"] if name else []
        options += [f" --language {quote(tag)}"] if tag else []
        yield f"add it: watcher sources add {quote(one.url)}{''.join(options)}"


def _discovery_to_json(found: Discovery, known: Mapping[str, SourceSettings]) -> dict[str, Any]:
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
        "items": asdict(found.items[0]) if found.items else None,
        "listed": found.listed,
        "others": [
            {"url": one.url, "found_by": one.found_by, "reason": failure_reason(one.probe) if one.probe else "not read"}
            for one in found.candidates
            if not one.report
        ],
    }
