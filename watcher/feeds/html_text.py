"""Converts HTML to plain text, and strips control characters, in linear time."""

import re
from html import unescape

TITLE_CHARS = 1_000
SUMMARY_CHARS = 20_000

# C0 except tab, line feed and carriage return; DEL and C1; lone surrogates; noncharacters.
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
HIDDEN = re.compile(
    r"<!--|<(script|style|noscript|template|iframe|svg|head|title|form|button|select)(?=[\s/>])(?:[^<>]{0,4000}(/)>)?",
    re.IGNORECASE,
)
TAG = re.compile(r"<[/!]?([A-Za-z][A-Za-z0-9:-]{0,30})(?:[\s/][^<>]{0,4000})?>")
BLOCK = frozenset(
    [
        "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote",
        "pre", "hr", "section", "article", "figure", "figcaption", "dl", "dt", "dd", "td", "th", "address", "aside",
        "fieldset", "footer", "header", "main",
    ]
)  # fmt: skip
MARKUP = re.compile(
    r"</?(?:p|br|div|a|img|b|i|u|em|strong|small|su[bp]|font|span|ul|ol|li|h[1-6]|hr|center|blockquote|figure|table|pre"
    r"|iframe|object|embed|script|style)(?=[\s/>])|<!--",
    re.IGNORECASE,
)


def strip_control_chars(text: str) -> str:
    """Return `text` without control characters, lone surrogates and noncharacters."""
    return NO_TEXT.sub("", text)


def to_one_line(text: str, limit: int = TITLE_CHARS) -> str:
    """Return plain `text` on one line with single spaces, at most `limit` characters."""
    return truncate(" ".join(strip_control_chars(text[: limit * 8]).split()), limit)


def html_to_text(markup: str, limit: int = SUMMARY_CHARS) -> str:
    """Return the text of an HTML fragment, one line for each block element, at most `limit` characters."""
    text = markup[: limit * 8].replace("<![CDATA[", "").replace("]]>", "")
    if "<" in text:
        text = TAG.sub(lambda tag: "\n" if tag[1].lower() in BLOCK else "", drop_hidden(text))
    lines = (" ".join(line.split()) for line in strip_control_chars(unescape(text)).split("\n"))
    return truncate("\n".join(filter(None, lines)), limit)


def drop_hidden(markup: str) -> str:
    """Return `markup` without comments, scripts, styles and other hidden elements; unclosed ones extend to the end."""
    if HIDDEN.search(markup) is None:
        return markup
    kept: list[str] = []
    at = 0
    lower = markup.lower()
    while (found := HIDDEN.search(markup, at)) is not None:
        kept.append(markup[at : found.start()])
        if found.group(2):  # a self-closing tag of XHTML
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
    """Return `text` cut to at most `limit` characters with "…", at the end of a word if there is one nearby."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ", limit - 40)
    return (head[:space] if space > 0 else head).rstrip() + "…"


def has_markup(text: str) -> bool:
    """Whether `text` contains HTML tags."""
    return MARKUP.search(text) is not None
