"""
Measures what readers of the site cost the polls: a daemon that polls beside fifty of them, and beside none, in turns.

    python bench/web_readers.py                       # twenty polls a second: the daemon has time
    python bench/web_readers.py --feeds 16000         # more polls than it can do

A reader looks at a page, waits a second, and looks at the next (site_readers.py). A turn is three stretches of time:
no readers; readers of the lowest priority, who stand for readers on other machines, since what they cost is the site's
own work; and readers who take the cores of this machine as anybody does. Prints for each the polls a minute, how long
feeds took to answer, the pages read, and the share of a core that each process took. Loopback only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

HERE = Path(__file__).parent
FEEDS_PORT = 18290
SITE = "127.0.0.1:18420"
NUMBERS = "http://127.0.0.1:18421/metrics"
TICK = os.sysconf("SC_CLK_TCK")
WARM_S = 90  # until the polls have spread themselves, and what came in is indexed
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
[metrics]
listen = "127.0.0.1:18421"
[web]
listen = "127.0.0.1:18420"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of stretch: how many read, and at which priority."""

    name: str
    readers: int
    nice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the daemon tells of itself, and the CPU seconds of each process."""

    at: float
    polls: float
    answered_s: float
    cpu: Counter[str]


def main() -> None:
    """Poll, read, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1200)
    parser.add_argument("--full", type=int, default=100, help="feeds that have entries; the others are empty")
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0, help="whole minutes: polls come together")
    parser.add_argument("--wait", type=float, default=1.0, help="seconds between two pages of a reader")
    parser.add_argument("--turns", type=int, default=2)
    given = parser.parse_args()
    server = [sys.executable, str(HERE / "feed_server.py"), "--feeds", str(given.feeds), "--words", "20"]
    server += ["--full", str(given.full), "--port", str(FEEDS_PORT)]
    urls = subprocess.run([*server, "--print"], capture_output=True, text=True, check=True).stdout.split()
    serving = subprocess.Popen(server, stdout=subprocess.PIPE, text=True)
    assert serving.stdout and "ready" in serving.stdout.readline(), "the feeds cannot be served"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = "".join(f'[[sources]]\nurl = "{url}"\n' for url in urls)
        (folder / "settings.toml").write_text(SETTINGS + rows)
        watcher = Path(sys.executable).with_name("watcher")
        subprocess.run([watcher, "poll", "--no-pages"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([watcher, "digest"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        daemon = subprocess.Popen([watcher, "run"], cwd=folder, stderr=subprocess.DEVNULL)
        try:
            time.sleep(WARM_S)
            in_turns(given, {"daemon": daemon.pid, "feeds": serving.pid})
        finally:
            daemon.terminate()
            daemon.wait()
            serving.terminate()
            serving.wait()


def in_turns(given: argparse.Namespace, pids: dict[str, int]) -> None:
    """Measure each kind in turns, and print what readers cost."""
    kinds = (
        Kind(name="no readers", readers=0),
        Kind(name="readers elsewhere", readers=given.readers, nice=19),
        Kind(name="readers on these cores", readers=given.readers),
    )
    polls: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for turn in range(given.turns):
        for kind in kinds if turn % 2 == 0 else reversed(kinds):
            polls[kind.name].append(measured(kind, given, pids))
    alone = median(polls[kinds[0].name])
    for kind in kinds[1:]:
        found = median(polls[kind.name])
        print(f"{kind.name}: {found:.0f} polls a minute, of {alone:.0f} without ({found / alone - 1:+.1%})")


def measured(kind: Kind, given: argparse.Namespace, pids: dict[str, int]) -> float:
    """Print what a stretch of time brought; return the polls a minute."""
    reading = None
    if kind.readers:
        command = [sys.executable, str(HERE / "site_readers.py"), "--site", SITE, "--readers", str(kind.readers)]
        command += ["--seconds", str(given.seconds), "--wait", str(given.wait), "--nice", str(kind.nice)]
        reading = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    before = numbers(pids)
    time.sleep(given.seconds)
    after = numbers(pids)
    lasted, polls = after.at - before.at, after.polls - before.polls
    answered = (after.answered_s - before.answered_s) / max(polls, 1)
    shares = {name: round((after.cpu[name] - before.cpu[name]) / lasted * 100) for name in after.cpu}
    print(f"{kind.name:23} {polls * 60 / lasted:7.1f} polls a minute, {answered * 1e3:6.1f} ms a feed", end="")
    if reading is not None:
        told = json.loads(reading.communicate()[0])
        shares["readers"] = round(told["cpu_s"] / lasted * 100)
        print(
            f", {told['pages'] / lasted:5.1f} pages a second, median {told['median_ms']:.0f} ms,"
            f" 95 % within {told['p95_ms']:.0f}, answers {told['answers']}",
            end="",
        )
    print("; % of a core: " + ", ".join(f"{name} {share}" for name, share in shares.items()), flush=True)
    return polls * 60 / lasted


def numbers(pids: dict[str, int]) -> Numbers:
    """Return what the daemon tells by now."""
    page = httpx.get(NUMBERS, timeout=30).text
    polls = sum(float(value) for value in re.findall(r"^watcher_polls_total\{[^}]*\} ([\d.e+]+)$", page, re.MULTILINE))
    seconds = re.search(r"^watcher_poll_seconds_sum ([\d.e+]+)$", page, re.MULTILINE)
    cpu: Counter[str] = Counter()
    for name, pid in pids.items():
        cpu[name] += cpu_of(pid)
        for child in children_of(pid):
            is_site = b"watcher.daemon.site_process" in Path(f"/proc/{child}/cmdline").read_bytes()
            cpu["site" if is_site else "workers"] += cpu_of(child)
    return Numbers(at=time.monotonic(), polls=polls, answered_s=float(seconds[1]) if seconds else 0.0, cpu=cpu)


def children_of(pid: int) -> list[int]:
    """Return the processes that one has started, by whichever of its threads."""
    return [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()]


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


if __name__ == "__main__":
    main()
