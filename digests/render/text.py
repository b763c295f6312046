"""Renders an edition as plain text of 72 columns; URLs are not broken, and every link has a line of its own."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from jinja2 import Environment
from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement
from rich.cells import cell_len

from digests.compose.reading_time import reading_time
from digests.render.markdown import document
from digests.render.templating import OwnTemplates, environment, render_template
from digests.render.view import EditionView

TEXT_COLUMNS = 72
BLANKS = re.compile(r"[ \n]+")  # a no-break space stays
BLOCK_ELEMENTS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "pre", "ul", "ol", "blockquote", "div"})
# Classes of paragraphs with no blank line above them, and below them.
NO_BLANK_ABOVE, NO_BLANK_BELOW = frozenset({"day", "facts"}), frozenset({"day", "cover", "differs", "more"})


def render(
    view: EditionView, own_templates: OwnTemplates = (), *, base_url: str | None = None, unsubscribe: str | None = None
) -> str:
    doc = {name: to_text(part) for name, part in document(view, own_templates).items()}
    values = {"v": view, "w": view.words, "doc": doc, "base_url": base_url, "unsubscribe": unsubscribe}
    return render_template(_templates(own_templates), "edition.txt.j2", own_templates, values)


def measure_reading_time(view: EditionView) -> int:
    """Return how many minutes it takes to read all that an edition prints of its stories; at least 1."""
    parts = document(view)
    head, stories = (lxml_html.fragment_fromstring(parts[name], create_parent="div") for name in ("head", "stories"))
    for folded in tuple(stories.iter("details")):
        folded.drop_tree()
    return reading_time(part.text_content() for part in (*head.find_class("glance"), stories))


def to_text(source: str) -> str:
    """
    Return clean HTML as lines of text, without `<details>`; under each heading, a URL is listed once.

    The first lines of an edition are without URLs: those are listed under their stories.
    """
    root = lxml_html.fragment_fromstring(source, create_parent="div")
    lines: list[str] = []
    seen: set[str] = set()
    for above, block in pairwise([None, *_blocks(root)]):
        if block.tag in ("h1", "h2", "h3"):
            seen.clear()
        lines += [""] * _blank_lines(above, block)
        lines += _wrap_block(block, seen)
    return "\n".join(lines)


def _blocks(parent: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that become a paragraph or a list item each, from the top."""
    for element in parent:
        if element.tag == "details":
            continue
        is_leaf = not any(child.tag in BLOCK_ELEMENTS for child in element)
        if is_leaf or (element.tag == "li" and (element.text or "").strip()):
            yield element
        else:
            yield from _blocks(element)


def _blank_lines(above: HtmlElement | None, block: HtmlElement) -> int:
    """Return how many blank lines to write between a block and the one above it."""
    if above is None:
        return 0
    if block.tag == "h2":
        return 2
    if block.tag == "h3":
        return 1
    next_item = above.tag == block.tag == "li" and block.getprevious() is not None
    return 0 if next_item or block.get("class") in NO_BLANK_ABOVE or above.get("class") in NO_BLANK_BELOW else 1


def _wrap_block(block: HtmlElement, seen: set[str]) -> Iterator[str]:
    """Yield the lines of a block, wrapped, with the addresses of its links below; `seen` has those written before."""
    parent = block.getparent()
    is_item = block.tag == "li" or (parent.tag == "li" and block.getprevious() is None)
    indent = 2 if parent.tag == "blockquote" else 0
    hang = indent + (2 if is_item else 4 if block.tag == "h3" else 0)
    lead = "- " if is_item else ""
    has_urls = all(element.get("class") != "glance" for element in block.iterancestors())
    for clause, urls in _clauses(block):
        if shown := BLANKS.sub(" ", clause).strip(" "):
            yield fill(lead + (shown.upper() if block.tag in ("h1", "h2") else shown), indent=indent, hang=hang)
            indent, hang, lead = max(hang, 2), max(hang, 2), ""
        new = [url for url in dict.fromkeys(urls) if has_urls and url not in seen]
        seen.update(new)
        yield from (f"  {url}" for url in new)


def _clauses(block: HtmlElement) -> Iterator[tuple[str, list[str]]]:
    """
    Yield the texts of a block that get their own lines, each with the URLs to list below it.

    A `<small>` begins a new line, and so does each part after a link that "; " separates in a paragraph.
    """
    text, urls = "", []
    for event, element in etree.iterwalk(block, events=("start", "end")):
        is_tail = event == "end"
        if is_tail and element is block:
            break
        piece = (element.tail if is_tail else element.text) or ""
        if element.tag in ("small", "br") and not is_tail:
            yield text, []
            text = ""
        if element.tag == "a" and not is_tail and element.get("href", "").startswith("http"):
            urls.append(element.get("href"))
        end, semicolon, rest = piece.partition("; ")
        if urls and is_tail and semicolon and block.tag == "p":
            yield f"{text}{end};", urls
            text, urls = rest, []
        else:
            text += piece
    yield text, urls


def fill(text: str, *, indent: int = 0, hang: int) -> str:
    """
    Return one paragraph wrapped at 72 columns of display width.

    Lines are broken at spaces only: a URL or a run of Chinese characters stays whole, and the mail program wraps it.
    `indent` spaces stand before the first line, and `hang` before the others.
    """
    first, *words = text.split(" ")
    lines, used = [" " * indent + first], indent + cell_len(first)
    for word in words:
        columns = cell_len(word)
        if used + 1 + columns > TEXT_COLUMNS:
            lines.append(" " * hang + word)
            used = hang + columns
        else:
            lines[-1] += f" {word}"
            used += 1 + columns
    return "\n".join(lines)


@lru_cache(maxsize=8)
def _templates(own_templates: OwnTemplates) -> Environment:
    return environment(autoescape=False, filters={"fill": fill}, own_templates=own_templates)
