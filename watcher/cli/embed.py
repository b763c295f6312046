"""Embeds recent articles for a command, and prints why some are not embedded."""

from collections.abc import Callable
from datetime import datetime

from watcher.cli.output import print_err
from watcher.errors import StoreError, WatcherError
from watcher.features.embedders import EmbedderConfig
from watcher.store.writer import Writer
from watcher.worker.backfill import embed_missing
from watcher.worker.process_pool import Pool


async def embed_recent(
    writer: Writer, pool: Pool, choice: EmbedderConfig | None, since: datetime, on_embedded: Callable[[int], None]
) -> None:
    """Embed the articles published since a time. Errors other than StoreError are printed, no more."""
    try:
        await embed_missing(writer, pool, choice, since=since, done=on_embedded)
    except StoreError:
        raise
    except WatcherError as error:
        print_err(
            f"some articles are not embedded, so stories may not join reports in different languages: {error}",
            label="warning",
        )
        if error.hint:
            print_err(error.hint, label="try")
