"""Addresses: what is public, what the settings may open, and that the address checked is the one connected to."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.net.guard import Allowed, Guard, PrivateAddress, is_public, unwrap

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
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd12::1",
    "fec0::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2001:db8::1",
    "fe80::1%2",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_not_for_us(text):
    assert not Allowed().permits(ipaddress.ip_address(text), host=text, port=80)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are(text):
    assert Allowed().permits(ipaddress.ip_address(text), host=text, port=80)


@given(st.ip_addresses(v=4))
def test_no_ipv6_coat_makes_an_address_public(address):
    coats = [ipaddress.IPv6Address(f"::ffff:{address}"), ipaddress.IPv6Address((0x64FF9B << 96) | int(address))]

    for coat in coats:
        assert unwrap(coat) == address
        assert is_public(address) or not Allowed().permits(coat, host="x", port=80)


def test_the_settings_open_ranges_and_single_places_and_nothing_else():
    allowed = Allowed.parse(["127.2.0.0/16", "[::1]:8080", "intra.example:80", "10.0.0.7"])

    def permits(text: str, host: str, port: int) -> bool:
        return allowed.permits(ipaddress.ip_address(text), host=host, port=port)

    assert permits("127.2.9.9", "any", 1) and permits("::ffff:127.2.0.1", "any", 1) and permits("10.0.0.7", "any", 1)
    assert permits("::1", "::1", 8080) and not permits("::1", "::1", 8081)
    assert permits("10.0.0.8", "Intra.Example.", 80) and not permits("10.0.0.8", "intra.example", 443)
    assert not permits("127.3.0.1", "any", 1)


@pytest.mark.parametrize("wish", ["", "localhost", "host:", "host:99999", ":80", "10.0.0.0/99"])
def test_a_wish_that_is_neither_range_nor_place_is_named(wish):
    with pytest.raises(ValueError, match="neither"):
        Allowed.parse([wish])


async def test_the_address_that_was_checked_is_the_one_connected_to():
    """A name whose second answer is another address gains nothing: it is resolved once for each connection."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    class Rebinding(Guard):
        async def _resolve(self, host, port):
            return [ipaddress.ip_address(text) for text in next(answers)]

    async def connected_to(address, port, timeout_s):
        return address

    backend = Rebinding(Allowed(), connect=connected_to)

    assert await backend.connect("rebind.example", 80, 1.0) == "93.184.216.34"
    with pytest.raises(PrivateAddress):
        await backend.connect("rebind.example", 80, 1.0)
    backend.close()


async def test_the_next_address_is_tried_where_the_first_does_not_answer():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    class TwoAddresses(Guard):
        async def _resolve(self, host, port):
            return [ipaddress.ip_address("127.0.0.9"), ipaddress.ip_address("127.0.0.1")]

    backend = TwoAddresses(Allowed.parse(["127.0.0.0/8"]))
    async with server:
        stream = await backend.connect("both.example", port, 2.0)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        await stream.aclose()
    backend.close()
