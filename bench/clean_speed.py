"""
Prints what cleaning costs beside trafilatura's default: CPU a page, the slowest pages, memory over many pages.

    python bench/clean_speed.py PAGES_DIR [--limit 400] [--memory 10000]

PAGES_DIR holds index.jsonl, lines of {id, url, html: a path to a gzipped page}. Each side is a process of its own and
reads the same lines; the two take turns, so that a busy machine is busy for both.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from watcher.text.encoding import decode_page

OURS = [sys.executable, "-m", "watcher.cli.main", "clean", "--jsonl"]
THEIRS = [
    sys.executable,
    "-c",
    """import json, logging, sys, trafilatura
logging.getLogger('trafilatura').setLevel(logging.CRITICAL)
for line in sys.stdin: trafilatura.extract(json.loads(line)['html'])""",
]
TURNS = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="pages, spread over all; 0 takes all")
    parser.add_argument("--memory", type=int, default=0, help="pages of the memory run, made by repeating")
    options = parser.parse_args()
    lines = list(read_lines(options.pages, options.limit))
    print(f"{len(lines)} pages of {sum(map(len, lines)) / len(lines) / 1024:.0f} KiB on average")
    ours = theirs = 0.0
    for _ in range(TURNS):
        ours += cpu_s(OURS, lines)
        theirs += cpu_s(THEIRS, lines)
    pages = TURNS * len(lines)
    print(f"CPU a page, whole process: watcher {1e3 * ours / pages:.2f} ms, trafilatura {1e3 * theirs / pages:.2f} ms")
    print(f"ratio {ours / theirs:.3f}")
    slowest(lines)
    if options.memory:
        memory(lines, options.memory)


def read_lines(folder: Path, limit: int) -> Iterator[str]:
    """Yield the pages of a folder as lines of the filter."""
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text(encoding="utf-8").split("\n") if line]
    step = max(1, len(rows) // limit) if limit else 1
    for row in rows[::step]:
        html = decode_page(gzip.decompress((folder / row["html"]).read_bytes()))
        yield json.dumps({"id": row["id"], "url": row["url"], "html": html}) + "\n"


def cpu_s(command: list[str], lines: list[str]) -> float:
    """Return the CPU seconds that a command and its workers take for `lines`."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as given:
        given.writelines(lines)
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[2]} ended with {status}")
    return usage.ru_utime + usage.ru_stime


def slowest(lines: list[str]) -> None:
    """Print the slowest pages, in this process."""
    from watcher.clean.article import extract_page, finish_article
    from watcher.errors import CleanError

    took: list[tuple[float, str]] = []
    for line in lines:
        page = json.loads(line)
        start = time.process_time()
        with suppress(CleanError):
            finish_article(extract_page(page["html"], url=page["url"]))
        took.append((time.process_time() - start, page["id"]))
    took.sort(reverse=True)
    print("slowest: " + ", ".join(f"{name} {1e3 * seconds:.0f} ms" for seconds, name in took[:5]))
    print(f"median {1e3 * took[len(took) // 2][0]:.1f} ms, without reading and writing lines")


def memory(lines: list[str], pages: int) -> None:
    """Print the memory of the filter and its workers while it reads `pages` pages, the given ones over and over."""
    process = subprocess.Popen(OURS, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stdin is not None
    for at in range(pages):
        if at % max(1, pages // 10) == 0:
            print(f"after {at:>6} pages: " + ", ".join(f"{size:.0f}" for size in rss_mib(process.pid)) + " MiB")
        page = json.loads(lines[at % len(lines)])
        host = f"s{at // 50}.example"  # fifty pages a site
        process.stdin.write(json.dumps({**page, "id": at, "url": f"https://{host}/{at}"}) + "\n")
    process.stdin.close()
    peak = 0.0
    while process.poll() is None:
        peak = max([peak, *rss_mib(process.pid)[:1]])
        time.sleep(0.2)
    print(f"while the results are written: {peak:.0f} MiB")


def rss_mib(pid: int) -> list[float]:
    """Return the resident memory of a process and of its children, in MiB; nothing where there is no /proc."""
    found = []
    task = Path(f"/proc/{pid}/task/{pid}/children")
    children = [int(child) for child in task.read_text().split()] if task.exists() else []
    for one in (pid, *children):
        status = Path(f"/proc/{one}/status")
        if status.exists() and "VmRSS:" in (text := status.read_text()):
            found.append(int(text.partition("VmRSS:")[2].split()[0]) / 1024)
    return found


if __name__ == "__main__":
    main()
