"""What each element of an entry, or of the feed itself, adds to a draft, as feedparser has it."""

from __future__ import annotations

import re
from collections.abc import Callable

from watcher.feeds.quick.credits import author, category, itunes_category, keywords, person
from watcher.feeds.quick.dates import moment
from watcher.feeds.quick.draft import Draft, Reading, Typed
from watcher.feeds.quick.names import IDLE, idle
from watcher.feeds.quick.text import HTML, PLAIN, TYPES, XHTML, repaired
from watcher.feeds.quick.tree import Element, Unsure, attributes_of, joined

Part = Callable[[Reading, Draft, Element, int], None]  # the int is how deep the element is

HALF_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")


def title(reading: Reading, draft: Draft, element: Element, depth: int) -> None:
    """Take a title; of two at the same depth the first stays."""
    found = reading.typed(element, PLAIN)
    if not -1 < reading.title_depth <= depth:
        if not draft.is_entry or depth <= draft.title_at:
            draft.title, draft.title_at = found[1], depth
        draft.title_detail = found
    if found[1] and element.name != "media_title":
        reading.title_depth = depth


def link(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take a link of Atom (an attribute) or of RSS (a text)."""
    said = attributes_of(element) if element.attributes else {}
    rel = said.get("rel", "alternate")
    kind = said.get("type", "application/atom+xml" if rel == "self" else HTML)
    href = said.get("url", said.get("uri", said.get("href"))) or said.get("href")
    row = {"rel": rel, "type": kind, "medium": said.get("medium", "")}
    draft.links.append(row)
    if href is not None:
        row["href"] = joined(element.base, href)
        if element.children():
            raise Unsure("an element in <link>")
        if rel == "alternate" and TYPES.get(kind, kind) in (HTML, XHTML):
            draft.link = row["href"]
        return
    text = element.raw_text()
    url = repaired(joined(element.base, text)) if text else ""
    if "&" in url:
        url = HALF_REFERENCE.sub(r"&\1", url.replace("&amp;", "&") if draft.is_entry else url)
    draft.link = url
    if url or not draft.is_entry:
        row["href"] = url


def guid(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take an identity, which is the link too where there is none and it does not say otherwise."""
    is_link = not element.attributes or attributes_of(element).get("ispermalink", "true") == "true"
    text = element.raw_text()
    text = repaired(joined(element.base, text) if text and is_link else text)
    draft.guid = text
    if is_link and draft.link is None:
        draft.link = text


def description(reading: Reading, draft: Draft, element: Element, depth: int) -> None:
    """Take a description, or a second one as the content."""
    again = draft.summary is not None and not reading.has_content
    (content_of if again else summary_of)(reading, draft, element, depth, PLAIN if again else HTML)


def summary(reading: Reading, draft: Draft, element: Element, depth: int) -> None:
    """Take a summary, or a second one as the content."""
    again = draft.summary is not None and not reading.has_content
    (content_of if again else summary_of)(reading, draft, element, depth, PLAIN)


def content(reading: Reading, draft: Draft, element: Element, depth: int) -> None:
    """Take Atom's content."""
    content_of(reading, draft, element, depth, PLAIN)


def encoded(reading: Reading, draft: Draft, element: Element, depth: int) -> None:
    """Take a content:encoded."""
    content_of(reading, draft, element, depth, HTML)


def summary_of(reading: Reading, draft: Draft, element: Element, depth: int, default: str) -> None:
    """Set the summary."""
    found = reading.typed(element, default)
    if depth <= draft.summary_at:
        draft.summary, draft.summary_at = found[1], depth
    draft.summary_detail = found


def content_of(reading: Reading, draft: Draft, element: Element, _depth: int, default: str) -> None:
    """Add a content, which is the summary too where there is none."""
    reading.has_content = True
    found: Typed = reading.typed(element, default)
    draft.contents.append(found)
    if draft.summary is None:
        draft.summary = found[1]


def published(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take the date of publication, the last of several."""
    text = repaired(element.raw_text())
    draft.published = (moment(text), text)


def updated(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take the date of change, the last of several."""
    text = repaired(element.raw_text())
    draft.updated = (moment(text), text)


def origlink(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take the link that a redirector keeps."""
    if element.attributes:
        raise Unsure("attributes")
    draft.origlink = repaired(element.raw_text())


def enclosure(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take what is attached."""
    said = attributes_of(element)
    href = said.get("url", said.get("uri", said.get("href"))) or said.get("href")
    if element.children():
        raise Unsure("an element in <enclosure>")
    row = {"rel": "enclosure", "type": said.get("type", ""), "medium": said.get("medium", "")}
    draft.links.append(row if href is None else row | {"href": href})


def media_content(reading: Reading, draft: Draft, element: Element, depth: int) -> None:
    """Take a picture or film, and what stands in it as if it stood beside it."""
    draft.media.append(attributes_of(element))
    group(reading, draft, element, depth)


def group(reading: Reading, draft: Draft, element: Element, depth: int) -> None:
    """Take what stands in a group as if it stood beside it."""
    for part in element.children():
        IN_MEDIA.get(part.name, unknown)(reading, draft, part, depth + 1)


def thumbnail(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take a small picture."""
    said = attributes_of(element)
    text = element.raw_text()
    if text and "url" not in said:
        said["url"] = repaired(joined(element.base, text))
    draft.thumbnails.append(said)


def picture(_reading: Reading, draft: Draft, element: Element, _depth: int) -> None:
    """Take a podcast's picture, the last of several."""
    said = attributes_of(element)
    if element.children():
        raise Unsure("an element in a picture")
    draft.picture = said.get("href") or said.get("url") or draft.picture


def aside(reading: Reading, _draft: Draft, element: Element, depth: int) -> None:
    """Leave a picture, a text input or a source, with a title of its own: one after it outdoes one before it."""
    reading.title_depth = -1
    for part in element.children():
        if part.name not in ASIDES[element.name]:
            raise Unsure(f"<{part.name}> in <{element.name}>")
        if part.name == "title":
            if reading.typed(part, PLAIN)[1]:
                reading.title_depth = depth + 1
        elif part.name in ("author", "contributor"):
            person(reading, _draft, part, depth + 1)
        elif part.name in PROSE:
            prose(reading, _draft, part, depth + 1)
        else:
            part.raw_text()


def leaf_image(reading: Reading, _draft: Draft, element: Element, _depth: int) -> None:
    """Leave an entry's <image> that holds text alone."""
    element.raw_text()
    reading.title_depth = -1


def prose(reading: Reading, _draft: Draft, element: Element, _depth: int) -> None:
    """Leave a text with a type."""
    reading.typed(element, PLAIN)


def leaf(_reading: Reading, _draft: Draft, element: Element, _depth: int) -> None:
    """Leave an element whose text nobody asks for."""
    element.raw_text()


def unknown(_reading: Reading, _draft: Draft, element: Element, _depth: int) -> None:
    """Leave an element that feedparser does not know either; Unsure where it does."""
    idle(element)


PROSE = frozenset("copyright rights dc_rights subtitle tagline itunes_subtitle description".split())
IN_PICTURE = frozenset("title link url width height description".split())
ASIDES = {
    "image": IN_PICTURE,
    "textinput": frozenset("title description name link".split()),
    "source": frozenset(
        "id title link updated published subtitle rights generator author contributor icon logo".split()
    ),
}
LEFT: dict[str, Part] = dict.fromkeys(IDLE, leaf) | dict.fromkeys(PROSE - {"description"}, prose)
IN_MEDIA: dict[str, Part] = LEFT | {
    "media_title": title,
    "media_description": description,
    "media_thumbnail": thumbnail,
    "media_content": media_content,
    "media_group": group,
    "media_category": category,
    "media_keywords": keywords,
}
IN_ENTRY: dict[str, Part] = IN_MEDIA | {
    "title": title, "dc_title": title, "link": link, "guid": guid, "id": guid,
    "description": description, "dc_description": description, "summary": summary, "itunes_summary": summary,
    "content": content, "content_encoded": encoded, "fullitem": encoded,
    "author": author, "managingeditor": author, "dc_creator": author, "dc_author": author, "itunes_author": author,
    "contributor": person, "category": category, "keywords": category, "dc_subject": category,
    "itunes_category": itunes_category, "itunes_keywords": keywords,
    "published": published, "issued": published, "pubdate": published, "dcterms_issued": published,
    "updated": updated, "modified": updated, "lastbuilddate": updated, "dc_date": updated, "dcterms_modified": updated,
    "enclosure": enclosure, "itunes_image": picture, "feedburner_origlink": origlink, "language": leaf,
    "dc_language": leaf, "image": leaf_image, "source": aside,
}  # fmt: skip
