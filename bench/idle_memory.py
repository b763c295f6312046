"""
Prints what the daemon takes of memory on a home server: while it is busy, and each minute until it has long been idle.

    python bench/idle_memory.py --newsroom serve.py --embedder built-in --minutes 16

The sites of --newsroom, a program that takes --port, --shift and --settings, are polled by a daemon with the settings
of a new installation. Each number is PSS of all its processes: a page that several share counts once. Linux only.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from soak import free_port, serving
from tree import memory, tree

LOOK_S = 0.5  # while there is work
MIB = 2**20


def main() -> None:
    """Run the daemon and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--newsroom", type=Path, required=True, help="a program that serves live sites")
    parser.add_argument("--sets", default="fundus", help="the sites of it to serve")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--minutes", type=float, default=16, help="how long to wait after the last article")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = folder / "newsroom.toml"
        command = [sys.executable, str(given.newsroom), "--sets", given.sets, "--port", str(free_port()), "--shift"]
        with serving([*command, "--settings", str(rows)]):
            head = f'[store]\nurl = "sqlite:///w.db"\n[semantic]\nembedder = "{given.embedder}"\n'
            head += f'[web]\nlisten = "127.0.0.1:{free_port()}"\n[metrics]\nlisten = "127.0.0.1:{free_port()}"\n'
            head += '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "0s"\n'
            (folder / "settings.toml").write_text(head + rows.read_text(encoding="utf-8"), encoding="utf-8")
            watch(folder, given.minutes * 60)


def watch(folder: Path, wait_s: float) -> None:
    """Run the daemon until it has had no work for `wait_s` seconds."""
    command = [sys.executable, "-m", "watcher", "run", "--config", str(folder / "settings.toml")]
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(command, stderr=log, start_new_session=True)
    peak, told = 0, (0, 0)
    last_s = said_s = time.monotonic()
    try:
        while (idle_s := time.monotonic() - last_s) < wait_s:
            found, sizes = progress(folder / "w.db"), [memory(pid) for pid in tree(daemon.pid)]
            if found != told:
                told, last_s = found, time.monotonic()
            peak = max(peak, sum(sizes))
            if time.monotonic() - said_s > 60:
                say(f"{idle_s / 60:4.1f} minutes idle", sizes, found)
                said_s = time.monotonic()
            time.sleep(LOOK_S if idle_s < 120 else 10.0)
        say(f"after {wait_s / 60:g} minutes without news", [memory(pid) for pid in tree(daemon.pid)], told)
        print(f"most, while embedding and cleaning: {peak / MIB:.0f} MiB")
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)


def progress(store: Path) -> tuple[int, int]:
    """Return how many articles there are, and how many have a vector."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            count = "select (select count(*) from articles), (select count(*) from features where vector is not null)"
            articles, vectors = connection.execute(count).fetchone()
            return articles, vectors
    except sqlite3.Error:
        return 0, 0  # not there yet


def say(when: str, sizes: list[int], found: tuple[int, int]) -> None:
    """Print a line."""
    each = " + ".join(f"{size / MIB:.0f}" for size in sizes)
    print(f"{when}: {sum(sizes) / MIB:.0f} MiB ({each}); {found[0]} articles, {found[1]} vectors", flush=True)


if __name__ == "__main__":
    main()
