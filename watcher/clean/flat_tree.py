"""A page as flat lists: its elements in order, its texts in order, and the texts of each element."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from operator import mul

from lxml import etree
from lxml.etree import _Element

from watcher.clean.phrases import ELEMENTS
from watcher.text.words import compose

SILENT, MISUSED, LAYOUTS = ELEMENTS["silent"], ELEMENTS["misused"], ELEMENTS["layouts"]
BREAKS, BEFORE_LOOSE, UNNOTED = ELEMENTS["breaks"], ELEMENTS["before_loose"], ELEMENTS["unnoted"]
# An element that holds one paragraph, and the kind of block that it makes.
BLOCK_KINDS = {
    "p": "p", "pre": "quote", "blockquote": "quote", "q": "quote", "li": "li", "dd": "li", "dt": "li", "td": "p",
    "th": "p", "caption": "p", "summary": "h", **{f"h{level}": "h" for level in range(1, 7)},
}  # fmt: skip
NOWHERE = -1
MAX_TEXTS = 50_000  # texts of a page: the longest live blogs have a tenth of that


class FlatPage:
    """
    The elements of a page in order, without those in `SILENT`, and its texts in order.

    Element `at` holds the elements from `at + 1` up to `end_elements[at]` and the texts from `first_texts[at]` up to
    `end_texts[at]`, both ends excluded. All lists about elements are equally long, as are those about texts.
    Elements and texts that are cut keep their index but are not counted.
    """

    def __init__(self) -> None:
        """Start empty; a number of an element is its index in the first lists, that of a text its index in `texts`."""
        self.elements: list[_Element] = []
        self.tags: list[str] = []
        self.parents: list[int] = []
        self.end_elements: list[int] = []
        self.first_texts: list[int] = []
        self.end_texts: list[int] = []
        self.enclosing_blocks: list[int] = []  # the innermost element of BLOCK_KINDS around an element, or itself
        self.links: list[int] = []  # the elements that are links
        self.texts: list[str] = []
        self.owners: list[int] = []  # the innermost element around a text
        self.begins: list[bool] = []  # whether a text begins a paragraph
        self.follows_break: list[bool] = []  # whether a text follows an element of BEFORE_LOOSE
        self.sizes: list[int] = []  # characters
        self.unlinked: list[int] = []  # characters that are in no link
        self.there = bytearray()  # 0 for an element that is cut
        self.shown = bytearray()  # 0 for a text that is cut
        self._sums: list[int] = [0]
        self._unlinked_sums: list[int] = [0]

    def cut(self, index: int) -> None:
        """Cut an element with its descendants and texts. Call `count` afterwards to update the sizes."""
        end, first, last = self.end_elements[index], self.first_texts[index], self.end_texts[index]
        self.there[index:end] = bytes(end - index)
        self.shown[first:last] = bytes(last - first)

    def count(self) -> None:
        self._sums = [0, *accumulate(map(mul, self.sizes, self.shown))]
        self._unlinked_sums = [0, *accumulate(map(mul, self.unlinked, self.shown))]

    def size(self, index: int) -> int:
        """Return the number of visible characters of an element."""
        return self._sums[self.end_texts[index]] - self._sums[self.first_texts[index]]

    def unlinked_size(self, index: int) -> int:
        """Return the number of visible characters of an element outside of links."""
        return self._unlinked_sums[self.end_texts[index]] - self._unlinked_sums[self.first_texts[index]]

    def links_in(self, index: int) -> list[int]:
        inside = self.links[bisect_left(self.links, index + 1) : bisect_left(self.links, self.end_elements[index])]
        return [link for link in inside if self.there[link]]

    def children(self, index: int) -> int:
        """Return the number of child elements that are not cut."""
        count, inner, end = 0, index + 1, self.end_elements[index]
        while inner < end:
            count += self.there[inner]
            inner = self.end_elements[inner]
        return count

    def paragraphs(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield start and end index of each paragraph in the texts from `first` up to `last` (excluded)."""
        begins = self.begins
        start = first
        for place in range(first + 1, last):
            if begins[place]:
                yield start, place
                start = place
        if start < last:
            yield start, last


def flatten_tree(tree: _Element, *, whole: bool = False) -> FlatPage:
    """Return a page's body as flat lists, without forms and footers unless they hold most; `whole` includes MISUSED."""
    page = FlatPage()
    body = next(iter(tree.iter("body")), None)
    silent = SILENT - MISUSED if whole else SILENT
    if body is None:  # in a head that is not closed, libxml2 keeps unknown elements such as `article`
        body, silent = tree, silent - {"head"} | {"title"}
    _walk(page, body, silent)
    page.there = bytearray(b"\x01" * len(page.tags))
    page.shown = bytearray(b"\x01" * len(page.texts))
    page.unlinked = page.sizes[:]
    for link in page.links:
        first, last = page.first_texts[link], page.end_texts[link]
        page.unlinked[first:last] = [0] * (last - first)
    page.count()
    half = page.unlinked_size(0) / 2 if page.tags else 0
    for index, tag in enumerate(page.tags):
        if tag in LAYOUTS and page.unlinked_size(index) <= half:
            page.cut(index)
    page.count()
    return page


def _walk(page: FlatPage, body: _Element, silent: frozenset[str]) -> None:
    """Fill `page` with the elements and texts below `body`, in their order; tags in `silent` are skipped."""
    opened, open_blocks = [NOWHERE], [NOWHERE]
    begins, loose = True, False
    walk = etree.iterwalk(body, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start":
            if tag in silent and not (tag == "figure" and element.find(".//table") is not None):
                walk.skip_subtree()
                continue
            if tag not in UNNOTED:
                _open_element(page, element, opened, open_blocks)
            text = element.text
        else:
            if tag not in UNNOTED and (opened[-1] >= 0 and page.elements[opened[-1]] is element):
                index = opened.pop()
                page.end_elements[index], page.end_texts[index] = len(page.tags), len(page.texts)
                if tag in BLOCK_KINDS:
                    open_blocks.pop()
            text = element.tail
        owner = opened[-1]
        if tag in BREAKS:
            begins, loose = True, tag in BEFORE_LOOSE
        if not text or owner < 0:
            continue
        if not text.isspace():
            page.sizes.append(len(" ".join(text.split())))
        elif begins:
            continue
        else:
            text = " "
            page.sizes.append(0)
        page.texts.append(text)
        page.owners.append(owner)
        page.begins.append(begins)
        page.follows_break.append(loose)
        begins = False
        if len(page.texts) >= MAX_TEXTS:
            break
    for index in opened[1:]:  # elements are left open only if the page was too long
        page.end_elements[index], page.end_texts[index] = len(page.tags), len(page.texts)


def _open_element(page: FlatPage, element: _Element, opened: list[int], open_blocks: list[int]) -> None:
    """Append an element to the lists of `page`; its number goes onto the stacks of open elements."""
    index, tag = len(page.tags), element.tag
    page.elements.append(element)
    page.tags.append(tag)
    page.parents.append(opened[-1])
    page.first_texts.append(len(page.texts))
    page.end_elements.append(index + 1)
    page.end_texts.append(len(page.texts))
    opened.append(index)
    if tag in BLOCK_KINDS:
        open_blocks.append(index)
    elif tag == "a":
        page.links.append(index)
    page.enclosing_blocks.append(open_blocks[-1])


def collapse_whitespace(text: str) -> str:
    """Return `text` on one line in NFC, without double spaces, soft hyphens and other invisible characters."""
    if not text.isascii():
        text = compose("NFC", text.replace("\xad", "").replace("\u200b", " ").replace("\ufeff", " "))
    return " ".join(text.split()).strip(" |")
