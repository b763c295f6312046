"""An OpenAI-compatible endpoint for embeddings on loopback, real HTTP: vectors of words, and faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[[dict[str, Any]], Answer | None]  # of what was asked; None: answered as usual


def vector_of(text: str, dimensions: int) -> list[float]:
    """Return a vector that texts with the same words share a part of; not of unit length."""
    made = [0.0] * dimensions
    for word in text.split() or [""]:
        digest = hashlib.sha256(word.encode()).digest()
        made[int.from_bytes(digest[:4], "big") % dimensions] += 1.0
    return [value * 3.0 for value in made]


class EmbeddingServer:
    """What it was asked stands in `requests`; `faults` are taken one a request before anything else."""

    def __init__(self, *, key: str = "", dimensions: int = 16) -> None:
        self.key = key
        self.dimensions = dimensions
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        self.pause_s = 0.0
        self.url = ""

    def answer(self, asked: dict[str, Any], authorization: str) -> Answer:
        self.requests.append(asked)
        time.sleep(self.pause_s)
        if self.key and authorization != f"Bearer {self.key}":
            return error(401, f"Incorrect API key provided: {authorization.removeprefix('Bearer ')}")
        fault = self.faults.pop(0) if self.faults else self.always
        if fault is not None and (answer := fault(asked)) is not None:
            return answer
        size = asked.get("dimensions", self.dimensions)
        return good([vector_of(text, size) for text in asked["input"]])


def good(vectors: list[Any]) -> Answer:
    """Return the answer that holds `vectors`, the last first: their places say where they belong."""
    rows = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(vectors)]
    return 200, {}, json.dumps({"object": "list", "data": rows[::-1], "model": "words"}).encode()


def error(status: int, message: str = "no", **headers: str) -> Answer:
    """Return an error as such endpoints tell it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode()


@contextmanager
def embedding_server(**options: Any) -> Iterator[EmbeddingServer]:
    """Yield a server that listens."""
    server = EmbeddingServer(**options)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.paths.append(self.path)
            status, headers, body = server.answer(asked, self.headers.get("Authorization", ""))
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:  # the client did not wait
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = False  # its end waits for theirs
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_port}/v1"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
