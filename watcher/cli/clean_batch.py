"""Many pages in one run: drafts made in worker processes, site memories learnt from them, results in order."""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import threading
import time
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from tempfile import TemporaryFile
from types import FrameType
from typing import BinaryIO, TypeVar

from watcher.clean.article import PageExtract, extract_page, finish_article
from watcher.clean.site_memory import MAX_PAGES, SiteMemory, build_site_memory
from watcher.errors import CleanError
from watcher.model import ExtractedArticle
from watcher.text.urls import host_of

MIN_PARALLEL_PAGES = 8  # pages that are not worth starting processes for
CHUNK = 4  # pages that go to a worker at a time
AHEAD = 3  # chunks a worker that are read before they are asked for
PAGE_LIMIT_S = 20.0  # seconds a page may take; the slowest of real pages takes one
MEMORIES_CACHED = 128  # sites whose memory is held at a time
BYTE_ORDER_MARK = "\ufeff"  # of byte order: some programs begin a file with it
PREFIXES = ("www.", "m.", "amp.", "mobile.")
GC_THRESHOLD = 50_000  # made between looks for garbage: a page makes that many, and hardly a circle among them

Result = dict[str, object]
Line = tuple[int, str]  # its number from 1, its text


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDraft:
    """A page without its HTML: the draft, pickled, or why there is none."""

    id: object
    url: str
    page: bytes = b""
    hashes: bytes = b""  # of its blocks, 8 bytes each
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is no page."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRef:
    """A page between its draft and its result: where its draft stands in the file of drafts."""

    id: object
    url: str
    reason: str
    start: int
    size: int


def clean_pages(lines: Iterable[str], *, workers: int | None = None) -> Iterator[Result | BadLine]:
    """
    Yield the faults of `lines`, then a result for each page, in order.

    Drafts wait in a file until all are there, so that the memory that a run takes does not grow with its pages.

    Args:
        workers: How many processes at most, by default one a processor.
    """
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    pages: list[DraftRef] = []
    sites = _Sites()
    with TemporaryFile() as file:
        for drafted in _drafts(numbered, workers or os.cpu_count() or 1):
            if isinstance(drafted, BadLine):
                yield drafted
                continue
            pages.append(_keep(file, drafted))
            sites.add(drafted)
        for kept in pages:
            yield _result(kept, file, sites.memory(_site(kept.url)))


class _Sites:
    """What the pages of a run say of their sites; the memory of a site is learnt when it is asked for."""

    def __init__(self) -> None:
        self._hashes: dict[str, list[array[int]]] = defaultdict(list)
        self.memory = lru_cache(maxsize=MEMORIES_CACHED)(self._learn)

    def add(self, drafted: PageDraft) -> None:
        """Note the blocks of a page."""
        if drafted.hashes and len(site := self._hashes[_site(drafted.url)]) < MAX_PAGES:
            site.append(array("Q", drafted.hashes))

    def _learn(self, site: str) -> SiteMemory | None:
        # A page's own blocks do not count against it: `SiteMemory.repeats` leaves out what is nearly the same article.
        pages = self._hashes.get(site, [])
        return build_site_memory(map(tuple, pages)) if len(pages) > 1 else None


def _keep(file: BinaryIO, drafted: PageDraft) -> DraftRef:
    start = file.tell()
    file.write(drafted.page)
    return DraftRef(id=drafted.id, url=drafted.url, reason=drafted.reason, start=start, size=len(drafted.page))


def _site(url: str) -> str:
    host = host_of(url)
    return next((host.removeprefix(prefix) for prefix in PREFIXES if host.startswith(prefix)), host)


def _result(kept: DraftRef, file: BinaryIO, memory: SiteMemory | None) -> Result:
    result: Result = {"id": kept.id, "url": kept.url, "title": "", "text": ""}
    if not kept.size:
        return result | {"error": kept.reason}
    file.seek(kept.start)
    page: PageExtract = pickle.loads(file.read(kept.size))  # of our own making, in a file without a name
    return result | article_to_dict(page, finish_article(page, memory=memory))


def article_to_dict(page: PageExtract, cleaned: ExtractedArticle) -> Result:
    """Return an article as JSON has it."""
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


def _drafts(lines: Iterator[Line], workers: int) -> Iterator[PageDraft | BadLine]:
    first = list(islice(lines, MIN_PARALLEL_PAGES))
    if workers < 2 or len(first) < MIN_PARALLEL_PAGES:
        yield from map(_draft, chain(first, lines))
        return
    gc.collect()
    gc.freeze()  # what is loaded now stays, and workers need not look at it
    pool = _Pool(workers)
    waiting: deque[tuple[list[Line], Future[list[PageDraft | BadLine]]]] = deque()
    try:
        rest = chain(first, lines)
        while chunk := list(islice(rest, CHUNK)):
            waiting.append((chunk, pool.submit(chunk)))
            if len(waiting) >= AHEAD * workers:
                yield from _outcome(*waiting.popleft())
        while waiting:
            yield from _outcome(*waiting.popleft())
    finally:
        pool.close()


class _Pool:
    """Worker processes; a pool that broke is built anew."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = ProcessPoolExecutor(workers, initializer=_begin)

    def submit(self, chunk: list[Line]) -> Future[list[PageDraft | BadLine]]:
        try:
            return self._pool.submit(_draft_all, chunk)
        except BrokenProcessPool:
            self._pool = ProcessPoolExecutor(self._workers, initializer=_begin)
            return self._pool.submit(_draft_all, chunk)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _outcome(chunk: list[Line], future: Future[list[PageDraft | BadLine]]) -> list[PageDraft | BadLine]:
    """Return the drafts of a chunk; where its process died (with others that waited there), each line gets its own."""
    try:
        return future.result()
    except BrokenProcessPool:
        return [_alone(line) for line in chunk]


def _alone(line: Line) -> PageDraft | BadLine:
    try:
        with ProcessPoolExecutor(1, initializer=_begin) as alone:
            return alone.submit(_draft, line).result()
    except BrokenProcessPool:
        pass
    page = _page(line)
    if isinstance(page, BadLine):
        return page
    return PageDraft(id=page["id"], url=_url(page), reason="the process that read the page died, or hung and was ended")


def _begin() -> None:
    """Set up a worker."""
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    start_watchdog()


def _draft_all(chunk: list[Line]) -> list[PageDraft | BadLine]:
    return [_draft(line) for line in chunk]


def _draft(line: Line) -> PageDraft | BadLine:
    page = _page(line)
    if isinstance(page, BadLine):
        return page
    url, html = _url(page), str(page["html"])
    try:
        made = call_with_timeout(lambda: extract_page(html, url=url), PAGE_LIMIT_S)
    except CleanError as error:
        return PageDraft(id=page["id"], url=url, reason=str(error.reason))
    except TimeoutError:
        return PageDraft(id=page["id"], url=url, reason=f"reading the page took more than {PAGE_LIMIT_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - one page must not stop the others; what it was stands in its line
        return PageDraft(id=page["id"], url=url, reason=f"{type(error).__name__}: {error}")
    packed = pickle.dumps(made, pickle.HIGHEST_PROTOCOL)
    return PageDraft(id=page["id"], url=url, page=packed, hashes=array("Q", made.hashes).tobytes())


def _page(line: Line) -> Result | BadLine:
    """Return the page that a line holds."""
    number, text = line
    try:
        page = json.loads(text.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:
        return BadLine(line=number, reason=str(error))
    if not isinstance(page, dict) or "id" not in page or not isinstance(page.get("html"), str):
        return BadLine(line=number, reason="an object {id, url, html} was expected")
    return page


def _url(page: Result) -> str:
    return str(page.get("url") or "")


T = TypeVar("T")
GRACE_S = 5.0  # seconds behind the alarm after which a process that did not hear it is ended
WATCHDOG_S = 0.5  # seconds between two looks of the watch
EXIT_CODE = 70
ENDS_AT: list[float] = []  # of this process: when the call that it is at must have ended


def call_with_timeout(call: Callable[[], T], limit_s: float) -> T:
    """Return what `call` returns; TimeoutError if it takes longer, where the system has alarms."""
    if not hasattr(signal, "setitimer"):
        return call()

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    ENDS_AT.append(time.monotonic() + limit_s + GRACE_S)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        ENDS_AT.pop()
        signal.signal(signal.SIGALRM, before)


def start_watchdog() -> None:
    """Start the watch of this process, a worker: it ends it where an alarm is not heard."""
    threading.Thread(target=_look, daemon=True).start()


def _look() -> None:
    while True:
        time.sleep(WATCHDOG_S)
        if any(time.monotonic() > end for end in tuple(ENDS_AT)):
            os._exit(EXIT_CODE)
