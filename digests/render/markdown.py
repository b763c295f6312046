"""An edition as Markdown that every renderer reads the same way, and Markdown as clean HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache

from jinja2 import Environment

from digests.render.safe import inert
from digests.render.templating import AsIs, Own, environment, filled
from digests.render.view import EditionView, Quote

# Escaping is mixed, for no single way is read alike everywhere: python-markdown knows no backslash before `~$^|=%:@<&`,
# and an entity cannot open or close anything in any renderer. docs/decisions/0005 says what was measured.
BACKSLASH = re.compile(r"[\\`*_\[\]{}#!]")
ENTITY = re.compile(r"[~$^|]|={2,}|%{2,}|(?<=\w):(?=//)|:(?=[a-z0-9_+-]+:)|(?<=\w)\.(?=[^\W\d_]{2})")
AT = re.compile(r"(?<=\w)@(?=\w)")
NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
MARKED = re.compile(r"^[-+]")
END_OF_HEADING = re.compile(r"[.,;:!。，；：！]$")  # MD026 takes it for a slip; in a headline it is the outlet's
VAGUE = frozenset({"click here", "here", "link", "more"})  # MD059 scolds these labels; an outlet may use them

NOTE_TAGS = frozenset({"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a"})
TAGS = NOTE_TAGS | {"h1", "h2", "h3", "h4", "h5", "h6", "hr"}
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def render(view: EditionView, own: Own = ()) -> str:
    """Return the edition as Markdown with YAML front matter."""
    return _filled(view, own, front=_front(view))


def render_part(view: EditionView, own: Own = ()) -> str:
    """Return the edition as Markdown for another page: without front matter, its heading and the list of contents."""
    return _filled(view, own, front=())


def _filled(view: EditionView, own: Own, *, front: tuple[tuple[str, str | int | AsIs], ...]) -> str:
    return filled(_templates(own), "edition.md.j2", own, {"v": view, "w": view.words, "front": front})


def text(value: str) -> str:
    """Return any text as Markdown that shows exactly that text, made inert, wherever in a line it stands."""
    return escape(inert(value))


def escape(value: str) -> str:
    """Return text that is inert already as Markdown; blanks around it stay."""
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    value = BACKSLASH.sub(r"\\\g<0>", value)
    value = ENTITY.sub(lambda match: "".join(map(_entity, match.group())), value)
    value = AT.sub("<!-- -->&#64;", value)  # cmark-gfm looks for addresses in the text that entities have become
    value = NUMBERED.sub(lambda match: match[1] + _entity(match[2]), value)
    return MARKED.sub(r"\\\g<0>", value)


def link(label: str, url: str | None) -> AsIs:
    """Return a link, or the bare label where there is no `url`: one of `safe.web_url`, or a fragment."""
    shown = text(label)
    if not url:
        return AsIs(shown)
    if shown.lower() in VAGUE:
        shown = _entity(shown[0]) + shown[1:]
    return AsIs(f"[{shown}]({url.replace('&', '&amp;')})")


def to_html(source: str, *, tags: frozenset[str] = TAGS) -> str:
    """
    Return Markdown as HTML that holds nothing but `tags`: no scripts, styles, images or other loads.

    Front matter is left out. For an edition as a fragment of another page, and for the note of the settings.
    """
    import markdown as python_markdown  # late: few editions have a note or a feed
    import nh3

    html = python_markdown.markdown(FRONT_MATTER.sub("", source), extensions=["sane_lists"], output_format="html")
    return nh3.clean(
        html,
        tags=set(tags),
        attributes={"a": {"href", "id"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )


def note_html(view: EditionView) -> str:
    """Return the note of the settings as HTML of paragraphs, lists and links; headings lose their rank."""
    return to_html(view.note, tags=NOTE_TAGS).strip() if view.note else ""


def _front(view: EditionView) -> tuple[tuple[str, str | int | AsIs], ...]:
    """Return the front matter in order. Dates and file names are plain scalars, other text is quoted."""
    rows: list[tuple[str, str | int | AsIs]] = [
        ("title", view.heading),
        ("date", AsIs(view.day.isoformat())),
        ("digest", view.digest),
        ("edition", view.number),
        ("lang", view.language),
        *view.counts,
    ]
    if view.previous is not None:
        rows.append(("previous", AsIs(f"{view.previous.isoformat()}.md")))
    return tuple(rows)


def _yaml(value: str | int | AsIs) -> AsIs:
    """Return a YAML scalar: a JSON string is one, whatever it holds."""
    if isinstance(value, AsIs):
        return value
    return AsIs(json.dumps(inert(value) if isinstance(value, str) else value, ensure_ascii=False))


def _heading(value: str, url: str | None = None) -> AsIs:
    if url:
        return link(value, url)
    value = inert(value)
    end = END_OF_HEADING.search(value)
    return AsIs(text(value[:-1]) + _entity(end.group()) if end else text(value))


def _cited(quote: Quote) -> AsIs:
    """Return a text with outlet, link and time of the reports it stands in behind it."""
    cites = "; ".join(f"{link(cite.outlet, cite.url)}{cite.mark}{escape(f', {cite.time}')}" for cite in quote.cites)
    return AsIs(f"{text(quote.text)} — {cites}" if cites else text(quote.text))


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


@lru_cache(maxsize=8)
def _templates(own: Own) -> Environment:
    filters: dict[str, Callable[..., AsIs]] = {
        "as_is": AsIs,
        "cited": _cited,
        "heading": _heading,
        "item": lambda number: AsIs(f"{number}."),
        "link": link,
        "yaml": _yaml,
    }
    return environment(autoescape=False, escape=escape, filters=filters, own=own)
