"""
The process that serves the site beside the daemon: less urgent than polling, and gone when nobody reads any more.

The daemon starts it with the socket that it listens on, gives it the settings, answers for `/metrics` and `/healthz`,
and sees it end; where the daemon ends, it does too.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import socket

    from watcher.daemon.link import Link, Message
    from watcher.web.app import Extra, Told
    from watcher.web.serve import Served

NICE = 10  # a tenth of what a poll gets of a core that both want
PATIENCE_S = 5.0  # for an answer of the daemon
LOOK_S = 1.0  # between looks whether anybody reads
ENDS_S = 4.0  # then it is left as it is
MOST_BYTES = 64 << 20  # of what the daemon says: the settings of ten thousand sources take four
OTHER_VERSION = 64  # exit code: the package was replaced while the daemon ran


def main() -> None:
    """Serve until there is no daemon, no reader, or SIGTERM."""
    be_patient()  # before anything is loaded: that takes a second of a core
    listener, link, owner, version, idle_s = sys.argv[1:]
    from importlib import metadata

    if metadata.version("watcher-digests") != version:
        sys.exit(OTHER_VERSION)
    import signal
    import socket
    import threading

    from watcher.work import loop
    from watcher.work.processes import end_with

    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # but Ctrl-C is for the daemon
    threading.Thread(target=end_with, args=(int(owner),), daemon=True).start()
    sockets = socket.socket(fileno=int(listener)), socket.socket(fileno=int(link))
    loop.run(serve(*sockets, idle_s=float(idle_s)))


def be_patient() -> None:
    """Let polls have the cores first."""
    with suppress(OSError):
        os.nice(NICE)
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # it waits, and never interrupts


async def serve(listener: socket.socket, line: socket.socket, *, idle_s: float) -> None:
    """Serve on `listener` as the daemon at the other end of `line` says."""
    import asyncio
    import signal
    import threading

    from watcher.daemon.link import Link

    link = Link(*await asyncio.open_unix_connection(sock=line), most_bytes=MOST_BYTES)
    site = Site(listener, link)
    ends = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ends.set)
    waiting = (
        asyncio.create_task(ends.wait()),
        asyncio.create_task(site.hear()),
        asyncio.create_task(site.until_idle(idle_s)),
    )
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    timer = threading.Timer(ENDS_S, os._exit, (0,))
    timer.daemon = True
    timer.start()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await site.close()
    link.close()
    for task in waiting:
        if not task.cancelled() and (error := task.exception()):
            leave_with(error)


def leave_with(error: BaseException) -> None:
    """End this process with an error, in words where it is one of ours."""
    import logging

    from watcher.errors import WatcherError
    from watcher.text.fields import fields

    if not isinstance(error, WatcherError):
        raise error
    logging.getLogger("watcher.daemon").error("site_failed %s", fields(reason=error, mend=error.mend))
    sys.exit(1)


class Site:
    """The site at its end of the link."""

    def __init__(self, listener: socket.socket, link: Link) -> None:
        self._listener = listener
        self._link = link
        self._served: Served | None = None
        self._asked: dict[str, asyncio.Future[Told]] = {}

    async def hear(self) -> None:
        """Do as the daemon says, until it has gone."""
        while (message := await self._link.heard()) is not None:
            match message["say"]:
                case "settings":
                    await self._take(message)
                case "answer":
                    asked = self._asked.pop(message["path"], None)
                    if asked is not None and not asked.done():
                        asked.set_result((message["status"], message["body"].encode(), message["kind"]))
                case "ping":
                    self._link.say("pong")

    async def _take(self, message: Message) -> None:
        """Take settings: serve with the first ones, go on with others."""
        import asyncio

        from watcher.daemon.link import loaded
        from watcher.daemon.logging import set_up
        from watcher.store.open import connect
        from watcher.web.serve import Served

        settings = loaded(message["settings"])
        set_up(form=settings.log.format, level=settings.log.level, debug=message["debug"])
        if self._served is not None:
            await self._served.change(settings)
            return
        loop = asyncio.get_running_loop()
        self._served = Served(
            settings,
            connect(settings.store.url),
            extra=self._extra(message["paths"]),
            on_settings=lambda: loop.call_soon_threadsafe(self._link.say, "settings_changed"),
            form_token=message["form_token"],
        )
        await self._served.listen(self._listener)
        self._link.say("serving")

    def _extra(self, paths: list[str]) -> Extra:
        """Return what answers the paths that the daemon answers."""
        return {path: partial(self._ask, path) for path in paths}

    async def _ask(self, path: str) -> Told:
        """Return what the daemon answers; where it hangs, that is the answer. Who asks meanwhile gets the same."""
        import asyncio

        from watcher.daemon.endpoint import as_health

        asked = self._asked.get(path)
        if asked is None:
            asked = self._asked[path] = asyncio.get_running_loop().create_future()
            self._link.say("ask", path=path)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.shield(asked)
        except TimeoutError:
            if self._asked.get(path) is asked:
                del self._asked[path]
            found = as_health({"daemon": f"no answer within {PATIENCE_S:g} s"}, {})
            return 503, found.body, found.kind

    async def until_idle(self, idle_s: float) -> None:
        """Return when nobody has read for a while, or nobody can. Errors: RuntimeError if it serves no more."""
        import asyncio

        while self._served is None or self._served.idle_s < idle_s:
            await asyncio.sleep(min(LOOK_S, idle_s))
            if self._served is not None and not self._served.is_on:
                raise RuntimeError("the site is served no more")

    async def close(self) -> None:
        """Stop serving: the address is free at once, answers under way have two seconds."""
        if self._served is not None:
            await self._served.close()


if __name__ == "__main__":
    main()
