"""An entry, or the feed itself, in the making: what has been read of it so far, and the RawEntry of it in the end."""

from __future__ import annotations

from collections.abc import Iterable

from watcher.feeds.plain import has_markup
from watcher.feeds.quick.names import HANDLED
from watcher.feeds.quick.text import PLAIN, typed
from watcher.feeds.quick.tree import Element
from watcher.feeds.raw import RawEntry, RawText
from watcher.feeds.xmlfeed import MAX_NAMES, as_written

Typed = tuple[str, str]  # a media type and a text
Tag = tuple[str | None, str | None, str | None]  # term, scheme and label


class Reading:
    """What holds from one element of a feed to the next."""

    def __init__(self, *, is_atom: bool, is_atom_1: bool) -> None:
        self.is_atom = is_atom
        self.is_atom_1 = is_atom_1
        self.title_depth = -1
        self.has_content = False

    def typed(self, element: Element, default: str) -> Typed:
        """Return the media type and the text of an element."""
        return typed(element, default, is_atom=self.is_atom, is_atom_1=self.is_atom_1, handled=HANDLED)

    def raw_text(self, found: Typed | None, text: str) -> RawText:
        """Return a text and whether it is markup, from its detail if there is one and else from what was copied."""
        if found is None or not found[1]:
            return RawText(value=text, is_html=has_markup(text))
        kind, text = found
        return RawText(value=text, is_html=kind != PLAIN or (not self.is_atom and has_markup(text)))


class Draft:
    """What is known of an entry, or of the feed itself, so far."""

    __slots__ = (
        "author", "authors", "contents", "guid", "is_entry", "link", "links", "media", "origlink", "person",
        "picture", "published", "summary", "summary_at", "summary_detail", "tags", "tags_seen",
        "thumbnails", "title", "title_at", "title_detail", "updated",
    )  # fmt: skip

    def __init__(self, *, is_entry: bool) -> None:
        self.is_entry = is_entry
        self.guid = self.title = self.origlink = self.author = ""
        self.link: str | None = None
        self.summary: str | None = None
        self.title_at = self.summary_at = 1 << 30  # how deep the element was that gave it
        self.title_detail: Typed | None = None
        self.summary_detail: Typed | None = None
        self.contents: list[Typed] = []
        self.links: list[dict[str, str]] = []
        self.authors: list[dict[str, str]] = []
        self.person: dict[str, str] | None = None
        self.tags: list[Tag] = []
        self.tags_seen: set[Tag] = set()
        self.published = self.updated = ("", "")
        self.media: list[dict[str, str]] = []
        self.thumbnails: list[dict[str, str]] = []
        self.picture = ""

    def raw(self, reading: Reading) -> RawEntry:
        """Return the entry."""
        contents = [part for part in self.contents if part[1].strip()]
        copied = next((part for part in contents if part[1] == self.summary), None)
        best = next((part for part in contents if "html" in part[0]), contents[0] if contents else None)
        names = [person.get("name") or person.get("email") for person in self.authors[:MAX_NAMES]]
        labels = [label or term for term, _, label in self.tags[:MAX_NAMES]]
        return RawEntry(
            guid=as_written(self.guid),
            links=self.pages(),
            title=reading.raw_text(self.title_detail, self.title),
            summary=reading.raw_text(self.summary_detail or copied, self.summary or ""),
            content=reading.raw_text(best, "") if best is not None else RawText(),
            authors=distinct(names) or distinct([self.author]),
            categories=distinct(labels),
            published=tuple(filter(None, self.published)),
            updated=tuple(filter(None, self.updated)),
            images=self.pictures(),
        )

    def pages(self) -> tuple[str, ...]:
        """Return the links that may be the entry's page, the best first."""
        alternates = [link.get("href", "") for link in self.links if link["rel"] == "alternate"]
        return distinct([as_written(url) for url in (self.origlink, self.link or "", *alternates)])

    def pictures(self) -> tuple[str, ...]:
        """Return the addresses of the entry's pictures."""
        found = [part.get("url") for part in self.media if is_image(part)]
        found += [part.get("url") for part in self.thumbnails]
        found += [link.get("href") for link in self.links if link["rel"] == "enclosure" and is_image(link)]
        found.append(self.picture)
        return tuple(filter(None, [as_written(url or "") for url in found[:10]]))


def distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Return the texts that say something, each once."""
    return tuple(dict.fromkeys([text for text in texts if text]))


def is_image(part: dict[str, str]) -> bool:
    """Whether a media element or enclosure is a picture."""
    return part.get("medium") == "image" or part.get("type", "").startswith("image/")
