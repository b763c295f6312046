"""Converts HTML to plain text, in linear time."""

import re
from html import unescape

from watcher.text.plain_text import strip_control_chars, truncate

SUMMARY_CHARS = 20_000

HIDDEN = re.compile(
    r"<!--|<(script|style|noscript|template|iframe|svg|head|title|form|button|select)(?=[\s/>])(?:[^<>]{0,4000}(/)>)?",
    re.IGNORECASE,
)
NAMED_TAG = re.compile(r"<[/!]?([A-Za-z][A-Za-z0-9:-]{0,30})(?:[\s/][^<>]{0,4000})?>")
CUT_TAG = re.compile(r"<[A-Za-z][A-Za-z0-9]{0,30}\s[^<>]*=[^<>]*\Z")  # at the end of a summary that its feed has cut
BLOCK = frozenset(
    [
        "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote",
        "pre", "hr", "section", "article", "figure", "figcaption", "dl", "dt", "dd", "td", "th", "address", "aside",
        "fieldset", "footer", "header", "main",
    ]
)  # fmt: skip
HTML_OR_ENTITY = re.compile(
    r"</?(?:p|br|div|a|img|b|i|u|em|strong|small|su[bp]|font|span|ul|ol|li|h[1-6]|hr|center|blockquote|figure|table|pre"
    r"|iframe|object|embed|script|style)(?=[\s/>])|<!--",
    re.IGNORECASE,
)


def html_to_text(markup: str, limit: int = SUMMARY_CHARS) -> str:
    """Return the text of an HTML fragment, one line for each block element, at most `limit` characters."""
    text = markup[: limit * 8].replace("<![CDATA[", "").replace("]]>", "")
    if "<" in text:
        text = NAMED_TAG.sub(lambda tag: "\n" if tag[1].lower() in BLOCK else "", drop_hidden(text))
        text = CUT_TAG.sub("", text)
    lines = (" ".join(line.split()) for line in strip_control_chars(unescape(text)).split("\n"))
    return truncate("\n".join(filter(None, lines)), limit)


def escaped_html_to_text(markup: str, limit: int = SUMMARY_CHARS) -> str:
    """Return the text of HTML that a feed may have escaped twice: then its text begins with a tag again."""
    text = html_to_text(markup, limit)
    return html_to_text(text, limit) if HTML_OR_ENTITY.match(text) else text


def drop_hidden(markup: str) -> str:
    """Return `markup` without comments, scripts, styles and other hidden elements; unclosed ones extend to the end."""
    if HIDDEN.search(markup) is None:
        return markup
    pieces: list[str] = []
    index = 0
    lower = markup.lower()
    while (match := HIDDEN.search(markup, index)) is not None:
        pieces.append(markup[index : match.start()])
        if match.group(2):  # a self-closing tag of XHTML
            index = match.end()
            continue
        closer = f"</{match.group(1).lower()}" if match.group(1) else "--"
        closed = lower.find(closer, match.end())
        if closed < 0:
            return "".join(pieces)
        end = markup.find(">", closed)
        index = end + 1 if end >= 0 else len(markup)
    pieces.append(markup[index:])
    return "".join(pieces)


def has_markup(text: str) -> bool:
    """Whether `text` contains HTML tags."""
    return HTML_OR_ENTITY.search(text) is not None
