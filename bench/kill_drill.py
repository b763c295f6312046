"""
Kills the daemon with SIGKILL at random moments while it polls, cleans, makes editions and sends them.

    python bench/kill_drill.py --kills 200

Everything it needs is made here: sites whose feeds get new entries before each third start, a mail server that takes
its time, a digest that is due every few seconds. After each kill the store is looked through: its integrity, each
article once with its text, no edition twice. At the end the daemon runs until nothing is left to do, and is stopped;
then every article has to be there, every edition made, and every mail has to have come. Prints a line a kill and the
counts; exits with 1 if anything was lost or doubled that the protocol lets one know.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller

HOSTS = 6
NEW = 3  # entries a feed, when there is news
NEWS_EACH = 3  # starts; in between, what was broken off is done, then editions are made
READERS = ("ann@example.net", "bob@example.net")
WORDS = "harbour council ferry winter bridge minister storm market river school village railway engine repair".split()
CHECKS = {
    "articles": "SELECT count(*) FROM articles",
    "different": "SELECT count(DISTINCT url) FROM articles",
    "texts": "SELECT count(*) FROM texts",
    "editions": "SELECT count(*) FROM editions WHERE made_at IS NOT NULL",
    "dates": "SELECT count(*) FROM (SELECT DISTINCT digest, local_date FROM editions WHERE made_at IS NOT NULL)",
    "integrity": "PRAGMA integrity_check",
    "keys": "SELECT count(*) FROM pragma_foreign_key_check",
}


class Sites:
    """Feeds and pages on several addresses of this machine; `count` entries a feed."""

    def __init__(self) -> None:
        self.count = 0
        self.began = datetime.now(UTC)
        self.servers = [ThreadingHTTPServer((f"127.0.1.{n + 1}", 0), self.handler()) for n in range(HOSTS)]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.urls = [f"http://{host}:{port}/feed.xml" for host, port in (s.server_address for s in self.servers)]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        sites = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                base = f"http://{self.headers['Host']}"
                body = sites.feed(base) if self.path == "/feed.xml" else sites.page(base, self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "application/rss+xml" if self.path == "/feed.xml" else "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def feed(self, base: str) -> bytes:
        """Return the feed of a site: its last hundred entries, the newest first."""
        items = "".join(
            f"<item><title>{title(base, n)}</title><link>{base}/{n}</link><guid>{n}</guid>"
            f"<pubDate>{format_datetime(self.began + timedelta(seconds=n))}</pubDate></item>"
            for n in range(self.count - 1, max(self.count - 100, 0) - 1, -1)
        )
        return f"<rss version='2.0'><channel><title>{base}</title>{items}</channel></rss>".encode()

    def page(self, base: str, path: str) -> bytes:
        """Return the page of an entry, nothing for any other path."""
        if not path[1:].isdigit():
            return b""
        n = int(path[1:])
        chance = random.Random(f"{base} {n}")
        text = "".join(f"<p>{' '.join(chance.choices(WORDS, k=40)).capitalize()}.</p>" for _ in range(4))
        head = f"<html lang=en><head><title>{title(base, n)}</title></head>"
        return f"{head}<body><article><h1>{title(base, n)}</h1>{text}</article></body></html>".encode()


def title(base: str, n: int) -> str:
    """Return an entry's title."""
    return " ".join(random.Random(f"title {base} {n}").sample(WORDS, 5)).capitalize() + f" {n}"


class Mailbox:
    """Takes mail, slowly, so that a kill meets it at every step."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: list[tuple[str, str, str]] = []  # recipient, Message-ID, subject's digest

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: ANN001
        await asyncio.sleep(self.chance.uniform(0, 0.1))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: ANN001
        found = email.message_from_bytes(envelope.content)
        self.taken += [(to, str(found["Message-ID"]), str(found["List-Id"])) for to in envelope.rcpt_tos]
        await asyncio.sleep(self.chance.uniform(0, 0.3))
        return "250 taken"


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def settings(folder: Path, sites: Sites, port: int, seconds: float) -> tuple[Path, int]:
    """Write the settings: a digest every fifteen seconds of the run; return the file and how many digests there are."""
    now, count = datetime.now(UTC), max(int(seconds / 15), 4)
    parts = ['[store]\nurl = "sqlite:///w.db"\n[semantic]\nembedder = "none"\n[poll]\nevery = "10m"\nmin_every = "1s"']
    parts.append('[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\nrobots = false')
    parts.append(f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "plain"')
    parts += [f'[[sources]]\nurl = "{url}"' for url in sites.urls]
    for n in range(count):
        at = now + timedelta(minutes=1, seconds=seconds * n / count)
        parts.append(
            f'[[digests]]\nname = "d{n}"\nat = "{at:%H:%M}"\nformats = ["text", "eml"]\n'
            f'mail = {{ from = "w@example.org" }}\ndeliver = [{{ channel = "smtp", to = {list(READERS)} }}]'.replace(
                "'", '"'
            )
        )
    path = folder / "settings.toml"
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return path, count


def look(folder: Path) -> dict[str, object]:
    """Return what the store holds, and whether it is sound."""
    with sqlite3.connect(folder / "w.db", timeout=30) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'editions'").fetchone():
            return {}
        found = {name: connection.execute(query).fetchone()[0] for name, query in CHECKS.items()}
    connection.close()
    return found


def is_sound(found: dict[str, object]) -> bool:
    """Whether nothing is there twice or by half."""
    once = found["articles"] == found["different"] == found["texts"] and found["editions"] == found["dates"]
    return once and found["integrity"] == "ok" and found["keys"] == 0


def start(path: Path) -> subprocess.Popen[bytes]:
    """Start the daemon, every feed due."""
    with (path.parent / "log").open("ab") as log:
        command = [sys.executable, "-m", "watcher", "run", "--config", str(path)]
        return subprocess.Popen(command, stderr=log, start_new_session=True)


def all_due(folder: Path) -> None:
    """Make every feed due: the daemon does not know that there is news again already."""
    with sqlite3.connect(folder / "w.db", timeout=30) as connection:
        connection.execute("UPDATE feeds SET next_poll_at = '2020-01-01 00:00:00.000000'")
    connection.close()


def drill(folder: Path, kills: int, seed: int, longest_s: float) -> bool:
    """Run it; return whether nothing was lost or doubled."""
    chance, sites, mailbox = random.Random(seed), Sites(), Mailbox(seed)
    port = free_port()
    Controller(mailbox, hostname="127.0.0.1", port=port).start()
    path, digests = settings(folder, sites, port, seconds=kills * (5.5 + longest_s) / 4)
    sound, began = True, time.monotonic()
    for number in range(1, kills + 1):
        if number % NEWS_EACH == 1:
            sites.count += NEW
        daemon = start(path)
        moment = chance.uniform(0.5, 5.0) if chance.random() < 0.5 else chance.uniform(5.0, longest_s)
        time.sleep(moment)
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        found = look(folder)
        if found:
            sound &= is_sound(found)
            if (number + 1) % NEWS_EACH == 1:
                all_due(folder)
        print(f"kill {number} after {moment:.2f} s: {found} {len(mailbox.taken)} mails", flush=True)
    print(f"{kills} kills in {time.monotonic() - began:.0f} s; now it may finish", flush=True)
    return finish(folder, path, sites, mailbox, digests) and sound


def finish(folder: Path, path: Path, sites: Sites, mailbox: Mailbox, digests: int) -> bool:
    """Let the daemon do what is left, stop it, and count."""
    articles, mails = sites.count * HOSTS, digests * len(READERS)
    all_due(folder)
    daemon, until = start(path), time.monotonic() + 900
    while time.monotonic() < until:
        time.sleep(2)
        found = look(folder)
        came = {(to, kind) for to, _, kind in mailbox.taken}
        if found and found["articles"] == articles and found["editions"] == digests and len(came) == mails:
            break
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait()
    found = look(folder)
    times = Counter((to, kind) for to, _, kind in mailbox.taken)
    names = Counter((to, name) for to, name, _ in mailbox.taken)
    again = sum(count - 1 for count in times.values())
    strange = len(names) - len(times)  # the same edition under another Message-ID
    with sqlite3.connect(folder / "w.db") as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())
    connection.close()
    print(f"{found}; expected {articles} articles, {digests} editions; the daemon ended with {code}")
    print(f"mails: {len(times)} of {mails} came; {again} came again, {strange} under another name; outbox {states}")
    whole = found["articles"] == articles and found["editions"] == digests and len(times) == mails
    return whole and is_sound(found) and strange == 0 and code == 0 and states == {"sent": mails}


def main() -> int:
    """Run the drill; return 0 if nothing was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=14.0, help="seconds until a kill, at most")
    parser.add_argument("--keep", type=Path, help="folder for the store and the log, else one that is removed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = given.keep or Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        return 0 if drill(where, given.kills, given.seed, given.longest) else 1


if __name__ == "__main__":
    sys.exit(main())
