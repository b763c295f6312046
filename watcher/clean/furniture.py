"""Furniture: blocks that stand on an article's page and are not the article; what was cut, by which rule."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from watcher.clean.article_body import BLOCK_START_CHARS
from watcher.clean.frame import text_length
from watcher.clean.html import InlineMarkup
from watcher.clean.phrases import PHRASE_LISTS, PHRASES
from watcher.clean.reject import is_paywall_note
from watcher.clean.site_memory import SiteMemory, block_hashes
from watcher.model import Block, RemovedBlock
from watcher.text.words import count_letters, normalize_key

LABEL_CHARS = 80  # characters: a label, a heading, a title, not a paragraph
LINK_MAX = 220  # characters of a block that is one link: longer ones are paragraphs that were linked whole
MENU_MAX = 400  # characters of a block that may be a menu
MENU_LEAST = 3  # links between bars that make a menu
MENU_SEPARATOR = re.compile("[|·•]")
STAMP_BEHIND = re.compile(r"[\s(,–—-]\d[\d.,:/\-\s年月日時分시]{3,24}(?:uhr|h|am|pm)?\)?$", re.IGNORECASE)
LABEL_BEHIND = re.compile(r"[\[(][^\W\d_a-z]{3,14}[\])]$")  # "A title [INSIGHT]"
ROUNDUP = 0.4  # of the text: where linked blocks are more than this, the links are the article
HEAD_BLOCKS = 6  # where title, byline and date stand
TAIL_BLOCKS = 4  # where the author's note and credits stand
BOX_LINKED = 0.3  # of the blocks under a heading like "More from": from here on all of them are teasers
QUOTE_LEAST, QUOTE_MOST = 25, 300  # letters of a sentence that is set apart
KICKER = 30  # letters before a title in its own heading
LEAST_TITLE = 20  # letters of that title
MANY_DATES = 8  # date lines: more of them are the headings of a list of events or of a live blog
CALL_MAX = 320  # characters of a line that asks the reader for something
CAPTION_MAX = 400  # characters of a film's caption
PLAYING_TIME_MAX = 30  # characters of the playing time at its end
STAMP_LETTERS = 36  # of a line that is a date: "Published on Wednesday 12 September 2024"
NOTE_START = 60  # characters: "Correspondent Jane Doe", "Jane Doe, 54, is"
LONG_PARAGRAPH_LETTERS = 240  # characters of a paragraph that a teaser seldom has
# Blocks that are missing from the data go only if these hold this share of the main text and are about as long.
MIN_OVERLAP = 0.75
MIN_MISSING_CHARS = 70  # subheads are often missing from the data
UNDER = 2  # blocks before a teaser's text among which its title is
BOX_AFTER = 250  # characters of article before such a box
BOX_MOST = 4  # times the text before it: a longer box does not reach to the end, as an article of lists may follow it
TITLE_BEHIND = re.compile(r"[:：]\s*\S.{14}")  # "Related: A title" is one teaser and no heading of several
SENTENCE_END = re.compile(r"[.!?…。！？։।۔][\"'”’»›」』)\]]*$")
CLOCKED = re.compile(r"\d{4}|\d[./:年月-]\s?\d|\d\.?\s?[^\W\d_]{2}|[^\W\d_]{2}\.?\s\d")
# The date and playing time at the end of a film's caption: "20.04.2024 | 3:18 min".
PLAYING_TIME = re.compile(r"\d{4}\s*[|·•]\s*\d{1,3}:\d{2}(?::\d{2})?\s?(?:min|std|sek|sec|h)\w*\.?$", re.IGNORECASE)
CREDIT = re.compile(rf"^(?:{PHRASES['picture_credits']})", re.IGNORECASE)
AUTHOR_LABEL = re.compile(rf"^(?:{PHRASES['by_author']})[\s:：]+(?=\S)", re.IGNORECASE)
STAMP = re.compile(rf"^(?:{PHRASES['says_date']})\b.{{0,60}}\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleContext:
    """What is known of the article besides its blocks: what helps to tell it from its furniture."""

    titles: frozenset[str] = frozenset()  # keys of all that the page and its feed call it
    summary: str = ""  # key of the feed's summary: a block in it is the article's
    body: str = ""  # the article's text in the page's own data
    authors: tuple[str, ...] = ()
    markup: InlineMarkup = field(default_factory=InlineMarkup)
    memory: SiteMemory | None = None


def drop_furniture(
    blocks: tuple[Block, ...], context: ArticleContext
) -> tuple[tuple[Block, ...], tuple[RemovedBlock, ...]]:
    """Return the blocks that are the article, and what was cut. If all would go, nothing goes."""
    rules: Rules = [None] * len(blocks)
    for find in (
        _find_repeated,
        _find_lines,
        _find_links,
        _find_boxes,
        _find_repeated_quotes,
        _find_author_notes,
        _find_missing_in_data,
        _find_bare_headings,
    ):
        for place, name in find(blocks, context, rules):
            rules[place] = rules[place] or name
    judged = list(zip(blocks, rules, strict=True))
    kept = tuple(block for block, rule in judged if rule is None)
    if not kept:
        return blocks, ()
    return kept, tuple(RemovedBlock(rule=rule, text=block.text) for block, rule in judged if rule is not None)


Rules = list[str | None]
Found = Iterator[tuple[int, str]]


def _find_repeated(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """Yield index and rule of the blocks that many pages of the site have."""
    if context.memory is None or not context.memory.articles:
        return
    hashes = block_hashes(block.text for block in blocks)
    again = context.memory.find_repeated(hashes)
    for place, (block, digest) in enumerate(zip(blocks, hashes, strict=True)):
        # A subhead ("Background") recurs too: it goes only with what stands under it, by `_find_bare_headings`.
        if (
            digest in again
            and block.kind != "h"
            and not (context.summary and normalize_key(block.text) in context.summary)
        ):
            yield place, "repeated"


def _find_lines(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """Blocks that tell what they are by themselves: title, byline, date, caption, label, read-more line, call."""
    last = len(blocks) - 1
    names = [normalize_key(block.text) for block in blocks]
    final_places = {name: place for place, name in enumerate(names)}
    often = Counter(names)
    dates = {place for place, name in enumerate(names) if _is_date_line(blocks[place].text, name, context)}
    if len(dates) > MANY_DATES:
        dates.clear()
    for place, (block, name) in enumerate(zip(blocks, names, strict=True)):
        text = block.text
        is_near_edge = place < HEAD_BLOCKS or place > last - TAIL_BLOCKS
        if place < HEAD_BLOCKS and name and _is_title(block, name, context):
            yield place, "title"
        elif name in context.markup.captions and (often[name] == 1 or place < final_places[name]):
            yield place, "caption"  # of several blocks with the words of a caption, the last is a paragraph of the text
        elif _is_caption(text):
            yield place, "caption"
        elif place in dates:
            yield place, "date"
        elif is_near_edge and _is_byline(text, name, context):
            yield place, "byline"
        elif not name:
            yield place, "label"
        elif is_near_edge and (is_paywall_note(text) or (place >= HEAD_BLOCKS and _is_call(text, within=CALL_MAX))):
            yield place, "call"
        elif (rule := _line_rule(text)) and (rule != "rights" or is_near_edge):
            yield place, rule


def _is_title(block: Block, name: str, context: ArticleContext) -> bool:
    """Whether a block is the title, perhaps as a heading with its kicker: "Talks go on", "BrexitTalks go on"."""
    if name in context.titles:
        return True
    return block.kind == "h" and any(
        len(title) >= LEAST_TITLE and name.endswith(title) and len(name) - len(title) <= KICKER
        for title in context.titles
    )


def _is_caption(text: str) -> bool:
    """Whether a line begins like a picture's credit or ends with a film's playing time."""
    if len(text) < LABEL_CHARS * 2 and CREDIT.match(text):
        return True
    return len(text) < CAPTION_MAX and PLAYING_TIME.search(text[-PLAYING_TIME_MAX:]) is not None


def _is_date_line(text: str, name: str, context: ArticleContext) -> bool:
    """Whether a line is a date or a time: "11.04 Uhr", not "11.04 Uhr: Minister resigns"."""
    if len(text) >= LABEL_CHARS:
        return False
    if name in context.markup.times and CLOCKED.search(text):
        return sum(map(str.isalpha, text)) <= STAMP_LETTERS
    return STAMP.match(text) is not None


def _is_byline(text: str, name: str, context: ArticleContext) -> bool:
    """Whether a text is an author's name with at most a few words more; `name` is the text, normalised."""
    if len(text) > LABEL_CHARS * 2 or SENTENCE_END.search(text.rstrip(".")):
        return False
    names = [normalize_key(author) for author in context.authors if len(author) > 3]
    if not any(author in name for author in names):
        return False
    rest = name
    for author in sorted(names, key=len, reverse=True):
        rest = rest.replace(author, "")
    return len(rest) <= 12 or (AUTHOR_LABEL.match(text) is not None and len(rest) < LABEL_CHARS)


def _find_links(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """Blocks that are nothing but a link to another page. What is written more than once is a button of the article."""
    often = Counter(block.text for block in blocks)
    first = next((place for place, block in enumerate(blocks) if block.kind == "p" and rules[place] is None), None)
    linked = [
        place
        for place, block in enumerate(blocks)
        if rules[place] is None
        and block.kind != "h"
        and is_linked(block, context.markup)
        and often[block.text] == 1
        and "://" not in block.text
        and not (place == first and SENTENCE_END.search(block.text))
    ]
    total = sum(len(block.text) for block in blocks)
    if sum(len(blocks[place].text) for place in linked) <= ROUNDUP * total:
        yield from ((place, "link") for place in linked)


def is_linked(block: Block, markup: InlineMarkup) -> bool:
    """
    Whether a block is one link to another page, perhaps with a label before it ("SEE ALSO: A title"), with a date or a
    label behind it ("A title [INSIGHT]"), or a menu: links with bars between them.
    """
    text = block.text
    if normalize_key(text) in markup.links and len(text) <= LINK_MAX:
        return True
    between = MENU_SEPARATOR.split(text) if len(text) <= MENU_MAX else []
    if len(between) >= MENU_LEAST:
        return sum(normalize_key(part) in markup.links for part in between) >= len(between) - 1
    if len(text) > LINK_MAX:
        return False
    behind = text.partition("|" if " | " in text else ":")[2]
    before = LABEL_BEHIND.sub("", STAMP_BEHIND.sub("", text))
    if before != text and normalize_key(before) in markup.links:
        return True
    return len(text) - len(behind) < 30 and len(behind) > 15 and normalize_key(behind) in markup.links


def _find_boxes(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """Headings like "More from International" with the teasers, schedules and lists under them."""
    before = 0
    place = 0
    while place < len(blocks):
        block = blocks[place]
        if before >= BOX_AFTER and len(block.text) < LABEL_CHARS and _is_teaser_heading(block.text):
            end = _box_end(blocks, context, rules, place)
            yield from ((index, "box") for index in range(place, end))
            place = end
            continue
        before += count_letters(block.text) if rules[place] is None else 0
        place += 1


def _box_end(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules, start: int) -> int:
    """Return where a box that begins at `start` ends: at the article's next paragraph, or at the end of the page."""
    rest = range(start + 1, len(blocks))
    light = [_looks_like_teaser(blocks[index], context, rules[index]) for index in rest]
    # Three paragraphs follow each other where the article goes on: a teaser has one, at most two.
    is_prose = any(not (a or b or c) for a, b, c in zip(light, light[1:], light[2:], strict=False))
    if light and sum(light) >= BOX_LINKED * len(light) and not is_prose and not _prose_follows(blocks, context, start):
        size, before = (
            text_length(blocks[index] for index in places if rules[index] is None) for places in (rest, range(start))
        )
        if size <= BOX_MOST * before:
            return len(blocks)
    end = start + 1
    while end < len(blocks) and _looks_like_teaser(blocks[end], context, rules[end]) and blocks[end].kind != "h":
        end += 1
    return end


def _prose_follows(blocks: tuple[Block, ...], context: ArticleContext, start: int) -> bool:
    """Whether long paragraphs stand from `start` on; one under a linked title is a teaser and does not count."""
    long = (
        index
        for index in range(start + 1, len(blocks))
        if blocks[index].kind in ("p", "li") and count_letters(blocks[index].text) >= LONG_PARAGRAPH_LETTERS
    )
    return (
        sum(not any(is_linked(block, context.markup) for block in blocks[index - UNDER : index]) for index in long) >= 2
    )


def _looks_like_teaser(block: Block, context: ArticleContext, rule: str | None) -> bool:
    """Whether a block looks like a part of a box: cut, a link, a list item, a title without a full stop."""
    text = block.text
    if (
        rule is not None
        or (block.kind == "li" and count_letters(text) < LONG_PARAGRAPH_LETTERS)
        or is_linked(block, context.markup)
    ):
        return True
    return len(text) < LABEL_CHARS and SENTENCE_END.search(text) is None


def _find_repeated_quotes(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """Yield place and rule for each quote that is set apart from the text and also stands in a paragraph."""
    if all(block.kind != "quote" for block in blocks):
        return
    keys = [normalize_key(block.text) if rule is None else "" for block, rule in zip(blocks, rules, strict=True)]
    for place, (block, key) in enumerate(zip(blocks, keys, strict=True)):
        if block.kind != "quote" or not QUOTE_LEAST <= len(key) <= QUOTE_MOST:
            continue
        if any(key in other for other in keys if len(other) > len(key)):
            yield place, "said twice"


def _find_author_notes(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """What stands behind the end: a note on the author ("Jane Doe is a reporter …")."""
    places = [place for place, rule in enumerate(rules) if rule is None]
    for place in places[-TAIL_BLOCKS:]:
        text = blocks[place].text
        if place >= TAIL_BLOCKS and len(text) < 400 and any(author in text[:NOTE_START] for author in context.authors):
            yield place, "author"


def _find_missing_in_data(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """Blocks that the article's text in the page's own data does not have; none if the two do not agree enough."""
    if not context.body:
        return
    inside = normalize_key(context.body)
    names = [normalize_key(block.text) for block in blocks]
    agree = [name in inside or (len(name) > BLOCK_START_CHARS and name[:BLOCK_START_CHARS] in inside) for name in names]
    total = text_length(blocks)
    same = text_length(block for block, yes in zip(blocks, agree, strict=True) if yes)
    if not same or same < MIN_OVERLAP * total or len(context.body) < MIN_OVERLAP * total:
        return
    first = agree.index(True)  # what stands before it is the standfirst, which data leave out
    for place, yes in enumerate(agree):
        if place > first and not yes and len(blocks[place].text) >= MIN_MISSING_CHARS:
            yield place, "not in data"


def _find_bare_headings(blocks: tuple[Block, ...], context: ArticleContext, rules: Rules) -> Found:
    """Headings with nothing left under them, where something was."""
    for place in range(len(blocks) - 1, -1, -1):
        if rules[place] is not None or blocks[place].kind != "h" or SENTENCE_END.search(blocks[place].text):
            continue
        under = next(
            (index for index in range(place + 1, len(blocks)) if blocks[index].kind == "h" or rules[index] is None),
            None,
        )
        emptied = under is not None and blocks[under].kind == "h" and under > place + 1
        if under is None or emptied:
            yield place, "heading"


def _starts(name: str, after: str) -> re.Pattern[str]:
    words = sorted(PHRASE_LISTS[name], key=len, reverse=True)
    return re.compile(rf"^[\W_]{{0,6}}(?:{'|'.join(map(re.escape, words))}){after}", re.IGNORECASE)


def _any_of(name: str, before: str = "", after: str = "") -> re.Pattern[str]:
    return re.compile(rf"{before}(?:{PHRASES[name]}){after}", re.IGNORECASE)


_BOX = _starts("box", r"(?!\w).{0,50}$")
_ASKS = _any_of("asks", r"(?:^|[.!?:|–•] )[\W_]{0,4}+(?=\w)(?:you can |du kannst |please |bitte )?")
_QUOTED = re.compile('["“”„«»「『]')
_CHANNELS = _any_of("channels")
_RATES = _any_of("rates", r"^[\W_]{0,4}")


def _is_teaser_heading(text: str) -> bool:
    """Whether `text` can stand over a box of teasers, a schedule or comments: "More from International"."""
    return len(text) < 80 and text[-1:] not in ".!?。" and bool(_BOX.match(text)) and not TITLE_BEHIND.search(text)


def _is_call(text: str, *, within: int = LABEL_CHARS) -> bool:
    """Whether `text` asks the reader for something `within` characters: to subscribe, to follow, to comment."""
    if len(text) >= CALL_MAX:
        return False
    asks = _RATES.match(text) or (_ASKS.search(text[:within]) and _CHANNELS.search(text))
    return bool(asks) and not _QUOTED.search(text)


# The rules for lines that tell by their words what they are, and how many characters such a line may have.
_LINES: tuple[tuple[str, int, Callable[[str], object]], ...] = (
    ("label", 60, _starts("labels", r"[\W_]*$").match),
    ("read more", 300, _starts("read_more", r"(?:\s?[:：|»>–—!…]|[\W_]*$|\s[^.]{0,40}[:：])").match),
    ("read more", 300, re.compile(">>").match),
    ("label", 60, _any_of("reading_times", r"^.{0,24}?", r"\W*$").match),
    ("call", CALL_MAX, _is_call),
    ("embed", 500, _any_of("embeds", r"^[\W_]{0,4}").match),
    ("rights", 200, _any_of("rights", r"^[^\w©ⓒ(]{0,4}", r"[\W_]*$").match),
)


def _line_rule(text: str) -> str | None:
    """Return the rule for a line that is a label, a call, an embed and the like by its words, else None."""
    return next((rule for rule, most, has_words in _LINES if len(text) < most and has_words(text)), None)
