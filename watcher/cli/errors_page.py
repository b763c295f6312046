"""The page `docs/errors.md`, made from the errors themselves: `python -m watcher.cli.errors_page` prints it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points

from watcher.errors import WatcherError

HEAD = """# Errors

<!-- Made from the errors by `python -m watcher.cli.errors_page`; edit those, not this page. -->

A message says what happened, where, and what to do about it; a traceback is shown with `--debug` alone.
One bad feed, page, entry, digest or delivery stops none of the others.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | failed |
| 2 | a fault in the settings or the command line |
| 3 | partly failed |

What follows are the kinds of errors, for those who use Watcher from Python or read its log.
"""
MODULES = ("watcher.errors", "watcher.work.pool")


def page() -> str:
    """Return the whole page."""
    lines = [HEAD, "| error | of the kind | what it is |", "| --- | --- | --- |"]
    lines += [
        f"| `{kind.__name__}` | {parent_of(kind)} | {' '.join(inspect.cleandoc(kind.__doc__ or '').split())} |"
        for kind in kinds()
    ]
    return "\n".join(lines) + "\n"


def kinds() -> Iterator[type[WatcherError]]:
    """Yield every error of Watcher and of the packages that bring commands, each behind what it is a kind of."""
    packages = {point.value.partition(".")[0] for point in entry_points(group="watcher.commands")}
    for name in (*MODULES, *(f"{package}.errors" for package in sorted(packages))):
        importlib.import_module(name)
    yield from below(WatcherError)


def below(kind: type[WatcherError]) -> Iterator[type[WatcherError]]:
    """Yield a kind and those under it."""
    yield kind
    for each in sorted(kind.__subclasses__(), key=lambda k: k.__name__):
        if each.__module__ in MODULES or each.__module__.endswith(".errors"):
            yield from below(each)


def parent_of(kind: type[WatcherError]) -> str:
    """Return the name of what an error is a kind of."""
    return "" if kind is WatcherError else f"`{kind.__mro__[1].__name__}`"


if __name__ == "__main__":
    sys.stdout.write(page())
