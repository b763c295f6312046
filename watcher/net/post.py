"""One POST to a URL that the user has set, called in a thread: limited in size, with one deadline for everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version

from watcher.errors import FetchError
from watcher.failure_reasons import FetchKind, Reason
from watcher.net.address_guard import ANYWHERE, AddressGuard
from watcher.net.client import read_body, read_error_body
from watcher.net.errors import WIRE_ERRORS, fetch_error
from watcher.net.transport import http_client


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRequest:
    """
    A request and its limits: `timeout_s` for connecting and each read and write, `deadline_s` for everything.

    A body of more than `max_bytes` is an error; None: only the status counts, and the beginning of the body is read.
    """

    url: str
    body: bytes
    deadline_s: float
    timeout_s: float
    token: str = ""
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpPost:
    """
    One request and its response. Redirects are not followed: the URL and the token are secrets for this host only.

    It runs in its own event loop, so that the deadline also holds for slow headers. If `before_send` raises, nothing
    is sent.
    """

    def __init__(self, request: PostRequest, *, before_send: Callable[[], None] | None = None) -> None:
        self._request = request
        self._before_send = before_send
        self._response: PostResponse | None = None  # set once the status is known, if only that counts
        self._cancel: Callable[[], object] | None = None
        self._is_broken_off = False

    def run(self) -> PostResponse:
        """Return the response, whatever its status. Errors: FetchError, whose `reason` never contains the URL."""
        return asyncio.run(self._exchange())

    def abort(self) -> None:
        """Cancel the request from another thread: `run` raises FetchError, or returns the status if it has come."""
        self._is_broken_off = True
        if self._cancel is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._cancel()

    async def _exchange(self) -> PostResponse:
        request, task, loop = self._request, asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self._is_broken_off:
            task.cancel()
        try:
            async with asyncio.timeout(request.deadline_s) as deadline:
                return await self._send(deadline)
        except WIRE_ERRORS as error:
            times = {"timeout_s": request.timeout_s, "deadline_s": request.deadline_s}
            raise fetch_error(error, request.url, at=request.url, **times) from error
        except asyncio.CancelledError:
            if not self._is_broken_off:
                raise
            if self._response is not None:
                return self._response
            raise FetchError(request.url, Reason(FetchKind.ABORTED)) from None

    async def _send(self, deadline: asyncio.Timeout) -> PostResponse:
        request, guard, trace = self._request, AddressGuard(ANYWHERE), {"trace": self._trace}
        headers = {
            "User-Agent": f"Watcher/{version('watcher-digests')}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if request.token:
            headers["Authorization"] = f"Bearer {request.token}"
        try:
            async with (
                http_client(guard, timeout_s=request.timeout_s) as http,
                http.stream("POST", request.url, content=request.body, headers=headers, extensions=trace) as response,
            ):
                answer = PostResponse(status=response.status_code, headers=response.headers, body=b"")
                if request.max_bytes is not None:
                    return replace(answer, body=await read_body(response, request.max_bytes))
                self._response = answer
                deadline.reschedule(None)  # reading the beginning has its own limit
                return replace(answer, body=await read_error_body(response))
        finally:
            guard.close()

    async def _trace(self, event: str, info: object) -> None:
        if event == "http11.send_request_headers.started" and self._before_send is not None:
            self._before_send()
