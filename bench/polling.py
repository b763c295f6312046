"""
Polls feeds on loopback, first and again, beside lemon24/reader in the same minutes, and prints the ratios.

    python bench/polling.py --feeds 2000 --reader /tmp/venv/bin/python

`--reader` is a Python that has `reader` and `sgmllib3k` installed; without it the figures are ours alone. `--server`
takes another server of feeds that knows --feeds and --print-urls in the place of `feed_server.py`. Both programs have
their byte code, as `pip install` leaves it, also where the environment keeps Python from writing it.
"""

from __future__ import annotations

import argparse
import compileall
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tree import Taken, run

HERE = Path(__file__).parent
MAKE = "import sys; from reader import make_reader; r = make_reader('reader.db'); "
ADD = MAKE + "[r.add_feed(url.strip()) for url in sys.stdin]"
APART_S = 3.0  # between first and again: Watcher lets a second go by between two requests to one host
POLL = MAKE + "r.update_feeds(workers=16, scheduled=False)"


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reader", help="a Python with lemon24/reader")
    parser.add_argument("--server", type=Path, help="another server of feeds")
    given = parser.parse_args()
    for folder in (HERE.parent / "watcher", HERE.parent / "digests", sysconfig.get_path("purelib")):
        compileall.compile_dir(folder, quiet=2)
    server = given.server or HERE / "feed_server.py"
    print_urls = "--print-urls" if given.server else "--print"
    told = subprocess.run(
        [sys.executable, server, "--feeds", str(given.feeds), print_urls], capture_output=True, text=True, check=True
    )
    serving = subprocess.Popen([sys.executable, server, "--feeds", str(given.feeds)], stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        serving.stdout.readline()
        ours: list[list[Taken]] = []
        theirs: list[list[Taken]] = []
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as folder:
                ours.append(poll_with_watcher(Path(folder), told.stdout.split()))
                if given.reader:
                    theirs.append(poll_with_reader(Path(folder), told.stdout, given.reader))
            show(given.feeds, ours, theirs)
    finally:
        serving.terminate()
        serving.wait()


def poll_with_watcher(folder: Path, urls: list[str]) -> list[Taken]:
    """Return what a first and a second poll took."""
    rows = "".join(f'[[sources]]\nurl = "{url}"\n' for url in urls)
    head = '[store]\nurl = "sqlite:///watcher.db"\n[semantic]\nembedder = "none"\n'
    (folder / "settings.toml").write_text(f'{head}[fetch]\nallow_private = ["127.0.0.0/8"]\n{rows}')
    command = [str(Path(sys.executable).parent / "watcher"), "poll", "--all", "--no-pages"]
    return twice(command, folder)


def poll_with_reader(folder: Path, urls: str, python: str) -> list[Taken]:
    """Return what a first and a second update took."""
    subprocess.run([python, "-c", ADD], input=urls, text=True, cwd=folder, check=True)
    return twice([python, "-c", POLL], folder)


def twice(command: Sequence[str], folder: Path) -> list[Taken]:
    """Return what a command took, and took again a little later."""
    first = run(command, cwd=folder)
    time.sleep(APART_S)
    return [first, run(command, cwd=folder)]


def show(feeds: int, ours: list[list[Taken]], theirs: list[list[Taken]]) -> None:
    """Print the medians so far."""
    for at, name in enumerate(("first", "again")):
        mine = [round[at] for round in ours]
        print(f"{name:6} watcher {words(feeds, mine)}")
        if theirs:
            other = [round[at] for round in theirs]
            faster = median(b.wall_s / a.wall_s for a, b in zip(mine, other, strict=True))
            share = median(a.cpu_s / b.cpu_s for a, b in zip(mine, other, strict=True))
            print(f"       reader  {words(feeds, other)}")
            print(f"       {faster:.2f} times as fast, {share:.2f} of the CPU")
    sys.stdout.flush()


def words(feeds: int, runs: list[Taken]) -> str:
    """Return the medians of some runs."""
    wall, cpu = median(run.wall_s for run in runs), median(run.cpu_s for run in runs)
    peak = max(run.peak_bytes for run in runs) / 2**20
    bad = "" if all(run.code == 0 for run in runs) else "  FAILED"
    return f"{wall:6.2f} s  {cpu / feeds * 1e3:6.2f} ms CPU a feed  {peak:4.0f} MiB in {runs[0].processes}{bad}"


if __name__ == "__main__":
    main()
