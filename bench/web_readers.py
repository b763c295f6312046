"""
Measures what readers of the site cost the polls: a daemon that polls beside fifty of them, and beside none, in turns.

    python bench/web_readers.py --feeds 1200 --readers 50 --seconds 120

A reader looks at a page, waits a second, and looks at the next: today's edition, a story, the sources, an article, a
search. Prints the polls a minute, how long feeds took to answer, and the pages read. Loopback only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

HERE = Path(__file__).parent
PORT = 18420
SITE = f"http://127.0.0.1:{PORT}"
PAGES = ("/", "/sources", "/archive", "/search?q=kolan", "/sources/page-2", "/feed.atom")
SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[poll]
every = "1m"
min_every = "1m"
[fetch]
articles = false
allow_private = ["127.0.0.0/8"]
[web]
listen = "127.0.0.1:{port}"
"""


def main() -> None:
    """Poll, read, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1200)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0, help="whole minutes: polls come together")
    parser.add_argument("--turns", type=int, default=2)
    given = parser.parse_args()
    server = [sys.executable, str(HERE / "feed_server.py"), "--feeds", str(given.feeds), "--words", "20"]
    urls = subprocess.run([*server, "--print"], capture_output=True, text=True, check=True).stdout.split()
    serving = subprocess.Popen(server, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = "".join(f'[[sources]]\nurl = "{url}"\n' for url in urls)
        (folder / "settings.toml").write_text(SETTINGS.format(port=PORT) + rows)
        watcher = Path(sys.executable).with_name("watcher")
        subprocess.run([watcher, "poll", "--no-pages"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([watcher, "digest"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        daemon = subprocess.Popen([watcher, "run"], cwd=folder, stderr=subprocess.DEVNULL)
        try:
            time.sleep(75)  # until the polls have spread themselves
            for turn in range(given.turns):
                for readers in (0, given.readers) if turn % 2 == 0 else (given.readers, 0):
                    print(f"{readers:3} readers: {measured(readers, given.seconds)}", flush=True)
        finally:
            daemon.terminate()
            daemon.wait()
            serving.terminate()
            serving.wait()


def measured(readers: int, seconds: float) -> str:
    """Return in words what a stretch of time brought."""
    stop = threading.Event()
    took: list[float] = []
    threads = [threading.Thread(target=read_on, args=(stop, took, n)) for n in range(readers)]
    for thread in threads:
        thread.start()
    before, started = numbers(), time.monotonic()
    time.sleep(seconds)
    after, lasted = numbers(), time.monotonic() - started
    stop.set()
    for thread in threads:
        thread.join()
    polls, answered = after[0] - before[0], after[1] - before[1]
    told = f"{polls * 60 / lasted:7.1f} polls a minute, {answered / max(polls, 1) * 1e3:6.1f} ms a feed"
    took.sort()
    pages = f", {len(took) / lasted:5.1f} pages a second, median {took[len(took) // 2] * 1e3:.0f} ms" if took else ""
    return told + pages


def read_on(stop: threading.Event, took: list[float], number: int) -> None:
    """Read one page after the other, a second between two."""
    with httpx.Client(base_url=SITE, timeout=30) as http:
        while not stop.is_set():
            started = time.monotonic()
            if http.get(PAGES[number % len(PAGES)]).status_code == 200:
                took.append(time.monotonic() - started)
            number += 1
            stop.wait(1.0)


def numbers() -> tuple[float, float]:
    """Return how many polls there were, and the seconds that they took together."""
    page = httpx.get(f"{SITE}/metrics", timeout=30).text
    polls = sum(float(value) for value in re.findall(r"^watcher_polls_total\{[^}]*\} ([\d.e+]+)$", page, re.MULTILINE))
    seconds = re.search(r"^watcher_poll_seconds_sum ([\d.e+]+)$", page, re.MULTILINE)
    return polls, float(seconds[1]) if seconds else 0.0


if __name__ == "__main__":
    main()
