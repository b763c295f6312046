"""An edition as one HTML page: no script, nothing loaded, light and dark."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from digests.render.map import RADIUS, pins, world
from digests.render.markdown import note_html
from digests.render.templating import environment
from digests.render.view import EditionView


def render(view: EditionView) -> str:
    """Return the page, complete in itself."""
    template = templates().get_template("page.html.j2")
    shown = pins(view.stories)
    return template.render(
        v=view,
        w=view.words,
        css=Markup(_css()),
        note=Markup(note_html(view)),
        world=world(),
        pins=shown,
        radius=RADIUS,
        pin_places=", ".join(f"{pin.number} {pin.place}" for pin in shown),
    )


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Return the environment of the HTML forms; the mail shares it."""
    return environment(autoescape=True, filters={})


@lru_cache(maxsize=1)
def _css() -> str:
    return (files("digests.render") / "templates" / "page.css").read_text("utf-8")
