"""A real HTTP server on loopback whose answers a test writes byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from tests.patience import PATIENCE_S
from watcher.net.client import Client
from watcher.worker.scheduler import _loop_factory

AGENT = "watcher-digests/0.1 (+https://example.org/bot; you@example.org)"
Answer = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    target: str
    headers: dict[str, str]
    names: list[str]


@dataclass
class Server:
    port: int = 0
    answers: dict[str, bytes | Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def places(self) -> list[str]:
        return [f"127.0.0.1:{self.port}", f"localhost:{self.port}"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request = read_request(head.decode("latin-1"))
                self.requests.append(request)
                answer = self.answers[request.target.partition("?")[0]]
                if isinstance(answer, bytes):
                    writer.write(answer)
                else:
                    await answer(request, writer)
                await writer.drain()
                if request.headers.get("connection") == "close":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def read_request(head: str) -> Request:
    line, *rest = head.strip().split("\r\n")
    pairs = [row.split(": ", 1) for row in rest]
    return Request(line.split(" ")[1], {name.lower(): value for name, value in pairs}, [name for name, _ in pairs])


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    named = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def redirect(status: int, location: str) -> bytes:
    return answer(status=f"{status} Moved", Location=location)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, object]:
    """Run every test of the client on both loops that it may be used on."""
    ours = _loop_factory()
    return {"asyncio": asyncio.new_event_loop} | ({"uvloop": ours} if ours is not None else {})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    for writer in made.writers:
        writer.close()
    await asyncio.sleep(0)
    await listening.wait_closed()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client(
        user_agent=AGENT, timeout_s=PATIENCE_S, deadline_s=PATIENCE_S, max_bytes=100_000, allow_private=server.places
    ) as made:
        yield made


@pytest.fixture
def make_answer() -> Callable[..., bytes]:
    return answer


@pytest.fixture
def make_redirect() -> Callable[[int, str], bytes]:
    return redirect
