"""
Takes the daemon's network away and gives it back: names that do not resolve, no route at all, a feed that turns into a
bomb. Says how each was named by `watcher status`, and how long the daemon took to recover by itself.

    sudo python bench/fault_drill.py

It needs root, for a network of its own (`unshare --net --mount`): nothing outside of it is touched. Takes some minutes,
since the daemon looks at a line that is down each half a minute. Exits with 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tree import memory, tree

NAMES = tuple(f"{letter}.news.test" for letter in "abcdef")
BOMBED = NAMES[0]
PORT = 8_090
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
TEN_MIB = b"\0" * 10 * 2**20


class Press:
    """Sites, one a name; what the first of them answers can be changed."""

    def __init__(self) -> None:
        self.mode = "feed"
        press = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.headers["Host"].partition(":")[0]
                press.answer(self, press.mode if name == BOMBED else "feed")

            def log_message(self, *_: object) -> None:
                pass

        self.servers = [ThreadingHTTPServer((f"127.0.2.{n}", PORT), Handler) for n in range(1, len(NAMES) + 1)]
        for server in self.servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler, mode: str) -> None:
        """Answer a request for a feed."""
        request.send_response(200)
        request.send_header("Content-Type", "application/rss+xml")
        now = format_datetime(datetime.now(UTC))
        item = f"<item><title>T</title><guid>{now}</guid><pubDate>{now}</pubDate></item>"
        data = f"<rss version='2.0'><channel><title>News</title>{item}</channel></rss>".encode()
        if mode == "entities":
            data = f"<!DOCTYPE r [<!ENTITY l0 'ha'>{LAUGHS}]><rss version='2.0'><channel><title>&l9;</title>".encode()
        elif mode == "depth":
            data = b"<rss version='2.0'><channel>" + b"<item><description>" * 400_000
        elif mode == "gzip":
            data = b"".join(gzip.compress(TEN_MIB) for _ in range(100))
            request.send_header("Content-Encoding", "gzip")
        if mode != "endless":
            request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        try:
            request.wfile.write(data)
            while mode == "endless":
                request.wfile.write(data)
        except OSError:
            pass


class Drill:
    """The daemon in its network, and what is seen of it from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.failed = folder, 0
        self.hosts, self.log = folder / "hosts", folder / "log"
        self.settings = folder / "settings.toml"
        rows = "".join(f'[[sources]]\nname = "{name[0]}"\nurl = "http://{name}:{PORT}/feed.xml"\n' for name in NAMES)
        self.settings.write_text(
            '[store]\nurl = "sqlite:///w.db"\n[semantic]\nembedder = "none"\n[log]\nlevel = "debug"\n'
            '[poll]\nevery = "3s"\nmin_every = "1s"\n'
            f'[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\narticles = false\n{rows}'
        )
        self.press = Press()
        command = [sys.executable, "-m", "watcher", "run", "--config", str(self.settings)]
        with self.log.open("wb") as log:
            self.daemon = subprocess.Popen(command, stderr=log)

    def since(self, start: int) -> str:
        """Return what the log has from a place on."""
        return self.log.read_text(encoding="utf-8")[start:]

    def wait(self, what: str, found: Callable[[str], bool], *, within_s: float = 200.0) -> float:
        """Wait until the log from now on is as it should be; say so, and return the seconds."""
        start, began = len(self.since(0)), time.monotonic()
        while time.monotonic() - began < within_s and self.daemon.poll() is None:
            if found(self.since(start)):
                print(f"ok    {what}, after {time.monotonic() - began:.0f} s", flush=True)
                return time.monotonic() - began
            time.sleep(0.2)
        self.check(what, False)
        return within_s

    def check(self, what: str, is_so: bool) -> None:
        """Say whether something is as it should be."""
        self.failed += not is_so
        print(f"{'ok   ' if is_so else 'WRONG'} {what}", flush=True)

    def status(self) -> dict[str, Any]:
        """Return what `watcher status` says."""
        command = [sys.executable, "-m", "watcher", "status", "--json", "--config", str(self.settings)]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def health(self) -> dict[str, str]:
        """Return the health of each source."""
        return {row["name"]: row["health"] for row in self.status()["sources"]}

    def run(self) -> int:
        """Do it all; return how much was not as it should be."""
        self.wait("all sources are read", lambda log: all(f"status=ok feed=http://{name}" in log for name in NAMES))
        self.outage("no name resolves", lambda: self.hosts.write_text(""), self.names)
        self.outage(
            "the network is gone",
            lambda: ip("link", "set", "lo", "down"),
            lambda: ip("link", "set", "lo", "up"),
        )
        most = 0.0
        for mode in ("gzip", "entities", "depth", "endless"):
            most = max(most, self.bomb(mode))
        self.check(f"the daemon and its workers took {most / 2**20:.0f} MiB at most", most < 2**30)
        began = time.monotonic()
        self.daemon.send_signal(signal.SIGTERM)
        self.check("it ends in order", self.daemon.wait() == 0)
        print(f"      within {time.monotonic() - began:.1f} s; what its log says beside polls and pages:")
        other = [line for line in self.since(0).splitlines() if " polled " not in line and " page_failed " not in line]
        print("".join(f"      {line}\n" for line in other))
        return self.failed

    def names(self) -> None:
        """Let the names resolve."""
        self.hosts.write_text("".join(f"127.0.2.{n} {name}\n" for n, name in enumerate(NAMES, 1)))

    def outage(self, what: str, begin: Callable[[], object], end: Callable[[], object]) -> None:
        """Take something away from all sources, look, and give it back."""
        begin()
        self.wait(f"{what}: the line is called down", lambda log: "network_down" in log)
        found = self.status()
        self.check(f"{what}: status names it", found["network_down_since"] is not None)
        words = {row["health"] for row in found["sources"]}
        self.check(f"{what}: no source is blamed (all are {', '.join(words)})", words == {"ok"})
        end()
        self.wait(f"{what} no more: the line works", lambda log: "network_up" in log)
        self.wait(
            f"{what} no more: all sources are read again",
            lambda log: all(f"status=ok feed=http://{name}" in log for name in NAMES),
            within_s=400.0,  # what could not be asked is due again after two to four minutes
        )

    def bomb(self, mode: str) -> float:
        """Let a feed turn into a bomb and back; return the most memory that the daemon took meanwhile."""
        most, stop = [0.0], threading.Event()

        def watch() -> None:
            while not stop.wait(0.1):
                most[0] = max(most[0], sum(map(memory, tree(self.daemon.pid))))

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        self.press.mode = mode
        bad = f"status=failed feed=http://{BOMBED}"
        harmless = mode in ("entities", "depth")  # a parser may make something of it, as long as it ends
        self.wait(
            f"{mode}: the poll of the feed that is one ends",
            lambda log: bad in log or (harmless and f"feed=http://{BOMBED}" in log),
            within_s=120,
        )
        self.wait(f"{mode}: the others are polled", lambda log: all(f"feed=http://{n}" in log for n in NAMES[1:]))
        print(f"      status: {self.health()}", flush=True)
        self.press.mode = "feed"
        self.wait(f"{mode} no more: it is read again", lambda log: f"status=ok feed=http://{BOMBED}" in log)
        stop.set()
        watching.join()
        return most[0]


def ip(*arguments: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *arguments], check=True)


def main() -> int:
    """Run the drill in a network of its own; return 0 if all was as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    if not parser.parse_args().inside:
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, __file__, "--inside"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hosts").write_text("".join(f"127.0.2.{n} {name}\n" for n, name in enumerate(NAMES, 1)))
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        for file in ("hosts", "resolv.conf"):
            subprocess.run(["mount", "--bind", str(folder / file), str(Path("/etc", file).resolve())], check=True)
        ip("link", "set", "lo", "up")
        failed = Drill(folder).run()
    print("all as it should be" if not failed else f"{failed} WRONG")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
