"""Processes for shards: each groups what it is told, and one that dies is started once more."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from digests.errors import DigestError
from watcher.work.processes import ends_blocked, prepare_worker

if TYPE_CHECKING:  # numeric libraries are brought in when a process is prepared for them
    from digests.cluster.item import Item
    from digests.cluster.parts import Part
    from digests.cluster.rules import Rules
    from digests.cluster.stories import Grouping

SLICE = 1_000  # articles on their way to a process, so that none is held twice for long
ATTEMPTS = 2  # of a task whose process died
WORKERS = min(4, os.cpu_count() or 1)
Serve = Callable[[Any, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is grouped in a process of its own; `name` is for people."""

    name: str
    items: Sequence[Item]
    rules: Rules
    known: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)


def in_processes(tasks: Sequence[Task], *, workers: int = WORKERS, target: Serve | None = None) -> list[Grouping]:
    """
    Return the stories of each task, in their order: each is grouped in a process of its own, `workers` at a time.

    A process that dies is started once more; what the others have found stays.

    Errors: DigestError, if it dies again, or fails.
    """
    resource_tracker.ensure_running()  # before signals are blocked: it ends with these unblocked
    waiting = deque((number, task, 1) for number, task in enumerate(tasks))
    found: dict[int, Grouping] = {}
    running: dict[Any, tuple[Running, int]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                number, task, attempt = waiting.popleft()
                started = Running(number, task, target or serve)
                running[started.connection] = (started, attempt)
            for connection in wait(list(running)):
                ended, attempt = running[connection]
                if (outcome := ended.outcome()) is not None:
                    found[ended.number] = outcome
                elif attempt < ATTEMPTS:
                    waiting.appendleft((ended.number, ended.task, attempt + 1))
                else:
                    raise died(ended)
                running.pop(connection)[0].end()
    finally:
        for each, _ in running.values():
            each.end()
    return [found[number] for number in range(len(tasks))]


class Running:
    """A task in its process, which has been told all of it."""

    def __init__(self, number: int, task: Task, target: Serve) -> None:
        context = get_context("spawn")
        self.number, self.task = number, task
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=target, args=(theirs, os.getpid()))
        with ends_blocked():  # a signal to all is for the owner, who ends its processes itself
            self.process.start()
        theirs.close()
        try:
            self.connection.send((task.rules, task.known, task.parts))
            for start in range(0, len(task.items), SLICE):
                self.connection.send(task.items[start : start + SLICE])
            self.connection.send([])
        except OSError:  # it died meanwhile: `outcome` says so
            pass

    def outcome(self) -> Grouping | None:
        """Return what the process has found; None if it died. Errors: DigestError, if it failed."""
        try:
            has_succeeded, found = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return None
        if has_succeeded:
            return found  # type: ignore[no-any-return]
        raise DigestError(f"the articles in {self.task.name} could not be grouped: {found}")

    def end(self) -> None:
        """End the process, whatever it is at."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def serve(connection: Any, owner: int) -> None:  # noqa: ANN401 - its class differs from one Python to the next
    """Group what comes over `connection`, in a process of its own; send the stories back, or an error's words."""
    prepare_worker(owner, None)
    from digests.cluster.stories import grouping

    rules, known, parts = connection.recv()
    items: list[Item] = []
    while some := connection.recv():
        items += some
    try:
        connection.send((True, grouping(items, rules=rules, known=known, parts=parts)))
    except Exception as error:  # noqa: BLE001 - it goes to the owner, who raises it
        connection.send((False, f"{type(error).__name__}: {error}"))


def died(ended: Running) -> DigestError:
    """Return what to say of a task whose process died each time."""
    code = ended.process.exitcode or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    error = DigestError(
        f"the articles in {ended.task.name} could not be grouped: their process {how}, {ATTEMPTS} times; "
        f"with signal 9 it is mostly for want of memory ({len(ended.task.items)} articles)"
    )
    error.mend = "free -m  # the memory that is left; docs/scale.md says what grouping takes"
    return error
