"""Loads outlets, furniture words and stories of the demo from `texts/`, and returns the labels of the articles."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from watcher.demo.model import DAY_HOURS, DemoArticle, Outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All outlets and articles of the demo."""

    outlets: tuple[Outlet, ...]
    pieces: tuple[DemoArticle, ...]

    def printed_by(self, outlet: Outlet, day: int) -> tuple[DemoArticle, ...]:
        """Return the articles of `outlet` published by the end of `day`, newest first, with corrections."""
        mine = [piece.as_of(day) for piece in self.pieces if piece.outlet is outlet and piece.day <= day]
        return tuple(sorted(mine, key=lambda piece: (piece.hours - DAY_HOURS * piece.day, piece.path)))


@cache
def library() -> Library:
    """Load the demo texts. Errors: ValueError for an edit whose text is missing, KeyError for an unknown outlet."""
    folder = files(__package__) / "texts"
    words = _toml(folder / "furniture.toml")
    outlets = {row["key"]: _outlet(row, words) for row in _toml(folder / "outlets.toml")["outlets"]}
    stories = [_toml(file) for file in sorted((folder / "stories").iterdir(), key=lambda file: file.name)]
    pieces = [
        _piece(outlets[row["outlet"]], story["story"], report, row)
        for story in stories
        for report in story["reports"]
        for row in report["pieces"]
    ]
    return Library(outlets=tuple(outlets.values()), pieces=tuple(pieces))


def labels(day: int = 1) -> dict[str, DemoArticle]:
    """Return all articles up to the end of `day` with their labels, by key (see `DemoServer.key`)."""
    printed = library()
    return {piece.key: piece for outlet in printed.outlets for piece in printed.printed_by(outlet, day)}


def _toml(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _outlet(row: dict[str, Any], words: dict[str, Any]) -> Outlet:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Outlet(**fields, words=words[row["language"]])


def _piece(outlet: Outlet, story: str, report: dict[str, Any], row: dict[str, Any]) -> DemoArticle:
    """Return one outlet's version of a report, changed as `row` says: `edits`, `keep` paragraphs, `lead`, `end`."""
    text = _edit_copy(report["text"].strip(), row.get("edits", ()), outlet.key + row["path"])
    body = tuple(" ".join(part.split()) for part in text.split("\n\n"))[: row.get("keep")]
    summary = row.get("summary") or body[0].removeprefix("## ")
    body = (row.get("lead", "") + body[0], *body[1:])
    if "end" in row:
        body = (*body, row["end"])
    return DemoArticle(
        story=story,
        report=f"{story}/{report['report']}",
        agency=report.get("agency"),
        outlet=outlet,
        path=row["path"],
        title=row["title"],
        hours=float(row["hours"]),
        day=row.get("day", 1),
        body=body,
        summary=summary,
        byline=row.get("byline", ""),
        kind=row.get("kind", "article"),
        traps=frozenset(row.get("traps", ())),
        corrections=tuple((old, new) for old, new in row.get("corrections", ())),
    )


def _edit_copy(text: str, edits: Sequence[Sequence[str]], where: str) -> str:
    for old, new in edits:
        if old not in text:
            raise ValueError(f"{where}: the text has no {old!r} to edit")
        text = text.replace(old, new)
    return text
