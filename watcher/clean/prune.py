"""Cuts furniture from the element that holds an article: by class names and ids, and lists of links."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from lxml.etree import _Element

from watcher.clean.flat_tree import FlatPage
from watcher.clean.phrases import CLASS_NAMES, KNOWN_NAMES, name_test
from watcher.text.toml_data import load_toml

FRAMES = frozenset(("article", "div", "main", "section"))
# OTHERS: comments, or another article. The names of kinds from BOX_BESIDE on are never those of the layout.
KEPT, DOUBTFUL, TEASER, BOX_BESIDE, OTHERS = range(5)

BOTH = CLASS_NAMES["furniture"]
DOUBTFUL_ID = re.compile(f"{BOTH}|^(?:jp-|dpsp-content)|bmdh|share|Share|nav|Nav|premium|^ad-")
DOUBTFUL_CLASS = re.compile(f"{BOTH}|{CLASS_NAMES['furniture_class']}")
HIDDEN_CLASS = re.compile(CLASS_NAMES["hidden_class"])
HIDDEN_STYLE = re.compile(r"hidden|display\s*:\s*none", re.IGNORECASE)
COMMENTS_ID = re.compile("^(?:[Cc]omment(?!ary)|comol|disqus_thread|dsq-comments)")
COMMENTS_CLASS = re.compile(
    "^[Cc]omment(?!ary)|(?:article|post)-comments|mvp-post-add-(?:box|wrap)|infinite-?scroll|elementor-share-buttons"
)
BOXES = re.compile(CLASS_NAMES["boxes"])
ASIDES = re.compile(CLASS_NAMES["asides"])
TEASERS = re.compile("[Tt]easer|caption|[Pp]romo(?!t)")
NUMBERS = re.compile(r"\d+")  # "menu-item-1203": numbers in names are ignored
PLAIN = frozenset("a b br em i img strong".split())  # inline elements are never furniture
CUT_TAGS = frozenset(("div", "li", "ul", "ol", "dl", "p", "section", "span", "dd", "dt"))
COMMENT_TAGS = frozenset(("div", "section", "details", "ol", "ul", "dl"))


Kinds = Sequence[int]  # for each element of a page, KEPT or the kind of furniture that it may be


def classify_elements(page: FlatPage) -> Kinds:
    return [_classify_attributes(element, tag) for element, tag in zip(page.elements, page.tags, strict=True)]


def _classify_attributes(element: _Element, tag: str) -> int:
    """Return the kind of furniture that an element may be by its attributes, or KEPT."""
    if tag in PLAIN or not (attributes := dict(element.items())):
        return KEPT
    classes, name = attributes.get("class", ""), attributes.get("id", "")
    if (classes or name) and (kind := _classify_names(tag, classes, name)):
        return kind
    if "paywall" in classes:  # part of the article, although hidden from readers who have not paid
        return KEPT
    if (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or HIDDEN_STYLE.search(attributes.get("style", ""))
    ):
        return DOUBTFUL
    return DOUBTFUL if tag in CUT_TAGS and "nav" in attributes.get("role", "").lower() else KEPT


@lru_cache(maxsize=KNOWN_NAMES)
def _classify_names(tag: str, classes: str, name: str) -> int:
    """Return the kind of furniture that an element may be by class and id (`name`), or KEPT."""
    classes, name = NUMBERS.sub("", classes), NUMBERS.sub("", name)
    if tag in COMMENT_TAGS and (COMMENTS_ID.search(name) or COMMENTS_CLASS.search(classes)):
        return OTHERS
    if tag in CUT_TAGS and (DOUBTFUL_ID.search(name) or DOUBTFUL_CLASS.search(classes)):
        return DOUBTFUL
    if HIDDEN_CLASS.search(classes):
        return DOUBTFUL
    if BOXES.search(classes):
        return BOX_BESIDE
    if ASIDES.search(classes) or (tag in CUT_TAGS and (TEASERS.search(classes) or TEASERS.search(name))):
        return TEASER
    return KEPT


# Patterns for tag and attributes of each kind of element that can hold an article, the most certain kind first.
_FRAME_NAMES = tuple(
    {name: name_test("|".join(patterns), ignore_case=False) for name, patterns in frame.items()}
    for frame in load_toml("watcher.clean", "frames.toml")["frames"]
)


def frames_by_name(page: FlatPage) -> Iterator[int]:
    """Yield the elements that hold an article by their names: the first of each kind, the most certain kind first."""
    places = [
        (index, {**dict(element.items()), "tag": tag})
        for index, (tag, element) in enumerate(zip(page.tags, page.elements, strict=True))
        if tag in FRAMES and page.there[index]
    ]
    for names in _FRAME_NAMES:
        for index, attributes in places:
            if any(has_name(attributes[name]) for name, has_name in names.items() if name in attributes):
                yield index
                break


LEFT = 7  # cuts must leave a seventh of the text; otherwise the name was that of the layout
ROUNDS = 5  # of searching inside elements that turned out to be layout
SECTIONS, SECTION_CHARS = 3, 300  # elements that look alike are sections if there are so many with so much prose each
LIST_ELEMENTS = frozenset(("ul", "ol", "dl"))
LIST_CELLS = frozenset(("li", "td", "th", "dd", "dt"))
ONE_LINK = 100  # characters: an element that is mostly one link longer than this is cut
MOSTLY_LINK = 0.9
SHORT_LINK = 10  # characters: "Share", "Next"
LINKED = 0.8  # share of links from which on a short element is cut
BUTTONS = 0.4  # the same if nearly all its links are short: with less it is a sentence
FEW_LINKS = 4  # links; a long element with more of them may be a list of teasers
TEASER_LINK = 100  # characters of a link on average: with more, the links are the text of a catalogue
BOX = 100  # characters: a shorter div with a link and three or more children is cut
# Characters below which the share of links counts: (usually, as last child), for a paragraph (True) and others.
LIMITS = {True: (30, 60), False: (100, 300)}


Cut = tuple[int, str]  # the element, the rule
RULE_TEXTS = {
    OTHERS: "comments, or another article",
    BOX_BESIDE: "a box beside the article, by its name",
    DOUBTFUL: "furniture by its name, or hidden",
    TEASER: "a teaser, caption or box by its name",
}
LINKS = "a list of links"


def prune(page: FlatPage, frame: int, kinds: Kinds) -> list[Cut]:
    """Cut the furniture inside `frame`; return each cut element with the rule that cut it."""
    cuts = _cut_by_names(page, frame, kinds)
    inside = range(frame, page.end_elements[frame])
    for _ in range(2):
        for tags in (("div",), LIST_ELEMENTS, ("p",)):
            lists = [
                index for index in inside if page.tags[index] in tags and page.there[index] and _is_links(page, index)
            ]
            cuts += _cut_elements(page, lists, LINKS)
    return cuts


def _cut_elements(page: FlatPage, places: list[int], rule: str) -> list[Cut]:
    for index in places:
        page.cut(index)
    if places:
        page.count()
    return [(index, rule) for index in places]


def _cut_by_names(page: FlatPage, frame: int, kinds: Kinds) -> list[Cut]:
    """Cut furniture by name, but no kind whose cuts would leave nearly nothing: then the names are of the layout."""
    furniture = _outermost_furniture(page, frame, kinds)
    cuts: list[Cut] = []
    for kind, rule in RULE_TEXTS.items():
        size = page.size(frame)
        if furniture[kind] and size - sum(map(page.size, furniture[kind])) > size / LEFT:
            cuts += _cut_elements(page, furniture[kind], rule)
    return cuts


def _outermost_furniture(page: FlatPage, frame: int, kinds: Kinds) -> tuple[list[int], ...]:
    """Return the outermost furniture elements of each kind; similar ones with most or much of the prose are layout."""
    half = page.unlinked_size(frame) / 2
    layout: set[str] = set()
    for _ in range(ROUNDS):
        cuts: tuple[list[int], ...] = tuple([] for _ in range(OTHERS + 1))
        groups: dict[str, list[int]] = {}
        index, end = frame + 1, page.end_elements[frame]
        while index < end:
            if page.there[index] and (kind := kinds[index]):
                element = page.elements[index]
                name = element.get("class") or element.get("id") or ""
                group = f"{page.tags[index]}.{name.partition(' ')[0]}"  # elements that look alike
                if kind >= BOX_BESIDE or group not in layout:
                    cuts[kind].append(index)
                    if kind < BOX_BESIDE:
                        groups.setdefault(group, []).append(page.unlinked_size(index))
                    index = page.end_elements[index]
                    continue
            index += 1
        nested = {
            group
            for group, sizes in groups.items()
            if sum(sizes) > half or (len(sizes) >= SECTIONS and sum(sizes) > SECTION_CHARS * len(sizes))
        }
        if not nested:
            break
        layout |= nested
    return cuts


def _is_links(page: FlatPage, index: int) -> bool:
    """Whether an element is a link, a row of buttons or a list of teasers."""
    if not (links := page.links_in(index)):
        return False
    tag, parent, size = page.tags[index], page.parents[index], page.size(index)
    if tag == "p" and page.tags[parent] in LIST_CELLS:
        return False
    sizes = [length for link in links if (length := page.size(link))]
    if not sizes:
        return False
    linked = sum(sizes)
    if len(links) == 1 and linked > ONE_LINK and linked > MOSTLY_LINK * size:
        return True
    is_last = page.end_elements[index] >= page.end_elements[parent]
    if size < LIMITS[tag == "p"][is_last]:
        short = sum(length < SHORT_LINK for length in sizes)
        if linked > LINKED * size or (len(sizes) > 1 and short > LINKED * len(sizes) and linked > BUTTONS * size):
            return True
        return tag == "div" and size < BOX and page.children(index) >= 3
    return len(links) > FEW_LINKS and linked > MOSTLY_LINK * size and linked < TEASER_LINK * len(sizes)
