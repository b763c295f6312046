"""The part of a text that shows why it was found."""

from __future__ import annotations

from dataclasses import dataclass

from watcher.text.search import Query, Term, is_unspaced
from watcher.text.words import WORD, fold

WIDTH = 200  # characters
BEFORE = 60  # of them, in front of the first word that was looked for
READ = 20_000  # characters of a text that are looked through


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A part of a text on one line; `marks` are (start, end) of the words in it that were looked for."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


def snippet(text: str, query: Query) -> Snippet:
    """Return the part of the paragraph that holds most of what was looked for; the beginning if none holds any."""
    best, its_marks, most = "", [], 0
    for paragraph in text[:READ].split("\n"):
        found = marks_in(paragraph, query.terms)
        count = len({term for _, _, term in found})
        if count > most or not best.strip():
            best, its_marks, most = paragraph, found, count
    return cut(best, [(start, end) for start, end, _ in its_marks])


def marks_in(text: str, terms: tuple[Term, ...]) -> list[tuple[int, int, str]]:
    """Return where words stand that are looked for: start, end, which one."""
    whole = {part: part for term in terms for part in term.normal.split(" ") if not is_unspaced(part[0])}
    begun = tuple(token.text for term in terms for token in term.tokens if token.is_prefix)
    runs = [part for term in terms for part in term.normal.split(" ") if is_unspaced(part[0])]
    found: list[tuple[int, int, str]] = []
    for word in WORD.finditer(text):
        folded = fold(word.group())
        for run in runs:
            if (at := folded.find(run)) >= 0:
                is_same = len(folded) == word.end() - word.start()
                start = word.start() + (at if is_same else 0)
                found.append((start, start + len(run) if is_same else word.end(), run))
        parts = folded.replace("’", "'").split("'")
        hit = next((part for part in parts if part in whole or (begun and part.startswith(begun))), None)
        if hit is not None:
            found.append((word.start(), word.end(), hit))
    return sorted(found)


def cut(paragraph: str, marks: list[tuple[int, int]]) -> Snippet:
    """Return the part of a paragraph around the first of `marks`, with "…" where something is left out."""
    start = max(0, marks[0][0] - BEFORE) if marks and len(paragraph) > WIDTH else 0
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
