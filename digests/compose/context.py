"""What all stories of an edition share: the digest's options, the articles, and what is known from before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from digests.analysis.gazetteer import find_countries
from digests.analysis.perspectives import OutletGroups, group_outlets
from digests.analysis.preferences import Preferences
from digests.analysis.select import LoadFullTexts
from digests.model import Edition, Story
from digests.summarise.agreement import DocumentFrequencies, count_document_frequencies
from watcher.model import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestOptions:
    """What a digest's settings say about its editions."""

    name: str
    title: str
    language: str = "en"
    timezone: str = "UTC"
    stories: int = 12
    briefs: int = 10
    sections: tuple[str, ...] = ()
    note: str = ""
    preferences: Preferences = Preferences()  # noqa: RUF009 (it is frozen)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeContext:
    """What all stories of an edition share."""

    options: DigestOptions
    articles: Mapping[str, Article]  # of the window, by id
    local_date: date
    window_start: datetime
    window_end: datetime
    earlier_editions: tuple[Edition, ...]  # the last ones, the latest first
    earlier_articles: Mapping[str, Article]  # articles from before the window, by id
    load_full_texts: LoadFullTexts  # articles of the window, and from before, with all of their text
    owner_kinds: Mapping[str, str]  # the kind of owner of an outlet
    frequencies: DocumentFrequencies
    outlets_read: OutletGroups  # the outlets of the window
    find_countries: Callable[[Story], tuple[str, ...]]  # ISO codes of the countries that a story is about

    def present(self, story: Story) -> list[Article]:
        """Return those of a story's articles that are of the window."""
        return [self.articles[key] for key in story.articles if key in self.articles]

    def full_articles(self, story: Story) -> Mapping[str, Article]:
        """Return those of a story's articles that are of the window, with all of their text."""
        return self.load_full_texts(article.id for article in self.present(story))


def make_context(
    options: DigestOptions,
    articles: Mapping[str, Article],
    *,
    local_date: date,
    window_start: datetime,
    window_end: datetime,
    earlier_articles: Mapping[str, Article],
    earlier_editions: Sequence[Edition],
    owner_kinds: Mapping[str, str],
    load_full_texts: LoadFullTexts,
) -> ComposeContext:
    """
    Return what all stories of an edition share.

    Args:
        articles: The window's, by id, as `select_articles` keeps them.
        earlier_articles: Articles of the last editions, as far as they are stored, to tell what is new; not counted.
        earlier_editions: The last ones, the latest first.
        owner_kinds: The kind of owner of an outlet, where the settings name it.
        load_full_texts: Called for the stories that may be shown, one after the other: `articles` and
            `earlier_articles` may hold the beginnings of texts alone.
    """
    countries: dict[str, tuple[str, ...]] = {}

    def countries_of(story: Story) -> tuple[str, ...]:
        if story.id not in countries:
            countries[story.id] = find_countries(story, articles)
        return countries[story.id]

    return ComposeContext(
        options=options,
        articles=articles,
        local_date=local_date,
        window_start=window_start,
        window_end=window_end,
        earlier_editions=tuple(earlier_editions),
        earlier_articles={**earlier_articles, **load_full_texts(earlier_articles.keys() & articles.keys())},
        load_full_texts=load_full_texts,
        owner_kinds=owner_kinds,
        frequencies=count_document_frequencies(list(articles.values()), load_full_texts),
        outlets_read=group_outlets(articles.values(), owner_kinds),
        find_countries=countries_of,
    )
