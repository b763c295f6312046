"""Which addresses may be connected to: the resolved address is judged, at connect time, on every hop."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from watcher.errors import WatcherError
from watcher.net.streams import Stream, connect
from watcher.net.wire import ConnectError, ConnectTimeout
from watcher.net.within import Within

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

Connect = Callable[[str, int, float | None], Awaitable[Stream]]  # address, port, seconds

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
V4_COMPATIBLE = ipaddress.IPv6Network("::/96")
MAX_ADDRESSES = 4  # tried for one name
NEXT_ADDRESS_S = 3.0  # before the next address of the same name is tried
RESOLVER_THREADS = 64  # one for each fetch: a dead name server holds a thread for seconds, beyond the fetch itself


class PrivateAddress(WatcherError):
    """A host whose address is not for us."""

    def __init__(self, host: str, addresses: Iterable[str]) -> None:
        self.host = host
        self.addresses = tuple(addresses)
        super().__init__(f"{host} is at {', '.join(self.addresses)}, a private address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The private places that the settings open: address ranges, and `host:port` pairs."""

    ranges: tuple[IPNetwork, ...] = ()
    places: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def parse(cls, wishes: Sequence[str]) -> Allowed:
        """Return what `allow_private` says; ValueError names the wish that is neither a CIDR range nor host:port."""
        ranges: list[IPNetwork] = []
        places: set[tuple[str, int]] = set()
        for wish in wishes:
            try:
                ranges.append(ipaddress.ip_network(wish.strip(), strict=False))
                continue
            except ValueError:
                host, _, port = wish.strip().rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
                raise ValueError(f"{wish!r} is neither a CIDR range nor host:port")
            places.add((host.strip("[]").lower(), int(port)))
        return cls(ranges=tuple(ranges), places=frozenset(places))

    def permits(self, address: IPAddress, *, host: str, port: int) -> bool:
        """Whether `address`, asked for as `host`:`port`, may be connected to."""
        inner = unwrap(address)
        for network in self.ranges:
            if inner in network or (inner is not address and address in network):  # False for the other version
                return True
        return is_public(inner) or (host.strip("[]").lower().rstrip("."), port) in self.places


def unwrap(address: IPAddress) -> IPAddress:
    """
    Return the IPv4 address that an IPv6 address carries (mapped, compatible, 6to4, NAT64, Teredo), else the address.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in NAT64 or (address in V4_COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: IPAddress) -> bool:
    """Whether anybody on the internet could mean this address by it."""
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not (isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address.scope_id is not None))
    )


class Guard:
    """
    Connects to the address that was checked, never to a name: a second answer of the name server changes nothing.

    Host and SNI stay the name's: who asks takes them from the URL.
    """

    def __init__(self, allowed: Allowed, *, connect: Connect = connect) -> None:
        self._allowed = allowed
        self._connect = connect
        self._resolver = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolve")

    async def connect(self, host: str, port: int, timeout_s: float | None) -> Stream:
        """
        Return a connection to `host`, within `timeout_s` if it is given.

        Errors: ConnectTimeout, ConnectError, PrivateAddress.
        """
        try:
            with Within(timeout_s):
                addresses = self._checked(host, port, literal(host) or await self._resolve(host, port))
                for address in addresses[:-1]:
                    try:
                        return await self._connect(address, port, NEXT_ADDRESS_S)
                    except (ConnectError, ConnectTimeout):
                        continue
                return await self._connect(addresses[-1], port, None)  # all of it is timed as one
        except TimeoutError as error:
            raise ConnectTimeout(f"no connection to {host} in {timeout_s or 0:g} s") from error

    def close(self) -> None:
        """Let the resolver's threads go, without waiting for those that hang."""
        self._resolver.shutdown(wait=False, cancel_futures=True)

    def _checked(self, host: str, port: int, found: list[IPAddress]) -> list[str]:
        good = [str(address) for address in found if self._allowed.permits(address, host=host, port=port)]
        if not good:
            raise PrivateAddress(host, (str(address) for address in found))
        return good[:MAX_ADDRESSES]

    async def _resolve(self, host: str, port: int) -> list[IPAddress]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._resolver, resolve, host, port)
        except (OSError, UnicodeError) as error:
            raise ConnectError(f"the name {host} does not resolve") from error


def literal(host: str) -> list[IPAddress]:
    """Return the address that a host is; none for a name, or a spelling such as 0x7f.1 that only the resolver reads."""
    try:
        return [ipaddress.ip_address(host.strip("[]"))]
    except ValueError:
        return []


def resolve(host: str, port: int) -> list[IPAddress]:
    """Return the addresses of a name in the system's order (blocking)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(info[4][0])) for info in found))
