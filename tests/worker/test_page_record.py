"""Pages as they were fetched: kept as records of WARC 1.1 if the settings ask for it, and read by warcio."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from subprocess import run
from sys import executable

import pytest
from sqlalchemy import select
from warcio.archiveiterator import ArchiveIterator

from tests.worker.fakes import feed_xml, page_html
from watcher.model import Response
from watcher.settings.models import StoreSettings
from watcher.store.articles import load_page_records
from watcher.store.schema import articles, page_records
from watcher.store.writer import read
from watcher.worker.page_record import make_page_record

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
PAGE = Response(
    url="https://reader:hush@a.example/été?key=hush&n=1", moved_to=None, took_s=0.1, status=200,
    headers=(("content-type", "text/html; charset=utf-8"), ("content-encoding", "br"), ("content-length", "9"),
             ("set-cookie", "session=hush"), ("transfer-encoding", "chunked"), ("x-note", "caf\xe9")),
    body="<p>Ünï\r\n\r\nWARC/1.0\0".encode(),
)  # fmt: skip


def test_warcio_reads_a_record_with_the_bytes_of_the_page_and_no_secret(tmp_path):
    pages = [PAGE, replace(PAGE, body=b""), replace(PAGE, status=203, headers=())]
    path = tmp_path / "pages.warc.gz"
    path.write_bytes(b"".join(make_page_record(page, NOW) for page in pages))

    checked = run([executable, "-W", "error", "-m", "warcio.cli", "check", path], capture_output=True, text=True)
    found = ArchiveIterator(io.BytesIO(path.read_bytes()))
    records = [(each.rec_headers, each.http_headers, each.content_stream().read()) for each in found]

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert [body for _, _, body in records] == [page.body for page in pages]
    head, http, _ = records[0]
    assert (head.protocol, head["WARC-Type"], head["WARC-Date"]) == ("WARC/1.1", "response", "2026-11-24T06:00:00Z")
    assert head["WARC-Payload-Digest"] and head["WARC-Block-Digest"]
    assert (http.get_statuscode(), http["content-type"]) == ("200", "text/html; charset=utf-8")
    assert (http["content-encoding"], http["content-length"]) == (None, str(len(PAGE.body)))
    assert "hush" not in f"{head}{http}"


@pytest.mark.slow
@pytest.mark.parametrize(("pages", "kept"), [("none", 0), ("cited", 1)])
async def test_a_fetched_page_is_kept_if_the_settings_ask_for_it(world, pages, kept):
    html = page_html("Ferry one")
    world.tools = replace(world.tools, store=StoreSettings(pages=pages))
    world.net.serve(
        "https://a.example/feed", feed_xml("a.example", ["Ferry one", "Ferry lost"], "Words of a feed. " * 40)
    )
    world.net.serve("https://a.example/0", html, Content_Type="text/html")
    world.source("a.example")

    await world.drain()

    engine = world.tools.writer.engine
    ids = read(engine, lambda c: dict(c.execute(select(articles.c.url, articles.c.id)).all()))
    records = read(engine, load_page_records, ids.values())
    assert len(ids) == 2 and list(records) == [ids["https://a.example/0"]][:kept]
    for record in records.values():
        found = next(iter(ArchiveIterator(io.BytesIO(record))))
        assert found.content_stream().read() == html.encode()
    assert read(engine, lambda c: len(c.execute(select(page_records.c.at)).all())) == kept
