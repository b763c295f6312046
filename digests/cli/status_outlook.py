"""What `watcher status` says of what is to come: when each digest's next edition is due, and which one is owed."""

from __future__ import annotations

from digests.edition.schedule import digest_statuses
from digests.store.editions import open_digests
from watcher.cli.status import StatusPart
from watcher.cli.status_source import iso, moment
from watcher.feeds.html_text import one_line
from watcher.settings.model import Settings
from watcher.store.writer import read
from watcher.text.format import format_duration
from watcher.worker.context import system_clock

SHOWN = 5  # digests on one screen
TITLE_CHARS = 60


def outlook(settings: Settings) -> StatusPart:
    """Return how each digest stands. Errors: StoreError."""
    now = system_clock()
    engine = open_digests(settings.store.url, make=False)
    try:
        found = read(engine, lambda c: tuple(digest_statuses(c, settings, now=now)))
    finally:
        engine.dispose()
    lines = []
    for each in sorted(found, key=lambda o: (o.owed_since is None, o.next_due_at))[:SHOWN]:
        name = one_line(each.title, TITLE_CHARS)
        if each.owed_since is not None:
            late = format_duration((now - each.owed_since).total_seconds())
            lines.append(f"owed     {name}: its edition was due {late} ago and is not made yet")
        when = moment(each.next_due_at.isoformat())
        lines.append(f"next     {name}, due {when}, in {format_duration((each.next_due_at - now).total_seconds())}")
    told = [
        {
            "digest": each.digest,
            "last_date": each.last_date.isoformat() if each.last_date else None,
            "last_made_at": iso(each.last_made_at),
            "next_due_at": iso(each.next_due_at),
            "owed_since": iso(each.owed_since),
        }
        for each in found
    ]
    return StatusPart(name="digests", found=told, lines=tuple(lines))
