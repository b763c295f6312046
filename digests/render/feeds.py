"""
Feeds of editions, stories and articles, as JSON Feed 1.1 (jsonfeed.org/version/1.1) and as Atom (RFC 4287).

The content of an item is HTML that loads nothing and runs nothing. The id of an item never changes: it is made from an
edition, from a story in an edition, or from an article, and joining or splitting stories changes none of them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from digests.model.edition import Edition
from digests.model.edition_story import Brief, EditionStory
from digests.render.edition_view import Views, edition_view
from digests.render.escape import language_tag, page_url, sanitize_line, web_url
from digests.render.mail import subject_line
from digests.render.markdown import document
from digests.render.templating import OwnTemplates, html_templates, render_template
from digests.render.view import EditionView, SectionView
from watcher.model import Article

MAX_ITEMS = 50  # of a feed of stories or of articles
TITLE_CHARS, LEAD_CHARS = 300, 600
SHOWN_BRIEFS = ("", "foreign")  # the status of briefs with news
NEVER_UPDATED = "1970-01-01T00:00:00Z"  # when a feed without items was updated: Atom requires a time
MEDIA_TYPES: Mapping[str, str] = {
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}
LinkTo = Callable[[str], str | None]  # returns the URL of the page of a story or of an article; None without a site
JsonFeedItem = dict[str, Any]
MAX_ENTRIES = 15  # editions
TAG_DATE = "2026"  # of the tag: URIs; part of every id, so it never changes (RFC 4151 §2.1)


def render_feed(
    form: str,
    items: Iterable[JsonFeedItem],
    *,
    feed_id: str,
    title: str,
    language: str,
    home: str | None,
    feed_url: str | None,
) -> bytes:
    """Return a feed in a form of `MEDIA_TYPES`. `home`: the URL of its page; `feed_url`: its own URL."""
    feed: JsonFeedItem = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": sanitize_line(title, limit=TITLE_CHARS),
    }
    more = {"home_page_url": home, "feed_url": feed_url, "language": language}
    feed |= {name: value for name, value in more.items() if value} | {"items": list(items)}
    if form == "json":
        return (json.dumps(feed, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    updated = max((item["date_published"] for item in feed["items"]), default=NEVER_UPDATED)
    values = {"feed": feed, "id": feed_id, "updated": updated}
    return render_template(html_templates(()), "site/news.atom.j2", (), values).encode()


def make_item(
    *,
    key: str,
    title: str,
    html: str,
    at: datetime,
    language: str,
    page: str | None,
    source: str | None,
    outlet: str = "",
) -> JsonFeedItem:
    """Return an item without its empty fields. `page`: our page of it, if there is one; `source`: the outlet's."""
    item = {
        "id": key,
        "url": page or source,
        "external_url": source if page else None,
        "title": sanitize_line(title, limit=TITLE_CHARS) or "Untitled",
        "content_html": html,
        "date_published": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "authors": [{"name": outlet}] if outlet else None,
        "language": language,
    }
    return {name: value for name, value in item.items() if value or name == "content_html"}


def edition_items(
    editions: Iterable[Edition], domain: str, folder_url: str | None, own_templates: OwnTemplates = ()
) -> list[JsonFeedItem]:
    """
    Return the items of a feed of editions, with the content of the entries of `render_atom`.

    Args:
        domain: The domain in the ids of the items.
        folder_url: The URL of the folder with the editions' pages; None if there is none: the items have no URL then.
        own_templates: The reader's templates.
    """
    return [
        make_item(
            key=entry["id"],
            title=entry["title"],
            html=entry["content"],
            at=datetime.fromisoformat(entry["made_at"]),
            language=entry["view"].language,
            page=entry["url"],
            source=None,
        )
        for entry in _edition_entries(editions, domain, folder_url, own_templates)
    ]


def story_items(
    editions: Iterable[Edition],
    domain: str,
    link_to: LinkTo,
    own_templates: OwnTemplates = (),
    *,
    section: str = "",
    watched: str = "",
) -> list[JsonFeedItem]:
    """Return the stories of a section, or with a watched phrase, one item for each edition, at most `MAX_ITEMS`."""
    items: list[JsonFeedItem] = []
    for edition in editions:
        whole, views = edition_view(edition), Views(edition)
        bare = replace(whole, sections=(), note="", coming_up=(), corrections=(), briefs=())
        bare = replace(bare, foreign=(), followed=(), quiet=(), gone=())
        for part in edition.sections:
            for story in part.stories:
                if story.status != "quiet" and (watched in story.watched if watched else part.title == section):
                    shown = SectionView(title=part.title, stories=(views.story(story),))
                    items.append(
                        _story_item(edition, story, replace(bare, sections=(shown,)), domain, link_to, own_templates)
                    )
        for brief in edition.all_briefs:
            if watched in brief.watched and brief.status in SHOWN_BRIEFS:
                with_brief = replace(bare, briefs=(views.brief(brief),))
                items.append(_story_item(edition, brief, with_brief, domain, link_to, own_templates))
    return items[:MAX_ITEMS]


def _story_item(
    edition: Edition,
    story: EditionStory | Brief,
    shown: EditionView,
    domain: str,
    link_to: LinkTo,
    own_templates: OwnTemplates,
) -> JsonFeedItem:
    """Return a story of an edition as an item of a feed."""
    return make_item(
        key=tag_uri(domain, edition.digest, f"{edition.local_date}{edition.suffix}", story.id),
        title=story.headline,
        html=document(shown, own_templates)["stories"],
        at=edition.made_at,
        language=shown.language,
        page=link_to(story.id),
        source=web_url(story.url),
    )


def article_item(article: Article, domain: str, link_to: LinkTo, html: Markup | None = None) -> JsonFeedItem:
    """Return the item of an article: `html`, by default the beginning of its text, as a quote with its source."""
    lead = sanitize_line(article.text[: 2 * LEAD_CHARS], limit=LEAD_CHARS)
    outlet, source = sanitize_line(article.outlet, limit=100), web_url(article.url)
    name = Markup('<a href="{}">{}</a>').format(source, outlet) if source else outlet
    quote = Markup("<blockquote><p>{}</p></blockquote>\n<p><cite>{}, {}</cite></p>")
    return make_item(
        key=tag_uri(domain, "article", article.id),
        title=article.title,
        html=quote.format(html or lead, name, f"{article.published_at:%Y-%m-%d %H:%M} UTC"),
        at=article.published_at,
        language=language_tag(article.language),
        page=link_to(article.id),
        source=source,
        outlet=outlet,
    )


def render_atom(
    editions: Iterable[Edition], domain: str, folder_url: str | None, own_templates: OwnTemplates = ()
) -> str:
    """
    Return the feed of the newest `MAX_ENTRIES` of `editions`; of one date and time of day, the first given is used.

    If `domain` changes, all entries are new to feed readers. `folder_url`: of the folder with the feed and the pages.
    """
    entries = _edition_entries(editions, domain, folder_url, own_templates)
    newest = entries[0]
    values = {
        "id": tag_uri(domain, newest["view"].digest),
        "newest": newest,
        "updated": max(entry["made_at"] for entry in entries),
        "self_url": page_url(folder_url, "feed.atom"),
        "entries": entries,
    }
    return render_template(html_templates(own_templates), "feed.atom.j2", own_templates, values)


def _edition_entries(
    editions: Iterable[Edition], domain: str, folder_url: str | None, own_templates: OwnTemplates = ()
) -> tuple[dict[str, Any], ...]:
    """Return the entries of a feed of editions, newest first, as `render_atom` describes them."""
    by_key: dict[tuple[str, str], Edition] = {}
    for edition in editions:
        by_key.setdefault((edition.local_date.isoformat(), edition.suffix), edition)
    newest = [by_key[key] for key in sorted(by_key, reverse=True)[:MAX_ENTRIES]]
    return tuple(_entry(edition, domain, folder_url, own_templates) for edition in newest)


def _entry(edition: Edition, domain: str, folder_url: str | None, own_templates: OwnTemplates) -> dict[str, Any]:
    """Return an edition as an entry of the Atom feed."""
    shown = edition_view(edition)
    doc = document(shown, own_templates)
    title_free = doc["head"].rpartition("</h1>")[2].strip()  # the feed has the digest's title already
    name = f"{edition.local_date.isoformat()}{edition.suffix}"
    return {
        "id": tag_uri(domain, edition.digest, name),
        "view": shown,
        "title": subject_line(shown),
        "made_at": edition.made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "url": page_url(folder_url, f"{name}.html"),
        "content": "\n".join((title_free, doc["stories"], doc["foot"])),
    }


def tag_uri(domain: str, *parts: str) -> str:
    """Return a tag URI of `parts`, which does not change when the site moves (RFC 4151)."""
    path = "/".join(quote(part.encode("utf-8", "replace"), safe="") for part in parts)
    return f"tag:{domain},{TAG_DATE}:watcher/{path}"
