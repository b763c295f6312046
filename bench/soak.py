"""
Keeps the daemon at work for two hours and prints what it takes meanwhile: memory, open files, threads, the store.

    python bench/soak.py --minutes 120 --newsroom serve.py --keep /tmp/soak --plot docs/project/soak.svg

It polls five hundred feeds (`feed_server.py`), which have news every ten minutes, and the live sites of --newsroom, a
program that takes --port, --shift and --settings, with pages to fetch and clean. Every ten minutes it makes an edition
of the last hour and mails it to a server here, and a reader looks at the site each minute. For ten minutes in the
middle the mail server refuses everything, and one feed's host is never there. At the end: whether memory and files are
flat (the medians of the third and the last quarter: by then the hour of an edition is full), and each warning of the
log that none of this explains. Exits with 1 if something is not flat or not explained. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from aiosmtpd.controller import Controller
from tree import cpu, tree

HERE = Path(__file__).parent
FEEDS, ENTRIES = 500, 5
NEWS_S, LOOK_S = 600.0, 15.0
DEAD = "http://127.200.0.1:9/feed.xml"
ROOM = 1.05  # the last quarter may have so much more than the third, and LITTLE_ on top
LITTLE_BYTES, LITTLE_FILES = 8 * 2**20, 4
PAGES = ("/", "/sources", "/archive", "/search?q=council")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the daemon and all its processes have at a moment."""

    minute: float
    memory: int  # proportional, bytes: shared pages count once
    files: int
    threads: int
    store: int  # with its log, bytes
    cpu_s: float


class Mailbox:
    """Takes mail, but not while `refuses`."""

    def __init__(self) -> None:
        self.refuses = False
        self.taken: list[tuple[str, str]] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: ANN001
        if self.refuses:
            return "451 come again later"
        self.taken += [(to, line) for to in envelope.rcpt_tos for line in _ids(envelope.content)]
        return "250 taken"


def _ids(mail: bytes) -> list[str]:
    return [line.decode() for line in mail.splitlines() if line.lower().startswith(b"message-id:")][:1]


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def serving(command: list[str]) -> Iterator[None]:
    """Run a server until the end."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


def feed_server() -> tuple[list[str], list[str]]:
    """Return the command of the server of feeds, and the feeds' addresses."""
    server = [sys.executable, str(HERE / "feed_server.py"), "--feeds", str(FEEDS), "--entries", str(ENTRIES)]
    server += ["--news", str(NEWS_S), "--port", str(free_port())]
    told = subprocess.run([*server, "--print"], capture_output=True, text=True, check=True)
    return server, told.stdout.split()


def newsroom(given: argparse.Namespace, folder: Path) -> tuple[list[str], str]:
    """Return the command of the live sites, and their rows of settings."""
    rows = folder / "newsroom.toml"
    command = [sys.executable, str(given.newsroom), "--port", "8400", "--shift", "--settings", str(rows)]
    with serving(command):
        text = rows.read_text(encoding="utf-8")
    return command, text


def settings(given: argparse.Namespace, urls: list[str], rows: str, smtp: int, web: int) -> str:
    """Return the settings: an edition each ten minutes of the run."""
    now = datetime.now(UTC)
    parts = ['[store]\nurl = "sqlite:///w.db"\n[semantic]\nembedder = "none"', '[log]\nformat = "json"']
    parts.append('[poll]\nevery = "5m"\nmin_every = "5m"\n[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "1s"')
    parts.append(f'[smtp]\nhost = "127.0.0.1"\nport = {smtp}\nsecurity = "plain"\n[web]\nlisten = "127.0.0.1:{web}"')
    parts += [f'[[sources]]\nurl = "{url}"\nfull_text = true' for url in urls]
    parts += [f'[[sources]]\nurl = "{DEAD}"\nname = "dead"', rows]
    for n in range(int(given.minutes * 60 / NEWS_S)):
        at = now + timedelta(seconds=NEWS_S * (n + 0.5))
        parts.append(
            f'[[digests]]\nname = "d{n}"\nat = "{at:%H:%M}"\nwindow = "1h"\nmail = {{ from = "w@example.org" }}\n'
            f'deliver = [{{ channel = "smtp", to = ["ann@example.net", "bob@example.net"] }}]'
        )
    return "\n".join(parts) + "\n"


def look(root: int, folder: Path, minute: float) -> Look:
    """Return what the daemon has now."""
    memory = files = threads = 0
    pids = tree(root)
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            memory += int(rollup.partition("\nPss:")[2].split()[0]) * 1024
            files += len(list(Path(f"/proc/{pid}/fd").iterdir()))
            threads += len(list(Path(f"/proc/{pid}/task").iterdir()))
    store = sum(path.stat().st_size for path in folder.glob("w.db*"))
    used = sum(cpu(pid) or 0.0 for pid in pids)
    return Look(minute=minute, memory=memory, files=files, threads=threads, store=store, cpu_s=used)


def read_site(port: int) -> Counter[int]:
    """Look at some pages, as a reader does; return the answers."""
    answers: Counter[int] = Counter()
    for page in PAGES:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=30) as answer:
                answer.read()
                answers[answer.status] += 1
        except OSError as error:
            answers[getattr(error, "code", 0)] += 1
    return answers


def watch(given: argparse.Namespace, root: int, folder: Path, mailbox: Mailbox, web: int) -> list[Look]:
    """Look at the daemon until the end, printing a line each ten minutes."""
    looks: list[Look] = []
    answers: Counter[int] = Counter()
    began, news_at, page_at = time.monotonic(), NEWS_S, 60.0
    print("minute  memory   open files  threads  store     CPU       mails  pages", flush=True)
    while (gone := time.monotonic() - began) < given.minutes * 60:
        half = given.minutes * 30
        mailbox.refuses = half - 300 <= gone < half + 300
        looks.append(look(root, folder, gone / 60))
        if gone >= page_at:
            answers += read_site(web)
            page_at += 60.0
        if gone >= news_at:
            say(looks[-1], mailbox, answers)
            news_at += NEWS_S
        time.sleep(LOOK_S)
    say(looks[-1], mailbox, answers)
    return looks


def say(at: Look, mailbox: Mailbox, answers: Counter[int]) -> None:
    """Print a line."""
    print(
        f"{at.minute:6.1f}  {at.memory / 2**20:4.0f} MiB  {at.files:10}  {at.threads:7}  {at.store / 2**20:4.0f} MiB"
        f"  {at.cpu_s:6.0f} s  {len(mailbox.taken):5}  {dict(answers)}",
        flush=True,
    )


def flat(looks: list[Look]) -> bool:
    """Print the third and the last quarter; return whether they are alike."""
    end = looks[-1].minute
    early = [each for each in looks if 0.5 <= each.minute / end < 0.75]
    late = [each for each in looks if each.minute / end >= 0.75]
    held = True
    for name, little, unit in (("memory", LITTLE_BYTES, 2**20), ("files", LITTLE_FILES, 1), ("threads", 4, 1)):
        was, now = (median(getattr(each, name) for each in some) for some in (early, late))
        most = max(getattr(each, name) for each in late) / unit, max(getattr(each, name) for each in early) / unit
        held &= (same := now <= was * ROOM + little)
        words = "flat" if same else "GROWS"
        print(f"{name}: {was / unit:.0f} -> {now / unit:.0f} (most {most[1]:.0f} -> {most[0]:.0f}): {words}")
    return held


def unexplained(log: Path) -> int:
    """Print warnings and errors by kind; return how many nothing here explains."""
    kinds: Counter[tuple[str, str]] = Counter()
    without: list[str] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            without.append(line)
            continue
        if event.get("level") in ("info", "debug"):
            continue
        cause = why(event)
        kinds[str(event.get("event")), cause or "NO CAUSE"] += 1
        if not cause:
            without.append(line)
    for (name, cause), count in sorted(kinds.items()):
        print(f"log: {count:5} {name}: {cause}")
    for line in without[:20]:
        print(f"log: {line[:400]}")
    return len(without)


def why(event: dict[str, object]) -> str:
    """Return what in this script a warning comes from, "" if nothing."""
    text = json.dumps(event)
    if event.get("event") == "polled" and DEAD in text:
        return "the host that is never there"
    if event.get("event") == "delivery_failed" and "451" in text:
        return "the mail server that refuses for ten minutes"
    if event.get("event") == "giant_story":
        return "texts of all feeds, invented of the same words"
    return ""


def plot(looks: list[Look], path: Path) -> None:
    """Write memory and open files over time as SVG."""
    end = looks[-1].minute
    parts = [
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 420" font-family="sans-serif" font-size="13" '
            'role="img"><title>Memory and open files of the daemon over the run</title>'
            '<rect width="800" height="420" fill="#fff"/>'
        )
    ]
    for top, name, unit, words in ((30, "memory", 2**20, "memory, MiB"), (230, "files", 1, "open files")):
        values = [getattr(each, name) / unit for each in looks]
        most = max(values) * 1.1
        line = " ".join(
            f"{60 + 720 * each.minute / end:.1f},{top + 150 * (1 - value / most):.1f}"
            for each, value in zip(looks, values, strict=True)
        )
        parts.append(
            f'<text x="60" y="{top - 8}">{words}</text><path d="M60 {top}V{top + 150}H780" stroke="#888" fill="none"/>'
        )
        parts.append(f'<polyline points="{line}" fill="none" stroke="#15508a" stroke-width="1.2"/>')
        parts += [
            f'<text x="52" y="{top + 155 - 150 * tick / most:.0f}" text-anchor="end">{tick:.0f}</text>'
            for tick in (0, max(values) / 2, max(values))
        ]
    parts += [
        f'<text x="{60 + 720 * n / 6:.0f}" y="402" text-anchor="middle">{end * n / 6:.0f}</text>' for n in range(7)
    ]
    parts.append('<text x="420" y="417" text-anchor="middle">minutes</text></svg>')
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def soak(given: argparse.Namespace, folder: Path) -> bool:
    """Run it all; return whether it was flat and explained."""
    feeds, urls = feed_server()
    sites, rows = newsroom(given, folder) if given.newsroom else ([], "")
    mailbox, smtp, web = Mailbox(), free_port(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=smtp)
    controller.start()
    text = settings(given, urls, rows, smtp, web)
    (folder / "settings.toml").write_text(text, encoding="utf-8")
    with contextlib.ExitStack() as stack:
        stack.enter_context(serving(feeds))
        if sites:
            stack.enter_context(serving(sites))
        log = stack.enter_context((folder / "log").open("wb"))
        command = [sys.executable, "-m", "watcher", "run", "--config", str(folder / "settings.toml")]
        daemon = subprocess.Popen(command, stderr=log, start_new_session=True)
        try:
            looks = watch(given, daemon.pid, folder, mailbox, web)
        finally:
            daemon.send_signal(signal.SIGTERM)
            code = daemon.wait(30)
    controller.stop()
    editions = len(tomllib.loads(text)["digests"])
    (folder / "looks.json").write_text(json.dumps([[getattr(each, name) for name in Look.__slots__] for each in looks]))
    mails = len(set(mailbox.taken))
    print(f"the daemon ended with {code}; {mails} mails of {2 * editions}, {len(mailbox.taken) - mails} twice")
    if given.plot:
        plot(looks, given.plot)
    held = flat(looks)
    return unexplained(folder / "log") == 0 and held and code == 0 and len(mailbox.taken) == 2 * editions


def main() -> int:
    """Run the soak; return 0 if all was flat and explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--newsroom", type=Path, help="a program that serves live sites")
    parser.add_argument("--keep", type=Path, help="folder for the store and the log, else one that is removed")
    parser.add_argument("--plot", type=Path, help="file for the plot (SVG)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return 0 if soak(given, folder) else 1


if __name__ == "__main__":
    sys.exit(main())
