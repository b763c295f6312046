"""
Serves many feeds on loopback addresses of their own, for measuring: RSS 2.0, gzip, ETag, Last-Modified.

    python bench/feed_server.py --feeds 2000 --print      # the addresses, one a line
    python bench/feed_server.py --feeds 2000              # serves until it is stopped
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from html import escape

MIDDLES = ("n", "r", "l", "s", "t", "ndo", "rka", "lme", "sti", "tru")
WORDS = [
    f"{start}{middle}{end}"
    for start in ("ba", "ko", "ri", "tu", "me", "gal", "fes", "pon", "dir", "hus")
    for middle in MIDDLES
    for end in ("al", "en", "im", "or", "us", "a", "elde", "isto", "onte", "ura")
]
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NO_FEED = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def address(number: int, port: int) -> str:
    """Return the URL of a feed; each has a host of its own."""
    return f"http://127.{1 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}:{port}/feed/{number}.xml"


def feed(number: int, dates: Sequence[datetime], words: int) -> bytes:
    """Return the text of a feed, the same at each call; `dates` are of its entries, the oldest first."""
    items = []
    for n, date in reversed(tuple(enumerate(dates))):
        chance = random.Random(f"{number} {n}")
        title = " ".join(chance.choices(WORDS, k=9)).capitalize()
        body = " ".join(chance.choices(WORDS, k=words))
        at = format_datetime(date)
        items.append(
            f"<item><title>{title}</title><link>http://127.0.0.1/{number}/{n}</link><guid>{number}-{n}</guid>"
            f"<pubDate>{at}</pubDate><description>{escape(f'<p>{body}</p>')}</description></item>"
        )
    head = f"<title>Feed {number}</title><link>http://127.0.0.1/</link><description>To measure with</description>"
    text = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'
    return text.encode()


class Served(asyncio.Protocol):
    """One connection."""

    def __init__(self, answers: dict[bytes, tuple[bytes, bytes, bytes]]) -> None:
        self.answers = answers
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if b"\r\n\r\n" not in self.heard:
            return
        lines = self.heard.split(b"\r\n")
        found = self.answers.get(lines[0].split(b" ")[1])
        if found is None:
            self.transport.write(NO_FEED)
        else:
            etag, whole, unchanged = found
            asks = any(line.lower().startswith(b"if-none-match:") and etag in line for line in lines)
            self.transport.write(unchanged if asks else whole)
        self.transport.close()


def answers(feeds: int, dates: Sequence[datetime], words: int, full: int) -> dict[bytes, tuple[bytes, bytes, bytes]]:
    """Return for each path the ETag, the whole answer and the 304; from number `full` on without entries."""
    made = {}
    changed = format_datetime(dates[-1], usegmt=True).encode()
    for number in range(feeds):
        body = gzip.compress(feed(number, dates if number < full else (), words), 5)
        etag = b'"' + sha256(body).hexdigest()[:20].encode() + b'"'
        head = b"ETag: " + etag + b"\r\nLast-Modified: " + changed + b"\r\nConnection: close\r\n"
        kind = b"Content-Type: application/rss+xml; charset=utf-8\r\nContent-Encoding: gzip\r\n"
        length = b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n"
        whole = b"HTTP/1.1 200 OK\r\n" + head + kind + length + body
        made[f"/feed/{number}.xml".encode()] = etag, whole, b"HTTP/1.1 304 Not Modified\r\n" + head + b"\r\n"
    return made


async def serve(feeds: int, entries: int, words: int, port: int, news_s: float, full: int) -> None:
    """Serve until the end; every `news_s` seconds each feed has an entry more."""
    newest = datetime.now(UTC).replace(microsecond=0) if news_s else START
    dates = [newest - timedelta(minutes=30 * n) for n in reversed(range(entries))]
    made = answers(feeds, dates, words, full)
    loop = asyncio.get_running_loop()
    servers = []
    for number in range(feeds):
        host = address(number, port).partition("://")[2].partition(":")[0]
        servers.append(await loop.create_server(lambda: Served(made), host, port, backlog=64))
    print(f"ready: {feeds} feeds", flush=True)
    while news_s:
        await asyncio.sleep(news_s)
        dates = [*dates, datetime.now(UTC).replace(microsecond=0)]
        made |= answers(feeds, dates, words, full)
    await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--entries", type=int, default=20)
    parser.add_argument("--full", type=int, help="how many of them have entries; all, if that is not said")
    parser.add_argument("--words", type=int, default=90, help="of an entry's text")
    parser.add_argument("--port", type=int, default=18190)
    parser.add_argument("--news", type=float, default=0.0, help="seconds until each feed has an entry more; 0: never")
    parser.add_argument("--print", action="store_true", help="print the addresses and end")
    given = parser.parse_args()
    if given.print:
        print("\n".join(address(number, given.port) for number in range(given.feeds)))
        return
    with suppress(KeyboardInterrupt):
        full = given.feeds if given.full is None else given.full
        asyncio.run(serve(given.feeds, given.entries, given.words, given.port, given.news, full))


if __name__ == "__main__":
    main()
