"""
Measures the languages detected for headlines and leads of labelled sets, and fits the constants of `language.py`.

    python -m bench.languages --data FOLDER          # share of wrong languages in each set, and how many languages
    python -m bench.languages --data FOLDER --fit    # the constants that are best for all sets but one, for each set

`FOLDER` has `days/*.jsonl`, `streams/*.jsonl.gz` and `stories/og2021.jsonl`. Each set is read in time order; the
history of an outlet is what was decided about its earlier entries, as in the store. The claim is the feed's language.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from watcher.text import language as subject
from watcher.text.language import LETTER, NEWS, UNKNOWN_LANGUAGE, detect_language, primary_tag
from watcher.text.words import stop_words

PATTERNS = ("days/*.jsonl", "streams/*.jsonl.gz", "stories/og2021.jsonl")
LEAD_CHARS = 400
HISTORY = 200  # articles, as the daemon reads them from the store
SHARED_HOSTS = ("t.me", "news.google.com")  # of many outlets
FIT_ITEMS = 400  # of each set
RATE = 0.01  # of texts in a language that is new to their outlet, in the loss of a fit
TAG = re.compile(r"<[^>]*>")
ARABIC, PERSIAN, NOT_PERSIAN = re.compile("[\u0600-\u06ff]"), re.compile("[پچژگکی]"), re.compile("[ةىيك]")
GRID = {"TEXT": (2.0, 2.5, 3.0), "CLAIM": (3.0, 4.0, 5.0), "UNUSED_LANGUAGE_WEIGHT": (1.0, 3.0, 10.0)}


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled entry. `language` is the label, corrected where the text has the words of another language."""

    outlet: str  # empty if unknown
    title: str
    lead: str
    language: str
    claim: str


def read_sets(folder: Path, patterns: Iterable[str] = PATTERNS) -> Iterator[tuple[str, list[Item]]]:
    """Yield the name and the items of each set, oldest first."""
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        rows = sorted(map(json.loads, content.splitlines()), key=came_at)
        yield path.name.split(".")[0], [item for row in rows if (item := read_item(row)) is not None]


def came_at(row: dict[str, Any]) -> str:
    return str(row.get("first_seen") or row["published"])


def read_item(row: dict[str, Any]) -> Item | None:
    outlet = row.get("source") or row.get("domain") or row.get("outlet") or ""
    if outlet in SHARED_HOSTS:
        outlet += f"/{row.get('outlet', '')}"
    title = plain_text(row["title"])
    lead = plain_text(row.get("body") or row.get("summary") or row.get("content") or row.get("text") or "")[:LEAD_CHARS]
    claim = primary_tag(row.get("lang") or row.get("language"))
    language = correct_label(f"{title} {lead}", claim) if claim in NEWS else None
    if claim is None or language is None:
        return None
    return Item(outlet, title, "" if lead == title else lead, language, claim)


def plain_text(text: str) -> str:
    return " ".join(TAG.sub(" ", html.unescape(html.unescape(text))).split())


def correct_label(text: str, label: str) -> str | None:
    """Return the language by script and function words, if they are clear; else `label`, None if it cannot be right."""
    letters = len(LETTER.findall(text))
    if letters < subject.FEWEST:
        return None
    if len(ARABIC.findall(text)) > letters / 2:
        return "fa" if len(PERSIAN.findall(text)) > len(NOT_PERSIAN.findall(text)) else "ar"
    if label in ("ar", "fa", "he", "ko", "ru", "zh") and sum(char > "\u0370" for char in text) > letters / 5:
        return label
    words = [word for word in re.findall(r"[^\W\d_]+", text.lower()) if len(word) > 1]
    counts = {tag: sum(word in stop_words(tag) for word in words) for tag in sorted(NEWS)}
    best = max(counts, key=lambda tag: counts[tag])
    return best if counts[best] >= max(3, 3 * counts[label], len(words) / 8) else label


def texts_of(items: Iterable[Item], *, with_lead: bool) -> Iterator[tuple[Item, str]]:
    for item in items:
        if item.lead or not with_lead:
            yield item, f"{item.title}\n{item.lead}" if with_lead else item.title


def detect_all(items: list[Item], *, with_lead: bool, history: bool, claims: bool) -> list[tuple[Item, str]]:
    """Return each item with the language that is detected."""
    counts, found = defaultdict[str, Counter[str]](Counter), []
    for item, text in texts_of(items, with_lead=with_lead):
        seen = counts[item.outlet] if history and item.outlet else Counter[str]()
        language = detect_language(text, claims=(item.claim,) if claims else (), history=seen)
        if seen.total() < HISTORY:
            seen[language] += 1
        found.append((item, language))
    return found


def share_wrong(found: list[tuple[Item, str]]) -> float:
    return sum(item.language != language for item, language in found) / max(1, len(found))


def share_missed(items: list[Item], *, with_lead: bool) -> float:
    """Return the share of texts that are not recognised at an outlet which always wrote, and claims, English."""
    others = [(item, text) for item, text in texts_of(items, with_lead=with_lead) if item.language != "en"]
    known = {"en": HISTORY}
    return share_wrong([(item, detect_language(text, claims=("en",), history=known)) for item, text in others])


def count_languages(found: list[tuple[Item, str]]) -> str:
    """Return how many languages are detected, and how many there are: "29/9"."""
    detected, real = {language for _, language in found} - {UNKNOWN_LANGUAGE}, {item.language for item, _ in found}
    return f"{len(detected)}/{len(real)}"


def print_sets(sets: dict[str, list[Item]]) -> None:
    heads = ("titles alone", "+ history", "+ claims", "leads alone", "+ both", "missed, titles", "missed, leads")
    print(f"{'wrong, %, languages':28}", *(f"{head:>14}" for head in heads))
    for name, items in sets.items():
        cells = []
        for with_lead, history, claims in ((0, 0, 0), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 1, 1)):
            found = detect_all(items, with_lead=bool(with_lead), history=bool(history), claims=bool(claims))
            cells.append(f"{100 * share_wrong(found):.2f} {count_languages(found)}" if found else "-")
        cells += [f"{100 * share_missed(items, with_lead=with_lead):.1f}" for with_lead in (False, True)]
        print(f"{name:28}", *(f"{cell:>14}" for cell in cells), flush=True)


def measure(folder: Path) -> dict[str, float]:
    """Return the figures of the labelled days that have floors: with the history of outlets and claims of feeds."""
    days = [items for name, items in read_sets(folder, ("days/*.jsonl",))]
    titles = [one for day in days for one in detect_all(day, with_lead=False, history=True, claims=True)]
    leads = [detect_all(day, with_lead=True, history=True, claims=True) for day in days]
    detected = sum(len({language for _, language in day}) for day in leads)
    real = sum(len({item.language for item, _ in day}) for day in leads)
    return {
        "headlines": 1 - share_wrong(titles),
        "headlines with leads": 1 - share_wrong([one for day in leads for one in day]),
        "languages that there are, of those counted": real / detected,
    }


def fit(sets: dict[str, list[Item]]) -> None:
    """Print for each set the constants with the least loss on the others, and its own wrong titles with them."""
    losses: dict[tuple[float, ...], dict[str, tuple[float, float]]] = {}
    for values in product(*GRID.values()):
        for constant, value in zip(GRID, values, strict=True):
            setattr(subject, constant, value)
        losses[values] = {name: loss_of(items) for name, items in sets.items()}
        print(values, f"{sum(loss for loss, _ in losses[values].values()):.5f}", flush=True)
    for name in sets:
        best = min(losses, key=lambda at: sum(loss for other, (loss, _) in losses[at].items() if other != name))
        print(f"without {name:28} {dict(zip(GRID, best, strict=True))}: {losses[best][name][1]:.3%} of titles wrong")


def loss_of(items: list[Item]) -> tuple[float, float]:
    """Return the loss of a set, and its share of wrong titles."""
    wrong = [share_wrong(detect_all(items, with_lead=part, history=True, claims=True)) for part in (False, True)]
    alone = share_wrong(detect_all(items, with_lead=False, history=True, claims=False))
    missed = [share_missed(items, with_lead=part) for part in (False, True)]
    return sum(wrong) + alone + RATE * sum(missed), wrong[0]


class CachedModel:
    """The model; what it said of a text once, it says again at once."""

    def __init__(self) -> None:
        self.rank = lru_cache(maxsize=None)(subject._model().rank)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    model = CachedModel()
    setattr(subject, "_model", lambda: model)  # noqa: B010  a plain assignment is a change of type
    sets = dict(read_sets(given.data))
    if given.fit:
        fit({name: items[:FIT_ITEMS] for name, items in sets.items()})
    else:
        print_sets(sets)


if __name__ == "__main__":
    main()
