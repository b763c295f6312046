"""The command `watcher`: runs the command line and turns every error into words and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import TextIO

import typer

from watcher.cli.app import DONE, FAILED, USAGE, current_session, start_session
from watcher.cli.frame import root
from watcher.cli.output import say
from watcher.errors import SettingsError, WatcherError

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
PIPE_CLOSED = 141  # 128 + SIGPIPE


def main() -> None:
    """
    Run the command line and leave with its exit code.

    At once, if the command allows: taking 600 modules down costs 25 ms, and Python waits for threads that still wait
    for a name server. What asked to be called at the end is not: a command that allows it has closed what it opened.
    """
    code = run(sys.argv[1:])
    if current_session().leaves_nothing:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; an error is printed on standard error."""
    session = start_session()
    session.debug = "--debug" in arguments  # known before anything can fail
    try:
        code = call(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        return PIPE_CLOSED
    return code


def call(arguments: Sequence[str]) -> int:
    """Call the command that `arguments` name; return its exit code."""
    try:
        result = root().main(list(arguments), prog_name="watcher", standalone_mode=False)
        return result if isinstance(result, int) else DONE
    except WatcherError as error:
        report(error)
        return USAGE if isinstance(error, SettingsError) else FAILED
    except typer.TyperException as error:
        show_usage(error)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit as error:  # Typer's own way out: completion, and a closed pipe
        if isinstance(error.__context__, BrokenPipeError):
            return PIPE_CLOSED
        return error.code if isinstance(error.code, int) else DONE
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (the last place that can say anything)
        unexpected(error)
        return FAILED


def report(error: WatcherError) -> None:
    """Print what happened and what mends it; the traceback only with `--debug`."""
    if current_session().debug:
        say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, SettingsError) and error.problems:
        for problem in error.problems:
            say(str(problem))
        count = len(error.problems)
        say(f"{count} fault{'s' if count != 1 else ''} in the settings", label="error")
    else:
        say(str(error), label="error")
    if error.mend:
        say(error.mend, label="try")


def show_usage(error: typer.TyperException) -> None:
    """Print a usage error as Typer words it: the usage, a hint, the fault."""
    show = getattr(error, "show", None)
    if show:
        show()
    else:
        say(error.format_message(), label="error")


def unexpected(error: Exception) -> None:
    """Print an error that nobody has foreseen."""
    if current_session().debug:
        say("".join(traceback.format_exception(error)).rstrip())
    say(f"unexpected: {type(error).__name__}: {error}", label="error")
    if not current_session().debug:
        say("the same command with --debug shows where", label="try")


def silence(stream: TextIO) -> None:
    """Point a stream whose reader has gone at nothing, so that no complaint follows at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        stream.close()


if __name__ == "__main__":
    main()
