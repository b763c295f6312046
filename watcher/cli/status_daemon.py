"""What `watcher status` says of the daemon: whether one is at work on the store, its last sign of life, its faults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from watcher.cli.status_source import moment
from watcher.feeds.html_text import one_line
from watcher.store.daemon_lock import find_marks
from watcher.text.format import format_duration

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.store.daemon_lock import Mark

SILENT = timedelta(minutes=2)  # a sign of life comes every ten seconds, and waits a quarter of a minute for the store
REASON_CHARS = 200
NAME_CHARS = 60
SHOWN = 5  # others that are not well
SOON = timedelta(minutes=1)
JOBS_SHOWN = 6  # of those that run later
JUMP_SHOWN = timedelta(days=1)
NONE = "daemon   none is running; watcher run starts one"
KINDS = ((False, "daemon"), (True, "helper"))


def daemon_found(engine: Engine, *, now: datetime) -> dict[str, Any] | None:
    """
    Return what there is to tell of the daemon, as JSON has it; None if there has never been one here.

    Of several that share a server it is the one with the latest sign of life, with the others that live beside it;
    a `watcher work` is none, though it is told where there is no other.
    """
    marks = find_marks(engine)
    first = next((mark for mark in marks if not mark.is_helper), None)
    others = [mark for mark in marks if mark.is_held and mark is not first]
    if first is None and not others:
        return None
    found = values_of(first, now=now) if first else {"state": "none", "faults": []}
    return found | {"others": [values_of(mark, now=now) for mark in others]}


def values_of(mark: Mark, *, now: datetime) -> dict[str, Any]:
    """Return what one says of itself, as JSON has it."""
    return {
        "state": state_of(mark, now=now),
        "pid": mark.pid,
        "machine": mark.machine or None,
        "helper": mark.is_helper,
        "started_at": mark.started_at.isoformat(),
        "last_sign_at": mark.beat_at.isoformat(),
        "stopped_at": mark.stopped_at.isoformat() if mark.stopped_at else None,
        "jobs": [{"job": next_run.job, "next_run_at": next_run.at.isoformat()} for next_run in mark.jobs],
        "clock_jump": {"at": jump.at.isoformat(), "by_s": jump.by_s} if (jump := mark.clock_jump) else None,
        "faults": [{"job": f.job, "since": f.since.isoformat(), "reason": f.reason} for f in mark.faults],
    }


def state_of(mark: Mark, *, now: datetime) -> str:
    """Return "running", "silent" (it is there but gives no sign of life), "stopped" or "gone" (it ended unasked)."""
    if not mark.is_held:
        return "stopped" if mark.stopped_at else "gone"
    return "running" if abs(now - mark.beat_at) <= SILENT else "silent"


def daemon_lines(found: dict[str, Any] | None) -> Iterator[str]:
    """Yield the lines for a terminal."""
    if found is None:
        yield NONE
        return
    yield from lines_of(found, label="daemon")
    unwell = [other for other in found["others"] if other["state"] != "running" or other["faults"]]
    for other in unwell[:SHOWN]:
        yield from lines_of(other, label="helper" if other["helper"] else "daemon")
    counts = [(sum(other["helper"] is is_helper for other in found["others"]), word) for is_helper, word in KINDS]
    told = " and ".join(f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count)
    if told:
        yield f"{'':9}also on this store: {told}"


def lines_of(found: dict[str, Any], *, label: str) -> Iterator[str]:
    """Yield the lines of one, its faults among them."""
    at = f"on {one_line(found['machine'], NAME_CHARS)}" if found.get("machine") else ""
    match found["state"]:
        case "none":
            yield NONE
        case "running":
            yield f"{label}   running since {moment(found['started_at'])}, process {found['pid']} {at}".rstrip()
        case "silent":
            who = f"process {found['pid']} {at}".rstrip()
            yield f"{label}   {who} has given no sign of life since {moment(found['last_sign_at'])}"
            there = f"{at}, " if at else ""
            yield f"{'':9}try: {there}kill -KILL {found['pid']}, then start it again; nothing is lost"
        case "stopped":
            yield f"{label}   none is running, the last one was stopped {moment(found['stopped_at'])}"
        case _:
            yield f"{label}   none is running, the last one ended without a word after {moment(found['last_sign_at'])}"
    for fault in found["faults"] if found["state"] != "stopped" else ():
        reason = one_line(fault["reason"], REASON_CHARS)
        yield f"{'':9}{fault['job']} fails since {moment(fault['since'])}: {reason}"
    if found["state"] == "running":
        yield from jobs_lines(found)


def jobs_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield when the jobs of a daemon run next, and whether its clock was set of late."""
    now = datetime.fromisoformat(found["last_sign_at"])
    jump = found["clock_jump"]
    if jump and now - datetime.fromisoformat(jump["at"]) <= JUMP_SHOWN:
        way = "ahead" if jump["by_s"] > 0 else "back"
        yield f"{'':9}the clock was set {way} by {format_duration(abs(jump['by_s']))} at {moment(jump['at'])}"
    times = [(one_line(job["job"], NAME_CHARS), datetime.fromisoformat(job["next_run_at"])) for job in found["jobs"]]
    soon = ", ".join(name for name, at in times if at - now <= SOON)
    later = [f"{name} {moment(at.isoformat())}" for name, at in times if at - now > SOON]
    more = [f"{len(later) - JOBS_SHOWN} more"] if len(later) > JOBS_SHOWN else []
    if times:
        yield f"{'':9}jobs within a minute: {soon or 'none'}"
    if later:
        yield f"{'':9}jobs later: {', '.join(later[:JOBS_SHOWN] + more)}"
