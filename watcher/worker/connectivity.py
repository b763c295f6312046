"""Tells an unreachable host from an outage of our own network, for which no feed is to blame."""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from watcher.errors import FetchError, HttpStatusError, TimedOut, TooLarge
from watcher.failure_messages import FetchKind
from watcher.text.urls import host_key

KNOWN_HOSTS = 40  # hosts that can be probed
MAX_PROBES = 3  # of those hosts at first; the others are probed only if none of these can be reached
MIN_OTHERS = 2  # other hosts out of reach, from which on a refused connection is our own network's
VERDICT_LIFETIME = timedelta(seconds=20)
PROBE_INTERVAL = timedelta(seconds=30)  # while the network is down
EXISTING_NAME = "example.com"  # RFC 2606; looked up only to tell a wrong name from a name server that knows none
RETRY_AFTER = timedelta(minutes=2)  # then what could not be fetched is due again
UNROUTED = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # documentation: RFC 5737, RFC 3849


class ConnectivityMonitor:
    """
    Decides whether an unreachable host is down, or our own network.

    It opens connections to other hosts, sending nothing; if none can be reached, the network is down. `hosts`: URLs of
    such hosts, those that answered last at the end. `down_since`: as an earlier process found it; it is judged again.
    """

    def __init__(
        self,
        can_connect: Callable[[str], Awaitable[bool]],
        *,
        now: Callable[[], datetime],
        hosts: Iterable[str] = (),
        down_since: datetime | None = None,
    ) -> None:
        self.can_connect = can_connect
        self._now = now
        self._hosts: OrderedDict[str, str] = OrderedDict()  # URL by host, the best witness last
        self._answered_at: datetime | None = None
        self._judged_at: datetime | None = None
        self._probe_lock = asyncio.Lock()
        self.down_since = down_since
        for url in hosts:
            self._remember(url)

    def _remember(self, url: str, *, has_failed: bool = False) -> None:
        key = host_key(url)
        self._hosts[key] = url
        self._hosts.move_to_end(key, last=not has_failed)
        while len(self._hosts) > KNOWN_HOSTS:
            self._hosts.popitem(last=False)

    def record_success(self, url: str) -> None:
        if not host_key(url):  # a folder of this machine
            return
        self._remember(url)
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
        if not (error.no_connection or (isinstance(error, TimedOut) and self._other_hosts(key))):
            return False
        async with self._probe_lock:
            self._remember(error.answered_by, has_failed=True)
            if self._answered_at is not None and self._answered_at >= since:
                return False
            if not self._was_judged(within=VERDICT_LIFETIME):
                await self._probe(self._other_hosts(key), error)
        return self.down_since is not None

    async def is_network_down(self) -> bool:
        """Whether our network is down, so that nothing can be fetched; probes again every `PROBE_INTERVAL`."""
        async with self._probe_lock:
            if self.down_since is not None and not self._was_judged(within=PROBE_INTERVAL):
                await self._probe(self._other_hosts())
        return self.down_since is not None

    def _was_judged(self, *, within: timedelta) -> bool:
        """Whether the last verdict is not older than `within`, nor in the future because the clock was set back."""
        return self._judged_at is not None and timedelta() <= self._now() - self._judged_at <= within

    def _other_hosts(self, besides: str = "") -> list[str]:
        return [url for key, url in reversed(self._hosts.items()) if key != besides]

    async def _probe(self, others: list[str], error: FetchError | None = None) -> None:
        """Judge whether our network is down: by `others`, and by the `error` of a host."""
        is_up = await self._reaches_any(others[:MAX_PROBES]) or await self._reaches_any(others[MAX_PROBES:])
        if not is_up and error and await self._is_due_to_host(error, others):
            return  # no verdict that lasts: the next failure is judged again
        self._judged_at = self._now()
        self.down_since = None if is_up else self.down_since or self._judged_at

    async def _is_due_to_host(self, error: FetchError, others: list[str]) -> bool:
        """Whether an error is its host's although none of the `others` can be reached."""
        match error.kind:
            case FetchKind.UNRESOLVED:
                return await has_name_server()
            case FetchKind.CONNECTION_REFUSED:
                return len(others) < MIN_OTHERS
            case FetchKind.NAME_LOOKUP_FAILED | FetchKind.NETWORK_UNREACHABLE | FetchKind.NETWORK_DOWN:
                return False
            case _:
                return not others and has_default_route()

    async def _reaches_any(self, urls: list[str]) -> bool:
        return any(await asyncio.gather(*map(self.can_connect, urls)))


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


async def has_name_server() -> bool:
    """Whether names are looked up: some name servers answer that a name does not exist when their own line is down."""
    try:
        await asyncio.get_running_loop().getaddrinfo(EXISTING_NAME, None)
    except OSError:
        return False
    return True
