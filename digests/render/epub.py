"""Renders an edition as an EPUB 3 book: cover, contents, and each story with its timeline and one full text."""

import io
import re
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from lxml import etree
from lxml import html as lxml_html
from markupsafe import Markup
from rich.cells import cell_len, chop_cells

from digests.model.edition import Edition
from digests.model.edition_story import EditionStory
from digests.render.edition_view import Views, outlet_name
from digests.render.escape import language_tag, sanitize_line, sanitize_paragraphs, web_url
from digests.render.localizer import Localizer, language_direction
from digests.render.markdown import NO_URLS, document
from digests.render.templating import OwnTemplates, html_templates, render_template
from digests.render.view import EditionView, LangAttr, StoryView
from watcher.model import Article
from watcher.text.page_kind import DOUBTFUL

MEDIA_TYPE = "application/epub+zip"
MAX_CANDIDATES = 6  # reports of a story of which one is shown in full
MAX_TEXT_BYTES = 120_000  # of one full text; a page that is much larger is slow on an e-reader
COVER_WIDTH, COVER_HEIGHT, COVER_MARGIN = 600, 800, 48
# By the kind of a line of the cover: size of its letters, lines at most, and the space above it.
COVER_KINDS = {"title": (56, 3, 24), "date": (24, 2, 8), "headline": (26, 3, 18)}
LINE_HEIGHT, CELL_EM = 1.22, 0.56  # of the size; the width of a Latin letter, half of a Chinese one
MAX_PARAGRAPH = MAX_TEXT_BYTES // 4  # characters: `sanitize_paragraphs` cuts longer ones
# The time of each file in the archive, so that the same edition gives the same bytes.
ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)
# The end of a title that names its outlet: " - Harbour Gazette".
OUTLET_ENDING = re.compile(r"\s[-–—|]\s[^-–—|]{1,40}$")
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
OWN_LANGUAGE = LangAttr()
CONTAINER = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentsEntry:
    """A line of the table of contents, and the lines below it."""

    title: str
    href: str
    lang_attr: LangAttr = OWN_LANGUAGE
    children: tuple["ContentsEntry", ...] = ()


def render(
    edition: Edition, view: EditionView, articles: Mapping[str, Article], own_templates: OwnTemplates = ()
) -> bytes:
    """
    Return the book; always the same bytes, and nothing in it loads or runs.

    `articles`: those of `full_text_candidates` that are stored, by id. Own templates change the text of the edition,
    not the frame of the book.
    """
    views, whole = Views(edition), document(view, own_templates)
    pages: dict[str, str] = {}
    places: dict[str, str] = {}  # the page of each anchor
    contents: list[ContentsEntry] = []
    bare = replace(view, note="", coming_up=(), corrections=(), briefs=(), foreign=(), followed=(), quiet=(), gone=())
    stored_sections = [section for section in edition.sections if section.stories]
    sections = [section for section in view.sections if section.stories]
    for section, stored in zip(sections, stored_sections, strict=True):
        entries = []
        for story, source in zip(section.stories, stored.stories, strict=True):
            name = f"story-{len(pages) + 1}.xhtml"
            alone = replace(bare, sections=(replace(section, stories=(story,)),))
            body = _to_xhtml(document(alone, own_templates)["stories"])
            pages[name] = _story_page(view, story, source, body, views, articles)
            places[story.anchor] = name
            title = f"{story.number}. {story.title}"
            entries.append(ContentsEntry(title=title, href=name, lang_attr=story.lang_attr))
        title = section.title or view.words["in_this_edition"]
        contents.append(ContentsEntry(title=title, href=entries[0].href, children=tuple(entries)))
    bare = replace(view, sections=tuple(replace(section, stories=()) for section in view.sections[:1] if view.followed))
    rest = lxml_html.fragment_fromstring(document(bare, own_templates)["stories"], create_parent="div")
    if pages:  # the document of the rest says that there are no stories
        for line in rest.find_class("empty"):
            line.drop_tree()
    for n, heading in enumerate(rest.iter("h2"), start=1):
        heading.set("id", f"part-{n}")
        if title := heading.text_content().strip():
            contents.append(ContentsEntry(title=title, href=f"rest.xhtml#part-{n}"))
    if len(rest):
        pages["rest.xhtml"] = _page(view, view.words["also_reported"], _xhtml_of(rest))
    about = view.words["about"]
    pages["about.xhtml"] = _page(view, about, _to_xhtml(whole["foot"]), heading=about)
    contents.append(ContentsEntry(title=about, href="about.xhtml"))
    values = {
        "v": view,
        "w": view.words,
        "head": _to_xhtml(whole["head"], places),
        "contents": contents,
        "pages": tuple(pages),
    }
    values |= {"id": book_id(edition), "modified": f"{edition.made_at:%Y-%m-%dT%H:%M:%SZ}"}
    values |= {"cover": _cover_lines(view), "width": COVER_WIDTH, "margin": COVER_MARGIN}
    frame = {
        name: render_template(html_templates(()), f"epub/{name}.j2", (), values)
        for name in ("cover.svg", "cover.xhtml", "package.opf", "nav.xhtml", "toc.ncx")
    }
    css = (files("digests.render") / "templates" / "epub" / "book.css").read_text("utf-8")
    inside = {f"EPUB/{name}": text for name, text in (frame | {"book.css": css} | pages).items()}
    return _pack({"META-INF/container.xml": CONTAINER} | inside)


def book_id(edition: Edition) -> str:
    """Return the URN of the book of an edition: it is the same for each rendering, and another for each edition."""
    name = f"watcher/{edition.digest}/{edition.local_date}/{edition.made_at.isoformat()}"
    return uuid.uuid5(uuid.NAMESPACE_URL, name.encode("utf-8", "replace").decode()).urn


def full_text_candidates(story: EditionStory) -> tuple[str, ...]:
    """
    Return the ids of the story's first reports in the language of its very first one, which its summary quotes.

    The origin of a copy comes before the copy.
    """
    mentions = [mention for mention in story.mentions if mention.article_id not in story.withheld]
    alike = (mention for mention in mentions if mention.language == mentions[0].language)
    keys = dict.fromkeys(key for mention in alike for key in (mention.copy_of, mention.article_id))
    return tuple(key for key in keys if key and key not in story.withheld)[:MAX_CANDIDATES]


def _find_best_report(story: EditionStory, articles: Mapping[str, Article]) -> Article | None:
    """Return the report to show in full: the first candidate with a complete text, else the first one with a text."""
    reports = [articles[key] for key in full_text_candidates(story) if key in articles]
    usable = [article for article in reports if article.kind != DOUBTFUL and article.text.strip()]
    return min(usable, key=lambda article: article.is_truncated, default=None)


def _to_xhtml(source: str, places: Mapping[str, str] = NO_URLS) -> Markup:
    """Return clean HTML as XHTML."""
    return _xhtml_of(lxml_html.fragment_fromstring(source, create_parent="div"), places)


def _xhtml_of(root: lxml_html.HtmlElement, places: Mapping[str, str] = NO_URLS) -> Markup:
    """
    Return an element as XHTML, without repeated ids, empty headings and links to places that are not in it.

    `places`: the pages of the book by the anchors that links lead to.
    """
    ids: set[str] = set()
    for element in root.iterfind(".//*[@id]"):
        if element.get("id") in ids:
            del element.attrib["id"]
        else:
            ids.add(element.get("id"))
    for link in root.iterfind(".//a[@href]"):
        anchor = link.get("href")[1:] if link.get("href").startswith("#") else ""
        if anchor in places:
            link.set("href", places[anchor])
        elif anchor and anchor not in ids:
            del link.attrib["href"]
        else:
            link.set("href", _strict_url(link.get("href")))
    for heading in tuple(root.iter("h1", "h2", "h3")):
        if not heading.text_content().strip():
            heading.drop_tree()
    return Markup(etree.tostring(root, encoding="unicode", method="xml", with_tail=False))


def _strict_url(url: str) -> str:
    """Return a URL without a "%" that encodes nothing and a second "#": browsers accept them, EPUBCheck does not."""
    place, mark, fragment = STRAY_PERCENT.sub("%25", url).partition("#")
    return place + mark + fragment.replace("#", "%23")


def _story_page(
    view: EditionView,
    story: StoryView,
    source: EditionStory,
    body: Markup,
    views: Views,
    articles: Mapping[str, Article],
) -> str:
    """Return the XHTML page of a story: its texts, a timeline of the outlets, and the full text of its best report."""
    began_at, words = source.first_seen_at, view.words
    is_older = all(began_at < mention.published_at for mention in source.mentions)
    began = words.say("first_report", time=words.clock(began_at)) if is_older else ""
    report = _find_best_report(source, articles)
    text = None if report is None else _full_text(report, words)
    titles = [story.title, *(voice.headline for voice in story.perspectives)]
    titles += [story.original.text] if story.original else []
    seen = set(map(_title_key, titles))
    timeline = []
    for line in views.timeline(source):
        timeline.append(replace(line, text="") if _title_key(line.text) in seen else line)
        seen.add(_title_key(line.text))
    if text and _title_key(text["title"]) in seen:
        text["title"] = ""
    return _page(view, story.title, body, story=story, timeline=timeline, began=began, text=text)


def _title_key(title: str) -> str:
    """Return what a title has in common with the same title elsewhere: without the outlet at its end."""
    return OUTLET_ENDING.sub("", title).casefold().strip()


def _cover_lines(view: EditionView) -> list[dict[str, Any]]:
    """Return the lines of the cover, each with its place, size and kind: title, date, and the first headlines."""
    lines: list[dict[str, Any]] = []
    y = COVER_MARGIN
    number = view.words.say("number", n=view.number) if view.number else ""
    blocks = [("title", view.title or "Watcher", view.dir)]
    blocks += [("date", text, view.dir) for text in (view.long_date, number) if text]
    blocks += [("headline", story.title, story.lang_attr.dir or view.dir) for story in view.stories]
    for kind, text, direction in blocks:
        size, max_lines, gap = COVER_KINDS[kind]
        wrapped = _wrap(text, int((COVER_WIDTH - 2 * COVER_MARGIN) / size / CELL_EM), max_lines)
        y += gap
        if y + size * LINE_HEIGHT * len(wrapped) > COVER_HEIGHT - COVER_MARGIN:
            break
        for line in wrapped:
            y += round(size * LINE_HEIGHT)
            lines.append({"kind": kind, "text": line, "size": size, "y": y, "dir": direction})
    return lines


def _wrap(text: str, cells: int, max_lines: int) -> list[str]:
    """Return a text in lines of at most `cells`; a longer word is broken, and "…" ends what is cut."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if cell_len(joined) <= cells:
            lines[-1] = joined
            continue
        pieces = chop_cells(word, cells)
        lines += pieces if lines[-1] else []
        lines = lines if lines[-1] else pieces
    return lines if len(lines) <= max_lines else [*lines[: max_lines - 1], f"{lines[max_lines - 1]} …"]


def _full_text(article: Article, words: Localizer) -> dict[str, Any]:
    """Return the values that the page's template shows of a report; `is_cut`: the outlet's page has more."""
    paragraphs, bytes_left = sanitize_paragraphs(article.text, max_bytes=MAX_TEXT_BYTES)
    agency = sanitize_line(article.agency or "", limit=80)
    title = sanitize_line(article.title, limit=300) or words["untitled"]
    parts = (
        words.country(article.country),
        words.in_language(article.language),
        words.say("agency", agency=agency) if agency else "",
        *(sanitize_line(author, limit=80) for author in article.authors[:6]),
    )
    is_long = bytes_left > 0 or any(len(line) > MAX_PARAGRAPH for line in article.text.split("\n"))
    return {
        "title": title,
        "outlet": outlet_name(article.outlet, article.url),
        "url": web_url(article.url),
        "about": words.join(parts),
        "time": words.clock(article.published_at),
        "lang": language_tag(article.language),
        "dir": language_direction(article.language, paragraphs[0] if paragraphs else title),
        "paragraphs": paragraphs,
        "is_cut": is_long or article.is_truncated,
    }


def _page(view: EditionView, title: str, body: Markup, *, heading: str = "", **details: object) -> str:
    values = {"v": view, "w": view.words, "title": title, "heading": heading, "body": body, "story": None}
    return render_template(html_templates(()), "epub/page.xhtml.j2", (), values | {"strict_url": _strict_url} | details)


def _pack(contents: Mapping[str, str]) -> bytes:
    """Return a ZIP archive that begins with the media type, uncompressed (EPUB 3.3, OCF §4.2)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in {"mimetype": MEDIA_TYPE, **contents}.items():
            file = zipfile.ZipInfo(name, date_time=ARCHIVE_TIME)
            file.create_system = 3  # Unix, whatever the system is
            file.external_attr = 0o644 << 16
            file.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(file, text.encode())
    return packed.getvalue()
