"""
Measures what readers of the site cost the polls: a daemon that polls, with no reader beside it and then with some.

    python bench/web_readers.py                       # five readers, each one page after the other
    python bench/web_readers.py --readers 50 --wait 1 # fifty who look at a page a second

The daemon runs in this process, as in `steady.py`: each 10 ms a timer says how late the event loop is, and each poll
how long after it was due it was made (the daemon looks for what is due every two seconds). The readers and the feeds
are processes of their own. The bar: loop lag p99 below 50 ms, and no poll more than a second later than without
readers. Loopback only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from steady import beat
from tree import cpu

from watcher.daemon import run as daemon
from watcher.settings.load import load_settings_file
from watcher.store.engine import open_store
from watcher.worker import scheduler
from watcher.worker.context import Event, FeedPolled

HERE = Path(__file__).parent
FEEDS_PORT = 18290
SITE = "127.0.0.1:18420"
WARM_S = 90  # until the polls have spread themselves, and what came in is indexed
LAG_MS, LATE_S = 50.0, 1.0  # the bar
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
listen = "127.0.0.1:18420"
"""


async def measure(given: argparse.Namespace, late_s: list[float]) -> bool:
    """Print a line without readers and one with them; return whether the bar holds."""
    await asyncio.sleep(WARM_S)
    lags: list[float] = []
    beating = asyncio.create_task(beat(lags))
    print(
        "readers   loop lag p50    p99     max      polls late p50   p99    max      polls  CPU of a core", flush=True
    )
    _, alone_s = await stretch(0, given, lags, late_s)
    lag_ms, with_s = await stretch(given.readers, given, lags, late_s)
    beating.cancel()
    holds = lag_ms < LAG_MS and with_s < alone_s + LATE_S
    print(f"{'ok' if holds else 'MISSED'}: lag p99 {lag_ms:.1f} ms, the latest poll {with_s - alone_s:+.2f} s")
    os.kill(os.getpid(), signal.SIGTERM)
    return holds


async def stretch(
    readers: int, given: argparse.Namespace, lags: list[float], late_s: list[float]
) -> tuple[float, float]:
    """Print what a stretch of time brought; return the loop's lag (p99, ms) and how late the latest poll was (s)."""
    reading = None
    lags.clear()
    late_s.clear()
    used, began = cpu(os.getpid()) or 0.0, time.monotonic()
    if readers:
        command = [sys.executable, str(HERE / "site_readers.py"), "--site", SITE, "--readers", str(readers)]
        command += ["--seconds", str(given.seconds), "--wait", str(given.wait)]
        reading = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await asyncio.sleep(given.seconds)
    share = ((cpu(os.getpid()) or 0.0) - used) / (time.monotonic() - began)
    lag, late = shares(lags, scale=1e3), shares(late_s)
    print(
        f"{readers:7}       {lag[0]:6.1f}  {lag[1]:6.1f}  {lag[2]:6.1f} ms       {late[0]:6.2f}  {late[1]:6.2f}"
        f"  {late[2]:6.2f} s  {len(late_s):6}  {share:10.0%}",
        flush=True,
    )
    if reading is not None:
        told = json.loads((await reading.communicate())[0])
        print(
            f"          {told['pages'] / given.seconds:.1f} pages a second, median {told['median_ms']:.0f} ms,"
            f" 95 % within {told['p95_ms']:.0f}, slowest {told['slowest_ms']:.0f}; answers {told['answers']}"
        )
    return lag[1], late[2]


def shares(values: Sequence[float], *, scale: float = 1.0) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the largest of `values`."""
    found = sorted(values) or [0.0]
    return tuple(found[int((len(found) - 1) * share)] * scale for share in (0.5, 0.99, 1.0))  # type: ignore[return-value]


async def both(path: Path, given: argparse.Namespace) -> bool:
    """Run the daemon, and measure it."""
    late_s: list[float] = []
    tell = daemon.log_event  # type: ignore[attr-defined]

    def hear(event: Event) -> None:
        if isinstance(event, FeedPolled):
            late_s.append((event.result.at - event.feed.next_poll_at).total_seconds())
        tell(event)

    daemon.log_event = hear  # type: ignore[attr-defined]
    settings = load_settings_file(path)
    engine = open_store(settings.store.url)
    _, holds = await asyncio.gather(daemon.run(settings, engine, on_end=lambda: None), measure(given, late_s))
    engine.dispose()
    return holds


def main() -> None:
    """Fill a store, serve the feeds, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1200)
    parser.add_argument("--full", type=int, default=100, help="feeds that have entries; the others are empty")
    parser.add_argument("--readers", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="whole minutes: polls come together")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds between two pages of a reader")
    given = parser.parse_args()
    server = [sys.executable, str(HERE / "feed_server.py"), "--feeds", str(given.feeds), "--words", "20"]
    server += ["--full", str(given.full), "--port", str(FEEDS_PORT)]
    urls = subprocess.run([*server, "--print"], capture_output=True, text=True, check=True).stdout.split()
    serving = subprocess.Popen(server, stdout=subprocess.PIPE, text=True)
    logging.getLogger().setLevel(logging.ERROR)
    try:
        assert serving.stdout and "ready" in serving.stdout.readline(), "the feeds cannot be served"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "settings.toml"
            path.write_text(SETTINGS + "".join(f'[[sources]]\nurl = "{url}"\n' for url in urls))
            watcher = Path(sys.executable).with_name("watcher")
            subprocess.run([watcher, "poll", "--no-pages"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            subprocess.run([watcher, "digest"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            holds = scheduler.run(both(path, given))
    finally:
        serving.terminate()
        serving.wait()
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
