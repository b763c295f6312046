"""The daemon's HTTP servers, which run in its event loop: `/metrics`, `/healthz`, and the local site."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watcher.daemon.jobs import VISITS, Job
from watcher.daemon.metrics import MetricsCollector, process_metrics, store_metrics
from watcher.errors import WatcherError
from watcher.settings.models import Settings
from watcher.store.articles import count_articles
from watcher.store.writer import read
from watcher.text.format import fields
from watcher.web.app import SiteApp, answer_error
from watcher.web.serve import Listener

if TYPE_CHECKING:
    from watcher.daemon.services import Services

log = logging.getLogger("watcher.daemon")
LISTEN_EVERY_S = 10.0  # between two attempts to listen
SILENT_S = 60.0  # without an answer of the store: it hangs


class Servers:
    """The servers of the metrics and of the site (a helper has no site). The `jobs` start them; `close` stops them."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        routes: Sequence[Route],  # `/metrics` and `/healthz`
        *,
        on_settings: Callable[[], object],  # called after the site has changed the settings file
        is_helper: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._site_app = partial(
            SiteApp,
            engine=engine,
            routes=routes,
            on_settings=lambda: loop.call_soon_threadsafe(on_settings),
            form_token=secrets.token_urlsafe(18),  # forms stay valid when the settings change
        )
        app = Starlette(routes=routes, exception_handlers={WatcherError: answer_error})
        self._metrics = Listener("metrics", settings.metrics, app)
        self._web = Listener("web", settings.web, self._site_app(settings))
        self._listeners = (self._metrics,) if is_helper else (self._metrics, self._web)
        self._address_taken_logged = False  # for the default address

    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs that start the servers, and retry if that failed."""
        return tuple(
            Job(name=one.section, every_s=LISTEN_EVERY_S, run=partial(self.open, one)) for one in self._listeners
        )

    async def open(self, listener: Listener) -> None:
        """Start a server unless it runs. Errors: WatcherError if the address that is set, or the token, is unusable."""
        wanted = listener.settings
        try:
            if await listener.listen():
                event = "serving" if listener is self._web else "listening"
                log.info(f"{event} %s", fields(at=f"http://{wanted.listen}/"))
        except WatcherError as error:
            if "listen" in wanted.model_fields_set:
                raise
            if not self._address_taken_logged:  # that the default address is taken, by another daemon, is no error
                log.warning("web_bind_failed %s", fields(reason=error, hint=error.hint))
            self._address_taken_logged = True

    async def apply_settings(self, settings: Settings) -> None:
        """Apply new settings; the `jobs` then start servers at new addresses."""
        await self._metrics.apply_settings(settings.metrics)
        await self._web.apply_settings(settings.web, self._site_app(settings))
        self._address_taken_logged = False

    async def close(self) -> None:
        """Stop serving: addresses are free at once, and running responses have two seconds to end."""
        await asyncio.gather(self._metrics.close(), self._web.close())


def daemon_routes(services: Services) -> tuple[Route, ...]:
    """Return `/metrics` and `/healthz` of a daemon."""

    def find() -> tuple[Metric, ...]:
        return (*process_metrics(services), *read(services.tools.writer.engine, store_metrics, services.settings))

    async def health() -> dict[str, object]:
        status = services.lock.status
        faults = {fault.job: fault.reason for fault in status.faults if fault.job == "store"}
        if not faults and time.monotonic() - services.heartbeat_s > SILENT_S:
            faults["store"] = f"no response since {status.heartbeat_at.isoformat()}"
        if (still_s := services.jobs.standstill_s()) is not None:
            faults["jobs"] = f"no job has run for {still_s:.0f} s"
        if (fault := services.jobs.faults.get(VISITS)) is not None:  # nothing is polled
            faults[VISITS] = fault.reason
        jobs = {fault.job: fault.reason for fault in services.jobs.faults.values()}
        is_down = services.tools.connectivity.down_since is not None
        return {"faults": faults, "jobs_failing": jobs, "network_down": is_down}

    services.counters.registry.register(MetricsCollector(find))
    return make_routes(services.counters.registry, health)


def store_routes(settings: Settings, engine: Engine) -> tuple[Route, ...]:
    """Return the same routes for use without a daemon, with data of the store only."""
    registry = CollectorRegistry()
    registry.register(MetricsCollector(partial(read, engine, store_metrics, settings)))

    async def health() -> dict[str, object]:
        return {"faults": {}, "articles": await asyncio.to_thread(read, engine, count_articles)}

    return make_routes(registry, health)


def make_routes(registry: CollectorRegistry, health: Callable[[], Awaitable[dict[str, object]]]) -> tuple[Route, ...]:
    one_at_a_time = asyncio.Semaphore(1)  # many requests must not take all threads, which other work waits for too

    async def answer_metrics(_request: Request) -> Response:
        async with one_at_a_time:
            body = await asyncio.to_thread(generate_latest, registry)
        return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def answer_health(_request: Request) -> Response:
        found = await health()
        return JSONResponse({"ok": not found["faults"], **found}, 503 if found["faults"] else 200)

    return (Route("/metrics", answer_metrics), Route("/healthz", answer_health))
