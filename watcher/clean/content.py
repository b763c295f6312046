"""Extracts the main text of a page: finds the element that holds it, prunes furniture, and returns its blocks."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from lxml.etree import _Element

from watcher.clean.flat_tree import BLOCK_KINDS, NOWHERE, FlatPage, collapse_whitespace, flatten_tree
from watcher.clean.html import html_in_scripts, parse
from watcher.clean.phrases import PHRASES
from watcher.clean.prune import ASIDES, BOX_BESIDE, KEPT, TEASER, Cut, Kinds, classify_elements, frames_by_name, prune
from watcher.model import Block, RemovedBlock
from watcher.text.words import count_letters, normalize_key

MIN_ARTICLE_CHARS = 250  # characters of an article: with less, the frame may be wrong or a script may hold the text
REREAD_CHARS = 2 * MIN_ARTICLE_CHARS  # with a shorter text, elements that should not hold an article are read too
# If paragraphs have this many characters, text outside of paragraphs is not part of the article.
MIN_PARAGRAPHS_CHARS = 3 * MIN_ARTICLE_CHARS
FULL = 0.6  # share of a frame's text: if its paragraphs have less, text outside of paragraphs is used too
MORE = 1.6  # times the text of the named frame: if the densest element has so much prose, the name was wrong
MUCH_MORE, FAR_MORE = 3, 8  # the same for prose outside of the named frame: if its text is short, and for any text
SOME = 100  # characters; with more, the second reading must find much more to replace the first
LONGER, MUCH_LONGER = 1.5, 3.0
REPEATED = 80  # characters: a paragraph this long is not repeated on purpose
MAX_BLOCKS = 3_000
LOOSE = "loose"  # kind of a block outside of paragraphs, until it is known whether it is part of the text
LOOSE_CHARS = 200  # characters of such a block
CELL = " | "
BETWEEN = " · "
CELLS = frozenset(("td", "th"))
LIST_PARTS = frozenset(("ul", "ol", "dl", "li", "dt", "dd"))
LIST_AND_QUOTE_KINDS = {"li": "li", "dd": "li", "dt": "li", "blockquote": "quote", "q": "quote", "td": "p", "th": "p"}
BUTTON = re.compile(rf"^\W*+(?:{PHRASES['buttons']})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MainText:
    """The blocks of a page's main text, the element (`frame`) that holds them, and what was cut from it."""

    blocks: tuple[Block, ...] = ()
    places: tuple[int, ...] = ()  # index of each block's first text in `FlatPage.texts`
    frame: int = 0
    cuts: tuple[Cut, ...] = ()

    @property
    def size(self) -> int:
        return text_length(self.blocks)

    @property
    def letters(self) -> int:
        """Return the number of letters, 0 if there are only headings: such a list is no article."""
        has_text = any(block.kind != "h" for block in self.blocks)
        return sum(count_letters(block.text) for block in self.blocks) if has_text else 0


def extract_content(tree: _Element, *, summaries: Sequence[str] = ()) -> tuple[FlatPage, MainText]:
    """
    Return the page as flat lists, and its main text.

    If there is almost no text, the page is read again including elements that should not hold an article but sometimes
    do, and then the HTML in its scripts is read. `summaries` are the page's descriptions of itself: the standfirst
    often repeats one.
    """
    page = flatten_tree(tree)
    main = _find_main_text(page, summaries)
    size = main.letters
    if size >= REREAD_CHARS:
        return page, main
    whole = flatten_tree(tree, whole=True)
    other = _find_main_text(whole, summaries)
    longer = LONGER if size <= SOME else MUCH_LONGER if size < MIN_ARTICLE_CHARS else FAR_MORE
    if other.letters > longer * size:
        return whole, other
    if size < MIN_ARTICLE_CHARS and (inside := parse(html_in_scripts(tree))) is not None:
        scripted = flatten_tree(inside)
        found = _find_main_text(scripted, ())
        if found.letters >= MIN_ARTICLE_CHARS:
            return scripted, found
    return page, main


def _find_main_text(page: FlatPage, summaries: Sequence[str]) -> MainText:
    if not page.tags:
        return MainText()
    kinds = classify_elements(page)
    untouched = bytes(page.there), bytes(page.shown)
    dense, prose = densest_element(page, kinds)
    best = MainText()
    frames = frames_by_name(page)
    for at in frames:
        found = _try_frame(page, at, kinds, untouched)
        best = max(best, found, key=lambda main: main.size)
        if len(found.blocks) > 1:
            break
    if _is_better(page, dense, prose, best.frame, best.size):
        found = _try_frame(page, dense, kinds, untouched)
        best = found if found.size > LONGER * best.size else best
    rest = chain(frames, (0,))
    while best.letters < MIN_ARTICLE_CHARS and (further := next(rest, None)) is not None:
        best = max(best, _try_frame(page, further, kinds, untouched), key=lambda main: main.size)
    return replace(best, blocks=_add_standfirst(page, best, kinds, summaries)[:MAX_BLOCKS])


def pruned_blocks(page: FlatPage, main: MainText) -> tuple[RemovedBlock, ...]:
    """Return the texts that were cut from the element with the main text, in page order."""
    found = []
    for at, rule in sorted(main.cuts):
        places = page.paragraphs(page.first_texts[at], page.end_texts[at])
        texts = [text for start, end in places if (text := collapse_whitespace("".join(page.texts[start:end])))]
        if texts:
            found.append(RemovedBlock(rule=rule, text=BETWEEN.join(texts)))
    return tuple(found)


def text_length(blocks: Iterable[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _is_better(page: FlatPage, at: int, prose: int, frame: int, size: int) -> bool:
    """Whether the prose in element `at` replaces the text of `size` characters found in `frame`."""
    if prose <= MORE * size:
        return False
    overlaps = frame <= at < page.end_elements[frame] or at <= frame < page.end_elements[at]
    return overlaps or (size < 2 * MIN_ARTICLE_CHARS and prose > MUCH_MORE * size) or prose > FAR_MORE * size


def _try_frame(page: FlatPage, frame: int, kinds: Kinds, untouched: tuple[bytes, bytes]) -> MainText:
    """Return the text in `frame` without its furniture; nothing outside of it is cut."""
    page.there[:], page.shown[:] = untouched
    page.count()
    cuts = prune(page, frame, kinds)
    if not (size := page.size(frame)):
        return MainText(frame=frame)
    blocks = list(_blocks(page, frame, loose=not _has_paragraphs(page)))
    own = [at for at, (_, block) in enumerate(blocks) if block.kind not in ("h", LOOSE)]
    if text_length(block for _, block in blocks if block.kind != LOOSE) < FULL * size:
        blocks = list(_blocks(page, frame, loose=True))
    else:  # prose outside of paragraphs is text between paragraphs; before and behind them it is often about the site
        begin, end = (own[0], own[-1]) if own else (0, 0)
        inside = (pair for at, pair in enumerate(blocks) if pair[1].kind != LOOSE or begin < at < end)
        blocks = [(at, replace(block, kind="p") if block.kind == LOOSE else block) for at, block in inside]
    if any(block.kind != "h" for _, block in blocks):
        while blocks[-1][1].kind == "h":
            blocks.pop()
    # Of a repeated long paragraph, keep the first.
    first = {block.text: at for at, block in reversed(blocks)}
    kept = [(at, block) for at, block in blocks if len(block.text) < REPEATED or first[block.text] == at]
    return MainText(
        frame=frame, blocks=tuple(block for _, block in kept), places=tuple(at for at, _ in kept), cuts=tuple(cuts)
    )


def _has_paragraphs(page: FlatPage) -> bool:
    total = behind = 0
    for at, tag in enumerate(page.tags):
        if tag == "p" and at >= behind and page.there[at]:
            total += page.size(at)
            behind = page.end_elements[at]
            if total >= MIN_PARAGRAPHS_CHARS:
                return True
    return False


def _blocks(page: FlatPage, frame: int, *, loose: bool) -> Iterator[tuple[int, Block]]:
    """
    Yield the blocks in `frame` with the index of each one's first text.

    `loose`: also text outside of paragraphs; otherwise long prose there has the kind `LOOSE`.
    """
    rows: list[tuple[int, int, list[str]]] = []
    loose_prose: set[int] = set()
    for start, end in page.paragraphs(page.first_texts[frame], page.end_texts[frame]):
        places = [place for place in range(start, end) if page.shown[place]]
        if not places:
            continue
        first = places[0]
        owner = page.owners[first]
        block_element = page.enclosing_blocks[owner]
        is_taken = loose or block_element >= frame or owner == frame or page.loose[first]
        if not is_taken and _is_long_prose(page, places):
            loose_prose.add(first)
            is_taken = True
        parts = [page.texts[place] for place in places] if is_taken else []
        if rows and rows[-1][2] and _is_same_row(page, rows[-1][1], block_element):
            begin, _, before = rows.pop()
            rows.append((begin, block_element, [*before, CELL, *parts]))
        else:
            rows.append((first, block_element, parts))
    for begin, block_element, parts in rows:
        text = collapse_whitespace("".join(parts))
        if text and not BUTTON.match(text):
            yield begin, Block(text=text, kind=LOOSE if begin in loose_prose else _kind(page, block_element, frame))


def _is_long_prose(page: FlatPage, places: Sequence[int]) -> bool:
    size = sum(page.sizes[place] for place in places)
    is_unlinked = size >= LOOSE_CHARS and sum(page.unlinked[place] for place in places) > size / 2
    return is_unlinked and ENDS.search(page.texts[places[-1]]) is not None


def _is_same_row(page: FlatPage, one: int, other: int) -> bool:
    if NOWHERE in (one, other) or one == other:
        return False
    return page.tags[one] in CELLS and page.tags[other] in CELLS and page.parents[one] == page.parents[other]


def _kind(page: FlatPage, block_element: int, frame: int) -> str:
    """
    Return the kind of a block: that of its element, or for a paragraph in a list or quote "li" or "quote".

    `frame`: the element of the main text; what is around it does not count.
    """
    if block_element < frame or block_element == NOWHERE:
        return "p"
    kind = BLOCK_KINDS[page.tags[block_element]]
    up = page.parents[block_element]
    while kind == "p" and up > frame:
        if (tag := page.tags[up]) in LIST_AND_QUOTE_KINDS:
            return LIST_AND_QUOTE_KINDS[tag]
        up = page.parents[up]
    return kind


MIN_STANDFIRST_CHARS, MAX_STANDFIRST_CHARS = 40, 900  # characters
UNSAID = 60  # characters: from this length on, a paragraph unlike the summaries may be the standfirst
UNLINKED = 0.7  # share of the standfirst that is outside of links
SUMMARY_START_CHARS = 40  # letters at the start that standfirst and summary must share
CAPTION = re.compile(PHRASES["captions"], re.IGNORECASE)


def _add_standfirst(page: FlatPage, main: MainText, kinds: Kinds, summaries: Sequence[str]) -> tuple[Block, ...]:
    """Return the blocks of `main`, with the paragraph between title and text (the standfirst) if it is missing."""
    blocks, places = main.blocks, main.places
    body = next((place for block, place in zip(blocks, places, strict=True) if block.kind != "h"), 0)
    title = max((at for at, tag in enumerate(page.tags) if tag == "h1" and page.end_texts[at] <= body), default=NOWHERE)
    if title == NOWHERE:
        return blocks
    found = dict(_paragraphs(page, title, body, kinds))
    text = _choose_standfirst(found, frozenset(map(normalize_key, summaries)) - {""})
    if not text or any(block.text == text for block in blocks):
        return blocks
    before = sum(begin < found[text] for begin in places)
    return (*blocks[:before], Block(text=text), *blocks[before:])


def _paragraphs(page: FlatPage, title: int, body: int, kinds: Kinds) -> Iterator[tuple[str, int]]:
    """Yield the paragraphs between title and text that may be a standfirst, each with the index of its first text."""
    for begin, end in page.paragraphs(page.end_texts[title], body):
        size = sum(page.sizes[begin:end])
        if not MIN_STANDFIRST_CHARS <= size <= MAX_STANDFIRST_CHARS or sum(page.unlinked[begin:end]) <= UNLINKED * size:
            continue
        if _is_plain(page, page.owners[begin], title, kinds):
            yield collapse_whitespace("".join(page.texts[begin:end])), begin


def _is_plain(page: FlatPage, at: int, title: int, kinds: Kinds) -> bool:
    """Whether no element from `at` up to the common ancestor with the title is furniture by its name."""
    while at != NOWHERE and not at <= title < page.end_elements[at]:
        # Some sites name the first paragraph of the article a teaser.
        name = page.elements[at].get("class", "")
        is_own = kinds[at] == TEASER and "easer" in name and not ASIDES.search(name)
        if kinds[at] != KEPT and not is_own:
            return False
        at = page.parents[at]
    return True


def _choose_standfirst(found: Collection[str], summaries: Collection[str]) -> str:
    """Return the text that matches one of `summaries`, else the only one that is prose, else ""."""
    for text in found:
        name = normalize_key(text)
        if any(name in one or one[:SUMMARY_START_CHARS] == name[:SUMMARY_START_CHARS] for one in summaries):
            return text
    prose = [text for text in found if len(text) >= UNSAID and (len(text) >= SENTENCE or ENDS.search(text))]
    return prose[0] if len(prose) == 1 and not CAPTION.search(prose[0]) else ""


MISSED_SHARE = 0.6  # of the body's length: a shorter main text lacks a part of the article
MIN_BODY_CHARS = 300  # characters: a shorter articleBody is ignored
COVERED = 0.7  # of the body's length that the page's own paragraphs must have
BLOCK_START_CHARS = 50  # characters at the start by which a repeated body is found
PARAGRAPHS = ("p", "h2", "h3", "h4", "li", "blockquote")


def dedupe_body(body: str) -> str:
    """Return an articleBody without its repetition: some pages have it twice in one text."""
    start = body[:BLOCK_START_CHARS]
    again = body.find(start, BLOCK_START_CHARS) if len(start) == BLOCK_START_CHARS else -1
    return body[:again].strip() if again > 0 else body


def add_missing_paragraphs(blocks: tuple[Block, ...], body: str, tree: _Element) -> tuple[Block, ...]:
    """Return `blocks`, or if they are much shorter than `body`, the page's paragraphs that `body` has too."""
    if len(body) < MIN_BODY_CHARS or text_length(blocks) >= MISSED_SHARE * len(body):
        return blocks
    inside = normalize_key(body)
    found: dict[str, Block] = {}
    for element in tree.iter(*PARAGRAPHS):
        text = " ".join("".join(element.itertext()).split())
        if len(name := normalize_key(text)) > 3 and name in inside:
            kind = "li" if element.tag == "li" else "h" if element.tag[0] == "h" else "p"
            found.setdefault(name, Block(text=text, kind=kind))
    if text_length(found.values()) >= COVERED * len(body):
        return tuple(found.values())
    return tuple(Block(text=line) for part in body.split("\n") if (line := " ".join(part.split())))


MIN_PROSE_CHARS = 25  # characters of a paragraph that counts as prose
SENTENCE = 120  # characters: from this length on, a text without a full stop is prose too
LONG = 80  # characters: a paragraph this long is not repeated by chance
WHOLE = 2_000  # characters: a longer paragraph may be a copy of the whole text
COPIES = 3  # paragraphs of the article that such a copy must contain
PARAGRAPH_START_CHARS = 60  # characters at the start by which a repeated paragraph is found
GRANDPARENT = 0.5  # share of a paragraph's score that its grandparent gets
GROWTH = 1.3  # an enclosing element is better if it has that many times the prose,
DENSITY = 0.85  # and at least this part of the share of prose;
DOUBLED = 2.0  # if it has more than twice the prose,
DENSITY_DOUBLED = 0.5  # half of the share is enough
COMMAS = re.compile("[,،，、]")
ENDS = re.compile(r"[.!?:;…。！？։।۔][\"'”’»›」』)\]\s]*$")
BLOCKS = frozenset(("div", "section", "article", "main", "body"))


def densest_element(page: FlatPage, kinds: Kinds) -> tuple[int, int]:
    """Return the element with most of the prose, and the number of its characters; (0, 0) if there is no prose."""
    scores: dict[int, float] = {}
    prose = [0] * len(page.tags)
    for block, size, text in _prose(page, kinds):
        prose[block] += size
        parent = page.parents[block]
        if parent == NOWHERE:
            continue
        score = 1 + len(COMMAS.findall(text)) + min(size / 100, 3)
        scores[parent] = scores.get(parent, 0) + score
        if (grandparent := page.parents[parent]) != NOWHERE:
            scores[grandparent] = scores.get(grandparent, 0) + GRANDPARENT * score
    if not scores:
        return 0, 0
    for at in range(len(prose) - 1, 0, -1):
        prose[page.parents[at]] += prose[at]
    best = _widen_to_article(page, max(scores, key=scores.__getitem__), prose)
    return best, prose[best]


def _widen_to_article(page: FlatPage, best: int, prose: Sequence[int]) -> int:
    """Return the ancestor of `best` that holds the whole article, if the article is split over sibling boxes."""
    up = page.parents[best]
    while up != NOWHERE and page.tags[up] != "body":
        growth = prose[up] / max(prose[best], 1)
        density = DENSITY_DOUBLED if growth > DOUBLED else DENSITY
        if growth > GROWTH and prose[up] * page.size(best) > density * prose[best] * page.size(up):
            best = up
        up = page.parents[up]
    while page.tags[best] in LIST_PARTS:  # a list is a part of an article
        best = page.parents[best]
    return best


def _prose(page: FlatPage, kinds: Kinds) -> Iterator[tuple[int, int, str]]:
    """Yield element, size and text of each paragraph of prose that is not furniture by its name."""
    hidden = _is_hidden(page, kinds)
    seen: set[str] = set()
    for start, end in page.paragraphs(0, len(page.texts)):
        if hidden[start] or not page.shown[start]:
            continue
        size = sum(page.sizes[start:end])
        if size < MIN_PROSE_CHARS or sum(page.unlinked[start:end]) <= size / 2:
            continue
        if size < SENTENCE and not ENDS.search(page.texts[end - 1]):
            continue
        text = "".join(page.texts[start:end])
        if size >= LONG and _is_copy(text, size, seen):
            continue
        yield _block_of(page, page.owners[start]), size, text


def _is_copy(text: str, size: int, seen: set[str]) -> bool:
    """Whether a paragraph repeats an earlier one or contains the whole text; otherwise adds it to `seen`."""
    if size > WHOLE and sum(start in text for start in seen) >= COPIES:
        return True
    start = " ".join(text[: 2 * PARAGRAPH_START_CHARS].split())[:PARAGRAPH_START_CHARS]
    if start in seen:
        return True
    seen.add(start)
    return False


def _block_of(page: FlatPage, at: int) -> int:
    if (block_element := page.enclosing_blocks[at]) != NOWHERE:
        return block_element
    while page.tags[at] not in BLOCKS and page.parents[at] != NOWHERE:
        at = page.parents[at]
    return at


def _is_hidden(page: FlatPage, kinds: Kinds) -> bytearray:
    """Return 1 for each text in furniture by name, else 0; names of elements with most of the page are ignored."""
    hidden = bytearray(len(page.texts))
    half = page.unlinked_size(0) / 2
    at, end = 0, len(page.tags)
    while at < end:
        if page.unlinked_size(at) <= MIN_PROSE_CHARS / 2:  # no prose is in it, whatever its name
            at = page.end_elements[at]
            continue
        kind = kinds[at]
        if kind and (kind >= BOX_BESIDE or page.unlinked_size(at) <= half):
            first, last = page.first_texts[at], page.end_texts[at]
            hidden[first:last] = b"\x01" * (last - first)
            at = page.end_elements[at]
        else:
            at += 1
    return hidden
