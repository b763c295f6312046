"""
Prints the output of commands: lines, JSON, warnings, errors and progress. All output passes through this module.

It removes control characters, and passwords and keys in URLs. `links=True` is for URLs of articles, which are printed
whole: they were published in a feed, so they are no secrets.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from json import dumps
from typing import Any, TypeAlias

import typer

from watcher.failure_messages import Reason
from watcher.text.format import escape_control_characters, strip_control_characters
from watcher.text.urls import hide_secrets

MINUTE = "%Y-%m-%d %H:%M"  # the format of times on the terminal

Row: TypeAlias = tuple[str, str]  # label and text
Advance: TypeAlias = Callable[[str, int, int], None]  # name of a bar, steps done now, least total


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSection:
    """A section of `watcher status`: `name` and `found` are key and value in JSON, `rows` are for a terminal."""

    name: str
    found: Any
    rows: tuple[Row, ...] = ()


def print_result(values: object, lines: Iterable[str], *, json: bool, links: bool = False) -> None:
    if json:
        print_json(values, links=links)
    else:
        print_lines(lines, links=links)


def print_lines(lines: Iterable[str], *, links: bool = False) -> None:
    sys.stdout.write("".join(f"{strip_control_characters(line if links else hide_secrets(line))}\n" for line in lines))


def print_json(value: object, *, links: bool = False) -> None:
    sys.stdout.write(dump_json(to_json(value, links=links), indent=2) + "\n")


def dump_json(value: object, *, indent: int | None = None) -> str:
    """Return `value` as JSON without control characters; in ASCII if standard output cannot encode all of it."""
    text = escape_control_characters(dumps(value, ensure_ascii=False, indent=indent))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return dumps(value, indent=indent)
    return text


def to_json(value: object, *, links: bool = False) -> Any:  # noqa: ANN401 (any JSON)
    """Convert a value for JSON: dataclasses to dicts, times by `_format_time`, URLs without secrets unless `links`."""
    match value:
        case None | bool() | int() | float():
            return value
        case datetime():
            return _format_time(value)
        case date():
            return value.isoformat()
        case dict():
            return {key: to_json(item, links=links) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item, links=links) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, Reason):
            return {field.name: to_json(getattr(value, field.name), links=links) for field in fields(value)}
        case _:
            return str(value) if links else hide_secrets(str(value))


def select_fields(record: object, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def _format_time(at: datetime) -> str:
    """Format a time in RFC 3339, in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_minute(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):{MINUTE}} UTC" if at else "never"


def format_rows(rows: Iterable[Row], *, width: int) -> Iterator[str]:
    return (f"{label:{width}} {text}".rstrip() for label, text in rows)


def format_bytes(count: int) -> str:
    """Format a number of bytes: "812 bytes", "45.1 kB", "2.3 MB"."""
    if count < 1_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1_000:.1f} kB" if count < 999_950 else f"{count / 1_000_000:.1f} MB"


def print_err(text: str, *, label: str = "") -> None:
    """Print a line to standard error; the label ("error", "try") is coloured on a terminal."""
    head = f"{label}: " if label else ""
    if head and sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        head = typer.style(head, fg="red" if label == "error" else "cyan", bold=True)
    print(head + strip_control_characters(hide_secrets(text)), file=sys.stderr)


def print_progress(url: str) -> None:
    """Print the URL being requested, on a terminal only; without it, pauses between requests look like a hang."""
    if sys.stderr.isatty():
        print_err(f"requesting {url}")


@contextmanager
def progress_bars(labels: Mapping[str, str], *, quiet: bool = False) -> Iterator[Advance]:
    """Yield a function that advances a progress bar. Bars are shown on a terminal only; `labels` is by bar name."""
    if quiet or not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    # Late: rich takes 0.1 s to load, and is needed on a terminal only.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {name: progress.add_task(label, total=0, visible=False) for name, label in labels.items()}

        def advance(name: str, done: int, total: int) -> None:
            completed = progress.tasks[tasks[name]].completed + done
            total = max(total, int(completed))
            progress.update(tasks[name], completed=completed, total=total, visible=total > 0)

        yield advance
