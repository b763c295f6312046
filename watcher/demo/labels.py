"""The truth about the sample press: for each piece its story and its report, and how its page answers."""

from __future__ import annotations

from dataclasses import dataclass

from watcher.demo.model import DemoArticle, Outlet
from watcher.demo.texts import library


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """What is true of one piece. Pieces of one `story` tell of one event; of one `report`, they carry the same text."""

    story: str
    report: str
    outlet: str  # its key; `name` is what the source is called
    name: str
    kind: str  # article, live, gallery, roundup
    agency: str | None
    language: str
    title: str
    text: str  # what cleaning should find, one paragraph a line, with dateline and end credit
    hours: float  # before the end of its day
    day: int  # on which it appeared
    page: str  # ok, missing (404: the feed has the text), redirect (from the feed's link), paywall (the feed has more)
    traps: tuple[str, ...]
    corrections: tuple[tuple[str, str], ...]  # made from the next day on: old, new


def labels(day: int = 1) -> dict[str, GroundTruth]:
    """
    Return the true labels of every article that was published up to the end of `day`, corrections applied.

    Their keys are outlet and path, as `Press.key(url)` gives them.
    """
    return {
        piece.key: _label(piece, outlet) for outlet in library().outlets for piece in library().printed_by(outlet, day)
    }


def _label(piece: DemoArticle, outlet: Outlet) -> GroundTruth:
    return GroundTruth(
        story=piece.story,
        report=piece.report,
        outlet=piece.outlet,
        name=outlet.name,
        kind=piece.kind,
        agency=piece.agency,
        language=outlet.language,
        title=piece.title,
        text="\n".join(paragraph.removeprefix("## ") for paragraph in piece.body),
        hours=piece.hours,
        day=piece.day,
        page=next((answer for answer in ("missing", "redirect", "paywall") if answer in piece.traps), "ok"),
        traps=tuple(sorted(piece.traps)),
        corrections=piece.corrections,
    )
