"""`watcher search`: the stored articles that match a query, newest first, each with its story."""

import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from typer import Argument, BadParameter, Option

from digests.render.localizer import find_language
from digests.settings.digests import digests_of, spoken_languages
from digests.store.editions import open_digests
from digests.store.stories import stories_of_articles
from digests.stories.meaning import MeaningSearch, search_by_meaning
from digests.translate.headlines import translate_headlines
from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, closing_store, load_settings, parse_time_option
from watcher.cli.output import print_json, print_lines, select_fields
from watcher.settings.models import Settings
from watcher.settings.types import country_code
from watcher.store.features import lacks_sketches, sketch_missing
from watcher.store.full_text import Filters
from watcher.store.search import Hit, SearchResult, count_missing, index_missing, search
from watcher.store.writer import read, write
from watcher.text.format import strip_control_characters
from watcher.text.plain_text import to_one_line
from watcher.text.search_query import Snippet, parse_query

FILLING_S = 3.0  # that a search spends on adding missing articles to the index
INDEX_SLICE = 100  # of them at a time: the daemon's own writes go in between
MAX_HITS_SHOWN = 1_000
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def search_articles(
    words: Annotated[
        list[str],
        Argument(help='Words to find; also "a phrase", this OR that, begin*, -exclude.', metavar="WORD"),
    ],
    since: Annotated[str | None, Option(help='Earliest time: an age such as "2d", or a date.', metavar="TIME")] = None,
    until: Annotated[str | None, Option(help='Latest time: an age such as "12h", or a date.', metavar="TIME")] = None,
    language: Annotated[str | None, Option("--language", help='Language, such as "fr" or "French".')] = None,
    country: Annotated[str | None, Option("--country", help='Country of the outlet, such as "FR".')] = None,
    outlet: Annotated[str | None, Option("--outlet", help="Words in the name of the outlet.")] = None,
    by_meaning: Annotated[bool, Option("--meaning", help="Find also what is near in meaning.")] = False,
    limit: Annotated[int, Option("--limit", min=1, max=MAX_HITS_SHOWN, help="Number of articles to show.")] = 10,
    offset: Annotated[int, Option("--offset", min=0, max=1_000_000, help="Number of articles to skip.")] = 0,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Search the stored articles, newest first. Case and accents do not matter.

    With --meaning, articles in any language of the embedder follow that are near to the query, the nearest first.

    Times are in the time zone of the first digest in the settings. The exit code is 1 if nothing is found.
    """
    settings = load_settings(config)
    zone = ZoneInfo(digests_of(settings)[0].timezone)
    query = parse_query(" ".join(words))
    if not query.groups:
        raise BadParameter("expected a word to search for", param_hint="WORDS")
    filters = Filters(
        **_parse_period(since, until, zone),
        language=parse_language(language, settings),
        country=country,
        outlet=outlet,
    )
    if country and not country_code(country):
        raise BadParameter(f'got "{country}", expected a code such as "FR"', param_hint="--country")
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        not_indexed = fill_index(engine, by_meaning=by_meaning)
        result = read(engine, search, query, filters=filters, limit=limit, offset=offset)
        known = {hit.id for hit in result.hits}
        near: list[Hit] = []
        if by_meaning:
            meaning = MeaningSearch(settings)
            text = " ".join(words)
            near = read(engine, search_by_meaning, meaning, text, filters=filters, limit=limit, known=known)
        story_of_article = read(engine, stories_of_articles, [hit.id for hit in (*result.hits, *near)])
        translated = translate_headlines(settings, engine, near)
    if json:
        values = _hits_to_json(result, story_of_article, not_indexed)
        more = [_hit_to_json(hit, story_of_article) | {"translated_title": translated.get(hit.id)} for hit in near]
        print_json(values | ({"by_meaning": more} if by_meaning else {}), links=True)
    else:
        _print_hits(result, story_of_article, zone, not_indexed)
        if by_meaning:
            print_lines(["", "near in meaning:" if near else "nothing else is near in meaning"])
        for hit in near:
            _print_hit(hit, story_of_article, zone, translated.get(hit.id, ""))
    return DONE if result.hits or near else FAILED


def _parse_period(since: str | None, until: str | None, zone: ZoneInfo) -> dict[str, datetime | None]:
    """Return the times between which articles are searched, as arguments of `Filters`. Errors: BadParameter."""
    now = datetime.now(UTC)
    return {
        "since": parse_time_option(since, option="--since", now=now, zone=zone),
        "until": parse_time_option(until, option="--until", now=now, zone=zone),
    }


def parse_language(language: str | None, settings: Settings) -> str | None:
    """Return the tag of a language given by tag or name; None for none. Errors: BadParameter."""
    tag = find_language(language, spoken_languages(settings)) if language else ""
    if language and not tag:
        raise BadParameter(f'got "{language}", expected a language such as "fr" or "French"', param_hint="--language")
    return tag or None


def fill_index(engine: Engine, *, by_meaning: bool) -> int:
    """Index articles that are not indexed yet, for at most `FILLING_S`; return how many are left to find by words."""
    until = time.monotonic() + FILLING_S
    by_words = (count_missing, index_missing)
    for is_missing, make in (by_words, (lacks_sketches, sketch_missing)) if by_meaning else (by_words,):
        while read(engine, is_missing) and time.monotonic() < until:
            write(engine, make, limit=INDEX_SLICE)
    return read(engine, count_missing)


def _hits_to_json(
    result: SearchResult, story_of_article: Mapping[str, tuple[str, str]], not_indexed: int
) -> dict[str, Any]:
    """
    Return what `--json` prints of a search by words.

    Args:
        story_of_article: By article id, the id and the headline of its story.
        not_indexed: The number of articles that the search could not look at.
    """
    return {
        "hits": [_hit_to_json(hit, story_of_article) for hit in result.hits],
        "has_more": result.has_more,
        "stopped_at": result.stopped_at,
        "not_indexed": not_indexed,
    }


def _hit_to_json(hit: Hit, story_of_article: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return (
        select_fields(hit, "id", "title", "url", "outlet", "language", "country", "published_at")
        | dict(zip(("story", "headline"), story_of_article.get(hit.id, (None, None)), strict=True))
        | {"snippet": hit.snippet.text, "marks": hit.snippet.marks}
    )


def _print_hits(
    result: SearchResult, story_of_article: Mapping[str, tuple[str, str]], zone: tzinfo, not_indexed: int
) -> None:
    for hit in result.hits:
        _print_hit(hit, story_of_article, zone)
    print_lines(_format_ending(result, zone, not_indexed))


def _print_hit(hit: Hit, story_of_article: Mapping[str, tuple[str, str]], zone: tzinfo, translated: str = "") -> None:
    """Print one article that matches; `story_of_article` has the id and headline of its story by article id."""
    at = hit.published_at.astimezone(zone)
    about = f"{at:%Y-%m-%d %H:%M}  {to_one_line(hit.outlet, 60)} ({hit.language}): {to_one_line(hit.title, 200)}"
    story, headline = story_of_article.get(hit.id, ("", ""))
    lines = [f"  translated: {translated}"] if translated else []
    lines.append(f"  {to_one_line(hit.url, 300)}  {story}".rstrip())
    lines += [f"  in {story} “{to_one_line(headline, 200)}”"] if story and headline not in hit.title else []
    print_lines([about, *lines], links=True)
    sys.stdout.write(f"  {bold(hit.snippet)}\n" if hit.snippet.text else "")


def bold(snippet: Snippet) -> str:
    """Return a snippet for a terminal, without control characters; matches are bold if it is a terminal."""
    if not sys.stdout.isatty():
        return strip_control_characters(snippet.text)
    pieces = ((strip_control_characters(piece), is_marked) for piece, is_marked in snippet.pieces())
    return "".join(f"{BOLD}{piece}{PLAIN}" if is_marked else piece for piece, is_marked in pieces)


def _format_ending(result: SearchResult, zone: tzinfo, not_indexed: int) -> Iterator[str]:
    """Yield what the list of matches leaves open: more of them, where the search stopped, articles not indexed yet."""
    if not result.hits:
        yield "no articles found"
    if result.has_more:
        yield "there are more; use --limit and --offset to see them"
    if result.stopped_at:
        at = result.stopped_at.astimezone(zone)
        yield f"stopped at {at:%Y-%m-%d %H:%M}: many articles have these words, but not as a phrase; go on with --until"
    if not_indexed:
        yield f"older articles not indexed yet: {not_indexed}; a running daemon does this in the background"
