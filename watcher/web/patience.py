"""How long a connection is waited for: one that begins a request and does not end it is closed."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 10.0  # for the head of a request; its body has the same again (`app.form_of`)


class Patient(H11Protocol):
    """uvicorn's protocol waits for a first request, and for the rest of one, as long as it takes; this one does not."""

    request_s = REQUEST_S

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on waiting unless a request is whole; drops of one do not make the wait longer."""
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()
        else:
            self._wait()

    def on_response_complete(self) -> None:
        """From here on the time between two requests is uvicorn's to count."""
        self._stop_waiting()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.request_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if not self._is_answering() and not self.transport.is_closing():
            self.transport.close()
