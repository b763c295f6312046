"""Turns the table of commands into a command line that imports a command's module when it is called, not before."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from watcher.cli.app import Command, all_commands, current_session
from watcher.errors import PluginError

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
INTRO = """
Watch news feeds and write a daily digest of what they report.

\b
Examples:
  watcher init                 write a starter settings.toml
  watcher check                check it, all faults at once
  watcher poll                 poll the feeds once
  watcher digest --stdout      print the digest of the last 24 hours
  watcher run                  stay: poll, and write digests on time
"""
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


class LazyGroup(TyperGroup):
    """A group whose commands are rows of a table: listed without being imported, imported when called."""

    rows: Mapping[str, Command]
    default: str = ""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Put the default command before words that name none."""
        if self.default and args and args[0] not in self.rows and args[0] not in CONTEXT["help_option_names"]:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 (Typer's context has no public name here)
        """Return the names in the table's order."""
        del ctx
        return list(self.rows)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Return a command, its module imported; None if there is none of that name."""
        del ctx
        row = self.rows.get(cmd_name)
        return build(row) if row else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the list of commands from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.help) for row in self.rows.values()])


def root() -> LazyGroup:
    """Return the whole command line."""
    return build_group("watcher", INTRO, all_commands(), callback=before_command, completion=True)


def before_command(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file, for any command.")] = None,
    debug: Debug = False,
) -> None:
    """Note the options that stand before the command."""
    if show_version:
        typer.echo(f"watcher {version('watcher-digests')}")
        raise typer.Exit
    session = current_session()
    session.config = config
    session.debug = session.debug or debug


def build(row: Command) -> TyperCommand | LazyGroup:
    """Return the command of a row, ready to be called."""
    if row.rows:
        group = build_group(row.name, row.help, {inner.name: inner for inner in row.rows})
        group.default = row.default
        return group
    function = resolve(row)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(row.name, help=help_text(function, row.help), context_settings=CONTEXT)(with_debug(function))
    command = typer.main.get_command(app)
    assert isinstance(command, TyperCommand)
    return command


def build_group(
    name: str,
    words: str,
    rows: Mapping[str, Command],
    *,
    callback: Callable[..., None] | None = None,
    completion: bool = False,
) -> LazyGroup:
    """Return a group over `rows`."""
    app = typer.Typer(
        name=name,
        cls=LazyGroup,
        help=words,
        add_completion=completion,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings=CONTEXT,
        invoke_without_command=callback is not None,
    )
    app.callback()(callback or (lambda: None))
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    group.rows = rows
    names: dict[str, Any] = dict.fromkeys(rows)  # "did you mean" asks for the names alone
    group.commands = names
    return group


def resolve(row: Command) -> Callable[..., Any]:
    """
    Return the function of a row.

    Errors: PluginError if its module or a library of its own is not there.
    """
    module, _, name = row.target.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"the command {row.name} cannot be loaded: {error}") from error
    if not callable(function):
        raise PluginError(f"the command {row.name}: {row.target} is no function")
    return function  # type: ignore[no-any-return]


def help_text(function: Callable[..., Any], default: str) -> str:
    """Return a command's help: its docstring, then its examples as they are written."""
    words = inspect.getdoc(function) or default
    lines = getattr(function, "examples", ())
    return "\n".join((words, "", "\b", "Examples:", *(f"  {line}" for line in lines))) if lines else words


def with_debug(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with the option `--debug`, which the frame itself reads."""
    signature = inspect.signature(function, eval_str=True)
    extra = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug)
    parameters = [*signature.parameters.values(), extra]

    @functools.wraps(function)
    def run(*args: object, debug: bool = False, **options: object) -> object:
        current_session().debug |= debug
        return function(*args, **options)

    del run.__wrapped__
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
