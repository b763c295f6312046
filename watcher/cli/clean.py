"""`watcher clean`: the article in a page, or in many pages given as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from watcher.cli.app import DONE, PARTLY, USAGE, examples

if TYPE_CHECKING:
    from watcher.model import Cleaned

MAX_FILE = 64 * 1024 * 1024  # bytes of one page

WIDTH = 100  # characters of a removed text that --explain shows


@examples(
    "watcher clean page.html --url https://example.org/news/1",
    "curl -s https://example.org/news/1 | watcher clean - --url https://example.org/news/1 --explain",
    "watcher clean --jsonl < pages.jsonl > articles.jsonl",
)
def command(
    file: Annotated[Path | None, typer.Argument(help="The page, - for standard input.", show_default=False)] = None,
    url: Annotated[str, typer.Option(help="Where the page came from.")] = "",
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Read {id, url, html} lines, write a line for each.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show what was removed, by which rule.")] = False,
) -> int:
    """Print the article in a page; with --jsonl, of many pages, which learn from each other what repeats on a site."""
    if jsonl:
        with _opened(file) as lines:
            return clean_lines(lines, sys.stdout)
    if file is None:
        typer.echo("watcher clean needs a page: a file, - for standard input, or --jsonl", err=True)
        return USAGE
    from watcher.clean.article import clean
    from watcher.clean.decode import decode
    from watcher.cli.sources import existing_file

    body = existing_file(file, MAX_FILE)
    cleaned = clean(decode(body, None), url=url or "https://page.invalid/")
    typer.echo(_explained(cleaned) if explain else f"{cleaned.title}\n\n{cleaned.text}")
    return DONE


def clean_lines(lines: Iterable[str], out: TextIO, err: TextIO | None = None) -> int:
    """
    Write one JSON line for each page of `lines` and return the exit code: 3 if a line could not be read, else 0.

    Pages of one site learn from each other: all are read before the first is written.
    """
    from watcher.cli.batch import Fault, run

    told = err or sys.stderr
    faults = 0
    for result in run(lines):
        if isinstance(result, Fault):
            told.write(f"line {result.line}: not a page: {result.reason}\n")
            faults += 1
        else:
            out.write(as_line(result) + "\n")
    return PARTLY if faults else DONE


def as_line(result: object) -> str:
    """Return a result as JSON on one line, in ASCII where it holds what UTF-8 cannot: a lone surrogate."""
    line = json.dumps(result, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(result)
    return line


class _opened:
    """The lines of a file, or of standard input where there is none."""

    def __init__(self, file: Path | None) -> None:
        self.file = None if file is None or str(file) == "-" else file.open(encoding="utf-8", errors="replace")

    def __enter__(self) -> Iterator[str]:
        return iter(self.file or sys.stdin)

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()


def _explained(cleaned: Cleaned) -> str:
    """Return what was read and what was removed, a line each."""
    said = {
        "title": cleaned.title,
        "url": cleaned.url,
        "published": cleaned.published_at.isoformat() if cleaned.published_at else None,
        "authors": ", ".join(cleaned.authors),
        "agency": cleaned.agency,
        "dateline": cleaned.dateline,
        "language": cleaned.language,
        "section": cleaned.section,
        "kind": cleaned.kind,
    }
    lines = [f"{name:>10}  {value}" for name, value in said.items() if value]
    lines += ["", cleaned.text, ""]
    lines += [f"removed, {cut.rule}: {cut.text[:WIDTH]}" for cut in cleaned.removed] or ["nothing was removed"]
    return "\n".join(lines)
