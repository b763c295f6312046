"""
Takes the store away from a daemon for a while, in several ways, and tells what became of it. Linux, as root.

    python bench/store_drill.py                 # a minute each
    python bench/store_drill.py --seconds 150   # longer than what was fetched is kept for

The store is on a small file system of its own. While a site brings a new article every second, its disk is filled up;
then another process holds the store locked; at last the file system is read-only at the start. Prints what the
status says meanwhile, the lines of the log, and at the end whether each article is there once, how often its feed was
asked for, and what SQLite says of the store. Exits with 1 if anything is lost or doubled.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SETTINGS = """[store]
url = "sqlite:///{disk}/watcher.db"
[semantic]
embedder = "none"
[poll]
every = "2s"
min_every = "1s"
[fetch]
allow_private = ["127.0.0.0/8"]
host_delay = "0s"
[[sources]]
name = "Drill"
url = "http://127.0.0.1:{port}/feed.xml"
"""
SIZE = "24m"
TEXT = "The valley of Dressel has heard the report that the mayor gave on the state of its bridges. " * 12
NEWEST = 500  # entries of the feed


class Press(ThreadingHTTPServer):
    """A site that has a new article every second from its start on, until it is told to rest."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.began, self.asked = time.monotonic(), 0
        self.rested: float | None = None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def count(self) -> int:
        """Return how many articles there are by now."""
        return int((self.rested or time.monotonic()) - self.began)


class Handler(BaseHTTPRequestHandler):
    """Answers with the feed, or an article."""

    server: Press

    def do_GET(self) -> None:
        if self.path == "/feed.xml":
            self.server.asked += 1
            at = f"http://{self.headers['Host']}"
            numbers = range(self.server.count(), max(0, self.server.count() - NEWEST), -1)
            items = "".join(
                f"<item><title>Report {n} of Dressel</title><link>{at}/{n}</link><guid>{n}</guid></item>"
                for n in numbers
            )
            body = f"<rss version='2.0'><channel><title>Drill</title>{items}</channel></rss>".encode()
        else:
            number = self.path.strip("/")
            body = f"<html><title>Report {number} of Dressel</title><h1>Report {number} of Dressel</h1>".encode()
            body += f"<article><p>Report {number} of Dressel. {TEXT}</p><p>{number} {TEXT}</p></article>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml" if self.path == "/feed.xml" else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def main() -> int:
    """Run the drill; return 0 if nothing was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        disk, settings = Path(folder) / "disk", Path(folder) / "settings.toml"
        disk.mkdir()
        with mounted(disk):
            press = Press()
            settings.write_text(SETTINGS.format(disk=disk, port=press.server_address[1]))
            log = Path(folder) / "log"
            daemon = start(settings, log)
            try:
                take_away(disk, settings, given.seconds)
                press.rested = time.monotonic()
                time.sleep(15)
            finally:
                daemon.terminate()
                print(f"the daemon ended with {daemon.wait(20)}")
            tell_log(log)
            sound = tell_store(disk / "watcher.db", press)
            read_only(disk, settings, log)
    return 0 if sound else 1


def take_away(disk: Path, settings: Path, seconds: float) -> None:
    """Let the disk be full, then the store locked."""
    wait_for_news(disk / "watcher.db")
    with full(disk):
        look(settings, "disk full", seconds)
    look(settings, "room again", 15)
    with locked(disk / "watcher.db"):
        look(settings, "locked", seconds)
    look(settings, "free again", 15)


def wait_for_news(store: Path) -> None:
    """Wait until the daemon has stored something."""
    while True:
        time.sleep(1)
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            if connection.execute("SELECT count(*) FROM articles").fetchone()[0]:
                return


@contextmanager
def mounted(disk: Path) -> Iterator[None]:
    """Mount a small file system."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", disk], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", disk], check=True)


def start(settings: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start the daemon."""
    with log.open("ab") as to:
        return subprocess.Popen([sys.executable, "-m", "watcher", "run", "--config", str(settings)], stderr=to)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave no room on the disk."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    yield
    ballast.unlink(missing_ok=True)


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the store as a writer."""
    with closing(sqlite3.connect(store, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def look(settings: Path, name: str, seconds: float) -> None:
    """Print what the status says after a while of something."""
    time.sleep(seconds)
    told = subprocess.run(
        [sys.executable, "-m", "watcher", "status", "--config", str(settings)], capture_output=True, text=True
    )
    print(f"== {name}, after {seconds:.0f} s: status ends with {told.returncode} and says", flush=True)
    print("\n".join(f"   {line}" for line in (told.stdout + told.stderr).splitlines()[:6]), flush=True)


def tell_log(log: Path) -> None:
    """Print the lines of the log that are no daily life, and how many there are of the others."""
    lines = log.read_text().splitlines()
    print(f"== the log has {len(lines)} lines; those that are no daily life:")
    print("\n".join(f"   {line[:160]}" for line in lines if " progress " not in line))


def tell_store(store: Path, press: Press) -> bool:
    """Print what is in the store; return whether that is all there was, once."""
    with closing(sqlite3.connect(store)) as connection:
        urls = [row[0] for row in connection.execute("SELECT url FROM articles")]
        checked = connection.execute("PRAGMA integrity_check").fetchone()[0]
    there = press.count()
    print(f"== {there} articles of the site, {len(urls)} in the store, {len(set(urls))} different; {checked}")
    print(f"   its feed was asked for {press.asked} times")
    return len(urls) == len(set(urls)) == there and checked == "ok"


def read_only(disk: Path, settings: Path, log: Path) -> None:
    """Start on a read-only file system, then on one that can be written again."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    log.unlink()
    print(f"== read-only: the daemon ends with {start(settings, log).wait(20)} and says")
    print("\n".join(f"   {line[:160]}" for line in log.read_text().splitlines()))
    look(settings, "read-only", 0)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    daemon = start(settings, log)
    time.sleep(6)
    daemon.terminate()
    print(f"== to be written again: the daemon runs, and ends with {daemon.wait(20)}")


if __name__ == "__main__":
    sys.exit(main())
