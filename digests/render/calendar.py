"""Events to come as a calendar (iCalendar, RFC 5545) that other programs subscribe to: `agenda.ics`."""

import re
from collections.abc import Iterable
from datetime import UTC, timedelta

from digests.model.coming_event import ComingEvent
from digests.render.escape import sanitize_line, web_url

CALENDAR_TYPE = "text/calendar; charset=utf-8"
CALENDAR_LINE_BYTES = 75  # of a line, without its end (RFC 5545 §3.1)
CALENDAR_TIME = "%Y%m%dT%H%M%SZ"  # a time in UTC (RFC 5545 §3.3.5)
ENTRY_TITLE_CHARS, ENTRY_TEXT_CHARS = 120, 600


def render_calendar(events: Iterable[ComingEvent], *, title: str) -> bytes:
    """
    Return a calendar with an entry for each event, all day if its time is not known.

    The UID of an event never changes, and its SEQUENCE grows with each change, so that a program moves the entry that
    it has. An event that is off has no entry: a program that follows the calendar drops its own.
    """
    name = _escape(sanitize_line(title, limit=ENTRY_TITLE_CHARS))
    head = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Watcher//Coming up//EN",
        f"NAME:{name}",
        f"X-WR-CALNAME:{name}",
    )
    entries = (line for event in events if event.kind != "off" for line in _entry(event))
    return b"".join(map(_fold, (*head, *entries, "END:VCALENDAR")))


def _entry(event: ComingEvent) -> list[str]:
    """Return the lines of a coming event in iCalendar."""
    said, outlet = event.last_said, sanitize_line(event.last_said.outlet, limit=ENTRY_TITLE_CHARS)
    text = sanitize_line(said.shown_text, limit=ENTRY_TEXT_CHARS)
    report = f"{text} — {outlet}, {said.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    url = web_url(said.url)
    # The end of an entry for all day is the first day after it.
    all_day = (f"DTSTART;VALUE=DATE:{event.on:%Y%m%d}", f"DTEND;VALUE=DATE:{event.until + timedelta(days=1):%Y%m%d}")
    return [
        "BEGIN:VEVENT",
        f"UID:{event.id}@watcher",
        f"DTSTAMP:{said.published_at.astimezone(UTC):{CALENDAR_TIME}}",
        f"SEQUENCE:{event.sequence}",
        *([f"DTSTART:{event.begins_at.astimezone(UTC):{CALENDAR_TIME}}"] if event.begins_at else all_day),
        f"SUMMARY:{_escape(sanitize_line(said.shown_text, limit=ENTRY_TITLE_CHARS))}",
        f"DESCRIPTION:{_escape(report)}",
        *([f"URL:{url}"] if url else []),
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _escape(text: str) -> str:
    """Return a line of text as a TEXT value (RFC 5545 §3.3.11)."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _fold(line: str) -> bytes:
    """Return a line folded into lines of at most `CALENDAR_LINE_BYTES`; no character is split."""
    pattern = rb".{1,%d}(?![\x80-\xbf])" % (CALENDAR_LINE_BYTES - 1)  # a folded line begins with a space
    return b"\r\n ".join(re.findall(pattern, line.encode("utf-8", "replace"))) + b"\r\n"
