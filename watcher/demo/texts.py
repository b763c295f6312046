"""The texts of the sample press, read from `texts/`: outlets, words of their furniture, and one file a story."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from watcher.demo.model import DAY_HOURS, DemoArticle, Outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All that the press can print."""

    outlets: tuple[Outlet, ...]
    pieces: tuple[DemoArticle, ...]
    words: Mapping[str, Mapping[str, Any]]  # by language: the words of the furniture

    def printed_by(self, outlet: Outlet, day: int) -> tuple[DemoArticle, ...]:
        """Return what `outlet` has printed by the end of `day`, newest first, with the corrections made since."""
        mine = [piece.as_of(day) for piece in self.pieces if piece.outlet == outlet.key and piece.day <= day]
        return tuple(sorted(mine, key=lambda piece: (piece.hours - DAY_HOURS * piece.day, piece.path)))


@cache
def library() -> Library:
    """Return the texts of the package; an edit that finds nothing or an unknown outlet is a ValueError."""
    folder = files(__package__) / "texts"
    outlets = tuple(_outlet(row) for row in _toml(folder / "outlets.toml")["outlets"])
    stories = sorted((folder / "stories").iterdir(), key=lambda file: file.name)
    pieces = tuple(piece for file in stories if file.name.endswith(".toml") for piece in _pieces(_toml(file)))
    unknown = {piece.outlet for piece in pieces} - {outlet.key for outlet in outlets}
    if unknown:
        raise ValueError(f"stories name outlets that are not in outlets.toml: {sorted(unknown)}")
    words = MappingProxyType(_toml(folder / "furniture.toml"))
    return Library(outlets=outlets, pieces=pieces, words=words)


def _toml(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _outlet(row: dict[str, Any]) -> Outlet:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Outlet(**fields)


def _pieces(story: dict[str, Any]) -> list[DemoArticle]:
    return [_piece(story["story"], report, row) for report in story["reports"] for row in report["pieces"]]


def _piece(story: str, report: dict[str, Any], row: dict[str, Any]) -> DemoArticle:
    """Return one outlet's print of a report. `row` says what differs: `edits`, `keep` paragraphs, `lead`, `end`."""
    text = _edit_copy(report["text"].strip(), row.get("edits", ()), row["outlet"] + row["path"])
    body = tuple(" ".join(part.split()) for part in text.split("\n\n"))[: row.get("keep")]
    summary = row.get("summary") or body[0].removeprefix("## ")
    body = (row.get("lead", "") + body[0], *body[1:])
    if "end" in row:
        body = (*body, row["end"])
    return DemoArticle(
        story=story,
        report=f"{story}/{report['report']}",
        agency=report.get("agency"),
        outlet=row["outlet"],
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
