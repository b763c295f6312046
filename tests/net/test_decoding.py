"""Bounded decoding: any cut into chunks gives the same body, any damage is seen, nothing exceeds its bound."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.errors import HopError
from watcher.net.decoding import BodyDecoder, _coding_of


def decode(raw: bytes, coding: str, chunk: int, max_bytes: int = 1_000_000) -> bytes:
    decoder = BodyDecoder(coding, max_bytes=max_bytes)
    for at in range(0, len(raw), chunk):
        decoder.feed(raw[at : at + chunk])
    return decoder.finish()


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4), st.integers(1, 50))
def test_members_in_any_chunks_give_the_whole_body(parts, chunk):
    raw = b"".join(gzip.compress(part) for part in parts)

    assert decode(raw, "gzip", chunk) == b"".join(parts)


@given(st.binary(min_size=1, max_size=500), st.integers(1, 50), st.sampled_from([15, -15]))
def test_deflate_comes_with_or_without_its_header(body, chunk, wbits):
    assert decode(zlib.compress(body, wbits=wbits), "deflate", chunk) == body


@given(st.binary(min_size=1, max_size=500), st.integers(1, 50), st.integers(0, 11))
def test_brotli_in_any_chunks_gives_the_whole_body(body, chunk, quality):
    assert decode(brotli.compress(body, quality=quality), "br", chunk) == body


@given(st.binary(min_size=1, max_size=500), st.data(), st.sampled_from(["gzip", "br"]))
def test_a_cut_stream_is_never_taken_for_a_whole_one(body, data, coding):
    raw = gzip.compress(body) if coding == "gzip" else brotli.compress(body)
    end = data.draw(st.integers(2, len(raw) - 1))

    with pytest.raises(HopError):
        decode(raw[:end], coding, 64)


@given(st.binary(max_size=400), st.sampled_from(["gzip", "deflate", "br", "identity"]), st.integers(1, 40))
def test_any_bytes_give_a_body_or_one_error(raw, coding, chunk):
    try:
        body = decode(raw, coding, chunk, max_bytes=10_000)
    except HopError:
        return
    assert len(body) <= 10_000


@settings(max_examples=20)
@given(st.integers(1, 5000), st.sampled_from(["gzip", "br"]))
def test_exactly_the_cap_is_allowed_and_one_more_is_not(size, coding):
    raw = gzip.compress(bytes(size)) if coding == "gzip" else brotli.compress(bytes(size))

    assert len(decode(raw, coding, 100, max_bytes=max(size, len(raw)))) == size
    with pytest.raises(HopError, match="larger than"):
        decode(raw, coding, 100, max_bytes=size - 1)


@pytest.mark.slow
def test_a_bomb_costs_little_memory():
    raw = gzip.compress(bytes(200_000_000), compresslevel=9)

    tracemalloc.start()
    with pytest.raises(HopError, match="larger than"):
        decode(raw, "gzip", 65_536)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 3_000_000


MEASURE = """
import resource, sys
from watcher.errors import HopError
from watcher.net.decoding import BodyDecoder
raw = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    BodyDecoder("br", max_bytes=10_000_000).feed(raw)
except HopError:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_bomb_of_brotli_costs_its_window_and_what_may_be_kept():
    """The decoder's memory is not Python's, so a process of its own is measured: at most 16 MiB of window."""
    raw = brotli.compress(bytes(200_000_000), quality=5, lgwin=24)

    ran = subprocess.run([sys.executable, "-c", MEASURE], input=raw, capture_output=True, check=True)

    assert len(raw) < 10_000
    assert int(ran.stdout) < 40


def test_empty_blocks_without_end_are_cut_by_the_bytes_received():
    stored_nothing = b"\x00\x00\x00\xff\xff"

    with pytest.raises(HopError, match="larger than"):
        decode(stored_nothing * 5000, "deflate", 1000, max_bytes=20_000)


@pytest.mark.parametrize("header", ["zstd", "gzip, br", "gzip, gzip", "x"])
def test_what_was_not_offered_is_not_read(header):
    with pytest.raises(HopError):
        _coding_of(header)


@pytest.mark.parametrize(
    ("header", "coding"),
    [(None, "identity"), ("", "identity"), ("X-GZIP", "gzip"), ("BR", "br"), ("UTF-8", "identity")],
)
def test_the_usual_spellings_are_known(header, coding):
    assert _coding_of(header) == coding
