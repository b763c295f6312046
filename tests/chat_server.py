"""An OpenAI-compatible endpoint for completions on loopback, real HTTP: it answers as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ChatServer:
    """`write` makes the text of an answer from the question's user message; `status` refuses instead."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.write: Callable[[str], str] = lambda user: ""
        self.status = 200
        self.body: bytes | None = None  # in the place of an answer
        self.pause_s = 0.0
        self.tokens: int | None = 100
        self.url = ""

    def answer(self, asked: dict[str, Any], key: str) -> tuple[int, bytes]:
        self.requests.append(asked)
        self.keys.append(key)
        time.sleep(self.pause_s)
        if self.status != 200:
            return self.status, json.dumps({"error": {"message": f"no, not with {key}"}}).encode()
        if self.body is not None:
            return 200, self.body
        told: dict[str, Any] = {"choices": [{"message": {"content": self.write(asked["messages"][1]["content"])}}]}
        if self.tokens is not None:
            told["usage"] = {"total_tokens": self.tokens}
        return 200, json.dumps(told).encode()


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """Serve while the context is entered."""
    server = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = server.answer(asked, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
