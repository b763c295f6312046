"""JSON-LD: the article that a page's own data describe, found in whatever shape they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import cast

Node = dict[str, object]

MAX_CHARS = 400_000  # of one script
MAX_NODES = 2_000
MAX_DEPTH = 12
ARTICLES = frozenset(
    "article newsarticle reportagenewsarticle analysisnewsarticle backgroundnewsarticle opinionnewsarticle "
    "reviewnewsarticle "
    "blogposting liveblogposting report satiricalarticle advertisercontentarticle socialmediaposting techarticle "
    "scholarlyarticle askpublicnewsarticle medicalscholarlyarticle".split(" ")
)
PAGES = frozenset(("webpage", "itempage", "videoobject", "mediagallery", "imagegallery"))
WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.{0,40}?\*/)|(?:-->|//\s*\]\]>|\]\]>|;)\s*$", re.DOTALL
)
FIELD = re.compile(r'"(headline|datePublished|dateModified)"\s*:\s*"([^"\n\\]{4,300})"')
TAG = re.compile(r"<[^<>]{1,2000}>")  # a link with its title can be long
INLINE = re.compile(
    r"</?(?:a|abbr|b|cite|em|font|i|mark|small|span|strong|sub|sup|u)(?:\s[^<>]{1,2000})?>", re.IGNORECASE
)


def article_node(scripts: Iterable[str]) -> Node:
    """Return the node of the page's article, or of the page where there is none; empty if there is neither."""
    best: Node = {}
    rank = 0
    names: dict[str, object] = {}
    for script in scripts:
        for node in _nodes(_load(script)):
            if isinstance(address := node.get("@id"), str) and "name" in node:
                names.setdefault(address, node["name"])
            kinds = types_of(node)
            value = 2 * bool(kinds & ARTICLES) + bool(kinds & PAGES and node.get("datePublished"))
            value += bool(value and node.get("headline")) + bool(value and node.get("datePublished"))
            if value > rank:
                best, rank = node, value
    return {name: _named(value, names) for name, value in best.items()}


def _named(value: object, names: dict[str, object]) -> object:
    """Return a value with the names of the things that it only points to: {"@id": "#ann"}."""
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if isinstance(value, dict) and "name" not in value and (address := value.get("@id")) in names:
        return {**value, "name": names[str(address)]}
    return value


def types_of(node: Node) -> frozenset[str]:
    """Return the types of a node, in lower case, without their address."""
    kinds = node.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return frozenset(name.rsplit("/", 1)[-1].lower() for name in names if isinstance(name, str))


def text_of(value: object) -> str:
    """Return a value as plain text: the first text in it, or the name of the thing."""
    if isinstance(value, str):
        return " ".join(TAG.sub(" ", unescape(value)).split())
    if isinstance(value, list):
        return next((text for item in value[:5] if (text := text_of(item))), "")
    if isinstance(value, dict):
        return next(
            (text for key in ("name", "@value", "url", "contentUrl", "@id") if (text := text_of(value.get(key)))), ""
        )
    return ""


def body_of(node: Node) -> str:
    """Return the article's whole text with its line breaks, empty if the node does not carry it."""
    body = node.get("articleBody")
    text = TAG.sub("\n", INLINE.sub("", unescape(body))) if isinstance(body, str) else text_of(body)
    return "\n".join(line for part in text.splitlines() if (line := " ".join(part.split())))


def names_of(value: object) -> tuple[str, ...]:
    """Return the names of all things in a value: of several authors. An address is no name."""
    items = value if isinstance(value, list) else [value]
    named = (_name_of(item) if isinstance(item, dict) else item for item in items[:30])
    return tuple(text for item in named if (text := text_of(item)) and "://" not in text)


def _name_of(thing: Node) -> object:
    given, family = text_of(thing.get("givenName")), text_of(thing.get("familyName"))
    return thing.get("name") or f"{given} {family}".strip()


def _load(script: str) -> object:
    """Return what a script holds; if it cannot be read even with its usual faults mended, what is said first in it."""
    text = script.strip()
    if not text or len(text) > MAX_CHARS:
        return None
    for attempt in (text, WRAPPING.sub("", WRAPPING.sub("", text)).replace("\\'", "'")):
        try:
            return cast(object, json.loads(attempt, strict=False))
        except (ValueError, RecursionError):
            continue
    return _torn(text)


def _torn(text: str) -> object:
    """Return the node that a script which is no JSON was to hold, with the fields that can still be told."""
    fields = {found.group(1): found.group(2) for found in reversed(list(FIELD.finditer(text)))}
    return {"@type": "Article", **fields} if "Article" in text and "datePublished" in fields else None


def _nodes(value: object) -> Iterator[Node]:
    """Yield the nodes of a document, outer before inner."""
    queue: list[tuple[object, int]] = [(value, 0)]
    for item, depth in queue:
        if len(queue) > MAX_NODES:
            return
        if isinstance(item, list):
            queue.extend((part, depth + 1) for part in item)
        elif isinstance(item, dict):
            yield item
            if depth < MAX_DEPTH:
                names = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "hasPart")
                queue.extend((item[name], depth + 1) for name in names if isinstance(item.get(name), dict | list))
