"""The OPDS catalogue (1.2), by which e-readers find the editions as books, and the latest edition as a book."""

from typing import Any

from digests.render.edition_view import edition_view
from digests.render.epub import book_id
from digests.settings.digests import digests_of
from digests.store.editions import EditionRow, edition_rows, find_row, load_edition
from digests.web.editions import has_books, render_form
from watcher.store.writer import read
from watcher.web.site import NotFound, PageRequest, PageResponse, Site, environment

MEDIA_TYPE = "application/atom+xml;profile=opds-catalog;kind=acquisition"
PAGE_EDITIONS = 30


def latest_book(site: Site, _ask: PageRequest) -> PageResponse:
    """Return the latest edition of the first digest that has one, as a book. Errors: NotFound."""
    for digest in digests_of(site.settings):
        if row := read(site.engine, find_row, digest.name):
            return render_form(site, row, "epub")
    raise NotFound("There is no edition yet.")


def catalogue(site: Site, ask: PageRequest) -> PageResponse:
    """Return a page of the catalogue, the newest edition first. Errors: NotFound."""
    page, rows = ask.page(), catalogue_rows(site)
    first = (page - 1) * PAGE_EDITIONS
    shown = rows[first : first + PAGE_EDITIONS]
    if not shown and page > 1:
        raise NotFound("The catalogue has fewer pages.")
    template = environment("digests.web", site.zone).get_template("opds.xml.j2")
    body = template.render(
        title=digests_of(site.settings)[0].title,
        entries=[catalogue_entry(site, row) for row in shown],
        updated=max((row.made_at for row in rows), default=site.now()),
        here=page_path(page),
        previous=page_path(page - 1) if page > 1 else "",
        next=page_path(page + 1) if first + PAGE_EDITIONS < len(rows) else "",
    )
    return PageResponse(body=body, media_type=MEDIA_TYPE)


def catalogue_rows(site: Site) -> list[EditionRow]:
    """Return the editions that the site has as books: all of them, in a static copy those whose digest writes books."""
    return [row for row in read(site.engine, edition_rows) if has_books(site, row.digest)]


def catalogue_entry(site: Site, row: EditionRow) -> dict[str, Any]:
    edition = read(site.engine, load_edition, row)
    return {
        "id": book_id(edition),
        "v": edition_view(edition),
        "made_at": edition.made_at,
        "path": f"digest/{row.digest}/{row.local_date}{row.suffix}.epub",
    }


def catalogue_paths(site: Site) -> list[str]:
    """Return the paths of a static copy: the pages of the catalogue, and the latest book."""
    pages = -(-len(catalogue_rows(site)) // PAGE_EDITIONS)
    return [*(f"/{page_path(page)}" for page in range(1, pages + 1)), *(["/latest.epub"] if pages else [])]


def page_path(page: int) -> str:
    return "opds.xml" if page == 1 else f"opds-{page}.xml"
