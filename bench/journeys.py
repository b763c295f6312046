"""
Follows a feed with news, an article and an edition through the house, and counts the files that each enters.

    python -m bench.journeys            # a line a journey, and the files by room
    python -m bench.journeys --files    # and each file

A file is entered if one of its functions runs; importing it does not count. The demo's publishers are polled by
`watcher poll` and an edition is made by `watcher digest`, worker processes included. A feed's journey begins where its
host is claimed and ends where the first page is fetched; an article's begins there and ends where the last one is
stored; an edition's begins where its inputs are loaded. The command line around them, settings and plug-ins do not
count.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from watcher.demo.server import DemoServer

ROOT = Path(__file__).resolve().parent.parent
GOALS = {"a feed with news": 30, "an article": 45, "an edition": 70}  # files; 52, 77 and 111 before
AROUND = ("cli/", "settings/", "demo/", "daemon/", "plugins.py", "__main__.py")
# Python imports a module of this name at its start, also in worker processes.
TRACER = """
import os, sys, threading, time
IS_FUNCTION = 1  # CO_OPTIMIZED: the body of a class, which runs at import, has it not
place, seen = os.environ["JOURNEY"], {}
def is_import(frame):
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
def note(frame, event, argument):
    code = frame.f_code
    if event != "call" or code.co_name.startswith("<") or not code.co_flags & IS_FUNCTION:
        return
    name, now = code.co_filename, time.monotonic()
    if now - seen.get(name, 0.0) < 0.01 or is_import(frame):
        return
    seen[name] = now
    if name.endswith(".py") and ("watcher/" in name or "digests/" in name):
        out = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(out, f"{now} {name}\\n".encode())
        os.close(out)
threading.setprofile(note)
sys.setprofile(note)
"""


async def main() -> None:
    """Print what each journey enters; end with 1 where one enters more than its goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", action="store_true", help="each file as well")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = await follow(Path(name))
    for journey, files in found.items():
        rooms = Counter(file.rpartition("/")[0] for file in files)
        print(f"{journey}: {len(files)} files (goal {GOALS[journey]})")
        print("  " + ", ".join(f"{room} {count}" for room, count in sorted(rooms.items())))
        if given.files:
            print("".join(f"    {file}\n" for file in sorted(files)), end="")
    sys.exit(any(len(files) > GOALS[journey] for journey, files in found.items()))


async def follow(folder: Path) -> dict[str, set[str]]:
    """Return the files that each journey enters."""
    (folder / "sitecustomize.py").write_text(TRACER)
    async with DemoServer(now=datetime.now(UTC)) as press:
        everything = press.settings_toml(host_delay="0.05s")
        one_source = "[[sources]]".join(everything.split("[[sources]]")[:2]) + '[semantic]\nembedder = "none"\n'
        calls = await run(folder / "one", one_source, "poll")
        first_page = next(at for at, file in calls if file.endswith("fetch_page.py"))
        begin = next(at for at, file in calls if file.endswith("store/visits.py"))
        stored = max(at for at, file in calls if file.endswith("store/articles.py"))
        await run(folder / "all", everything, "poll")
    edition = await run(folder / "all", everything, "digest")
    load = next(at for at, file in edition if file.endswith("stories/window.py"))
    return {
        "a feed with news": set(between(calls, begin, first_page)),
        "an article": set(between(calls, first_page, stored)),
        "an edition": set(between(edition, load, float("inf"))),
    }


async def run(folder: Path, settings: str, command: str) -> list[tuple[float, str]]:
    """Run a command of the program in `folder`; return when it entered which file."""
    folder.mkdir(exist_ok=True)
    (folder / "settings.toml").write_text(settings + '\n[[digests]]\nname = "world"\n')
    record = folder / f"{command}.calls"
    # PYTHONPATH as well: the code of this checkout runs, and no other that is installed.
    environment = os.environ | {
        "JOURNEY": str(record),
        "PYTHONPATH": os.pathsep.join((str(folder.parent), str(ROOT))),
        "XDG_STATE_HOME": str(folder),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "watcher", command), cwd=folder, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait() not in (0, 3):  # two of the publishers fail on purpose
        sys.exit(f"watcher {command} failed")
    lines = (line.split(" ", 1) for line in record.read_text().splitlines())
    prefix = f"{ROOT}/"
    return sorted((float(at), name.removeprefix(prefix)) for at, name in lines if name.startswith(prefix))


def between(calls: list[tuple[float, str]], begin: float, end: float) -> Iterator[str]:
    """Yield the files that were entered from `begin` to before `end`, without what stands around a journey."""
    for at, file in calls:
        if begin <= at < end and not file.partition("/")[2].startswith(AROUND):
            yield file


if __name__ == "__main__":
    asyncio.run(main())
