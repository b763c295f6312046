"""What `watcher status` tells of one source: its health with its history, its last polls, what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from watcher.feeds.health import health
from watcher.feeds.html_text import one_line
from watcher.store.feeds import feed_state
from watcher.store.polls import health_lines, poll_lines
from watcher.store.writer import read
from watcher.text.format import format_age, format_duration
from watcher.text.urls import hide_secrets

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.model import Source
    from watcher.store.feeds import FeedState

LABEL = 10  # columns
POLLS = 10  # the last ones
CHANGES = 10  # of health, for a terminal; all that are kept as JSON
WORDS_CHARS = 200  # of what a server said, for a terminal


def row_of(source: Source, state: FeedState | None, *, now: datetime) -> dict[str, Any]:
    """Return what the list tells of a source, as JSON has it; `state` is None where it was never polled."""
    if state is None:
        url = hide_secrets(source.url)
        row = {"name": source.name, "url": url, "asked_at": url, "health": "new", "why": "not polled yet"}
        unknown = dict.fromkeys(("since", "last_polled_at", "last_new_at", "next_poll_at"))
        return row | {"mend": ""} | unknown | {"articles": 0, "faults": []}
    feed = state.feed
    told = health(feed, reason=state.reason, failure=state.failure, held_until=state.held_until, now=now)
    return {
        "name": source.name,
        "url": hide_secrets(source.url),
        "asked_at": hide_secrets(feed.url),
        "health": told.word,
        "why": told.why,
        "mend": told.mend,
        "since": iso(told.since),
        "last_polled_at": iso(feed.last_polled_at),
        "last_new_at": iso(feed.last_new_at),
        "next_poll_at": iso(state.asked_next_at),
        "articles": state.articles,
        "faults": list(state.faults),
    }


def gather_source(source: Source, engine: Engine, *, enabled: bool, now: datetime) -> dict[str, Any]:
    """Return all there is to tell of one source, as JSON has it."""
    state = read(engine, feed_state, source.url)
    row = row_of(source, state, now=now) | {"enabled": enabled}
    if state is None:
        return row | {"history": [], "polls": []}
    feed = state.feed
    validators = {"etag": feed.validators.etag, "last_modified": feed.validators.last_modified}
    row |= {"last_read_at": iso(feed.last_read_at), "interval_s": feed.interval_s, "took_s": feed.took_s}
    row |= {
        "failures": feed.failures,
        "gap_s": feed.gap_s,
        "moved_to": hide_secrets(feed.moved_to or "") or None,
        "validators": validators,
    }
    changes = read(engine, health_lines, feed.id)
    last = read(engine, poll_lines, feed.id, most=POLLS)
    return row | {
        "history": [{"at": iso(line.at), "word": line.word, "why": line.why} for line in changes],
        "polls": [
            {
                "at": iso(line.at),
                "status": line.status,
                "new": line.new,
                "changed": line.changed,
                "held_back": line.held_back,
                "took_s": round(line.took_s, 3),
                "reason": line.reason,
                "then_quiet": line.then_quiet,
            }
            for line in last
        ],
    }


def iso(at: datetime | None) -> str | None:
    """Return a time as text."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def moment(text: str | None) -> str:
    """Return a time of `iso` for a terminal, by the minute."""
    return f"{text[:10]} {text[11:16]} UTC" if text else "never"


def source_lines(found: dict[str, Any], *, now: datetime) -> Iterator[str]:
    """Yield what there is to tell of one source, for a terminal."""
    yield one_line(f"{found['name']} ({found['url']})", WORDS_CHARS * 2)
    for label, words in labelled(found, now=now):
        yield f"{label:{LABEL}} {one_line(words, WORDS_CHARS * 2)}".rstrip()
    if found["history"]:
        yield "health"
        for line in found["history"][:CHANGES]:
            yield f"  {moment(line['at'])}  {line['word']:{LABEL}} {one_line(line['why'], WORDS_CHARS)}".rstrip()
    if found["polls"]:
        yield "polls"
        for line in found["polls"]:
            counts = f"{line['new']:4} new  {line['took_s']:6.2f} s"
            told = filter(None, (one_line(line["reason"] or "", WORDS_CHARS), quiet_words(line["then_quiet"])))
            yield f"  {moment(line['at'])}  {line['status']:{LABEL}} {counts}  {'; '.join(told)}".rstrip()


def quiet_words(count: int) -> str:
    """Return what came after a poll that has a line of its own."""
    return f"then {count:,} poll{'s' if count > 1 else ''} that brought nothing" if count else ""


def labelled(found: dict[str, Any], *, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield label and words of the rows at the top."""
    yield found["health"], health_words(found)
    if found["mend"]:
        yield "try", found["mend"]
    if not found["enabled"]:
        yield "switched", "off in the settings: it is not asked"
    if found["asked_at"] != found["url"]:
        yield "asked at", found["asked_at"]
    yield "next poll", next_words(found, now=now)
    if found.get("interval_s"):
        rhythm = f"; something new usually every {format_duration(found['gap_s'])}" if found.get("gap_s") else ""
        yield "interval", f"{format_duration(found['interval_s'])}{rhythm}"
    if found["last_polled_at"]:
        yield "last", f"polled {moment(found['last_polled_at'])}, new {moment(found['last_new_at'])}"
        named = ", ".join(f"{name} {value}" for name, value in named_validators(found) if value)
        yield "validators", named or "none: every poll costs a whole body"
    if found.get("took_s") is not None:
        yield "answers", f"in {found['took_s']:.2f} s"
    yield "articles", f"{found['articles']:,}"
    for fault in found["faults"]:
        yield "fault", str(fault)


def named_validators(found: dict[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """Return the validators of a source by the names of their headers."""
    kept = found["validators"]
    return (("ETag", kept["etag"]), ("Last-Modified", kept["last_modified"]))


def health_words(row: dict[str, Any]) -> str:
    """Return why a source is what it is, and since when."""
    since = f"since {moment(row['since'])}" if row["since"] else ""
    return f"{row['why']} ({since})" if since and row["why"] else since or row["why"]


def next_words(found: dict[str, Any], *, now: datetime) -> str:
    """Return when a source is asked next, for a terminal."""
    if found["health"] == "gone":
        return "none: it is gone"
    if not found["next_poll_at"]:
        return "with the next watcher poll, or by watcher run"
    left = datetime.fromisoformat(found["next_poll_at"]) - now
    return moment(found["next_poll_at"]) + (f", {format_age(-left).replace(' ahead', ' from now')}" if left else "")
