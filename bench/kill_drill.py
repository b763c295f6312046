"""
Kills the daemon with SIGKILL at random moments, then counts what is in the store.

    python bench/kill_drill.py --config full.toml --expect 208 --kills 10

Each time the daemon is started, all feeds are made due first, so that it is at work when it is killed. Prints a line a
kill, and at the end what the store holds; exits with 1 if that is not as expected.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select, text

from watcher.settings.load import load
from watcher.store.feeds import make_all_due
from watcher.store.open import open_store
from watcher.store.schema import articles, entries, pages, texts
from watcher.store.writer import read, write
from watcher.work.tools import system_clock


def main() -> int:
    """Run the drill; return 0 if nothing was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--expect", type=int, required=True, help="articles that the sources have")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    settings = load(given.config)
    engine = open_store(settings.store.url)
    chance = random.Random(given.seed)
    for number in range(given.kills):
        write(engine, lambda c: make_all_due(c, now=system_clock()))
        daemon = subprocess.Popen(
            [sys.executable, "-m", "watcher", "run", "--config", str(given.config)],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        moment = chance.uniform(1.0, 8.0)
        time.sleep(moment)
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        stored = read(engine, lambda c: c.scalar(select(func.count()).select_from(articles)))
        print(f"kill {number + 1} after {moment:.2f} s: {stored} articles", flush=True)
    last = subprocess.run([sys.executable, "-m", "watcher", "poll", "--all", "--config", str(given.config)])
    with engine.connect().execution_options(reading=True) as connection:
        count = {
            t.name: connection.scalar(select(func.count()).select_from(t)) for t in (articles, texts, entries, pages)
        }
        different = connection.scalar(select(func.count(articles.c.url.distinct())))
        sound = connection.scalar(text("PRAGMA integrity_check")) if engine.dialect.name == "sqlite" else "ok"
    print(f"{count}; {different} different articles; integrity {sound}; last pass ended with {last.returncode}")
    return 0 if count["articles"] == count["texts"] == different == given.expect and sound == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
