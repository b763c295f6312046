"""A plug-in adds a delivery channel by one class and one entry point; nothing of Watcher is edited."""

from __future__ import annotations

import json
import os
import re
import socketserver
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digests.alerts.failures import FailureAlert
from digests.alerts.messages import render_message
from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.channel import Channel
from tests.delivery.channel_contract import SECRET, ChannelContract
from tests.delivery.pager import PagerChannel, PagerDeliverSettings
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
POINT = "pager = tests.delivery.pager:PagerDeliverSettings"
SETTINGS = """[store]
url = "sqlite:///w.db"
[semantic]
embedder = "none"
[[digests]]
deliver = [
  {{ channel = "pager", number = "4711", port = {port} }},
]
"""


class Gateway(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.port = self.server_address[1]
        self.pages: list[bytes] = []
        self.answer: bytes | None = b"OK\n"
        self.goes_on = threading.Event()


class Call(socketserver.StreamRequestHandler):
    server: Gateway

    def handle(self) -> None:
        page = self.rfile.read()
        if self.server.answer is None:
            self.server.goes_on.wait(PATIENCE_S)
        elif page:  # a check sends nothing
            if self.server.answer.startswith(b"OK"):
                self.server.pages.append(page)
            self.wfile.write(self.server.answer)


@pytest.fixture
def gateway():
    with Gateway() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.goes_on.set()
        server.shutdown()


class GatewaySide:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def open(self) -> Channel:
        return PagerChannel(self.gateway.port, pin=SECRET)

    def parcel(self) -> OutboundMessage:
        form = Rendered(format="pager", name="page", body=b"4711 News\n")
        return OutboundMessage(channel="pager", recipient="4711", forms=(form,))

    def received(self) -> list[bytes]:
        return list(self.gateway.pages)

    def goes_away(self) -> None:
        self.gateway.shutdown()
        self.gateway.server_close()

    def refuses(self) -> None:
        self.gateway.answer = f"NO pager with PIN {SECRET}\n".encode()

    def hangs(self) -> None:
        self.gateway.answer = None


class TestPager(ChannelContract):
    @pytest.fixture
    def other(self, gateway):
        return GatewaySide(gateway)


@pytest.fixture
def run_watcher(tmp_path):
    """Return a function that runs `watcher` where the plug-in is installed, on the given settings."""
    about = tmp_path / "packages" / "pager-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pager\nVersion: 1.0\n")

    def run(settings: str, *arguments: str, point: str = POINT) -> subprocess.CompletedProcess[str]:
        (about / "entry_points.txt").write_text(f"[watcher.channels]\n{point}\n")
        (tmp_path / "settings.toml").write_text(settings)
        command = [sys.executable, "-m", "watcher", *arguments, "--config", str(tmp_path / "settings.toml")]
        path = os.pathsep.join((str(about.parent), str(ROOT)))
        return subprocess.run(
            command, text=True, capture_output=True, timeout=120, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path
        )

    return run


@pytest.mark.slow
def test_its_settings_are_checked_with_line_and_column_as_all_others(run_watcher):
    rows = ['{ channel = "pager", number = "1", url = "env:A" }', '{ channel = "fax" }']
    rows.append('{ channel = "pager", number = "1" }')

    done = run_watcher(f"[[digests]]\ndeliver = [{', '.join(rows)}]\n", "check")

    known = '"file", "maildir", "smtp", "sendmail", "webhook", "apprise", "pager"'
    assert done.returncode == 2
    assert re.findall(r"settings\.toml:(\S+): digests\[1\]\.deliver(.*)", done.stderr) == [
        ("2:24", '[1].channel: got "pager" without port; expected one'),
        ("2:47", '[1].url: belongs to channel = "webhook" or "apprise", not "pager"'),
        ("2:76", f'[2].channel: got "fax", expected one of {known}'),
        ("2:97", '[3].channel: got "pager" without port; expected one'),
        ("2:115", '[3].number: got "1", the same number as in entry 1; expected each once'),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("pager = no_such_module:Pager", "the channel of no_such_module:Pager cannot be loaded: No module named"),
        ("pager = tests.delivery.pager:PagerChannel", "PagerChannel'> is not a DeliverSettings"),
        ("smtp = tests.delivery.pager:PagerDeliverSettings", "the channel smtp is watcher's own"),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_named(run_watcher, point, reason):
    done = run_watcher("[[digests]]\n", "check", point=point)

    assert done.returncode == 1 and reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_it_is_checked_and_an_edition_is_sent_by_it(run_watcher, gateway):
    checked = run_watcher(SETTINGS.format(port=gateway.port), "check", "--online", "--json")

    assert json.loads(checked.stdout)["online"] == [
        {"what": "pager gateway", "name": "4711", "ok": True, "fault": "", "hint": ""}
    ]
    assert gateway.pages == []

    sent = run_watcher(SETTINGS.format(port=gateway.port), "digest", "--send")

    assert "pager 4711: sent at" in sent.stdout, sent.stderr
    (page,) = gateway.pages
    assert page.startswith(b"4711 World Digest No. 1, ")


def test_an_alert_is_sent_by_it_in_its_own_form(gateway):
    at = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    table = PagerDeliverSettings(channel="pager", number="4711", port=gateway.port)
    message = render_message(FailureAlert(name="polling", since=at, at=at).message, table, "w@example.org", "4711")

    PagerChannel(gateway.port, pin="").send(message, before_commit=lambda: None)

    assert gateway.pages == [b"4711 !Watcher: polling is failing\n"]
