"""
The local site beside the daemon's work: its address is held here, and its pages are made by a process of its own.

That process is started when somebody asks for a page, and ends when nobody does for a while; connections wait for it.
One that ends otherwise is started again for the next who asks, later and later if that goes on.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections import deque
from collections.abc import Callable, Mapping
from importlib import metadata

from watcher.daemon import child as children
from watcher.daemon.child import Child
from watcher.daemon.endpoint import Route
from watcher.daemon.site_process import OTHER_VERSION
from watcher.errors import WatcherError
from watcher.settings.model import Settings
from watcher.text.fields import fields
from watcher.web.address import bound

log = logging.getLogger("watcher.daemon")
IDLE_S = 1_800.0  # without a reader: then its memory is given back
WELL_S = 60.0  # after so long without an end that nobody asked for, all is well
LONGEST_REST_S = 60.0
ENDS = 7  # that are remembered: after the last of them the rest is the longest
BACKLOG = 256  # connections that wait for the process
CLOSES_S = 5.0


class Website:
    """
    The site while the daemon runs.

    Args:
        routes: What the daemon answers under the site's address as well: its health and numbers.
        on_settings: Called when a reader has changed the settings file.
    """

    def __init__(
        self,
        settings: Settings,
        routes: Mapping[str, Route],
        *,
        on_settings: Callable[[], object] = lambda: None,
        idle_s: float = IDLE_S,
    ) -> None:
        self._settings = settings
        self._routes = routes
        self._on_settings = on_settings
        self._idle_s = idle_s
        self._version = metadata.version("watcher-digests")
        self._form_token = secrets.token_urlsafe(18)
        self._listener: socket.socket | None = None
        self._child: Child | None = None
        self._serving: asyncio.Task[None] | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._ends: deque[tuple[float, WatcherError]] = deque(maxlen=ENDS)  # unasked, one soon after the other
        self._was_told = False  # that the address is not to be had

    async def listen(self) -> None:
        """
        Hold the address that the settings name, and look after the process.

        Errors: WatcherError if the address that the settings name, or the token, is not there, or if the process has
        just ended unasked. Where they name none, another daemon may have it: that is said once, and no fault.
        """
        if not self._settings.web.listen:
            return
        try:
            if self._listener is None:
                self._open()
        except WatcherError as error:
            if "listen" in self._settings.web.model_fields_set:
                raise
            if not self._was_told:
                log.warning("not_serving %s", fields(reason=error, mend="[web] listen names another address"))
            self._was_told = True
        if self._child is not None and not self._child.look_after():
            log.warning("site_hangs %s", fields(pid=self._child.pid))
        if self._serving is not None and self._serving.done() and (fault := self._serving.exception()):
            self._serving = None
            self._wait_for_readers()
            raise fault
        if self._ends and asyncio.get_running_loop().time() - self._ends[-1][0] < WELL_S:
            raise self._ends[-1][1]

    def _open(self) -> None:
        """Have the address. Errors: WatcherError."""
        wanted = self._settings.web
        if wanted.token is not None:
            wanted.token.reveal()
        self._listener = bound(wanted.listen)
        self._listener.listen(BACKLOG)
        self._wait_for_readers()
        log.info("serving %s", fields(at=f"http://{wanted.listen}/"))

    def _wait_for_readers(self) -> None:
        """Start the process as soon as somebody asks."""
        self._resting = None
        if self._listener is not None:
            asyncio.get_running_loop().add_reader(self._listener.fileno(), self._asked)

    def _asked(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._serving = asyncio.create_task(self._serve(self._listener.dup()))

    async def _serve(self, listener: socket.socket) -> None:
        """Have a process serve until it ends, then wait for readers again, sooner or later."""
        asked_at = asyncio.get_running_loop().time()
        code, reason = 1, ""
        try:
            with listener:
                self._child = await children.start(
                    listener, self._routes, self._on_settings, idle_s=self._idle_s, known=self._version
                )
            if self._listener is None:
                self._child.end()
            await self._child.give(self._settings, self._form_token)
            code = await self._child.attend()
            reason = children.in_words(code)
        except OSError as error:
            reason = f"cannot be started: {error.strerror or error}"
        is_in_order = code == 0 and self._child is not None and self._child.has_served
        self._child = None
        if self._listener is not None:
            if is_in_order:
                log.info("site_left")
            loop = asyncio.get_running_loop()
            rest_s = 0.0 if is_in_order else self._ended(code, reason, loop.time() - asked_at)
            self._resting = loop.call_later(rest_s, self._wait_for_readers)

    def _ended(self, code: int, reason: str, lived_s: float) -> float:
        """Note an end that nobody asked for, and return after how many seconds there may be another process."""
        error = WatcherError(f"the process that serves the site {reason}; it is started again for the next reader")
        if code == OTHER_VERSION:
            error = WatcherError("another version of Watcher has been installed, and its site needs its daemon")
            error.mend = "start the daemon again"
        if lived_s >= WELL_S:
            self._ends.clear()
        self._ends.append((asyncio.get_running_loop().time(), error))
        rest_s = min(2.0 ** (len(self._ends) - 1), LONGEST_REST_S)
        log.warning("site_ended %s", fields(reason=reason, lived_s=lived_s, again_in_s=rest_s))
        return rest_s

    async def change(self, settings: Settings) -> None:
        """Take new settings; `listen` does as they say."""
        moved = settings.web != self._settings.web
        self._settings = settings
        if moved:
            await self.close()
            self._was_told = False
        elif self._child is not None:
            await self._child.give(settings, self._form_token)

    async def close(self) -> None:
        """Stop serving, and see the process end."""
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener.fileno())
            listener.close()
        if self._resting is not None:
            self._resting.cancel()
        if self._child is not None:
            self._child.end()
        if self._serving is not None:
            await asyncio.wait({self._serving}, timeout=CLOSES_S)
