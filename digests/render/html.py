"""An edition as one HTML page: no script, nothing loaded, light and dark."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from digests.render.map import RADIUS, pins, world
from digests.render.markdown import note_html
from digests.render.templating import Own, environment, filled
from digests.render.view import EditionView


def render(view: EditionView, own: Own = ()) -> str:
    """Return the page, complete in itself."""
    shown = pins(view.stories)
    values = {
        "v": view,
        "w": view.words,
        "css": Markup(_css(own)),
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
def _css(own: Own) -> str:
    for template in own:
        if template.name == "page.css":
            return template.source
    return (files("digests.render") / "templates" / "page.css").read_text("utf-8")
