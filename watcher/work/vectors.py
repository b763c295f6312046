"""Vectors for stored articles that have none of the embedder in use: after a poll, or when the embedder changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from watcher.features.embed import embedding_text
from watcher.store.articles import set_vectors, without_vector
from watcher.store.writer import Writer
from watcher.work import tasks
from watcher.work.pool import Pool

BATCH = 16  # texts a task: about a second on one core
AT_ONCE = 512  # articles read from the store in one go
EMBED_LIMIT_S = 120.0


async def make_vectors(
    writer: Writer,
    pool: Pool,
    setting: str | None,
    *,
    since: datetime | None = None,
    most: int = 100_000,
    done: Callable[[int], None] | None = None,
) -> int:
    """
    Embed up to `most` articles that lack a vector of the embedder `setting`, newest first; return how many were.

    Errors: PluginError if the embedder does not load, WorkerFailed if it hangs.
    """
    if setting is None:
        return 0
    made = 0
    model = await pool.run(tasks.embedder_name, setting, limit_s=EMBED_LIMIT_S)
    while made < most:
        rows = await writer.read(partial(without_vector, model=model, most=min(AT_ONCE, most - made), since=since))
        if not rows:
            break

        async def embed(part: tuple[tuple[str, str, str], ...]) -> None:
            texts = tuple(embedding_text(title, text) for _, title, text in part)
            vectors = await pool.run(tasks.embed, setting, texts, limit_s=EMBED_LIMIT_S)
            found = dict(zip((key for key, _, _ in part), vectors, strict=True))
            await writer.do(lambda c: set_vectors(c, found, model=model))
            if done is not None:
                done(len(part))

        await asyncio.gather(*(embed(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)))
        made += len(rows)
    return made
