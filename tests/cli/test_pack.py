"""The pack of a story: what is in it, that other programs read its citations, and that each changed byte is found."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import warnings
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from digests.cli.pack import check_pack
from digests.model.pack import Pack, PackArticle, PackQuote
from digests.render import pack as render_pack
from digests.stories.pack import load_pack
from tests.cli.test_story import DAY, HOUR, MORNING, edition
from watcher.cli.main import run_command_line
from watcher.model import Response
from watcher.settings.load import settings_model
from watcher.store.articles import compress
from watcher.store.schema import page_records, revisions
from watcher.store.writer import read, write
from watcher.worker.page_record import make_page_record

pytestmark = pytest.mark.slow  # together they take some seconds
QUAKE = (
    "Quake *shakes* Tarvola & Moll. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, Henrik Oster said {}."
    " Some 1,800 people slept in tents near the Dressel bridge."
)
TENTS = (
    "Tarvola sleeps in tents after quake. Families in the Dressel valley spent the night in tents after a quake of "
    "magnitude 5.4 hit Tarvola. Mayor Henrik Oster told our reporter that the bridge would be looked over by engineers."
)


@pytest.fixture
def database() -> str:
    """SQLite alone: the files do not depend on the kind of the store."""
    return "sqlite"


@pytest.fixture
def story(put, engine):
    """Return the story of an edition: a report, a copy of it, and another report whose page was changed and deleted."""
    put("Harbour", QUAKE.format("to the {Post}"), MORNING - 6 * HOUR)
    put("Prairie", QUAKE.format("to the {Post}"), MORNING - 5 * HOUR)
    last = put("Karoo", TENTS, MORNING - 4 * HOUR)
    for kind, text in (("changed", TENTS.replace("5.4", "5.1")), ("gone", "")):
        row = {"article_id": last.id, "at": MORNING + DAY, "kind": kind, "title": last.title if text else ""}
        write(engine, lambda c, row=row, text=text: c.execute(insert(revisions), row | {"text": compress(text)}))
    return edition(engine).stories[0]


@pytest.fixture
def pack(watcher, story, tmp_path) -> Path:
    code, _, err = watcher("story", "1", "--pack", str(tmp_path / "pack"))
    assert (code, err) == (0, ""), err
    return tmp_path / "pack"


@pytest.mark.parametrize("name", ["quake", "quake.zip"])
def test_a_pack_that_is_missing_is_named_without_a_store(tmp_path, capsys, name):
    assert run_command_line(["verify", str(tmp_path / name)]) == 1

    err = capsys.readouterr().err
    assert f"there is no file or folder {tmp_path / name}" in err and "the pack of a story: a folder or zip file" in err


def test_a_pack_tells_the_timeline_first_words_copies_quotations_and_changes(pack, story):
    text = (pack / "story.md").read_text()
    data = json.loads((pack / "pack.json").read_text())
    articles = {article["id"]: article for article in data["articles"]}

    timeline = [line for line in text.split("## ")[1].splitlines() if line.lstrip().startswith("- ")]
    assert [line.startswith("  - ") for line in timeline] == [False, True, False]
    assert "Quake \\*shakes\\* Tarvola" in timeline[0]
    assert articles["prairie-240130"]["copy_of"] == "harbour-240030" and articles["prairie-240130"]["differs"]
    quotes = [(article, quote) for article in data["articles"] for quote in article["quotes"]]
    assert {article["outlet"] for article, quote in quotes if quote["is_first"]} == {"Harbour", "Prairie", "Karoo"}
    for article, quote in quotes:
        said = article["text"][quote["start"] : quote["end"]]
        sha = sha256(said.encode()).hexdigest()
        assert f"characters {quote['start']} to {quote['end']}, SHA-256 {sha}" in text
    assert "> A quake of magnitude 5.4 shook Tarvola" in text
    assert "before: Tarvola sleeps" in text and "magnitude 5.1 hit" in text and "the page is gone" in text


def test_a_changed_line_that_begins_with_a_dash_is_in_the_differences(watcher, put, engine, tmp_path):
    put("Harbour", QUAKE.format("to the {Post}"), MORNING - 6 * HOUR)
    stored = put("Karoo", f"{TENTS}\n- Tents for 1,800 people.", MORNING - 4 * HOUR)
    row = {"article_id": stored.id, "at": MORNING + DAY, "kind": "changed", "title": stored.title}
    text = stored.text.replace("1,800", "2,100")
    write(engine, lambda c: c.execute(insert(revisions), row | {"text": compress(text)}))
    edition(engine)

    watcher("story", "1", "--pack", str(tmp_path / "pack"))

    articles = json.loads((tmp_path / "pack" / "pack.json").read_text())["articles"]
    (change,) = next(article["changes"] for article in articles if article["id"] == stored.id)
    assert [line[:3] for line in change["diff"]] == ["-- ", "+- "]


def test_a_pack_is_verified_without_a_store_or_settings_also_as_a_zip_file(pack, tmp_path, capsys, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(pack, elsewhere / "moved")
    shutil.make_archive(str(elsewhere / "sent"), "zip", elsewhere / "moved")
    (tmp_path / "settings.toml").unlink()
    (tmp_path / "watcher.db").unlink()
    monkeypatch.chdir(elsewhere)
    capsys.readouterr()

    codes = [run_command_line(["verify", name]) for name in ("moved", "sent.zip")]

    out = capsys.readouterr().out
    assert codes == [0, 0] and out.count("all files and quotations are as they were made") == 2
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=elsewhere / "moved", capture_output=True, check=False)
    assert sums.returncode == 0


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_each_changed_byte_of_a_pack_is_found(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("pack")
    with zipfile.ZipFile(io.BytesIO(render_pack.zip_files(SMALL))) as archive:
        archive.extractall(folder)
    path = folder / data.draw(st.sampled_from(sorted(each.name for each in folder.iterdir())))
    body = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))

    before = check_pack(folder)[1]
    path.write_bytes(body)

    assert (before, check_pack(folder)[1] != ()) == ((), True)


@pytest.mark.parametrize("name", ["story.md", "pack.json"])
def test_a_quotation_that_is_changed_in_a_file_and_its_sum_is_found(pack, name):
    changed = (pack / name).read_text().replace("magnitude", "multitude")
    (pack / name).write_text(changed)
    files = {each.name: each.read_bytes() for each in pack.iterdir() if each.name != "SHA256SUMS"}
    if name == "pack.json":  # and in all that is made from the data
        files |= render_pack.render(render_pack.load(changed.encode()))
    for each, body in {**files, "SHA256SUMS": render_pack.sums(files)}.items():
        (pack / each).write_bytes(body)

    faults = check_pack(pack)[1]

    if name == "pack.json":
        assert faults and all("its text does not have the SHA-256" in fault for fault in faults)
    else:
        assert faults == ("story.md: is not what the data in pack.json gives",)


def test_the_pages_of_a_pack_are_a_warc_file_and_cannot_be_exchanged(watcher, story, tmp_path, engine):
    for key in story.article_ids[:2]:
        page = Response(url=f"https://x.example/{key}", moved_to=None, took_s=0.1, status=200, headers=(), body=b"<p>X")
        row = {"article_id": key, "at": MORNING, "record": make_page_record(page, MORNING)}
        write(engine, lambda c, row=row: c.execute(insert(page_records), row))
    folder = tmp_path / "pack"
    code, _, err = watcher("story", "1", "--pack", str(folder))
    check = subprocess.run(
        [sys.executable, "-W", "error", "-m", "warcio.cli", "check", folder / "pages.warc.gz"], capture_output=True
    )
    read_zip = read(engine, load_pack, settings_model()(), story.id, now=MORNING)

    assert (code, err, check_pack(folder)[1]) == (0, "", ())
    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")
    assert "The pages of 2 articles as they were fetched are in pages.warc.gz" in (folder / "story.md").read_text()
    with zipfile.ZipFile(io.BytesIO(render_pack.zip_files(read_zip))) as archive:
        assert archive.read("pages.warc.gz") == (folder / "pages.warc.gz").read_bytes()
    other = make_page_record(page, MORNING)
    files = {each.name: each.read_bytes() for each in folder.iterdir() if each.name != "SHA256SUMS"}
    files["pages.warc.gz"] = other
    (folder / "pages.warc.gz").write_bytes(other)
    (folder / "SHA256SUMS").write_bytes(render_pack.sums(files))
    assert check_pack(folder)[1] == ("pages.warc.gz: the pages do not have the SHA-256 that the pack says",)
    (folder / "pages.warc.gz").unlink()
    assert "pages.warc.gz: is missing" in check_pack(folder)[1]


def test_missing_and_additional_files_of_a_pack_are_found(pack):
    (pack / "citations.bib").unlink()
    (pack / "more.txt").write_text("x")

    faults = check_pack(pack)[1]

    assert "citations.bib: is missing" in faults and "more.txt: is not in SHA256SUMS" in faults


def test_a_pack_is_not_written_over_other_files(watcher, story, pack):
    again = watcher("story", "1", "--pack", str(pack))

    assert again[0] == 1 and "the folder is not empty" in again[2]


def hostile(number: int, title: str, outlet: str, author: str) -> PackArticle:
    at = datetime(2026, 3, 1, 4, 5, tzinfo=UTC)
    return PackArticle(
        id=f"{number:016x}", url="https://one.example/a_b?c=1&d=%7B", outlet=outlet, title=title, authors=(author,),
        agency=None, language="en", country="GB", published_at=at, fetched_at=at, copy_of=None, differs="",
        text_sha256=render_pack.sha256_of(title), text=title, changes=(),
        quotes=(PackQuote(start=0, end=5, is_first=True),),
    )  # fmt: skip


TEXTS = ("100 % {of} \\the $5 #news_ & ^more~", "ER  - ", "@article{x, y}", "خبر 新闻 é", '"quoted" and, more')
PAGES = b"as good as any bytes"
SMALL = Pack(
    id="s1f2e3d4c5b", title="Quake", made_at=datetime(2026, 3, 2, tzinfo=UTC),
    outlets=("A",),
    independent=("A",),
    articles=tuple(hostile(n, text, f"O {text}", f"N {text}") for n, text in enumerate(TEXTS)),
    pages_of=("0" * 16,), pages_sha256=sha256(PAGES).hexdigest(), pages=PAGES,
)  # fmt: skip


def test_rispy_reads_each_record_of_the_ris_file():
    rispy = pytest.importorskip("rispy")

    lines = [" ".join(text.split()) for text in TEXTS]
    records = rispy.loads(render_pack.render(SMALL)["citations.ris"].decode())

    assert [record["title"] for record in records] == lines
    assert [record["authors"] for record in records] == [[f"N {line}"] for line in lines]
    assert {record["year"] for record in records} == {"2026"}
    assert not any("unknown_tag" in record for record in records)


def test_bibtexparser_reads_each_record_of_the_bibtex_file():
    bibtexparser = pytest.importorskip("bibtexparser")

    library = bibtexparser.parse_string(render_pack.render(SMALL)["citations.bib"].decode())

    assert library.failed_blocks == []
    assert [entry.key for entry in library.entries] == [f"watcher-{n:016x}" for n in range(len(TEXTS))]
    assert (
        library.entries[0]["title"]
        == r"{100 \% \{of\} \textbackslash{}the \$5 \#news\_ \& \textasciicircum{}more\textasciitilde{}}"
    )
    assert all(entry["url"] == "https://one.example/a_b?c=1&d=%7B" for entry in library.entries)


def test_citeproc_formats_each_record_of_the_csl_file():
    pytest.importorskip("citeproc")
    from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
    from citeproc.source.json import CiteProcJSON

    records = json.loads(render_pack.render(SMALL)["citations.json"])
    with warnings.catch_warnings(record=True) as caught:
        source = CiteProcJSON(records)
        bibliography = CitationStylesBibliography(
            CitationStylesStyle("harvard-cite-them-right"), source, formatter.plain
        )
        for record in records:
            bibliography.register(Citation([CitationItem(record["id"])]))
        lines = [str(line) for line in bibliography.bibliography()]

    assert len(lines) == len(TEXTS) and any("خبر 新闻 é" in line for line in lines)
    assert [str(each.message) for each in caught if "citeproc" in str(each.filename)] == []


@pytest.mark.skipif(shutil.which("pandoc") is None, reason="pandoc is not installed")
def test_pandoc_makes_documents_and_reads_the_citations(pack):
    texts = {
        name: subprocess.run(
            ["pandoc", "--to=plain", "--wrap=none", str(pack / name)], capture_output=True, check=True
        ).stdout.decode()
        for name in ("story.docx", "story.odt")
    }
    for kind, name in (("biblatex", "citations.bib"), ("ris", "citations.ris"), ("csljson", "citations.json")):
        read = subprocess.run(
            ["pandoc", f"--from={kind}", "--to=csljson", str(pack / name)], capture_output=True, check=True
        )
        assert (len(json.loads(read.stdout)), read.stderr) == (3, b"")

    assert all("Quake *shakes* Tarvola & Moll" in text and "SHA-256" in text for text in texts.values())
