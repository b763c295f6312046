"""The archive: the editions of a month, and where the other months are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digests.render import safe
from digests.store.editions import EditionRow, edition_rows
from digests.web.shelf import Shelf
from watcher.store.writer import read
from watcher.web.site import Ask, Missing, Reply, Site
from watcher.web.templating import page_of

MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An edition in the list: its digest's title, and its lead headline."""

    row: EditionRow
    title: str
    lead: str


class Archive:
    """Answers for the months on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def month(self, site: Site, ask: Ask) -> Reply:
        """Answer a month, by default the latest that has an edition."""
        rows = one_a_date(read(site.engine, edition_rows))
        months = list(dict.fromkeys(f"{row.local_date:%Y-%m}" for row in rows))
        wanted = ask.params.get("month") or (months[0] if months else "")
        if "month" in ask.params and (not MONTH.fullmatch(wanted) or wanted not in months):
            raise Missing("There is no edition of this month.")
        titles = {digest.name: digest.title for digest in self._shelf.digests}
        lines = [
            Line(row=row, title=titles.get(row.digest, row.digest), lead=safe.inert(self._shelf.title(row), limit=200))
            for row in rows
            if f"{row.local_date:%Y-%m}" == wanted
        ]
        return page_of(
            site, "archive.html.j2", package="digests.web", lines=lines, months=months, wanted=wanted, total=len(rows)
        )


def one_a_date(rows: tuple[EditionRow, ...]) -> list[EditionRow]:
    """Return the edition of each date and digest that counts: the daily one, else the last made; the latest first."""
    best: dict[tuple[object, str], EditionRow] = {}
    for row in rows:
        key = (row.local_date, row.digest)
        known = best.get(key)
        if known is None or (row.is_daily, row.made_at) > (known.is_daily, known.made_at):
            best[key] = row
    return list(best.values())
