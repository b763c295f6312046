"""Renders an edition as one HTML page: its document, contents and a world map. It loads and runs nothing."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from digests.render.markdown import NO_URLS, document
from digests.render.templating import OwnTemplates, html_templates, render_template
from digests.render.view import EditionView, StoryView
from watcher.text.toml_data import load_toml

PIN_RADIUS = 18  # in units of the map, which is 720 wide
PIN_GAP = 2.0  # between two pins
MAX_PINS = 40  # more would hide the map
MAX_ROUNDS = 200  # of moving pins apart


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFrame:
    """The HTML that a site puts around an edition, and its pages of the stories."""

    head: Markup  # replaces the style sheet
    nav: Markup
    foot: Markup
    stories: Mapping[str, str]  # links to story pages by anchor
    briefs: Mapping[str, str]  # links to story pages by the briefs' URLs


def render(view: EditionView, own_templates: OwnTemplates = (), *, frame: SiteFrame | None = None) -> str:
    """Return an edition as an HTML page; `frame` has the menu and the links of the local site, None for a file."""
    stories, briefs = (frame.stories, frame.briefs) if frame else (NO_URLS, NO_URLS)
    doc, shown = document(view, own_templates, form="page", stories=stories, briefs=briefs), pins(view.stories)
    sparks = (_spark(story) for section in view.sections for story in section.stories if story.trend)
    stories_html = re.sub('<span class="trend">', lambda found: next(sparks, "") + found.group(), doc["stories"])
    values = {
        "frame": frame,
        "v": view,
        "w": view.words,
        "doc": doc | {"stories": Markup(stories_html)},
        "css": Markup(style_sheet(own_templates)),
        "world": world(),
        "pins": shown,
        "radius": PIN_RADIUS,
        "pin_places": view.words.join(f"{pin.number} {pin.place}" for pin in shown),
    }
    return render_template(html_templates(own_templates), "page.html.j2", own_templates, values)


def _spark(story: StoryView) -> str:
    bars = (f'<rect x="{6 * n}" y="{12 - tall}" width="5" height="{tall}"/>' for n, tall in enumerate(story.spark))
    return f'<svg class="spark" viewBox="0 0 47 12" aria-hidden="true">{"".join(bars)}</svg>'


@lru_cache(maxsize=8)
def style_sheet(own_templates: OwnTemplates) -> str:
    """Return the page's style sheet: the reader's own if there is one, else the default."""
    ours = files("digests.render") / "templates" / "page.css"
    return next((template.source for template in own_templates if template.name == "page.css"), None) or ours.read_text(
        "utf-8"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    number: int
    anchor: str
    title: str
    place: str
    x: float
    y: float
    at: tuple[float, float]  # the point in its country

    @property
    def is_aside(self) -> bool:
        return math.dist((self.x, self.y), self.at) > PIN_RADIUS


def pins(stories: Sequence[StoryView]) -> tuple[Pin, ...]:
    """Return the pins by number, without overlaps; empty if the stories are in fewer than two countries."""
    known = world()["points"]
    placed = [story for story in stories if story.country in known][:MAX_PINS]
    if len({story.country for story in placed}) < 2:
        return ()
    spots = _spread_pins([known[story.country] for story in placed])
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
def world() -> dict[str, Any]:
    """Return the map: its width and height, the land as an SVG path, and a point in each country by ISO code."""
    data = load_toml("digests.render", "world.toml")
    return data | {"points": {code: (float(x), float(y)) for code, (x, y) in data["points"].items()}}


def _spread_pins(spots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the positions, moved apart within the map so that no pins overlap; at most `MAX_ROUNDS` rounds."""
    least = 2 * PIN_RADIUS + PIN_GAP
    most = [world()[side] - PIN_RADIUS for side in ("width", "height")]
    places = [list(spot) for spot in spots]
    for _ in range(MAX_ROUNDS):
        moved = False
        for i, one in enumerate(places):
            for j, other in enumerate(places[:i]):
                dx, dy = one[0] - other[0], one[1] - other[1]
                distance = math.hypot(dx, dy)
                if distance >= least:
                    continue
                if distance < 0.01:  # in one country: each pair moves in its own direction
                    dx, dy, distance = math.cos(i * 2.4 + j), math.sin(i * 2.4 + j), 1.0
                    push = least / 2
                else:
                    push = (least - distance) / 2 + 0.01
                for spot, sign in ((one, 1), (other, -1)):
                    for axis, step in enumerate((dx, dy)):
                        spot[axis] = min(max(spot[axis] + sign * push * step / distance, PIN_RADIUS), most[axis])
                moved = True
        if not moved:
            break
    return [(x, y) for x, y in places]
