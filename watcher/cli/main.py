"""Builds the command line from the table of commands, runs it, and turns errors into messages and exit codes."""

import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from watcher.cli.commands import DONE, FAILED, SESSION, USAGE, Command, load_commands
from watcher.cli.output import print_err
from watcher.errors import PluginError, SettingsError, WatcherError
from watcher.text.format import format_count

INTERRUPTED = 130  # 128 + SIGINT, the convention of shells
PIPE_CLOSED = 141  # 128 + SIGPIPE
CLICK_CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
INTRO = """
Watch news feeds and write a daily digest of what they report.

\b
Examples:
  watcher init                 write a starter settings.toml
  watcher check                check it and list every problem
  watcher poll                 poll the feeds once
  watcher digest --stdout      print the digest of the last 24 hours
  watcher run                  keep running: poll, and write digests on schedule
"""


def main() -> None:
    """Run the command line and exit with its code."""
    SESSION.owns_signals = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # else a shell has it ignored
    try:
        code = run_command_line(sys.argv[1:])
    except KeyboardInterrupt:  # while its last output waits for a reader
        code = INTERRUPTED
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command has ended: its code stays
    # Normal shutdown takes 25 ms, waits for threads that wait for a name server, and prints a traceback if it is
    # interrupted. No `atexit` functions run here.
    if SESSION.exit_immediately or code == INTERRUPTED:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; an error is printed on standard error."""
    SESSION.debug = "--debug" in arguments  # set before anything can fail
    SESSION.config, SESSION.exit_immediately = None, False
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # no character that an encoding lacks ends a command
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        try:  # else Python reports at exit that it cannot flush the closed pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (OSError, ValueError):
            sys.stdout.close()
        return PIPE_CLOSED
    return code


def _dispatch(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name; return its exit code, or that of its error, which is printed."""
    try:
        result = _build_app().main(list(arguments), prog_name="watcher", standalone_mode=False)
        return result if isinstance(result, int) else DONE
    except WatcherError as error:
        print_error(error)
        return USAGE if isinstance(error, SettingsError) else FAILED
    except typer.TyperException as error:
        if show := getattr(error, "show", None):
            show()
        else:
            print_err(error.format_message(), label="error")
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit as error:  # raised by Typer for shell completion and a closed pipe
        if isinstance(error.__context__, BrokenPipeError):
            return PIPE_CLOSED
        return error.code if isinstance(error.code, int) else DONE
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (the last place that can report it)
        if isinstance(error.__cause__, KeyboardInterrupt):  # as Python 3.11 raises it from a class that is being made
            return INTERRUPTED
        _print_traceback(error)
        print_err(f"unexpected: {type(error).__name__}: {error}", label="error")
        if not SESSION.debug:
            print_err("run the command with --debug to see where", label="try")
        return FAILED


def print_error(error: WatcherError) -> None:
    """Print the error and its hint; the traceback only with `--debug`."""
    _print_traceback(error)
    if isinstance(error, SettingsError) and error.problems:
        for problem in error.problems:
            print_err(str(problem))
        print_err(f"{format_count(len(error.problems), 'problem')} in the settings", label="error")
    else:
        print_err(str(error), label="error")
    if error.hint:
        print_err(error.hint, label="try")


def _print_traceback(error: Exception) -> None:
    if SESSION.debug:
        print_err("".join(traceback.format_exception(error)).rstrip())


class LazyGroup(TyperGroup):
    """A command group that lists its commands from table rows, and imports a command only when it is called."""

    rows: Mapping[str, Command]
    default: str = ""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 (Typer's context has no public name here)
        """Insert the default command if the first argument is not a command."""
        if self.default and args and args[0] not in self.rows and args[0] not in CLICK_CONTEXT["help_option_names"]:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        row = self.rows.get(cmd_name)
        return build_command(row) if row else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.help) for row in self.rows.values()])


def _build_app() -> LazyGroup:
    return _build_group("watcher", INTRO, load_commands(), callback=_note_options)


def _note_options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version, and its folder.")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file, for any command.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", expose_value=False)] = False,
) -> None:
    """Note the options that stand before the command; `run_command_line` has noted --debug."""
    if show_version:
        typer.echo(f"watcher {version('watcher-digests')} from {Path(__file__).resolve().parents[2]}")
        raise typer.Exit
    SESSION.config = config


def build_command(row: Command) -> TyperCommand | LazyGroup:
    """Build the command of a row, which imports its module, or the group of commands."""
    if row.rows:
        group = _build_group(row.name, row.help, {inner.name: inner for inner in row.rows})
        group.default = row.default
        return group
    function = import_target(row)
    words = inspect.getdoc(function) or row.help
    if row.examples:
        words = "\n".join((words, "", "\b", "Examples:", *(f"  {line}" for line in row.examples)))
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(row.name, help=words, context_settings=CLICK_CONTEXT)(function)
    command = typer.main.get_command(app)
    assert isinstance(command, TyperCommand)
    command.params += [option for option in _build_app().params if option.name == "debug"]
    return command


def _build_group(
    name: str, words: str, rows: Mapping[str, Command], *, callback: Callable[..., None] | None = None
) -> LazyGroup:
    """Return a group of commands, whose modules are loaded only when a command of theirs is called."""
    app = typer.Typer(
        name=name,
        cls=LazyGroup,
        help=words,
        add_completion=callback is not None,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings=CLICK_CONTEXT,
        invoke_without_command=callback is not None,
    )
    app.callback()(callback or (lambda: None))
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    group.rows = rows
    names: dict[str, Any] = dict.fromkeys(rows)  # "did you mean" needs only the names
    group.commands = names
    return group


def import_target(row: Command) -> Callable[..., Any]:
    """Import the function of a row. Errors: PluginError if its module or a dependency cannot be imported."""
    try:
        target: Callable[..., Any] = resolve_name(row.target)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"the command {row.name} cannot be loaded: {error}") from error
    if SESSION.owns_signals:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # until now, `watcher.__main__` handled it
    return target


if __name__ == "__main__":
    main()
