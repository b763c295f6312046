"""An edition as one HTML page: no script, nothing loaded, light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from digests.render.map import RADIUS, pins, world
from digests.render.markdown import note_html
from digests.render.templating import Own, environment, filled
from digests.render.view import EditionView


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """
    What a site puts around an edition, as HTML, and where it has the stories.

    Args:
        head: In place of the style sheet.
        stories: By their anchors.
        briefs: By their URLs.
    """

    head: Markup
    nav: Markup
    foot: Markup
    stories: Mapping[str, str]
    briefs: Mapping[str, str]


def render(view: EditionView, own: Own = (), *, frame: Frame | None = None) -> str:
    """Return the page: complete in itself, or in the frame of a site."""
    shown = pins(view.stories)
    values = {
        "frame": frame,
        "v": view,
        "w": view.words,
        "css": Markup(style_sheet(own)),
        "note": Markup(note_html(view)),
        "world": world(),
        "pins": shown,
        "radius": RADIUS,
        "pin_places": ", ".join(f"{pin.number} {pin.place}" for pin in shown),
    }
    return filled(templates(own), "page.html.j2", own, values)


@lru_cache(maxsize=8)
def templates(own: Own) -> Environment:
    """Return the environment of the HTML forms; the mail shares it."""
    return environment(autoescape=True, filters={}, own=own)


@lru_cache(maxsize=8)
def style_sheet(own: Own) -> str:
    """Return the style sheet of the page, a reader's own if there is one."""
    for template in own:
        if template.name == "page.css":
            return template.source
    return (files("digests.render") / "templates" / "page.css").read_text("utf-8")
