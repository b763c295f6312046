"""The files of a pack (all that is stored on one story): JSON, Markdown, citations; always the same bytes."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
LINE_CHARS, AUTHOR_CHARS = 1_000, 100
_adapter_of = cache(TypeAdapter[Pack])  # made when it is first needed: that takes 30 ms


def load(data: bytes) -> Pack:
    """Return the pack in `data`, as in the file `DATA`, without its pages. Errors: DigestError."""
    try:
        return _adapter_of(Pack).validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the data"
        raise DigestError(f"{DATA}: {place}: {first['msg']}") from error


def render(pack: Pack) -> dict[str, bytes]:
    """Return the files of a pack that are made from its data, by name, without the sums."""
    data = _adapter_of(Pack).dump_python(pack, mode="json", exclude={"pages"})
    cited = [_sanitize(article) for article in pack.articles]
    texts = {
        DATA: json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1) + "\n",
        "story.md": "\n".join(_markdown_lines(pack)).rstrip() + "\n",
        "citations.json": json.dumps([_to_csl(each) for each in cited], ensure_ascii=False, indent=1) + "\n",
        "citations.bib": "\n".join(map(_to_bibtex, cited)),
        "citations.ris": "\r\n".join(map(_to_ris, cited)),
    }
    made = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    return made | ({PAGES: pack.pages} if pack.pages_of else {})


def sha256_of(content: str | bytes) -> str:
    return sha256(content if isinstance(content, bytes) else content.encode("utf-8", "replace")).hexdigest()


def sums(files: Mapping[str, bytes]) -> bytes:
    """Return the SHA-256 of each file, as `sha256sum` writes and checks it."""
    return "".join(f"{sha256_of(body)}  {name}\n" for name, body in sorted(files.items())).encode()


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
    changes = [(article, change) for article in pack.articles for change in article.changes]
    if changes:
        yield from ("", "## Corrections and changed pages", "")
    for article, change in changes:
        what = "the page is gone" if change.kind == "gone" else "the page has changed"
        yield f"- {_time(change.at)}, {_source(article)}: {what}"
        for line in change.diff:
            yield f"  - {DIFF_LABELS.get(line[:1], '')}{escape(sanitize_line(line[1:], limit=LINE_CHARS))}"


def _source(article: PackArticle) -> str:
    return link(article.outlet, web_url(article.url))


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _sanitize(article: PackArticle) -> PackArticle:
    """Return an article whose texts in citations are one line each."""
    key, title, outlet = (sanitize_line(text, limit=LINE_CHARS) for text in (article.id, article.title, article.outlet))
    url, language = web_url(article.url) or "", language_tag(article.language)
    authors = filter(None, (sanitize_line(name, limit=AUTHOR_CHARS) for name in article.authors))
    return replace(article, id=key, title=title, outlet=outlet, url=url, language=language, authors=tuple(authors))


def _to_csl(article: PackArticle) -> dict[str, Any]:
    """Return the citation of a sanitized article in CSL-JSON."""
    published, accessed = article.published_at, article.fetched_at
    fields: dict[str, Any] = {
        "id": article.id,
        "type": "article-newspaper",
        "title": article.title,
        "container-title": article.outlet,
        "issued": {"date-parts": [[published.year, published.month, published.day]]},
        "accessed": {"date-parts": [[accessed.year, accessed.month, accessed.day]]},
        "URL": article.url,
        "language": article.language,
        "author": [{"literal": name} for name in article.authors],
    }
    return {name: value for name, value in fields.items() if value}


def _to_bibtex(article: PackArticle) -> str:
    """Return the citation of a sanitized article in BibTeX."""
    texts = (article.title, article.outlet, *article.authors)
    title, outlet, *authors = (text.translate(BIBTEX_ESCAPES) for text in texts)
    fields = {
        "author": " and ".join(f"{{{name}}}" for name in authors),
        "title": f"{{{title}}}",  # the second braces keep its capitals
        "journal": outlet,
        "year": f"{article.published_at:%Y}",
        "month": f"{article.published_at:%m}",
        "date": f"{article.published_at:%Y-%m-%d}",
        "url": article.url,
        "urldate": f"{article.fetched_at:%Y-%m-%d}",
        "langid": article.language,
    }
    lines = (f"  {name} = {{{value}}}," for name, value in fields.items() if value not in ("", "{}"))
    return "\n".join((f"@article{{watcher-{article.id},", *lines, "}\n"))


def _to_ris(article: PackArticle) -> str:
    """Return the citation of a sanitized article in RIS."""
    fields = [("TY", "NEWS"), ("ID", article.id), *(("AU", name) for name in article.authors)]
    fields += [("TI", article.title), ("T2", article.outlet), ("PY", f"{article.published_at:%Y}")]
    fields += [("DA", f"{article.published_at:%Y/%m/%d}"), ("UR", article.url)]
    fields += [("Y2", f"{article.fetched_at:%Y/%m/%d}"), ("LA", article.language)]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in fields if value) + "ER  - \r\n"
