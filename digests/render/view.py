"""The view of an edition: sanitized texts that all formats render, so that they agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice

from digests.render.localizer import Localizer

MAX_OUTLETS_LISTED = 3  # outlets named for a story in a form without folds, beside those quoted; the others are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class LangAttr:
    """The language and direction of a text for HTML; each is "" if it is the edition's own."""

    lang: str = ""
    dir: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CiteView:
    outlet: str
    url: str | None
    mark: str  # after the outlet: ends a name of the other direction, so that the time stays where it belongs
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalView:
    """The original of a text that is shown translated."""

    text: str
    lang_attr: LangAttr
    mark: str  # "Translated from Portuguese by Firefox's model"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteView:
    text: str
    lang_attr: LangAttr = LangAttr()
    cites: tuple[CiteView, ...] = ()
    original: OriginalView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFigureView:
    """Killed: at least 15 (Alpha, 04:10) → 19 (Beta, 10:00, 4 outlets)."""

    label: str  # "Killed"
    before: str
    before_cite: CiteView
    after: str
    after_cite: CiteView
    outlets: str  # "4 outlets", empty for one


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceLineView:
    """A line at the top: Since yesterday: Nine people died … — Killed: 5 (Alpha, 04:10) → 9 (Beta, 10:00)."""

    label: str  # "Since yesterday", "Disputed"; may be empty
    text: str
    lang_attr: LangAttr
    in_language: str  # "in Arabic", "translated from Arabic", or ""
    anchor: str  # of its story
    cites: tuple[CiteView, ...]  # empty if the figures cite the report
    figures: tuple[QuoteView, ...]  # that changed or differ
    joint: str  # between two of them


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingEventView:
    """A line on an event to come: 3 December: The court will rule on … — Alpha, 28 November."""

    label: str  # its day; "Today, announced on 28 November", "Moved from 3 December to 10 December"
    text: str
    lang_attr: LangAttr
    in_language: str  # "in Arabic", "translated from Arabic", or ""
    anchor: str  # of the story that reports it, or under which that one is listed; "" without one
    cite: CiteView


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    outlet: str
    url: str | None
    lang_attr: LangAttr
    country: str  # "Egypt"
    credit: str  # "in Arabic, with AFP text, and 3 copies"
    title: str = ""  # empty if it would add nothing
    copies: int = 0  # other outlets with its text, which are not named
    is_credited: bool = False  # `credit` names an agency, another source that had the link, or copies


@dataclass(frozen=True, slots=True, kw_only=True)
class PerspectiveView:
    """A headline that leads with another aspect; only `headline` and `cite` are never empty."""

    country: str  # whose outlets agree on it
    headline: str
    lang_attr: LangAttr
    cite: CiteView
    home: str  # the country of its one outlet
    about: str  # "in Swahili"


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefView:
    places: str  # that a story is about which the reader cannot read; else empty
    title: str
    url: str | None
    lang_attr: LangAttr
    outlet: str
    about: str  # "in Portuguese", "Day 3", words that are watched; may be empty
    outlets: str  # "5 outlets", empty for one; of a followed story, "nothing new for 3 days"
    original: OriginalView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionView:
    kind: str  # "Headline changed"
    outlet: str
    url: str | None
    lang_attr: LangAttr
    cited: str  # "cited on 13 March for “…”"
    before: str  # the wording; may be empty, as `after`
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryView:
    number: int
    anchor: str
    title: str
    lang_attr: LangAttr
    url: str | None
    in_language: str  # "in Arabic", "translated from Arabic", or ""
    original: OriginalView | None
    places: str
    topic: str  # "Sport", or ""; "" for world news too
    is_new: bool
    day: str  # "New", "Day 2"
    alerts: str  # "watched: ferry", or ""
    rest: str  # "nothing new", "no report since 1 March"
    updated: str  # "updated 05:32 UTC"
    is_updated_late: bool  # by one of several reports, in the last eighth of the edition's period
    summary: tuple[QuoteView, ...]
    written: str  # names the model that wrote the summary; empty if the summary is quoted
    grounds: tuple[QuoteView, ...]  # the sentences that support a written summary
    figures: tuple[QuoteView, ...]  # of a weekly digest: numbers from the first to the last of its turns
    turns: tuple[tuple[str, QuoteView], ...]  # of a weekly digest: a day, and its sentence
    changed_figures: tuple[ChangedFigureView, ...]  # over the period, each with the newest
    since_label: str
    since: tuple[QuoteView, ...]  # numbers, sentences, outlets
    latest: QuoteView | None  # the headline of a later report
    notices: tuple[tuple[str, QuoteView], ...]  # "Corrected", and the words of the outlet that corrects a report
    coverage: str  # "9 outlets, 3 independent", empty for one outlet
    counts: str  # what `coverage` leaves to the fold: "2 copies of agency texts · 3 languages"
    sources: tuple[SourceView, ...]  # the first of `reporters`, as many as the form has room for
    outlets: int  # named or counted; 0 if the story names none
    reporters: tuple[tuple[str, int], ...]  # each outlet that is no copy, with the number of copies behind it
    comments: tuple[SourceView, ...]  # outlets with an opinion piece on it
    differences: tuple[tuple[QuoteView, ...], ...]  # each: the figures for one quantity, or what one report alone has
    perspectives: tuple[PerspectiveView, ...]
    silent: tuple[str, ...]
    related: tuple[BriefView, ...]
    spark: tuple[int, ...]  # eighths of the window, 0 to 12; empty if there is no trend
    trend: str
    country: str  # ISO code of the first of `places`, or ""
    first_place: str
    keep_url: str | None = None  # in a mail: the page that keeps the story

    @property
    def fact_parts(self) -> tuple[str, ...]:
        parts = (self.places, self.topic, self.in_language, self.day, self.alerts, self.rest, self.shown_update)
        return tuple(filter(None, parts))

    @property
    def facts(self) -> str:
        return " · ".join(self.fact_parts)

    @property
    def shown_update(self) -> str:
        """The time of the last report beside the headline: where it is late in the period."""
        return self.updated if self.is_updated_late else ""

    @property
    def folded_facts(self) -> str:
        """What a form that can fold has behind `coverage`: its counts, and the time of the last report."""
        return " · ".join(filter(None, (self.counts, "" if self.is_updated_late else self.updated)))

    @property
    def mark(self) -> str:
        """What follows a translated headline where its original does not stand: " (translated from Arabic)"."""
        return f" ({self.in_language})" if self.original else ""

    @property
    def differs(self) -> bool:
        return bool(self.differences or self.perspectives or self.silent)

    @property
    def _named(self) -> frozenset[str]:
        """The outlets that the story names outside of its lists of outlets: those quoted, and those of perspectives."""
        quotes = (*self.summary, *self.since, *(quote for _, quote in self.turns))
        cited = (cite.outlet for quote in quotes for cite in quote.cites)
        return frozenset((*cited, *(voice.cite.outlet for voice in self.perspectives)))

    @property
    def short_list(self) -> tuple[SourceView, ...]:
        """The first of `sources` that owe their text to others, then of those that the story does not name yet."""
        credited = (line for line in self.sources if line.is_credited)
        others = (line for line in self.sources if not line.is_credited and line.outlet not in self._named)
        return tuple(islice(chain(credited, others), MAX_OUTLETS_LISTED))

    def count_unlisted(self, listed: Sequence[SourceView]) -> int:
        """Return how many outlets, copies among them, `listed` does not name: with those it does, all of the story."""
        names = {line.outlet for line in listed}
        return sum(1 + copies for outlet, copies in self.reporters if outlet not in names)

    @property
    def marks(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.day if self.is_new else "", self.alerts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    title: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionView:
    """An edition as all formats show it. `note` is Markdown, everything else is plain text."""

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
    at_a_glance: tuple[GlanceLineView, ...]
    sections: tuple[SectionView, ...]
    coming_up: tuple[ComingEventView, ...]
    corrections: tuple[CorrectionView, ...]
    briefs: tuple[BriefView, ...]
    foreign: tuple[BriefView, ...]  # in no language that the reader reads
    followed: tuple[BriefView, ...]  # by the reader, and nothing is new; they end the first section
    quiet: tuple[BriefView, ...]  # shown before, and nothing is new
    gone: tuple[BriefView, ...]  # stories that nobody reports any longer
    ledger: tuple[str, ...]
    previous: str  # the name of the previous edition's files, without an ending; "" if there is none
    counts: tuple[tuple[str, int], ...]
    words: Localizer
    left_out: tuple[str, ...] = ()  # phrases for what was cut to fit the mail's size

    @property
    def stories(self) -> tuple[StoryView, ...]:
        return tuple(sorted((s for section in self.sections for s in section.stories), key=lambda s: s.number))

    @property
    def heading(self) -> str:
        """The title, number and date: several editions of one date have different numbers."""
        number = f" {self.words.say('number', n=self.number)}" if self.number else ""
        return f"{self.title}{number}, {self.long_date}"

    @property
    def preview(self) -> str:
        """The line that a list of mails or of search results shows below the subject."""
        if not self.stories:
            return next((brief.title for brief in (*self.foreign, *self.briefs)), self.words["empty"])
        lead, *others = self.stories
        if not others:
            return lead.title
        more = self.words.say("more_stories", n=len(others))
        return self.words.say("lead_and_more", title=lead.title, stories=more)
