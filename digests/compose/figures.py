"""The small figures of a story and an edition: sparkline, trend, minutes to read, anchors."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

from watcher.text.words import words

EIGHTHS = 8
RISING, FADING = 1.25, 0.75  # the last quarter's pace to the pace since the story began
FEW = 4  # articles from which a trend can be told
WORDS_A_MINUTE = 230
UNSPACED_A_WORD = 2.2  # characters of a script without spaces that are read in the time of a word
ANCHOR_WORDS, ANCHOR_CHARS = 6, 48
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def spark(times: Iterable[datetime], *, start: datetime, end: datetime) -> tuple[int, ...]:
    """Return how many of `times` lie in each eighth of the window; what lies outside counts to the nearest."""
    counts = [0] * EIGHTHS
    span = max((end - start).total_seconds(), 1.0)
    for time in times:
        at = int((time - start).total_seconds() / span * EIGHTHS)
        counts[min(max(at, 0), EIGHTHS - 1)] += 1
    return tuple(counts)


def trend(counts: Sequence[int]) -> str:
    """
    Return "rising", "steady" or "fading": the pace of the window's last quarter against the pace since the story
    began; nothing where too few articles tell.
    """
    began = next((at for at, count in enumerate(counts) if count), None)
    if began is None or sum(counts) < FEW:
        return ""
    if began >= EIGHTHS - 2:
        return "rising"
    pace = sum(counts[began:]) / (EIGHTHS - began)
    last = sum(counts[-2:]) / 2
    return "rising" if last >= RISING * pace else "fading" if last <= FADING * pace else "steady"


def minutes(texts: Iterable[str]) -> int:
    """Return how long it takes to read `texts`, in minutes, at least 1."""
    total = 0.0
    for text in texts:
        unspaced = len(UNSPACED.findall(text))
        total += unspaced / UNSPACED_A_WORD + len(words(UNSPACED.sub(" ", text)))
    return max(1, math.ceil(total / WORDS_A_MINUTE))


def anchor(title: str, key: str, taken: set[str]) -> str:
    """
    Return an anchor of ASCII letters, digits and hyphens, and note it in `taken`.

    The first words of the title where they are Latin, then a piece of the story's id: so it holds while the headline
    changes little, and two stories never share one.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    parts = re.findall(r"[a-z0-9]+", re.sub(r"['’]", "", plain))[:ANCHOR_WORDS]
    slug = "-".join(parts)[:ANCHOR_CHARS].strip("-")
    ident = re.sub(r"[^a-z0-9]", "", key.lower()) or "x"
    for length in (6, len(ident)):
        found = "-".join(filter(None, (slug if slug[:1].isalpha() else f"story-{slug}".strip("-"), ident[:length])))
        if found not in taken:
            break
    number = 2
    while found in taken:
        found, number = f"{found}-{number}", number + 1
    taken.add(found)
    return found
