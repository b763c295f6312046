"""Removes what a reader of HTML is not shown: elements that an attribute or a style of their own hides."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from html import unescape

from watcher.feeds.html_text import BLOCK, drop_hidden

# The text between two "<" is read at most twice, so the time grows with the bytes.
HTML_TAG = re.compile(r"""<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})(?=[\s/>])((?:[^<>"']|"[^"<]*+"|'[^'<]*+'|["'])*+)>""")
MAY_HIDE = re.compile(r"hidden|style", re.IGNORECASE)
HTML_ATTRIBUTE = re.compile(r"""([^\s=/"'<>]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"']++)))?""")
COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
SIZE = re.compile(r"(?:^|\s)(\d{0,9}\.?\d{1,9})([a-z%]{0,9})(?=[\s/]|$)")
NAMED_SIZE = re.compile(r"\b(?:x{0,2}-?small|x{0,3}-?large|medium|initial)\b")
MIN_PIXELS = 2.0  # of a letter that can be read
ABSOLUTE = frozenset("px pt rem pc cm mm in vw vh".split())
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
CLOSED_BY_NEXT = frozenset("p li td th tr dt dd option".split())  # by another one of their kind


@dataclass(frozen=True, slots=True)
class Look:
    """Whether text can be seen. Unlike the first, the others can be set again by an element inside."""

    is_there: bool = True
    is_visible: bool = True
    has_size: bool = True


SHOWN_LOOK = Look()


def drop_unshown(markup: str) -> str:
    """
    Return HTML without the text of elements that are not shown, its tags without attributes.

    An element is not shown with the attribute `hidden`, or if its style has `display: none`, `visibility: hidden`,
    `opacity: 0`, letters of less than 2 pixels, or a box of no size that hides what is outside of it. Rules for
    classes are not read.
    """
    markup = drop_hidden(markup)
    pieces, end, look = list[str](), 0, SHOWN_LOOK
    opened, numbers = list[tuple[str, Look]](), Counter[str]()  # elements around, with the look around each
    for tag in HTML_TAG.finditer(markup):
        if look == SHOWN_LOOK:
            pieces.append(markup[end : tag.start()])
        slash, name, attributes = tag[1], tag[2].lower(), tag[3]
        pieces.append(f"<{slash}{name}>")
        end = tag.end()
        if slash:
            while numbers[name]:
                last, look = opened.pop()
                numbers[last] -= 1
                if last == name:
                    break
        elif name not in VOID:
            if opened and _is_closed_by(opened[-1][0], name):
                last, look = opened.pop()
                numbers[last] -= 1
            opened.append((name, look))
            numbers[name] += 1
            look = _look_of(attributes, look) if MAY_HIDE.search(attributes) else look
    if look == SHOWN_LOOK:
        pieces.append(markup[end:])
    return "".join(pieces)


def _is_closed_by(name: str, following: str) -> bool:
    """Whether an element without an end tag ends where another one starts."""
    return following in BLOCK if name == "p" else name == following and name in CLOSED_BY_NEXT


def _look_of(attributes: str, around: Look) -> Look:
    """Return how the text of an element looks that is in an element with the look `around`."""
    values = dict[str, str]()
    for match in HTML_ATTRIBUTE.finditer(attributes):
        values.setdefault(match[1].lower(), match[2] or match[3] or match[4] or "")
    style = dict[str, str]()
    for rule in COMMENT.sub("", unescape(values.get("style", "")).lower()).split(";"):
        key, _, value = rule.partition(":")
        style[key.strip()] = value.replace("!important", "").strip()
    is_gone = "hidden" in values or style.get("display") == "none" or _is_zero(style.get("opacity", ""))
    is_gone |= style.get("overflow") == "hidden" and any(
        _is_zero(style.get(key, "")) for key in ("height", "max-height")
    )
    look = replace(around, is_there=around.is_there and not is_gone)
    if (visibility := style.get("visibility")) in ("hidden", "collapse", "visible"):
        look = replace(look, is_visible=visibility == "visible")
    for value in (style.get("font", ""), style.get("font-size", "")):
        # "400" of "400 14px Arial" is a weight. A share of the size around does not make letters appear.
        sizes = ((float(size[1]), size[2]) for size in SIZE.finditer(value))
        number, unit = next(((number, unit) for number, unit in sizes if unit or not number), (1.0, ""))
        is_small = number < MIN_PIXELS if unit in ("px", "pt") else not number
        if is_small or unit in ABSOLUTE or NAMED_SIZE.search(value):
            look = replace(look, has_size=not is_small)
    return look


def _is_zero(value: str) -> bool:
    return bool((size := SIZE.match(value)) and not float(size[1]))
