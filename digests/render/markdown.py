"""Renders an edition as Markdown that all renderers read alike, and as HTML for pages, mails and feeds."""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

import markdown as python_markdown
import nh3
from jinja2 import Environment, pass_context
from markupsafe import Markup

from digests.render.escape import sanitize_line
from digests.render.templating import OwnTemplates, SafeText, environment, render_template
from digests.render.view import EditionView, LangAttr

# Escapes are mixed, because no single kind works in all renderers: python-markdown knows no backslash before
# `~$^|=%:@<&`, and an entity never opens or closes anything. What a renderer takes as it is stays as it is: "AT&T",
# "$5", "3 < 4". docs/decisions/0005 has the measurements.
BACKSLASH = re.compile(r"[\\`*_\[\]{}#!]|^[-+>]|(?<=\w)\.(?=[^\W\d_]{2})")
ENTITY = re.compile(r"\^|^\||(?<!\s)~|~(?=~)|(?<!\s)\$|\$(?=\$)|={2,}|%{2,}|(?<=\w):(?=//)|:(?=[a-z0-9_+-]+:)")
LOOKS_LIKE_ENTITY = re.compile(r"&(?=#?\w+;)")
TAG_OPENER = re.compile(r"<(?![\s\d=])")  # the other "<" open no tag
AT = re.compile(r"(?<=\w)@(?=\w)")
NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
END_OF_HEADING = re.compile(r"[.,;:!。，；：！]$")  # MD026 forbids it; a headline may have it
VAGUE_LABELS = frozenset({"click here", "here", "link", "more"})  # MD059 forbids them as labels; a headline may be one

NOTE_TAGS = frozenset({"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a"})
TAGS = NOTE_TAGS | {
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "div", "details", "summary"),
    *("b", "bdi", "cite", "small", "span", "time"),
}
# Classes are for the style sheets. Texts from feeds cannot set one: their braces and angle brackets are escaped.
ATTRIBUTES = {"*": {"class", "id", "lang", "dir"}, "a": {"href"}, "time": {"datetime"}, "details": {"open"}}
EXTENSIONS = ("sane_lists", "attr_list", "md_in_html")
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
NO_URLS: Mapping[str, str] = {}
LONG_EDITION = 6  # stories: the page of a longer one folds them where the screen is narrow
Form = Literal["feed", "mail", "page"]


def render(view: EditionView, own_templates: OwnTemplates = ()) -> str:
    """Return the document as a file: Markdown with YAML front matter."""
    values = {"front": _front(view), "note": view.note, "stories": NO_URLS, "briefs": NO_URLS}
    folds = dict.fromkeys(("folds", "is_page", "is_folded"), False)
    return _render_document(view, own_templates, html=False, **values, **folds)


def document(
    view: EditionView,
    own_templates: OwnTemplates = (),
    *,
    form: Form = "feed",
    stories: Mapping[str, str] = NO_URLS,
    briefs: Mapping[str, str] = NO_URLS,
) -> dict[str, Markup]:
    """
    Return the document as HTML, split at `---` into "head", "stories" and "foot", for a frame to put parts between.

    Nothing in it loads or runs. In a "page" and a "mail", what a story is based on is folded, and a page lists all of
    it. `stories` links to a site's story pages by anchor, `briefs` by the URL of the brief.
    """
    note = f'<div class="note">\n{_to_html(view.note, tags=NOTE_TAGS)}\n</div>' if view.note else ""
    is_page = form == "page"
    folds = {
        "folds": form != "feed",
        "is_page": is_page,
        "is_folded": is_page and len(view.stories) >= LONG_EDITION,
    }
    values = {"front": (), "note": note, "stories": stories, "briefs": briefs, **folds}
    source = _render_document(view, own_templates, html=True, **values)
    parts = _to_html(source).split("<hr>")
    head = parts.pop(0) if len(parts) > 2 else ""
    foot = parts.pop() if len(parts) > 1 else ""
    split = {"head": head, "stories": "<hr>".join(parts), "foot": foot}
    return {name: Markup(part.strip()) for name, part in split.items()}


def _to_html(source: str, *, tags: frozenset[str] = TAGS) -> str:
    """Return Markdown as HTML with only `tags`, so that nothing loads or runs. Front matter is left out."""
    html = python_markdown.markdown(FRONT_MATTER.sub("", source), extensions=EXTENSIONS, output_format="html")
    schemes = {"http", "https", "mailto"}
    clean = nh3.clean(html, tags=set(tags), attributes=ATTRIBUTES, url_schemes=schemes, link_rel=None)
    return clean.replace("&nbsp;", "\u00a0").strip()


def text(value: str) -> str:
    """Return any text, sanitized, as Markdown that shows exactly this text anywhere in a line."""
    return escape(sanitize_line(value))


def escape(value: str) -> str:
    """Return sanitized text as Markdown; surrounding spaces are kept."""
    value = TAG_OPENER.sub("&lt;", LOOKS_LIKE_ENTITY.sub("&amp;", value))
    value = NUMBERED.sub(r"\1\\\2", BACKSLASH.sub(r"\\\g<0>", value))
    value = ENTITY.sub(lambda match: "".join(map(_entity, match.group())), value)
    return AT.sub("<!-- -->&#64;", value)  # cmark-gfm finds mail addresses even if "@" is an entity


def link(label: str, url: str | None, tongue: LangAttr | None = None, *, html: bool = False) -> SafeText:
    """Return a link; the label alone without `url`, which is a URL of `web_url`, a fragment or a path."""
    shown = text(label)
    attributes = _attributes(tongue) if html and tongue else ""
    if not url:
        return SafeText(f"<span{attributes}>{shown}</span>" if attributes else shown)
    if shown.lower() in VAGUE_LABELS:
        shown = _entity(shown[0]) + shown[1:]
    return SafeText(f"[{shown}]({LOOKS_LIKE_ENTITY.sub('&amp;', url)})" + (f"{{:{attributes} }}" if attributes else ""))


def _front(view: EditionView) -> tuple[tuple[str, str | int | SafeText], ...]:
    """Return the fields at the head of the Markdown file (YAML front matter)."""
    return (
        ("title", view.heading),
        ("date", SafeText(view.day.isoformat())),
        ("digest", view.digest),
        ("edition", view.number),
        ("lang", view.language),
        *view.counts,
        *([("previous", SafeText(f"{view.previous}.md"))] if view.previous else ()),
    )


def yaml(value: str | int | SafeText) -> SafeText:
    """Return a YAML scalar; every JSON string is one."""
    if isinstance(value, SafeText):
        return value
    return SafeText(json.dumps(sanitize_line(value) if isinstance(value, str) else value, ensure_ascii=False))


def _heading(value: str, url: str | None = None, tongue: LangAttr | None = None, *, html: bool = False) -> SafeText:
    value = sanitize_line(value)
    end = END_OF_HEADING.search(value)
    if url or not end:
        return link(value, url, tongue, html=html)
    return SafeText(text(value[:-1]) + _entity(end.group()))


def _outlet_name(outlet: str, tongue: LangAttr, url: str | None = None, *, html: bool) -> SafeText:
    """Return an outlet's name, isolated so that its direction does not affect the text around it; linked to `url`."""
    name = link(outlet, url)
    return SafeText(f"<bdi{_attributes(LangAttr(lang=tongue.lang))}>{name}</bdi>" if html else name)


def _attributes(tongue: LangAttr) -> str:
    return "".join(f' {name}="{value}"' for name, value in (("lang", tongue.lang), ("dir", tongue.dir)) if value)


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


def _render_document(view: EditionView, own_templates: OwnTemplates, *, html: bool, **values: object) -> str:
    """Return the document as Markdown; `html` if it is to become HTML, with tags in it."""

    def tag(markup: str) -> SafeText:
        return SafeText(markup if html else "")  # a file has no tags

    given = {"v": view, "w": view.words, "html": html, "h": tag, **values}
    return render_template(_templates(own_templates), "edition.md.j2", own_templates, given)


@lru_cache(maxsize=8)
def _templates(own_templates: OwnTemplates) -> Environment:
    """Return the template environment of Markdown, one for both forms: compiling takes a tenth of a second."""

    def of_form(make: Callable[..., SafeText]) -> Callable[..., SafeText]:
        return pass_context(lambda context, *args: make(*args, html=context["html"]))

    filters: dict[str, Callable[..., SafeText]] = {
        "as_is": SafeText,
        "heading": of_form(_heading),
        "item": lambda number: SafeText(f"{number}."),
        "link": of_form(link),
        "name": of_form(_outlet_name),
        "yaml": yaml,
    }
    return environment(autoescape=False, escape=escape, filters=filters, own_templates=own_templates)
