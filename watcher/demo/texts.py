"""Loads outlets, furniture words and stories of the demo from `texts/`."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from watcher.demo.model import DAY_HOURS, DemoArticle, Outlet, PrintedOutlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    outlets: tuple[Outlet, ...]
    pieces: tuple[DemoArticle, ...]

    def print_outlet(self, outlet: Outlet, *, base: str, now: datetime, day: int) -> PrintedOutlet:
        """Return `outlet` at `base` with its articles published by the end of `day`, newest first, with corrections."""
        mine = [piece.as_of(day) for piece in self.pieces if piece.outlet is outlet and piece.day <= day]
        mine.sort(key=lambda piece: (piece.hours - DAY_HOURS * piece.day, piece.path))
        return PrintedOutlet(outlet=outlet, pieces=tuple(mine), base=base, now=now, day=day)


@cache
def library() -> Library:
    """Load the demo texts. Errors: ValueError for an edit whose text is missing, KeyError for an unknown outlet."""
    folder = files(__package__) / "texts"
    words = read_toml(folder / "furniture.toml")
    rows = read_toml(folder / "outlets.toml")["outlets"]
    given: list[dict[str, Any]] = [
        {key: tuple(each) if isinstance(each, list) else each for key, each in row.items()} for row in rows
    ]
    outlets = {row["key"]: Outlet(**row, words=words[row["language"]]) for row in given}
    stories = [read_toml(file) for file in sorted((folder / "stories").iterdir(), key=lambda file: file.name)]
    pieces = [
        edit_report(outlets[row["outlet"]], story["story"], report, row)
        for story in stories
        for report in story["reports"]
        for row in report["pieces"]
    ]
    return Library(outlets=tuple(outlets.values()), pieces=tuple(pieces))


def read_toml(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def edit_report(outlet: Outlet, story: str, report: dict[str, Any], row: dict[str, Any]) -> DemoArticle:
    """Return one outlet's version of a report, changed as `row` says: `edits`, `keep` paragraphs, `lead`, `end`."""
    text = report["text"].strip()
    for old, new in row.get("edits", ()):
        if old not in text:
            raise ValueError(f"{outlet.key}{row['path']}: the text has no {old!r} to edit")
        text = text.replace(old, new)
    body = tuple(" ".join(part.split()) for part in text.split("\n\n"))[: row.get("keep")]
    own: dict[str, Any] = {key: row[key] for key in ("path", "title", "hours", "day", "byline", "kind") if key in row}
    return DemoArticle(
        **own | {"summary": row.get("summary") or body[0].removeprefix("## ")},
        story=story,
        report=f"{story}/{report['report']}",
        agency=report.get("agency"),
        outlet=outlet,
        body=(row.get("lead", "") + body[0], *body[1:], *([row["end"]] if "end" in row else [])),
        traps=frozenset(row.get("traps", ())),
        corrections=tuple((old, new) for old, new in row.get("corrections", ())),
    )
