"""Small servers of services that keep links, made from the published descriptions of their APIs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "a-token-of-the-service"


@dataclass(frozen=True)
class Api:
    """
    What a service takes and answers.

    `path`: of the POST; `header`: the header with the token; `types`: the types of the fields that it knows;
    `url`: the field of the address; `answer`: status and reply for the number of an entry.
    """

    path: str
    header: tuple[str, str]
    types: Mapping[str, type]
    answer: Callable[[int], tuple[int, Any]]
    url: str = "url"
    is_list: bool = False


BEARER = ("Authorization", f"Bearer {TOKEN}")
APIS = {
    # https://app.wallabag.it/api/doc, and postEntriesAction of src/Controller/Api/EntryRestController.php
    "wallabag": Api("/api/entries.json", BEARER, {"url": str, "title": str, "tags": str}, lambda n: (200, {"id": n})),
    # https://codeberg.org/readeck/readeck, docs/api; the spelling of its answer is its own
    "readeck": Api(
        "/api/bookmarks", BEARER, {"url": str, "title": str, "labels": list},
        lambda n: (202, {"status": 202, "message": "Link submited"}),
    ),
    # https://docs.karakeep.app/api/create-a-new-bookmark; 200 instead if it has the address
    "karakeep": Api(
        "/api/v1/bookmarks", BEARER, {"type": str, "url": str, "title": str, "note": str},
        lambda n: (201, {"id": str(n)}),
    ),
    # https://linkding.link/api/
    "linkding": Api(
        "/api/bookmarks/", ("Authorization", f"Token {TOKEN}"),
        {"url": str, "title": str, "tag_names": list, "notes": str}, lambda n: (201, {"id": n}),
    ),
    # https://developer.raindrop.io/v1/raindrops/single
    "raindrop": Api(
        "/rest/v1/raindrop", BEARER, {"link": str, "title": str, "tags": list, "note": str},
        lambda n: (200, {"result": True, "item": {"_id": n}}), url="link",
    ),
    # https://www.zotero.org/support/dev/web_api/v3/write_requests
    "zotero": Api(
        "/users/12345/items?v=3", ("Zotero-API-Key", TOKEN),
        {"itemType": str, "title": str, "publicationTitle": str, "date": str, "url": str},
        lambda n: (200, {"successful": {"0": {"key": str(n)}}, "unchanged": {}, "failed": {}}), is_list=True,
    ),
}  # fmt: skip


@dataclass
class Service:
    api: Api
    port: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    next_answers: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=list)  # instead of the usual one

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        name, token = self.api.header
        if path != self.api.path:
            return 404, {"error": "not found"}
        if headers.get(name) != token or headers.get("Content-Type") != "application/json":
            return 401, {"error": "wrong token"}
        given = json.loads(body)
        (entry,) = given if self.api.is_list else [given]
        kinds = {key: type(value) for key, value in entry.items()}
        if any(self.api.types.get(key) is not kind for key, kind in kinds.items()) or self.api.url not in entry:
            return 400, {"error": f"wrong fields: {sorted(entry)}"}
        self.entries.append(entry)
        return self.api.answer(len(self.entries))


@contextmanager
def serving(api: Api) -> Iterator[Service]:
    service = Service(api)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.requests += 1
            more: Mapping[str, str] = {}
            if service.next_answers:
                status, more, reply = service.next_answers.pop(0)
            else:
                status, given = service.take(self.path, self.headers, body)
                reply = json.dumps(given).encode()
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
