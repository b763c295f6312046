"""Addresses: what is public, what the settings may open, and that the address checked is the one connected to."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import tomllib

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.machine import NoThreads, no_descriptors
from watcher.errors import HopError, MachineError, RequestRefused, Unreachable
from watcher.model import CrossHostRedirect
from watcher.net.address_guard import (
    DATA,
    AddressGuard,
    PrivateAllowlist,
    embedded_ipv4,
    is_public,
    load_registries,
)
from watcher.net.client import Client
from watcher.net.transport import GuardedBackend, GuardedTransport

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd12::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "2001:db8::1",
    "3ffe::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "5f00::1",
    "4000::1",
    "fe80::1%2",
    "2606:4700::1111%2",
]
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "192.0.0.9",
    "192.0.1.1",
    "192.31.196.1",
    "2606:4700::1111",
    "2001:3::1",
    "2001:200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]

# The special-purpose registries of IANA for IPv4 and IPv6, in their order, and whether they call a block globally
# reachable; "N/A" counts as no. 64:ff9b::/96 and ::ffff:0:0/96 are missing: there, the IPv4 address inside counts.
IANA = {
    "0.0.0.0/8": False, "0.0.0.0/32": False, "10.0.0.0/8": False, "100.64.0.0/10": False, "127.0.0.0/8": False,
    "169.254.0.0/16": False, "172.16.0.0/12": False, "192.0.0.0/24": False, "192.0.0.0/29": False,
    "192.0.0.8/32": False, "192.0.0.9/32": True, "192.0.0.10/32": True, "192.0.0.170/32": False,
    "192.0.0.171/32": False, "192.0.2.0/24": False, "192.31.196.0/24": True, "192.52.193.0/24": True,
    "192.88.99.0/24": False, "192.88.99.2/32": False, "192.168.0.0/16": False, "192.175.48.0/24": True,
    "198.18.0.0/15": False, "198.51.100.0/24": False, "203.0.113.0/24": False, "240.0.0.0/4": False,
    "255.255.255.255/32": False, "::1/128": False, "::/128": False, "64:ff9b:1::/48": False, "100::/64": False,
    "100:0:0:1::/64": False, "2001::/23": False, "2001::/32": False, "2001:1::1/128": True, "2001:1::2/128": True,
    "2001:1::3/128": True, "2001:2::/48": False, "2001:3::/32": True, "2001:4:112::/48": True, "2001:10::/28": False,
    "2001:20::/28": True, "2001:30::/28": True, "2001:db8::/32": False, "2002::/16": False,
    "2620:4f:8000::/48": True, "3fff::/20": False, "5f00::/16": False, "fc00::/7": False, "fe80::/10": False,
}  # fmt: skip
# Blocks that were given back, so that nobody has them now, and multicast.
RETIRED = {
    "::/96": "IPv4-compatible, RFC 4291",
    "200::/7": "NSAP, RFC 4048",
    "400::/7": "IPX, RFC 3513",
    "2001:5::/32": "LISP, RFC 7954",
    "3ffe::/16": "6bone, RFC 3701",
    "5f00::/8": "the first 6bone, RFC 3701",
    "fec0::/10": "site-local, RFC 3879",
    "224.0.0.0/4": "multicast",
    "ff00::/8": "multicast",
}


@pytest.mark.parametrize(("block", "is_reachable"), [*IANA.items(), *((block, False) for block in RETIRED)])
def test_each_special_block_is_public_only_if_the_registry_calls_it_reachable(block, is_reachable):
    network = ipaddress.ip_network(block)

    for address in (network[0], network[network.num_addresses // 2], network[-1]):
        assert PrivateAllowlist().permits(address, host="x", port=80) is is_reachable, address


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_not_for_us(text):
    assert not PrivateAllowlist().permits(ipaddress.ip_address(text), host=text, port=80)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are(text):
    assert PrivateAllowlist().permits(ipaddress.ip_address(text), host=text, port=80)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address):
    """Its lists are shorter than ours, and serve to check them; before 3.11.10 they knew of no exceptions."""
    _, _, reachable = load_registries()
    if is_public(address) and not any(address in network for network in reachable):
        assert address.is_global and not address.is_multicast and not address.is_reserved


def test_each_reachable_block_lies_in_a_special_one():
    data = {
        name: [ipaddress.ip_network(text) for text in texts] for name, texts in tomllib.loads(DATA.read_text()).items()
    }

    for network in data["reachable"]:
        assert any(network.version == other.version and network.subnet_of(other) for other in data["special"])


@given(st.ip_addresses(v=4))
def test_no_ipv6_coat_makes_an_address_public(address):
    coats = [ipaddress.IPv6Address(f"::ffff:{address}"), ipaddress.IPv6Address((0x64FF9B << 96) | int(address))]

    for coat in coats:
        assert embedded_ipv4(coat) == address
        assert is_public(address) or not PrivateAllowlist().permits(coat, host="x", port=80)


def test_the_settings_open_ranges_and_single_places_and_nothing_else():
    allowed = PrivateAllowlist.parse(["127.2.0.0/16", "[::1]:8080", "intra.example:80", "10.0.0.7"])

    def permits(text: str, host: str, port: int) -> bool:
        return allowed.permits(ipaddress.ip_address(text), host=host, port=port)

    assert permits("127.2.9.9", "any", 1) and permits("::ffff:127.2.0.1", "any", 1) and permits("10.0.0.7", "any", 1)
    assert permits("::1", "::1", 8080) and not permits("::1", "::1", 8081)
    assert permits("10.0.0.8", "Intra.Example.", 80) and not permits("10.0.0.8", "intra.example", 443)
    assert not permits("127.3.0.1", "any", 1)


@pytest.mark.parametrize("wish", ["", "localhost", "host:", "host:99999", ":80", "10.0.0.0/99"])
def test_a_wish_that_is_neither_range_nor_place_is_named(wish):
    with pytest.raises(ValueError, match="neither"):
        PrivateAllowlist.parse([wish])


class NetworkWithoutSockets(GuardedBackend):
    """Notes the addresses that are connected to; each answers with the next of `answers`."""

    def __init__(self, guard: AddressGuard, answers: list[bytes]) -> None:
        super().__init__(guard)
        self.connected: list[str] = []
        self.answers = answers

    async def open(self, address, port):
        self.connected.append(address)
        return httpcore.AsyncMockStream([self.answers.pop(0)])


async def test_the_address_that_was_checked_is_the_one_connected_to():
    """A name whose second answer is another address gains nothing: it is resolved once for each connection."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    guard = AddressGuard(
        PrivateAllowlist(), resolve=lambda host, port: [ipaddress.ip_address(text) for text in next(answers)]
    )
    network = NetworkWithoutSockets(guard, [b"", b""])

    await network.connect_tcp("rebind.example", 80, 1.0)
    with pytest.raises(HopError, match="a private address"):
        await network.connect_tcp("rebind.example", 80, 1.0)

    assert network.connected == ["93.184.216.34"]
    guard.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://news.example/"])
async def test_a_lack_of_file_descriptors_is_no_fault_of_a_host_or_of_the_network(url):
    async with Client(user_agent="w/1", allow_private=["127.0.0.0/8"]) as client:
        for ask in (client.get, client.get_same_host, client.can_connect):
            with no_descriptors(), pytest.raises(MachineError, match="no file descriptors are left"):
                await ask(url)
        assert not await client.can_connect(url)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBUSY, errno.ENOENT])
async def test_a_resolver_without_descriptors_may_give_an_error_number_left_from_before(number):
    def resolve(host, port):
        raise OSError(number, os.strerror(number))

    network = NetworkWithoutSockets(AddressGuard(PrivateAllowlist(), resolve=resolve), [])
    async with Client(user_agent="w/1", substitute=GuardedTransport(network)) as client:
        with no_descriptors(), pytest.raises(MachineError, match="no file descriptors are left"):
            await client.get("http://news.example/")
        with pytest.raises(Unreachable, match="does not resolve"):
            await client.get("http://news.example/")


async def test_a_name_is_not_called_wrong_because_no_thread_can_be_started_to_resolve_it():
    guard = AddressGuard(PrivateAllowlist())
    guard._threads = NoThreads()

    with pytest.raises(MachineError, match="can't start new thread"):
        await guard.addresses("news.example", 80)


async def test_the_next_address_is_tried_where_the_first_does_not_answer():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    two = [ipaddress.ip_address("127.0.0.9"), ipaddress.ip_address("127.0.0.1")]
    guard = AddressGuard(PrivateAllowlist.parse(["127.0.0.0/8"]), resolve=lambda host, port: two)

    async with server:
        stream = await GuardedBackend(guard).connect_tcp("both.example", port, 2.0)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        await stream.aclose()
    guard.close()


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    """Return hosts that may stand for an address: as literals, or as the resolver of the system reads them."""
    number, (first, *rest) = int(address), address.packed
    inner = [
        f"[::ffff:{address}]",
        f"[64:ff9b::{address}]",
        f"[::{address}]",
        f"[2002:{number >> 16:x}:{number & 65535:x}::]",
    ]
    octal = ".".join(f"0{octet:o}" for octet in address.packed)
    return [str(address), str(number), hex(number), f"0{number:o}", octal, f"{first:#x}.{int.from_bytes(rest)}", *inner]


def as_the_system_reads(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return the address of a spelling in numbers, as `inet_aton` reads it; for a name, what it was given."""
    parts = [
        int(part, 16 if part.startswith("0x") else 8 if part[0] == "0" and part != "0" else 10)
        for part in host.split(".")
    ]
    *octets, last = parts
    return [ipaddress.IPv4Address(sum(octet << 8 * (3 - at) for at, octet in enumerate(octets)) + last)]


ADDRESS = st.sampled_from([ipaddress.ip_address(text) for text in (*PRIVATE, *PUBLIC)]) | st.ip_addresses()
V4 = st.sampled_from(["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.0.0.192", "93.184.216.34"]) | st.ip_addresses(
    v=4
).map(str)
LITERAL = V4.flatmap(lambda text: st.sampled_from(spellings(ipaddress.IPv4Address(text))))
LINK_LOCAL = st.sampled_from(["[fe80::1]", "[fe80::1%25eth0]", "169.254.0.1", "[::ffff:169.254.169.254]"])


@pytest.mark.slow
@given(
    hosts=st.lists(LITERAL | LINK_LOCAL | st.sampled_from(["one.example", "two.example"]), min_size=1, max_size=4),
    answers=st.lists(st.lists(ADDRESS, min_size=1, max_size=3), min_size=4, max_size=4),
    get=st.sampled_from([Client.get, Client.get_same_host]),
)
def test_on_each_hop_a_connection_goes_to_a_public_address_or_nowhere(hosts, answers, get):
    """Whatever a URL or a redirect names, in whatever spelling, and whatever a name server says to each question."""
    left = list(answers)

    def resolve(host: str, port: int) -> list[object]:
        return left.pop(0) if host.endswith(".example") else as_the_system_reads(host)

    redirects = [f"HTTP/1.1 302 Found\r\nLocation: http://{host}/{n}\r\n\r\n".encode() for n, host in enumerate(hosts)]
    responses = [*redirects[1:], b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]

    async def ask() -> tuple[list[str], bool]:
        guard = AddressGuard(PrivateAllowlist(), resolve=resolve)
        network = NetworkWithoutSockets(guard, list(responses))
        async with Client(user_agent="w/1", substitute=GuardedTransport(network)) as client:
            try:
                answer = await get(client, f"http://{hosts[0]}/0")
                while isinstance(answer, CrossHostRedirect):
                    answer = await get(client, answer.url)
            except RequestRefused:
                return network.connected, False
            finally:
                guard.close()
        return network.connected, True

    connected, came_through = asyncio.run(ask())

    assert all(PrivateAllowlist().permits(ipaddress.ip_address(text), host="x", port=80) for text in connected)
    assert came_through == (len(connected) == len(hosts))


@pytest.mark.parametrize("get", [Client.get, Client.get_same_host])
async def test_a_client_without_a_substitute_connects_by_the_guard(get):
    async with Client(user_agent="w/1") as client:
        assert isinstance(client._direct, GuardedTransport)
        assert isinstance(client._direct._pool._network_backend, GuardedBackend)
        with pytest.raises(RequestRefused, match="private"):
            await get(client, "http://localhost/")
