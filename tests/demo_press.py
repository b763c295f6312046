"""The sample press with the truth of its articles, and a server of it that notes each request."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Self
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from watcher.demo.model import DemoArticle, Outlet, library
from watcher.demo.server import DemoServer

# By key: old and new text of the corrections that an outlet makes on the day after.
CORRECTIONS = {"aare/ausland/streik-hafen-triest": (("rund 650 Hafenarbeiter", "rund 560 Hafenarbeiter"),)}
CORRECTED_HOURS = 6  # before now: the time of corrections of yesterday's articles
# The validators of the outlets that do not send both.
VALIDATORS = {"prairie": ["etag"], "volna": ["etag"], "notes": ["last-modified"], "alpen": ["last-modified"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(DemoArticle):
    """An article of the press, with what has to come of it."""

    @property
    def key(self) -> str:
        """The article's key: outlet and path, so that it does not depend on address and port."""
        return key_of(self)

    @property
    def corrections(self) -> tuple[tuple[str, str], ...]:
        return CORRECTIONS.get(self.key, ())

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
    found = [label_of(as_of(piece, day)) for outlet in printed for piece in outlet.pieces]
    return {label.key: label for label in found}


def key_of(piece: DemoArticle) -> str:
    return f"{piece.outlet.key}{piece.path}"


def as_of(piece: DemoArticle, day: int) -> DemoArticle:
    """Return the article as it stands on `day`: with its corrections on every day but its first."""
    texts = (piece.title, piece.summary, *piece.body)
    for old, new in CORRECTIONS.get(key_of(piece), ()) if day > piece.day else ():
        texts = tuple(text.replace(old, new) for text in texts)
    return replace(piece, title=texts[0], summary=texts[1], body=texts[2:])


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
    """
    The server of the press on one of its days, with that day's corrections; it notes what is requested.

    It sends validators, and answers with 304 if a request has them.
    """

    def __init__(self, *, now: datetime, port: int = 0, day: int = 1) -> None:
        super().__init__(now=now)
        self.port, self.day = port, day
        self.requests: list[DemoRequest] = []

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        for place, site in self.sites.items():
            self.sites[place] = replace(site, pieces=tuple(as_of(piece, self.day) for piece in site.pieces))
        return self

    async def answer(self, request: Request) -> Response:
        response = await super().answer(request)
        host, port = request.scope["server"]
        site = self.sites[f"{host}:{port}"]
        if response.status_code == 200 and request.url.path != "/robots.txt":
            is_corrected = any(key_of(piece) in CORRECTIONS and piece.day < self.day for piece in site.pieces)
            newest = max(map(site.published_at, site.pieces), default=self.now)
            at = self.now - timedelta(hours=CORRECTED_HOURS) if is_corrected else newest
            sent = {
                "etag": f'"{hashlib.sha256(response.body).hexdigest()[:20]}"',
                "last-modified": format_datetime(at.astimezone(UTC), usegmt=True),
            }
            response.headers.update({name: sent[name] for name in VALIDATORS.get(site.outlet.key, sent)})
        if is_current(request.headers, response.headers):
            known = {name: value for name, value in response.headers.items() if name in ("etag", "last-modified")}
            response = Response(status_code=304, headers=known)
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


def is_current(asked: Mapping[str, str], answer: Mapping[str, str]) -> bool:
    """Whether a request has the validators of a response (RFC 9110 §13.2.2: an ETag takes precedence over a date)."""
    if "etag" in answer and "if-none-match" in asked:
        return asked["if-none-match"] == answer["etag"]
    return "last-modified" in answer and asked.get("if-modified-since") == answer["last-modified"]


async def serve() -> None:
    async with DemoServer(now=datetime.now(UTC)) as press:
        print(press.settings_toml(host_delay="0.1s"), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
