"""`watcher clean`: extracts the article of one page, or of many pages given as JSON lines."""

import asyncio
import gc
import json
import os
import pickle
import sys
from array import array
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import shorten, wrap
from typing import Annotated, Any, TextIO

from sqlalchemy import make_url
from typer import Argument, Option

from watcher.clean.article import PageExtract, extract_page, finish_article, unselected_blocks
from watcher.clean.site_memory import MAX_PAGES, SiteMemory, build_site_memory
from watcher.clean.site_rules import load_user_rules
from watcher.cli.commands import DONE, PARTLY, USAGE
from watcher.cli.options import Config, Json, closing_store, settings_or_defaults
from watcher.cli.output import dump_json, print_err, print_json, print_lines, select_fields
from watcher.cli.sources import read_file_or_stdin
from watcher.errors import CleanError
from watcher.model import ExtractedArticle, NotModified, RemovedBlock, Response
from watcher.net.client import ACCEPT_PAGE
from watcher.settings.models import Settings
from watcher.store.articles import load_site_blocks
from watcher.store.engine import open_store
from watcher.store.writer import read
from watcher.text.encoding import BYTE_ORDER_MARK, decode_page
from watcher.text.toml_data import load_toml
from watcher.text.urls import host_of, is_web
from watcher.worker.context import client_for
from watcher.worker.process_pool import Pool, WorkerFailed

MAX_PAGE_BYTES = 64 * 1024 * 1024
NO_URL = "https://page.invalid/"
TEXT_WRAPPING: dict[str, Any] = {"width": 100, "break_long_words": False, "break_on_hyphens": False}
REMOVED_CHARS = 84  # characters of a removed text
REMOVED_SHOWN = 6  # texts shown for each rule; the others are counted
PAGES_AHEAD = 8  # pages for each worker that are submitted in advance
PAGE_LIMIT_S = 20.0  # time limit for one page; the slowest real pages take one second
MEMORIES_CACHED = 128  # of sites
PREFIXES = ("www.", "m.", "amp.", "mobile.")
GC_THRESHOLD = 50_000  # objects between two collections: a page creates so many, with almost no reference cycles

Result = dict[str, object]


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
    """Print the article on a page. With --jsonl, read many pages, and remove the text that repeats on a site."""
    if jsonl:
        piped = page in ("", "-")
        if isinstance(sys.stdin, TextIOWrapper):  # whatever the encoding of the terminal
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        with nullcontext(sys.stdin) if piped else Path(page).open(encoding="utf-8", errors="replace") as lines:
            return asyncio.run(_clean_lines(lines, sys.stdout))
    if not page:
        print_err("watcher clean needs a page: a URL, a file, - for standard input, or --jsonl")
        return USAGE
    settings = settings_or_defaults(config)
    if is_web(page):
        answer = asyncio.run(fetch_page(page, settings))
        html, url = decode_page(answer.body, answer.header("content-type")), answer.url
    else:
        html, url = decode_page(read_file_or_stdin(Path(page), MAX_PAGE_BYTES), None), url or NO_URL
    sites = load_user_rules(settings.path)
    memory = None if url == NO_URL else load_site_memory(url, settings)
    extract = extract_page(html, url=url, sites=sites)
    article = finish_article(extract, memory=memory)
    if json:
        print_json(_article_to_dict(extract, article), links=True)
    elif explain:
        print_lines([_format_explanation(extract, article, unselected_blocks(html, url=url, sites=sites))], links=True)
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


async def _clean_lines(lines: Iterable[str], out: TextIO) -> int:
    """Read all `lines`, a page's JSON each, then write a line for each article; return 3 if one was no page, else 0."""
    # Repeated blocks are found over all pages of a site, so all input is read before the first line is written.
    faults = 0
    async for result in _clean_pages(lines):
        if isinstance(result, BadLine):
            print_err(f"line {result.line}: not a page: {result.reason}")
            faults += 1
        else:
            out.write(dump_json(result) + "\n")
    return PARTLY if faults else DONE


def _format_explanation(page: PageExtract, cleaned: ExtractedArticle, left_out: Iterable[RemovedBlock]) -> str:
    """Return a readable report on cleaning a page; `left_out` are the blocks that were never part of the text."""
    lines = [*_article_fields(page, cleaned), ""]
    for block in cleaned.blocks:
        first = {"h": "## ", "li": "- ", "quote": "> "}.get(block.kind, "")
        rest = first if block.kind == "quote" else " " * len(first)
        lines += [*wrap(block.text, initial_indent=first, subsequent_indent=rest, **TEXT_WRAPPING), ""]
    letters = sum(len(block.text) for block in cleaned.blocks)
    lines.append(f"Kept: {letters:,} characters in {len(cleaned.blocks)} paragraphs.")
    lines += _format_removed("Removed from the text", cleaned.removed)
    lines += _format_removed("Not part of the text", left_out)
    return "\n".join(lines)


def _article_fields(page: PageExtract, cleaned: ExtractedArticle) -> Iterator[str]:
    """Yield a line for each stated field of an article, with where in the page it was found."""
    sources = dict(page.metadata.sources)
    published = page.metadata.published_at or cleaned.published_at
    stated = {
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
    for name, value in stated.items():
        if value:
            source = f"   (from {sources[name]})" if name in sources else ""
            yield f"{name:>9}  {value}{source}"


def _format_removed(heading: str, removed: Iterable[RemovedBlock]) -> Iterator[str]:
    """Yield what was removed from a page, grouped by the rule that removed it."""
    rules: dict[str, list[str]] = {}
    for cut in removed:
        rules.setdefault(cut.rule, []).append(cut.text)
    if not rules:
        return
    yield from ("", f"{heading}:")
    words = load_toml("watcher.cli", "rule_words.toml")
    for rule, texts in rules.items():
        yield f"  {rule}: {words[rule]}" if rule in words else f"  {rule}"
        yield from (f"    | {shorten(text, REMOVED_CHARS, placeholder=' …')}" for text in texts[:REMOVED_SHOWN])
        if len(texts) > REMOVED_SHOWN:
            yield f"    | and {len(texts) - REMOVED_SHOWN} more"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedPage:
    """The pickled `PageExtract` of a page, or the reason why there is none."""

    id: object
    url: str
    page: bytes = b""
    hashes: bytes = b""  # of its blocks, 8 bytes each
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """An input line that could not be parsed; `line` counts from 1."""

    line: int
    reason: str


async def _clean_pages(lines: Iterable[str]) -> AsyncIterator[Result | BadLine]:
    """Yield the bad lines, then a result for each page, in order."""
    # A temporary file keeps the extracts until all are complete, so that memory does not grow with the pages.
    stored: list[tuple[ExtractedPage, int, int]] = []  # start and size of the extract in the file
    hashes: dict[str, list[array[int]]] = defaultdict(list)  # of the blocks of each page, by site

    @lru_cache(maxsize=MEMORIES_CACHED)
    def site_memory(site: str) -> SiteMemory | None:
        # A page's own blocks do not count as repeated: `find_repeated` ignores versions of the same article.
        return build_site_memory(map(tuple, hashes[site])) if len(hashes[site]) > 1 else None

    with TemporaryFile() as file:
        async for draft in _draft_pages(lines):
            if isinstance(draft, BadLine):
                yield draft
                continue
            if draft.hashes and len(pages := hashes[site_of(draft.url)]) < MAX_PAGES:
                pages.append(array("Q", draft.hashes))
            stored.append((replace(draft, page=b"", hashes=b""), file.tell(), len(draft.page)))
            file.write(draft.page)
        for draft, start, size in stored:
            result: Result = {"id": draft.id, "url": draft.url, "title": "", "text": ""}
            if size:
                file.seek(start)
                page: PageExtract = pickle.loads(file.read(size))  # safe: pickled by this process, in an anonymous file
                yield result | _article_to_dict(page, finish_article(page, memory=site_memory(site_of(draft.url))))
            else:
                yield result | {"error": draft.reason}


def site_of(url: str) -> str:
    """Return the host of a URL without a prefix such as "www."."""
    host = host_of(url)
    return next((host.removeprefix(prefix) for prefix in PREFIXES if host.startswith(prefix)), host)


def _article_to_dict(page: PageExtract, cleaned: ExtractedArticle) -> Result:
    """Return an article for JSON."""
    published = page.metadata.published_at  # in the time zone of the page, so that the day is the one it shows
    return {
        **select_fields(cleaned, "url", "title", "text"),
        "published": published.isoformat() if published else None,
        "modified": cleaned.modified_at.isoformat() if cleaned.modified_at else None,
        "authors": list(cleaned.authors),
        **select_fields(cleaned, "agency", "dateline", "language", "image", "section", "kind"),
        "truncated": cleaned.is_truncated,
        "removed": [{"rule": cut.rule, "text": cut.text} for cut in cleaned.removed],
    }


async def _draft_pages(lines: Iterable[str]) -> AsyncIterator[ExtractedPage | BadLine]:
    """Yield bad lines at once, and the extract of each page in order, computed in worker processes."""
    workers = os.cpu_count() or 1
    pool = Pool(workers, load=partial(gc.set_threshold, GC_THRESHOLD, 20, 20))
    waiting: deque[asyncio.Task[ExtractedPage]] = deque()
    try:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                page = parse_page(line)
            except (ValueError, RecursionError) as error:
                yield BadLine(line=number, reason=str(error))
                continue
            waiting.append(asyncio.create_task(_draft_in_pool(pool, page)))
            await asyncio.sleep(0)  # hands the page to the pool
            if len(waiting) >= PAGES_AHEAD * workers:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        pool.close()


def parse_page(line: str) -> Result:
    """Parse the page in a line. Errors: ValueError, RecursionError."""
    page = json.loads(line.removeprefix(BYTE_ORDER_MARK))
    if not isinstance(page, dict) or "id" not in page or not isinstance(page.get("html"), str):
        raise ValueError("expected an object {id, url, html}")
    return page | {"url": str(page.get("url") or "")}


async def _draft_in_pool(pool: Pool, page: Result) -> ExtractedPage:
    """Extract a page in a worker process; if that process fails or takes too long, `reason` says so."""
    draft = ExtractedPage(id=page["id"], url=str(page["url"]))
    try:
        return await pool.run(_draft_page, draft, str(page["html"]), limit_s=PAGE_LIMIT_S)
    except WorkerFailed as error:
        return replace(draft, reason=f"cleaning the page {error}")


def _draft_page(draft: ExtractedPage, html: str) -> ExtractedPage:
    """Return a page as extracted, or with the reason why that failed; it is packed to pass between processes."""
    try:
        extract = extract_page(html, url=draft.url)
    except CleanError as error:
        return replace(draft, reason=str(error.reason))
    except Exception as error:  # noqa: BLE001 - one page must not stop the others; its line has the error
        return replace(draft, reason=f"{type(error).__name__}: {error}")
    packed = pickle.dumps(extract, pickle.HIGHEST_PROTOCOL)
    return replace(draft, page=packed, hashes=array("Q", extract.hashes).tobytes())
