"""The daemon's log, rendered by structlog: one event per line, its name first, then key=value; or JSON."""

import asyncio
import json
import logging
import os
import re
import sys
from collections import Counter
from functools import partial
from typing import TextIO

from structlog.processors import JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

from watcher.model import Feed, NetworkDown, PollFailed, PollResult, PollSucceeded, PollUnchanged, count_new_entries
from watcher.settings.models import LogSettings
from watcher.text.format import Fields, fields, format_field, replace_unprintable
from watcher.text.urls import hide_secrets
from watcher.worker.context import Event, FeedPolled, NetworkChanged, PageDone

log = logging.getLogger("watcher.worker")
SYSLOG = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
EVENT = re.compile(r"([a-z][a-z_]*)( %s)?")
NOT_PRINTABLE = re.compile(r"[^\x20-\x7e]")
ACTIVITY_EVERY_S = 60.0
# The fields of `progress`, in their order.
ACTIVITY = "polls ok unchanged failed offline new pages stored known put_off lost rechecked".split()


def configure_logging(settings: LogSettings, *, debug: bool) -> None:
    """Write the log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_log_formatter(settings.format, journal=_is_journal(sys.stderr)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each run that waits for the previous one
    for name in ("watcher", "digests"):
        logging.getLogger(name).setLevel(logging.DEBUG if debug else settings.level.upper())


def _log_formatter(form: str, *, journal: bool = False) -> ProcessorFormatter:
    """Return the formatter; "text" is `2026-11-24T06:15:02Z INFO polled status=ok …`, for the journal `<6>polled …`."""
    at, tail = "%Y-%m-%dT%H:%M:%SZ", list[Processor]([partial(_format_line, journal)])
    if form == "json":
        at, tail = "iso", [add_logger_name, _split_event, JSONRenderer(serializer=_dump_printable)]
    head = (TimeStamper(fmt=at, utc=True, key="at"), add_log_level, format_exc_info, _hide_secret_urls)
    return ProcessorFormatter(pass_foreign_args=True, processors=[*head, *tail])


def _hide_secret_urls(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Return an event with the secrets in URLs hidden, also in messages of libraries."""
    for key in ("event", "exception"):
        if key in event:
            event[key] = hide_secrets(event[key])
    return event


def _format_line(journal: bool, _logger: object, _name: str, event: EventDict) -> str:
    head = f"<{SYSLOG.get(event['level'], 6)}>" if journal else f"{event['at']} {event['level'].upper()} "
    line = head + replace_unprintable(event["event"]).replace("\n", "?")
    return f"{line}\n{replace_unprintable(event['exception'])}" if "exception" in event else line


def _split_event(_logger: object, _name: str, fields_of_event: EventDict) -> EventDict:
    """Return an event with its fields; a log line of a library becomes a `message`."""
    message, arguments = str(fields_of_event["_record"].msg), fields_of_event["positional_args"]
    match = EVENT.fullmatch(message)
    event = {"event": match[1]} if match else {"event": "message", "message": fields_of_event["event"]}
    head = {key: fields_of_event[key] for key in ("at", "level", "logger")}
    tail = {"traceback": fields_of_event["exception"]} if "exception" in fields_of_event else {}
    return head | event | (arguments if isinstance(arguments, Fields) else {}) | tail


def _dump_printable(value: object, **_given: object) -> str:
    """Return JSON with all unprintable characters escaped."""
    text = json.dumps(value, ensure_ascii=False, default=format_field)
    return NOT_PRINTABLE.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def _is_journal(stream: TextIO) -> bool:
    """Whether a stream goes to systemd's journal: JOURNAL_STREAM has its device and inode."""
    try:
        at = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{at.st_dev}:{at.st_ino}"


class ActivityLog:
    """Logs each event of the worker, and once a minute how many polls and pages there were, if any."""

    def __init__(self, *, every_s: float = ACTIVITY_EVERY_S) -> None:
        self._every_s = every_s
        self._counts: Counter[str] = Counter()

    def add(self, event: Event) -> None:
        """Log an event and count it for the next line of totals."""
        log_event(event)
        match event:
            case NetworkChanged():
                return
            case FeedPolled(result=result):
                counts = {"polls": 1, result.status: 1, "new": count_new_entries(result)}
            case PageDone(outcome="same" | "changed" | "gone"):
                counts = {"pages": 1, "rechecked": 1}
            case PageDone(outcome=outcome):
                counts = {"pages": 1, "stored" if outcome.startswith("stored") else outcome: 1}
        if not self._counts:
            asyncio.get_running_loop().call_later(self._every_s, self.flush)
        self._counts.update(counts)

    def flush(self) -> None:
        """Log the counts since the last call, those that are not 0."""
        if self._counts:
            log.info("progress %s", fields(**{name: self._counts[name] or None for name in ACTIVITY}))
        self._counts.clear()


def log_event(event: Event) -> None:
    """Log an event of a visit: failures and network changes as warnings, the rest for debugging."""
    match event:
        case FeedPolled(feed=feed, result=result, pages=noted):
            # The failures after the first one are counted only: the same source would be named with each poll.
            is_news = isinstance(result, PollFailed) and not feed.failures
            log.log(logging.WARNING if is_news else logging.DEBUG, "polled %s", _polled_fields(feed, result, noted))
        case NetworkChanged(is_down=True):
            log.warning("network_down %s", fields(since=event.since))
        case NetworkChanged():
            log.warning("network_up %s", fields(was_down_since=event.since))
        case PageDone(outcome="stored" | "stored_from_feed" | "stored_headline" as outcome):
            from_feed, headline = (outcome == each or None for each in ("stored_from_feed", "stored_headline"))
            took_s = event.took_s
            log.debug("stored %s", fields(page=event.url, from_feed=from_feed, headline_only=headline, took_s=took_s))
        case PageDone(outcome="known"):
            log.debug("known %s", fields(page=event.url))
        case PageDone(outcome="put_off" | "lost" as outcome):
            log.debug("page_failed %s", fields(page=event.url, reason=event.reason, final=outcome == "lost"))
        case PageDone():
            log.debug("looked_again %s", fields(page=event.url, outcome=event.outcome))


def _polled_fields(feed: Feed, result: PollResult, noted: int) -> Fields:
    """Return the fields of the log line on a poll; `noted` is the number of pages to fetch."""
    more: dict[str, object]
    match result:
        case PollFailed():
            more = {"reason": result.reason, "failures": feed.failures + 1}
        case NetworkDown():
            more = {}
        case PollSucceeded(changes=seen):
            counts = {"new": len(seen.new), "changed": len(seen.changed), "held_back": seen.suppressed, "pages": noted}
            more = counts | {"took_s": result.took_s}
        case PollUnchanged():
            more = {"took_s": result.took_s}
    return fields(status=result.status, feed=feed.url, **more, next_poll_at=result.next_poll_at)
