"""A site on loopback, in a thread of its own: commands run an event loop themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RSS = "application/rss+xml; charset=utf-8"
Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Site:
    """What each path answers, and what was asked. An answer is status, headers, body, or a function of the headers."""

    port: int = 0
    answers: dict[str, Answer | Callable[[Mapping[str, str]], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.place}{path}"

    def feed(self, path: str, text: str, **headers: str) -> None:
        self.answers[path] = (200, {"Content-Type": RSS} | dashed(headers), text.encode())

    def page(self, path: str, html: str, status: int = 200, **headers: str) -> None:
        self.answers[path] = (status, {"Content-Type": "text/html"} | dashed(headers), html.encode())

    def redirect(self, path: str, to: str, status: int = 301) -> None:
        self.answers[path] = (status, {"Location": to}, b"")


def dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def rss(title: str = "The Post", numbers: Iterator[int] | range = range(3), head: str = "", text: str = "") -> str:
    """Return a feed whose entries are a few hours old by the clock of a test in November 2026, or dated by `head`."""
    items = "".join(
        f"<item><title>Story number {n} of the day</title><link>https://post.example/{n}</link><guid>{n}</guid>"
        f"<pubDate>Tue, 24 Nov 2026 {n % 12:02}:00:00 GMT</pubDate><description>{text}</description></item>"
        for n in numbers
    )
    return f"<rss version='2.0'><channel><title>{title}</title><language>en</language>{head}{items}</channel></rss>"


@contextmanager
def serving(port: int = 0, address: str = "127.0.0.1") -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            answer = site.answers.get(self.path, (404, {}, b"nothing here"))
            status, headers, body = answer if isinstance(answer, tuple) else answer(self.headers)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((address, port), Handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
