"""The sample press with the truth of its articles, and a server of it that notes each request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from watcher.demo.model import DemoArticle, Outlet, library
from watcher.demo.server import DemoServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(DemoArticle):
    """An article of the press, with what has to come of it."""

    @property
    def key(self) -> str:
        """The article's key: outlet and path, so that it does not depend on address and port."""
        return f"{self.outlet.key}{self.path}"

    @property
    def language(self) -> str:
        return self.outlet.language

    @property
    def text(self) -> str:
        """The expected result of cleaning, one paragraph per line, with dateline and end credit."""
        return "\n".join(paragraph.removeprefix("## ") for paragraph in self.body)

    @property
    def page(self) -> str:
        """How the page responds: missing (404; the feed has the text), redirect, paywall (the feed has more), or ok."""
        return next((answer for answer in ("missing", "redirect", "paywall") if answer in self.traps), "ok")


def labels(day: int = 1) -> dict[str, Label]:
    """Return all articles up to the end of `day`, by key."""
    now, press = datetime.now(UTC), library()
    printed = [press.print_outlet(outlet, base="", now=now, day=day) for outlet in press.outlets]
    found = [label_of(piece) for outlet in printed for piece in outlet.pieces]
    return {label.key: label for label in found}


def label_of(piece: DemoArticle) -> Label:
    return Label(**{field.name: getattr(piece, field.name) for field in fields(piece)})


def is_broken(outlet: Outlet) -> bool:
    """Whether the feed of an outlet cannot be read: a page instead of a feed, or an error."""
    return outlet.feed in ("html", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """One served request. Names of `headers` are in lower case."""

    at: datetime
    host: str
    path: str
    headers: Mapping[str, str]
    status: int


class PressServer(DemoServer):
    """The server of the press; it notes what is requested."""

    def __init__(self, *, now: datetime, port: int = 0, day: int = 1) -> None:
        super().__init__(now=now, port=port, day=day)
        self.requests: list[DemoRequest] = []

    async def answer(self, request: Request) -> Response:
        response = await super().answer(request)
        asked = DemoRequest(
            at=datetime.now(UTC),
            host=request.headers["host"],
            path=request.url.path,
            headers=request.headers,
            status=response.status_code,
        )
        self.requests.append(asked)
        return response

    def key(self, url: str) -> str:
        """Return the key of the article to whose page `url` leads."""
        parts = urlsplit(url)
        printed = self.sites[parts.netloc]
        return printed.outlet.key + next((p.path for p in printed.pieces if parts.path == p.link), parts.path)


async def serve() -> None:
    async with DemoServer(now=datetime.now(UTC)) as press:
        print(press.settings_toml(host_delay="0.1s"), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
