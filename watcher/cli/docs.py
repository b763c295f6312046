"""The manual page and the page of errors, made from the code: `python -m watcher.cli.docs manual|errors` prints one."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from typing import Any

from watcher.cli.commands import Command, load_commands
from watcher.cli.main import INTRO, build_command, import_target
from watcher.errors import WatcherError

EVERYWHERE = ("config", "debug")  # options of every command, named once
MANUAL_HEAD = """.\\" Made from the commands by `python -m watcher.cli.docs manual`; edit the commands, not this page.
.TH WATCHER 1 "" "watcher {version}" "User commands"
.SH NAME
watcher \\- reads the world's news and writes one digest a day
.SH SYNOPSIS
.B watcher
[\\fB\\-\\-config\\fR \\fIPATH\\fR] [\\fB\\-\\-debug\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]
.SH OPTIONS
.TP
\\fB\\-\\-config\\fR \\fIPATH\\fR
Settings file; before the command, or behind one that reads it.
.TP
\\fB\\-\\-debug\\fR
Show the traceback of an error.
.SH DESCRIPTION
"""
MANUAL_TAIL = """.SH EXIT STATUS
.TP
0
Done.
.TP
1
Failed.
.TP
2
The settings or the call are wrong.
.TP
3
Partly failed.
.SH FILES
.TP
.I settings.toml
Here, else in $XDG_CONFIG_HOME/watcher; $WATCHER_CONFIG and \\-\\-config name another.
.TP
.I $XDG_STATE_HOME/watcher/watcher.db
The store, unless the settings name another.
"""
ERRORS_HEAD = """# Errors

<!-- Made from the errors by `python -m watcher.cli.docs errors`; edit those, not this page. -->

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
MODULES = ("watcher.errors", "watcher.worker.process_pool")


def manual_page() -> str:
    """Return the page, in the language of man(7)."""
    words = INTRO.partition("\b")[0].strip()
    head = MANUAL_HEAD.format(version=version("watcher-digests"))
    return "\n".join([head + escape_roff(words), ".SH COMMANDS", *commands()]) + "\n" + MANUAL_TAIL


def commands() -> Iterator[str]:
    """Yield the text of each command, groups with their own."""
    for row in load_commands().values():
        for name, command in [(f"{row.name} {inner.name}", inner) for inner in row.rows] or [(row.name, row)]:
            yield from command_section(name, command)


def command_section(name: str, command: Command) -> Iterator[str]:
    """Yield the text of one command: what it does, its arguments and options, its examples."""
    function = import_target(command)
    made = build_command(command)
    yield f".SS {escape_roff(name)}"
    for paragraph in (inspect.getdoc(function) or command.help).split("\n\n"):
        yield from (".PP", escape_roff(" ".join(paragraph.split())))
    for parameter in made.params:
        if parameter.name not in EVERYWHERE:
            yield from option_section(parameter)
    lines = getattr(function, "examples", ())
    if lines:
        yield from (".PP", "Examples:", ".PP", ".nf", ".RS 4", *map(escape_roff, lines), ".RE", ".fi")


def option_section(parameter: Any) -> Iterator[str]:  # noqa: ANN401 (Typer's parameters have no public name here)
    if parameter.param_type_name == "argument":
        names = f"\\fI{escape_roff(parameter.metavar or parameter.name.upper())}\\fR"
    else:
        names = ", ".join(f"\\fB{escape_roff(name)}\\fR" for name in (*parameter.opts, *parameter.secondary_opts))
        if not parameter.is_flag:
            names += f" \\fI{escape_roff(parameter.metavar or parameter.name.upper())}\\fR"
    yield from (".TP", names, escape_roff(" ".join((getattr(parameter, "help", None) or "").split())))


def escape_roff(text: str) -> str:
    """Return text as troff reads it back, one line."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe


def errors_page() -> str:
    lines = [ERRORS_HEAD, "| error | of the kind | what it is |", "| --- | --- | --- |"]
    lines += [
        f"| `{kind.__name__}` | {parent_of(kind)} | {' '.join(inspect.cleandoc(kind.__doc__ or '').split())} |"
        for kind in error_classes()
    ]
    return "\n".join(lines) + "\n"


def error_classes() -> Iterator[type[WatcherError]]:
    """Yield every error of Watcher and of the packages that bring commands, each behind what it is a kind of."""
    packages = {point.value.partition(".")[0] for point in entry_points(group="watcher.commands")}
    for name in (*MODULES, *(f"{package}.errors" for package in sorted(packages))):
        importlib.import_module(name)
    yield from walk_subclasses(WatcherError)


def walk_subclasses(kind: type[WatcherError]) -> Iterator[type[WatcherError]]:
    yield kind
    for each in sorted(kind.__subclasses__(), key=lambda k: k.__name__):
        if each.__module__ in MODULES or each.__module__.endswith(".errors"):
            yield from walk_subclasses(each)


def parent_of(kind: type[WatcherError]) -> str:
    return "" if kind is WatcherError else f"`{kind.__mro__[1].__name__}`"


if __name__ == "__main__":
    sys.stdout.write(errors_page() if sys.argv[1:] == ["errors"] else manual_page())
