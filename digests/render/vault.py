"""What the reader keeps as Markdown files with front matter, for a folder of notes such as an Obsidian vault."""

import re
from collections.abc import Sequence

from digests.model.delivery import Rendered
from digests.model.kept_item import KeptItem
from digests.render.escape import language_tag, web_url
from digests.render.markdown import link, text, yaml
from digests.render.templating import SafeText
from watcher.model import Article
from watcher.text.words import normalize

NAME_CHARS = 60
NOT_IN_NAME = re.compile(r"[\W_]+")


def render_note(item: KeptItem, reports: Sequence[Article]) -> Rendered:
    """Return the file of a kept article with its text, or of a kept story with its `reports`."""
    article = item.article
    front: list[tuple[str, str | SafeText]] = [
        ("title", item.title),
        ("kept", SafeText(f"{item.kept_at:%Y-%m-%dT%H:%M:%SZ}")),
        ("kind", item.kind),
        ("watcher", item.id),
        ("tags", SafeText(f"[{', '.join(yaml(tag) for tag in item.tags)}]")),
    ]
    if article:
        front += [
            ("url", web_url(article.url) or ""),
            ("outlet", article.outlet),
            ("published", SafeText(f"{article.published_at:%Y-%m-%dT%H:%M:%SZ}")),
            ("lang", language_tag(article.language)),
        ]
    blocks = ["\n".join(("---", *(f"{name}: {yaml(value)}" for name, value in front), "---"))]
    blocks += [f"# {text(item.title)}", *map(text, item.note.splitlines())]
    if article:
        blocks += [_cite(article), *map(text, article.text.splitlines())]
    else:
        blocks.append("\n".join(f"- {link(report.title, web_url(report.url))} — {_cite(report)}" for report in reports))
    body = "\n\n".join(block for block in blocks if block.strip()) + "\n"
    return Rendered(format="markdown", name=_note_name(item), body=body.encode("utf-8", "replace"))


def _note_name(item: KeptItem) -> str:
    """Return the name of the file of an item, which tells what it is; behind its last space, it is of no other item."""
    words = NOT_IN_NAME.sub("-", normalize(item.title))[:NAME_CHARS].strip("-")
    return f"{item.kept_at:%Y-%m-%d} {words} {NOT_IN_NAME.sub('', item.key)}.md".replace("  ", " ")


def _cite(article: Article) -> str:
    return f"{link(article.outlet, web_url(article.url))}, {article.published_at:%Y-%m-%d %H:%M} UTC"
