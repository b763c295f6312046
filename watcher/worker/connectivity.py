"""Is it the host that cannot be reached, or our own network? While the network is down, no feed is to blame."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from watcher.errors import FetchError, HttpStatusError, TimedOut, TooLarge
from watcher.text.urls import host_key

KNOWN_HOSTS = 8  # that answered last
MAX_PROBES = 3  # of them, to tell our own network from a host
MIN_FAILED_HOSTS = 3  # one after another, where no host has answered yet
VERDICT_LIFETIME = timedelta(seconds=20)
PROBE_INTERVAL = timedelta(seconds=30)  # while the network is down
RETRY_AFTER = timedelta(minutes=2)  # what could not be fetched is due again
UNROUTED = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # documentation: RFC 5737, RFC 3849


class ConnectivityMonitor:
    """
    Decides whether a host that cannot be reached is down, or our own network is.

    It opens connections to hosts that answered last, and sends nothing; if none can be reached, the network is down.
    `good`: URLs of such hosts, the latest last. `has_route` takes the place of the system in tests.
    """

    def __init__(
        self,
        can_connect: Callable[[str], Awaitable[bool]],
        *,
        now: Callable[[], datetime],
        good: Iterable[str] = (),
        has_route: Callable[[], bool] | None = None,
    ) -> None:
        self.can_connect = can_connect
        self._now = now
        self._has_route = has_route or has_default_route
        self._good: OrderedDict[str, str] = OrderedDict()  # URL by host, the latest last
        self._failed: set[str] = set()  # hosts, since the last answer
        self._answered_at: datetime | None = None
        self._judged_at: datetime | None = None
        self._probing = asyncio.Lock()
        self.down_since: datetime | None = None
        for url in good:
            self._remember(url)

    def _remember(self, url: str) -> None:
        key = host_key(url)
        self._good[key] = url
        self._good.move_to_end(key)
        while len(self._good) > KNOWN_HOSTS:
            self._good.popitem(last=False)

    def record_success(self, url: str) -> None:
        self._remember(url)
        self._failed.clear()
        self._answered_at = self._now()
        self.down_since = None

    def record_failure(self, error: FetchError) -> None:
        """Note what a failed fetch shows: a host that answered with an error has answered."""
        if isinstance(error, HttpStatusError | TooLarge):
            self.record_success(error.answered_by)

    def may_be_at_fault(self, error: FetchError) -> bool:
        """Whether our network may be why a fetch failed, or an answer broke where other hosts can be probed."""
        return error.no_connection or (isinstance(error, TimedOut) and bool(self._others(host_key(error.answered_by))))

    async def is_down(self, url: str, *, since: datetime) -> bool:
        """Whether our own network kept us from reaching `url`; an answer from elsewhere `since` then says no."""
        key = host_key(url)
        self._failed.add(key)
        async with self._probing:
            if self._answered_at is not None and self._answered_at >= since:
                return False
            # Without another host to probe, each failure is one more sign, and costs nothing.
            if not (self._others(key) and self._was_judged(within=VERDICT_LIFETIME)):
                await self._probe(besides=key)
        return self.down_since is not None

    async def is_resting(self) -> bool:
        """Whether nothing should be fetched now; probes again every `PROBE_INTERVAL`."""
        async with self._probing:
            if self.down_since is not None and not self._was_judged(within=PROBE_INTERVAL):
                await self._probe(besides="")
        return self.down_since is not None

    def _was_judged(self, *, within: timedelta) -> bool:
        """Whether the last verdict is no older, nor from the future of a clock that was set back."""
        return self._judged_at is not None and timedelta() <= self._now() - self._judged_at <= within

    def _others(self, besides: str) -> list[str]:
        return [url for key, url in reversed(self._good.items()) if key != besides][:MAX_PROBES]

    async def _probe(self, *, besides: str) -> None:
        if others := self._others(besides):
            is_up = any(await asyncio.gather(*map(self.can_connect, others)))
        else:
            is_up = len(self._failed) < MIN_FAILED_HOSTS and self._has_route()
        self._judged_at = self._now()
        if is_up:
            self.down_since = None
        elif self.down_since is None:
            self.down_since = self._judged_at


def has_default_route() -> bool:
    """Whether the system has a route to the internet. Nothing is sent: connecting a datagram only picks the route."""
    for address, family in UNROUTED:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:
            continue
        return True
    return False
