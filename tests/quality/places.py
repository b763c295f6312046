"""How well the countries of a story are found: headlines in many languages whose countries are known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from digests.analysis.story_countries import find_countries
from digests.model.story import Story, WireGroup
from watcher.model import Article

HEADLINES = Path(__file__).parent / "places.tsv"
HALVES = ("work", "judging")
AT = datetime(2026, 3, 9, 12, tzinfo=UTC)


def rows() -> list[tuple[str, frozenset[str], str]]:
    """Return (language, countries, headline) of each line."""
    lines = HEADLINES.read_text(encoding="utf-8").splitlines()[1:]
    parts = (line.rstrip().split("\t") for line in lines)
    return [(tag, frozenset(codes.split()) - {"-"}, headline) for tag, codes, headline in parts]


def found(language: str, headline: str) -> frozenset[str]:
    """Return the countries of a story that has this headline and no more."""
    one = Article(
        id="a", url="https://a.example/a", host="a.example", outlet="A", title=headline, text="", language=language,
        country=None, published_at=AT, fetched_at=AT,
    )  # fmt: skip
    story = Story(id="s", articles=("a",), wire_groups=(WireGroup(articles=("a",)),))
    return frozenset(find_countries(story, {"a": one}))


def measure_places(half: int) -> dict[str, float]:
    """Return precision and recall of the countries, over every second headline: those of `HALVES[half]`."""
    right = wrong = missed = 0
    for language, wanted, headline in rows()[half::2]:
        got = found(language, headline)
        right += len(got & wanted)
        wrong += len(got - wanted)
        missed += len(wanted - got)
    return {"precision": right / (right + wrong), "recall": right / (right + missed)}
