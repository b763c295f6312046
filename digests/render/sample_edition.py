"""An edition that has everything, on which a reader's templates are tried before one is due."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

from digests import edition_json
from digests.model import Edition
from digests.render.forms import FORMATS, render
from digests.render.templating import Own


def try_templates(own: Own) -> None:
    """
    Render a full, a first and an empty edition in every form with a reader's templates.

    Raises:
        DigestError: What is wrong in one, with its file and line.
    """
    full = edition()
    first = replace(full, previous=None, corrections=(), briefs=(), ended=(), note="")
    for each in (full, first, replace(first, sections=())):
        render(each, tuple(FORMATS), own=own, earlier=(full,))


def edition() -> Edition:
    """Return an edition of two stories, one quoted and one written, with every field filled."""
    return edition_json.load((files("digests.render") / "sample_edition.json").read_bytes())
