"""A small press for the tests of compose: articles and stories built from a few words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from digests.cluster.item import make_item
from digests.compose.context import ComposeContext
from digests.model import Story, WireGroup
from digests.settings.digests import DigestSettings
from digests.summarise.agreement import Agreement, count_document_frequencies, measure_agreement
from watcher.features.extract import extract_features
from watcher.model import Article

START = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
END = START + timedelta(hours=24)


def article(
    outlet: str,
    title: str,
    text: str = "",
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


def agreement(story: Story, articles: dict[str, Article]) -> Agreement:
    """Return what the reports of a story agree on, if there is nothing else in the window."""
    known = count_document_frequencies(list(articles.values()), lambda ids: {key: articles[key] for key in ids})
    return measure_agreement(story, articles, known)
