"""Tells an unreachable host from an outage of our own network, for which no feed is to blame."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from watcher.errors import FetchError, HttpStatusError, TimedOut, TooLarge
from watcher.failure_messages import FetchKind
from watcher.text.urls import host_key, registrable_domain

MAX_PROBES = 3  # witnesses that are asked at first; the others are asked only if none of these can be reached
MIN_OTHER_WITNESSES = 2  # other witnesses out of reach, from which on a refused connection is our own network's
VERDICT_LIFETIME = timedelta(seconds=20)
PROBE_INTERVAL = timedelta(seconds=30)  # while the network is down
EXISTING_NAME = "example.com"  # RFC 2606; looked up only to tell a wrong name from a name server that knows none
RETRY_AFTER_OUTAGE = timedelta(minutes=2)  # then what could not be fetched is due again
UNROUTED = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # documentation: RFC 5737, RFC 3849


class Network(Protocol):
    """What the monitor asks of our network; `Client` can do both."""

    async def can_connect(self, url: str) -> bool:
        """Whether a connection to the host of `url` can be opened; nothing is sent over it."""

    async def addresses(self, url: str) -> frozenset[str] | None:
        """Return the addresses of the host of `url`; none if it is unknown, None if private ones are not allowed."""


class ConnectivityMonitor:
    """
    Decides whether an unreachable host is down, or our own network.

    It opens connections to witnesses, sending nothing; if none can be reached, the network is down. `load_witnesses`
    returns URLs of sources, the best first, at most one of each domain. What a feed links is never a witness: a feed
    can link as many hosts as it likes, and all of them can stop answering. `down_since`: as an earlier process found
    it; it is judged again.
    """

    def __init__(
        self,
        network: Network,
        load_witnesses: Callable[[], Awaitable[Sequence[str]]],
        *,
        now: Callable[[], datetime],
        down_since: datetime | None = None,
    ) -> None:
        """Start with what the store says: the network is down since `down_since`, or up."""
        self.network = network
        self._load_witnesses = load_witnesses
        self._now = now
        self._answered_at: datetime | None = None
        self._judged_at: datetime | None = None
        self._probe_lock = asyncio.Lock()
        self.down_since = down_since

    def record_success(self, url: str) -> None:
        """Record that the host of `url` has answered, so that our network works."""
        if host_key(url):  # not a folder of this machine
            self._answered_at = self._now()
            self.down_since = None

    async def is_to_blame(self, error: FetchError, *, since: datetime) -> bool:
        """
        Record a failed fetch, and return whether our own network kept us from reaching its host. Errors: StoreError.

        An error status of a host is an answer. A timeout may be our network's fault only if there are other witnesses.
        Our network works if any host has answered after `since`.
        """
        if isinstance(error, HttpStatusError | TooLarge):
            self.record_success(error.answered_by)
        if not (error.no_connection or isinstance(error, TimedOut)):
            return False
        async with self._probe_lock:
            if self._answered_at is not None and self._answered_at >= since:
                return False
            if not self._was_judged(within=VERDICT_LIFETIME):
                domain = registrable_domain(error.answered_by)
                others = [url for url in await self._load_witnesses() if registrable_domain(url) != domain]
                if not error.no_connection and not others:
                    return False
                await self._probe(others, error)
        return self.down_since is not None

    async def is_network_down(self) -> bool:
        """Whether our network is down, so that nothing can be fetched; probes again every `PROBE_INTERVAL`."""
        async with self._probe_lock:
            if self.down_since is not None and not self._was_judged(within=PROBE_INTERVAL):
                await self._probe(await self._load_witnesses())
        return self.down_since is not None

    def _was_judged(self, *, within: timedelta) -> bool:
        """Whether the last verdict is not older than `within`, nor in the future because the clock was set back."""
        return self._judged_at is not None and timedelta() <= self._now() - self._judged_at <= within

    async def _probe(self, witnesses: Sequence[str], error: FetchError | None = None) -> None:
        """Judge whether our network is down: by `witnesses`, and by the `error` of another host."""
        is_up = await self._reaches_any(witnesses[:MAX_PROBES]) or await self._reaches_any(witnesses[MAX_PROBES:])
        if not is_up and error and await self._is_due_to_host(error, witnesses):
            return  # no verdict that lasts: the next failure is judged again
        self._judged_at = self._now()
        self.down_since = None if is_up else self.down_since or self._judged_at

    async def _is_due_to_host(self, error: FetchError, witnesses: Sequence[str]) -> bool:
        """Whether an error is its host's although none of the `witnesses` can be reached."""
        match error.kind:
            case FetchKind.UNRESOLVED:
                return await _has_name_server()
            case FetchKind.CONNECTION_REFUSED:
                return await self._count_machines(witnesses, besides=error.answered_by) < MIN_OTHER_WITNESSES
            case FetchKind.NAME_LOOKUP_FAILED | FetchKind.NETWORK_UNREACHABLE | FetchKind.NETWORK_DOWN:
                return False
            case _:
                return not await self._count_machines(witnesses, besides=error.answered_by) and _has_default_route()

    async def _count_machines(self, urls: Sequence[str], *, besides: str) -> int:
        """
        Return how many of `urls` have addresses of their own, which neither `besides` nor one before them has.

        A host whose private addresses the settings do not allow is not counted: it was never asked.
        """
        first, *others = await asyncio.gather(*map(self.network.addresses, (besides, *urls)))
        seen, count = set(first or ()), 0
        for addresses in others:
            if addresses is not None:
                count += seen.isdisjoint(addresses)
                seen |= addresses
        return count

    async def _reaches_any(self, urls: Iterable[str]) -> bool:
        return any(await asyncio.gather(*map(self.network.can_connect, urls)))


def _has_default_route() -> bool:
    """Whether the system has a route to the internet. Nothing is sent: connecting a UDP socket only picks a route."""
    for address, family in UNROUTED:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:
            continue
        return True
    return False


async def _has_name_server() -> bool:
    """Whether names are looked up: some name servers answer that a name does not exist when their own line is down."""
    try:
        await asyncio.get_running_loop().getaddrinfo(EXISTING_NAME, None)
    except OSError:
        return False
    return True
