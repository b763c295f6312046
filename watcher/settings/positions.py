"""Where each key and value of a TOML file stands, found with tree-sitter's grammar (docs/decisions/0002)."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

    from watcher.settings.section import Loc

Place = tuple[int, int]  # line and column, both from 1; columns count characters
KEYS = ("bare_key", "quoted_key", "dotted_key")
HEADERS = ("table", "table_array_element")


class Positions:
    """The places of the keys and values of one TOML text."""

    def __init__(self, text: str) -> None:
        from tree_sitter import Language, Parser
        from tree_sitter_toml import language

        self._lines = text.encode().split(b"\n")
        self._keys: dict[Loc, Place] = {}
        self._values: dict[Loc, Place] = {}
        self._spans: dict[Loc, tuple[int, int]] = {}
        self._counts: Counter[Loc] = Counter()  # tables of each [[list]] so far
        tree = Parser(Language(language())).parse(text.encode())
        for node in tree.root_node.named_children:
            if node.type in HEADERS:
                self._read_table(node)
            elif node.type == "pair":
                self._read_pair(node, ())

    def key(self, loc: Loc) -> Place:
        """Return where the key of `loc` stands, else that of the nearest table around it, else the file's start."""
        return self._nearest(self._keys, loc)

    def value(self, loc: Loc) -> Place:
        """Return where the value of `loc` stands; as `key` where it has none of its own."""
        return self._values.get(loc) or self._nearest(self._keys, loc)

    def span(self, loc: Loc) -> tuple[int, int] | None:
        """Return the lines of the table that a header opens at `loc`: from the header to its last pair, from 1."""
        return self._spans.get(loc)

    def _nearest(self, places: dict[Loc, Place], loc: Loc) -> Place:
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

    def _place(self, node: Node) -> Place:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1


def key_names(node: Node) -> list[str]:
    """Return the names of a key, a dotted one's in their order."""
    return list(walk_names(node))


def walk_names(node: Node) -> Iterator[str]:
    """Yield the names under a key node, quotes and escapes undone."""
    text = (node.text or b"").decode(errors="replace")
    if node.type == "bare_key":
        yield text
    elif node.type == "quoted_key":
        yield text[1:-1] if text.startswith("'") else unescape(text)
    else:
        for child in node.named_children:
            yield from walk_names(child)


def unescape(quoted: str) -> str:
    """Return what a quoted TOML key says; its escapes are also Python's."""
    try:
        return str(ast.literal_eval(quoted))
    except (ValueError, SyntaxError):
        return quoted[1:-1]
