"""How pgqueuer speaks with the server: over one connection, and hears of new jobs over another."""

from __future__ import annotations

import asyncio
from typing import Self

from pgqueuer.db import PsycopgDriver
from pgqueuer.ports.driver import NotifyCallback
from psycopg import AsyncConnection
from sqlalchemy import URL

from watcher.store.server import CONNECT_S


async def connect(url: URL) -> AsyncConnection:
    """Return a connection of its own to the server of a store. Errors: psycopg.Error."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await AsyncConnection.connect(address, autocommit=True, connect_timeout=CONNECT_S)


class TwoLines(PsycopgDriver):
    """
    pgqueuer's driver, but with a connection for notifications alone.

    psycopg locks a connection while it waits for them, a second at a time: on one connection, all else would wait.
    """

    def __init__(self, speaking: AsyncConnection, hearing: AsyncConnection) -> None:
        super().__init__(speaking)
        self._ears = PsycopgDriver(hearing)
        self._listens = asyncio.Event()

    async def notify(self, channel: str, payload: str) -> None:
        """Tell those who listen, ourselves among them: the manager asks whether it hears itself before it listens."""
        async with asyncio.timeout(CONNECT_S):
            await self._listens.wait()
        await super().notify(channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ears.add_listener(channel, callback)
        self._listens.set()

    async def remove_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ears.remove_listener(channel, callback)

    async def __aenter__(self) -> Self:
        await self._ears.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *given: object) -> None:
        await self._ears.__aexit__(*given)
        await super().__aexit__(*given)
