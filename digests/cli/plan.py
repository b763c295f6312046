"""The edition that the options of `watcher digest` ask for, and what is printed of one that was made."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from typer import BadParameter

from digests.cli.status import giant_words
from digests.edition.build import edition_window
from digests.edition.load import EditionRequest
from digests.edition.schedule import due_at
from digests.model import Edition
from digests.settings.digests import DigestSettings
from digests.store.editions import get_edition
from watcher.cli.poll import embed
from watcher.features.embedders import embedder_config, resolve_embedder
from watcher.model import FEATURES_VERSION
from watcher.settings.model import Settings
from watcher.settings.values import parse_duration
from watcher.store.features import name_of, with_old_version, without_vector
from watcher.store.writer import Writer, read
from watcher.text.format import format_count
from watcher.worker.backfill import rebuild_features
from watcher.worker.process_pool import Pool


class Asked:
    """What the options say of the time, read for a digest's time zone."""

    def __init__(self, *, day: str | None, since: str | None, until: str | None) -> None:
        try:
            self.day = date.fromisoformat(day) if day else None
        except ValueError as error:
            raise BadParameter(f"got {day!r}, expected a date such as 2026-11-24", param_hint="--date") from error
        try:
            self.since: timedelta | None = parse_duration(since) if since else None
        except ValueError as error:
            raise BadParameter(str(error), param_hint="--since") from error
        self._until = until

    @property
    def has_window(self) -> bool:
        """Whether a window is asked for, beside the date."""
        return self.since is not None or self._until is not None

    def check_day(self, zone: ZoneInfo, now: datetime) -> None:
        """Refuse a date that has not begun."""
        if self.day is not None and self.day > now.astimezone(zone).date():
            raise BadParameter(f"{self.day.isoformat()} is still to come", param_hint="--date")

    def until(self, zone: ZoneInfo, now: datetime) -> datetime | None:
        """Return the end of the window: "2026-11-24T06:30", with or without a zone, or "06:30" of the date."""
        if self._until is None:
            return None
        text = self._until
        if len(text) <= 5 and ":" in text:
            text = f"{(self.day or now.astimezone(zone).date()).isoformat()}T{text.zfill(5)}"
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            expected = "a local time such as 06:30 or 2026-11-24T06:30"
            raise BadParameter(f"got {self._until!r}, expected {expected}", param_hint="--until") from error
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def complete_features(settings: Settings, engine: Engine, *, since: datetime) -> None:
    """Make what grouping needs of the time's articles and no poll has made yet: features of this version, vectors."""
    choice = resolve_embedder(embedder_config(settings.semantic))
    name = read(engine, name_of, choice.store_key) if choice else None
    lacking = choice and read(engine, without_vector, model=name, most=1, since=since)
    if not lacking and not read(engine, with_old_version, version=FEATURES_VERSION, most=1, since=since):
        return

    async def complete() -> None:
        await rebuild_features(writer, pool, since=since)
        if lacking:
            await embed(writer, pool, choice, since=since)

    writer, pool = Writer(engine), Pool()
    try:
        asyncio.run(complete())
    finally:
        pool.close()
        writer.close()


def plan(
    engine: Engine, digest: DigestSettings, asked: Asked, zone: ZoneInfo, now: datetime, *, keep: bool
) -> tuple[EditionRequest, str]:
    """Return the order for a new edition, and what its files' names have behind the date."""
    until = asked.until(zone, now)
    day = asked.day or (until or now).astimezone(zone).date()
    end = until or (min(due_at(day, digest.at, zone), now) if asked.day else now)
    if end > now:
        raise BadParameter(f"{end.astimezone(zone):%Y-%m-%d %H:%M} is still to come", param_hint="--until")
    start, end = edition_window(engine, digest, end=end, length=asked.since)
    taken = read(engine, get_edition, digest.name, local_date=day) is not None
    stamp = now.astimezone(zone)
    order = EditionRequest(
        local_date=day,
        window_start=start,
        window_end=end,
        slot=f"{stamp:%H:%M:%S.%f}" if keep else None,
        is_exact=asked.since is not None,
    )
    return order, f"-{stamp:%H%M%S}" if taken else ""


def summary(edition: Edition, paths: list[Path]) -> list[str]:
    """Return what was made, for a terminal."""
    ledger = edition.ledger
    articles, outlets = format_count(ledger.articles, "article"), format_count(ledger.outlets, "outlet")
    stories = format_count(ledger.stories_found, "story", "stories")
    told = [
        f"{edition.title}, {edition.local_date}: {articles} from {outlets}",
        f"  {stories}, {ledger.stories_shown} told in full, {ledger.briefs_shown} in a line",
    ]
    if ledger.largest and ledger.largest.is_oversized:
        told.append(f"  {giant_words(ledger.largest)}")
    if not ledger.articles:
        told.append("  nothing was published in its window; is `watcher run` or `watcher poll` at work?")
    return told + [f"  {path}" for path in paths]


def summary_json(edition: Edition, paths: list[Path]) -> dict[str, Any]:
    """Return what was made, as JSON."""
    ledger = edition.ledger
    return {
        "digest": edition.digest,
        "date": edition.local_date.isoformat(),
        "articles": ledger.articles,
        "outlets": ledger.outlets,
        "stories_found": ledger.stories_found,
        "stories_shown": ledger.stories_shown,
        "briefs_shown": ledger.briefs_shown,
        "largest": asdict(ledger.largest) if ledger.largest else None,
        "files": [str(path) for path in paths],
    }
