"""A desk: an invented event with its figures, as an agency tells it, and all that is done to such a text."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

Book = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """An article of a case."""

    key: str
    title: str
    body: str  # one paragraph a line
    outlet: str
    agency: str | None = None
    hours: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Articles of one window, and which pairs of them carry the same text; a pair that is not named is not judged."""

    kind: str
    language: str
    pieces: tuple[Piece, ...]
    pairs: tuple[tuple[str, str, bool], ...]


Made = tuple[tuple[Piece, ...], tuple[tuple[str, str, bool], ...]]


class Desk:
    """An event with its figures, and all that may be done to a text on it."""

    def __init__(self, book: Book, language: str, rng: random.Random) -> None:
        self.book, self.language, self.rng = book, language, rng
        self.join = "" if language in ("ja", "zh") else " "
        self.values = self.figures()

    def figures(self) -> dict[str, str]:
        """Return the place, the person and the numbers of an event."""
        draw = {letter: str(self.rng.randrange(3, 97)) for letter in "abcdefg"}
        draw.update((f"t{n}", f"{self.rng.randrange(100, 9_000) / 10}") for n in range(1, 6))
        place = self.rng.choice(self.book["places"])
        return {**draw, "place": place, "PLACE": place.upper(), "name": self.rng.choice(self.book["names"])}

    def again(self) -> None:
        """Take another event of the kind: other figures, at another place or with another person."""
        before = self.values
        while {self.values[key] == before[key] for key in ("place", "name")} != {False}:
            self.values = self.figures()

    def fill(self, lines: list[str]) -> list[str]:
        return [line.format(**self.values) for line in lines]

    def all_facts(self, phrasing: int) -> list[str]:
        return self.fill([fact[phrasing] for fact in self.book["facts"]])

    def pick(self, key: str, count: int) -> list[str]:
        """Return `count` of the lines under `key`, filled in."""
        return self.fill(self.rng.sample(self.book[key], count))

    def wire(self, start: int = 0, stop: int = 12) -> list[str]:
        """Return the event as the agency tells it, one sentence a line, with a quotation."""
        told = self.all_facts(0)[start:stop]
        return [*told[:5], self.quoted(self.quote(0), 0), *told[5:]]

    def retold(self, start: int = 0, stop: int = 12) -> list[str]:
        """Return the same facts in other words, in another order after the first."""
        told = self.all_facts(1)[start:stop]
        return [told[0], *self.rng.sample(told[1:], len(told) - 1)]

    def quote(self, number: int) -> str:
        return str(self.book["quotes"][number])

    def quoted(self, words: str, style: int) -> str:
        """Return a quotation as a sentence, in one of four styles."""
        name = self.values["name"]
        if self.language == "ja":
            return (f"{name}は「{words}」と述べた。", f"「{words}」と{name}。")[style % 2]
        if self.language == "zh":
            return (f"{name}说：“{words}。”", f"“{words}，”{name}这样说。")[style % 2]
        opening, closing = (("“", "”"), ("«", "»"), ('"', '"'), ("„", "“"))[style % 4]
        return f"{opening}{words}{closing}, {name}." if style < 2 else f"{name}: {opening}{words}{closing}."

    def edited(self, lines: list[str], rate: float = 0.5) -> list[str]:
        """Return `lines` as a desk edits them: a word here, a clause there, one sentence less, one in other words."""
        done = [self.touched(line) if self.rng.random() < rate else line for line in lines]
        del done[self.rng.randrange(2, len(done))]
        facts = dict(zip(self.all_facts(0), self.all_facts(1), strict=True))
        again = [n for n, line in enumerate(lines) if line in facts and line in done]
        if again:
            line = lines[self.rng.choice(again)]
            done[done.index(line)] = facts[line]
        return done

    def touched(self, line: str) -> str:
        """Return a sentence with one or two words swapped, or without its last clause."""
        swaps = [pair for pair in self.book.get("swaps", ()) if pair[0] in line]
        if swaps and self.rng.random() < 0.7:
            for old, new in self.rng.sample(swaps, min(2, len(swaps))):
                line = line.replace(old, new, 1)
            return line
        comma = {"ja": "、", "zh": "，", "ar": "، "}.get(self.language, ", ")
        head, _, tail = line.rpartition(comma)
        return head + line[-1] if len(head) > len(tail) else line

    def with_own(self, lines: list[str]) -> list[str]:
        """Return `lines` with two sentences of the outlet's own among them."""
        done = list(lines)
        for own in self.pick("intro", 2):
            done.insert(self.rng.randrange(1, len(done)), own)
        return done

    def cut(self, lines: list[str], low: float = 0.3, high: float = 0.6) -> list[str]:
        """Return 30 to 60 % of `lines`: the top, or the first and some of the others."""
        count = max(3, round(len(lines) * self.rng.uniform(low, high)))
        if self.rng.random() < 0.6:
            return lines[:count]
        kept = sorted(self.rng.sample(range(1, len(lines)), count - 1))
        return [lines[0], *(lines[n] for n in kept)]

    def later(self) -> float:
        """Return after how many hours another outlet prints: mostly within a few, some on the next day."""
        return self.rng.choice((0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 14.0, 24.0))

    def body(self, lines: list[str], credit: list[str] | None = None, around: int = 0) -> str:
        """Return sentences as paragraphs, with a credit and with furniture of the outlet's own after them."""
        paragraphs, rest = [], list(lines)
        while rest:
            size = self.rng.choice((1, 2, 2, 3))
            paragraphs.append(self.join.join(rest[:size]))
            del rest[:size]
        if credit:
            opening, closing = self.fill(credit)
            paragraphs[0] = opening + paragraphs[0]
            paragraphs += [closing] if closing else []
        return "\n".join([*paragraphs, *self.pick("furniture", around)])

    def credit(self) -> list[str]:
        return list(self.rng.choice(self.book["credits"]))

    def piece(
        self,
        key: str,
        body: str,
        *,
        title: str = "",
        outlet: str = "",
        agency: str | None = None,
        hours: float | None = None,
    ) -> Piece:
        """Return an article: of an outlet of its own, under one of the headlines, hours after the one before."""
        return Piece(
            key=key,
            title=title or self.pick("headlines", 1)[0],
            body=body,
            outlet=outlet or f"outlet {key}",
            agency=agency,
            hours=self.later() * "abc".index(key) if hours is None else hours,
        )
