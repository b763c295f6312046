"""Many pages in one run: drafts made in worker processes, site memories learnt from them, results in order."""

from __future__ import annotations

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

AHEAD = 8  # pages a worker that are read before they are asked for
PAGE_LIMIT_S = 20.0  # the slowest of real pages takes one second
MEMORIES_CACHED = 128  # of sites
BYTE_ORDER_MARK = "\ufeff"  # some programs begin a file with it
PREFIXES = ("www.", "m.", "amp.", "mobile.")
GC_THRESHOLD = 50_000  # objects between two collections: a page makes that many, and hardly a circle among them

Result = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedPage:
    """A page without its HTML: the extract, pickled, or why there is none."""

    id: object
    url: str
    page: bytes = b""
    hashes: bytes = b""  # of its blocks, 8 bytes each
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that could not be read."""

    line: int
    reason: str


async def clean_pages(lines: Iterable[str]) -> AsyncIterator[Result | BadLine]:
    """
    Yield what is wrong with `lines`, then a result for each page, in order.

    Drafts wait in a file until all are there, so that the memory that a run takes does not grow with its pages.
    """
    stored: list[tuple[ExtractedPage, int, int]] = []  # without the extract, which is in the file: start and size
    sites = SiteMemories()
    with TemporaryFile() as file:
        async for draft in draft_pages(lines):
            if isinstance(draft, BadLine):
                yield draft
                continue
            sites.add(draft)
            stored.append((replace(draft, page=b"", hashes=b""), file.tell(), len(draft.page)))
            file.write(draft.page)
        for draft, start, size in stored:
            result: Result = {"id": draft.id, "url": draft.url, "title": "", "text": ""}
            if size:
                file.seek(start)
                page: PageExtract = pickle.loads(file.read(size))  # of our own making, in a file without a name
                yield result | article_to_dict(page, finish_article(page, memory=sites.memory(site_of(draft.url))))
            else:
                yield result | {"error": draft.reason}


class SiteMemories:
    """What the pages of a run say of their sites; the memory of a site is built when it is asked for."""

    def __init__(self) -> None:
        self._hashes: dict[str, list[array[int]]] = defaultdict(list)
        self.memory = lru_cache(maxsize=MEMORIES_CACHED)(self._build)

    def add(self, draft: ExtractedPage) -> None:
        if draft.hashes and len(site := self._hashes[site_of(draft.url)]) < MAX_PAGES:
            site.append(array("Q", draft.hashes))

    def _build(self, site: str) -> SiteMemory | None:
        # A page's own blocks do not count against it: `SiteMemory.repeats` leaves out what is nearly the same article.
        pages = self._hashes.get(site, [])
        return build_site_memory(map(tuple, pages)) if len(pages) > 1 else None


def site_of(url: str) -> str:
    """Return the host of a URL without what is put before a site's name."""
    host = host_of(url)
    return next((host.removeprefix(prefix) for prefix in PREFIXES if host.startswith(prefix)), host)


def article_to_dict(page: PageExtract, cleaned: ExtractedArticle) -> Result:
    published = page.metadata.published_at  # in the page's own zone: the day that its readers saw
    return {
        "url": cleaned.url,
        "title": cleaned.title,
        "text": cleaned.text,
        "published": published.isoformat() if published else None,
        "modified": cleaned.modified_at.isoformat() if cleaned.modified_at else None,
        "authors": list(cleaned.authors),
        "agency": cleaned.agency,
        "dateline": cleaned.dateline,
        "language": cleaned.language,
        "image": cleaned.image,
        "section": cleaned.section,
        "kind": cleaned.kind,
        "truncated": cleaned.is_truncated,
        "removed": [{"rule": cut.rule, "text": cut.text} for cut in cleaned.removed],
    }


async def draft_pages(lines: Iterable[str]) -> AsyncIterator[ExtractedPage | BadLine]:
    """Yield lines that are no pages at once, and a draft of each page, in order, made in worker processes."""
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
    """Return the page that a line holds. Errors: ValueError, RecursionError."""
    page = json.loads(line.removeprefix(BYTE_ORDER_MARK))
    if not isinstance(page, dict) or "id" not in page or not isinstance(page.get("html"), str):
        raise ValueError("an object {id, url, html} was expected")
    return page | {"url": str(page.get("url") or "")}


async def draft_in_pool(pool: Pool, page: Result) -> ExtractedPage:
    """Return the draft of a page, or what became of the process that made it."""
    draft = ExtractedPage(id=page["id"], url=str(page["url"]))
    try:
        return await pool.run(draft_page, draft, str(page["html"]), limit_s=PAGE_LIMIT_S)
    except WorkerFailed as error:
        return replace(draft, reason=f"reading the page {error}")


def draft_page(draft: ExtractedPage, html: str) -> ExtractedPage:
    try:
        extract = extract_page(html, url=draft.url)
    except CleanError as error:
        return replace(draft, reason=str(error.reason))
    except Exception as error:  # noqa: BLE001 - one page must not stop the others; what it was stands in its line
        return replace(draft, reason=f"{type(error).__name__}: {error}")
    packed = pickle.dumps(extract, pickle.HIGHEST_PROTOCOL)
    return replace(draft, page=packed, hashes=array("Q", extract.hashes).tobytes())
