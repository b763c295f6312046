"""The classes of the site: requests, responses, pages, and plug-ins of other packages; and how a page is rendered."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Connection, Engine

from watcher.errors import WatcherError
from watcher.plugins import load_plugins
from watcher.settings.models import Settings
from watcher.text.format import format_age, format_count, format_duration, strip_control_characters

SITE_ENTRY_POINTS = "watcher.web"  # entry points: a function of settings and engine that returns a SitePlugin
HTML = "text/html; charset=utf-8"


class NotFound(WatcherError):
    """This page does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavLink:
    """A link in the navigation. `key`: the letter of its keyboard shortcut, typed after g."""

    href: str
    words: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request: parameters of the path, query, fields of a form, and the site's URL as the client wrote it."""

    params: Mapping[str, str]
    base: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)

    def page(self) -> int:
        """Return the requested page number, from path or query, counted from 1. Errors: NotFound if it is invalid."""
        text = self.params.get("page") or self.query.get("page") or "1"
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 0
        if number < 1:
            raise NotFound("This page does not exist.")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResponse:
    body: str | bytes = ""
    media_type: str = HTML
    status: int = 200
    refresh_s: int = 0  # after which a browser reloads the page, as its content is changing; 0: never
    has_form: bool = False  # whether the page has a form that changes something
    styles: tuple[str, ...] = ()  # the texts of its style elements
    redirect_to: str = ""  # after a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    A path ("/story/{story}") and its handler.

    `query` names the fields of the query that the handler reads; it gets no other. `cost` is the rate limit that
    applies (`auth.RATE_LIMITS`), or "".
    """

    path: str
    answer: Callable[[Site, PageRequest], PageResponse]
    method: str = "GET"
    query: tuple[str, ...] = ()
    cost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlugin:
    """The pages, links and styles that another package adds to the site."""

    pages: tuple[Page, ...] = ()
    nav: tuple[NavLink, ...] = ()
    style: str = ""  # style sheet of all pages, before the site's own
    zone: tzinfo = UTC  # of the reader
    paths: Callable[[Site], Iterable[str]] = lambda _site: ()  # of a static export
    # Returns the number of recent stories of each feed, by feed id.
    count_stories: Callable[[Connection, Sequence[int], datetime], Mapping[int, int]] = lambda *_: {}


@dataclass(slots=True, kw_only=True, eq=False)
class Site:
    """The data from which pages are rendered; `settings` may be replaced while the site is served."""

    settings: Settings
    engine: Engine
    plugins: tuple[SitePlugin, ...]
    now: Callable[[], datetime]
    is_static: bool = False  # a static export: without forms, search and live state, at a fixed time
    on_settings: Callable[[], object] | None = None  # called when a reader has changed the settings file
    # The CSRF token in each form, so that other sites cannot submit one.
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    @property
    def zone(self) -> tzinfo:
        return next((plugin.zone for plugin in self.plugins), UTC)

    @property
    def pages(self) -> tuple[Page, ...]:
        return tuple(page for plugin in self.plugins for page in plugin.pages)

    @property
    def nav(self) -> tuple[NavLink, ...]:
        links = [link for plugin in self.plugins for link in plugin.nav]
        links.insert(max(0, len(links) - 1), NavLink(href="/sources", words="Sources", key="s"))
        return tuple(link for link in links if not (self.is_static and link.href in ("/kept", "/search")))


def load_site_plugins(settings: Settings, engine: Engine) -> tuple[SitePlugin, ...]:
    """Return the site plug-ins of installed packages. Errors: PluginError, StoreError."""
    return tuple(make(settings, engine) for _, make in load_plugins(SITE_ENTRY_POINTS, "the pages of"))


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
    body = make_environment(package, site.zone).get_template(template).render(**known, **values)
    return PageResponse(body=body, status=status, refresh_s=0 if site.is_static else refresh_s, has_form=has_form)


@lru_cache(maxsize=8)
def make_environment(package: str, zone: tzinfo) -> Environment:
    """Return the Jinja environment for the templates of a package, which can extend the site's own."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (package, "watcher.web") if name]),
        autoescape=True,
        finalize=sanitize_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "when": lambda at, day=True, zone_name=False: _format_time_html(at, zone, day=day, zone_name=zone_name),
        "short": lambda at: _format_time_html(at, zone, year=False),
        "span": format_duration,
        "ago": lambda at, now: format_age(now - at),
        "count": format_count,
    }
    environment.filters.update(filters)
    return environment


def sanitize_text(value: object) -> object:
    """Return a string without control and text direction characters; other values unchanged."""
    return type(value)(strip_control_characters(value)) if isinstance(value, str) else value


def name_zone(at: datetime) -> str:
    """Return the name of the time zone of `at`: "CET", "UTC-03"."""
    name = at.tzname() or "UTC"
    return name if name.isalpha() else f"UTC{name}"


def _format_time_html(
    at: datetime, zone: tzinfo, *, day: bool = True, year: bool = True, zone_name: bool = False
) -> Markup:
    """Return a time as HTML: "25 Nov 2026, 06:30", in the reader's time zone; with " CET" if `zone_name`."""
    local = at.astimezone(zone)
    words = f"{local.day} {local:%b}{f' {local:%Y}' if year else ''}, {local:%H:%M}" if day else f"{local:%H:%M}"
    name = name_zone(local)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        f"{local:%Y-%m-%dT%H:%M%z}", f"{local:%A} {words} {name}", f"{words} {name}" if zone_name else words
    )
