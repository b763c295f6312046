"""A small press for the tests of compose: articles, stories and editions built from a few words."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from digests.analysis.select import count_left_out, select_articles
from digests.cluster.item import make_item
from digests.compose.context import ComposeContext, EditionInputs
from digests.compose.edition import compose_edition
from digests.model.edition import Edition
from digests.model.ledger import Intake
from digests.model.story import Story, WireGroup
from digests.settings.digests import DigestSettings
from digests.summarise.agreement import Agreement, count_document_frequencies, measure_agreement
from watcher.features.embedders import with_vector
from watcher.features.extract import extract_features
from watcher.model import Article

START = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
END = START + timedelta(hours=24)
BODY = {
    "en": "A {topic} struck {place} on Monday, and {n} people had to leave their homes, officials said.\n"
    "Schools in {place} stay closed until the end of the week, the government announced.",
    "de": "Ein {topic} hat {place} am Montag getroffen, {n} Menschen mussten ihre Häuser verlassen, teilte man mit.",
    "ja": "{place}で月曜日に{topic}があり、{n}人が避難したと当局が発表した。",
    "ar": "ضرب {topic} {place} يوم الاثنين واضطر {n} شخصا إلى مغادرة منازلهم، حسبما أعلنت السلطات.",
}


def article(
    outlet: str,
    title: str,
    text: str = "-",
    *,
    language: str = "en",
    country: str | None = None,
    hours: float = 12.0,
    owner: str | None = None,
    agency: str | None = None,
    kind: str = "article",
    section: str | None = None,
) -> Article:
    """Return an article of `outlet`, published `hours` after the window's start."""
    key = hashlib.sha256(f"{outlet}|{title}|{hours}".encode()).hexdigest()[:16]
    host = f"{outlet.lower().replace(' ', '-')}.example"
    at = START + timedelta(hours=hours)
    return Article(
        id=key,
        url=f"https://{host}/{key}",
        host=host,
        outlet=outlet,
        title=title,
        text=text,
        language=language,
        country=country,
        published_at=at,
        fetched_at=at,
        owner=owner,
        agency=agency,
        kind=kind,
        section=section,
    )


def story(*reports: Sequence[Article] | Article, agency: str | None = None) -> Story:
    """Return the story of `reports`: each an article, or articles that carry one text (then `agency` is theirs)."""
    groups = [[report] if isinstance(report, Article) else list(report) for report in reports]
    everything = sorted((a for group in groups for a in group), key=lambda a: (a.published_at, a.id))
    return Story(
        id=everything[0].id,
        articles=tuple(a.id for a in everything),
        wire_groups=tuple(
            WireGroup(articles=tuple(a.id for a in group), agency=agency if len(group) > 1 else group[0].agency)
            for group in groups
        ),
    )


def by_id(*articles: Article) -> dict[str, Article]:
    return {a.id: a for a in articles}


def make_context(
    articles: dict[str, Article], *, earlier: dict[str, Article] | None = None, digest: Any = None, **more: Any
) -> ComposeContext:
    """Return the context of an edition of the window's `articles`; `digest` are values of its settings."""
    given = {"local_date": date(2026, 3, 10), "window_start": START, "window_end": END, "owner_kinds": {}}
    given["outlets_read"] = frozenset(a.outlet for a in (*articles.values(), *(earlier or {}).values()))
    given |= {"earlier_editions": (), "load_full_texts": lambda ids: {key: whole[key] for key in ids}}
    whole = {**(earlier or {}), **articles}
    given["items"] = {
        key: make_item(a, extract_features(key, title=a.title, text=a.text, language=a.language))
        for key, a in whole.items()
    }
    return ComposeContext(
        digest=DigestSettings(**(digest or {})), articles=articles, earlier_articles=earlier or {}, **given | more
    )


def next_day(previous: Edition) -> dict[str, Any]:
    """Return the values of `make_context` for the edition that comes a day after that of `make_context`, `previous`."""
    end = END + timedelta(days=1)
    return {"local_date": end.date(), "window_start": END, "window_end": end, "earlier_editions": (previous,)}


def with_meanings(context: ComposeContext, groups: Sequence[Sequence[Article]]) -> ComposeContext:
    """Return the context with vectors: those of one group are the same, those of two groups have no likeness."""
    items = dict(context.items)
    for meaning, group in enumerate(groups):
        packed = np.eye(8, dtype="<f2")[meaning].tobytes()
        for each in group:
            made = items[each.id]
            items[each.id] = dataclasses.replace(made, features=with_vector(made.features, packed, "test/0"))
    return dataclasses.replace(context, items=items)


def agreement(story: Story, articles: dict[str, Article]) -> Agreement:
    """Return what the reports of a story agree on, if there is nothing else in the window."""
    known = count_document_frequencies(list(articles.values()), lambda ids: {key: articles[key] for key in ids})
    return measure_agreement(story, articles, known)


def report(outlet: str, topic: str, place: str, n: int, *, language: str = "en", **more: Any) -> Article:
    """Return a report that `topic` has driven `n` people of `place` from their homes."""
    title = {"en": f"{topic} in {place} drives {n} from their homes"}.get(language, f"{topic} {place} {n}")
    return article(outlet, title, BODY[language].format(topic=topic, place=place, n=n), language=language, **more)


def compose_stories(stories: Sequence[Story], context: ComposeContext, **values: Any) -> Edition:
    """Return the edition of `stories`; `values` are those of `EditionInputs` that matter."""
    given = {"intake": Intake(), "number": 1, "made_at": END, "corrections": ()} | values
    return compose_edition(EditionInputs(stories=tuple(stories), context=context, **given))


def edition_of(
    groups: Sequence[Sequence[Article]],
    *,
    earlier: dict[str, Article] | None = None,
    kinds: dict[str, str] | None = None,
    chars: int | None = None,
    **digest: Any,
) -> Edition:
    """
    Return the edition of stories, each of one group of articles; `digest` are values of its settings.

    Args:
        earlier: Articles that are known though they are not of the window.
        kinds: The kind of owner by outlet.
        chars: What is read of each text at first; the whole is read where it is asked for.
    """
    articles = [a for group in groups for a in group]
    kept, causes = select_articles(articles, start=START, end=END, load_full_texts=lambda ids: by_id(*articles))
    known = by_id(*kept)
    stories = [story(*[a for a in group if a.id in known]) for group in groups if any(a.id in known for a in group)]
    full = {**(earlier or {}), **known}
    if chars is not None:
        known, earlier = (
            {key: dataclasses.replace(a, text=a.text[:chars]) for key, a in each.items()}
            for each in (known, earlier or {})
        )
    context = make_context(
        known,
        earlier=earlier,
        digest=digest,
        owner_kinds=kinds or {},
        load_full_texts=lambda ids: {key: full[key] for key in ids},
    )
    intake = Intake(
        entries_seen=len(articles),
        left_out=count_left_out(causes.values()),
        sources_total=9,
        sources_ok=8,
        sources_unread=1,
    )
    return compose_stories(stories, context, intake=intake)


def world() -> list[list[Article]]:
    """Return the reports of five events in five countries, by the event."""
    return [
        [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n, country="NP") for n in range(4)],
        [report(f"K{n}", "Drought", "Kenya", 9000, hours=5 + n, country="KE") for n in range(3)],
        [report(f"J{n}", "地震", "日本", 120, language="ja", hours=9 + n, country="JP") for n in range(2)],
        [report("A0", "Storm", "Chile", 77, hours=11, country="CL")],
        [
            report("B0", "Fire", "Portugal", 41, hours=12),
            report("B1", "Brand", "Portugal", 41, language="de", hours=13),
        ],
    ]
