"""The local site beside the daemon's work: served in the same loop, its health and numbers by the daemon's routes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from watcher.daemon import logs
from watcher.daemon.endpoint import Route
from watcher.errors import WatcherError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine

    from watcher.settings.model import Settings
    from watcher.web.app import Extra, Told
    from watcher.web.serve import Served

log = logging.getLogger("watcher.daemon")


class Website:
    """The site while the daemon runs; nothing is loaded where the settings want none."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        routes: Mapping[str, Route],
        *,
        on_settings: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._routes = routes
        self._on_settings = on_settings
        self._served: Served | None = None
        self._was_told = False  # that the address is not to be had

    async def listen(self) -> None:
        """
        Serve where the settings say, unless it is done.

        Errors: WatcherError if the address that the settings name, or the token, is not there. Where they name none,
        another daemon may have it: that is said once, and no fault.
        """
        if not self._settings.web.listen:
            return
        try:
            if self._served is None:
                self._served = await asyncio.to_thread(self._load)
            if await self._served.listen():
                log.info("serving %s", logs.fields(at=f"http://{self._settings.web.listen}/"))
        except WatcherError as error:
            if "listen" in self._settings.web.model_fields_set:
                raise
            if not self._was_told:
                log.warning("not_serving %s", logs.fields(reason=error, mend="[web] listen names another address"))
            self._was_told = True

    def _load(self) -> Served:
        """Return what serves; it is loaded here, and not where the settings want no site."""
        from watcher.web.serve import Served

        return Served(self._settings, self._engine, extra=as_extra(self._routes), on_settings=self._on_settings)

    async def change(self, settings: Settings) -> None:
        """Take new settings; `listen` does as they say."""
        self._settings = settings
        if self._served is not None:
            await self._served.change(settings)

    async def close(self) -> None:
        """Stop serving."""
        if self._served is not None:
            await self._served.close()


def as_extra(routes: Mapping[str, Route]) -> Extra:
    """Return the daemon's routes as the site takes them."""

    def told(route: Route) -> Callable[[], Awaitable[Told]]:
        async def answer() -> Told:
            found = await route()
            return int(found.status.partition(" ")[0]), found.body, found.kind

        return answer

    return {path: told(route) for path, route in routes.items()}
