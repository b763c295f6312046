"""Reads and writes OPML 2.0, a list of feeds in folders; reading is safe for untrusted input."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from html import unescape
from urllib.parse import parse_qsl, urlencode
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from watcher.errors import OpmlError
from watcher.model import PageSelectors
from watcher.text.encoding import decode_feed
from watcher.text.format import CONTROL_CHARACTERS
from watcher.text.urls import is_web

MAX_OPML_BYTES = 10 * 1024 * 1024
MAX_FEEDS = 20_000
MAX_OUTLINE_DEPTH = 64
MAX_OUTLINE_CHARS = 500  # characters of a title or folder
NAMESPACE = "urn:watcher:opml"  # for watcher's own attributes
OWN_TEXTS = ("country", "owner", "owner_kind", "every", "user_agent")  # fields that are attributes as they are
FOLDER_SEPARATOR = " / "  # between the folders of a section
OPML_DECLARATION = re.compile(r"<\?xml[^>]{0,200}\?>")
XML_REFERENCE = re.compile(r"&(?:#?[A-Za-z0-9]{1,32};)?")  # "&amp;" and the like, or a bare "&"
XML_REFERENCES = frozenset(("&amp;", "&lt;", "&gt;", "&quot;", "&apos;"))
# For files with "<" or quotes in a value, such as description="By <a href="https://example.org">A</a>".
BEFORE_TAG = re.compile(r"(?=</?(?:outline|body|opml)\b)", re.IGNORECASE)
SOUND_TAG = re.compile(r"""</?[a-z]+(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/?>""", re.IGNORECASE)
TAG_END = re.compile(r"""(["'])\s*/?>""")
# A quote ends a value only before one of these names or at the end of the tag. Others may be HTML inside a value.
KNOWN_ATTRIBUTE = re.compile(
    r"""(^<outline|["'])\s*((?:text|title|description|type|xmlUrl|htmlUrl|url|category|language|version|created"""
    r"""|[a-z]+:[\w.-]+))\s*=\s*(["'])""",
    re.IGNORECASE,
)
FEED_SCHEME = re.compile(r"feed:(?://|(https?://))", re.IGNORECASE)  # the scheme of "subscribe" links
NOT_XML_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpmlFeed:
    """One feed of an OPML file. `section` is its folder; nested folders are joined by " / "."""

    url: str
    title: str
    section: str | None = None
    language: str | None = None
    country: str | None = None
    owner: str | None = None
    owner_kind: str | None = None
    tags: tuple[str, ...] = ()
    every: str | None = None  # a duration as in the settings: "1h"
    full_text: bool = False
    enabled: bool = True
    user_agent: str | None = None
    headers: dict[str, str] = field(default_factory=dict)  # without secrets and references to them
    selectors: dict[str, str] = field(default_factory=dict)  # of a page, by the names in `PageSelectors`


@dataclass(frozen=True, slots=True, kw_only=True)
class Opml:
    """
    The feeds of an OPML file without duplicates.

    `faults` describes the entries that could not be used; `repairs` counts the places that were not well-formed XML.
    """

    feeds: tuple[OpmlFeed, ...]
    faults: tuple[str, ...] = ()
    repairs: int = 0


def parse_opml(data: bytes, *, name: str = "OPML") -> Opml:
    """
    Parse the feeds in `data`; `name` is the name of the file for messages.

    A bare "&", references of HTML ("&eacute;"), and "<" or quotes in a value are accepted: many programs write them.

    Errors: OpmlError if it is not OPML, too large or nested too deeply, has too many feeds, or declares entities.
    """
    if len(data) > MAX_OPML_BYTES:
        raise OpmlError(f"{name}: larger than {MAX_OPML_BYTES // 2**20} MiB")
    text = NOT_XML_CHARACTER.sub("", OPML_DECLARATION.sub("", decode_feed(data), count=1))
    if "<!entity" in text.lower():
        raise OpmlError(f"{name}: declares entities, which are not allowed")
    text, repairs = _repair_references(text)
    reader = OpmlParser(name)
    try:
        try:
            reader.read(text)
        except expat.ExpatError:
            text, repaired_tags = _repair_tags(text)
            reader, repairs = OpmlParser(name), repairs + repaired_tags
            reader.read(text)
    except expat.ExpatError as error:
        raise OpmlError(f"{name}: is not XML: {expat.ErrorString(error.code)} in line {error.lineno}") from error
    if not reader.is_opml:
        raise OpmlError(f"{name}: is not OPML: its first element is not <opml>")
    return Opml(feeds=tuple(reader.feeds.values()), faults=tuple(reader.faults), repairs=repairs)


def _repair_references(text: str) -> tuple[str, int]:
    """Return `text` with only the references that XML has, and the number of those that were replaced."""
    repairs = 0

    def repair(match: re.Match[str]) -> str:
        """Return a character reference or a bare & as valid XML, and count the repair."""
        nonlocal repairs
        if match[0] == "&":
            repairs += 1
            return "&amp;"
        character = NOT_XML_CHARACTER.sub("", unescape(match[0]))
        if match[0] in XML_REFERENCES or (match[0].startswith("&#") and character not in ("", "\ufffd", match[0])):
            return match[0]
        repairs += 1
        return escape(character)

    return XML_REFERENCE.sub(repair, text), repairs


def _repair_tags(text: str) -> tuple[str, int]:
    """
    Return `text` with "<" and quotes in the values of outlines escaped, and the number of changed tags.

    What is between the other tags is left out: nothing in it is read.
    """
    pieces, repairs = BEFORE_TAG.split(text), 0
    for n, piece in enumerate(pieces):
        if not piece.lower().startswith("<outline"):
            pieces[n] = piece[: piece.find(">") + 1]
        elif not SOUND_TAG.match(piece):
            pieces[n] = _repair_tag(piece)
            repairs += pieces[n] != piece
    return "".join(pieces), repairs


def _repair_tag(tag: str) -> str:
    """Return an outline's tag with its values escaped, or `tag` if its end cannot be found."""
    values: dict[str, str] = {}
    name, start, quote = "", 0, ""
    end = max(TAG_END.finditer(tag), key=re.Match.start, default=None)  # a comment may follow
    for match in KNOWN_ATTRIBUTE.finditer(tag):
        if name and match[1] == quote:
            values.setdefault(name, tag[start : match.start()])
        if not name or match[1] == quote:
            name, start, quote = match[2], match.end(), match[3]
    if not name or end is None or end[1] != quote:
        return tag
    values.setdefault(name, tag[start : end.start()])
    attributes = " ".join(f'{key}="{value.translate(_ESCAPES)}"' for key, value in values.items())
    return f"<outline {attributes}{end[0][1:].strip()}"


_ESCAPES = str.maketrans({"<": "&lt;", '"': "&quot;"})


class OpmlParser:
    """Collects feeds from parser events; keeps a stack of the open folders."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_opml = False
        self.feeds: dict[str, OpmlFeed] = {}
        self.faults: list[str] = []
        self._open: list[str | None] = []  # for each open element the name of the folder, or None

    def read(self, text: str) -> None:
        """Parse a whole document; raises expat.ExpatError."""
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self.start
        parser.EndElementHandler = lambda tag: self._open.pop()
        parser.Parse(text.encode("utf-8", "replace"), True)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element; an outline becomes a feed or a folder. Errors: OpmlError if it is nested too deeply."""
        low = tag.lower()
        if not self._open:
            self.is_opml = low == "opml"
        if len(self._open) >= MAX_OUTLINE_DEPTH:
            raise OpmlError(f"{self.name}: is nested too deeply")
        self._open.append(self.outline(attributes) if low == "outline" and self.is_opml else None)

    def outline(self, attributes: dict[str, str]) -> str | None:
        """Record the feed or fault of an outline; return the name if it is a folder, else None."""
        fields = {key.lower(): " ".join(value.split()) for key, value in attributes.items()}
        title = (fields.get("title") or fields.get("text") or "")[:MAX_OUTLINE_CHARS]
        kind = fields.get("type", "").lower()
        url = fields.get("xmlurl") or (fields.get("url", "") if kind in ("rss", "atom") else "")
        if match := FEED_SCHEME.match(url):
            url = (match[1] or "http://") + url[match.end() :]
        if not url:
            if kind == "rss":
                self.faults.append(f"{title or 'an entry'}: has no address")
            return title or None
        if not is_web(url):
            self.faults.append(f"{title or 'an entry'}: {url[:200]} is not an http or https URL")
        elif url not in self.feeds:
            if len(self.feeds) >= MAX_FEEDS:
                raise OpmlError(f"{self.name}: lists more than {MAX_FEEDS} feeds")
            self.feeds[url] = self.feed(url, title, fields)
        return None

    def feed(self, url: str, title: str, fields: dict[str, str]) -> OpmlFeed:
        """Return the feed that an outline's attributes describe."""
        folders = FOLDER_SEPARATOR.join(folder for folder in self._open if folder)
        category = fields.get("category", "").split(",")[0].strip(" /").replace("/", FOLDER_SEPARATOR)
        attributes = {key[8:].replace("-", "_"): value for key, value in fields.items() if key.startswith("watcher:")}
        return OpmlFeed(
            url=url,
            title=title,
            section=(folders or category)[:MAX_OUTLINE_CHARS] or None,
            language=fields.get("language") or None,
            **{name: attributes.get(name) or None for name in OWN_TEXTS},
            tags=tuple(tag for tag in attributes.get("tags", "").split(";") if tag),
            full_text=attributes.get("full_text") == "true",
            enabled=attributes.get("enabled") != "false",
            headers=dict(parse_qsl(attributes.get("headers", ""))),
            selectors={k: v for k, v in parse_qsl(attributes.get("selectors", "")) if k in PageSelectors.__slots__},
        )


def render_opml(feeds: Iterable[OpmlFeed], *, title: str) -> str:
    """Return an OPML 2.0 document with a folder for each section, in the order of the sections' first feeds."""
    folders: dict[str, list[OpmlFeed]] = {}
    for feed in feeds:
        folders.setdefault(feed.section or "", []).append(replace(feed, title=feed.title or feed.url))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<opml version="2.0" xmlns:watcher="{NAMESPACE}">']
    lines += ["  <head>", f"    <title>{_format_attribute(title)[1:-1]}</title>", "  </head>", "  <body>"]
    for section, rows in folders.items():
        written = [f"    <outline {_outline_attributes(feed)}/>" for feed in rows]
        if section:
            name = _format_attribute(section)
            written = [f"    <outline text={name} title={name}>", *(f"  {row}" for row in written), "    </outline>"]
        lines += written
    return "\n".join([*lines, "  </body>", "</opml>", ""])


def _outline_attributes(feed: OpmlFeed) -> str:
    """Return the attributes of a feed's outline."""
    pairs = {"type": "rss", "text": feed.title, "title": feed.title, "xmlUrl": feed.url, "language": feed.language}
    attributes = {name: getattr(feed, name) for name in OWN_TEXTS} | {
        "tags": ";".join(feed.tags),
        "full_text": "true" if feed.full_text else None,
        "enabled": None if feed.enabled else "false",
        "headers": urlencode(feed.headers),
        "selectors": urlencode(feed.selectors),
    }
    pairs |= {f"watcher:{name.replace('_', '-')}": value for name, value in attributes.items()}
    return " ".join(f"{name}={_format_attribute(value)}" for name, value in pairs.items() if value)


def _format_attribute(text: str) -> str:
    """Return a quoted attribute value; characters not allowed in XML are removed, control characters escaped."""
    value = quoteattr(NOT_XML_CHARACTER.sub("", text).encode("utf-8", "replace").decode(), {'"': "&quot;"})
    return CONTROL_CHARACTERS.sub(lambda found: f"&#x{ord(found.group()):x};", value)
