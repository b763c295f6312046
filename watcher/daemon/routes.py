"""What the daemon's endpoint answers: its numbers, and whether it is well."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from watcher.daemon.endpoint import TEXT, Answer, Route, as_health
from watcher.daemon.metrics import Family, gauge, of_the_store, page
from watcher.daemon.parts import Parts

SILENT_S = 60.0  # since the store last answered: it hangs


def routes(parts: Parts) -> Mapping[str, Route]:
    """Return the paths and what answers them."""

    async def metrics() -> Answer:
        settings = parts.settings
        found = await parts.tools.writer.read(lambda c: tuple(of_the_store(c, settings)))
        families = (*parts.counts.families(), *of_the_process(parts), *found)
        return Answer(status="200 OK", body=page(families, parts.counts.took).encode(), kind=TEXT)

    async def healthz() -> Answer:
        signs = parts.signs
        faults: dict[str, str] = {}
        if signs.store is not None:
            faults["store"] = signs.store.reason
        elif time.monotonic() - signs.beat_s > SILENT_S:
            faults["store"] = f"no answer since {signs.beat_at.isoformat()}"
        if (still_s := parts.jobs.standstill_s()) is not None:
            faults["jobs"] = f"none has run for {still_s:.0f} s"
        jobs = {fault.job: fault.reason for fault in parts.jobs.faults.values()}
        return as_health(faults, {"jobs_failing": jobs, "line_is_down": parts.tools.line.down_since is not None})

    return {"/metrics": metrics, "/healthz": healthz}


def of_the_process(parts: Parts) -> Iterator[Family]:
    """Yield what only the running daemon knows."""
    yield gauge(
        "watcher_started_seconds", "When the daemon was started (Unix time).", parts.signs.started_at.timestamp()
    )
    yield gauge("watcher_sign_of_life_seconds", "When its store last answered.", parts.signs.beat_at.timestamp())
    yield gauge("watcher_visits", "Hosts being visited.", parts.queue.busy)
    yield gauge("watcher_line_down", "1 while our own line is down.", parts.tools.line.down_since is not None)
    failing = tuple(({"job": name}, 1.0) for name in sorted(parts.jobs.faults))
    yield Family(name="watcher_job_failing", kind="gauge", help="1 for each job whose last run failed.", values=failing)
