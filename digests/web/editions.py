"""The pages of editions: today's, each of the archive in its forms, and the Atom feed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from markupsafe import Markup

from digests.edition.publish import render_all
from digests.model import Edition
from digests.render import safe
from digests.render.edition import view
from digests.render.html import Frame, render
from digests.settings.digests import DigestSettings
from digests.store.editions import EditionInProgress, EditionRow, adjacent_dates, editions_in_progress, recent_editions
from digests.web.shelf import Shelf
from watcher.store.writer import read
from watcher.web.site import Ask, Missing, Reply, Site
from watcher.web.templating import environment, page_of

# The ending of a form's address, the form, and its media type.
FORMS: Mapping[str, tuple[str, str]] = {
    "html": ("html", "text/html; charset=utf-8"),
    "md": ("markdown", "text/markdown; charset=utf-8"),
    "json": ("json", "application/json"),
    "eml": ("eml", "message/rfc822"),
    "txt": ("text", "text/plain; charset=utf-8"),
}
IN_FEED = 5  # editions
MAKING_S = 5  # after which the page of today is loaded anew while an edition is being made
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.([a-z]{2,4}))?", re.ASCII)


class Editions:
    """Answers for the editions on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def today(self, site: Site, _ask: Ask) -> Reply:
        """Answer the latest edition of the first digest that has one; what is being made is said."""
        making = () if site.is_static else read(site.engine, editions_in_progress, now=site.now())
        for digest in self._shelf.digests:
            if row := self._shelf.row(digest.name):
                return replace(self._page(site, row, making=making), refresh_s=MAKING_S if making else 0)
        refresh_s = MAKING_S if making else 0
        digests = self._shelf.digests
        return page_of(
            site, "empty.html.j2", package="digests.web", digests=digests, making=making, refresh_s=refresh_s
        )

    def latest(self, site: Site, ask: Ask) -> Reply:
        """Answer the latest edition of a digest."""
        row = self._shelf.row(ask.params["digest"])
        if row is None:
            raise Missing("There is no edition of this digest.")
        return self._page(site, row)

    def of_date(self, site: Site, ask: Ask) -> Reply:
        """Answer the edition of a date, in the form that the ending of its address says."""
        day, ending = day_and_ending(ask.params["name"])
        row = self._shelf.row(ask.params["digest"], day)
        if row is None:
            raise Missing("There is no edition of this date.")
        if ending in ("", "html"):
            return self._page(site, row)
        form, kind = FORMS[ending]
        return Reply(body=self._shelf.made.get((row, form), lambda: self._form(row, form)), kind=kind)

    def feed(self, site: Site, _ask: Ask) -> Reply:
        """Answer the first digest's Atom feed."""
        digest = self._shelf.digests[0]
        row = self._shelf.row(digest.name)
        if row is None:
            raise Missing("There is no edition yet.")
        if digest.url is None and not site.is_static:
            url = f"http://{site.settings.web.listen}/digest/{digest.name}"
            digest = digest.model_copy(update={"url": url})
        body = self._shelf.made.get((row, "atom", site.is_static), lambda: self._atom(row, digest))
        return Reply(body=body, kind="application/atom+xml; charset=utf-8")

    def _atom(self, row: EditionRow, digest: DigestSettings) -> bytes:
        earlier = read(
            self._shelf.engine,
            recent_editions,
            digest.name,
            before=row.local_date,
            most=IN_FEED - 1,
        )
        made = render_all(self._shelf.whole(row), addressed_to_nobody(digest), ("atom",), earlier=earlier)
        return made[0].body

    def _form(self, row: EditionRow, form: str) -> bytes:
        digest = addressed_to_nobody(self._shelf.digest(row.digest))
        return render_all(self._shelf.whole(row), digest, (form,))[0].body

    def _page(self, site: Site, row: EditionRow, *, making: tuple[EditionInProgress, ...] = ()) -> Reply:
        """Return an edition's page in the frame of the site."""
        key = (row, "page", making, read(site.engine, adjacent_dates, row.digest, row.local_date))
        body = self._shelf.made.get(key, lambda: self._framed(site, row, making, key[3]))
        return Reply(body=body, styles=tuple(STYLE.findall(body)))

    def _framed(
        self,
        site: Site,
        row: EditionRow,
        making: tuple[EditionInProgress, ...],
        beside: tuple[date | None, date | None],
    ) -> str:
        edition, digest = self._shelf.whole(row), self._shelf.digest(row.digest)
        parts = environment("digests.web", site.zone).get_template("frame.html.j2")
        others = [each for each in self._shelf.digests if each.name != row.digest]
        module = parts.make_module(
            {
                "site": site, "edition": edition, "making": making, "before": beside[0], "after": beside[1],
                "others": others, "endings": [ending for ending in FORMS if ending != "html"],
            }
        )  # fmt: skip
        made = vars(module)
        pieces = {name: Markup(str(made[name]())) for name in ("head", "nav", "foot")}
        frame = Frame(**pieces, stories=stories_at(edition), briefs=briefs_at(edition))
        return render(view(edition), self._shelf.own(digest), frame=frame)


def addressed_to_nobody(digest: DigestSettings) -> DigestSettings:
    """Return a digest whose mail names no recipient: who reads the site need not know them."""
    return digest.model_copy(update={"mail": digest.mail.model_copy(update={"to": ()})})


def day_and_ending(name: str) -> tuple[date, str]:
    """Return what "2026-11-25.md" means."""
    match = NAME.fullmatch(name)
    try:
        if match and (match[2] or "html") in FORMS:
            return date.fromisoformat(match[1]), match[2] or ""
    except ValueError:
        pass
    raise Missing(f"An edition's address ends with its date, and one of {', '.join(f'.{e}' for e in FORMS)}.")


def stories_at(edition: Edition) -> dict[str, str]:
    """Return where the site has an edition's stories, by their anchors."""
    return {safe.anchor(story.anchor, story.number): f"/story/{story.id}" for story in edition.stories}


def briefs_at(edition: Edition) -> dict[str, str]:
    """Return where the site has the stories that an edition tells in a line, by their URLs as it links them."""
    briefs = (*edition.briefs, *(one for story in edition.stories for one in story.related))
    return {url: f"/story/{brief.id}" for brief in briefs if (url := safe.web_url(brief.url))}
