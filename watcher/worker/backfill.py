"""Backfill of stored articles: missing vectors, and features of an older version. Any node may run these tasks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from watcher.errors import EmbedderError, StoreError, WatcherError
from watcher.failure_messages import Reason, TaskKind
from watcher.features.embedders import EmbedderConfig
from watcher.store import features as stored
from watcher.store.daemon_lock import free_lock, take_lock
from watcher.store.features import ArticleRows, EmbedderState
from watcher.store.writer import Writer
from watcher.worker import tasks
from watcher.worker.process_pool import Pool, WorkerFailed

if TYPE_CHECKING:
    from watcher.worker.context import WorkerContext

AT_ONCE = 512  # articles read from the store at once
NO_TEXT_TAKEN = 3  # refused texts, while none was accepted: then the embedder is at fault
BACKFILL_SLICE = 32  # articles per task: a tenth of a second, so that a page never waits long for the worker
FEATURES_LIMIT_S = 60.0
VECTORS, FEATURES = "vectors", "features"
VECTORS_AT_ONCE = 256  # articles per run
FEATURES_AT_ONCE = 2_048  # articles per run: a few seconds of one worker
UNLIMITED = 1_000_000  # articles: more than a week brings


async def embed_missing(
    writer: Writer,
    pool: Pool,
    choice: EmbedderConfig | None,
    *,
    since: datetime | None = None,
    id_prefix: str = "",
    limit: int = UNLIMITED,
    done: Callable[[int], None] = lambda n: None,
) -> int:
    """
    Embed up to `limit` articles without a vector of the embedder `choice`, newest first; return how many were done.

    If the embedder refuses a text but accepts others, the text is marked as refused, and not given to it again.

    Errors: PluginError if the embedder does not load, EmbedderError if it makes no vectors, WorkerFailed if it hangs.
    """
    if choice is None:
        await writer.do(stored.record_embedder, None)
        return 0
    name = await writer.read(stored.embedder_name, choice.store_key)
    try:
        name = await pool.run(tasks.embedder_name, choice, limit_s=choice.limit_s)
        await writer.do(stored.record_embedder, EmbedderState(setting=choice.store_key, name=name))
        size = await writer.read(stored.vector_bytes, model=name)
        run = EmbedRun(writer=writer, pool=pool, choice=choice, name=name, size=size, done=done)
        while run.made < limit:
            count, lacks = min(AT_ONCE, limit - run.made), stored.lacks_vector(name)
            rows = await writer.read(stored.newest_articles, lacks, limit=count, since=since, prefix=id_prefix)
            if not rows:
                break
            await run.embed(rows)
    except StoreError:
        raise
    except WatcherError as error:
        failure = error
        if isinstance(error, WorkerFailed):  # whose reason does not name the embedder
            failure = WorkerFailed(Reason(TaskKind.EMBEDDING, embedder=name or choice.setting, why=error.reason))
        await writer.do(
            stored.record_embedder, EmbedderState(setting=choice.store_key, name=name, trouble=str(failure))
        )
        if failure is error:
            raise
        raise failure from error
    return run.made


@dataclass(slots=True, kw_only=True)
class EmbedRun:
    """One run: embeds a few slices at a time, and stops at a failure that is not caused by a text."""

    writer: Writer
    pool: Pool
    choice: EmbedderConfig
    name: str
    size: int | None  # of this model's vectors in bytes; None until there is one
    done: Callable[[int], None]
    made: int = 0
    refused: dict[str, WatcherError] = field(default_factory=dict)

    async def embed(self, rows: ArticleRows) -> None:
        """Store a vector for each of `rows`, or mark it as refused. Raises the first error that no text caused."""
        slots, batch = asyncio.Semaphore(self.pool.workers), self.choice.batch

        async def embed_part(part: ArticleRows) -> None:
            await slots.acquire()
            await self._try(part)
            slots.release()  # not after a failure: no further slice begins

        self.refused.clear()
        try:
            async with asyncio.TaskGroup() as group:
                for start in range(0, len(rows), batch):
                    group.create_task(embed_part(rows[start : start + batch]))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if self.refused and not self.made:  # it accepts no text at all
            raise next(iter(self.refused.values()))
        if self.refused:
            await self.writer.do(stored.set_vectors, dict.fromkeys(self.refused), model=self.name)
            self.made += len(self.refused)

    async def _try(self, part: ArticleRows) -> None:
        """Embed a slice; if a text may have caused a failure, embed its halves in turn to find that text."""
        try:
            await self._embed_slice(part)
        except (WorkerFailed, EmbedderError) as error:
            if isinstance(error, EmbedderError) and not error.caused_by_input:
                raise
            if len(part) > 1:
                await self._try(part[: len(part) // 2])
                await self._try(part[len(part) // 2 :])
                return
            self.refused[part[0][0]] = error
            if not self.made and len(self.refused) >= NO_TEXT_TAKEN:
                raise

    async def _embed_slice(self, part: ArticleRows) -> None:
        """Embed a slice and store its vectors. Errors: EmbedderError if they differ in size from the stored ones."""
        from watcher.features.extract import embedding_text  # late: loads numpy and tables of words

        texts = tuple(embedding_text(title, text, model=self.name) for _, title, text, _ in part)
        vectors = await self.pool.run(tasks.embed, self.choice, texts, limit_s=self.choice.limit_s)
        self.size = self.size or len(vectors[0])
        if other_size := next((len(vector) for vector in vectors if len(vector) != self.size), None):
            dimensions, dimensions_before = other_size // 2, self.size // 2  # a number takes two bytes
            message = f'embedder "{self.name}" returned {dimensions} dimensions, but {dimensions_before} before'
            hint = "give the new model another name"
            if self.choice.endpoint:
                hint = f"set [semantic.endpoint] dimensions = {dimensions} to embed all articles again"
            fault = EmbedderError(message, permanent=True)
            fault.hint = f"another model has the same name now; {hint}"
            raise fault
        vectors_by_id = dict(zip((row[0] for row in part), vectors, strict=True))
        await self.writer.do(stored.set_vectors, vectors_by_id, model=self.name)
        self.made += len(part)
        self.done(len(part))


async def rebuild_features(
    writer: Writer, pool: Pool, *, since: datetime | None = None, id_prefix: str = "", limit: int = UNLIMITED
) -> int:
    """Rebuild features of an older version slice by slice, newest first; return the number of articles."""
    rebuilt = 0
    while rebuilt < limit:
        count = min(AT_ONCE, limit - rebuilt)
        is_old = stored.has_old_version()
        rows = await writer.read(stored.newest_articles, is_old, limit=count, since=since, prefix=id_prefix)
        if not rows:
            break
        for start in range(0, len(rows), BACKFILL_SLICE):
            part = rows[start : start + BACKFILL_SLICE]
            await writer.do(stored.set_features, await pool.run(tasks.pack_features, part, limit_s=FEATURES_LIMIT_S))
            rebuilt += len(part)
    return rebuilt


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundTask:
    """
    A task that several processes do together on PostgreSQL.

    `wanted` returns the keys of the parts to do now: beginnings of articles' ids. `do` does one part.
    """

    name: str
    wanted: Callable[[], Awaitable[Sequence[str]]]
    do: Callable[[str], Awaitable[None]]


async def run_shared(task: BackgroundTask, engine: Engine) -> None:
    """Do the wanted parts of a task, in random order, except those that other processes are doing."""
    keys = await task.wanted()
    for key in random.sample(keys, len(keys)):
        lock = await asyncio.to_thread(take_lock, engine, f"{task.name}/{key}")
        if lock is not None:
            try:
                await task.do(key)
            finally:
                await asyncio.to_thread(free_lock, lock)


def builtin_tasks(context: Callable[[], WorkerContext], *, since: datetime | None = None) -> dict[str, BackgroundTask]:
    """
    Return the tasks of this module by name; `context` returns the current context, as settings may change.

    Each run does some articles, or with `since`, all from then on; of those in its part.
    """

    # Its name is known; that of another version of its package, after a restart, is not.
    last_used: EmbedderConfig | None = None

    async def old_features() -> tuple[str, ...]:
        return await context().writer.read(stored.id_prefixes, stored.has_old_version())

    async def rebuild(id_prefix: str) -> None:
        most = FEATURES_AT_ONCE if since is None else UNLIMITED
        await rebuild_features(context().writer, context().pool, since=since, id_prefix=id_prefix, limit=most)

    async def missing_vectors() -> tuple[str, ...]:
        """Return which parts of the articles lack vectors, as prefixes of their ids."""
        writer, choice = context().writer, context().embedder
        if choice is None:
            return ()
        name = await writer.read(stored.embedder_name, choice.store_key)
        prefixes = await writer.read(stored.id_prefixes, stored.lacks_vector(name))
        return prefixes if name else prefixes[:1]  # until the first has found out the embedder's name

    async def embed(id_prefix: str) -> None:
        """Embed those articles without a vector whose ids begin with `id_prefix`."""
        nonlocal last_used
        most, tools = VECTORS_AT_ONCE if since is None else UNLIMITED, context()
        choice = tools.embedder
        key = choice.store_key if choice else None
        if choice == last_used and not await tools.writer.read(stored.has_backlog, setting=key):
            return  # without a look at the model, so that its process can end
        await embed_missing(tools.writer, tools.vector_pool, choice, since=since, id_prefix=id_prefix, limit=most)
        last_used = choice

    return {
        FEATURES: BackgroundTask(name=FEATURES, wanted=old_features, do=rebuild),
        VECTORS: BackgroundTask(name=VECTORS, wanted=missing_vectors, do=embed),
    }
