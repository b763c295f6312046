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
    `url`: the field of the address; `answer`: status and reply for the number of an entry;
    `wrong_token`, `wrong_fields`: status and reply for these errors.
    """

    path: str
    header: tuple[str, str]
    types: Mapping[str, type]
    answer: Callable[[int], tuple[int, Any]]
    wrong_token: tuple[int, Any]
    wrong_fields: tuple[int, Any]
    url: str = "url"
    is_list: bool = False


BEARER = ("Authorization", f"Bearer {TOKEN}")
APIS = {
    # wallabag's API documentation 2.x, which is made from its source: postEntriesAction and retrieveValueFromRequest
    # of src/Controller/Api/EntryRestController.php at 0522a61; JSON by body_listener in app/config/config.yml.
    "wallabag": Api(
        "/api/entries.json", BEARER, {"url": str, "title": str, "tags": str}, lambda n: (200, {"id": n}),
        wrong_token=(401, {"error": "invalid_grant", "error_description": "The access token provided is invalid."}),
        wrong_fields=(400, {"code": 400, "message": "The url is empty"}),
    ),
    # Readeck API 1.0.0: docs/api/bookmarks/routes-bookmarks.yaml at 511b362 (bookmarkCreate), docs/api/traits.yaml
    # (errors) and internal/bookmarks/routes/api_bookmarks.go, which spells its answer so
    "readeck": Api(
        "/api/bookmarks", BEARER, {"url": str, "title": str, "labels": list},
        lambda n: (202, {"status": 202, "message": "Link submited"}),
        wrong_token=(401, {"status": 401, "message": "Unauthorized"}),
        wrong_fields=(422, {"is_valid": False, "errors": None, "fields": {"url": {"errors": ["field is required"]}}}),
    ),
    # Karakeep API v1: createBookmark of packages/open-api/lib/bookmarks.ts at 89f5499, errors.ts beside it, and
    # zNewBookmarkRequestSchema of packages/shared/types/bookmarks.ts; 200 instead of 201 if it has the address
    "karakeep": Api(
        "/api/v1/bookmarks", BEARER, {"type": str, "url": str, "title": str, "note": str},
        lambda n: (201, {"id": str(n)}), wrong_token=(401, "Unauthorized"),
        wrong_fields=(400, {"code": "BAD_REQUEST", "message": "url: Required"}),
    ),
    # linkding's page "API": docs/src/content/docs/api.md at 0837b51; errors are those of Django REST framework
    "linkding": Api(
        "/api/bookmarks/", ("Authorization", f"Token {TOKEN}"),
        {"url": str, "title": str, "tag_names": list, "notes": str}, lambda n: (201, {"id": n}),
        wrong_token=(401, {"detail": "Invalid token."}), wrong_fields=(400, {"url": ["This field is required."]}),
    ),
    # Raindrop.io API v1: https://developer.raindrop.io/v1/raindrops/single (Create raindrop), its pages on calls and
    # on errors (4xx, with `result` and `errorMessage`)
    "raindrop": Api(
        "/rest/v1/raindrop", BEARER, {"link": str, "title": str, "tags": list, "note": str},
        lambda n: (200, {"result": True, "item": {"_id": n}}), url="link",
        wrong_token=(401, {"result": False, "errorMessage": "Unauthorized"}),
        wrong_fields=(400, {"result": False, "errorMessage": "Link is required"}),
    ),
    # Zotero Web API v3: https://www.zotero.org/support/dev/web_api/v3/write_requests of 10 October 2024, and of its
    # source zotero/dataserver model/Results.inc.php and controllers/ApiController.php (403); a fault of one item is
    # told in an answer of success
    "zotero": Api(
        "/users/12345/items?v=3", ("Zotero-API-Key", TOKEN),
        {"itemType": str, "title": str, "publicationTitle": str, "date": str, "url": str},
        lambda n: (200, {"successful": {"0": {"key": str(n)}}, "unchanged": {}, "failed": {}}), is_list=True,
        wrong_token=(403, "Invalid key"),
        wrong_fields=(200, {"successful": {}, "unchanged": {}, "failed": {"0": {"code": 400, "message": "address"}}}),
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
        if headers.get(name) != token:
            return self.api.wrong_token
        if headers.get("Content-Type") != "application/json":
            return 415, {"error": "no JSON"}
        given = json.loads(body)
        (entry,) = given if self.api.is_list else [given]
        kinds = {key: type(value) for key, value in entry.items()}
        if any(self.api.types.get(key) is not kind for key, kind in kinds.items()) or self.api.url not in entry:
            return self.api.wrong_fields
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
