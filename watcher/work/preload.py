"""
Imported once, by the process that workers are forked from: they inherit what it holds. Nothing else imports it.

Light on purpose: a worker that cleans pages loads the rest itself, one that parses feeds never needs it.
"""

import sys
from types import TracebackType

import nh3

import watcher.feeds.parse
import watcher.work.tasks

__all__ = ["nh3", "watcher"]


def unless_the_owner_has_gone(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print why a worker could not start; not if its owner ended meanwhile, with its semaphores and pipes."""
    if not isinstance(error, FileNotFoundError | EOFError | ConnectionError):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = unless_the_owner_has_gone  # a task's own error goes to the owner, and never comes by here
