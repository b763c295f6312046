"""Parses TOML with recovery after syntax errors, and finds the line and column of each key and value."""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tree_sitter import Language, Node, Parser
from tree_sitter_toml import language

from watcher.errors import Problem

MAX_SYNTAX_FAULTS = 25
MAX_LOOK_BACK = 300  # lines to search back for the start of an unclosed value
LOOK_BACK_CHARACTERS = 1_000_000  # limit of text parsed again in that search: a third of a second
ERROR_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
ASSIGNMENT = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=\s*(.*)")
BARE_WORD = re.compile(r"[A-Za-z0-9_][^\"'\[\]{}#=]*")
BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
REPEATED_KEY_WORDS = ("overwrite", "declare", "twice", "mutate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseResult:
    """The result of parsing. `sound` is the text with faulty lines blanked, so that line numbers stay the same."""

    data: dict[str, object]
    sound: str
    faults: tuple[Problem, ...]


def parse_with_recovery(text: str, path: str) -> ParseResult:
    """
    Return the values of TOML text and its syntax faults, at most `MAX_SYNTAX_FAULTS`; `path` is for the messages.

    A faulty statement is blanked, then the text is parsed again. A table with a faulty header is left out with all its
    keys, so that they are not assigned to another table. Without a result after the last try, the values are empty.
    """
    lines = text.split("\n")
    faults: list[Problem] = []
    while len(faults) < MAX_SYNTAX_FAULTS:
        try:
            return ParseResult(data=tomllib.loads("\n".join(lines)), sound="\n".join(lines), faults=tuple(faults))
        except RecursionError:
            faults.append(Problem(path=path, line=1, column=1, key="syntax", message="values are nested too deeply"))
            break
        except tomllib.TOMLDecodeError as error:
            first, last, fault = _locate_fault(lines, error, path)
            faults.append(fault)
            lines[first - 1 : last] = [""] * (last - first + 1)
    return ParseResult(data={}, sound="", faults=tuple(faults))


def _locate_fault(lines: list[str], error: tomllib.TOMLDecodeError, path: str) -> tuple[int, int, Problem]:
    """Return the first and last line to blank (from 1), and the fault."""
    where = ERROR_POSITION.search(str(error))
    reason = ERROR_POSITION.sub("", str(error))
    line, column = (int(where[1]), int(where[2])) if where and where[1] else (len(lines), 1)
    line = min(line, len(lines))
    first = _statement_start(lines, line)
    if first is None:
        message = "a value above is not closed; nothing after it can be read"
        return 1, len(lines), Problem(path=path, line=line, column=column, key="syntax", message=message)
    statement = lines[first - 1]
    last, indent = first, len(statement) - len(statement.lstrip()) + 1
    if first < line:
        last, column = max(first, line - 1), indent
        message = f"a value or header starts here and is not closed ({reason.lower()} in line {line})"
    else:
        if statement.lstrip().startswith("["):
            last = next((n for n in range(first, len(lines)) if lines[n].startswith("[")), len(lines))
        if any(word in reason for word in REPEATED_KEY_WORDS):
            column, message = indent, _describe_repetition(lines[: first - 1], statement)
        else:
            message = _describe_syntax_error(statement, reason)
    key = _statement_name(statement)
    return first, last, Problem(path=path, line=first, column=max(1, column), key=key, message=message)


def _statement_start(lines: list[str], line: int) -> int | None:
    """Return the line where the statement that fails at `line` starts, None if it is too far back."""
    steps = min(MAX_LOOK_BACK, 1 + LOOK_BACK_CHARACTERS // (1 + sum(map(len, lines[:line]))))
    for start in range(line, max(0, line - steps), -1):
        try:
            tomllib.loads("\n".join(lines[: start - 1]))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        return start
    return None


def _statement_name(statement: str) -> str:
    if match := ASSIGNMENT.match(statement):
        return match[1]
    text = statement.strip()
    return text if text.startswith("[") and len(text) < 60 else "syntax"


def _describe_repetition(before: list[str], statement: str) -> str:
    """Return in words that a key or table is in the lines `before` it, too, and in which."""
    name = _statement_name(statement)
    inner = name.strip("[]").strip()
    for number in range(len(before), 0, -1):
        earlier = before[number - 1]
        if _statement_name(earlier) == name:
            return f"is set a second time, after line {number}; expected each key and table once"
        match = ASSIGNMENT.match(earlier)
        if match and name.startswith("[") and match[1] == inner.rpartition(".")[2]:
            tables = f"[[{inner}]]"
            # Of all settings, only `mute` can be a list of words, or tables.
            as_table = f" with words = {match[2].strip()}" if match[2].startswith(('["', "['")) else ""
            one_form = f"expected one of the two forms: delete line {number}, and add a table {tables}{as_table}"
            return f"line {number} sets {match[1]} as a value already; {one_form}"
    return "is set a second time; expected each key and table once"


def _describe_syntax_error(statement: str, reason: str) -> str:
    """Return in words why a statement is not TOML, with what was probably meant; `reason` is the parser's."""
    match = ASSIGNMENT.match(statement)
    value = match[2].partition("#")[0].strip() if match else ""
    if meant := BOOLEANS.get(value.lower()):
        return f"got {value}, expected true or false; did you mean {meant}?"
    if match and not value:
        return "got no value after the equals sign"
    if value[:1] in CURLY_QUOTES and value:
        return f'got curly quotes, expected straight ones: "{value[:60].strip(CURLY_QUOTES)}"'
    if value[:1] in ('"', "'") and value.count(value[0]) == 1:
        return f"the text {value[:60]} has no closing quote"
    if BARE_WORD.fullmatch(value):
        return f'got {value[:60]} without quotes; did you mean "{value[:60]}"?'
    if not match and not statement.lstrip().startswith("["):
        return f"{reason[:1].lower()}{reason[1:]}; expected key = value, or a [table]"
    return f"not valid TOML: {reason[:1].lower()}{reason[1:]}"


CURLY_QUOTES = "“”„‟‘’‚«»"

Loc = tuple[str | int, ...]  # path to a key: names of tables and keys, and list indexes from 0
Position = tuple[int, int]  # line and column, both from 1; columns count characters
KEY_NODES = ("bare_key", "quoted_key", "dotted_key")
IGNORED = ("comment", "ERROR")
TABLE_NODES = ("table", "table_array_element")


class Positions:
    """Positions of the keys and values of one TOML text."""

    def __init__(self, text: str) -> None:
        """Find where each key, value and table of a TOML text stands."""
        self._lines = text.encode().split(b"\n")
        self.keys: dict[Loc, Position] = {}
        self.values: dict[Loc, Position] = {}
        self.spans: dict[Loc, tuple[int, int]] = {}  # lines (from 1) of each table, from the header to the last key
        self._counts: Counter[Loc] = Counter()  # number of tables of each [[list]] so far
        root = Parser(Language(language())).parse(text.encode()).root_node
        self._read_pairs(root, ())
        for node in root.named_children:
            if node.type in TABLE_NODES:
                self._read_table(node)

    def key(self, loc: Loc) -> Position:
        """Return the position of the key at `loc`, else of the nearest enclosing table, else the start of the file."""
        for length in range(len(loc), 0, -1):
            if position := self.keys.get(loc[:length]) or self.values.get(loc[:length]):
                return position
        return (1, 1)

    def value(self, loc: Loc) -> Position:
        """Return the position of the value at `loc`; if there is no value, the same as `key`."""
        return self.values.get(loc) or self.key(loc)

    def _read_table(self, node: Node) -> None:
        """Note where a table and its keys stand."""
        header = next((child for child in node.named_children if child.type in KEY_NODES), None)
        if header is None:
            return
        at, loc = self._place(header), self._resolve(_key_names(header))
        for length in range(1, len(loc) + 1):  # a header makes the tables above it too
            self.keys.setdefault(loc[:length], at)
        if node.type == "table_array_element":
            loc = (*loc, self._counts[loc])
            self._counts[loc[:-1]] += 1
        self.keys.setdefault(loc, at)
        ends = [child.end_point[0] for child in node.named_children if child.type in (*KEY_NODES, "pair")]
        self.spans.setdefault(loc, (node.start_point[0] + 1, max(ends) + 1))
        self._read_pairs(node, loc)

    def _resolve(self, names: list[str]) -> Loc:
        """Return the location of a table header; the name of a list means the last table of that list so far."""
        loc: Loc = ()
        for n, name in enumerate(names):
            loc = (*loc, name)
            if n + 1 < len(names) and self._counts[loc]:
                loc = (*loc, self._counts[loc] - 1)
        return loc

    def _read_pairs(self, node: Node, prefix: Loc) -> None:
        """Note where the keys of a table stand, and their values; `prefix` is the path of the table."""
        for pair in node.named_children:
            parts = [child for child in pair.named_children if child.type not in IGNORED]
            if pair.type != "pair" or len(parts) < 2 or parts[0].type not in KEY_NODES:
                continue
            loc = prefix
            for name in _key_names(parts[0]):
                loc = (*loc, name)
                self.keys.setdefault(loc, self._place(parts[0]))
            self._read_value(parts[1], loc)

    def _read_value(self, node: Node, loc: Loc) -> None:
        """Note where a value stands, and what is inside it."""
        self.values.setdefault(loc, self._place(node))
        if node.type == "inline_table":
            self._read_pairs(node, loc)
        elif node.type == "array":
            for n, child in enumerate(child for child in node.named_children if child.type not in IGNORED):
                self._read_value(child, (*loc, n))

    def _place(self, node: Node) -> Position:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1


def _key_names(node: Node) -> list[str]:
    """Return the parts of a key, several for a dotted key, without quotes and escapes."""
    names: list[str] = []
    inner: Any = tomllib.loads(f"{(node.text or b'').decode(errors='replace')} = 0")
    while isinstance(inner, dict):
        [(name, inner)] = inner.items()
        names.append(name)
    return names
