"""Print how far the direct reader of feeds and feedparser agree, over a folder of feeds and damaged copies of them."""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from lxml import etree

from watcher.feeds import parse, xmlfeed
from watcher.feeds.charset import decode
from watcher.feeds.plain import BAD_REFERENCE, clean
from watcher.feeds.quick.names import HANDLED, TAKEN
from watcher.feeds.raw import RawFeed

MAX_ENTRIES = 500
SPACES = {
    "": None,
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "cc": "http://web.resource.org/cc/",
    "creativecommons": "http://backend.userland.com/creativeCommonsRssModule",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "georss": "http://www.georss.org/georss",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "odd": "http://odd.example/ns",
}
NAMES = sorted(HANDLED | TAKEN | {"comments", "docs", "thr_total", "odd_thing", "media_text", "xhtml_div", "xhtml_p"})
TEXTS = (
    "", " ", "A title", "1 < 2 & 3", "<b>bold</b> & more", "caf\u00e9", "caf\u00c3\u00a9", "\u0092quoted\u0093",
    "&amp; &eacute; &nosuch;", "\u6771\u4eac", "http://a.example/x?a=1&b=2", "/relative?x=1", "http:///b.example/y",
    "../up",
    "Tue, 24 Nov 2026 09:05:00 GMT", "24 Nov 2026 09:05:00 +0530", "2026-11-24T09:05:00Z", "2026-11-24", "yesterday",
    "Ann Bee", "ann@a.example (Ann Bee)", "Bob <bob@b.example>", "()", "one, two ,three", "en_GB", "60", "hourly",
    "x]]>y", "<p>A paragraph.</p>", "</p> no start", "http://a.example/&amp;copy;", "&copy;",
)  # fmt: skip
ATTRIBUTES = (
    ("type", "html"), ("type", "text/plain"), ("type", "XHTML"), ("type", "image/jpeg"), ("type", "base64"),
    ("mode", "escaped"), ("mode", "base64"), ("rel", "self"), ("rel", "alternate"), ("rel", "hub"),
    ("rel", "enclosure"),
    ("href", "http://a.example/h"), ("href", "rel/h"), ("href", ""), ("url", "http://a.example/u.jpg"), ("url", ""),
    ("uri", "u"), ("isPermaLink", "false"), ("isPermaLink", "true"), ("ispermalink", "FALSE"), ("medium", "image"),
    ("domain", "d"), ("term", "t"), ("label", "l"), ("scheme", "s"), ("text", "t"), ("lang", "fr"), ("lastmod", "x"),
    ("base", "http://base.example/b/"), ("{http://www.w3.org/XML/1998/namespace}base", "http://base.example/c/d"),
    ("{http://www.w3.org/XML/1998/namespace}base", "sub/"), ("{http://www.w3.org/XML/1998/namespace}lang", "de_AT"),
    ("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about", "http://a.example/about"),
    ("{http://odd.example/ns}href", "o"),
    ("{http://search.yahoo.com/mrss/}url", "m"), ("version", "0.91"), ("src", "s"), ("foo", "bar"),
)  # fmt: skip


def main() -> None:
    """Print the figures."""
    settings = argparse.ArgumentParser(description=__doc__)
    settings.add_argument("folder", type=Path)
    settings.add_argument("--damaged", type=int, default=2, help="damaged copies of each feed (default: %(default)s)")
    settings.add_argument("--seed", type=int, default=1)
    settings.add_argument("--show", type=int, default=5, help="differences to show")
    given = settings.parse_args()
    rng = random.Random(given.seed)
    total = Counter[str]()
    by_folder: dict[str, Counter[str]] = {}
    for path in sorted(path for path in given.folder.rglob("*") if path.is_file()):
        text = markup_of(path)
        if text is None:
            continue
        counted = by_folder.setdefault(path.relative_to(given.folder).parts[0], Counter())
        compare(text, str(path), counted, "", given.show)
        for number in range(given.damaged):
            damaged = damage(text, rng)
            if damaged:
                compare(damaged, f"{path} damaged {number}", counted, "damaged ", given.show)
    for name, counted in by_folder.items():
        print(f"{name:24}", said(counted))
        total += counted
    print(f"{'all':24}", said(total))


def said(counted: Counter[str]) -> str:
    """Return counts as a line."""
    parts: list[str] = []
    for kind in ("", "damaged "):
        feeds, direct = counted[f"{kind}feeds"], counted[f"{kind}direct"]
        if feeds:
            took = f"{counted[f'{kind}us'] / 1e6:.2f} s for {counted[f'{kind}other us'] / 1e6:.2f} s"
            share = f"{kind}feeds {feeds}, read directly {direct} ({direct / feeds:.1%})"
            parts.append(f"{share}, different {counted[f'{kind}different']}, {took}")
    return "; ".join(parts)


def markup_of(path: Path) -> str | None:
    """Return a file's XML from its root element on, as the readers are given it; None for what is no feed."""
    text = clean(decode(path.read_bytes(), None)).lstrip(" \t\r\n\ufeff")
    if not text or text[0] in "{[":
        return None
    at, root = parse.root_of(text)
    return BAD_REFERENCE.sub("", text[at:]) if root in parse.FEED_NAMES else None


def compare(text: str, name: str, counted: Counter[str], kind: str, show: int) -> None:
    """Count one feed, read both ways."""
    counted[f"{kind}feeds"] += 1
    started = time.process_time_ns()
    ours = parse.read_directly(text, MAX_ENTRIES)
    middle = time.process_time_ns()
    if ours is None:
        return
    counted[f"{kind}direct"] += 1
    try:
        theirs: RawFeed | str = xmlfeed.read_xml(text, MAX_ENTRIES)
    except ValueError as error:
        theirs = str(error)
    counted[f"{kind}us"] += (middle - started) // 1000
    counted[f"{kind}other us"] += (time.process_time_ns() - middle) // 1000
    if ours != theirs:
        counted[f"{kind}different"] += 1
        if counted[f"{kind}different"] <= show:
            print("DIFFERENT", name)
            for line in differences(theirs, ours):
                print("   ", line)


def differences(theirs: RawFeed | str, ours: RawFeed) -> list[str]:
    """Return what differs, in words."""
    if isinstance(theirs, str):
        return [theirs]
    found: list[str] = []
    pairs: list[tuple[Any, Any]] = [(theirs, ours), *zip(theirs.entries, ours.entries, strict=False)]
    for one, other in pairs:
        for field in one.__slots__:
            left, right = getattr(one, field), getattr(other, field)
            if left != right and field != "entries":
                found.append(f"{field}: {str(left)[:200]!r} and here {str(right)[:200]!r}")
    return found or [f"{len(theirs.entries)} entries and here {len(ours.entries)}"]


def damage(text: str, rng: random.Random) -> str:
    """Return a feed with a few of its elements, texts and attributes moved, doubled, dropped, changed or added."""
    try:
        root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, huge_tree=False))
    except etree.XMLSyntaxError:
        return ""
    for _ in range(rng.randint(1, 6)):
        elements = [one for one in root.iter() if isinstance(one.tag, str)]
        one = rng.choice(elements[:60])
        rng.choice((add, add, add_attribute, add_attribute, say, double, drop, swap, remark, split))(one, rng)
    return str(etree.tostring(root, encoding="unicode", with_tail=False))


def add(one: Any, rng: random.Random) -> None:  # noqa: ANN401 - lxml has no types
    """Put a new element into one or beside it."""
    prefix, _, local = rng.choice(NAMES).rpartition("_")
    space = SPACES.get(prefix) or (one.nsmap.get(None) if not prefix else f"http://{prefix}.example/")
    new = etree.SubElement(one, f"{{{space}}}{local}" if space else local, nsmap={prefix: space} if prefix else None)
    new.text = rng.choice(TEXTS)
    if rng.random() < 0.3:
        add_attribute(new, rng)
    parent = one.getparent()
    if parent is not None and rng.random() < 0.7:
        parent.insert(rng.randint(0, len(parent)), new)
    else:
        one.insert(rng.randint(0, len(one)), new)


def add_attribute(one: Any, rng: random.Random) -> None:  # noqa: ANN401
    """Give an element an attribute, or take one from it."""
    if one.attrib and rng.random() < 0.3:
        del one.attrib[rng.choice(list(one.attrib))]
    else:
        one.set(*rng.choice(ATTRIBUTES))


def say(one: Any, rng: random.Random) -> None:  # noqa: ANN401
    """Change an element's text, now and then to a section of unparsed text."""
    text = rng.choice(TEXTS)
    one.text = etree.CDATA(text) if rng.random() < 0.3 and "]]>" not in text else text


def double(one: Any, rng: random.Random) -> None:  # noqa: ANN401
    """Put a copy of an element where another one is."""
    parent = one.getparent()
    if parent is not None:
        copy = etree.fromstring(etree.tostring(one, with_tail=False))
        place = rng.choice([parent, *parent.getparent()]) if parent.getparent() is not None else parent
        if isinstance(place.tag, str):
            place.insert(rng.randint(0, len(place)), copy)


def drop(one: Any, _rng: random.Random) -> None:  # noqa: ANN401
    """Take an element away."""
    if one.getparent() is not None:
        one.getparent().remove(one)


def swap(one: Any, rng: random.Random) -> None:  # noqa: ANN401
    """Move an element among its like."""
    parent = one.getparent()
    if parent is not None:
        parent.insert(rng.randint(0, len(parent)), one)


def remark(one: Any, rng: random.Random) -> None:  # noqa: ANN401
    """Put a comment or an instruction into an element."""
    one.insert(0, etree.Comment(" remark ") if rng.random() < 0.7 else etree.ProcessingInstruction("php", "echo"))


def split(one: Any, _rng: random.Random) -> None:  # noqa: ANN401
    """Put white space and a comment into the middle of a text."""
    if one.text and len(one) == 0:
        middle = len(one.text) // 2
        remarked = etree.Comment("x")
        remarked.tail = "\n\t" + one.text[middle:]
        one.text = one.text[:middle]
        one.append(remarked)


if __name__ == "__main__":
    main()
