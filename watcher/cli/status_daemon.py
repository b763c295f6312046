"""What `watcher status` says of the daemon: whether one is at work on the store, its last sign of life, its faults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.store.mark import Mark

SILENT = timedelta(minutes=2)  # a sign of life comes every ten seconds, and waits a quarter of a minute for the store
REASON_CHARS = 200


def daemon_found(engine: Engine, *, now: datetime) -> dict[str, Any] | None:
    """Return what there is to tell of the daemon, as JSON has it; None if there has never been one here."""
    from watcher.store.mark import find_mark

    mark = find_mark(engine)
    if mark is None:
        return None
    return {
        "state": state_of(mark, now=now),
        "pid": mark.pid,
        "started_at": mark.started_at.isoformat(),
        "last_sign_at": mark.beat_at.isoformat(),
        "stopped_at": mark.stopped_at.isoformat() if mark.stopped_at else None,
        "faults": [{"job": f.job, "since": f.since.isoformat(), "reason": f.reason} for f in mark.faults],
    }


def state_of(mark: Mark, *, now: datetime) -> str:
    """Return "running", "silent" (it is there but gives no sign of life), "stopped" or "gone" (it ended unasked)."""
    if not mark.is_held:
        return "stopped" if mark.stopped_at else "gone"
    return "running" if abs(now - mark.beat_at) <= SILENT else "silent"


def daemon_lines(found: dict[str, Any] | None) -> Iterator[str]:
    """Yield the lines for a terminal."""
    from watcher.cli.status_source import moment
    from watcher.feeds.plain import one_line

    if found is None:
        yield "daemon   none is running; watcher run starts one"
        return
    match found["state"]:
        case "running":
            yield f"daemon   running since {moment(found['started_at'])}, process {found['pid']}"
        case "silent":
            yield f"daemon   process {found['pid']} has given no sign of life since {moment(found['last_sign_at'])}"
            yield f"{'':9}try: kill -KILL {found['pid']}, then start it again; nothing is lost"
        case "stopped":
            yield f"daemon   none is running, the last one was stopped {moment(found['stopped_at'])}"
        case _:
            yield f"daemon   none is running, the last one ended without a word after {moment(found['last_sign_at'])}"
    for fault in found["faults"] if found["state"] != "stopped" else ():
        reason = one_line(fault["reason"], REASON_CHARS)
        yield f"{'':9}{fault['job']} fails since {moment(fault['since'])}: {reason}"
