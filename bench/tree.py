"""Runs a command and tells what its whole process tree took: wall and CPU seconds, peak memory. Linux only."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
EVERY_S = 0.05  # between two looks: a process that ends between them loses so much of its time at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a run took; CPU of every process of the tree, whoever reaped it."""

    code: int
    wall_s: float
    cpu_s: float
    peak_bytes: int
    processes: int


def run(command: Sequence[str], *, cwd: Path | None = None) -> Taken:
    """Run `command` to its end, its output thrown away."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ending = os.pidfd_open(process.pid)
    cpu_s: dict[int, float] = {}
    peak = most = 0
    while process.poll() is None:
        pids = tree(process.pid)
        cpu_s.update((pid, used) for pid in pids if (used := cpu(pid)) is not None)
        peak, most = max(peak, memory_of_all(pids)), max(most, len(pids))
        select.select([ending], [], [], EVERY_S)  # comes back as soon as the process ends
    wall_s = time.monotonic() - started
    os.close(ending)
    return Taken(
        code=process.returncode,
        wall_s=wall_s,
        cpu_s=sum(cpu_s.values()),
        peak_bytes=peak,
        processes=most,
    )


def tree(root: int) -> list[int]:
    """Return a process and all that come from it."""
    found, at = [root], 0
    while at < len(found):
        try:
            for task in Path(f"/proc/{found[at]}/task").iterdir():
                found += [int(pid) for pid in (task / "children").read_text().split()]
        except OSError:
            pass  # it has ended meanwhile
        at += 1
    return found


def cpu(pid: int) -> float | None:
    """Return the CPU seconds of a process so far, None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) * TICK_S


def memory_of_all(pids: Sequence[int]) -> int:
    """
    Return the resident bytes of processes of one program: what is their own, and once the most that one has of files.

    To count shared pages exactly, as `memory` does, holds a process up: polls took a tenth longer.
    """
    sizes = [(int(fields[1]), int(fields[2])) for pid in pids if (fields := statm(pid))]
    return PAGE_BYTES * (sum(all_of - shared for all_of, shared in sizes) + max((s for _, s in sizes), default=0))


def statm(pid: int) -> list[str]:
    """Return the sizes of a process in pages (proc(5)); none if it has ended."""
    try:
        return Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return []


def memory(pid: int) -> int:
    """Return the bytes that a process takes up (PSS: a page that n share counts 1/n for each); 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return 0
