"""The settings of grouping: `[grouping]`, how a store's articles become stories, whatever the digest."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from watcher.settings.model import Settings
from watcher.settings.section import Part


class GroupingSettings(Part):
    """How the articles of a window become stories; all digests of a store share them."""

    shards_above: Annotated[StrictInt, Field(ge=1_000, le=100_000_000)] = Field(
        default=200_000,
        description=(
            "A window of more articles is grouped in shards of languages, each of at most so many and in a process of "
            "its own (docs/scale.md)."
        ),
    )


def shards_above(settings: Settings) -> int:
    """Return from how many articles on a window is grouped in shards."""
    section = settings.section("grouping")
    return (section if isinstance(section, GroupingSettings) else GroupingSettings()).shards_above
