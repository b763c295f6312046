"""TOML text to plain values, with as many syntax faults as can be had."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

MAX_FAULTS = 25
MAX_LOOK_BACK = 300  # lines that an unclosed value may reach back
LOOK_BACK_CHARACTERS = 1_000_000  # parsed again at most while looking back: a third of a second
WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=\s*(.*)")
BARE_WORD = re.compile(r"[A-Za-z0-9_][^\"'\[\]{}#=]*")
REPEATS = ("overwrite", "declare", "twice", "mutate")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxFault:
    """A place where the text is no TOML."""

    line: int
    column: int
    key: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What could be read of a text. `sound` is the text with the faulty lines blanked: positions in it still hold."""

    data: dict[str, object]
    sound: str
    faults: tuple[SyntaxFault, ...]


def read(text: str) -> Read:
    """
    Return the values of a TOML text, read on beyond each syntax fault.

    A faulty line is noted and blanked, then the text is parsed again. A table with a faulty header is left out whole,
    so that its keys are not taken for another table's.
    """
    lines = text.split("\n")
    faults: list[SyntaxFault] = []
    while len(faults) < MAX_FAULTS:
        try:
            return Read(data=tomllib.loads("\n".join(lines)), sound="\n".join(lines), faults=tuple(faults))
        except RecursionError:
            faults.append(SyntaxFault(line=1, column=1, key="syntax", message="values are nested too deeply"))
            break
        except tomllib.TOMLDecodeError as error:
            first, last, fault = locate(lines, error)
            faults.append(fault)
            lines[first - 1 : last] = [""] * (last - first + 1)
    return Read(data={}, sound="", faults=tuple(faults))


def locate(lines: list[str], error: tomllib.TOMLDecodeError) -> tuple[int, int, SyntaxFault]:
    """Return the lines to leave out, first and last from 1, and the fault."""
    words = str(error)
    where = WHERE.search(words)
    line, column = (int(where[1]), int(where[2])) if where and where[1] else (len(lines), 1)
    line = min(line, len(lines))
    first = statement_start(lines, line)
    if first is None:
        message = "a value is opened somewhere before and not closed; nothing after it can be read"
        return 1, len(lines), SyntaxFault(line=line, column=column, key="syntax", message=message)
    statement = lines[first - 1]
    key = name_of(statement)
    indent = len(statement) - len(statement.lstrip()) + 1
    reason = WHERE.sub("", words)
    if first < line:
        message = f"a value or header is opened here and not closed ({reason.lower()} in line {line})"
        return first, max(first, line - 1), SyntaxFault(line=first, column=indent, key=key, message=message)
    if any(word in reason for word in REPEATS):
        column, reason = indent, "is given a second time; expected each key and table once"
    else:
        reason = explain(statement, reason)
    last = header_end(lines, first) if statement.lstrip().startswith("[") else first
    return first, last, SyntaxFault(line=first, column=max(1, column), key=key, message=reason)


def statement_start(lines: list[str], line: int) -> int | None:
    """Return where the statement that fails at `line` begins: all before it parses. None if that is too far."""
    steps = min(MAX_LOOK_BACK, 1 + LOOK_BACK_CHARACTERS // (1 + sum(map(len, lines[:line]))))
    for start in range(line, max(0, line - steps), -1):
        try:
            tomllib.loads("\n".join(lines[: start - 1]))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        return start
    return None


def header_end(lines: list[str], first: int) -> int:
    """Return the last line of the table whose header stands in line `first`."""
    for n in range(first, len(lines)):
        if lines[n].startswith("["):
            return n
    return len(lines)


def name_of(statement: str) -> str:
    """Return the key or header of a statement, for the message."""
    match = ASSIGNMENT.match(statement)
    if match:
        return match[1]
    text = statement.strip()
    return text if text.startswith("[") and len(text) < 60 else "syntax"


def explain(statement: str, reason: str) -> str:
    """Return the parser's reason with what usually mends it."""
    match = ASSIGNMENT.match(statement)
    value = match[2].partition("#")[0].strip() if match else ""
    if value.lower() in ("true", "false", "yes", "no", "on", "off"):
        meant = "true" if value.lower() in ("true", "yes", "on") else "false"
        return f"got {value}, expected true or false; did you mean {meant}?"
    if match and not value:
        return "got no value after the equals sign"
    if BARE_WORD.fullmatch(value):
        return f'got {value[:60]} without quotes; did you mean "{value[:60]}"?'
    if not match and not statement.lstrip().startswith("["):
        return f"{reason[:1].lower()}{reason[1:]}; expected key = value, or a [table]"
    return f"no TOML: {reason[:1].lower()}{reason[1:]}"
