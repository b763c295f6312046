"""The files of a pack (all that is stored on one story): JSON, Markdown, citations; always the same bytes."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter, ValidationError

from digests.errors import DigestError
from digests.model.pack import Pack, PackArticle, PackQuote
from digests.render.escape import language_tag, sanitize_line, web_url
from digests.render.markdown import escape, link
from digests.render.markdown import text as plain
from watcher.text.format import format_count

DATA, PAGES, SUMS = "pack.json", "pages.warc.gz", "SHA256SUMS"
BIBTEX_SPECIAL = re.compile(r"[\\{}#$%&_^~]")
BIBTEX_WORDS = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "{": r"\{",
    "}": r"\}",
}
LINE_CHARS = 1_000


def dump(pack: Pack) -> bytes:
    value = _adapter().dump_python(pack, mode="json", exclude={"pages"})
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode("utf-8", "replace")


def load(data: bytes) -> Pack:
    """Return the pack in `data`, as `dump` wrote it. Errors: DigestError."""
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
    renderers: Mapping[str, Callable[[Pack], str]] = {
        "story.md": _markdown, "citations.json": _csl_json, "citations.bib": _bibtex, "citations.ris": _ris
    }  # fmt: skip
    made = {name: renderer(pack).encode("utf-8", "replace") for name, renderer in renderers.items()}
    return {DATA: dump(pack), **made} | ({PAGES: pack.pages} if pack.pages_of else {})


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
            file.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(file, body)
    return packed.getvalue()


def find_faults(pack: Pack) -> Iterator[str]:
    """Yield what is wrong in the data of a pack: pages and texts that are not those that it says."""
    if pack.pages_of and sha256(pack.pages).hexdigest() != pack.pages_sha256:
        yield f"{PAGES}: the pages do not have the SHA-256 that the pack says"
    for article in pack.articles:
        if article.text is not None and sha256_of(article.text) != article.text_sha256:
            yield f"article {article.id}: its text does not have the SHA-256 that the pack says"


def _markdown(pack: Pack) -> str:
    return "\n".join(_markdown_lines(pack)).rstrip() + "\n"


def _markdown_lines(pack: Pack) -> Iterator[str]:
    yield f"# {plain(pack.title or 'Untitled')}"
    yield ""
    counts = f"{format_count(len(pack.outlets), 'outlet')}, {len(pack.independent)} independent"
    period = f"{_time(pack.first_at)} to {_time(pack.last_at)}"
    yield f"{format_count(len(pack.articles), 'article')} from {counts}, {period}."
    yield f"Story {pack.id}, collected by Watcher at {_time(pack.made_at)}. All times are UTC."
    if pack.pages_of:
        count = format_count(len(pack.pages_of), "article")
        yield f"The pages of {count} as they were fetched are in {PAGES}, SHA-256 {pack.pages_sha256}."
    yield from ("", "## Timeline", "")
    for article in pack.articles:
        indent = "  " if article.copy_of else ""
        agency = f" ({escape(sanitize_line(article.agency))})" if article.agency else ""
        differs = f"; {escape(sanitize_line(article.differs or 'copy'))}" if article.copy_of else ""
        yield f"{indent}- {_time(article.published_at)}, {_source(article)}{agency}: {plain(article.title)}{differs}"
    by_time = sorted(pack.articles, key=lambda article: article.published_at)
    for heading, is_first in (("What each outlet said first", True), ("Quotations in editions", False)):
        quotes = [(article, quote) for article in by_time for quote in article.quotes if quote.is_first is is_first]
        if quotes:
            yield from ("", f"## {heading}", "")
        for article, quote in quotes:
            yield from _quotation(article, quote)
    changed = [article for article in pack.articles if article.changes]
    if changed:
        yield from ("", "## Corrections and changed pages", "")
    for article in changed:
        for change in article.changes:
            what = "the page is gone" if change.kind == "gone" else "the page has changed"
            yield f"- {_time(change.at)}, {_source(article)}: {what}"
            yield from (f"  - {_difference(line)}" for line in change.diff)
    if pack.thread:
        yield from ("", "## Other stories of the thread", "")
        for story in pack.thread:
            size = format_count(story.articles, "article")
            yield f"- {_time(story.first_at)}, {story.id}: {plain(story.title)} ({size})"


def _quotation(article: PackArticle, quote: PackQuote) -> Iterator[str]:
    text = (article.text or "")[quote.start : quote.end]
    yield f"> {plain(text)}"
    yield ""
    yield f"— {_source(article)}, {_time(article.published_at)}; {plain(article.title)}"
    yield f"(article {article.id}, characters {quote.start} to {quote.end}, SHA-256 {sha256_of(text)})"
    yield ""


def _difference(line: str) -> str:
    label = {"-": "before: ", "+": "after: "}.get(line[:1], "")
    return label + escape(sanitize_line(line[1:], limit=LINE_CHARS))


def _source(article: PackArticle) -> str:
    return link(article.outlet, web_url(article.url))


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _citation(article: PackArticle) -> dict[str, str]:
    """Return the fields that all citation formats have, each in one line; "" for an unknown one."""
    values = {"id": article.id, "title": article.title, "outlet": article.outlet}
    values |= {"url": web_url(article.url) or "", "language": language_tag(article.language)}
    return {name: sanitize_line(value, limit=LINE_CHARS if name != "url" else 2_048) for name, value in values.items()}


def _authors(article: PackArticle) -> list[str]:
    return [name for name in (sanitize_line(each, limit=100) for each in article.authors) if name]


def _csl_json(pack: Pack) -> str:
    def record(article: PackArticle) -> dict[str, Any]:
        cited = _citation(article)
        item: dict[str, Any] = {
            "id": cited["id"],
            "type": "article-newspaper",
            "title": cited["title"],
            "container-title": cited["outlet"],
            "issued": {"date-parts": [_date_parts(article.published_at)]},
            "accessed": {"date-parts": [_date_parts(article.fetched_at)]},
            "URL": cited["url"],
            "language": cited["language"],
            "author": [{"literal": name} for name in _authors(article)],
        }
        return {name: value for name, value in item.items() if value}

    return json.dumps([record(article) for article in pack.articles], ensure_ascii=False, indent=1) + "\n"


def _date_parts(at: datetime) -> list[int]:
    return [at.year, at.month, at.day]


def _bibtex(pack: Pack) -> str:
    def escape_bibtex(value: str) -> str:
        return BIBTEX_SPECIAL.sub(lambda found: BIBTEX_WORDS.get(found[0], f"\\{found[0]}"), value)

    def record(article: PackArticle) -> str:
        cited = _citation(article)
        fields = {
            "author": " and ".join(f"{{{escape_bibtex(name)}}}" for name in _authors(article)),
            "title": f"{{{escape_bibtex(cited['title'])}}}",  # the second braces keep its capitals
            "journal": escape_bibtex(cited["outlet"]),
            "year": f"{article.published_at:%Y}",
            "month": f"{article.published_at:%m}",
            "date": f"{article.published_at:%Y-%m-%d}",
            "url": cited["url"],
            "urldate": f"{article.fetched_at:%Y-%m-%d}",
            "langid": cited["language"],
        }
        lines = (f"  {name} = {{{value}}}," for name, value in fields.items() if value not in ("", "{}"))
        return "\n".join((f"@article{{watcher-{cited['id']},", *lines, "}\n"))

    return "\n".join(map(record, pack.articles))


def _ris(pack: Pack) -> str:
    def record(article: PackArticle) -> str:
        cited = _citation(article)
        fields = [("TY", "NEWS"), ("ID", cited["id"]), *(("AU", name) for name in _authors(article))]
        fields += [("TI", cited["title"]), ("T2", cited["outlet"]), ("PY", f"{article.published_at:%Y}")]
        fields += [("DA", f"{article.published_at:%Y/%m/%d}"), ("UR", cited["url"])]
        fields += [("Y2", f"{article.fetched_at:%Y/%m/%d}"), ("LA", cited["language"])]
        return "".join(f"{tag}  - {value}\r\n" for tag, value in fields if value) + "ER  - \r\n"

    return "\r\n".join(map(record, pack.articles))
