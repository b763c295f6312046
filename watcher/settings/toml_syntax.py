"""TOML text: its values read past each syntax fault, and where each key and value stands."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from dataclasses import dataclass

from tree_sitter import Language, Node, Parser
from tree_sitter_toml import language

MAX_FAULTS = 25
MAX_LOOK_BACK = 300  # lines that an unclosed value may reach back
LOOK_BACK_CHARACTERS = 1_000_000  # parsed again at most while looking back: a third of a second
ERROR_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=\s*(.*)")
BARE_WORD = re.compile(r"[A-Za-z0-9_][^\"'\[\]{}#=]*")
REPEATED_KEY_WORDS = ("overwrite", "declare", "twice", "mutate")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxFault:
    """A place where the text is no TOML."""

    line: int
    column: int
    key: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseResult:
    """What could be read of a text. `sound` is the text with the faulty lines blanked: positions in it still hold."""

    data: dict[str, object]
    sound: str
    faults: tuple[SyntaxFault, ...]


def parse_with_recovery(text: str) -> ParseResult:
    """
    Return the values of a TOML text, read on beyond each syntax fault.

    A faulty line is noted and blanked, then the text is parsed again. A table with a faulty header is left out whole,
    so that its keys are not taken for another table's.
    """
    lines = text.split("\n")
    faults: list[SyntaxFault] = []
    while len(faults) < MAX_FAULTS:
        try:
            return ParseResult(data=tomllib.loads("\n".join(lines)), sound="\n".join(lines), faults=tuple(faults))
        except RecursionError:
            faults.append(SyntaxFault(line=1, column=1, key="syntax", message="values are nested too deeply"))
            break
        except tomllib.TOMLDecodeError as error:
            first, last, fault = locate_fault(lines, error)
            faults.append(fault)
            lines[first - 1 : last] = [""] * (last - first + 1)
    return ParseResult(data={}, sound="", faults=tuple(faults))


def locate_fault(lines: list[str], error: tomllib.TOMLDecodeError) -> tuple[int, int, SyntaxFault]:
    """Return the lines to leave out, first and last from 1, and the fault."""
    words = str(error)
    where = ERROR_POSITION.search(words)
    line, column = (int(where[1]), int(where[2])) if where and where[1] else (len(lines), 1)
    line = min(line, len(lines))
    first = statement_start(lines, line)
    if first is None:
        message = "a value is opened somewhere before and not closed; nothing after it can be read"
        return 1, len(lines), SyntaxFault(line=line, column=column, key="syntax", message=message)
    statement = lines[first - 1]
    key = statement_name(statement)
    indent = len(statement) - len(statement.lstrip()) + 1
    reason = ERROR_POSITION.sub("", words)
    if first < line:
        message = f"a value or header is opened here and not closed ({reason.lower()} in line {line})"
        return first, max(first, line - 1), SyntaxFault(line=first, column=indent, key=key, message=message)
    if any(word in reason for word in REPEATED_KEY_WORDS):
        column, reason = indent, "is given a second time; expected each key and table once"
    else:
        reason = describe_syntax_error(statement, reason)
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
    for n in range(first, len(lines)):
        if lines[n].startswith("["):
            return n
    return len(lines)


def statement_name(statement: str) -> str:
    """Return the key or header of a statement, for the message."""
    match = ASSIGNMENT.match(statement)
    if match:
        return match[1]
    text = statement.strip()
    return text if text.startswith("[") and len(text) < 60 else "syntax"


def describe_syntax_error(statement: str, reason: str) -> str:
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


Loc = tuple[str | int, ...]  # names of tables and keys, and numbers in lists from 0
Position = tuple[int, int]  # line and column, both from 1; columns count characters
KEYS = ("bare_key", "quoted_key", "dotted_key")
HEADERS = ("table", "table_array_element")


class Positions:
    """The places of the keys and values of one TOML text."""

    def __init__(self, text: str) -> None:
        self._lines = text.encode().split(b"\n")
        self._keys: dict[Loc, Position] = {}
        self._values: dict[Loc, Position] = {}
        self._spans: dict[Loc, tuple[int, int]] = {}
        self._counts: Counter[Loc] = Counter()  # tables of each [[list]] so far
        tree = Parser(Language(language())).parse(text.encode())
        for node in tree.root_node.named_children:
            if node.type in HEADERS:
                self._read_table(node)
            elif node.type == "pair":
                self._read_pair(node, ())

    def key(self, loc: Loc) -> Position:
        """Return where the key of `loc` stands, else that of the nearest table around it, else the file's start."""
        return self._nearest(self._keys, loc)

    def value(self, loc: Loc) -> Position:
        """Return where the value of `loc` stands; as `key` where it has none of its own."""
        return self._values.get(loc) or self._nearest(self._keys, loc)

    def span(self, loc: Loc) -> tuple[int, int] | None:
        """Return the lines of the table that a header opens at `loc`: from the header to its last pair, from 1."""
        return self._spans.get(loc)

    def _nearest(self, places: dict[Loc, Position], loc: Loc) -> Position:
        for length in range(len(loc), 0, -1):
            if found := places.get(loc[:length]) or self._values.get(loc[:length]):
                return found
        return (1, 1)

    def _read_table(self, node: Node) -> None:
        header = next((child for child in node.named_children if child.type in KEYS), None)
        if header is None:
            return
        at, loc = self._place(header), self._resolve(key_names(header))
        if node.type == "table_array_element":
            self._keys.setdefault(loc, at)
            loc = (*loc, self._counts[loc])
            self._counts[loc[:-1]] += 1
        self._keys.setdefault(loc, at)
        ends = [child.end_point[0] for child in node.named_children if child.type in (*KEYS, "pair")]
        self._spans.setdefault(loc, (node.start_point[0] + 1, max(ends) + 1))
        for child in node.named_children:
            if child.type == "pair":
                self._read_pair(child, loc)

    def _resolve(self, names: list[str]) -> Loc:
        """Return the location a header means: names of lists stand for their last table so far."""
        loc: Loc = ()
        for n, name in enumerate(names):
            loc = (*loc, name)
            if n + 1 < len(names) and self._counts[loc]:
                loc = (*loc, self._counts[loc] - 1)
        return loc

    def _read_pair(self, node: Node, prefix: Loc) -> None:
        children = [child for child in node.named_children if child.type not in ("comment", "ERROR")]
        if len(children) < 2 or children[0].type not in KEYS:
            return
        loc = prefix
        for name in key_names(children[0]):
            loc = (*loc, name)
            self._keys.setdefault(loc, self._place(children[0]))
        self._read_value(children[1], loc)

    def _read_value(self, node: Node, loc: Loc) -> None:
        self._values.setdefault(loc, self._place(node))
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._read_pair(child, loc)
        elif node.type == "array":
            values = [child for child in node.named_children if child.type not in ("comment", "ERROR")]
            for n, child in enumerate(values):
                self._read_value(child, (*loc, n))

    def _place(self, node: Node) -> Position:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1


def key_names(node: Node) -> list[str]:
    """Return the names of a key, a dotted one's in their order, quotes and escapes undone."""
    text = (node.text or b"").decode(errors="replace")
    if node.type == "bare_key":
        return [text]
    if node.type == "quoted_key":
        return [text[1:-1] if text.startswith("'") else unescape(text)]
    return [name for child in node.named_children for name in key_names(child)]


def unescape(quoted: str) -> str:
    """Return what a quoted TOML key says; its escapes are also Python's."""
    try:
        return str(ast.literal_eval(quoted))
    except (ValueError, SyntaxError):
        return quoted[1:-1]
