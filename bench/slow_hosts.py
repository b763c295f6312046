"""
Hosts on loopback that answer after a while, each with a feed, and write down when each was asked (`many_workers.py`).

Any address of 127.0.0.0/8 is a host. A line of --log is: host, when a request came, when it was answered or broken off.
Every --news seconds all feeds have an entry more, until a file "stop-news" stands beside the log; how many entries a
feed has in the end is in the file of the log's name and ".news".
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path

WORDS = "harbour council ferry winter bridge minister storm market river school village railway engine repair".split()
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class News:
    """How many entries every feed has, and since when each."""

    def __init__(self) -> None:
        self.dates = [datetime.now(UTC)]

    def feed(self, host: str) -> bytes:
        """Return the answer with a host's feed."""
        items = []
        for n, at in reversed(tuple(enumerate(self.dates))):
            chance = random.Random(f"{host} {n}")
            title = " ".join(chance.sample(WORDS, 6)).capitalize() + f" {host} {n}"
            body = escape("".join(f"<p>{' '.join(chance.choices(WORDS, k=40)).capitalize()}.</p>" for _ in range(3)))
            items.append(
                f"<item><title>{title}</title><link>http://{host}/{n}</link><guid>{n}</guid>"
                f"<pubDate>{format_datetime(at)}</pubDate><description>{body}</description></item>"
            )
        text = f"<rss version='2.0'><channel><title>{host}</title>{''.join(items)}</channel></rss>".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(text)}\r\n"
        return f'{head}ETag: "{len(self.dates)}"\r\nConnection: close\r\n\r\n'.encode() + text


class Host(asyncio.Protocol):
    """One connection."""

    def __init__(self, news: News, log: list[str], answer_s: float) -> None:
        self.news, self.log, self.answer_s = news, log, answer_s
        self.heard, self.began, self.host = b"", 0.0, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.host = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if b"\r\n\r\n" not in self.heard or self.began:
            return
        self.began = time.time()
        asyncio.get_running_loop().call_later(self.answer_s, self.answer)

    def answer(self) -> None:
        if self.transport.is_closing():
            return
        known = self.heard.split(b" ")[1] == b"/feed.xml"
        if f'If-None-Match: "{len(self.news.dates)}"'.lower().encode() in self.heard.lower():
            self.transport.write(NOT_MODIFIED)
        else:
            self.transport.write(self.news.feed(self.host) if known else NOT_FOUND)
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.began:
            self.log.append(f"{self.host} {self.began:.4f} {time.time():.4f}")
            self.began = 0.0


async def serve(given: argparse.Namespace) -> None:
    """Serve until SIGTERM, then write the log."""
    log: list[str] = []
    news, end = News(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, end.set)
    server = await loop.create_server(lambda: Host(news, log, given.answer), "0.0.0.0", given.port, backlog=4096)
    print("ready", flush=True)
    next_at = time.monotonic() + given.news
    while not end.is_set():
        if time.monotonic() >= next_at and not (given.log.parent / "stop-news").exists():
            news.dates.append(datetime.now(UTC))
            next_at += given.news
        await asyncio.sleep(0.2)
    server.close()
    given.log.write_text("\n".join(log) + "\n")
    given.log.with_name(given.log.name + ".news").write_text(str(len(news.dates)))


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--answer", type=float, default=0.2)
    parser.add_argument("--news", type=float, default=60.0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
