"""What the daemon answers over HTTP, in its own event loop: its numbers, its health, and the local site."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from watcher.daemon.jobs import Job
from watcher.daemon.metrics import MetricsCollector, process_metrics, read_store_metrics
from watcher.errors import WatcherError
from watcher.settings.models import Settings
from watcher.store.articles import count_articles
from watcher.store.writer import read
from watcher.text.format import fields
from watcher.web.app import SiteApp
from watcher.web.serve import Listener

if TYPE_CHECKING:
    from watcher.daemon.services import Services

log = logging.getLogger("watcher.daemon")
LISTEN_EVERY_S = 10.0  # between two tries to have an address
SILENT_S = 60.0  # since the store last answered: it hangs


class Servers:
    """
    The addresses that the daemon answers at: `jobs` keep them open until `close`.

    Args:
        routes: Of the daemon's numbers and health.
        on_settings: Called when a reader has changed the settings file.
        is_helper: Without the site.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        routes: Sequence[Route],
        *,
        on_settings: Callable[[], object] = lambda: None,
        is_helper: bool = False,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._site_app = partial(
            SiteApp,
            engine=engine,
            routes=routes,
            on_settings=lambda: loop.call_soon_threadsafe(on_settings),
            form_token=secrets.token_urlsafe(18),  # a form stays good when the settings change
        )
        self._metrics = Listener("metrics", settings.metrics, Starlette(routes=routes))
        self._web = Listener("web", settings.web, self._site_app(settings))
        self._listeners = (self._metrics,) if is_helper else (self._metrics, self._web)
        self._was_told = False  # that the site's usual address is taken

    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs that open the addresses, and try again where that failed."""
        return tuple(
            Job(name=one.section, every_s=LISTEN_EVERY_S, run=partial(self.open, one)) for one in self._listeners
        )

    async def open(self, listener: Listener) -> None:
        """
        Serve at an address, unless it is served.

        Errors: WatcherError if the address or the token that the settings name is not there. Where they name none,
        another daemon may have the usual address: that is said once, and no fault.
        """
        wanted = listener.settings
        try:
            if await listener.listen():
                event = "serving" if listener is self._web else "listening"
                log.info(f"{event} %s", fields(at=f"http://{wanted.listen}/"))
        except WatcherError as error:
            if "listen" in wanted.model_fields_set:
                raise
            if not self._was_told:
                log.warning("not_serving %s", fields(reason=error, mend=error.hint))
            self._was_told = True

    async def apply_settings(self, settings: Settings) -> None:
        """Take new settings; `jobs` serve where they say."""
        await self._metrics.apply_settings(settings.metrics)
        await self._web.apply_settings(settings.web, self._site_app(settings))
        self._was_told = False

    async def close(self) -> None:
        """Stop serving: the addresses are free at once, answers under way have two seconds."""
        await asyncio.gather(self._metrics.close(), self._web.close())


def daemon_routes(services: Services) -> tuple[Route, ...]:
    """Return the routes of the daemon's numbers and of its health."""

    def find() -> tuple[Metric, ...]:
        return (*process_metrics(services), *read_store_metrics(services.tools.writer.engine, services.settings))

    async def health() -> Response:
        signs = services.liveness
        faults: dict[str, str] = {}
        if signs.store is not None:
            faults["store"] = signs.store.reason
        elif time.monotonic() - signs.beat_s > SILENT_S:
            faults["store"] = f"no answer since {signs.beat_at.isoformat()}"
        if (still_s := services.jobs.standstill_s()) is not None:
            faults["jobs"] = f"none has run for {still_s:.0f} s"
        jobs = {fault.job: fault.reason for fault in services.jobs.faults.values()}
        return describe_health(faults, jobs_failing=jobs, line_is_down=services.tools.line.down_since is not None)

    services.counters.registry.register(MetricsCollector(find))
    return make_routes(services.counters.registry, health)


def store_routes(settings: Settings, engine: Engine) -> tuple[Route, ...]:
    """Return the same routes where there is no daemon: what the store alone says."""
    registry = CollectorRegistry()
    registry.register(MetricsCollector(partial(read_store_metrics, engine, settings)))

    async def health() -> Response:
        return describe_health({}, articles=await asyncio.to_thread(read, engine, count_articles))

    return make_routes(registry, health)


def make_routes(registry: CollectorRegistry, health: Callable[[], Awaitable[Response]]) -> tuple[Route, ...]:
    """Return the routes of `/metrics` and `/healthz`."""

    async def answer_metrics() -> Response:
        page = await asyncio.to_thread(generate_latest, registry)
        return Response(page, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def guarded(answer: Callable[[], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_request: Request) -> Response:
            try:
                return await answer()
            except WatcherError as error:
                return PlainTextResponse(f"{error}\n", 503)

        return endpoint

    return (Route("/metrics", guarded(answer_metrics)), Route("/healthz", guarded(health)))


def describe_health(faults: Mapping[str, str], **more: object) -> Response:
    """Return the answer of `/healthz`: 200 where there are no faults, else 503."""
    return JSONResponse({"ok": not faults, "faults": dict(faults), **more}, 503 if faults else 200)
