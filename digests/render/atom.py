"""The editions of a digest as an Atom feed (RFC 4287): each complete, as HTML that loads and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from digests.model import Edition
from digests.render.edition_view import edition_view
from digests.render.escape import page_url
from digests.render.markdown import document
from digests.render.templating import Own, html_templates, render_template

MAX_ENTRIES = 15  # editions
TAG_DATE = "2026"  # of the tag: addresses; part of every id, so it never changes (RFC 4151 §2.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomSettings:
    """
    What a feed says beyond its editions.

    Attributes:
        domain: Stands in the ids of feed and entries; another one makes every entry new to its readers.
        site: Address of the folder that the feed and the pages stand in, if they stand anywhere.
    """

    domain: str = "localhost"
    site: str | None = None


def render(editions: Iterable[Edition], atom: AtomSettings, own: Own = ()) -> str:
    """Return the feed of the newest 15 of `editions`, the first of each date."""
    of_date: dict[str, Edition] = {}
    for edition in editions:
        of_date.setdefault(edition.local_date.isoformat(), edition)
    newest = [of_date[day] for day in sorted(of_date, reverse=True)[:MAX_ENTRIES]]
    entries = [_entry(edition, atom, own) for edition in newest]
    values = {
        "id": _tag(newest[0].digest, atom),
        "newest": entries[0],
        "updated": max(entry["made_at"] for entry in entries),
        "self_url": page_url(atom.site, "feed.atom"),
        "entries": entries,
    }
    return render_template(html_templates(own), "feed.atom.j2", own, values)


def _entry(edition: Edition, atom: AtomSettings, own: Own) -> dict[str, Any]:
    shown = edition_view(edition)
    doc = document(shown, own)
    title_free = doc.head.rpartition("</h1>")[2].strip()  # the feed has the digest's title already
    day = edition.local_date.isoformat()
    return {
        "id": f"{_tag(edition.digest, atom)}/{day}",
        "view": shown,
        "made_at": edition.made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "url": page_url(atom.site, f"{day}.html"),
        "content": "\n".join((title_free, doc.stories, doc.foot)),
    }


def _tag(digest: str, atom: AtomSettings) -> str:
    """Return a tag URI, which stays the same when the site moves (RFC 4151)."""
    return f"tag:{atom.domain},{TAG_DATE}:watcher/{quote(digest.encode('utf-8', 'replace'), safe='')}"
