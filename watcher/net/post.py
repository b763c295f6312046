"""One request, usually a POST, to a URL that the user has set: limited in size, one deadline for everything."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from watcher.errors import FetchError
from watcher.failure_messages import FetchKind, Reason
from watcher.net.address_guard import ANYWHERE, AddressGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class PostResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True, repr=False, eq=False)
class HttpPost:
    """
    One request and its response. Redirects are not followed: the URL and the token are secrets for this host only.

    `timeout_s` limits connecting and each read and write, `deadline_s` the whole request, which runs in its own event
    loop so that this also holds for slow headers. A body of more than `max_bytes` is an error. If `max_bytes` is None,
    only the status counts, and only the beginning of the body is read. If `before_send` raises, nothing is sent.
    """

    url: str
    body: bytes
    deadline_s: float
    timeout_s: float
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # in addition to the usual ones
    method: str = "POST"
    max_bytes: int | None = None
    before_send: Callable[[], None] | None = None
    _response: PostResponse | None = field(default=None, init=False)  # once the status is known, if only that counts
    _cancel: Callable[[], object] | None = field(default=None, init=False)
    _is_aborted: bool = field(default=False, init=False)

    def run(self) -> PostResponse:
        """Return the response, whatever its status. Errors: FetchError, whose `reason` never contains the URL."""
        return asyncio.run(self._exchange())

    def abort(self) -> None:
        """Cancel the request from another thread: `run` raises FetchError, or returns the status if it has come."""
        self._is_aborted = True
        if self._cancel is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._cancel()

    async def _exchange(self) -> PostResponse:
        """Send the request within the deadline, and stop if `abort` is called. Errors: FetchError."""
        from watcher.net.errors import WIRE_ERRORS, fetch_error  # late: as in `_send`

        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self._is_aborted:
            task.cancel()
        try:
            async with asyncio.timeout(self.deadline_s) as deadline:
                return await self._send(deadline)
        except WIRE_ERRORS as error:
            times = {"timeout_s": self.timeout_s, "deadline_s": self.deadline_s}
            raise fetch_error(error, self.url, at=self.url, proxy="", **times) from error
        except asyncio.CancelledError:
            if not self._is_aborted:
                raise
            if self._response is not None:
                return self._response
            raise FetchError(self.url, Reason(FetchKind.ABORTED)) from None

    async def _send(self, deadline: asyncio.Timeout) -> PostResponse:
        """Send the request and return the response; of an answer without `max_bytes`, only the beginning is read."""
        # late: the HTTP library takes 60 ms, and whoever may post, such as an edition, does so seldom
        from watcher.net import client, transport

        guard, trace = AddressGuard(ANYWHERE), {"trace": self._trace}
        headers = {
            "User-Agent": f"Watcher/{version('watcher-digests')}",
            "Content-Type": "application/json",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        headers |= self.headers
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = transport.httpx.Request(self.method, self.url, content=self.body, headers=headers, extensions=trace)
        if request.url.userinfo:
            request = next(
                transport.httpx.BasicAuth(request.url.username, request.url.password).sync_auth_flow(request)
            )
        try:
            async with (
                transport.GuardedTransport(transport.GuardedBackend(guard)) as guarded,
                transport.open_response(guarded, request, timeout_s=self.timeout_s) as response,
            ):
                answer = PostResponse(status=response.status_code, headers=response.headers, body=b"")
                if self.max_bytes is not None:
                    return replace(answer, body=await client.read_body(response, self.max_bytes))
                self._response = answer
                deadline.reschedule(None)  # reading the beginning has its own limit
                return replace(answer, body=await client.read_error_body(response))
        finally:
            guard.close()

    async def _trace(self, event: str, info: object) -> None:
        if event == "http11.send_request_headers.started" and self.before_send is not None:
            self.before_send()
