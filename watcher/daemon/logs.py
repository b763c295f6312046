"""The daemon's log: one event a line, its name first, then key=value."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

from watcher.model import Failed, Offline, Polled
from watcher.work.events import Event, FeedPolled, LineDown, LineUp, PageFailed, PageKnown, PageStored

log = logging.getLogger("watcher.work")


class Lines(logging.Formatter):
    """`2026-11-24T06:15:02Z INFO polled status=ok feed=… new=3`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = f"{at} {record.levelname} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(*, debug: bool = False) -> None:
    """Write the log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each run that waits for the one before
    for name in ("watcher", "digests"):
        logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.INFO)


def fields(**values: object) -> str:
    """Return `key=value` pairs; a value with spaces is quoted, control characters are gone."""
    return " ".join(f"{key}={shown(value)}" for key, value in values.items() if value is not None)


def shown(value: object) -> str:
    """Return a value as it stands in a log line."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:.3g}"
    text = "".join(c if c.isprintable() else "?" for c in str(value))[:500]
    return '"' + text.replace('"', "'") + '"' if " " in text or not text else text


def tell(event: Event) -> None:
    """Log one event of the work."""
    match event:
        case FeedPolled(feed=feed, result=Failed() as result):
            at = fields(
                feed=feed.url, reason=result.reason, failures=feed.failures + 1, next_poll_at=result.next_poll_at
            )
            log.warning("polled status=failed %s", at)
        case FeedPolled(feed=feed, result=Polled() as result, noted=noted):
            seen = result.changes
            counts = fields(new=len(seen.new), changed=len(seen.changed), held_back=seen.held_back, pages=noted)
            rest = fields(took_s=result.took_s, next_poll_at=result.next_poll_at)
            log.info("polled status=ok %s %s %s", fields(feed=feed.url), counts, rest)
        case FeedPolled(feed=feed, result=Offline() as result):
            log.info("polled status=offline %s", fields(feed=feed.url, next_poll_at=result.next_poll_at))
        case LineDown():
            log.warning("line_down %s", fields(since=event.since))
        case LineUp():
            log.warning("line_up %s", fields(was_down_since=event.since))
        case FeedPolled(feed=feed, result=result):
            rest = fields(took_s=result.took_s, next_poll_at=result.next_poll_at)
            log.info("polled status=unchanged %s %s", fields(feed=feed.url), rest)
        case PageStored():
            log.info("stored %s", fields(page=event.url, from_feed=event.from_feed or None, took_s=event.took_s))
        case PageKnown():
            log.info("known %s", fields(page=event.url))
        case PageFailed():
            log.warning("page_failed %s", fields(page=event.url, reason=event.reason, final=event.final))
