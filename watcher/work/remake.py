"""Features made anew from the stored text where a newer Watcher makes others: newest first, a slice at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from watcher.model import FEATURES_VERSION
from watcher.store.features import outdated, set_features
from watcher.store.writer import Writer
from watcher.work import tasks
from watcher.work.pool import Pool

SLICE = 32  # articles a task: a tenth of a second, so that a page never waits long for the worker
AT_ONCE = 512  # articles read from the store in one go
LIMIT_S = 60.0


async def remake_features(
    writer: Writer,
    pool: Pool,
    *,
    version: str = FEATURES_VERSION,
    since: datetime | None = None,
    share: str = "",
    most: int = 100_000,
    done: Callable[[int], None] = lambda n: None,
) -> int:
    """
    Make the features of up to `most` articles anew that are not of `version`, newest first; return how many were.

    One slice after another, so that one worker at most is taken; their vectors stay.
    """
    made = 0
    while made < most:
        slice_of = partial(outdated, version=version, since=since, share=share)
        rows = await writer.read(partial(slice_of, most=min(AT_ONCE, most - made)))
        if not rows:
            break
        for start in range(0, len(rows), SLICE):
            part = rows[start : start + SLICE]
            packed = await pool.run(tasks.features_of, part, limit_s=LIMIT_S)
            await writer.do(partial(set_features, made=packed))
            made += len(part)
            done(len(part))
    return made
