"""Renders a digest's editions as an Atom feed (RFC 4287), each as full HTML that loads nothing and runs nothing."""

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
TAG_DATE = "2026"  # of the tag: URIs; part of every id, so it never changes (RFC 4151 §2.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomSettings:
    domain: str = "localhost"  # part of the ids of feed and entries; if it changes, all entries are new to feed readers
    site: str | None = None  # URL of the folder with the feed and the pages; None if they are not on the web


def render(editions: Iterable[Edition], atom: AtomSettings, own: Own = ()) -> str:
    """Return the feed of the newest `MAX_ENTRIES` of `editions`; of one date, the first given is used."""
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
    title_free = doc["head"].rpartition("</h1>")[2].strip()  # the feed has the digest's title already
    day = edition.local_date.isoformat()
    return {
        "id": f"{_tag(edition.digest, atom)}/{day}",
        "view": shown,
        "made_at": edition.made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "url": page_url(atom.site, f"{day}.html"),
        "content": "\n".join((title_free, doc["stories"], doc["foot"])),
    }


def _tag(digest: str, atom: AtomSettings) -> str:
    """Return a tag URI, which does not change when the site moves (RFC 4151)."""
    return f"tag:{atom.domain},{TAG_DATE}:watcher/{quote(digest.encode('utf-8', 'replace'), safe='')}"
