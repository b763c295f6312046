"""Made-up articles for `edition_speed.py`: events told by several outlets in five languages, wire copies among them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from watcher.model import Article, Source
from watcher.text.urls import article_id

END = datetime(2026, 3, 2, 6, tzinfo=UTC)
WINDOW = timedelta(hours=23)
OUTLETS = 400
REPORTS = 5.0  # articles an event, on the average; few have many, most have one
MOST_REPORTS = 120
COPIED = 0.4  # of the further articles of an event in one language are wire copies
PARAGRAPHS, SENTENCES, WORDS = (5, 12), (2, 4), (9, 24)
WORDS_KNOWN = 20_000  # of a language
OWN = 0.2  # of the words of an event's texts are its own
LATIN = [f"{consonant}{vowel}" for consonant in "bdfgklmnprstv" for vowel in "aeiou"]
CYRILLIC = [f"{consonant}{vowel}" for consonant in "бвгдзклмнпрст" for vowel in "аеиоу"]
LANGUAGES = {"en": "GB", "de": "DE", "fr": "FR", "es": "ES", "ru": "RU"}
SHARES = (0.5, 0.15, 0.12, 0.13, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the texts of an event have in common."""

    at: datetime
    names: tuple[str, ...]
    numbers: tuple[int, ...]


def sources() -> list[Source]:
    """Return the outlets, each with its language and country."""
    rng = random.Random(2)
    told = rng.choices(list(LANGUAGES), SHARES, k=OUTLETS)
    return [
        Source(
            name=f"Outlet {n}", url=f"https://outlet{n}.example/feed", language=language, country=LANGUAGES[language]
        )
        for n, language in enumerate(told)
    ]


def articles(count: int) -> Iterator[Article]:
    """Yield `count` articles of the time before `END`."""
    rng = random.Random(1)
    outlets = sources()
    made = 0
    while made < count:
        size = min(MOST_REPORTS, int(rng.paretovariate(1.25)), count - made)
        event = event_of(rng)
        wire: dict[str, str] = {}
        for outlet in rng.sample(outlets, size):
            language = outlet.language or "en"
            text = wire.get(language)
            if text is None or rng.random() > COPIED:
                text = text_of(event, language, rng)
                wire.setdefault(language, text)
            elif rng.random() < 0.5:
                text = text.rpartition("\n")[0] or text
            yield article(made, outlet, event, title_of(event, language, rng), text, rng)
            made += 1


def article(n: int, outlet: Source, event: Event, title: str, text: str, rng: random.Random) -> Article:
    """Return a text as an outlet prints it."""
    host = f"{outlet.name.lower().replace(' ', '')}.example"
    url = f"https://{host}/{n}.html"
    at = min(event.at + timedelta(minutes=rng.expovariate(1 / 120)), END - timedelta(minutes=5))
    return Article(
        id=article_id(url),
        url=url,
        host=host,
        outlet=outlet.name,
        title=title,
        text=text,
        language=outlet.language or "en",
        country=outlet.country,
        published_at=at,
        fetched_at=at + timedelta(minutes=2),
        authors=("Made Up",),
    )


def event_of(rng: random.Random) -> Event:
    """Return a new event."""
    names = tuple("".join(rng.choices(LATIN, k=rng.randint(2, 4))).title() for _ in range(8))
    return Event(at=END - WINDOW * rng.random(), names=names, numbers=tuple(rng.randrange(2, 5_000) for _ in range(4)))


def text_of(event: Event, language: str, rng: random.Random) -> str:
    """Return some two or three thousand characters in paragraphs."""
    return "\n".join(
        " ".join(sentence(event, language, rng, rng.randint(*WORDS)) for _ in range(rng.randint(*SENTENCES)))
        for _ in range(rng.randint(*PARAGRAPHS))
    )


def title_of(event: Event, language: str, rng: random.Random) -> str:
    """Return a headline."""
    return sentence(event, language, rng, 9)[:-1]


def sentence(event: Event, language: str, rng: random.Random, length: int) -> str:
    """Return a sentence of words of the language and of the event."""
    words, weights = vocabulary(language)
    told = rng.choices(words, cum_weights=weights, k=length)
    for at in range(1, length):
        if rng.random() < OWN:
            told[at] = rng.choice(event.names) if rng.random() < 0.8 else str(rng.choice(event.numbers))
    return f"{' '.join(told).capitalize() if language == 'ru' else told[0].capitalize() + ' ' + ' '.join(told[1:])}."


@cache
def vocabulary(language: str) -> tuple[list[str], list[float]]:
    """Return the words of a language and their frequencies, added up (Zipf)."""
    rng = random.Random(language)
    syllables = CYRILLIC if language == "ru" else LATIN
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 5))) for _ in range(WORDS_KNOWN)]
    total, sums = 0.0, []
    for n in range(WORDS_KNOWN):
        total += 1 / (n + 5)
        sums.append(total)
    return words, sums
