"""What an edition shows, in words and made inert: the one source of every form, so that all say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from digests.model import Brief, Edition, EditionStory, Mention, Sentence
from digests.render import safe
from digests.render.ledger import ledger_lines
from digests.render.words import Words, words_for
from watcher.text.urls import host_of

MAX_SOURCES = 8  # a story's outlets by name; the others are counted
MAX_HEADLINES = 5  # in languages other than the digest's
MAX_TITLE = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """What HTML says of a text: its language and direction, each empty where it is the edition's own."""

    lang: str = ""
    dir: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Sentences of one report, one after another, and where they stand."""

    text: str
    tongue: Tongue
    outlet: str
    url: str | None
    mark: str  # behind the outlet: ends a right-to-left name, which else would draw the time to its other side
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """An outlet's report. `about`: "Egypt, in Arabic". `title` is empty where it would add nothing."""

    outlet: str
    url: str | None
    tongue: Tongue
    about: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryView:
    number: int
    anchor: str
    title: str
    tongue: Tongue
    url: str | None
    in_language: str  # "in Arabic", or ""
    places: str
    is_new: bool
    day: str  # "New", "Day 2"
    rest: str  # "updated 05:32 UTC"
    summary: tuple[Quote, ...]
    since_label: str
    since: tuple[Quote, ...]
    coverage: str
    sources: tuple[SourceLine, ...]
    unnamed: int  # outlets that are only counted
    headlines: tuple[SourceLine, ...]
    spark: tuple[int, ...]  # eighths of the window, 0 to 12
    trend: str

    @property
    def facts(self) -> str:
        """Place, day and time in one line."""
        return " · ".join(part for part in (self.places, self.in_language, self.day, self.rest) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefView:
    title: str
    url: str | None
    tongue: Tongue
    outlet: str
    outlet_tongue: Tongue
    in_language: str
    outlets: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    title: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionView:
    """An edition as all forms show it. `note` is Markdown, everything else plain text."""

    digest: str
    title: str
    language: str
    dir: str
    day: date
    long_date: str
    number: int
    facts: str
    minutes: str
    note: str
    sections: tuple[SectionView, ...]
    briefs: tuple[BriefView, ...]
    ledger: tuple[str, ...]
    previous: date | None
    counts: tuple[tuple[str, int], ...]
    words: Words
    left_out: tuple[str, ...] = ()  # what the mail's budget cost, in words

    @property
    def stories(self) -> tuple[StoryView, ...]:
        return tuple(sorted((s for section in self.sections for s in section.stories), key=lambda s: s.number))

    @property
    def heading(self) -> str:
        return f"{self.title}, {self.long_date}"

    @property
    def subject(self) -> str:
        """The lead's headline: the sender's name already says which digest it is."""
        return self.stories[0].title if self.stories else self.heading

    @property
    def preview(self) -> str:
        """What a list of mails, or of search results, shows beneath the subject."""
        if not self.stories:
            return self.words["empty"]
        if len(self.stories) == 1:
            return self.stories[0].title
        return self.words.say(
            "lead_and_more",
            title=self.stories[0].title,
            stories=self.words.say("more_stories", n=len(self.stories) - 1),
        )


def view(edition: Edition) -> EditionView:
    """Return what `edition` shows."""
    words = words_for(edition)
    ledger = edition.ledger
    counts = {
        "stories": len(edition.stories),
        "briefs": len(edition.briefs),
        "articles": ledger.articles,
        "outlets": ledger.outlets,
        "languages": ledger.languages,
    }
    facts = {key: words.say(key, n=counts[key]) for key in ("articles", "outlets", "languages", "stories")}
    title = safe.inert(edition.title, limit=MAX_TITLE)
    return EditionView(
        digest=edition.digest,
        title=title,
        language=words.language,
        dir=words.direction(words.language, title),
        day=edition.local_date,
        long_date=words.long_date(edition.local_date),
        number=edition.number,
        facts=words.say("facts", **facts),
        minutes=words.say("minutes", n=edition.minutes) if edition.stories else "",
        note=safe.inert_lines(edition.note),
        sections=tuple(
            SectionView(
                title=safe.inert(section.title, limit=MAX_TITLE),
                stories=tuple(_story(story, edition, words) for story in section.stories),
            )
            for section in edition.sections
            if section.stories
        ),
        briefs=tuple(_brief(brief, words) for brief in edition.briefs),
        ledger=ledger_lines(edition, words),
        previous=edition.previous,
        counts=tuple(counts.items()),
        words=words,
    )


def _story(story: EditionStory, edition: Edition, words: Words) -> StoryView:
    title = _title(story.title, words)
    lines = [_source(mention, words) for mention in story.mentions]
    plain = tuple(line for line in lines if not line.title)[:MAX_SOURCES]
    foreign = tuple(line for line in lines if line.title)[:MAX_HEADLINES]
    unnamed = max(story.outlets, len(lines)) - len(plain) - len(foreign)
    updated = words.say("updated", time=words.clock(story.updated_at, zone=True))
    is_new = story.status == "new" and edition.previous is not None  # in a first edition, the word would say nothing
    return StoryView(
        number=story.number,
        anchor=safe.anchor(story.anchor, story.number),
        title=title,
        tongue=_tongue(story.title_language, title, words),
        url=safe.web_url(story.url),
        in_language=words.in_language(story.title_language),
        places=" · ".join(safe.inert(place) for place in story.places),
        is_new=is_new,
        day=words["new"] if is_new else "" if edition.previous is None else words.say("day", n=story.day),
        rest=" · ".join([words["quiet"], updated] if story.status == "quiet" else [updated]),
        summary=_quotes(story.summary, words),
        since_label=_since(edition, words),
        since=_quotes(story.since, words),
        coverage=coverage(story, words),
        sources=plain,
        unnamed=unnamed if lines else 0,
        headlines=foreign,
        spark=_heights(story.spark),
        trend=words[story.trend] if story.trend in ("rising", "steady", "fading") else "",
    )


def coverage(story: EditionStory, words: Words) -> str:
    """
    Return "47 outlets · 14 independent · 33 agency copies folded · 9 languages": without folded ones where none is, and
    without languages where there is one.
    """
    parts = [words.say("outlets", n=story.outlets), words.say("independent", n=story.independent)]
    from_agencies = sum(copies for _, copies in story.agencies)
    if story.folded:
        parts.append(words.say("agency_copies" if from_agencies == story.folded else "folded", n=story.folded))
    if len(story.languages) > 1:
        parts.append(words.say("languages", n=len(story.languages)))
    return " · ".join(parts)


def _quotes(sentences: Sequence[Sentence], words: Words) -> tuple[Quote, ...]:
    """Return the sentences in order; those that follow each other in one report share one citation."""
    quotes = []
    for (url, outlet, tag, at), run in groupby(sentences, key=lambda s: (s.url, s.outlet, s.language, s.at)):
        outlet = _outlet(outlet, url)
        turns = words.direction(words.language, "") == "ltr" and safe.first_strong(outlet) == "rtl"
        text = words.joined((safe.inert(sentence.text) for sentence in run), tag)
        quotes.append(
            Quote(
                text=text,
                tongue=_tongue(tag, text, words),
                outlet=outlet,
                url=safe.web_url(url),
                mark="\u200e" if turns else "",
                time=words.clock(at),
            )
        )
    return tuple(quotes)


def _source(mention: Mention, words: Words) -> SourceLine:
    outlet = _outlet(mention.outlet, mention.url)
    title = safe.inert(mention.title, limit=MAX_TITLE) if mention.headline else ""
    agency = words.say("agency", agency=safe.inert(mention.agency, limit=80)) if mention.agency else ""
    about = (words.country(mention.country), words.in_language(mention.language), agency)
    return SourceLine(
        outlet=outlet,
        url=safe.web_url(mention.url),
        tongue=_tongue(mention.language, title or outlet, words),
        about=", ".join(part for part in about if part),
        title=title,
    )


def _brief(brief: Brief, words: Words) -> BriefView:
    title, outlet = _title(brief.title, words), _outlet(brief.outlet, brief.url)
    return BriefView(
        title=title,
        url=safe.web_url(brief.url),
        tongue=_tongue(brief.language, title, words),
        outlet=outlet,
        outlet_tongue=_tongue(brief.language, outlet, words),
        in_language=words.in_language(brief.language),
        outlets=words.say("outlets", n=brief.outlets),
    )


def _title(title: str, words: Words) -> str:
    return safe.inert(title, limit=MAX_TITLE) or words["untitled"]


def _outlet(name: str, url: str) -> str:
    """Return an outlet's name; its host where a source was named with nothing that can be seen."""
    return safe.inert(name, limit=MAX_TITLE) or host_of(url) or "?"


def _tongue(tag: str, text: str, words: Words) -> Tongue:
    own = words.direction(words.language, "")
    direction = words.direction(tag, text)
    foreign = words.language_name(tag)
    return Tongue(lang=safe.language_tag(tag) if foreign else "", dir=direction if direction != own else "")


def _since(edition: Edition, words: Words) -> str:
    if edition.previous is None:
        return words["since_last"]
    if (edition.local_date - edition.previous).days == 1:
        return words["since_yesterday"]
    return words.say("since_day", day=words.short_date(edition.previous))


def _heights(spark: Sequence[int]) -> tuple[int, ...]:
    """Return heights from 1 to 12 for the bars, the highest 12; nothing where there is nothing to compare."""
    top = max(spark, default=0)
    return tuple(max(1, round(12 * value / top)) for value in spark) if top > 0 else ()
