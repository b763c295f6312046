"""What grouping needs of one article, made once at ingest: sampled wording, terms, names, numbers. Any script; pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from sys import intern

from watcher.features.terms import packed_terms
from watcher.features.version import FEATURES_VERSION
from watcher.model import Features
from watcher.text.words import POSSESSIVE, WORD, fold, is_unspaced, stems, to_latin, words

MAX_TITLE = 400  # characters
MAX_LEAD = 700  # characters of the body that count as its beginning
MAX_BODY = 6_000  # characters of the body that are read for terms: an event is told at the top
MAX_TERMS = 160
MAX_NAMES = 48
MAX_NUMBERS = 32
TITLE_WEIGHT, LEAD_WEIGHT, BODY_WEIGHT = 3.0, 1.0, 0.4

NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f' ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?")
SENTENCE_END = re.compile(r"[.!?。！？؟।:\n…]\s*[\"“„«»”’')\]]*\s*$")
KATAKANA = re.compile("[\u30a1-\u30ff]{3,}")


def make(article_id: str, *, title: str, text: str, language: str) -> Features:
    """
    Return the features of an article, without its vector (`embed.with_vector` adds it).

    Args:
        text: The cleaned text, one paragraph a line; empty if only the title is known.
        language: BCP 47 primary tag, "und" if unknown.
    """
    from watcher.features.wording import shingles  # late: it brings numpy, which only a worker process should pay

    title = title.strip()[:MAX_TITLE]
    body = without_title(text, title)
    stems, weights = packed_terms(terms(title, body, language))
    return Features(
        article_id=article_id,
        version=FEATURES_VERSION,
        shingles=shingles(body),
        stems=stems,
        weights=weights,
        names=names(title, body[:MAX_LEAD]),
        numbers=numbers(f"{title}\n{body[:MAX_LEAD]}"),
    )


def without_title(text: str, title: str) -> str:
    """Return `text` without the headline repeated at its top."""
    text = text.strip()
    return text[len(title) :].lstrip(" \n.:-–—") if title and text.startswith(title) else text


def terms(title: str, body: str, language: str) -> Sequence[tuple[str, float]]:
    """Return the stems of an article with their weights, heaviest first; the title counts most, the lead next."""
    weights: defaultdict[str, float] = defaultdict(float)
    lead, rest = body[:MAX_LEAD], body[MAX_LEAD:MAX_BODY]
    for part, weight in ((title, TITLE_WEIGHT), (lead, LEAD_WEIGHT), (rest, BODY_WEIGHT)):
        for term, count in Counter(stems(part, language)).items():
            weights[term] += weight * count**0.5
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:MAX_TERMS]


def names(title: str, lead: str) -> tuple[str, ...]:
    """
    Return the names in an article, in Latin letters where possible, in the order of their first mention.

    A name is a word with a capital inside a sentence, or a run of katakana.
    A title in which most words have capitals says nothing.
    """
    found: dict[str, None] = {}
    for part in (title, lead):
        capitals = list(capitalised(part))
        if part is title and len(capitals) * 2 > len(words(part)) > 3:
            continue
        found.update((intern(name), None) for name, inside in capitals if inside or name in found)
        found.update((run, None) for run in KATAKANA.findall(part))
    return tuple(found)[:MAX_NAMES]


def capitalised(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each capitalised word of `text`, folded and in Latin letters, and whether it stands inside a sentence."""
    for match in WORD.finditer(text):
        start, word = match.start(), match.group()
        if len(word) > 2 and word[0].isupper():
            inside = start > 0 and not SENTENCE_END.search(text, max(0, start - 6), start)
            yield to_latin(POSSESSIVE.sub("", fold(word))), inside


def numbers(text: str) -> tuple[str, ...]:
    """Return the numbers in `text`, in order of first mention: ASCII digits, "." for decimals, no grouping."""
    found: dict[str, None] = {}
    for match in NUMBER.finditer(text):
        raw = "".join(str(int(c)) if c.isdigit() and c.isdecimal() else c for c in match.group())
        found[intern(plain_number(raw))] = None
    return tuple(found)[:MAX_NUMBERS]


def plain_number(raw: str) -> str:
    """Return it without its grouping: a sign before exactly three digits groups, another is the decimal sign."""
    pieces = re.split(r"[.,\u00a0\u202f' ]", raw)
    if len(pieces) > 1 and all(len(piece) == 3 for piece in pieces[1:]):
        return "".join(pieces).lstrip("0") or "0"
    whole = pieces[0].lstrip("0") or "0"
    return f"{whole}.{pieces[1]}" if len(pieces) > 1 else whole


def embedding_text(title: str, text: str) -> str:
    """Return what of an article is embedded: its title and the first sixty words or so, which cost by their length."""
    title = title.strip()[:300]
    body = without_title(text[:2_000], title)
    limit = 160 if is_unspaced(body[:200]) else 440  # characters: sixty words either way
    lead = " ".join(body[: limit + 1].split()[:60])
    if len(lead) > limit:
        lead = lead[:limit].rsplit(" ", 1)[0]
    return f"{title}\n{lead}".strip()
