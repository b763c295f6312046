"""A feed's XML as elements that bear feedparser's names."""

from __future__ import annotations

import re
from urllib.parse import urljoin
from xml.parsers import expat

DEEPEST = 40  # elements inside one another; ordinary feeds have eight
PLAIN = ""  # what names of RSS and Atom have in the place of a prefix

# What feedparser calls a namespace, whatever its prefix; in lower case. Those that are not here keep their prefix.
SPACES = {
    "http://www.w3.org/2005/atom": PLAIN,
    "http://purl.org/atom/ns#": PLAIN,
    "http://purl.org/rss/1.0/": PLAIN,
    "http://my.netscape.com/rdf/simple/0.9/": PLAIN,
    "http://backend.userland.com/rss": PLAIN,
    "http://blogs.law.harvard.edu/tech/rss": PLAIN,
    "http://example.com/newformat#": PLAIN,
    "http://example.com/necho": PLAIN,
    "http://purl.org/echo/": PLAIN,
    "uri/of/echo/namespace#": PLAIN,
    "http://purl.org/pie/": PLAIN,
    "http://purl.org/rss/1.0/modules/rss091#": PLAIN,
    "http://webns.net/mvcb/": "admin",
    "http://purl.org/rss/1.0/modules/aggregation/": "ag",
    "http://purl.org/rss/1.0/modules/annotate/": "annotate",
    "http://media.tangent.org/rss/1.0/": "audio",
    "http://backend.userland.com/blogchannelmodule": "blogChannel",
    "http://creativecommons.org/ns#license": "cc",
    "http://web.resource.org/cc/": "cc",
    "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "creativeCommons",
    "http://backend.userland.com/creativecommonsrssmodule": "creativeCommons",
    "http://purl.org/rss/1.0/modules/company": "co",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://my.theinfo.org/changed/1.0/rss/": "cp",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/email/": "email",
    "http://purl.org/rss/1.0/modules/event/": "ev",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://freshmeat.net/rss/fm/": "fm",
    "http://xmlns.com/foaf/0.1/": "foaf",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://www.georss.org/georss": "georss",
    "http://www.opengis.net/gml": "gml",
    "http://postneo.com/icbm/": "icbm",
    "http://purl.org/rss/1.0/modules/image/": "image",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://purl.org/rss/1.0/modules/link/": "l",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://madskills.com/public/xml/rss/module/pingback/": "pingback",
    "http://prismstandard.org/namespaces/1.2/basic/": "prism",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
    "http://purl.org/rss/1.0/modules/reference/": "ref",
    "http://purl.org/rss/1.0/modules/richequiv/": "reqv",
    "http://purl.org/rss/1.0/modules/search/": "search",
    "http://purl.org/rss/1.0/modules/slash/": "slash",
    "http://schemas.xmlsoap.org/soap/envelope/": "soap",
    "http://purl.org/rss/1.0/modules/servicestatus/": "ss",
    "http://hacks.benhammersley.com/rss/streaming/": "str",
    "http://purl.org/rss/1.0/modules/subscription/": "sub",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://schemas.pocketsoap.com/rss/mydescmodule/": "szf",
    "http://purl.org/rss/1.0/modules/taxonomy/": "taxo",
    "http://purl.org/rss/1.0/modules/threading/": "thr",
    "http://purl.org/rss/1.0/modules/textinput/": "ti",
    "http://madskills.com/public/xml/rss/module/trackback/": "trackback",
    "http://wellformedweb.org/commentapi/": "wfw",
    "http://purl.org/rss/1.0/modules/wiki/": "wiki",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://www.w3.org/xml/1998/namespace": "xml",
    "http://podlove.org/simple-chapters": "psc",
}
OWN_PREFIXES = frozenset(name.lower() for name in SPACES.values() if name)
XML_BASE = "http://www.w3.org/XML/1998/namespace base xml"
SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)/*")


class Unsure(Exception):
    """What was met is not known here as feedparser knows it."""


class Element:
    """
    An element: feedparser's name of it (`media_thumbnail`, `pubdate`), its attributes as they stood, the place that
    its links start from, and its texts and elements in their order.
    """

    __slots__ = ("attributes", "base", "content", "name")

    def __init__(self, name: str, attributes: dict[str, str], base: str) -> None:
        self.name = name
        self.attributes = attributes
        self.base = base
        self.content: list[str | Element] = []

    def children(self) -> list[Element]:
        """Return the elements inside this one."""
        return [part for part in self.content if isinstance(part, Element)]

    def raw_text(self) -> str:
        """Return the text inside without white space at its ends; Unsure where there is an element too."""
        content = self.content
        if len(content) == 1 and isinstance(content[0], str):
            return content[0].strip()
        texts = [part for part in content if isinstance(part, str)]
        if len(texts) < len(content):
            raise Unsure(f"an element in <{self.name}>")
        return "".join(texts).strip()


class Tree:
    """What expat's calls make. `spaces` is the namespace that each prefix was declared for."""

    def __init__(self, base: str) -> None:
        self.spaces: dict[str, str] = {}
        self.unknown: dict[str, str] = {}  # the prefix of each namespace that feedparser does not know
        self.names: dict[str, str] = {}
        self.root_space = ""  # in lower case
        self.root = Element("", {}, base)
        self.open: list[Element] = [self.root]

    def declare(self, prefix: str | None, uri: str | None) -> None:
        """Note a namespace; Unsure where its prefix means something else elsewhere or to feedparser."""
        if not uri:
            return
        if " " in uri:
            raise Unsure("a namespace with a space")
        known = space(uri)
        short = (prefix or "").lower()
        if self.spaces.setdefault(short, uri) != uri and short:
            raise Unsure(f"two namespaces {short!r}")
        if known is not None and short in OWN_PREFIXES and short != known.lower():
            raise Unsure(f"another's prefix {short!r}")
        if known is None and self.unknown.setdefault(uri, short) != short:
            raise Unsure(f"two prefixes of {uri!r}")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        known = self.names.get(name) or self.named(name)
        parent = self.open[-1]
        element = Element(known, attributes, parent.base)
        if attributes:
            said = [key for key in attributes if key[-4:].lower() == "base" or " base" in key.lower()]
            if said:
                element.base = based(parent.base, said, attributes[said[0]])
        parent.content.append(element)
        self.open.append(element)
        if len(self.open) > DEEPEST:
            raise Unsure("deep")

    def end(self, _name: str) -> None:
        """Close an element."""
        self.open.pop()

    def text(self, text: str) -> None:
        """Add text to the open element."""
        self.open[-1].content.append(text)

    def named(self, name: str) -> str:
        """Return feedparser's name of an element, and remember it."""
        parts = name.split(" ")
        if not self.names:
            self.root_space = parts[0].lower() if len(parts) > 1 else ""
        if len(parts) == 1:
            known = parts[0].lower()
        else:
            prefix = space(parts[0])
            if prefix is None:
                prefix = self.unknown[parts[0]]
            known = f"{prefix}_{parts[1]}".lower() if prefix else parts[1].lower()
        self.names[name] = known
        return known


def space(uri: str) -> str | None:
    """Return what feedparser calls a namespace, or None if it does not know it."""
    low = uri.lower()
    return PLAIN if "backend.userland.com/rss" in low else SPACES.get(low)


def based(base: str, names: list[str], value: str) -> str:
    """Return what an attribute makes of the place that links start from; Unsure where there are several."""
    if not base or names not in (["base"], [XML_BASE]) or value != value.strip():
        raise Unsure("a base")
    place = joined(base, value)
    if place and not place.startswith(("http://", "https://")):
        raise Unsure("a base")
    return place or base


def joined(base: str, url: str) -> str:
    """Return a link as feedparser joins it; as it is where nothing is known of the place."""
    if ":///" in url:
        url = SLASHES.sub(r"\1", url)
    if not base:
        return url
    try:
        return urljoin(base, url)
    except ValueError:
        return ""


def tree_of(text: str, base: str = "") -> Tree:
    """
    Return the elements of `text`; Unsure where it is not well-formed XML, or more than a parser should be given.

    Args:
        base: where it is, if links are to be joined to it.
    """
    tree = Tree(base)
    parser = expat.ParserCreate("utf-8", " ")
    parser.namespace_prefixes = True
    parser.buffer_text = True
    parser.buffer_size = 1 << 17
    parser.StartNamespaceDeclHandler = tree.declare
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise Unsure("not well-formed") from error
    return tree


def attributes_of(element: Element) -> dict[str, str]:
    """Return an element's attributes by feedparser's names, which leave out a namespace that it does not know."""
    said: dict[str, str] = {}
    for name, value in element.attributes.items():
        key = name.lower()
        if " " in key:
            uri, local = key.split(" ")[:2]
            prefix = space(uri)
            key = f"{prefix}:{local}" if prefix else local
        if key in said:
            raise Unsure(f"two attributes {key!r}")
        said[key] = value.lower() if key in ("rel", "type") else value
    return said
