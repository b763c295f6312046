"""Bad sources: each is named in `watcher status`, and none stops the others."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from watcher.cli.main import run_command_line

pytestmark = pytest.mark.slow  # starts worker processes

ITEM = (
    "<item><title>{title}</title><link>{link}</link><guid>{link}</guid>"
    "<pubDate>{at}</pubDate><description>{text}</description></item>"
)
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>Good</title><link>{base}/</link>{items}</channel></rss>'
TEXT = (
    "The ferry between the two towns runs again, the harbour office said, after a winter of repairs to its engine. " * 3
)
HEAD = "<html lang=en><head><title>{title}</title></head>"
PAGE = HEAD + "<body><article><h1>{title}</h1><p>{text}</p></article></body></html>"


class Sites(BaseHTTPRequestHandler):
    """All the bad sources, and a good one."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        base = f"http://{self.headers['Host']}"
        kind, body = self.answer(base)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, base: str) -> tuple[str, bytes]:
        small, large = f"{base}/small.html", f"{base}/large.html"
        now = format_datetime(datetime.now(UTC) - timedelta(hours=1))
        items = ITEM.format(title="Ferry runs again", link=small, text=TEXT, at=now)
        items += ITEM.format(title="A page too large", link=large, text=TEXT, at=now)
        if self.path == "/good.xml":
            return "application/rss+xml", FEED.format(base=base, items=items).encode()
        if self.path == "/small.html":
            return "text/html", PAGE.format(title="Ferry runs again", text=TEXT * 2).encode()
        if self.path == "/html.xml":
            return "text/html", PAGE.format(title="A home page", text=TEXT).encode()
        if self.path in ("/large.xml", "/large.html"):
            return "text/html", b"<html><body>" + b"<p>word</p>" * 1_000_000
        if self.path == "/broken.xml":
            return "application/rss+xml", b"\x00\xff not <a feed > at << all"
        return "text/plain", b""

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def settings(tmp_path, store_url):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sites)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = free.getsockname()[1]
    base = f"http://127.0.0.1:{server.server_address[1]}"
    sources = {
        "Good": f"{base}/good.xml",
        "A home page": f"{base}/html.xml",
        "Dead": f"http://127.0.0.1:{dead}/feed.xml",
        "Too large": f"{base}/large.xml",
        "Broken": f"{base}/broken.xml",
        "Missing": f"{base}/nothing.xml",
    }
    rows = "".join(f'[[sources]]\nname = "{name}"\nurl = "{url}"\n' for name, url in sources.items())
    path = tmp_path / "settings.toml"
    fetch = '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n'
    path.write_text(f'[store]\nurl = "{store_url}"\n[semantic]\nembedder = "none"\n{fetch}{rows}')
    yield str(path)
    server.shutdown()
    server.server_close()


def test_each_bad_source_is_named_and_stops_nothing_else(settings, capsys):
    assert run_command_line(["poll", "--all", "--config", settings]) == 3
    capsys.readouterr()
    assert run_command_line(["status", "--json", "--config", settings]) == 0
    told = json.loads(capsys.readouterr().out)

    why = {row["name"]: (row["health"], row["why"]) for row in told["sources"]}
    assert why["Good"] == ("ok", "")
    assert why["A home page"][0] == "not a feed" and "HTML page" in why["A home page"][1]
    assert why["Dead"][0] == "failing" and "refused" in why["Dead"][1].lower()
    assert why["Too large"][0] == "failing" and "10,485,760 bytes" in why["Too large"][1]
    assert why["Broken"][0] == "not a feed"
    assert why["Missing"][0] == "failing" and "404" in why["Missing"][1]
    assert told["articles"] == 2
    assert [row["pages"] for row in told["pages_replaced_by_feed"]] == [1]
    assert "10,485,760 bytes" in told["pages_replaced_by_feed"][0]["reason"]


def test_status_for_people_lists_the_worst_first(settings, capsys):
    run_command_line(["poll", "--all", "--config", settings])
    capsys.readouterr()

    assert run_command_line(["status", "--config", settings]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("sources  6: 2 not a feed, 3 failing, 1 ok")
    assert any("A home page" in line and "HTML page" in line for line in lines)
    assert not any("Good:" in line for line in lines)
