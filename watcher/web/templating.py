"""Renders the site's pages with Jinja: with autoescaping, and times in the reader's time zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from watcher.text.format import format_age, format_count, format_duration, strip_control_characters
from watcher.web.site import PageResponse, Site

FOLDERS = ("watcher.web",)


def render_page(
    site: Site,
    template: str,
    *,
    package: str = "",
    status: int = 200,
    refresh_s: int = 0,
    has_form: bool = False,
    **values: object,
) -> PageResponse:
    """Render a page from a template; `package` is the package with the template, "" for the site's own."""
    known = {"site": site, "now": site.now(), "status": status, "has_form": has_form and not site.is_static}
    body = environment(package, site.zone).get_template(template).render(**known, **values)
    return PageResponse(body=body, status=status, refresh_s=0 if site.is_static else refresh_s, has_form=has_form)


@lru_cache(maxsize=8)
def environment(package: str, zone: tzinfo) -> Environment:
    """Return the Jinja environment for the templates of a package, which can extend the site's own."""
    loaders = [PackageLoader(name) for name in dict.fromkeys((package, *FOLDERS)) if name]
    found = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        finalize=sanitize_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "when": lambda at, day=True: format_time_html(at, zone, day=day),
        "short": lambda at: format_time_html(at, zone, year=False),
        "span": format_duration,
        "ago": lambda at, now: format_age(now - at),
        "count": format_count,
    }
    found.filters.update(filters)
    return found


def sanitize_text(value: object) -> object:
    """Return a string without control and text direction characters; other values unchanged."""
    return type(value)(strip_control_characters(value)) if isinstance(value, str) else value


def format_time_html(at: datetime, zone: tzinfo, *, day: bool = True, year: bool = True) -> Markup:
    """Return a time as HTML: "25 Nov 2026, 06:30", in the reader's time zone."""
    local = at.astimezone(zone)
    words = f"{local.day} {local:%b}{f' {local:%Y}' if year else ''}, {local:%H:%M}" if day else f"{local:%H:%M}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        f"{local:%Y-%m-%dT%H:%M%z}", f"{local:%A} {words} {local:%Z}", words
    )
