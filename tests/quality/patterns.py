"""Finds the compiled patterns of the packages, and the texts of one repeated piece that cost each the most."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import random
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache, partial
from itertools import islice
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

Pattern = re.Pattern[Any]
Pump = tuple[str, str]  # what stands before, and the piece that is repeated

PACKAGES = ("watcher", "digests")
IMPORTED_ONLY_BY_TOOLS = ("migrations", "__main__")
MANY = 4  # a part that may be repeated more often is pumped
MAX_PUMPS = 60  # of one pattern
BRANCHES = 4  # of an alternation: those without a repeated part cost alike
PAIRS = 12  # pieces of random letters of a pattern's own alphabet
PROBES = " \n\t.,-–—_'\"“”«»()[]{}<>/\\|:;=!?…*#@&%+$^~`·•©aAbzZéÉßяЯع0159年日あ가ก\u0301\ue000"
END = "\x01"  # in few classes but negated ones: what fails there fails at the end of a run
STEP = 4
SIZES = (22, *(65_536 // STEP**n for n in (3, 2, 1, 0)))  # the first shows what takes exponential time


def package_modules() -> Iterator[ModuleType]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not any(part in found.name for part in IMPORTED_ONLY_BY_TOOLS):
                yield importlib.import_module(found.name)


@cache
def compiled_patterns() -> dict[str, Pattern]:
    """Return each distinct pattern of the packages by a name that says where it was found first."""
    found: dict[Pattern, str] = {}
    for module in package_modules():
        seen: set[int] = set()
        for where, pattern in _patterns_in(vars(module), module.__name__, module.__name__, seen):
            found.setdefault(pattern, where)
        for where, pattern in _inline_patterns(module):
            if all(pattern.pattern != each.pattern for each in found):
                found[pattern] = where
    return {where: pattern for pattern, where in found.items()}


def _patterns_in(value: object, where: str, module: str, seen: set[int]) -> Iterator[tuple[str, Pattern]]:
    """Yield the patterns in a value, and in what it holds: items, attributes, closures, methods bound to a pattern."""
    if isinstance(value, re.Pattern):
        yield where, value
        return
    if isinstance(value, str | bytes | int | float | ModuleType | type(None)) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        inside = [(f"{where}.{key}" if isinstance(key, str) else where, one) for key, one in value.items()]
    elif isinstance(value, list | tuple | set | frozenset | deque):
        inside = [(f"{where}[{at}]", one) for at, one in enumerate(value)]
    elif isinstance(value, type):
        inside = [(where, dict(vars(value)))] if value.__module__ == module else []
    elif isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        inside = [(where, (*cells, *(value.__defaults__ or ()), value.__kwdefaults__ or {}))]
    elif isinstance(value, partial):
        inside = [(where, (value.func, value.args, value.keywords))]
    elif isinstance(value, MethodType) or isinstance(getattr(value, "__self__", None), re.Pattern):
        inside = [(where, value.__self__)]
    elif hasattr(value, "__wrapped__"):  # `lru_cache`
        inside = [(where, value.__wrapped__)]
    elif type(value).__module__.partition(".")[0] in PACKAGES:
        slots = [name for base in type(value).__mro__ for name in getattr(base, "__slots__", ())]
        inside = [(where, {**getattr(value, "__dict__", {}), **{n: getattr(value, n, None) for n in slots}})]
    else:
        return
    for name, one in inside:
        yield from _patterns_in(one, name, module, seen)


def _inline_patterns(module: ModuleType) -> Iterator[tuple[str, Pattern]]:
    """Yield the patterns that are written in calls such as `re.sub(r"…", …)`."""
    for node in ast.walk(ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        owner, first = node.func.value, node.args[0]
        if isinstance(owner, ast.Name) and owner.id == "re" and isinstance(first, ast.Constant):
            flags = re.IGNORECASE if any("re.I" in ast.unparse(one) for one in (*node.args, *node.keywords)) else 0
            yield f"{module.__name__}:{node.lineno}", re.compile(first.value, flags)


def slowest_pump(pattern: Pattern, *, limit_s: float) -> tuple[float, int, Pump] | None:
    """Return time, size and pump of the first text that takes the pattern longer than `limit_s`; None if none does."""
    for pump in pumps(pattern):
        before = 0.0
        for size in SIZES:
            took = time_search(pattern, pump, size)
            if took > limit_s:
                # The machine may be busy.
                took = min(took, *(time_search(pattern, pump, size) for _ in range(2)))
            if took > limit_s:
                return took, size, pump
            if _extrapolate(before, took, SIZES[-1] / size) < limit_s:
                break
            before = took
    return None


def _extrapolate(before: float, took: float, factor: float) -> float:
    """Return the time for a text `factor` times as long, if it took `before` for a quarter; quadratic if that is 0."""
    quadratic = (took - STEP * before) / (STEP**2 - STEP) * STEP**2 if before else took
    return max(took - quadratic, 0.0) * factor + max(quadratic, 0.0) * factor**2


def time_search(pattern: Pattern, pump: Pump, size: int) -> float:
    """Return the CPU seconds that a pattern takes to search a text of about `size` characters."""
    before, piece = pump
    said = before + piece * (size // len(piece)) + END
    text = said if isinstance(pattern.pattern, str) else said.encode("utf-8", "surrogatepass")
    started = time.thread_time()
    deque(pattern.finditer(text), maxlen=0)
    pattern.match(text)
    pattern.fullmatch(text)
    return time.thread_time() - started


def pumps(pattern: Pattern) -> list[Pump]:
    """Return the texts to repeat: what each repeated part of the pattern matches, alone and behind what precedes it."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = re._parser.parse(source, pattern.flags & ~re.UNICODE if pattern.flags & re.ASCII else pattern.flags)
    found = dict.fromkeys(pump for pump in _walk(tree, "") if pump[1])
    letters = sorted({char for before, piece in found for char in before + piece})
    chance = random.Random(repr(source))
    mixed = [("", "".join(chance.choices(letters, k=chance.randint(2, 4)))) for _ in range(PAIRS)] if letters else []
    return [*_spread(list(found), MAX_PUMPS), *mixed]


def _spread(found: list[Pump], most: int) -> list[Pump]:
    step = max(1, -(-len(found) // most))
    return [*islice(found, 0, None, step)] if step > 1 else found


def _walk(nodes: Iterable[Any], before: str) -> Iterator[Pump]:
    """Yield the pumps of a sequence of parsed nodes; `before` is a text that matches what stands before it."""
    for node in nodes:
        name, value = str(node[0]), node[1]
        text = _example(node)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            body = value[2]
            if value[1] > MANY:
                for char in _letters(body):
                    yield "", char
                    yield before, char
                    yield "", before + char
                yield before, "".join(map(_example, body))
            yield from _walk(body, before)
        elif name == "SUBPATTERN":
            yield from _walk(value[3], before)
        elif name == "ATOMIC_GROUP":
            yield from _walk(value, before)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from _walk(value[1], before)
        elif name == "BRANCH":
            for at, branch in enumerate(value[1]):
                found = list(_walk(branch, before))
                if at < BRANCHES or len(found) > 2:
                    yield "", "".join(map(_example, branch))
                    yield from found
        before += text
    yield "", before
    yield "", before[:-1]


def _letters(body: Iterable[Any]) -> list[str]:
    """Return some characters that the repeated part can begin with: of a class, what it shares with other classes."""
    found: list[str] = []
    for node in islice(body, 1):
        name, value = str(node[0]), node[1]
        if name == "SUBPATTERN":
            found += _letters(value[3])
        elif name == "BRANCH":
            found += [char for branch in value[1] for char in _letters(branch)][:6]
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            found += _letters(value[2])
        elif name == "IN":
            members = [char for char in PROBES if _is_in(value, char)]
            found += [*members[:: max(1, len(members) // 6)]][:8] or [_example(node)]
        elif name in ("ANY", "NOT_LITERAL"):
            found += [char for char in (" ", "a", "-") if name == "ANY" or ord(char) != value]
        else:
            found.append(_example(node))
    return [char for char in dict.fromkeys(found) if char]


def _example(node: Any) -> str:
    """Return a short text that a parsed node matches; a part that may be missing is there once."""
    name, value = str(node[0]), node[1]
    if name == "LITERAL":
        return chr(value)
    if name == "NOT_LITERAL":
        return next(char for char in "a b" if ord(char) != value)
    if name == "ANY":
        return "a"
    if name == "IN":
        return next((char for char in "a 1A-." + PROBES if _is_in(value, char)), _first_of(value))
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return "".join(map(_example, value[2])) * max(value[0], 1)
    if name == "SUBPATTERN":
        return "".join(map(_example, value[3]))
    if name == "ATOMIC_GROUP":
        return "".join(map(_example, value))
    if name == "BRANCH":
        return "".join(map(_example, value[1][0]))
    return ""


def _first_of(items: Iterable[Any]) -> str:
    for name, value in items:
        if str(name) == "LITERAL":
            return chr(value)
        if str(name) == "RANGE":
            return chr(value[0])
    return ""


def _is_in(items: Iterable[Any], char: str) -> bool:
    """Whether a parsed class of characters has `char`."""
    negated = found = False
    for name, value in items:
        match str(name):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found = found or ord(char) == value
            case "RANGE":
                found = found or value[0] <= ord(char) <= value[1]
            case "CATEGORY":
                found = found or _is_of_category(str(value), char)
    return found != negated


def _is_of_category(category: str, char: str) -> bool:
    kind = category.removeprefix("CATEGORY_")
    is_other = kind.startswith("NOT_")
    kind = kind.removeprefix("NOT_")
    held = {"DIGIT": char.isdigit(), "SPACE": char.isspace(), "WORD": char.isalnum() or char == "_"}[kind]
    return held != is_other
