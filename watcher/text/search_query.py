"""Parses search queries, matches them against texts, and makes the snippet of a search result."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from watcher.text.words import LETTER_CLASS, UNSPACED_RUN, UNSPACED_SCRIPTS, WORD, bigrams, fold, fold_text, normalize

MAX_QUERY_CHARS = 1_000  # of a query; the rest is not read
MAX_QUERY_TERMS = 40
LEAST_PREFIX = 2  # letters before a "*": fewer would match too many words
STARTS = f"(?:(?<![{LETTER_CLASS}])|(?<=[{UNSPACED_SCRIPTS}]))"  # in "2026年5月", 5 is a word
TERM_END = f"(?:(?![{LETTER_CLASS}])|(?=[{UNSPACED_SCRIPTS}]))"
TO_STRAIGHT_QUOTES = str.maketrans(dict.fromkeys("“”„«»‟「」『』", '"'))
PART = re.compile(r'(?P<minus>(?<!\S)-)?"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+)')
OR = ("OR", "|", "||")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word of the index, or the prefix of words."""

    text: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A search term: a word, a prefix, or a phrase. `normal` is its text as `normalize` returns it."""

    normal: str
    tokens: tuple[Token, ...]
    is_prefix: bool = False

    @property
    def is_row(self) -> bool:
        """Whether the term is a phrase; the index cannot check the order of words."""
        return len(self.tokens) > 1 or " " in self.normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query: a text matches if it has a term of each of `groups`, and no term of `without`."""

    groups: tuple[tuple[Term, ...], ...]
    without: tuple[Term, ...] = ()

    @property
    def needs_text(self) -> bool:
        """Whether the index alone cannot decide, so that the article's text must be searched."""
        return any(term.is_row for term in (*self.terms, *self.without))

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for group in self.groups for term in group)


def parse_query(text: str) -> Query:
    """
    Parse a query as typed, up to `MAX_QUERY_CHARS` and `MAX_QUERY_TERMS`; without any word, `groups` is empty.

    All words must match; "words in quotes" are a phrase; OR (or |) between two terms means either; word* is a prefix;
    -word must not match. All other characters separate words: every input is valid.
    """
    groups: list[tuple[Term, ...]] = []
    without: list[Term] = []
    joins = False
    for match in PART.finditer(text[:MAX_QUERY_CHARS].translate(TO_STRAIGHT_QUOTES)):
        word = match["word"] or ""
        if word in OR:
            joins = bool(groups)
            continue
        is_unwanted = bool(match["minus"]) or (word.startswith("-") and len(word) > 1)
        term = _term_of(match["phrase"] if match["phrase"] is not None else word, may_be_prefix=bool(word))
        if term is None or len(groups) + len(without) >= MAX_QUERY_TERMS:
            continue
        if is_unwanted:
            without.append(term)
        elif joins:
            groups[-1] += (term,)
        else:
            groups.append((term,))
        joins = False
    return Query(groups=tuple(groups), without=tuple(without))


def _term_of(text: str, *, may_be_prefix: bool = False) -> Term | None:
    """Return the term of a word or phrase; "earthq*" is a prefix if `may_be_prefix`. None if nothing is left of it."""
    folded = normalize(text)
    if not folded:
        return None
    parts = folded.split(" ")
    is_prefix = may_be_prefix and text.endswith("*") and len(parts[-1]) >= LEAST_PREFIX
    tokens = tuple(dict.fromkeys(token for part in parts for token in _tokens_of(part)))
    if is_prefix and not _is_unspaced_character(parts[-1][-1]):
        tokens = (*(token for token in tokens if token.text != parts[-1]), Token(text=parts[-1], is_prefix=True))
    return Term(normal=folded, tokens=tokens, is_prefix=is_prefix)


def _tokens_of(part: str) -> Iterator[Token]:
    """Yield the index tokens with which to look up a word in normal form."""
    if not _is_unspaced_character(part[0]):
        yield Token(text=part)
    elif len(part) == 1:
        yield Token(text=part, is_prefix=True)
    else:
        yield from (Token(text=pair) for pair in bigrams(part) if len(pair) > 1)


def matches(query: Query, text: str) -> bool:
    """Whether a text matches the query."""
    plain = fold_text(text)
    if any(_contains_term(term, plain) for term in query.without):
        return False
    return all(any(_contains_term(term, plain) for term in group) for group in query.groups)


def _contains_term(term: Term, plain: str) -> bool:
    """Whether a folded text has the words of a term one after another, with no other word between them."""
    first, _, rest = term.normal.partition(" ")
    if rest.rpartition(" ")[2] not in plain:
        return False
    row, index = term_pattern(term), plain.find(first)  # finding the first word is five times as fast
    while index >= 0:
        if row.match(plain, index):
            return True
        index = plain.find(first, index + 1)
    return False


@lru_cache(maxsize=MAX_QUERY_TERMS)
def term_pattern(term: Term) -> re.Pattern[str]:
    """Return the pattern that matches the words of a term in a folded text."""
    words = term.normal.split(" ")
    pattern = re.escape(words[0])
    for before, word in pairwise(words):
        # "5月" is two words with nothing between.
        is_joined = _is_unspaced_character(before[-1]) != _is_unspaced_character(word[0])
        pattern += f"[^{LETTER_CLASS}]{'*' if is_joined else '+'}{re.escape(word)}"
    begin = "" if _is_unspaced_character(words[0][0]) else STARTS
    end = "" if term.is_prefix or _is_unspaced_character(words[-1][-1]) else TERM_END
    return re.compile(f"{begin}{pattern}{end}")


def _is_unspaced_character(character: str) -> bool:
    return UNSPACED_RUN.match(character) is not None


WIDTH = 200  # characters
EXCERPT_LEAD_CHARS = 60  # characters before the first match
SEARCHED_CHARS = 20_000  # characters of a text that are searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A part of a text on one line; `marks` are the offsets (start, end) of the matched words in it."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield the text in pieces, each with whether it is a matched word."""
        index = 0
        for start, end in self.marks:
            if start >= index:
                yield from ((self.text[index:start], False), (self.text[start:end], True))
                index = end
        yield self.text[index:], False


def make_snippet(text: str, query: Query) -> Snippet:
    """Return a part of the paragraph with the most different search words; the beginning if there is no match."""
    parts = ((part, _find_marks(part, query.terms)) for part in text[:SEARCHED_CHARS].split("\n"))
    best, marks = max(parts, key=lambda one: (len({term for _, _, term in one[1]}), bool(one[0].strip())))
    return _excerpt(best, [(start, end) for start, end, _ in marks])


def _find_marks(text: str, terms: tuple[Term, ...]) -> list[tuple[int, int, str]]:
    """Return the matches of `terms` in `text`, sorted: start, end, and the matched word, folded."""
    whole = {part: part for term in terms for part in term.normal.split(" ") if not _is_unspaced_character(part[0])}
    begun = tuple(token.text for term in terms for token in term.tokens if token.is_prefix)
    runs = [part for term in terms for part in term.normal.split(" ") if _is_unspaced_character(part[0])]
    marks: list[tuple[int, int, str]] = []
    for word in WORD.finditer(text):
        folded = fold(word.group())
        for run in runs:
            if (index := folded.find(run)) >= 0:
                is_same = len(folded) == word.end() - word.start()
                start = word.start() + (index if is_same else 0)
                marks.append((start, start + len(run) if is_same else word.end(), run))
        parts = folded.replace("’", "'").split("'")
        hit = next((part for part in parts if part in whole or (begun and part.startswith(begun))), None)
        if hit is not None:
            marks.append((word.start(), word.end(), hit))
    return sorted(marks)


def _excerpt(paragraph: str, marks: list[tuple[int, int]]) -> Snippet:
    """Return about `WIDTH` characters of a paragraph around the first of `marks`, with "…" where text is cut."""
    start = max(0, marks[0][0] - EXCERPT_LEAD_CHARS) if marks and len(paragraph) > WIDTH else 0
    start = max(0, min(start, len(paragraph) - WIDTH))
    if start:
        space = paragraph.find(" ", start, marks[0][0])
        start = space + 1 if space >= 0 else start
    end = min(len(paragraph), start + WIDTH)
    if end < len(paragraph):
        space = paragraph.rfind(" ", start + WIDTH // 2, end)
        end = space if space >= 0 else end
    before, after = "…" if start else "", "…" if end < len(paragraph) else ""
    inside = [(max(a, start), min(b, end)) for a, b in marks if a < end and b > start]
    shift = len(before) - start
    shown = "".join(c if c.isprintable() else " " for c in paragraph[start:end])
    return Snippet(text=f"{before}{shown}{after}", marks=tuple((a + shift, b + shift) for a, b in inside))
