"""The catalogue for e-readers, and the latest edition as a book."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from digests.web import feeds
from tests.web.conftest import client_of
from tests.web.press import app_of, filled, site_of
from watcher.web.app import export_site

pytestmark = pytest.mark.slow  # fills a store a case

KIND = "application/atom+xml;profile=opds-catalog;kind=acquisition"


def entries(body: bytes) -> list[tuple[str, str, str]]:
    """Return the id, the title and the path of the book of each entry."""
    found = etree.fromstring(body).findall("{*}entry")
    for entry in found:
        (link,) = entry.findall("{*}link")
        assert link.get("rel") == "http://opds-spec.org/acquisition/open-access"
        assert link.get("type") == "application/epub+zip"
        assert entry.findtext("{*}updated") and entry.findtext("{*}author/{*}name") == "World Digest"
    return [(e.findtext("{*}id"), e.findtext("{*}title"), e.find("{*}link").get("href")) for e in found]


def links(body: bytes) -> dict[str, str]:
    found = etree.fromstring(body).findall("{*}link")
    assert {link.get("type") for link in found} == {KIND}
    return {link.get("rel"): link.get("href") for link in found}


async def test_the_catalogue_leads_to_the_book_of_each_edition(client):
    found = await client.get("/opds.xml")
    first, second = entries(found.content)
    book = await client.get(f"/{first[2]}")
    latest = await client.get("/latest.epub")

    assert found.headers["content-type"] == KIND
    assert links(found.content) == {"self": "opds.xml", "start": "opds.xml"}
    assert first[1] == "World Digest No. 2, Wednesday, 25 November 2026" and first[0] != second[0]
    assert book.headers["content-type"] == "application/epub+zip" and latest.content == book.content
    with zipfile.ZipFile(io.BytesIO(book.content)) as archive:
        assert first[0] in archive.read("EPUB/package.opf").decode()
        assert "Mayor Henrik Oster asked for more tents.<" in archive.read("EPUB/story-1.xhtml").decode()
    assert "opds.xml" in (await client.get("/")).text and ".epub" in (await client.get("/")).text


async def test_the_catalogue_has_pages(client, monkeypatch):
    monkeypatch.setattr(feeds, "PAGE_EDITIONS", 1)

    first, last = await client.get("/opds.xml"), await client.get("/opds-2.xml")

    assert links(first.content) == {"self": "opds.xml", "start": "opds.xml", "next": "opds-2.xml"}
    assert links(last.content) == {"self": "opds-2.xml", "start": "opds.xml", "previous": "opds.xml"}
    assert len(entries(first.content)) == len(entries(last.content)) == 1
    assert (await client.get("/opds-3.xml")).status_code == 404


async def test_a_site_without_an_edition_has_an_empty_catalogue_and_no_book(tmp_path):
    settings, engine = filled(tmp_path, days=())
    client = client_of(app_of(site_of(settings, engine)))

    assert entries((await client.get("/opds.xml")).content) == []
    assert (await client.get("/latest.epub")).status_code == 404
    engine.dispose()


def test_a_static_copy_has_books_if_the_digest_writes_them(press, tmp_path):
    def copied(name: str, formats: tuple[str, ...]) -> Path:
        settings, engine, _ = press
        digest = settings.digests.root[0].model_copy(update={"formats": formats})
        section = settings.digests.model_copy(update={"root": (digest,)})
        site = site_of(settings.model_copy(update={"digests": section}), engine, is_static=True)
        export_site(site, tmp_path / name)
        return tmp_path / name

    without, with_books = copied("without", ("html",)), copied("with", ("html", "epub"))

    assert not [*without.rglob("*.epub"), *without.rglob("opds*")]
    assert ".epub" not in (without / "index.html").read_text()
    for _, _, path in entries((with_books / "opds.xml").read_bytes()):
        assert zipfile.is_zipfile(with_books / path)
    assert zipfile.is_zipfile(with_books / "latest.epub")
    assert 'href="digest/world/2026-11-25.epub"' in (with_books / "index.html").read_text()
