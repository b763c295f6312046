"""
Readers of the local site, for measuring: each looks at a page, waits, and looks at the next.

    python bench/site_readers.py --site 127.0.0.1:8420 --readers 50 --seconds 60 --wait 1 --nice 19

They read the front page, the lists, a search, the feed, and the stories and articles that these lead to, compressed, as
a browser does. Prints one line of JSON: pages read, milliseconds, answers by status, and the CPU seconds of reading.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, field

FIRST = ("/", "/sources", "/archive", "/search?q=kolan", "/sources/page-2", "/feed.atom")
LINK = re.compile(r'href="(/(?:story|article|sources)/[A-Za-z0-9-]+)"')
MOST = 200  # pages that are known
PATIENCE_S = 60.0


@dataclass
class Read:
    """What reading brought."""

    took_ms: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)


async def get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str, *, packed: bool = True
) -> tuple[str, bytes]:
    """Return status and body of a page."""
    wants = "Accept-Encoding: gzip\r\n" if packed else ""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{wants}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    return head.split(" ")[1], await reader.readexactly(int(size[1]) if size else 0)


async def known(host: str, port: int) -> list[str]:
    """Return the pages that are there: the first ones, and some that these lead to."""
    found = dict.fromkeys(FIRST)
    reader, writer = await asyncio.open_connection(host, port)
    for path in ("/", "/search?q=kolan", "/sources"):
        _, body = await get(reader, writer, f"{host}:{port}", path, packed=False)
        found |= dict.fromkeys(LINK.findall(body.decode())[: MOST // 3])
    writer.close()
    return list(found)


async def read_on(host: str, port: int, number: int, pages: list[str], until: float, wait_s: float, into: Read) -> None:
    """Read one page after the other until the time is over: every second one is a first page."""
    await asyncio.sleep(wait_s * (number % 50) / 50)
    link = None
    while time.monotonic() < until:
        path = FIRST[number // 2 % len(FIRST)] if number % 2 else pages[number * 7 % len(pages)]
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                link = link or await asyncio.open_connection(host, port)
                status, _ = await get(*link, f"{host}:{port}", path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            status, link = "none", None
        into.answers[status] += 1
        if status == "200":
            into.took_ms.append((time.monotonic() - began) * 1e3)
        number += 1
        await asyncio.sleep(wait_s)


async def read(host: str, port: int, readers: int, seconds: float, wait_s: float) -> Read:
    """Return what so many readers read in a time."""
    pages = await known(host, port)
    read, until = Read(), time.monotonic() + seconds
    await asyncio.gather(*(read_on(host, port, n, pages, until, wait_s, read) for n in range(readers)))
    return read


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", default="127.0.0.1:8420")
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--wait", type=float, default=1.0, help="seconds between two pages of a reader")
    parser.add_argument("--nice", type=int, default=0)
    given = parser.parse_args()
    os.nice(given.nice)
    host, _, port = given.site.rpartition(":")
    found = asyncio.run(read(host, int(port), given.readers, given.seconds, given.wait))
    took = sorted(found.took_ms) or [0.0]
    told = {
        "pages": len(found.took_ms),
        "median_ms": round(took[len(took) // 2], 1),
        "p95_ms": round(took[len(took) * 95 // 100], 1),
        "slowest_ms": round(took[-1], 1),
        "answers": dict(found.answers),
        "cpu_s": round(time.process_time(), 2),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
