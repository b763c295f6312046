"""What `watcher status` says of the digests: each one's last edition, and whether its largest story is too large."""

from __future__ import annotations

from dataclasses import asdict

from digests.model import LargestStory
from digests.settings.digests import digests_of
from digests.store.editions import last_edition, open_digests
from watcher.cli.status import StatusPart
from watcher.feeds.html_text import one_line
from watcher.settings.model import Settings
from watcher.store.writer import read
from watcher.text.format import format_count

TITLE_CHARS = 100


def editions(settings: Settings) -> StatusPart:
    """Return the last edition of each digest. Errors: StoreError."""
    found, lines = [], []
    engine = open_digests(settings.store.url, make=False)
    try:
        for digest in digests_of(settings):
            edition = read(engine, last_edition, digest.name)
            if edition is None:
                continue
            ledger = edition.ledger
            found.append(
                {
                    "digest": edition.digest,
                    "date": edition.local_date.isoformat(),
                    "made_at": edition.made_at.isoformat(),
                    "articles": ledger.articles,
                    "stories": ledger.stories_found,
                    "largest": asdict(ledger.largest) if ledger.largest else None,
                }
            )
            share = f", the largest with {ledger.largest.share:.1%} of the reports" if ledger.largest else ""
            name = one_line(edition.title, TITLE_CHARS)
            stories = format_count(ledger.stories_found, "story", "stories")
            lines.append(f"edition  {name}, {edition.local_date}: {stories}{share}")
            if ledger.largest and ledger.largest.is_oversized:
                lines.append(f"{'':9}{giant_words(ledger.largest)}")
    finally:
        engine.dispose()
    return StatusPart(name="editions", found=found, lines=tuple(lines))


def giant_words(largest: LargestStory) -> str:
    """Return the alarm about a story that is larger than an event should be, for a terminal."""
    title = one_line(largest.title, TITLE_CHARS)
    return (
        f'giant story: "{title}" holds {largest.reports} of {largest.of_reports} reports; others may have run into it'
    )
