"""The pages of editions: the latest, each edition in its formats, and the archive."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from digests.edition.publish import load_own_templates, render_files, with_mail_to
from digests.model.edition import Edition
from digests.model.ledger import STORY_KINDS
from digests.render.edition_view import edition_view
from digests.render.epub import MEDIA_TYPE
from digests.render.escape import safe_anchor, sanitize_line, web_url
from digests.render.html import SiteFrame, render
from digests.settings.digests import DigestSettings, digests_of
from digests.store import editions
from digests.store.editions import EditionInProgress, EditionRow
from digests.store.keys import EditionKey
from digests.store.stories import existing_ids
from watcher.store.writer import read
from watcher.text.format import format_count
from watcher.web.site import NotFound, PageRequest, PageResponse, Site, make_environment, name_zone, render_page

# The suffix of a format in URLs: the format, its media type, and its name for readers.
EDITION_FORMS: Mapping[str, tuple[str, str, str]] = {
    "html": ("html", "text/html; charset=utf-8", "Page"),
    "md": ("markdown", "text/markdown; charset=utf-8", "Markdown"),
    "json": ("json", "application/json", "Data"),
    "eml": ("eml", "message/rfc822", "Mail"),
    "txt": ("text", "text/plain; charset=utf-8", "Text"),
    "epub": ("epub", MEDIA_TYPE, "Book"),
}
RELOAD_S = 5  # of the latest page while an edition is being built
STYLE = re.compile(r"<style[^<>]*>(.*?)(?:</style>|\Z)", re.DOTALL)
EDITION_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(-\w{1,8})?(?:\.([a-z]{2,4}))?", re.ASCII)


def latest_edition_page(site: Site, _ask: PageRequest) -> PageResponse:
    """
    Return the page of the newest edition of the first digest that has one, or a page that says that there is none.
    """
    making = () if site.is_static else read(site.engine, editions.editions_in_progress, now=site.now())
    refresh_s = RELOAD_S if making else 0
    known = digests_of(site.settings)
    for digest in known:
        if row := read(site.engine, editions.find_row, digest.name):
            return replace(_edition_page(site, row, making), refresh_s=refresh_s)
    return render_page(
        site,
        "empty.html.j2",
        package="digests.web",
        refresh_s=refresh_s,
        digests=known,
        making=making,
        date_of=format_edition_date,
    )


def edition_response(site: Site, ask: PageRequest) -> PageResponse:
    """Return a digest's edition, of a date or the latest, in the format of the URL's ending. Errors: NotFound."""
    row, ending = _find_row(site, ask)
    return _edition_page(site, row) if ending in ("", "html") else render_form(site, row, ending)


def find_edition(site: Site, ask: PageRequest) -> tuple[EditionRow, Edition]:
    """Return the edition that a URL names. Errors: NotFound."""
    row, _ = _find_row(site, ask)
    return row, read(site.engine, editions.load_edition, row)


def _find_row(site: Site, ask: PageRequest) -> tuple[EditionRow, str]:
    """Return the edition that a URL names, by default the latest of its digest, and the URL's ending; may be empty."""
    day, suffix, ending = _parse_name(ask.params["name"]) if "name" in ask.params else (None, "", "")
    row = read(site.engine, editions.find_row, ask.params["digest"], day, suffix=suffix)
    if row is None:
        raise NotFound(f"There is no edition for this {'date' if day else 'digest'}.")
    return row, ending


def render_form(site: Site, row: EditionRow, ending: str) -> PageResponse:
    form, kind, _ = EDITION_FORMS[ending]
    edition = read(site.engine, editions.load_edition, row)
    # Who reads the site need not know the recipients of the mail.
    (rendered,) = render_files(site.engine, edition, with_mail_to(digest_of(site, edition.digest), ()), (form,))
    return PageResponse(body=rendered.body, media_type=kind)


def archive(site: Site, ask: PageRequest) -> PageResponse:
    """Return the list of a month's editions, by default of the latest month with one. Errors: NotFound."""
    rows = read(site.engine, editions.edition_rows)
    months = {f"{row.local_date:%Y-%m}": f"{row.local_date:%B %Y}" for row in rows}
    wanted = ask.params.get("month") or next(iter(months), "")
    if "month" in ask.params and wanted not in months:
        raise NotFound("There is no edition for this month.")
    of_month = [row for row in rows if f"{row.local_date:%Y-%m}" == wanted]
    lines = [_archive_line(row, read(site.engine, editions.load_edition, row)) for row in of_month]
    return render_page(
        site, "archive.html.j2", package="digests.web", lines=lines, months=months, wanted=wanted, total=len(rows)
    )


def _archive_line(row: EditionRow, edition: Edition) -> dict[str, Any]:
    """Return an edition for the list: with the title that it was made with, and its first headline."""
    lead = next((story.headline for story in edition.stories), "")
    return {
        "row": row,
        "date": format_edition_date(row, edition.timezone, near=row.local_date),
        "title": sanitize_line(edition.title, limit=200),
        "lead": sanitize_line(lead, limit=200),
    }


def format_edition_date(key: EditionKey, timezone: str = "", *, near: date | None = None) -> str:
    """
    Return an edition's date, and its time of day unless it is the daily one: "10 March 2026, 17:00".

    The year is left out if it is that of `near`. With a `timezone`, its name follows the time.
    """
    day, time = key.local_date, key.slot.time
    words = f"{day.day} {day:%B}{'' if near and near.year == day.year else f' {day.year}'}"
    if time is None:
        return words
    zone = f" {name_zone(datetime.combine(day, time, ZoneInfo(timezone)))}" if timezone else ""
    return f"{words}, {time:%H:%M}{zone}"


def _edition_page(site: Site, row: EditionRow, making: tuple[EditionInProgress, ...] = ()) -> PageResponse:
    """Return the page of an edition; `making` are the editions that are being made now."""
    edition = read(site.engine, editions.load_edition, row)
    before, after = read(site.engine, editions.adjacent_editions, row)
    digest = digest_of(site, edition.digest)
    template = make_environment("digests.web", site.zone).get_template("frame.html.j2")
    module = template.make_module(
        {
            "site": site,
            "edition": edition,
            "row": row,
            "making": making,
            "before": before,
            "after": after,
            "here": "/archive" if after else "/",
            "others": [each for each in digests_of(site.settings) if each.name != edition.digest],
            "watched": digest.watch,
            "forms": {ending: EDITION_FORMS[ending][2] for ending in other_endings(site, edition.digest)},
            "left_out": count_left_out(edition),
            "date_of": partial(format_edition_date, near=row.local_date),
        }
    )
    parts = {name: Markup(str(vars(module)[name]())) for name in ("head", "nav", "foot")}
    ids = {*(story.id for story in edition.stories), *(brief.id for brief in edition.all_briefs)}
    links = {key: f"/story/{key}" for key in read(site.engine, existing_ids, ids)}
    briefs = ((web_url(brief.url), brief.id) for brief in edition.all_briefs)
    frame = SiteFrame(
        **parts,
        stories={
            safe_anchor(story.anchor, story.number): links[story.id] for story in edition.stories if story.id in links
        },
        briefs={url: links[key] for url, key in briefs if url and key in links},
    )
    body = render(edition_view(edition), load_own_templates(digest.templates), frame=frame)
    return PageResponse(body=body, styles=tuple(STYLE.findall(body)))


def count_left_out(edition: Edition) -> str:
    """Return "2,152 stories and 551 articles", as the ledger counts them; "" if nothing is left out."""
    stories = sum(each.count for each in edition.ledger.left_out if each.kind in STORY_KINDS)
    articles = sum(each.count for each in edition.ledger.left_out if each.kind not in STORY_KINDS)
    named = ((stories, "story", "stories"), (articles, "article", "articles"))
    return " and ".join(format_count(count, one, many) for count, one, many in named if count)


def digest_of(site: Site, name: str) -> DigestSettings:
    """Return the settings of a digest; those of the first digest if the settings no longer have it."""
    known = digests_of(site.settings)
    return next((digest for digest in known if digest.name == name), known[0])


def other_endings(site: Site, digest: str) -> list[str]:
    """Return the endings of the forms that the site has of a digest's editions besides the page."""
    return [ending for ending in EDITION_FORMS if ending != "html" and (ending != "epub" or has_books(site, digest))]


def has_books(site: Site, digest: str) -> bool:
    """Whether the site has a digest's editions as books; a static copy has those that the digest writes itself."""
    return not site.is_static or "epub" in digest_of(site, digest).formats


def _parse_name(name: str) -> tuple[date, str, str]:
    """Return the date, the suffix and the ending of "2026-11-25-150000.md"; both may be empty. Errors: NotFound."""
    match = EDITION_NAME.fullmatch(name)
    try:
        if match and (match[3] or "html") in EDITION_FORMS:
            return date.fromisoformat(match[1]), match[2] or "", match[3] or ""
    except ValueError:
        pass
    raise NotFound(f"The URL of an edition ends with its date, and one of {', '.join(f'.{e}' for e in EDITION_FORMS)}.")
