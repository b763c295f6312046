"""The routes `/metrics` and `/healthz`, of a daemon and of a store without one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watcher.daemon.jobs import VISITS
from watcher.daemon.metrics import MetricsCollector, labelled_gauge, store_metrics
from watcher.daemon.services import Services
from watcher.settings.models import Settings
from watcher.store.articles import count_articles
from watcher.store.writer import read

SILENT_S = 60.0  # without an answer of the store: it hangs


def daemon_routes(services: Services) -> tuple[Route, ...]:
    """
    Return `/metrics` and `/healthz` of a daemon.

    `/healthz` answers 503 if the store has not answered for a minute, if no job has run for too long, or if hosts
    cannot be visited, as then nothing is polled. Other failing jobs and a missing network are listed, with status 200.
    """

    def collect() -> tuple[Metric, ...]:
        return (*_process_metrics(services), *read(services.tools.writer.engine, store_metrics, services.settings))

    async def health() -> dict[str, object]:
        """Return the report of /healthz: faults of the daemon, failing jobs, and whether the network is down."""
        status = services.lock.status
        faults = {fault.job: fault.reason for fault in status.faults if fault.job == "store"}
        if not faults and time.monotonic() - services.heartbeat_s > SILENT_S:
            faults["store"] = f"no response since {status.heartbeat_at.isoformat()}"
        if (standstill_s := services.jobs.standstill_s()) is not None:
            faults["jobs"] = f"no job has run for {standstill_s:.0f} s"
        if (fault := services.jobs.faults.get(VISITS)) is not None:
            faults[VISITS] = fault.reason
        jobs = {fault.job: fault.reason for fault in services.jobs.faults.values()}
        is_down = services.tools.connectivity.down_since is not None
        return {"faults": faults, "jobs_failing": jobs, "network_down": is_down}

    services.counters.registry.register(MetricsCollector(collect))
    return _make_routes(services.counters.registry, health)


def store_routes(settings: Settings, engine: Engine) -> tuple[Route, ...]:
    """Return the same routes for use without a daemon, with data of the store only."""
    registry = CollectorRegistry()
    registry.register(MetricsCollector(partial(read, engine, store_metrics, settings)))

    async def health() -> dict[str, object]:
        return {"faults": {}, "articles": await asyncio.to_thread(read, engine, count_articles)}

    return _make_routes(registry, health)


def _make_routes(registry: CollectorRegistry, health: Callable[[], Awaitable[dict[str, object]]]) -> tuple[Route, ...]:
    """Return /metrics and /healthz; the latter answers 503 if `health` names faults."""
    one_at_a_time = asyncio.Semaphore(1)  # many requests must not take all threads, which other work waits for too

    async def answer_metrics(_request: Request) -> Response:
        async with one_at_a_time:
            body = await asyncio.to_thread(generate_latest, registry)
        return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def answer_health(_request: Request) -> Response:
        report = await health()
        return JSONResponse({"ok": not report["faults"], **report}, 503 if report["faults"] else 200)

    return (Route("/metrics", answer_metrics), Route("/healthz", answer_health))


def _process_metrics(services: Services) -> Iterator[Metric]:
    """Yield the metrics of this process: start, heartbeat, visits, network and failing jobs."""
    status = services.lock.status
    started_s, beat_s = status.started_at.timestamp(), status.heartbeat_at.timestamp()
    yield GaugeMetricFamily("watcher_started_seconds", "When the daemon was started (Unix time).", started_s)
    yield GaugeMetricFamily("watcher_heartbeat_seconds", "When its store last answered.", beat_s)
    yield GaugeMetricFamily("watcher_visits", "Hosts being visited.", services.queue.busy)
    is_down = services.tools.connectivity.down_since is not None
    yield GaugeMetricFamily("watcher_network_down", "1 while there is no internet connection.", is_down)
    failing = [(name, 1.0) for name in sorted(services.jobs.faults)]
    yield labelled_gauge("watcher_job_failing", "1 for each job whose last run failed.", "job", failing)
