"""The world map of an edition's page: a numbered pin a story, in the country that it is about first."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from digests.render.view import StoryView

RADIUS = 18  # of a pin, in units of the map, which is 720 wide
GAP = 2.0  # between two pins
MOST = 40  # pins; more would hide the map
ROUNDS = 200  # in which pins that overlap push each other away


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Land as an SVG path, and a point in each country by its ISO code."""

    width: float
    height: float
    land: str
    points: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A story's mark: where it stands, and the point in its country that it means."""

    number: int
    anchor: str
    title: str
    place: str
    x: float
    y: float
    at: tuple[float, float]

    @property
    def is_aside(self) -> bool:
        """Whether the pin has made room for others, so that a line must lead to its country."""
        return math.dist((self.x, self.y), self.at) > RADIUS


def pins(stories: Sequence[StoryView]) -> tuple[Pin, ...]:
    """Return the pins by number, none on another; nothing where all stories are in one country or in none."""
    known = world().points
    placed = [story for story in stories if story.country in known][:MOST]
    if len({story.country for story in placed}) < 2:
        return ()
    spots = _apart([known[story.country] for story in placed])
    return tuple(
        Pin(
            number=story.number,
            anchor=story.anchor,
            title=story.title,
            place=story.first_place,
            x=round(x, 1),
            y=round(y, 1),
            at=known[story.country],
        )
        for story, (x, y) in zip(placed, spots, strict=True)
    )


@lru_cache(maxsize=1)
def world() -> World:
    """Return the map itself."""
    data = tomllib.loads((files("digests.render") / "world.toml").read_text("utf-8"))
    points = {code: (float(x), float(y)) for code, (x, y) in data["points"].items()}
    return World(width=data["width"], height=data["height"], land=data["land"], points=points)


def _apart(spots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the spots moved as little as makes room for a pin on each, within the map."""
    least = 2 * RADIUS + GAP
    found = [list(spot) for spot in spots]
    for _ in range(ROUNDS):
        moved = False
        for i, one in enumerate(found):
            for j, other in enumerate(found[:i]):
                dx, dy = one[0] - other[0], one[1] - other[1]
                distance = math.hypot(dx, dy)
                if distance >= least:
                    continue
                if distance < 0.01:  # one country: each pair of stories leaves in a direction of its own
                    dx, dy, distance = math.cos(i * 2.4 + j), math.sin(i * 2.4 + j), 1.0
                    push = least / 2
                else:
                    push = (least - distance) / 2 + 0.01
                for spot, sign in ((one, 1), (other, -1)):
                    spot[0] = min(max(spot[0] + sign * push * dx / distance, RADIUS), world().width - RADIUS)
                    spot[1] = min(max(spot[1] + sign * push * dy / distance, RADIUS), world().height - RADIUS)
                moved = True
        if not moved:
            break
    return [(x, y) for x, y in found]
