"""
Keeps the daemon polling many feeds on loopback and prints, minute by minute, what it takes: CPU, loop lag, memory.

    python bench/steady.py --feeds 10000 --every 15m --minutes 30

The daemon runs in this process, so that its event loop can be watched: each 10 ms a timer says how late it is.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tree import TICK_S, cpu, memory, tree

from watcher.daemon.run import run
from watcher.settings.load import load_settings_file
from watcher.store.engine import open_store
from watcher.worker import scheduler

HERE = Path(__file__).parent
BEAT_S = 0.01
PORT = 18290


async def beat(lags: list[float]) -> None:
    """Note again and again how late the loop is."""
    while True:
        due = time.monotonic() + BEAT_S
        await asyncio.sleep(BEAT_S)
        lags.append(time.monotonic() - due)


async def watch(minutes: int, every_s: float) -> None:
    """Print a line a minute, and stop the daemon at the end."""
    lags: list[float] = []
    beating = asyncio.create_task(beat(lags))
    own = os.getpid()
    print("minute  CPU of a core  of it workers  lag p50   p99    max     memory (own, tree)")
    used, others = cpu(own) or 0.0, 0.0
    for minute in range(1, minutes + 1):
        await asyncio.sleep(every_s)
        now, rest = cpu(own) or 0.0, sum(cpu(pid) or 0.0 for pid in tree(own)[1:])
        late = sorted(lags)
        lags.clear()
        p50, p99, most = (late[int(len(late) * share)] * 1e3 for share in (0.5, 0.99, 0.99999))
        share, workers = (now - used) / every_s, max(rest - others, 0.0) / every_s
        mine, all_of = memory(own) / 2**20, sum(map(memory, tree(own))) / 2**20
        print(
            f"{minute:6}  {share:12.1%}  {workers:12.1%}  {p50:6.1f}  {p99:6.1f}  {most:6.1f} ms"
            f"  {mine:5.0f}  {all_of:5.0f} MiB",
            flush=True,
        )
        used, others = now, rest
    beating.cancel()
    os.kill(own, signal.SIGTERM)


async def both(settings_path: Path, minutes: int) -> None:
    """Run the daemon and watch it."""
    settings = load_settings_file(settings_path)
    engine = open_store(settings.store.url)
    await asyncio.gather(run(settings, engine, on_end=lambda: None), watch(minutes, 60.0))
    engine.dispose()


def main() -> None:
    """Read the arguments, serve, and watch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--every", default="15m")
    parser.add_argument("--minutes", type=int, default=30)
    given = parser.parse_args()
    server = [sys.executable, str(HERE / "feed_server.py"), "--feeds", str(given.feeds), "--port", str(PORT)]
    server += ["--entries", "3", "--words", "3"]  # little to store: what is measured is the polling
    urls = subprocess.run([*server, "--print"], capture_output=True, text=True, check=True).stdout.split()
    serving = subprocess.Popen(server, stdout=subprocess.PIPE, text=True)
    logging.getLogger().setLevel(logging.ERROR)
    try:
        assert serving.stdout is not None
        serving.stdout.readline()
        with tempfile.TemporaryDirectory() as folder:
            rows = "".join(f'[[sources]]\nurl = "{url}"\nevery = "{given.every}"\n' for url in urls)
            head = '[store]\nurl = "sqlite:///watcher.db"\n[semantic]\nembedder = "none"\n'
            path = Path(folder) / "settings.toml"
            path.write_text(f'{head}[fetch]\nallow_private = ["127.0.0.0/8"]\narticles = false\n{rows}')
            print(f"{given.feeds} feeds each {given.every}; a tick of CPU is {TICK_S * 1e3:.0f} ms")
            scheduler.run(both(path, given.minutes))
    finally:
        serving.terminate()
        serving.wait()


if __name__ == "__main__":
    main()
