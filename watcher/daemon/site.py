"""The daemon's HTTP servers, which run in its event loop: one for the metrics, and one for the local site."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import Route

from watcher.daemon.jobs import Job
from watcher.errors import WatcherError
from watcher.settings.models import Settings
from watcher.text.format import fields
from watcher.web.app import SiteApp, answer_error
from watcher.web.serve import Listener

log = logging.getLogger("watcher.daemon")
LISTEN_EVERY_S = 10.0  # between two attempts to listen


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
        """Prepare the listeners of metrics and site; a helper (additional worker) serves metrics only."""
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
            Job(name=listener.section, every_s=LISTEN_EVERY_S, run=partial(self.open, listener))
            for listener in self._listeners
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
