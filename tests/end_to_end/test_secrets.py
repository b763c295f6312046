"""The password and the key in a source's address: sent to its server, and shown nowhere else."""

from __future__ import annotations

import logging
import re
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from tests.kinds import on_sqlite
from watcher.cli.main import run_command_line
from watcher.daemon.logging import _log_formatter, log_event
from watcher.settings.load import load_settings_file
from watcher.store.engine import open_store
from watcher.worker.context import Event, open_context

pytestmark = [pytest.mark.slow, on_sqlite]  # starts worker processes; what is shown is the same on both kinds of store

PASSWORD, KEY = "markedpassword", "markedkey"
COOKIE = f"session={PASSWORD}"
TEXT = "The ferry between the two towns runs again, the harbour office said, after a winter of repairs. " * 6
ITEM = (
    "<item><title>Ferry runs again</title>{link}<guid>one</guid><pubDate>{at}</pubDate>"
    "<description>{text}</description></item>"
)
FEED = '<rss version="2.0"><channel><title>Feed</title><link>?page=1</link>{items}</channel></rss>'


class Server(BaseHTTPRequestHandler):
    """Feeds that want a password and a key; each fails in its own way but the good one."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        login = b64encode(f"me:{PASSWORD}".encode()).decode()
        status, body, to = 404, b"", ""
        if self.headers.get("Authorization") != f"Basic {login}" or KEY not in query:
            status = 403
        elif path == "/good.xml":
            at = format_datetime(datetime.now(UTC) - timedelta(hours=1))
            link = "<link>#story</link>"
            items = ITEM.format(link=link, text=TEXT, at=at) + ITEM.format(link="", text=TEXT[5:], at=at)
            status, body = 200, FEED.format(items=items.replace("one", "two", 1)).encode()
        elif path == "/moved.xml":
            status, to = 301, f"/good.xml?api_key={KEY}"
        elif path == "/away.xml":
            status, to = 302, f"http://me:{PASSWORD}@192.168.1.1/feed?token={KEY}"
        elif path == "/cookie.xml":
            wanted = {"Cookie": COOKIE, "X-Api-Key": KEY, "User-Agent": "Mozilla/5.0"}
            is_right = all(self.headers.get(name) == value for name, value in wanted.items())
            status, body = (200, FEED.format(items="").encode()) if is_right else (403, b"")
        elif path == "/page.xml":
            status, body = 200, b"<html><title>No feed</title><p>Nothing.</p></html>"
        self.send_response(status)
        if to:
            self.send_header("Location", to)
        self.send_header("Content-Type", "text/html" if path == "/page.xml" else "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


SOURCES = {
    "Good": "good.xml?key=",
    "Missing": "missing.xml?apiKey=",
    "Moved": "moved.xml?feed=1&auth_token=",
    "Away": "away.xml?sig=",
    "Page": "page.xml?access_token=",
    "Cookie": "cookie.xml?key=",
}


@pytest.fixture
def settings(tmp_path, store_url):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://me:{PASSWORD}@127.0.0.1:{server.server_address[1]}"
    rows = "".join(f'[[sources]]\nname = "{name}"\nurl = "{base}/{end}{KEY}"\n' for name, end in SOURCES.items())
    rows += 'cookie = "file:cookie"\nheaders = { X-Api-Key = "file:key" }\nuser_agent = "Mozilla/5.0"\n'
    (tmp_path / "cookie").write_text(COOKIE)
    (tmp_path / "key").write_text(KEY)
    path = tmp_path / "settings.toml"
    fetch = '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n'
    digest = '[[digests]]\nname = "daily"\nformats = ["markdown", "html", "text", "json"]\ndirectory = "out"\n'
    path.write_text(f'[store]\nurl = "{store_url}"\n[semantic]\nembedder = "none"\n{fetch}{digest}{rows}')
    yield path
    server.shutdown()
    server.server_close()


def is_clean(text: str) -> bool:
    return PASSWORD not in text and KEY not in text


def test_no_command_no_page_and_no_edition_shows_what_is_secret_in_an_address(settings, capsys, tmp_path):
    with_json = [
        ["status"], ["status", "Good"], ["status", "Away"], ["settings", "show"], ["check"], ["check", "--online"],
        ["sources", "list"], ["sources", "test", "Good"], ["sources", "test", "Away"], ["sources", "test", "Page"],
        ["sources", "test", "Cookie"], ["status", "Cookie"],
        ["editions"], ["story", "1"], ["search", "ferry"],
    ]  # fmt: skip
    lines = [
        ["poll", "--all"], ["poll", "--all", "--json"], ["digest"],
        *with_json, *([*each, "--json"] for each in with_json),
        ["status", "--all"], ["sources", "export"], ["export"], ["verify"], ["site", str(tmp_path / "site")],
        ["sources", "pause", "Good"], ["sources", "resume", "Good"], ["sources", "remove", "Page"],
        ["--debug", "sources", "remove", "nobody"],
    ]  # fmt: skip

    shown = {}
    for line in lines:
        run_command_line([*line, "--config", str(settings)])
        out = capsys.readouterr()
        shown[" ".join(line)] = out.out + out.err
    files = {
        path.name: path.read_text()
        for folder in ("site", "out")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file() and path.suffix in (".html", ".md", ".txt", ".json", ".xml", ".eml")
    }

    assert "2 articles stored" in shown["poll --all"] or "1 article stored" in shown["poll --all"]
    assert "Ferry runs again" in shown["search ferry"] and len(files) > 6
    assert not re.search(r"\b403\b", shown["sources test Cookie"] + shown["status Cookie"])  # nor part of a port
    assert [name for name, text in (shown | files).items() if not is_clean(text)] == []


def test_the_log_shows_nothing_that_is_secret_in_an_address(settings):
    import asyncio

    told: list[str] = []
    forms = (_log_formatter("text"), _log_formatter("json"))

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.extend(form.format(record) for form in forms)

    handler, root = Kept(), logging.getLogger("watcher")
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        loaded = load_settings_file(settings)
        engine = open_store(loaded.store.url)

        async def poll() -> None:
            from watcher.store.feeds import make_all_due
            from watcher.worker.scheduler import Scheduler

            def tell(event: Event) -> None:
                log_event(event)

            async with open_context(loaded, engine, on_event=tell) as tools:
                await tools.writer.do(make_all_due, now=tools.now())
                queue = Scheduler(tools)
                await queue.drain()
                await queue.stop()

        asyncio.run(poll())
        engine.dispose()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    assert len(told) >= 10 and any("reason=" in line for line in told)
    assert [line for line in told if not is_clean(line)] == []


def test_sources_are_exported_with_their_secrets_on_demand_alone_with_a_word(settings, capsys):
    run_command_line(["sources", "export", "--config", str(settings)])
    plain = capsys.readouterr()
    run_command_line(["sources", "export", "--with-passwords", "--config", str(settings)])
    whole = capsys.readouterr()

    assert is_clean(plain.out) and "key=***" in plain.out and "--with-passwords" in plain.err
    assert f"me:{PASSWORD}@" in whole.out and KEY in whole.out and "keep the file private" in whole.err
    assert is_clean(whole.err)


def test_a_fault_in_an_address_is_told_without_what_is_secret_in_it(settings, capsys):
    settings.write_text(f'[[sources]]\nurl = "htp://me:{PASSWORD}@a.example/feed?key={KEY}"\n')

    assert run_command_line(["check", "--config", str(settings)]) == 2

    told = capsys.readouterr().err
    assert "a.example" in told and is_clean(told)
