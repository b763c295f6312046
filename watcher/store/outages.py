"""Whether our own network is down, or polling has stopped for a lack of this machine; what is due after it."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from watcher.failure_messages import Reason
from watcher.model import NetworkDown, PollingStop
from watcher.store.schema import feeds, polls
from watcher.store.sql import load_meta, save_meta
from watcher.text.urls import registrable_domain

NETWORK_DOWN, POLLING_STOP = "network_down_since", "polling_stop"
DETECTION_DELAY = timedelta(minutes=1)  # until an outage is detected, at most
OFFLINE_RETRY = timedelta(minutes=5)  # within which feeds are due again after an outage
MAX_WITNESSES = 40


def urls_to_probe(connection: Connection) -> tuple[str, ...]:
    """
    Return the URLs of up to `MAX_WITNESSES` feeds, by which our own network can be told from a host.

    The better witnesses come first: feeds that work, the latest read first, then those never read, then those that
    fail. There is one of each registrable domain, so that no publisher with many feeds is all that is asked.
    """
    by_domain: dict[str, str] = {}
    best_first = (feeds.c.failures > 0, feeds.c.last_read_at.is_(None), feeds.c.last_read_at.desc(), feeds.c.id)
    may_answer = (feeds.c.enabled, ~feeds.c.gone, feeds.c.host != "")  # a folder of this machine has no host
    for url in connection.scalars(select(feeds.c.url).where(*may_answer).order_by(*best_first)):
        if len(by_domain) == MAX_WITNESSES:
            break
        by_domain.setdefault(registrable_domain(url), url)
    return tuple(by_domain.values())


def record_network_down(connection: Connection, *, down_since: datetime | None) -> None:
    """Save since when our own network is down; None if it works."""
    save_meta(connection, NETWORK_DOWN, down_since.isoformat() if down_since else None)


def make_due_after_outage(connection: Connection, *, since: datetime, now: datetime) -> None:
    """Make the feeds due now that could not be polled because our network was down from `since` on."""
    failed = select(polls.c.id).where(polls.c.feed_id == feeds.c.id, polls.c.at >= since - DETECTION_DELAY)
    is_affected = failed.where(polls.c.status == NetworkDown.status).exists()
    soon = (feeds.c.enabled, ~feeds.c.gone, feeds.c.next_poll_at > now, feeds.c.next_poll_at <= now + OFFLINE_RETRY)
    connection.execute(update(feeds).where(*soon, is_affected).values(next_poll_at=now))


def record_polling_stop(connection: Connection, reason: Reason | None, *, now: datetime) -> None:
    """Save that polling has stopped for `reason`, at `now` unless it had stopped before; None if it goes on."""
    before = load_polling_stop(connection)
    if reason is None:
        save_meta(connection, POLLING_STOP, None)
    elif before is None or before.reason != reason:
        since = before.since if before else now
        save_meta(connection, POLLING_STOP, {"since": since.isoformat(), "reason": reason.to_dict()})


def load_polling_stop(connection: Connection) -> PollingStop | None:
    """Return since when and why nothing is polled because of a lack of this machine; None if polling goes on."""
    row = load_meta(connection, POLLING_STOP)
    if row is None:
        return None
    return PollingStop(since=datetime.fromisoformat(row["since"]), reason=Reason.from_dict(row["reason"]))


def network_down_since(connection: Connection) -> datetime | None:
    """Return since when our network is down, None if it works."""
    since = load_meta(connection, NETWORK_DOWN)
    return None if since is None else datetime.fromisoformat(since)
