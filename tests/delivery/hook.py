"""A web address on loopback that keeps what is posted to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.patience import PATIENCE_S


@dataclass
class Post:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Hook:
    """
    `answer` is status, headers and body of each answer.

    `hangs`: nothing is answered; `repeats`: the body holds the request's path and token.
    """

    port: int = 0
    answer: tuple[int, Mapping[str, str], bytes] = (200, {}, b"ok")
    hangs: bool = False
    repeats: bool = False
    posts: list[Post] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def listening() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posts.append(Post(self.path, dict(self.headers.items()), body))
            if hook.hangs:
                hook.over.wait(PATIENCE_S)
                return
            status, headers, said = hook.answer
            if hook.repeats:
                said += f" {self.path} {self.headers.get('Authorization')}".encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
