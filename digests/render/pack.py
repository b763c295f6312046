"""The files of a pack (all that is stored on one story): JSON, Markdown, citations; always the same bytes."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter, ValidationError

from digests.errors import DigestError
from digests.model.pack import Pack, PackArticle
from digests.render.escape import language_tag, sanitize_line, web_url
from digests.render.markdown import escape, link
from digests.render.markdown import text as plain
from watcher.text.format import format_count

DATA, PAGES, SUMS = "pack.json", "pages.warc.gz", "SHA256SUMS"
BIBTEX_ESCAPES = str.maketrans(
    {each: f"\\{each}" for each in "{}#$%&_"}
    | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
)
DIFF_LABELS = {"-": "before: ", "+": "after: "}
LINE_CHARS, AUTHOR_CHARS, URL_CHARS = 1_000, 100, 2_048


def load(data: bytes) -> Pack:
    """Return the pack in `data`, as in the file `DATA`, without its pages. Errors: DigestError."""
    try:
        return _adapter().validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the data"
        raise DigestError(f"{DATA}: {place}: {first['msg']}") from error


@cache
def _adapter() -> TypeAdapter[Pack]:
    return TypeAdapter(Pack)


def render(pack: Pack) -> dict[str, bytes]:
    """Return the files of a pack that are made from its data, by name, without the sums."""
    data = _adapter().dump_python(pack, mode="json", exclude={"pages"})
    cited = [_Citation(article) for article in pack.articles]
    texts = {
        DATA: json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1) + "\n",
        "story.md": "\n".join(_markdown_lines(pack)).rstrip() + "\n",
        "citations.json": json.dumps([each.csl() for each in cited], ensure_ascii=False, indent=1) + "\n",
        "citations.bib": "\n".join(each.bibtex() for each in cited),
        "citations.ris": "\r\n".join(each.ris() for each in cited),
    }
    made = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    return made | ({PAGES: pack.pages} if pack.pages_of else {})


def sha256_of(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def sums(files: Mapping[str, bytes]) -> bytes:
    """Return the SHA-256 of each file, as `sha256sum` writes and checks it."""
    return "".join(f"{sha256(body).hexdigest()}  {name}\n" for name, body in sorted(files.items())).encode()


def zip_files(pack: Pack) -> bytes:
    """Return the files of a pack and their sums as a ZIP archive."""
    made = render(pack)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, body in {**made, SUMS: sums(made)}.items():
            file = zipfile.ZipInfo(name, date_time=pack.made_at.timetuple()[:6])
            file.external_attr = 0o644 << 16
            archive.writestr(file, body, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _markdown_lines(pack: Pack) -> Iterator[str]:
    """Yield the lines of the pack's main file: timeline, quotations, changed pages."""
    yield from (f"# {plain(pack.title or 'Untitled')}", "")
    counts = f"{format_count(len(pack.outlets), 'outlet')}, {len(pack.independent)} independent"
    by_time = sorted(pack.articles, key=lambda article: article.published_at)
    period = f"{_time(by_time[0].published_at)} to {_time(by_time[-1].published_at)}" if by_time else "no time"
    yield f"{format_count(len(pack.articles), 'article')} from {counts}, {period}."
    yield f"Story {pack.id}, collected by Watcher at {_time(pack.made_at)}. All times are UTC."
    if pack.pages_of:
        count = format_count(len(pack.pages_of), "article")
        yield f"The pages of {count} as they were fetched are in {PAGES}, SHA-256 {pack.pages_sha256}."
    yield from ("", "## Timeline", "")
    for article in pack.articles:
        indent = "  " if article.copy_of else ""
        agency = f" ({plain(article.agency)})" if article.agency else ""
        differs = f"; {plain(article.differs or 'copy')}" if article.copy_of else ""
        yield f"{indent}- {_time(article.published_at)}, {_source(article)}{agency}: {plain(article.title)}{differs}"
    for heading, is_first in (("What each outlet said first", True), ("Quotations in editions", False)):
        quotes = [(article, quote) for article in by_time for quote in article.quotes if quote.is_first is is_first]
        if quotes:
            yield from ("", f"## {heading}", "")
        for article, quote in quotes:
            text = (article.text or "")[quote.start : quote.end]
            yield from (f"> {plain(text)}", "")
            yield f"— {_source(article)}, {_time(article.published_at)}; {plain(article.title)}"
            yield f"(article {article.id}, characters {quote.start} to {quote.end}, SHA-256 {sha256_of(text)})"
            yield ""
    changed = [article for article in pack.articles if article.changes]
    if changed:
        yield from ("", "## Corrections and changed pages", "")
    for article in changed:
        for change in article.changes:
            what = "the page is gone" if change.kind == "gone" else "the page has changed"
            yield f"- {_time(change.at)}, {_source(article)}: {what}"
            for line in change.diff:
                yield f"  - {DIFF_LABELS.get(line[:1], '')}{escape(sanitize_line(line[1:], limit=LINE_CHARS))}"


def _source(article: PackArticle) -> str:
    return link(article.outlet, web_url(article.url))


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


class _Citation:
    """A report's fields that all formats of citations have, each in one line, and its record in each format."""

    def __init__(self, article: PackArticle) -> None:
        """Read the fields of an article, each in one line."""
        self.published, self.accessed = article.published_at, article.fetched_at
        self.id = sanitize_line(article.id, limit=LINE_CHARS)
        self.title = sanitize_line(article.title, limit=LINE_CHARS)
        self.outlet = sanitize_line(article.outlet, limit=LINE_CHARS)
        self.url = sanitize_line(web_url(article.url) or "", limit=URL_CHARS)
        self.language = language_tag(article.language)
        self.authors = [name for name in (sanitize_line(each, limit=AUTHOR_CHARS) for each in article.authors) if name]

    def csl(self) -> dict[str, Any]:
        """Return the citation in CSL-JSON."""
        fields: dict[str, Any] = {
            "id": self.id,
            "type": "article-newspaper",
            "title": self.title,
            "container-title": self.outlet,
            "issued": {"date-parts": [[self.published.year, self.published.month, self.published.day]]},
            "accessed": {"date-parts": [[self.accessed.year, self.accessed.month, self.accessed.day]]},
            "URL": self.url,
            "language": self.language,
            "author": [{"literal": name} for name in self.authors],
        }
        return {name: value for name, value in fields.items() if value}

    def bibtex(self) -> str:
        """Return the citation in BibTeX."""
        title, outlet, *authors = (text.translate(BIBTEX_ESCAPES) for text in (self.title, self.outlet, *self.authors))
        fields = {
            "author": " and ".join(f"{{{name}}}" for name in authors),
            "title": f"{{{title}}}",  # the second braces keep its capitals
            "journal": outlet,
            "year": f"{self.published:%Y}",
            "month": f"{self.published:%m}",
            "date": f"{self.published:%Y-%m-%d}",
            "url": self.url,
            "urldate": f"{self.accessed:%Y-%m-%d}",
            "langid": self.language,
        }
        lines = (f"  {name} = {{{value}}}," for name, value in fields.items() if value not in ("", "{}"))
        return "\n".join((f"@article{{watcher-{self.id},", *lines, "}\n"))

    def ris(self) -> str:
        fields = [("TY", "NEWS"), ("ID", self.id), *(("AU", name) for name in self.authors)]
        fields += [("TI", self.title), ("T2", self.outlet), ("PY", f"{self.published:%Y}")]
        fields += [("DA", f"{self.published:%Y/%m/%d}"), ("UR", self.url)]
        fields += [("Y2", f"{self.accessed:%Y/%m/%d}"), ("LA", self.language)]
        return "".join(f"{tag}  - {value}\r\n" for tag, value in fields if value) + "ER  - \r\n"
