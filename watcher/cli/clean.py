"""`watcher clean`: extracts the article of one page, or of many pages given as JSON lines."""

import asyncio
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from importlib.resources import files
from io import TextIOWrapper
from pathlib import Path
from textwrap import shorten, wrap
from typing import Annotated, Any, TextIO

from sqlalchemy import make_url
from typer import Argument, Option

from watcher.clean.article import PageExtract, extract_page, finish_article, unselected_blocks
from watcher.clean.site_memory import SiteMemory, build_site_memory
from watcher.clean.site_rules import load_user_rules
from watcher.cli.clean_batch import BadLine, article_to_dict, clean_pages
from watcher.cli.commands import DONE, PARTLY, USAGE
from watcher.cli.options import Config, Json, closing_store, settings_or_defaults, with_examples
from watcher.cli.output import dump_json, print_err, print_json, print_lines
from watcher.cli.sources import read_file_or_stdin
from watcher.model import ExtractedArticle, NotModified, RemovedBlock, Response
from watcher.net.client import ACCEPT_PAGE
from watcher.settings.models import Settings
from watcher.store.articles import load_site_blocks
from watcher.store.engine import open_store
from watcher.store.writer import read
from watcher.text.encoding import decode_page
from watcher.text.urls import host_of, is_web
from watcher.worker.context import client_for

MAX_FILE = 64 * 1024 * 1024  # bytes of one page
NO_URL = "https://page.invalid/"
WRAPPING: dict[str, Any] = {"width": 100, "break_long_words": False, "break_on_hyphens": False}
REMOVED_CHARS = 84  # characters of a removed text
REMOVED_SHOWN = 6  # texts shown for each rule; the others are counted


@with_examples(
    "watcher clean https://example.org/news/1",
    "watcher clean https://example.org/news/1 --explain",
    "watcher clean page.html --url https://example.org/news/1 --json",
    "watcher clean --jsonl < pages.jsonl > articles.jsonl",
)
def clean(
    page: Annotated[str, Argument(metavar="[URL|FILE]", help="The page; - is standard input.")] = "",
    url: Annotated[str, Option(help="URL that the page in a file came from.")] = "",
    explain: Annotated[
        bool, Option("--explain", help="Show where each part comes from, and which rule removed what.")
    ] = False,
    jsonl: Annotated[bool, Option("--jsonl", help="Read JSON lines {id, url, html}; write a line for each.")] = False,
    json: Json = False,
    config: Config = None,
) -> int:
    """Print the article of a page. With --jsonl, read many pages, and remove the text that repeats on a site."""
    if jsonl:
        piped = page in ("", "-")
        if isinstance(sys.stdin, TextIOWrapper):  # whatever the encoding of the terminal
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        with nullcontext(sys.stdin) if piped else Path(page).open(encoding="utf-8", errors="replace") as lines:
            return asyncio.run(clean_lines(lines, sys.stdout))
    if not page:
        print_err("watcher clean needs a page: a URL, a file, - for standard input, or --jsonl")
        return USAGE
    settings = settings_or_defaults(config)
    if is_web(page):
        answer = asyncio.run(fetch_page(page, settings))
        html, url = decode_page(answer.body, answer.header("content-type")), answer.url
    else:
        html, url = decode_page(read_file_or_stdin(Path(page), MAX_FILE), None), url or NO_URL
    sites = load_user_rules(settings.path)
    memory = None if url == NO_URL else load_site_memory(url, settings)
    extract = extract_page(html, url=url, sites=sites)
    article = finish_article(extract, memory=memory)
    if json:
        print_json(article_to_dict(extract, article), links=True)
    elif explain:
        left_out = unselected_blocks(html, url=url, sites=sites)
        print_lines([format_explanation(extract, article, left_out)], links=True)
    else:
        print_lines([article.title, "", article.text], links=True)
    return DONE


async def fetch_page(url: str, settings: Settings) -> Response:
    """Fetch a page with the request settings of the daemon. Errors: FetchError."""
    async with client_for(settings.fetch) as client:
        answer = await client.get(url, accept=ACCEPT_PAGE)
    assert not isinstance(answer, NotModified)  # the request was not conditional
    return answer


def load_site_memory(url: str, settings: Settings) -> SiteMemory | None:
    """Return the site memory for a page from the store, as the daemon uses it; None if there is no store."""
    place = make_url(settings.store.url)
    if settings.path is None or (place.get_backend_name() == "sqlite" and not Path(place.database or "").exists()):
        return None
    with closing_store(open_store(settings.store.url)) as engine:
        return build_site_memory(read(engine, load_site_blocks, host_of(url)))


async def clean_lines(lines: Iterable[str], out: TextIO) -> int:
    """Read all `lines`, a page's JSON each, then write a line for each article; return 3 if one was no page, else 0."""
    # Repeated blocks are found over all pages of a site, so all input is read before the first line is written.
    faults = 0
    async for result in clean_pages(lines):
        if isinstance(result, BadLine):
            print_err(f"line {result.line}: not a page: {result.reason}")
            faults += 1
        else:
            out.write(dump_json(result) + "\n")
    return PARTLY if faults else DONE


def format_explanation(page: PageExtract, cleaned: ExtractedArticle, left_out: Iterable[RemovedBlock]) -> str:
    """Return a readable report on cleaning a page; `left_out` are the blocks that were never part of the text."""
    lines = [*article_fields(page, cleaned), ""]
    for block in cleaned.blocks:
        first = {"h": "## ", "li": "- ", "quote": "> "}.get(block.kind, "")
        rest = first if block.kind == "quote" else " " * len(first)
        lines += [*wrap(block.text, initial_indent=first, subsequent_indent=rest, **WRAPPING), ""]
    letters = sum(len(block.text) for block in cleaned.blocks)
    lines.append(f"Kept: {letters:,} characters in {len(cleaned.blocks)} paragraphs.")
    lines += format_removed("Removed from the text", cleaned.removed)
    lines += format_removed("Not part of the text", left_out)
    return "\n".join(lines)


def article_fields(page: PageExtract, cleaned: ExtractedArticle) -> Iterator[str]:
    sources = dict(page.metadata.sources)
    published = page.metadata.published_at or cleaned.published_at
    said = {
        "title": cleaned.title,
        "url": cleaned.url,
        "published": published.isoformat(" ", "minutes") if published else None,
        "modified": cleaned.modified_at.isoformat(" ", "minutes") if cleaned.modified_at else None,
        "authors": ", ".join(cleaned.authors),
        "agency": cleaned.agency,
        "dateline": cleaned.dateline,
        "language": cleaned.language,
        "section": cleaned.section,
        "image": cleaned.image,
        "kind": f"{cleaned.kind}, truncated" if cleaned.is_truncated else cleaned.kind,
    }
    for name, value in said.items():
        if value:
            source = f"   (from {sources[name]})" if name in sources else ""
            yield f"{name:>9}  {value}{source}"


def format_removed(heading: str, found: Iterable[RemovedBlock]) -> Iterator[str]:
    rules: dict[str, list[str]] = {}
    for cut in found:
        rules.setdefault(cut.rule, []).append(cut.text)
    if not rules:
        return
    yield from ("", f"{heading}:")
    words = load_rule_words()
    for rule, texts in rules.items():
        yield f"  {rule}: {words[rule]}" if rule in words else f"  {rule}"
        yield from (f"    | {shorten(text, REMOVED_CHARS, placeholder=' …')}" for text in texts[:REMOVED_SHOWN])
        if len(texts) > REMOVED_SHOWN:
            yield f"    | and {len(texts) - REMOVED_SHOWN} more"


def load_rule_words() -> dict[str, str]:
    return tomllib.loads((files("watcher.cli") / "rule_words.toml").read_text("utf-8"))
