"""What all stories of an edition share: the digest, the articles, and what is known from before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from digests.analysis.gazetteer import find_countries
from digests.analysis.perspectives import OutletGroups, group_outlets
from digests.analysis.select import LoadFullTexts
from digests.model import Edition, Story
from digests.settings.digests import DigestSettings
from digests.summarise.agreement import DocumentFrequencies, count_document_frequencies
from watcher.model import Article


@dataclass(frozen=True, kw_only=True)
class ComposeContext:
    """
    What all stories of an edition share.

    Attributes:
        articles: The window's, by id, as `select_articles` keeps them.
        earlier_articles: Articles of the last editions, as far as they are stored, to tell what is new; not counted.
        earlier_editions: The last ones, the latest first.
        load_full_texts: Called for the stories that may be shown, one after the other: `articles` and
            `earlier_articles` may hold the beginnings of texts alone.
        owner_kinds: The kind of owner of an outlet, where the settings name it.
    """

    digest: DigestSettings
    articles: Mapping[str, Article]
    local_date: date
    window_start: datetime
    window_end: datetime
    earlier_articles: Mapping[str, Article]
    earlier_editions: tuple[Edition, ...]
    load_full_texts: LoadFullTexts
    owner_kinds: Mapping[str, str]
    _countries: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by story

    @property
    def previous(self) -> Edition | None:
        return next(iter(self.earlier_editions), None)

    @cached_property
    def earlier_texts(self) -> Mapping[str, Article]:
        """`earlier_articles`, those that are of the window too with all of their text."""
        both = self.earlier_articles.keys() & self.articles.keys()
        return {**self.earlier_articles, **self.load_full_texts(both)}

    @cached_property
    def frequencies(self) -> DocumentFrequencies:
        return count_document_frequencies(list(self.articles.values()), self.load_full_texts)

    @cached_property
    def outlets_read(self) -> OutletGroups:
        return group_outlets(self.articles.values(), self.owner_kinds)

    def find_countries(self, story: Story) -> tuple[str, ...]:
        """Return the ISO codes of the countries that a story is about."""
        if story.id not in self._countries:
            self._countries[story.id] = find_countries(story, self.articles)
        return self._countries[story.id]

    def present(self, story: Story) -> list[Article]:
        """Return those of a story's articles that are of the window."""
        return [self.articles[key] for key in story.articles if key in self.articles]

    def full_articles(self, story: Story) -> Mapping[str, Article]:
        """Return those of a story's articles that are of the window, with all of their text."""
        return self.load_full_texts(article.id for article in self.present(story))
