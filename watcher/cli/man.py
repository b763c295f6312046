"""The manual page, made from the commands: `python -m watcher.cli.man` prints it, `docs/watcher.1` is kept."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from watcher.cli.app import Command, all_commands
from watcher.cli.frame import INTRO, build, resolve

EVERYWHERE = ("config", "debug")  # options of every command, named once
HEAD = """.\\" Made from the commands by `python -m watcher.cli.man`; edit the commands, not this page.
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
TAIL = """.SH EXIT STATUS
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


def page() -> str:
    """Return the page, in the language of man(7)."""
    words = INTRO.partition("\b")[0].strip()
    head = HEAD.format(version=version("watcher-digests"))
    return "\n".join([head + roff(words), ".SH COMMANDS", *commands()]) + "\n" + TAIL


def commands() -> Iterator[str]:
    """Yield the text of each command, groups with their own."""
    for row in all_commands().values():
        for name, command in [(f"{row.name} {inner.name}", inner) for inner in row.rows] or [(row.name, row)]:
            yield from one(name, command)


def one(name: str, command: Command) -> Iterator[str]:
    """Yield the text of one command: what it does, its arguments and options, its examples."""
    function = resolve(command)
    made = build(command)
    yield f".SS {roff(name)}"
    for paragraph in (inspect.getdoc(function) or command.help).split("\n\n"):
        yield from (".PP", roff(" ".join(paragraph.split())))
    for parameter in made.params:
        if parameter.name not in EVERYWHERE:
            yield from option(parameter)
    lines = getattr(function, "examples", ())
    if lines:
        yield from (".PP", "Examples:", ".PP", ".nf", ".RS 4", *map(roff, lines), ".RE", ".fi")


def option(parameter: Any) -> Iterator[str]:  # noqa: ANN401 (Typer's parameters have no public name here)
    """Yield the text of an argument or option."""
    if parameter.param_type_name == "argument":
        names = f"\\fI{roff(parameter.metavar or parameter.name.upper())}\\fR"
    else:
        names = ", ".join(f"\\fB{roff(name)}\\fR" for name in (*parameter.opts, *parameter.secondary_opts))
        if not parameter.is_flag:
            names += f" \\fI{roff(parameter.metavar or parameter.name.upper())}\\fR"
    yield from (".TP", names, roff(" ".join((getattr(parameter, "help", None) or "").split())))


def roff(text: str) -> str:
    """Return text as troff reads it back, one line."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe


if __name__ == "__main__":
    sys.stdout.write(page())
