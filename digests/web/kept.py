"""What the reader keeps: its page with a search, its feed, and the forms that keep; the page of a link in a mail."""

import hmac
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import Connection

from digests.model.kept_item import KeptItem
from digests.render import feeds
from digests.render.escape import language_tag
from digests.settings.digests import digests_of
from digests.store.marks import load_link_key, load_marks
from digests.stories.marks import find_item, keep, load_kept, sign_story, unkeep
from digests.web.feeds import domain_of, feed_response, find_story, link_to
from digests.web.search import QUERY_CHARS
from watcher.store.writer import read, write
from watcher.web.auth import SIGNED
from watcher.web.site import NotFound, PageRequest, PageResponse, Site, render_page

PAGE_ITEMS = 40


def kept_page(site: Site, ask: PageRequest) -> PageResponse:
    """Return a page of the list of what was kept, filtered by words and tag."""
    words, tag, at = ask.query.get("q", "")[:QUERY_CHARS].strip(), ask.query.get("tag", "")[:100], ask.page()
    found = read(site.engine, load_kept, words=words, tag=tag)
    first = (at - 1) * PAGE_ITEMS
    return render_page(
        site,
        "kept.html.j2",
        package="digests.web",
        words=words,
        tag=tag,
        tags=sorted({tag for mark in read(site.engine, load_marks) for tag in mark.tags}, key=str.lower),
        rows=found[first : first + PAGE_ITEMS],
        lang_of=language_tag,
        total=len(found),
        at=at,
        more=len(found) > first + PAGE_ITEMS,
        query=urlencode({"q": words, "tag": tag}),
    )


def kept_feed(site: Site, ask: PageRequest) -> PageResponse:
    """Return the feed of what was kept last. Errors: NotFound, for an unknown form."""
    tag = ask.query.get("tag", "")[:100]
    digest, found = digests_of(site.settings)[0], read(site.engine, load_kept, tag=tag)
    items = [_feed_item(ask, item, domain_of(digest)) for item in found[: feeds.MAX_ITEMS]]
    query = {"tag": tag} if tag else {}
    return feed_response(ask, items, ("kept", *query.values()), "Kept", "kept", query, digest)


def _feed_item(ask: PageRequest, item: KeptItem, domain: str) -> feeds.JsonFeedItem:
    """Return a kept item as an item of the feed."""
    lines = [*item.note.splitlines(), " ".join(f"#{tag}" for tag in item.tags)]
    return feeds.make_item(
        key=feeds.tag_uri(domain, "kept", item.kind, item.key),
        title=item.title,
        html=Markup("").join(Markup("<p>{}</p>").format(line) for line in lines if line),
        at=item.kept_at,
        language=language_tag(item.language),
        page=link_to(ask, item.kind)(item.id),
        source=item.article.url if item.article else None,
        outlet=item.outlet,
    )


def keep_from_form(site: Site, ask: PageRequest) -> PageResponse:
    """Keep the story or article of a form, keep it no longer, or save its tags and note."""
    wanted = ask.params["item"]
    tags = ask.form["tags"].split(",") if "tags" in ask.form else None
    if ask.form.get("keep") == "no":
        item, _ = write(site.engine, unkeep, wanted)
    else:
        item, _ = write(site.engine, keep, wanted, tags=tags, note=ask.form.get("note"), now=site.now())
    return PageResponse(redirect_to=f"/{item.kind}/{item.id}")


def keep_link_page(site: Site, ask: PageRequest) -> PageResponse:
    """Return the page of a link in a mail, which changes nothing. Errors: NotFound, for a wrong signature."""
    item, is_kept = read(site.engine, _load_signed, site, ask)
    return render_page(site, "keep_link.html.j2", package="digests.web", has_form=True, item=item, is_kept=is_kept)


def keep_by_link(site: Site, ask: PageRequest) -> PageResponse:
    """Keep the story of a link in a mail. Errors: NotFound, for a wrong signature."""
    item, _ = read(site.engine, _load_signed, site, ask)
    write(site.engine, keep, item.id, now=site.now())
    return PageResponse(redirect_to=f"{SIGNED}keep/{ask.params['story']}/{ask.params['signature']}")


def _load_signed(connection: Connection, site: Site, ask: PageRequest) -> tuple[KeptItem, bool]:
    """Return the story of a signed link, and whether it is kept. Errors: NotFound."""
    story, key = ask.params["story"], load_link_key(connection)
    if not key or not hmac.compare_digest(sign_story(key, story).encode(), ask.params["signature"].encode()):
        raise NotFound("This link is not valid.")
    _, row = find_story(connection, story)
    return find_item(connection, row.id, now=site.now())
