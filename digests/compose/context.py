"""The inputs that all stories of an edition share: the digest, its articles, and the earlier editions and articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import cached_property
from itertools import takewhile

from digests.analysis.news_value import estimate_news_values, find_news_value
from digests.analysis.select import LoadFullTexts
from digests.analysis.silence import OutletGroups, group_outlets
from digests.analysis.standfirsts import find_whole
from digests.analysis.story_countries import find_countries
from digests.analysis.story_coverage import Coverage, measure_coverage
from digests.analysis.topics import Chances, find_topic, topic_chances
from digests.cluster.item import ClusterItem
from digests.cluster.nearest import NearestReports
from digests.cluster.neighbours import Neighbours
from digests.compose.told import ToldStory, read_told
from digests.compose.translations import ForeignText, TranslationLookup, Translations
from digests.model.edition import Correction, Edition
from digests.model.edition_story import Brief, Notice, Sentence, Translation
from digests.model.ledger import Intake
from digests.model.story import Story
from digests.settings.digests import DigestSettings
from digests.settings.translate import Part
from digests.summarise.agreement import DocumentFrequencies, count_document_frequencies
from digests.summarise.headline import Headline
from watcher.model import Article
from watcher.text.language import UNKNOWN_LANGUAGE
from watcher.text.page_kind import NO_REPORTS


@dataclass(frozen=True, kw_only=True)
class ComposeContext:
    """Inputs that all stories of an edition share; articles may have only the beginnings of their texts."""

    digest: DigestSettings
    articles: Mapping[str, Article]  # of the window, and late ones, by id, as `select_articles` returns them
    local_date: date
    window_start: datetime
    window_end: datetime
    earlier_articles: Mapping[str, Article]  # older ones and those that the last editions cited, if still stored
    earlier_editions: tuple[Edition, ...]  # the latest first
    load_full_texts: LoadFullTexts  # loads articles by id, with full texts; called for one story at a time
    owner_kinds: Mapping[str, str]  # by outlet, for outlets whose sources declare one
    outlets_read: frozenset[str]  # whose feeds were read up to the window's end
    items: Mapping[str, ClusterItem]  # of the articles that were grouped, by id
    notices: Mapping[str, tuple[Notice, ...]] = field(default_factory=dict)  # by story; see `withhold_reports`
    neighbours: Mapping[str, Neighbours] = field(default_factory=dict)  # by story; see `find_neighbours`
    translations: TranslationLookup | None = None  # None if nothing is translated
    # Of each thread that the reader follows, by its id, the newest story, and when its last report was published.
    followed: Mapping[str, tuple[Brief, datetime]] = field(default_factory=dict)
    _coverage: dict[str, Coverage] = field(default_factory=dict, init=False)  # by story
    _countries: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by story
    _topics: dict[str, str] = field(default_factory=dict, init=False)  # by story
    _told: dict[datetime, tuple[ToldStory, ...]] = field(default_factory=dict, init=False)  # by when it was made
    headlines: dict[str, Headline | None] = field(default_factory=dict, init=False)  # by story; see `find_headline`

    def with_translations(self, known: Translations) -> ComposeContext:
        """Return the context of a draft with the translations `known`."""
        # Computed here, they are computed once for all drafts: the copy has the cached values.
        _ = self.earlier_texts, self.frequencies, self.whole, self.groups, self.nearest
        _ = self.topic_chances, self.news_values
        draft = copy(self)
        object.__setattr__(draft, "translations", TranslationLookup(known))
        object.__setattr__(draft, "headlines", {})  # a translation may make another title readable
        return draft

    @property
    def previous(self) -> Edition | None:
        return next(iter(self.earlier_editions), None)

    def told_in(self, edition: Edition | None) -> tuple[ToldStory, ...]:
        """Return what one of the earlier editions told; nothing if there is none."""
        if edition is None:
            return ()
        if edition.made_at not in self._told:
            self._told[edition.made_at] = read_told(edition)
        return self._told[edition.made_at]

    @cached_property
    def earlier_texts(self) -> Mapping[str, Article]:
        """`earlier_articles`, with full texts for those that are in `articles` too."""
        both = self.earlier_articles.keys() & self.articles.keys()
        return {**self.earlier_articles, **self.load_full_texts(both)}

    @cached_property
    def frequencies(self) -> DocumentFrequencies:
        return count_document_frequencies(list(self.articles.values()), self.load_full_texts)

    @cached_property
    def whole(self) -> frozenset[str]:
        """The ids of the articles whose text has no mark at its end and is whole."""
        return find_whole(self.articles.values())

    @cached_property
    def groups(self) -> OutletGroups:
        return group_outlets(self.articles.values(), self.owner_kinds)

    @cached_property
    def nearest(self) -> NearestReports:
        return NearestReports(self.items.values(), self.owner_kinds)

    @cached_property
    def topic_chances(self) -> Mapping[str, Chances]:
        """The probability of each of `TOPICS`, by article."""
        return topic_chances(self._own_items, {key: article.section or "" for key, article in self.articles.items()})

    @cached_property
    def news_values(self) -> Mapping[str, float]:
        """The mark that an editor would give what an article speaks of, 0 to 4, by article."""
        return estimate_news_values(self._own_items, self.topic_chances)

    @property
    def _own_items(self) -> list[ClusterItem]:
        return [self.items[key] for key in self.articles if key in self.items]

    def can_read(self, language: str) -> bool:
        """Whether the reader reads a language; True if it is not known which language it is."""
        return language in (*self.digest.read_languages, UNKNOWN_LANGUAGE)

    def languages_for(self, part: Part, articles: Mapping[str, Article]) -> list[str]:
        """Return the languages of headlines or sentences that can be shown: those read, then those translated."""
        tags = dict.fromkeys(self.digest.read_languages)
        translations = self.translations.known if self.translations else None
        if translations is not None and part in translations.parts:
            common = Counter(article.language for article in articles.values()).most_common()
            tags |= dict.fromkeys(tag for tag, _ in common if tag in translations.languages)
        return list(tags)

    def translate(self, part: Part, text: str, language: str) -> Translation | None:
        """Return a text as translated; None if the reader reads its language, or it cannot be translated."""
        if self.can_read(language) or self.translations is None:
            return None
        return self.translations.find(ForeignText(part=part, text=text, language=language))

    def can_show(self, sentence: Sentence) -> bool:
        """Whether the reader reads the language of a sentence, or its translation has not failed so far."""
        if self.can_read(sentence.language) or self.translations is None:
            return True
        text = ForeignText(part="sentences", text=sentence.text, language=sentence.language)
        return not self.translations.has_failed(text)

    def readable_beginning(self, sentences: Sequence[Sentence]) -> tuple[Sentence, ...]:
        """
        Return the first sentences that the reader can read, those in other languages with translations.

        What follows one that cannot be shown may refer to it. If the settings have headlines translated, and no
        sentences, all stay.
        """
        translated = [replace(s, translation=self.translate("sentences", s.text, s.language)) for s in sentences]
        keeps_all = self.translations is not None and "sentences" not in self.translations.known.parts
        return tuple(takewhile(lambda s: keeps_all or s.translation or self.can_read(s.language), translated))

    def measure_coverage(self, story: Story) -> Coverage:
        """Return which outlets report a story, by the articles of the window."""
        if story.id not in self._coverage:
            self._coverage[story.id] = measure_coverage(story, self.articles)
        return self._coverage[story.id]

    def find_countries(self, story: Story) -> tuple[str, ...]:
        """Return the ISO codes of the countries that a story is about."""
        if story.id not in self._countries:
            self._countries[story.id] = find_countries(story, self.articles, self.measure_coverage(story))
        return self._countries[story.id]

    def find_topic(self, story: Story) -> str:
        """Return what a story is about, one of `TOPICS`; "" if no topic is likely."""
        if story.id not in self._topics:
            self._topics[story.id] = find_topic(self.present(story), self.topic_chances)
        return self._topics[story.id]

    def find_news_value(self, story: Story) -> float | None:
        """Return the mark that an editor would give a story by what it speaks of, 0 to 4; None if it is not known."""
        return find_news_value(self.present(story), self.news_values)

    def select_in_window(self, articles: Mapping[str, Article]) -> dict[str, Article]:
        """Return those of `articles` published in the edition's window; all, which came in late, if none was."""
        start, end = self.window_start, self.window_end
        return {key: each for key, each in articles.items() if start <= each.published_at < end} or dict(articles)

    def present(self, story: Story) -> list[Article]:
        """Return the story's articles that are in the window and are reports."""
        stored = (self.articles[key] for key in story.articles if key in self.articles)
        return [article for article in stored if article.kind not in NO_REPORTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionInputs:
    """What an edition is made of: `edition.load` loads it, and `compose_edition` makes the edition of it."""

    stories: tuple[Story, ...]
    context: ComposeContext
    intake: Intake
    number: int
    made_at: datetime
    corrections: tuple[Correction, ...]
    at: time | None = None  # as in `Edition`
