"""The files beside the pages: the style sheet, and a dozen lines for keys."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from watcher.web.site import Ask, Page, Reply, Site


@cache
def own(name: str) -> str:
    """Return one of the site's own files."""
    return (files("watcher.web") / "templates" / name).read_text("utf-8")


def style(site: Site, _ask: Ask) -> Reply:
    """Answer the style sheet: what other packages bring, then the site's own."""
    sheets = (*(wing.style for wing in site.wings if wing.style), own("site.css"))
    return Reply(body="\n".join(sheets), kind="text/css; charset=utf-8")


def keys(_site: Site, _ask: Ask) -> Reply:
    """Answer the script for keys."""
    return Reply(body=own("keys.js"), kind="text/javascript; charset=utf-8")


def icon(_site: Site, _ask: Ask) -> Reply:
    """Answer the icon."""
    return Reply(body=own("icon.svg"), kind="image/svg+xml")


FILES = (
    Page(path="/style.css", answer=style),
    Page(path="/keys.js", answer=keys),
    Page(path="/icon.svg", answer=icon),
)
