"""The pages of editions: the latest, each edition in its formats, the Atom feed and the archive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache

from markupsafe import Markup

from digests.edition.publish import render_all
from digests.model import Edition
from digests.render.edition_view import edition_view
from digests.render.escape import safe_anchor, sanitize_line, web_url
from digests.render.html import SiteFrame, render
from digests.settings.digests import DigestSettings
from digests.store.editions import (
    EditionInProgress,
    EditionRow,
    adjacent_dates,
    edition_rows,
    editions_in_progress,
    recent_editions,
)
from digests.web.edition_cache import EditionCache
from watcher.store.writer import read
from watcher.web.site import NotFound, PageRequest, PageResponse, Site
from watcher.web.templating import environment, render_page

# The suffix of a format in URLs: the format, and its media type.
FORMS: Mapping[str, tuple[str, str]] = {
    "html": ("html", "text/html; charset=utf-8"),
    "md": ("markdown", "text/markdown; charset=utf-8"),
    "json": ("json", "application/json"),
    "eml": ("eml", "message/rfc822"),
    "txt": ("text", "text/plain; charset=utf-8"),
}
FEED_EDITIONS = 5
RELOAD_S = 5  # of the latest page while an edition is being built
MAX_RENDERED = 64  # pages and files cached, of each kind
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.([a-z]{2,4}))?", re.ASCII)


class EditionPages:
    """Answers requests for editions; rendered pages and files are cached."""

    def __init__(self, cache: EditionCache) -> None:
        self._cache = cache
        self._render_page = lru_cache(MAX_RENDERED)(self._page_html)
        self._render_file = lru_cache(MAX_RENDERED)(self._file_bytes)
        self._render_feed = lru_cache(maxsize=2)(self._feed_bytes)

    def latest_edition_page(self, site: Site, _ask: PageRequest) -> PageResponse:
        """Return the latest edition of the first digest that has one, with the editions in progress."""
        making = () if site.is_static else read(site.engine, editions_in_progress, now=site.now())
        refresh_s = RELOAD_S if making else 0
        digests = self._cache.digests
        for digest in digests:
            if row := self._cache.find_row(digest.name):
                return replace(self._page(site, row, making), refresh_s=refresh_s)
        return render_page(
            site, "empty.html.j2", package="digests.web", digests=digests, making=making, refresh_s=refresh_s
        )

    def of_digest(self, site: Site, ask: PageRequest) -> PageResponse:
        """Return a digest's edition, of a date or the latest, in the format of the URL's suffix. Errors: NotFound."""
        day, suffix = parse_name(ask.params["name"]) if "name" in ask.params else (None, "")
        row = self._cache.find_row(ask.params["digest"], day)
        if row is None:
            raise NotFound(f"There is no edition of this {'date' if day else 'digest'}.")
        if suffix in ("", "html"):
            return self._page(site, row)
        form, kind = FORMS[suffix]
        return PageResponse(body=self._render_file(row, form), media_type=kind)

    def feed(self, site: Site, _ask: PageRequest) -> PageResponse:
        """Return the first digest's Atom feed. Errors: NotFound."""
        digest = self._cache.digests[0]
        row = self._cache.find_row(digest.name)
        if row is None:
            raise NotFound("There is no edition yet.")
        url = digest.url or (None if site.is_static else f"http://{site.settings.web.listen}/digest/{digest.name}")
        return PageResponse(body=self._render_feed(row, url), media_type="application/atom+xml; charset=utf-8")

    def archive(self, site: Site, ask: PageRequest) -> PageResponse:
        """Return the list of a month's editions, by default of the latest month with one. Errors: NotFound."""
        rows = one_a_date(read(site.engine, edition_rows))
        months = list(dict.fromkeys(f"{row.local_date:%Y-%m}" for row in rows))
        wanted = ask.params.get("month") or (months[0] if months else "")
        if "month" in ask.params and wanted not in months:
            raise NotFound("There is no edition of this month.")
        titles = {digest.name: digest.title for digest in self._cache.digests}
        lines = [
            (row, titles.get(row.digest, row.digest), sanitize_line(self._cache.lead_headline(row), limit=200))
            for row in rows
            if f"{row.local_date:%Y-%m}" == wanted
        ]
        return render_page(
            site, "archive.html.j2", package="digests.web", lines=lines, months=months, wanted=wanted, total=len(rows)
        )

    def _feed_bytes(self, row: EditionRow, url: str | None) -> bytes:
        digest = without_recipients(self._cache.digests[0]).model_copy(update={"url": url})
        earlier = read(self._cache.engine, recent_editions, row.digest, before=row.local_date, most=FEED_EDITIONS - 1)
        return render_all(self._cache.load_edition(row), digest, ("atom",), earlier=earlier)[0].body

    def _file_bytes(self, row: EditionRow, form: str) -> bytes:
        digest = without_recipients(self._cache.digest(row.digest))
        return render_all(self._cache.load_edition(row), digest, (form,))[0].body

    def _page(self, site: Site, row: EditionRow, making: tuple[EditionInProgress, ...] = ()) -> PageResponse:
        body = self._render_page(site, row, making, read(site.engine, adjacent_dates, row.digest, row.local_date))
        return PageResponse(body=body, styles=tuple(STYLE.findall(body)))

    def _page_html(
        self,
        site: Site,
        row: EditionRow,
        making: tuple[EditionInProgress, ...],
        adjacent: tuple[date | None, date | None],
    ) -> str:
        """Return an edition's page in the frame of the site."""
        edition, digest = self._cache.load_edition(row), self._cache.digest(row.digest)
        template = environment("digests.web", site.zone).get_template("frame.html.j2")
        module = template.make_module(
            {
                "site": site,
                "edition": edition,
                "making": making,
                "before": adjacent[0],
                "after": adjacent[1],
                "others": [each for each in self._cache.digests if each.name != row.digest],
                "endings": [suffix for suffix in FORMS if suffix != "html"],
            }
        )
        parts = {name: Markup(str(vars(module)[name]())) for name in ("head", "nav", "foot")}
        frame = SiteFrame(**parts, stories=story_urls(edition), briefs=brief_urls(edition))
        return render(edition_view(edition), self._cache.own_templates(digest.templates), frame=frame)


def without_recipients(digest: DigestSettings) -> DigestSettings:
    """Return a digest whose mail names no recipient: who reads the site need not know them."""
    return digest.model_copy(update={"mail": digest.mail.model_copy(update={"to": ()})})


def parse_name(name: str) -> tuple[date, str]:
    """Return the date and the suffix of "2026-11-25.md"; the suffix may be empty."""
    match = NAME.fullmatch(name)
    try:
        if match and (match[2] or "html") in FORMS:
            return date.fromisoformat(match[1]), match[2] or ""
    except ValueError:
        pass
    raise NotFound(f"An edition's address ends with its date, and one of {', '.join(f'.{e}' for e in FORMS)}.")


def story_urls(edition: Edition) -> dict[str, str]:
    """Return the site's URLs of an edition's stories, by their anchors."""
    return {safe_anchor(story.anchor, story.number): f"/story/{story.id}" for story in edition.stories}


def brief_urls(edition: Edition) -> dict[str, str]:
    """Return the site's URLs of an edition's briefs, by the URLs that the edition links to."""
    briefs = (*edition.briefs, *(one for story in edition.stories for one in story.related))
    return {url: f"/story/{brief.id}" for brief in briefs if (url := web_url(brief.url))}


def one_a_date(rows: Iterable[EditionRow]) -> list[EditionRow]:
    """Return one edition for each date and digest: the daily one, else the newest; in the order of `rows`."""
    best: dict[tuple[date, str], EditionRow] = {}
    for row in rows:
        known = best.setdefault((row.local_date, row.digest), row)
        if (row.is_daily, row.made_at) > (known.is_daily, known.made_at):
            best[row.local_date, row.digest] = row
    return list(best.values())
