"""`watcher sources discover` and `add`: find the feeds of a site and read them, and add one to the settings."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from shlex import quote
from typing import Annotated, Any

import typer

from watcher.cli.commands import DONE, FAILED, USAGE
from watcher.cli.inspect import find_hint, format_items
from watcher.cli.options import Config, Json, load_settings, settings_or_defaults, settings_path
from watcher.cli.output import print_err, print_lines, print_progress, print_result, select_fields
from watcher.cli.sources import add_row
from watcher.errors import WatcherError
from watcher.feeds.page import MIN_ITEMS, MIN_TITLE_LETTERS
from watcher.settings.edit import row_lines, source_row, sources_by_key
from watcher.settings.models import Settings, SourceSettings
from watcher.text.format import format_count
from watcher.text.urls import normalize_url
from watcher.worker.inspect import Discovery, FeedCandidate, discover, open_prober
from watcher.worker.proposals import (
    WAYS,
    candidate_urls,
    default_name_and_language,
    describe_entries,
    failure_reason,
    feed_row,
    feeds_of_articles,
    find_problems,
    list_row,
    no_feed_message,
)


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
        print_err(add_row(path, list_row(discovery)))
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
        message = f"{no_feed_message(discovery)}; nothing was added (--no-test adds it without reading it)"
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


def _choose_only_feed(discovery: Discovery, given: Mapping[str, Any]) -> SourceSettings | None:
    """Return a source of the one feed found, not of comments, with the fields `given`; say so and None for several."""
    feeds = feeds_of_articles(discovery)
    if len(feeds) > 1:
        print_err(f"found {len(feeds)} feeds and added none: choose one with a command shown here", label="error")
        return None
    report, probe = feeds[0].report, feeds[0].probe
    assert report and probe
    for problem in find_problems(report, probe.at):
        print_err(f"note: {problem}")
    return feed_row(feeds[0], given)


def _format_discovery(
    discovery: Discovery, known: Mapping[str, SourceSettings], *, is_added: bool = False
) -> Iterator[str]:
    """Yield the lines on what was found; with `is_added`, the list of articles is added next."""
    feeds, page = discovery.feeds, discovery.page
    yield f"{format_count(len(feeds), 'feed')} at {page.asked}" if feeds else no_feed_message(discovery)
    for feed in feeds:
        yield from ("", feed.url, *(f"  {line}" for line in _describe_feed(feed, discovery, known)))
    others = [candidate for candidate in discovery.candidates if not candidate.report]
    failed = [
        (other.url, other.probe) for other in others if other.probe and (other.found_by != "guessed" or not feeds)
    ]
    if failed:
        yield from ("", "not feeds:", *(f"  {url}: {failure_reason(probe)}" for url, probe in failed))
    unread = [f"  {other.url}" for other in others if not other.probe]
    if unread:
        yield from ("", "also linked, but not read:", *unread)
    yield from format_list(discovery, known, is_added=is_added) if discovery.items else ()
    if not feeds and not discovery.items and page.response is not None:
        yield from _describe_missing_list(discovery)
    if not feeds and page.error and (hint := find_hint(page)):
        yield from ("", f"try: {hint}")


def _describe_missing_list(discovery: Discovery) -> Iterator[str]:
    """Yield what was looked for on the page itself, how much of it was seen, and how to name its list of articles."""
    yield ""
    yield (
        f"looked on the page itself for a list of articles: {MIN_ITEMS} elements or more with a selector in common,"
        f" each with a link to one article, whose title has {MIN_TITLE_LETTERS} letters or more"
    )
    if (seen := discovery.refused) is None:
        yield "the page took too long to read"
    elif seen.count:
        yield f'the longest list that was seen, "{seen.items}", has {format_count(seen.count, "item")}: {seen.reason}'
    else:
        yield f"no list was seen on this page: {seen.reason}"
    if seen and not seen.items:
        yield "if you see a list there, a script writes it, and Watcher runs no scripts; try another page of the site"
        return
    yield "if you see a list, name its items with a CSS selector in the settings, such as:"
    yield from ("", *row_lines(source_row(url=discovery.page.asked, items=seen.items if seen else "article")), "")
    yield f"then see what it finds: watcher sources test {quote(discovery.page.asked)}"
    yield 'how to write selectors: docs/guides/sources.md, "An outlet without a feed"'


def format_list(discovery: Discovery, known: Mapping[str, SourceSettings], *, is_added: bool = False) -> Iterator[str]:
    """Yield the lines on the page itself as a source."""
    assert discovery.items
    is_known = normalize_url(discovery.page.asked) in known
    yield from (
        "",
        "the page has a list of articles, so it can be a source itself:",
        "",
        *row_lines(list_row(discovery)),
    )
    yield from ("", f"the first of {len(discovery.items[1].feed.entries)} items:")
    yield from (f"  {line}" for line in format_items(discovery.items[1]))
    if is_known:
        yield from ("", "it is a source already: put these selectors into its table")
    elif not is_added:
        yield from ("", "add it: repeat this with --add")


def _describe_feed(
    candidate: FeedCandidate, discovery: Discovery, known: Mapping[str, SourceSettings]
) -> Iterator[str]:
    """Yield the lines on one feed: title, entries, problems, and how to add it."""
    report, probe = candidate.report, candidate.probe
    assert report and probe
    yield f"{report.feed.title or candidate.title or 'without a title'} ({WAYS[candidate.found_by]})"
    yield describe_entries(report, probe.at)
    yield from (f"note: {concern}" for concern in find_problems(report, probe.at))
    same = [
        other.url for other in discovery.candidates if other.same_as == candidate.url and other.url != candidate.url
    ]
    if same:
        yield f"the same as {', '.join(same)}"
    if there := known.get(normalize_url(candidate.url)):
        yield f"in the settings as {there.source().name}"
    else:
        name, tag = default_name_and_language(report)
        options = [f" --name {quote(name)}"] if name else []
        options += [f" --language {quote(tag)}"] if tag else []
        yield f"add it: watcher sources add {quote(candidate.url)}{''.join(options)}"


def _discovery_to_json(discovery: Discovery, known: Mapping[str, SourceSettings]) -> dict[str, Any]:
    """Return what was found at an address, for JSON; `known` are the sources of the settings by normalised URL."""
    page = discovery.page
    return {
        "url": page.asked,
        "page": {
            "url": page.response.url if page.response else None,
            "status": page.response.status if page.response else getattr(page.error, "status", None),
            "reason": failure_reason(page) if not page.report and not page.response else None,
        },
        "feeds": [
            {
                **select_fields(candidate, "url", "found_by", "same_as"),
                "title": report.feed.title,
                "entries": len(report.feed.entries),
                **select_fields(report, "format", "newest", "language"),
                "source": known[key].source().name if (key := normalize_url(candidate.url)) in known else None,
            }
            for candidate in discovery.candidates
            if (report := candidate.report)
        ],
        "items": asdict(discovery.items[0]) if discovery.items else None,
        "listed": discovery.refused.count if discovery.refused else 0,
        "others": [
            {
                "url": candidate.url,
                "found_by": candidate.found_by,
                "reason": failure_reason(candidate.probe) if candidate.probe else "not read",
            }
            for candidate in discovery.candidates
            if not candidate.report
        ],
    }
