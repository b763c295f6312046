"""What `watcher clean --explain` shows: the article, where each part of it was read, and what went by which rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import shorten, wrap

from watcher.clean.article import PageExtract
from watcher.model import Block, Cleaned, Removed

WIDTH = 100  # characters of a line
SHOWN = 84  # characters of a removed text
MANY = 6  # texts that one rule removed, of which the rest is counted
WORDS = {
    "title": "the title, once more",
    "byline": "a byline",
    "date": "a date",
    "caption": "a caption or a picture's credit",
    "label": "a label or a button",
    "read more": "a line that leads to another article",
    "call": "asks the reader for something: to subscribe, to follow, to rate",
    "embed": "stands for a post or a film from elsewhere",
    "rights": "says whose the text is",
    "said twice": "a quote set apart, which stands in a paragraph too",
    "link": "nothing but a link to another page",
    "box": "a heading such as “More from”, and what stands under it",
    "author": "a note on the author behind the end",
    "not in data": "stands on the page, and not in the article's text in the page's own data",
    "heading": "a heading with nothing left under it",
    "repeated": "stands on other articles of the site",
    "dateline": "the dateline: read, and cut from the text",
    "site": "dropped by the rules of its site (docs/sites.md)",
    "credit": "an agency's credit: read, and cut from the text",
}


def explained(page: PageExtract, cleaned: Cleaned, left_out: Iterable[Removed]) -> str:
    """Return what was read of a page, for a person; `left_out` was never taken for the text (`article.left_out`)."""
    lines = [*_fields(page, cleaned), ""]
    for block in cleaned.blocks:
        lines += [*_wrapped(block), ""]
    letters = sum(len(block.text) for block in cleaned.blocks)
    lines.append(f"{letters:,} characters in {len(cleaned.blocks)} paragraphs stay.")
    lines += _removed("Removed from the text", cleaned.removed)
    lines += _removed("Left out around it", left_out)
    return "\n".join(lines)


def _wrapped(block: Block) -> list[str]:
    """Return the lines of a block, marked as what it is."""
    first = {"h": "## ", "li": "- ", "quote": "> "}.get(block.kind, "")
    rest = first if block.kind == "quote" else " " * len(first)
    return wrap(
        block.text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _fields(page: PageExtract, cleaned: Cleaned) -> Iterator[str]:
    """Yield what is known of the article, a line each, with where it was read."""
    sources = dict(page.metadata.sources)
    published = page.metadata.published_at or cleaned.published_at
    said = {
        "title": cleaned.title,
        "url": cleaned.url,
        "published": published.isoformat(" ", "minutes") if published else None,
        "modified": cleaned.modified_at.isoformat(" ", "minutes") if cleaned.modified_at else None,
        "authors": ", ".join(cleaned.authors),
        "agency": cleaned.agency,
        "dateline": cleaned.dateline,
        "language": cleaned.language,
        "section": cleaned.section,
        "image": cleaned.image,
        "kind": f"{cleaned.kind}, only its beginning" if cleaned.is_truncated else cleaned.kind,
    }
    for name, value in said.items():
        if value:
            source = f"   (from {sources[name]})" if name in sources else ""
            yield f"{name:>9}  {value}{source}"


def _removed(heading: str, found: Iterable[Removed]) -> Iterator[str]:
    """Yield what was removed, by rule, the rules in the order in which they were first needed."""
    rules: dict[str, list[str]] = {}
    for cut in found:
        rules.setdefault(cut.rule, []).append(cut.text)
    if not rules:
        return
    yield ""
    yield f"{heading}:"
    for rule, texts in rules.items():
        yield f"  {f'{rule}: {WORDS[rule]}' if rule in WORDS else rule}"
        yield from (f"    | {shorten(text, SHOWN, placeholder=' …')}" for text in texts[:MANY])
        if len(texts) > MANY:
            yield f"    | and {len(texts) - MANY} more"
