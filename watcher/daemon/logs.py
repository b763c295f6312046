"""The daemon's log: one event a line, its name first, then key=value."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from watcher.model import Failed, Feed, Offline, Polled
from watcher.text.urls import hide_secrets
from watcher.work.events import Event, FeedPolled, LineDown, LineUp, PageFailed, PageKnown, PageLookedAt, PageStored

log = logging.getLogger("watcher.work")
EVENT = re.compile(r"[a-z][a-z_]*")
SYSLOG = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Fields(dict[str, object]):
    """What an event tells, by name; as text `key=value` pairs."""

    def __str__(self) -> str:
        return " ".join(f"{key}={shown(value)}" for key, value in self.items())


class Lines(logging.Formatter):
    """`2026-11-24T06:15:02Z INFO polled status=ok feed=…`; in the journal, which knows the time, `<6>polled …`."""

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        if self._journal:
            head = f"<{SYSLOG.get(record.levelno, 6)}>"
        else:
            at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            head = f"{at} {record.levelname} "
        line = head + one_line(hide_secrets(record.getMessage()))
        return f"{line}\n{hide_secrets(self.formatException(record.exc_info))}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """`{"at": "2026-11-24T06:15:02.113Z", "level": "info", "event": "polled", "status": "ok", "new": 3, …}`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told: dict[str, object] = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        told |= fields_of(record)
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        told = {key: hide_secrets(value) if isinstance(value, str) else value for key, value in told.items()}
        return json.dumps(told, ensure_ascii=False, default=as_json)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the event of a record and what it tells: `event status=%s %s` with a value and `Fields`, say."""
    event, _, rest = str(record.msg).partition(" ")
    if not EVENT.fullmatch(event):
        return {"event": "message", "message": record.getMessage()}
    told: dict[str, object] = {"event": event}
    values = iter(record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ())
    for word in rest.split():
        key, equals, value = word.partition("=")
        given = next(values, None) if "%" in word else value
        if equals:
            told[key] = given
        elif isinstance(given, Mapping):
            told |= given
        else:
            return {"event": event, "message": record.getMessage()}
    return told


def as_json(value: object) -> str:
    """Return a value that JSON does not know."""
    return shown(value) if isinstance(value, datetime) else hide_secrets(str(value))


def set_up(*, form: str = "text", level: str = "info", debug: bool = False) -> None:
    """Write the log to standard error, as "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Lines(journal=is_journal(sys.stderr)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each run that waits for the one before
    for name in ("watcher", "digests"):
        logging.getLogger(name).setLevel(logging.DEBUG if debug else level.upper())


def is_journal(stream: TextIO) -> bool:
    """Whether what is written there goes to systemd's journal, which says so by device and inode."""
    try:
        at = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{at.st_dev}:{at.st_ino}"


def fields(**values: object) -> Fields:
    """Return what an event tells; as text a value with spaces is quoted, control characters are gone."""
    return Fields({key: value for key, value in values.items() if value is not None})


def one_line(text: str) -> str:
    """Return a message without what would break its line, or steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


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
            counts = fields(reason=result.reason, failures=feed.failures + 1, next_poll_at=result.next_poll_at)
            log.warning("polled status=failed %s %s", named(feed), counts)
        case FeedPolled(feed=feed, result=Polled() as result, noted=noted):
            seen = result.changes
            counts = fields(new=len(seen.new), changed=len(seen.changed), held_back=seen.held_back, pages=noted)
            rest = fields(took_s=result.took_s, next_poll_at=result.next_poll_at)
            log.info("polled status=ok %s %s %s", named(feed), counts, rest)
        case FeedPolled(feed=feed, result=Offline() as result):
            log.info("polled status=offline %s %s", named(feed), fields(next_poll_at=result.next_poll_at))
        case LineDown():
            log.warning("line_down %s", fields(since=event.since))
        case LineUp():
            log.warning("line_up %s", fields(was_down_since=event.since))
        case FeedPolled(feed=feed, result=result):
            rest = fields(took_s=result.took_s, next_poll_at=result.next_poll_at)
            log.info("polled status=unchanged %s %s", named(feed), rest)
        case PageStored():
            log.info("stored %s", fields(page=event.url, from_feed=event.from_feed or None, took_s=event.took_s))
        case PageKnown():
            log.info("known %s", fields(page=event.url))
        case PageLookedAt():
            log.info("looked_again %s", fields(page=event.url, outcome=event.outcome))
        case PageFailed():
            log.warning("page_failed %s", fields(page=event.url, reason=event.reason, final=event.final))


def named(feed: Feed) -> Fields:
    """Return the field that names a feed, without what is secret in its address."""
    return fields(feed=hide_secrets(feed.url))
