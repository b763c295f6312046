"""Our own line: when it is down, no feed is to blame, and nothing is asked until it works again."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from watcher.errors import FetchError, HttpStatusError, TimedOut, TooLarge
from watcher.text.urls import host_key

KNOWN_HOSTS = 8  # hosts that answered lately
MAX_PROBES = 3  # of them, to tell our own fault from a host's
MIN_FAILED_HOSTS = 3  # hosts that fail one after another, where no host has answered yet
VERDICT_FOR = timedelta(seconds=20)
PROBE_INTERVAL = timedelta(seconds=30)  # between two looks whether the line works again
RETRY_AFTER = timedelta(minutes=2)  # then what could not be asked is due again
NOWHERE = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # documentation: RFC 5737, RFC 3849


class ConnectivityMonitor:
    """
    Judges whether a host that cannot be reached is down, or we are.

    Hosts that answered lately are tried with a connection and nothing more; if none of them can be reached, it is us.

    Args:
        reaches: Whether a connection to a URL's host can be opened.
        good: URLs of hosts that have answered, the latest last.
        has_route: Whether the system knows a way out at all.
    """

    def __init__(
        self,
        reaches: Callable[[str], Awaitable[bool]],
        *,
        now: Callable[[], datetime],
        good: Iterable[str] = (),
        has_route: Callable[[], bool] | None = None,
    ) -> None:
        self._reaches = reaches
        self._now = now
        self._has_route = has_route or has_default_route
        self._good: OrderedDict[str, str] = OrderedDict()  # URL by host, the latest last
        self._failed: set[str] = set()  # hosts, since the last answer
        self._answered_at: datetime | None = None
        self._judged_at: datetime | None = None
        self._looking = asyncio.Lock()
        self.down_since: datetime | None = None
        for url in good:
            self._keep(url)

    def set_probe(self, reaches: Callable[[str], Awaitable[bool]]) -> None:
        """Open connections with `reaches` from now on."""
        self._reaches = reaches

    def _keep(self, url: str) -> None:
        key = host_key(url)
        self._good[key] = url
        self._good.move_to_end(key)
        while len(self._good) > KNOWN_HOSTS:
            self._good.popitem(last=False)

    def record_success(self, url: str) -> None:
        """Note that the host of `url` has answered, whatever it said."""
        self._keep(url)
        self._failed.clear()
        self._answered_at = self._now()
        self.down_since = None

    def record_failure(self, error: FetchError) -> None:
        """Note what a fetch that failed shows: a host whose answer was an error has answered."""
        if isinstance(error, HttpStatusError | TooLarge):
            self.record_success(error.answered_by)

    def may_be_at_fault(self, error: FetchError) -> bool:
        """
        Whether a fetch may have failed because of our own line.

        It breaks answers under way as well: they time out. That is a sign only where witnesses can be asked.
        """
        return error.no_connection or (
            isinstance(error, TimedOut) and bool(self._witnesses(host_key(error.answered_by)))
        )

    async def is_down(self, url: str, *, since: datetime) -> bool:
        """
        Whether it is our own line that kept us from reaching `url`.

        Args:
            since: When `url` was asked: an answer from elsewhere after that shows that the line works.
        """
        self._failed.add(host_key(url))
        async with self._looking:
            if self._answered_at is not None and self._answered_at >= since:
                return False
            if not self._is_judged(besides=host_key(url)):
                await self._look(besides=host_key(url))
        return self.down_since is not None

    async def is_resting(self) -> bool:
        """Whether nothing should be asked now; looks again every now and then."""
        async with self._looking:
            if self.down_since is not None and not self._was_judged(within=PROBE_INTERVAL):
                await self._look(besides="")
        return self.down_since is not None

    def _is_judged(self, *, besides: str) -> bool:
        """Whether the last verdict still holds; where there is no witness, each failure is one more sign, and free."""
        return bool(self._witnesses(besides)) and self._was_judged(within=VERDICT_FOR)

    def _was_judged(self, *, within: timedelta) -> bool:
        """Whether the last verdict is no older, nor from the future of a clock that was set back."""
        return self._judged_at is not None and timedelta() <= self._now() - self._judged_at <= within

    def _witnesses(self, besides: str) -> list[str]:
        """Return the URLs of hosts that answered last, the latest first."""
        return [url for key, url in reversed(self._good.items()) if key != besides][:MAX_PROBES]

    async def _look(self, *, besides: str) -> None:
        others = self._witnesses(besides)
        if others:
            is_up = any(await asyncio.gather(*map(self._reaches, others)))
        else:
            is_up = len(self._failed) < MIN_FAILED_HOSTS and self._has_route()
        self._judged_at = self._now()
        if is_up:
            self.down_since = None
        elif self.down_since is None:
            self.down_since = self._judged_at


def has_default_route() -> bool:
    """Whether the system has a route to the internet. Nothing is sent: connecting a datagram only picks the route."""
    for address, family in NOWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:
            continue
        return True
    return False
