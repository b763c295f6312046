"""Cleans many pages in one run: extracts them in worker processes, builds site memories, yields results in order."""

import asyncio
import gc
import json
import os
import pickle
from array import array
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from tempfile import TemporaryFile

from watcher.clean.article import PageExtract, extract_page, finish_article
from watcher.clean.site_memory import MAX_PAGES, SiteMemory, build_site_memory
from watcher.errors import CleanError
from watcher.model import ExtractedArticle
from watcher.text.urls import host_of
from watcher.worker.process_pool import Pool, WorkerFailed

AHEAD = 8  # pages for each worker that are submitted in advance
PAGE_LIMIT_S = 20.0  # time limit for one page; the slowest real pages take one second
MEMORIES_CACHED = 128  # of sites
BYTE_ORDER_MARK = "\ufeff"  # some programs write it at the start of a file
PREFIXES = ("www.", "m.", "amp.", "mobile.")
GC_THRESHOLD = 50_000  # objects between two collections: a page creates so many, with almost no reference cycles

Result = dict[str, object]


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


async def clean_pages(lines: Iterable[str]) -> AsyncIterator[Result | BadLine]:
    """Yield the bad lines, then a result for each page, in order."""
    # A temporary file keeps the extracts until all are complete, so that memory does not grow with the pages.
    stored: list[tuple[ExtractedPage, int, int]] = []  # start and size of the extract in the file
    hashes: dict[str, list[array[int]]] = defaultdict(list)  # of the blocks of each page, by site

    @lru_cache(maxsize=MEMORIES_CACHED)
    def site_memory(site: str) -> SiteMemory | None:
        # A page's own blocks do not count as repeated: `find_repeated` ignores versions of the same article.
        return build_site_memory(map(tuple, hashes[site])) if len(hashes[site]) > 1 else None

    with TemporaryFile() as file:
        async for draft in draft_pages(lines):
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
                yield result | article_to_dict(page, finish_article(page, memory=site_memory(site_of(draft.url))))
            else:
                yield result | {"error": draft.reason}


def site_of(url: str) -> str:
    """Return the host of a URL without a prefix such as "www."."""
    host = host_of(url)
    return next((host.removeprefix(prefix) for prefix in PREFIXES if host.startswith(prefix)), host)


def article_to_dict(page: PageExtract, cleaned: ExtractedArticle) -> Result:
    published = page.metadata.published_at  # in the time zone of the page, so that the day is the one it shows
    head, tail = ("url", "title", "text"), ("agency", "dateline", "language", "image", "section", "kind")
    return {
        **{name: getattr(cleaned, name) for name in head},
        "published": published.isoformat() if published else None,
        "modified": cleaned.modified_at.isoformat() if cleaned.modified_at else None,
        "authors": list(cleaned.authors),
        **{name: getattr(cleaned, name) for name in tail},
        "truncated": cleaned.is_truncated,
        "removed": [{"rule": cut.rule, "text": cut.text} for cut in cleaned.removed],
    }


async def draft_pages(lines: Iterable[str]) -> AsyncIterator[ExtractedPage | BadLine]:
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
            waiting.append(asyncio.create_task(draft_in_pool(pool, page)))
            await asyncio.sleep(0)  # hands the page to the pool
            if len(waiting) >= AHEAD * workers:
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


async def draft_in_pool(pool: Pool, page: Result) -> ExtractedPage:
    """Extract a page in a worker process; if that process fails or takes too long, `reason` says so."""
    draft = ExtractedPage(id=page["id"], url=str(page["url"]))
    try:
        return await pool.run(draft_page, draft, str(page["html"]), limit_s=PAGE_LIMIT_S)
    except WorkerFailed as error:
        return replace(draft, reason=f"cleaning the page {error}")


def draft_page(draft: ExtractedPage, html: str) -> ExtractedPage:
    try:
        extract = extract_page(html, url=draft.url)
    except CleanError as error:
        return replace(draft, reason=str(error.reason))
    except Exception as error:  # noqa: BLE001 - one page must not stop the others; its line has the error
        return replace(draft, reason=f"{type(error).__name__}: {error}")
    packed = pickle.dumps(extract, pickle.HIGHEST_PROTOCOL)
    return replace(draft, page=packed, hashes=array("Q", extract.hashes).tobytes())
