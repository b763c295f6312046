"""What the reader keeps as Markdown files with front matter, for a folder of notes such as an Obsidian vault."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from digests.render.escape import language_tag, sanitize_line, web_url
from digests.render.markdown import escape, link, text, yaml
from digests.render.templating import SafeText
from watcher.model import Article
from watcher.text.words import normalize

NAME_CHARS, TITLE_CHARS = 60, 300
NOT_IN_NAME = re.compile(r"[\W_]+")


def note_name(title: str, key: str, kept_at: datetime) -> str:
    """Return the name of the file of a mark, which tells what it is and belongs to no other mark."""
    words = NOT_IN_NAME.sub("-", normalize(sanitize_line(title, limit=TITLE_CHARS)))[:NAME_CHARS].strip("-")
    return f"{kept_at:%Y-%m-%d} {words} {NOT_IN_NAME.sub('', key)}.md".replace("  ", " ")


def render_note(
    *,
    title: str,
    kind: str,
    key: str,
    kept_at: datetime,
    tags: Sequence[str],
    note: str,
    reports: Sequence[Article],
) -> str:
    """Return the file of a kept story with its reports, or of a kept article with its text."""
    article = reports[0] if kind == "article" and reports else None
    front: list[tuple[str, str | SafeText]] = [
        ("title", sanitize_line(title, limit=TITLE_CHARS)),
        ("kept", SafeText(f"{kept_at:%Y-%m-%dT%H:%M:%SZ}")),
        ("kind", kind),
        ("watcher", key),
        ("tags", SafeText(f"[{', '.join(yaml(tag) for tag in tags)}]")),
    ]
    if article:
        front += [
            ("url", web_url(article.url) or ""),
            ("outlet", article.outlet),
            ("published", SafeText(f"{article.published_at:%Y-%m-%dT%H:%M:%SZ}")),
            ("lang", language_tag(article.language)),
        ]
    lines = ["---", *(f"{name}: {yaml(value)}" for name, value in front), "---", "", f"# {text(title)}", ""]
    lines += _paragraphs(note.splitlines())
    if article:
        lines += [_cite(article), "", *_paragraphs(article.text.splitlines())]
    else:
        lines += [f"- {link(report.title, web_url(report.url))} — {_cite(report)}" for report in reports]
    return "\n".join(lines).rstrip() + "\n"


def _cite(article: Article) -> str:
    return f"{link(article.outlet, web_url(article.url))}, {article.published_at:%Y-%m-%d %H:%M} UTC"


def _paragraphs(lines: Iterable[str]) -> list[str]:
    return [part for line in lines if line.strip() for part in (escape(sanitize_line(line)), "")]
