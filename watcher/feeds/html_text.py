"""Text that can be shown: markup to plain text, control characters gone, HTML made harmless; in linear time."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from html import escape, unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nh3

TITLE_CHARS = 1_000
SUMMARY_CHARS = 20_000
CONTENT_CHARS = 500_000

# C0 but tab, line feed and return; DEL and C1; lone surrogates; noncharacters.
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
BAD_REFERENCE = re.compile(
    r"&#(?:0{0,9}(?:[0-8]|1[1-24-9]|2[0-9]|3[01])|[xX]0{0,9}(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[efEF]));"
)
HIDDEN = re.compile(r"<!--|<(script|style|noscript|template|iframe|svg)(?=[\s/>])(?:[^<>]{0,4000}(/)>)?", re.IGNORECASE)
CLOSED_AT_ONCE = re.compile(r"<(?:script|style|noscript|template|iframe|svg)\s[^<>]{0,4000}/>", re.IGNORECASE)
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})(?:[\s/][^<>]{0,4000})?>|<!\[CDATA\[|\]\]>")
BLOCK = frozenset(
    [
        "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote",
        "pre", "hr", "section", "article", "figure", "figcaption", "dt", "dd", "td", "th",
    ]
)  # fmt: skip
# Runs of white space that are not one space already.
SPACES = re.compile(r"[ \t\r\f\v\u00a0\u2028\u2029]{2,}|[\t\r\f\v\u00a0\u2028\u2029]")
LINES = re.compile(r" ?\n[ \n]*")
MARKUP = re.compile(
    r"</?(?:p|br|div|a|img|b|i|u|em|strong|small|su[bp]|font|span|ul|ol|li|h[1-6]|hr|center|blockquote|figure|table|pre"
    r"|iframe|object|embed|script|style)(?=[\s/>])|<!--",
    re.IGNORECASE,
)
TAGS = {
        "a", "abbr", "article", "aside", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del",
        "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
        "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s",
        "samp", "section", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
        "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
    }  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "time": {"datetime"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "*": {"lang", "dir"},
}
RELATIVE_LINK = re.compile(r"(?:href|src)\s{0,20}=[\s\"']{0,20}+(?!https?:)", re.IGNORECASE)
FEW_TAGS = 1_000
DEEPEST = 200
NESTING = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})")
LEAF = frozenset(
    [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "p", "li", "td", "th", "tr",
        "dd", "dt", "option", "param", "source", "track", "wbr",
    ]
)  # fmt: skip
CUT_WITH_CONTENT = {"script", "style", "noscript", "template", "iframe", "object", "svg", "math", "form", "select"}


def strip_control_chars(text: str) -> str:
    """Return `text` without the characters that no text has: control characters, lone surrogates, noncharacters."""
    return NO_TEXT.sub("", text)


def to_one_line(text: str, limit: int = TITLE_CHARS) -> str:
    """Return plain `text` on one line, runs of white space made one, at most `limit` characters."""
    return truncate(" ".join(strip_control_chars(text[: limit * 8]).split()), limit)


def html_to_text(markup: str, limit: int = SUMMARY_CHARS) -> str:
    """Return the text of an HTML fragment, a line for each block, at most `limit` characters."""
    text = markup[: limit * 8]
    if "<" in text or "]]>" in text:
        text = TAG.sub(lambda tag: "\n" if (tag[2] or "").lower() in BLOCK else "", drop_hidden(text))
    text = SPACES.sub(" ", strip_control_chars(unescape(text)))
    return truncate(LINES.sub("\n", text).strip(), limit)


def drop_hidden(markup: str) -> str:
    """Return `markup` without comments, scripts, styles and their like; what is not closed is hidden to the end."""
    if HIDDEN.search(markup) is None:
        return markup
    kept: list[str] = []
    at = 0
    lower = markup.lower()
    while (found := HIDDEN.search(markup, at)) is not None:
        kept.append(markup[at : found.start()])
        if found.group(2):  # closed at once, as XHTML does
            at = found.end()
            continue
        closer = f"</{found.group(1).lower()}" if found.group(1) else "--"
        closed = lower.find(closer, found.end())
        if closed < 0:
            return "".join(kept)
        end = markup.find(">", closed)
        at = end + 1 if end >= 0 else len(markup)
    kept.append(markup[at:])
    return "".join(kept)


def truncate(text: str, limit: int) -> str:
    """Return `text`, at most `limit` characters of it, at a word's end where there is one near."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ", limit - 40)
    return (head[:space] if space > 0 else head).rstrip() + "…"


def has_markup(text: str) -> bool:
    """Whether `text` holds tags that HTML knows."""
    return MARKUP.search(text) is not None


def sanitize_html(markup: str, base: str) -> str:
    """
    Return HTML with nothing that runs, loads or hides, its links absolute by `base` and http(s) alone.

    What is nested beyond reason comes back as text: the sanitiser's time grows with the square of the depth.
    """
    text = CLOSED_AT_ONCE.sub("", strip_control_chars(markup[:CONTENT_CHARS]))
    if text.count("<") > FEW_TAGS and nesting_depth(text) > DEEPEST:
        return "<p>" + escape(html_to_text(text, CONTENT_CHARS), quote=False) + "</p>"
    return sanitizer(base if RELATIVE_LINK.search(text) else "").clean(text).strip()


@lru_cache(maxsize=4)
def sanitizer(base: str) -> nh3.Cleaner:
    """
    Return what makes HTML harmless; it drops relative links if `base` is no address.

    To make one takes six times as long as to clean a summary.
    """
    import nh3  # late: 3 MB that only a parsing process should pay

    make = partial(
        nh3.Cleaner,
        tags=TAGS,
        attributes=ATTRIBUTES,
        clean_content_tags=CUT_WITH_CONTENT,
        url_schemes={"http", "https"},
        link_rel=None,
    )
    try:
        return make(url_relative=("rewrite_with_base", base))
    except ValueError:  # a base that is no address: http://1.2.3.999/
        return make(url_relative="deny")


def nesting_depth(markup: str) -> int:
    """Return about how deep `markup` nests."""
    now = deepest = 0
    for found in NESTING.finditer(markup):
        if found.group(2).lower() in LEAF:
            continue
        now = max(now - 1, 0) if found.group(1) else now + 1
        deepest = max(deepest, now)
    return deepest
