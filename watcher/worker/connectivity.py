"""Tells an unreachable host from an outage of our own network, for which no feed is to blame."""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from watcher.errors import FetchError, HttpStatusError, TimedOut, TooLarge
from watcher.text.urls import host_key

KNOWN_HOSTS = 8  # the hosts that answered last
MAX_PROBES = 3  # of those hosts, to tell our own network from a host
MIN_FAILED_HOSTS = 3  # in a row, if no host to probe is known: then the network is down
VERDICT_LIFETIME = timedelta(seconds=20)
PROBE_INTERVAL = timedelta(seconds=30)  # while the network is down
RETRY_AFTER = timedelta(minutes=2)  # then what could not be fetched is due again
UNROUTED = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # documentation: RFC 5737, RFC 3849


class ConnectivityMonitor:
    """
    Decides whether an unreachable host is down, or our own network.

    It opens connections to hosts that answered last, sending nothing; if none can be reached, the network is down.
    `good`: URLs of such hosts, the latest last. `has_route` replaces `has_default_route` in tests.
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
        self._failed: set[str] = set()  # hosts that failed since the last answer
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

    async def is_to_blame(self, error: FetchError, *, since: datetime) -> bool:
        """
        Record a failed fetch, and return whether our own network kept us from reaching its host.

        An error status of a host is an answer. A timeout may be our network's fault only if there are hosts to probe.
        Our network works if any host has answered after `since`.
        """
        key = host_key(error.answered_by)
        if isinstance(error, HttpStatusError | TooLarge):
            self.record_success(error.answered_by)
        if not (error.no_connection or (isinstance(error, TimedOut) and self._others(key))):
            return False
        self._failed.add(key)
        async with self._probing:
            if self._answered_at is not None and self._answered_at >= since:
                return False
            # Without another host to probe, judge again after each failure: it is one more sign, and costs nothing.
            if not (self._others(key) and self._was_judged(within=VERDICT_LIFETIME)):
                await self._probe(besides=key)
        return self.down_since is not None

    async def is_resting(self) -> bool:
        """Whether our network is down, so that nothing can be fetched; probes again every `PROBE_INTERVAL`."""
        async with self._probing:
            if self.down_since is not None and not self._was_judged(within=PROBE_INTERVAL):
                await self._probe(besides="")
        return self.down_since is not None

    def _was_judged(self, *, within: timedelta) -> bool:
        """Whether the last verdict is not older than `within`, nor in the future because the clock was set back."""
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
    """Whether the system has a route to the internet. Nothing is sent: connecting a UDP socket only picks a route."""
    for address, family in UNROUTED:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:
            continue
        return True
    return False
