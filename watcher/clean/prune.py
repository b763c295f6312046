"""What is cut from the element that holds an article: furniture by its names, and lists of links."""

from __future__ import annotations

from watcher.clean.hints import DOUBTFUL, OTHERS, TEASER, Verdicts, group_of
from watcher.clean.outline import Outline

LEFT = 7  # a seventh of the text must be left, or a name around all of it was misread
ROUNDS = 4  # of looking into what was misread
LISTS = frozenset(("ul", "ol", "dl"))
CELLS = frozenset(("li", "td", "th", "dd", "dt"))
ONE_LINK = 100  # characters of a link that an element consists of
MOSTLY_LINK = 0.9
SHORT_LINK = 10  # characters: "Share", "Next"
LINKED = 0.8  # of a short element that is cut
BUTTONS = 0.4  # of an element whose links are all short: with less it is a sentence
FEW = 4  # links; more of them in a long element make a list of teasers
TEASER_LINK = 100  # characters of a link on average: longer ones are the text of a catalogue
BOX = 100  # characters of a div of three elements and more that is cut for one short link
TABLE, LONG_TABLE = 200, 1_000  # characters
# Characters below which links are weighed, for a paragraph and for others; and where it is the last one.
LIMITS = {True: (30, 60), False: (100, 300)}


Cut = tuple[int, str]  # the element, the rule
RULES = {
    OTHERS: "comments, or another article",
    DOUBTFUL: "furniture by its name, or hidden",
    TEASER: "a teaser, caption or box by its name",
}
LINKS, LINK_TABLE = "a list of links", "a table of links"


def prune(page: Outline, frame: int, verdicts: Verdicts) -> list[Cut]:
    """Cut the furniture inside `frame`; return what was cut, by which rule."""
    cuts = _by_names(page, frame, verdicts)
    inside = range(frame, page.ends[frame])
    for _ in range(2):
        for tags in (("div",), LISTS, ("p",)):
            found = [at for at in inside if page.tags[at] in tags and page.there[at] and _is_links(page, at)]
            cuts += _cut(page, found, LINKS)
    tables = [at for at in inside if page.tags[at] == "table" and page.there[at] and _is_link_table(page, at)]
    return cuts + _cut(page, tables, LINK_TABLE)


def _cut(page: Outline, places: list[int], rule: str) -> list[Cut]:
    for at in places:
        page.cut(at)
    if places:
        page.count()
    return [(at, rule) for at in places]


def _by_names(page: Outline, frame: int, verdicts: Verdicts) -> list[Cut]:
    """Cut what is furniture by its name; not what would leave nearly nothing, which is layout of that name."""
    found = _outermost(page, frame, verdicts)
    cuts: list[Cut] = []
    for kind, rule in RULES.items():
        size = page.size(frame)
        if found[kind] and size - sum(map(page.size, found[kind])) > size / LEFT:
            cuts += _cut(page, found[kind], rule)
    return cuts


def _outermost(page: Outline, frame: int, verdicts: Verdicts) -> tuple[list[int], ...]:
    """Return the outermost elements of each kind of furniture; those alike that hold most of the prose are layout."""
    half = page.unlinked_size(frame) / 2
    layout: set[str] = set()
    for _ in range(ROUNDS):
        cuts: tuple[list[int], ...] = ([], [], [], [])
        groups: dict[str, int] = {}
        at, end = frame + 1, page.ends[frame]
        while at < end:
            if page.there[at] and (kind := verdicts[at]):
                group = group_of(page.elements[at], page.tags[at])
                if kind == OTHERS or group not in layout:
                    cuts[kind].append(at)
                    if kind != OTHERS:
                        groups[group] = groups.get(group, 0) + page.unlinked_size(at)
                    at = page.ends[at]
                    continue
            at += 1
        found = {group for group, size in groups.items() if size > half}
        if not found:
            break
        layout |= found
    return cuts


def _is_links(page: Outline, at: int) -> bool:
    """Whether an element is a link, a row of buttons or a list of teasers."""
    if not (links := page.links_in(at)):
        return False
    tag, parent, size = page.tags[at], page.parents[at], page.size(at)
    if tag == "p" and page.tags[parent] in CELLS:
        return False
    sizes = [length for link in links if (length := page.size(link))]
    if not sizes:
        return False
    linked = sum(sizes)
    if len(links) == 1 and linked > ONE_LINK and linked > MOSTLY_LINK * size:
        return True
    is_last = page.ends[at] >= page.ends[parent]
    if size < LIMITS[tag == "p"][is_last]:
        short = sum(length < SHORT_LINK for length in sizes)
        if linked > LINKED * size or (len(sizes) > 1 and short > LINKED * len(sizes) and linked > BUTTONS * size):
            return True
        return tag == "div" and size < BOX and page.children(at) >= 3
    return (
        len(links) > FEW
        and linked > MOSTLY_LINK * size
        and linked < TEASER_LINK * len(sizes)
        and not all(_stands_alone(page, link) for link in links)
    )


def _stands_alone(page: Outline, link: int) -> bool:
    """Whether a link is the only one in a paragraph of its own: a list that was written, not generated."""
    parent = page.parents[link]
    return page.tags[parent] == "p" and len(page.links_in(parent)) == 1


def _is_link_table(page: Outline, at: int) -> bool:
    size = page.size(at)
    if size < TABLE:
        return False
    linked = sum(map(page.size, page.links_in(at)))
    return linked > (LINKED if size < LONG_TABLE else LINKED - 0.3) * size
