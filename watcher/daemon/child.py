"""The process of the site, as the daemon has it in hand: started, talked to, and ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping

from watcher.daemon.endpoint import Route
from watcher.daemon.link import Link, Message, dumped
from watcher.errors import WatcherError
from watcher.settings.model import Settings
from watcher.text.fields import fields
from watcher.work.processes import ends_blocked

log = logging.getLogger("watcher.daemon")
MODULE = "watcher.daemon.site_process"
ENDS_S = 3.0  # that it has to end by itself
SILENT_S = 90.0  # without a sign of life, though it was asked for one: it hangs
ANSWERS = 8  # that it may wait for
MOST_BYTES = 64 << 10  # of what it says


class Child:
    """
    A process that serves the site on a socket.

    Args:
        routes: What the daemon answers for it.
        on_settings: Called when a reader has changed the settings file.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        link: Link,
        routes: Mapping[str, Route],
        on_settings: Callable[[], object],
    ) -> None:
        self._process = process
        self._link = link
        self._routes = routes
        self._on_settings = on_settings
        self._answers: set[asyncio.Task[None]] = set()
        self._giving = asyncio.Lock()  # the last settings are the ones that hold
        self._began_at = self._heard_at = asyncio.get_running_loop().time()
        self.has_served = False

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def lived_s(self) -> float:
        """How long it has lived."""
        return asyncio.get_running_loop().time() - self._began_at

    async def give(self, settings: Settings, form_token: str) -> None:
        """Give it settings to serve with from here on."""
        debug = logging.getLogger("watcher").level == logging.DEBUG
        async with self._giving:
            text = await asyncio.to_thread(dumped, settings)
            self._link.say("settings", settings=text, form_token=form_token, paths=[*self._routes], debug=debug)

    async def attend(self) -> int:
        """Answer it until it ends; return its exit code, or minus the signal that ended it."""
        while (message := await self._link.heard()) is not None:
            self._heard_at = asyncio.get_running_loop().time()
            self._hear(message)
        self._link.close()
        return await asyncio.to_thread(ended, self._process)

    def _hear(self, message: Message) -> None:
        match message["say"]:
            case "serving":
                self.has_served = True
                log.info("site_started %s", fields(pid=self.pid, took_s=self.lived_s))
            case "settings_changed":
                self._on_settings()
            case "ask" if len(self._answers) < ANSWERS:
                task = asyncio.create_task(self._answer(str(message.get("path"))))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _answer(self, path: str) -> None:
        route = self._routes.get(path)
        if route is None:
            return
        try:
            found = await route()
            status, body, kind = int(found.status.partition(" ")[0]), found.body, found.kind
        except WatcherError as error:
            status, body, kind = 503, f"{error}\n".encode(), "text/plain; charset=utf-8"
        self._link.say("answer", path=path, status=status, body=body.decode(), kind=kind)

    def look_after(self) -> bool:
        """Ask for a sign of life; False, and its end, if none has come for long."""
        if asyncio.get_running_loop().time() - self._heard_at > SILENT_S:
            self._process.kill()
            return False
        self._link.say("ping")
        return True

    def end(self) -> None:
        """Have it end; `attend` returns when it has."""
        self._link.close()


async def start(
    listener: socket.socket,
    routes: Mapping[str, Route],
    on_settings: Callable[[], object],
    *,
    idle_s: float,
    known: str,
) -> Child:
    """
    Start a process that serves on `listener`, which is left to the caller.

    Args:
        idle_s: After so long without a reader it ends.
        known: The version of Watcher that this is.

    Errors: OSError if no process can be had.
    """
    ours, theirs = socket.socketpair()
    try:
        process = await asyncio.to_thread(spawn, listener, theirs, idle_s, known)
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Child(
        process, Link(*await asyncio.open_unix_connection(sock=ours), most_bytes=MOST_BYTES), routes, on_settings
    )


def spawn(listener: socket.socket, line: socket.socket, idle_s: float, known: str) -> subprocess.Popen[bytes]:
    """Return the process; it finds the packages where this one does, and takes nothing from the folder it is in."""
    numbers = (listener.fileno(), line.fileno())
    arguments = (*map(str, numbers), str(os.getpid()), known, str(idle_s))
    with ends_blocked():
        return subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE, *arguments],
            stdin=subprocess.DEVNULL,
            pass_fds=numbers,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )


def ended(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that is about to end; it is ended if it does not."""
    try:
        return process.wait(ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def in_words(code: int) -> str:
    """Return how a process ended."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
