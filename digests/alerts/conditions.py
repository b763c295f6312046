"""The conditions that an alert is sent for: polls, editions or deliveries that have failed for a while."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from digests.edition.schedule import digest_statuses
from digests.store.outbox import FAILED, RETRY_FOR, list_undelivered
from watcher.feeds.html_text import to_one_line
from watcher.settings.models import Settings
from watcher.store.feeds import count_poll_results
from watcher.store.hosts import network_down_since

SUBJECT_CHARS, WORDS_CHARS = 150, 600
DELIVERIES_BACK = timedelta(days=2)
MAX_FAILING_SHARE = 0.5  # of the sources; if more fail, they are not to blame


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The alert, made at `at`, that a failure lasts since `since`, or that it has ended (`is_over`)."""

    name: str  # does not change while the failure lasts
    since: datetime
    at: datetime
    words: str = ""
    is_over: bool = False
    machine: str = field(default_factory=socket.gethostname)

    @property
    def subject(self) -> str:
        what = to_one_line(self.name, SUBJECT_CHARS)
        return f"Watcher: {what} {'works again' if self.is_over else 'fails'}"

    @property
    def text(self) -> str:
        since = f"{self.since:%Y-%m-%d %H:%M} UTC"
        if self.is_over:
            until = f"{self.at:%Y-%m-%d %H:%M} UTC"
            return f"On {self.machine}, {self.name} works again since {until}; it failed from {since} on.\n"
        words = to_one_line(self.words, WORDS_CHARS)
        return f"On {self.machine}, {self.name} fails since {since}: {words}.\n\nwatcher status says more.\n"


def active_conditions(
    connection: Connection, settings: Settings, *, now: datetime, after: timedelta, polling_since: datetime
) -> tuple[Alert, ...]:
    """Return what has failed for `after` or longer; polls count from `polling_since`, when the daemon started."""
    return (
        *poll_failures(connection, now, after, polling_since),
        *edition_failures(connection, settings, now=now, after=after),
        *delivery_failures(connection, now=now, after=after),
    )


def poll_failures(connection: Connection, now: datetime, after: timedelta, polling_since: datetime) -> Iterator[Alert]:
    """Yield an alert if no source has answered for `after`, or most sources have not."""
    reads = count_poll_results(connection, failing_before=now - after)
    if not reads.feeds or now - polling_since < after:
        return
    down = network_down_since(connection)
    last = max(reads.last_read_at or polling_since, polling_since)
    if now - last >= after:
        why = "the network of this machine is down" if down else f"{reads.failing} of {reads.feeds} fail at the time"
        yield Alert(name="polling", since=last, at=now, words=f"no source has answered; {why}")
    elif reads.failing_long > MAX_FAILING_SHARE * reads.feeds:
        words = f"{reads.failing_long} of {reads.feeds} sources have not answered for that long"
        yield Alert(name="polling", since=now - after, at=now, words=words)


def edition_failures(connection: Connection, settings: Settings, *, now: datetime, after: timedelta) -> Iterator[Alert]:
    """Yield an alert for each digest whose edition has been due for `after` and is not built."""
    for each in digest_statuses(connection, settings, now=now):
        if each.missing_since is not None and now - each.missing_since >= after:
            words = f'"{each.title}" has no edition yet that was due then'
            yield Alert(name=f"edition {each.digest}", since=each.missing_since, at=now, words=words)


def delivery_failures(connection: Connection, *, now: datetime, after: timedelta) -> Iterator[Alert]:
    """Yield one alert for each digest with a delivery that was given up, or has waited for `after`."""
    told: dict[str, Alert] = {}
    for each in list_undelivered(connection, since=(now - DELIVERIES_BACK).date()):
        since = each.give_up_at - RETRY_FOR
        if each.state != FAILED and now - since < after:
            continue
        name = f"delivery {each.digest}"
        state = "was given up" if each.state == FAILED else "waits"
        words = f"the edition of {each.local_date} to {each.recipient} by {each.channel} {state}: {each.response}"
        told.setdefault(name, Alert(name=name, since=since, at=now, words=words))
    yield from told.values()
