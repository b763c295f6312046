"""`watcher clean`: the article in a page, or in many pages given as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from watcher.cli.app import DONE, PARTLY, USAGE, Config, Json, examples
from watcher.cli.output import print_json, print_lines, say
from watcher.text.urls import is_web

if TYPE_CHECKING:
    from watcher.clean.site_memory import SiteMemory
    from watcher.clean.sites.rules import SiteRules
    from watcher.model import Response
    from watcher.settings.model import Settings

MAX_FILE = 64 * 1024 * 1024  # bytes of one page
NO_URL = "https://page.invalid/"


@examples(
    "watcher clean https://example.org/news/1",
    "watcher clean https://example.org/news/1 --explain",
    "watcher clean page.html --url https://example.org/news/1 --json",
    "watcher clean --jsonl < pages.jsonl > articles.jsonl",
)
def command(
    page: Annotated[str, typer.Argument(metavar="[URL|FILE]", help="The page, - for standard input.")] = "",
    url: Annotated[str, typer.Option(help="Where the page in a file came from.")] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Show where each part was read, and what went by which rule.")
    ] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Read {id, url, html} lines, write a line for each.")] = False,
    json: Json = False,
    config: Config = None,
) -> int:
    """Print the article in a page; with --jsonl, of many pages, which learn from each other what repeats on a site."""
    if jsonl:
        with _opened(Path(page) if page else None) as lines:
            return clean_lines(lines, sys.stdout)
    if not page:
        say("watcher clean needs a page: a URL, a file, - for standard input, or --jsonl")
        return USAGE
    import asyncio

    from watcher.clean.decode import decode
    from watcher.clean.sites.book import own_rules
    from watcher.cli.looking import settings_or_defaults
    from watcher.cli.sources import existing_file

    settings = settings_or_defaults(config)
    if is_web(page):
        answer = asyncio.run(fetched(page, settings))
        html, url = decode(answer.body, answer.header("content-type")), answer.url
    else:
        html, url = decode(existing_file(Path(page), MAX_FILE), None), url or NO_URL
    sites = own_rules(settings.path)
    memory = None if url == NO_URL else memory_of(url, settings)
    show(html, url, memory, sites, explain=explain, as_json=json)
    return DONE


def show(
    html: str, url: str, memory: SiteMemory | None, sites: tuple[SiteRules, ...], *, explain: bool, as_json: bool
) -> None:
    """Print the article of a page, as the daemon would have it without its feed. Errors: CleanError."""
    from watcher.clean.article import extract_page, finish_article, unselected_blocks
    from watcher.cli.batch import fields_of
    from watcher.cli.explain import explained

    page = extract_page(html, url=url, sites=sites)
    cleaned = finish_article(page, memory=memory)
    if as_json:
        print_json(fields_of(page, cleaned), links=True)
    elif explain:
        print_lines([explained(page, cleaned, unselected_blocks(html, url=url, sites=sites))], links=True)
    else:
        print_lines([cleaned.title, "", cleaned.text], links=True)


async def fetched(url: str, settings: Settings) -> Response:
    """Return the page at a URL, asked for as the daemon would. Errors: FetchError."""
    from watcher.errors import FetchError
    from watcher.model import NotModified
    from watcher.net.client import ACCEPT_PAGE, Client
    from watcher.work.tools import user_agent

    fetch = settings.fetch
    async with Client(
        user_agent=user_agent(fetch.contact),
        timeout_s=fetch.timeout.total_seconds(),
        deadline_s=fetch.deadline.total_seconds(),
        max_bytes=fetch.max_bytes,
        allow_private=fetch.allow_private,
    ) as client:
        answer = await client.get(url, accept=ACCEPT_PAGE)
    if isinstance(answer, NotModified):
        raise FetchError(url, "says that it has not changed, though nothing was said of an earlier answer")
    return answer


def memory_of(url: str, settings: Settings) -> SiteMemory | None:
    """Return what the store knows of a page's site, as the daemon would use it; None where there is no store."""
    from sqlalchemy import make_url

    from watcher.clean.site_memory import build_site_memory
    from watcher.store.articles import site_blocks
    from watcher.store.open import open_store
    from watcher.text.urls import host_of

    place = make_url(settings.store.url)
    if settings.path is None or (place.get_backend_name() == "sqlite" and not Path(place.database or "").exists()):
        return None
    engine = open_store(settings.store.url)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            return build_site_memory(site_blocks(connection, host_of(url)))
    finally:
        engine.dispose()


def clean_lines(lines: Iterable[str], out: TextIO, err: TextIO | None = None) -> int:
    """
    Write one JSON line for each page of `lines` and return the exit code: 3 if a line could not be read, else 0.

    Pages of one site learn from each other: all are read before the first is written.
    """
    from watcher.cli.batch import Fault, run

    told = err or sys.stderr
    faults = 0
    for result in run(lines):
        if isinstance(result, Fault):
            told.write(f"line {result.line}: not a page: {result.reason}\n")
            faults += 1
        else:
            out.write(as_line(result) + "\n")
    return PARTLY if faults else DONE


def as_line(result: object) -> str:
    """Return a result as JSON on one line, in ASCII where it holds what UTF-8 cannot: a lone surrogate."""
    line = json.dumps(result, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(result)
    return line


class _opened:
    """The lines of a file, or of standard input where there is none."""

    def __init__(self, file: Path | None) -> None:
        self.file = None if file is None or str(file) == "-" else file.open(encoding="utf-8", errors="replace")

    def __enter__(self) -> Iterator[str]:
        return iter(self.file or sys.stdin)

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()
