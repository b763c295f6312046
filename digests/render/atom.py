"""Renders a digest's editions as an Atom feed (RFC 4287), each as full HTML that loads nothing and runs nothing."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from digests.model import Edition
from digests.render.edition_view import edition_view
from digests.render.escape import page_url
from digests.render.mail import subject_line
from digests.render.markdown import document
from digests.render.templating import Own, html_templates, render_template

MAX_ENTRIES = 15  # editions
TAG_DATE = "2026"  # of the tag: URIs; part of every id, so it never changes (RFC 4151 §2.1)


def render(editions: Iterable[Edition], domain: str, site: str | None, own: Own = ()) -> str:
    """
    Return the feed of the newest `MAX_ENTRIES` of `editions`; of one date and time of day, the first given is used.

    If `domain` changes, all entries are new to feed readers. `site`: the URL of the folder with the feed and the pages.
    """
    entries = edition_entries(editions, domain, site, own)
    newest = entries[0]
    values = {
        "id": tag_uri(domain, newest["view"].digest),
        "newest": newest,
        "updated": max(entry["made_at"] for entry in entries),
        "self_url": page_url(site, "feed.atom"),
        "entries": entries,
    }
    return render_template(html_templates(own), "feed.atom.j2", own, values)


def edition_entries(
    editions: Iterable[Edition], domain: str, site: str | None, own: Own = ()
) -> tuple[dict[str, Any], ...]:
    """Return the entries of a feed of editions, newest first, as `render` describes them."""
    by_key: dict[tuple[str, str], Edition] = {}
    for edition in editions:
        by_key.setdefault((edition.local_date.isoformat(), edition.suffix), edition)
    newest = [by_key[key] for key in sorted(by_key, reverse=True)[:MAX_ENTRIES]]
    return tuple(_entry(edition, domain, site, own) for edition in newest)


def _entry(edition: Edition, domain: str, site: str | None, own: Own) -> dict[str, Any]:
    shown = edition_view(edition)
    doc = document(shown, own)
    title_free = doc["head"].rpartition("</h1>")[2].strip()  # the feed has the digest's title already
    name = f"{edition.local_date.isoformat()}{edition.suffix}"
    return {
        "id": tag_uri(domain, edition.digest, name),
        "view": shown,
        "title": subject_line(shown),
        "made_at": edition.made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "url": page_url(site, f"{name}.html"),
        "content": "\n".join((title_free, doc["stories"], doc["foot"])),
    }


def tag_uri(domain: str, *parts: str) -> str:
    """Return a tag URI of `parts`, which does not change when the site moves (RFC 4151)."""
    path = "/".join(quote(part.encode("utf-8", "replace"), safe="") for part in parts)
    return f"tag:{domain},{TAG_DATE}:watcher/{path}"
