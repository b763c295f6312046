"""An edition as one HTML page: its document in a frame with contents and map; no script, nothing loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup, escape

from digests.render.map import RADIUS, pins, world
from digests.render.markdown import NOWHERE, Document, document
from digests.render.templating import Own, environment, filled
from digests.render.view import EditionView, StoryView

COVER = re.compile(r'<p class="cover">')


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
    stories, briefs = (frame.stories, frame.briefs) if frame else (NOWHERE, NOWHERE)
    shown = pins(view.stories)
    values = {
        "frame": frame,
        "v": view,
        "w": view.words,
        "doc": _with_sparks(document(view, own, stories=stories, briefs=briefs), view),
        "css": Markup(style_sheet(own)),
        "world": world(),
        "pins": shown,
        "radius": RADIUS,
        "pin_places": ", ".join(f"{pin.number} {pin.place}" for pin in shown),
    }
    return filled(templates(own), "page.html.j2", own, values)


def _with_sparks(doc: Document, view: EditionView) -> Document:
    """Return the document with a picture of each story's trend in front of what is said on its coverage."""
    sparks = iter([_spark(story) for section in view.sections for story in section.stories])
    return replace(doc, stories=Markup(COVER.sub(lambda found: found.group() + next(sparks, ""), doc.stories)))


def _spark(story: StoryView) -> str:
    """Return a bar an eighth of the window, and what they tell in a word; nothing where too few articles tell."""
    if not story.spark:
        return ""
    bars = (
        f'<rect x="{6 * n}" y="{12 - height}" width="5" height="{height}"/>' for n, height in enumerate(story.spark)
    )
    picture = f'<svg class="spark" viewBox="0 0 47 12" aria-hidden="true">{"".join(bars)}</svg>'
    return f"{picture}{escape(story.trend)} · "


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
