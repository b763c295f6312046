"""Decides which addresses may be connected to: resolves names, and checks each address that a name resolves to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import tomllib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from watcher.errors import HopError, MachineError
from watcher.failure_messages import FetchKind, Reason, TaskKind

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[IPAddress]]

DATA = Path(__file__).with_name("special_addresses.toml")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in a network without IPv4
PLACES_NAMED, PLACES_LISTED = 3, 10  # of refused private addresses, in a message and in the line that allows them
MAX_ADDRESSES = 4  # addresses tried for one name
RESOLVER_THREADS = 64  # one per fetch: a dead name server blocks a thread for seconds, beyond the fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateAllowlist:
    """The private addresses that the settings allow: address ranges, and `host:port` pairs."""

    ranges: tuple[IPNetwork, ...] = ()
    places: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def parse(cls, wishes: Sequence[str]) -> PrivateAllowlist:
        """Parse the setting `allow_private`. Errors: ValueError, naming a value that is neither range nor host:port."""
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
        """Whether `address`, to which `host` resolved, may be connected to at `port`."""
        inner = embedded_ipv4(address)
        is_in_range = any(inner in network or address in network for network in self.ranges)
        return is_in_range or is_public(inner) or (host.strip("[]").lower().rstrip("."), port) in self.places


def describe_refused_places(urls: Iterable[str], allow_private: Sequence[str]) -> str:
    """Return which URLs are written with private addresses that are not allowed, and what allows them; "" for none."""
    if not (places := _refused_places(urls, allow_private)):
        return ""
    named = ", ".join(places[:PLACES_NAMED]) + (" …" if len(places) > PLACES_NAMED else "")
    verb = "is a private address, which is" if len(places) == 1 else "are private addresses, which are"
    listed = ", ".join(f'"{place}"' for place in places[:PLACES_LISTED])
    more = f" and {len(places) - PLACES_LISTED} more" if len(places) > PLACES_LISTED else ""
    setting = f"[fetch] allow_private = [{listed}]{more}"
    return f"{named} {verb} not polled: to allow what is yours, set {setting}, then: watcher poll --all"


def _refused_places(urls: Iterable[str], allow_private: Sequence[str]) -> list[str]:
    """Return the `host:port` of each URL whose host is written as a private address that is not allowed."""
    allowed = PrivateAllowlist.parse(allow_private)
    places: dict[str, None] = {}
    for url in urls:
        parts = urlsplit(url)
        host = parts.hostname or ""
        with suppress(ValueError):  # a name, which a check does not look up, or no port
            address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            if parts.scheme in ("http", "https") and not allowed.permits(address, host=host, port=port):
                places[f"[{host}]:{port}" if ":" in host else f"{host}:{port}"] = None
    return list(places)


ANYWHERE = PrivateAllowlist.parse(["0.0.0.0/0", "::/0"])  # for URLs that the user has set


def embedded_ipv4(address: IPAddress) -> IPAddress:
    """Return the IPv4 address in an IPv4-mapped or NAT64 address; any other address unchanged."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def is_public(address: IPAddress) -> bool:
    """Whether an address is public: the same host for anybody on the internet."""
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return False
    unicast, special, reachable = load_registries()
    in_use = any(address in network for network in unicast) and not any(address in network for network in special)
    return in_use or any(address in network for network in reachable)


@cache
def load_registries() -> tuple[tuple[IPNetwork, ...], ...]:
    data = tomllib.loads(DATA.read_text("utf-8"))
    return tuple(tuple(map(ipaddress.ip_network, data[name])) for name in ("unicast", "special", "reachable"))


class AddressGuard:
    """
    Resolves a name once per connection, and returns the addresses that may be connected to.

    Callers connect to one of these addresses, never to the name: another answer of the name server changes nothing.
    `resolve` replaces the system's resolver in tests.
    """

    def __init__(self, allowed: PrivateAllowlist, *, resolve: Resolve | None = None) -> None:
        self._allowed = allowed
        self._resolve = resolve or resolve_name
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolve")

    async def addresses(self, host: str, port: int) -> list[str]:
        """
        Return up to `MAX_ADDRESSES` allowed addresses.

        Errors: HopError for none; MachineError; OSError or UnicodeError of the resolver.
        """
        try:
            addresses: list[IPAddress] = [ipaddress.ip_address(host.strip("[]"))]
        except ValueError:  # a name, or a form such as 0x7f.1, which the resolver reads
            addresses = await self._resolve_in_thread(host, port)
        good = [str(address) for address in addresses if self._allowed.permits(address, host=host, port=port)]
        if not good:
            ips = ", ".join(map(str, addresses))
            raise HopError(FetchKind.PRIVATE_ADDRESS, host=host, addresses=ips if ips in host else f"{host} ({ips})")
        return good[:MAX_ADDRESSES]

    async def _resolve_in_thread(self, host: str, port: int) -> list[IPAddress]:
        try:
            resolving = asyncio.get_running_loop().run_in_executor(self._threads, self._resolve, host, port)
        except RuntimeError as error:  # no thread can be started
            raise MachineError(Reason(TaskKind.NO_PROCESSES, detail=str(error))) from error
        return await resolving

    def check_proxied(self, host: str, port: int) -> None:
        """Check a host that a proxy connects to, without resolving its name. Errors: HopError for a private address."""
        name = host.strip("[]").rstrip(".").lower()
        text = "127.0.0.1" if name == "localhost" or name.endswith(".localhost") else name
        try:
            address: IPAddress = ipaddress.ip_address(text)
        except ValueError:
            try:
                address = ipaddress.IPv4Address(socket.inet_aton(text))  # other forms of an address, such as 0x7f.1
            except (OSError, UnicodeError):
                return
        if not self._allowed.permits(address, host=host, port=port):
            raise HopError(FetchKind.PRIVATE_ADDRESS, host=host, addresses=host)

    def close(self) -> None:
        """Stop the resolver's threads without waiting for those that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def resolve_name(host: str, port: int) -> list[IPAddress]:
    """Return the addresses of a name in the system's order (blocking)."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(info[4][0])) for info in answers))
