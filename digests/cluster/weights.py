"""Weights: what each channel counts in the score of a pair, set once for all news."""

from __future__ import annotations

from dataclasses import dataclass

from digests.cluster.query_expansion import ExpansionParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparse:
    """What brings the cosines of the sparse channels to one scale. Titles share less than texts, so they count more."""

    title: float  # terms of two articles of one language of which one is known by its title alone
    text: float  # terms of two texts of one language
    names: float  # names of two texts of one language
    names_share: float  # of the score of two texts with names enough
    cognate_title: float  # what two languages spell alike, where one article is known by its title alone
    cognate_text: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """
    How likeness becomes a score: along an S, from 0 to `highest`, half of which `half` comes to.

    Likeness is the cosine of two vectors × (1 + that of what they spell alike + that of their names). So meaning
    decides, and names lift it: they alone are no event, and without them only what is told alike is one.
    What is a little alike scores next to nothing, however often it comes, and so many such pairs come to nothing too.
    """

    highest: float
    half: float
    steepness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How a pair is scored. One set for all news, tuned on the labelled sets together (docs/decisions/0004)."""

    alone: Sparse  # where there are no vectors
    beside: Sparse  # beside vectors
    alone_scale: float  # what brings the scores of pairs without vectors to those of pairs with them, in one window
    share_title: float  # of `beside` in the score: one language, one has only a title
    share_text: float  # one language, two texts
    share_cross_title: float  # the same for two languages
    share_cross_text: float
    vector_cross: float  # the vectors of two languages lie a little farther apart
    nameless: float  # what is left of the score of two texts in two languages that both have names, and share none
    across: Curve | None  # of two texts in two languages that have vectors, in place of the three before; None: those
    text_scale: float  # two texts of one language share more than two titles, whatever they tell
    sharpness: float  # what scores of two texts of one language are raised to, about `middle`; 1 leaves them
    middle: float
    decay_hours_title: float  # scores fall by e in this time, where one is known by its title alone
    decay_hours_text: float  # the same for two texts, which say more surely what they tell of
    decay_unknown: float  # what is left of a score where one has no time
    floor: float  # lower scores count as 0
    borrowing: ExpansionParams | None  # of titles; None where nothing is borrowed
    idle_hours: float = 120.0  # a story idle for so long is over: no pair reaches across


def bounds(weights: Weights, *, beside: bool) -> tuple[float, float, float, float]:
    """
    Return by what the cosines of terms, names, cognates and vectors count at most, whatever the pair.

    The scores of `across` may come to more, but only where likeness is over the floor, and so are these.
    """
    sparse = [(weights.alone, weights.alone_scale if beside else 1.0)]
    if beside:
        sparse.append((weights.beside, 1.0))
    least = min(weights.share_title, weights.share_text, weights.share_cross_title, weights.share_cross_text)
    return (
        max(max(each.title, each.text) * scale for each, scale in sparse),
        max(each.names_share * each.names * scale for each, scale in sparse),
        max(max(each.cognate_title, each.cognate_text) * scale for each, scale in sparse),
        (1 - least) * max(1.0, weights.vector_cross),
    )
