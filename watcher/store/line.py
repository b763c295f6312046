"""Our own line in the store: which hosts answered lately, and since when none does."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from watcher.store.schema import feeds, polls
from watcher.store.sql import load_fact, save_fact

DOWN = "line_down_since"
OFFLINE = "offline"
JUDGED = timedelta(minutes=1)  # that it may take until a line is called down
SOON = timedelta(minutes=5)  # within which what could not be asked is due again
LATELY = 40  # feeds that are looked at for hosts


def last_answered(connection: Connection) -> tuple[str, ...]:
    """Return the URLs of feeds that answered last, the latest last."""
    query = (
        select(feeds.c.url)
        .where(feeds.c.enabled, feeds.c.last_read_at.is_not(None), feeds.c.failures == 0)
        .order_by(feeds.c.last_read_at.desc())
        .limit(LATELY)
    )
    return tuple(connection.scalars(query))[::-1]


def note_line(connection: Connection, *, down_since: datetime | None) -> None:
    """Write down since when our own line is down; None: it works."""
    save_fact(connection, DOWN, down_since.isoformat() if down_since else None)


def make_offline_due(connection: Connection, *, since: datetime, now: datetime) -> None:
    """Make the feeds due now that our own line, down from `since` on, kept from being asked."""
    of_feed = (polls.c.feed_id == feeds.c.id, polls.c.at >= since - JUDGED, polls.c.status == OFFLINE)
    kept = select(polls.c.id).where(*of_feed)
    soon = (feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at > now, feeds.c.next_poll_at <= now + SOON)
    connection.execute(update(feeds).where(*soon, kept.exists()).values(next_poll_at=now))


def line_down_since(connection: Connection) -> datetime | None:
    """Return since when our own line is down, None if it works."""
    since = load_fact(connection, DOWN)
    return None if since is None else datetime.fromisoformat(since)
