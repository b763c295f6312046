"""Many pages in one run: drafts made in worker processes, site memories learnt from them, results in order."""

from __future__ import annotations

import os
import signal
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from types import FrameType

from watcher.clean.article import Draft, draft, finish
from watcher.clean.memory import MAX_PAGES, Hashes, SiteMemory, learn
from watcher.errors import CleanError
from watcher.text.urls import host_of

FEW = 8  # pages that are not worth starting processes for
AHEAD = 8  # pages a worker that are read before they are asked for
LIMIT_S = 20.0  # seconds a page may take; the slowest of real pages takes one
PREFIXES = ("www.", "m.", "amp.", "mobile.")

Result = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One line of the input."""

    id: object
    url: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A job without its HTML: the draft, or why there is none."""

    id: object
    url: str
    page: Draft | None
    reason: str = ""


def run(jobs: Iterable[Job], *, workers: int | None = None) -> Iterator[Result]:
    """Yield one result a job, in order. `workers` is how many processes at most, by default one a processor."""
    drafts = list(_drafts(iter(jobs), workers or os.cpu_count() or 1))
    hashes: dict[str, list[Hashes]] = defaultdict(list)
    for drafted in drafts:
        if drafted.page is not None and len(hashes[_site(drafted.url)]) < MAX_PAGES:
            hashes[_site(drafted.url)].append(drafted.page.hashes)
    # A page's own blocks do not count against it: `SiteMemory.repeats` leaves out what is nearly the same article.
    memories = {site: learn(pages) for site, pages in hashes.items() if len(pages) > 1}
    for drafted in drafts:
        yield _result(drafted, memories.get(_site(drafted.url)))


def _site(url: str) -> str:
    host = host_of(url)
    return next((host.removeprefix(prefix) for prefix in PREFIXES if host.startswith(prefix)), host)


def _result(drafted: Drafted, memory: SiteMemory | None) -> Result:
    result: Result = {"id": drafted.id, "url": drafted.url, "title": "", "text": ""}
    if drafted.page is None:
        return result | {"error": drafted.reason}
    cleaned = finish(drafted.page, memory=memory)
    published = drafted.page.metadata.published_at  # in the page's own zone: the day that its readers saw
    return {
        "id": drafted.id,
        "url": cleaned.url,
        "title": cleaned.title,
        "text": cleaned.text,
        "published": published.isoformat() if published else None,
        "authors": list(cleaned.authors),
        "agency": cleaned.agency,
        "dateline": cleaned.dateline,
        "language": cleaned.language,
        "image": cleaned.image,
        "section": cleaned.section,
        "kind": cleaned.kind,
        "removed": [{"rule": cut.rule, "text": cut.text} for cut in cleaned.removed],
    }


def _drafts(jobs: Iterator[Job], workers: int) -> Iterator[Drafted]:
    first = list(islice(jobs, FEW))
    if workers < 2 or len(first) < FEW:
        yield from map(_draft, chain(first, jobs))
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting: deque[tuple[Job, Future[Drafted]]] = deque()
        for job in chain(first, jobs):
            waiting.append((job, _submit(pool, job)))
            if len(waiting) >= AHEAD * workers:
                yield _outcome(*waiting.popleft())
        while waiting:
            yield _outcome(*waiting.popleft())


def _submit(pool: ProcessPoolExecutor, job: Job) -> Future[Drafted]:
    try:
        return pool.submit(_draft, job)
    except BrokenProcessPool as error:
        broken: Future[Drafted] = Future()
        broken.set_exception(error)
        return broken


def _outcome(job: Job, future: Future[Drafted]) -> Drafted:
    """Return a draft; a job whose process died (with others that waited there) gets a process of its own."""
    try:
        return future.result()
    except BrokenProcessPool:
        pass
    try:
        with ProcessPoolExecutor(1) as alone:
            return alone.submit(_draft, job).result()
    except BrokenProcessPool:
        return Drafted(id=job.id, url=job.url, page=None, reason="the process that read the page died")


def _draft(job: Job) -> Drafted:
    try:
        page = _limited(lambda: draft(job.html, url=job.url))
    except CleanError as error:
        return Drafted(id=job.id, url=job.url, page=None, reason=error.reason)
    except TimeoutError:
        return Drafted(id=job.id, url=job.url, page=None, reason=f"reading the page took more than {LIMIT_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - one page must not stop the others; what it was stands in its line
        return Drafted(id=job.id, url=job.url, page=None, reason=f"{type(error).__name__}: {error}")
    return Drafted(id=job.id, url=job.url, page=page)


def _limited(call: Callable[[], Draft]) -> Draft:
    """Return what `call` returns; TimeoutError if it takes longer than `LIMIT_S`, where the system has alarms."""
    if not hasattr(signal, "setitimer"):
        return call()

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
