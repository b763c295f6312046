"""Why a report is in its story, and what became of a story, in words for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from digests.cluster.explain import Evidence, SurfaceForms, shared_lines
from digests.history import History
from digests.model import Report
from digests.store.histories import ChangeRow
from watcher.text.counting import count


def why_lines(found: History, report: Report) -> Iterator[str]:
    """Yield what a report's best link in the story was made by."""
    linked = [found.members[key] for key in report.articles]
    for member in linked:
        theirs = found.articles.get(member.nearest or "")
        if theirs and member.evidence:
            ours = found.articles[member.article]
            yield f"nearest to {theirs.outlet}, “{theirs.title}”: score {member.evidence['score']:.2f}"
            if "names" in member.evidence:  # else the features of one are no longer stored
                spelling = SurfaceForms((f"{each.title}\n{each.text}", each.language) for each in (ours, theirs))
                yield from shared_lines(evidence_of(member.evidence), spelling)
            return
    if len(found.story.reports) > 1:
        yield "a reader joined it, or what it was linked by is no longer stored"


def evidence_of(kept: Mapping[str, Any]) -> Evidence:
    """Return kept evidence as such: JSON has lists for its tuples."""
    values: dict[str, Any] = {
        name: tuple(kept[name]) if isinstance(kept[name], list) else kept[name] for name in Evidence.__slots__
    }
    return Evidence(**values)


def in_words(change: ChangeRow) -> str:
    """Return what became of a story as a sentence."""
    articles, their = count(len(change.articles), "article"), "its" if len(change.articles) == 1 else "their"
    return {
        "merged": f"{change.story} went into {change.other} ({articles})",
        "split": f"{articles} of {change.story} became a story of {their} own, {change.other}",
        "moved": f"{articles} of {change.story} moved to {change.other}",
        "follows": f"{change.story} follows {change.other}",
    }[change.kind] + (f": {change.why}" if change.why else "")


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
